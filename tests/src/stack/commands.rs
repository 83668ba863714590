//! The AWS CLI commands in the stack's outputs.

use std::{fs, io, path::Path};

use super::Account;

/// The words of an AWS CLI command.
struct CommandWords<'c>(Vec<&'c str>);

impl CommandWords<'_> {
    /// The value of an option.
    fn option(&self, name: &str) -> Option<&str> {
        self.0.iter().position(|word| *word == name).and_then(|at| self.0.get(at + 1)).copied()
    }

    fn required(&self, name: &str) -> io::Result<&str> {
        self.option(name).ok_or_else(|| io::Error::other(format!("missing option {name} in the command")))
    }
}

impl Account {
    /// Runs an AWS CLI command with all permissions and with files from `folder`, and
    /// returns its output. It supports the commands of the outputs: `secretsmanager
    /// put-secret-value`, `secretsmanager get-secret-value`, and `s3 cp` of one file to a
    /// bucket.
    ///
    /// # Errors
    /// When the command is unknown or fails.
    pub async fn run_command(&self, command: &str, folder: &Path) -> io::Result<String> {
        let words = CommandWords(command.split_whitespace().collect());
        match words.0.as_slice() {
            ["aws", "secretsmanager", "put-secret-value", ..] => {
                let file = words.required("--secret-string")?;
                let file = file
                    .strip_prefix("file://")
                    .ok_or_else(|| io::Error::other("missing file of the command"))?;
                let put = self.moto().secrets().put_secret_value();
                let put = put.secret_id(words.required("--secret-id")?);
                let put = put.secret_string(fs::read_to_string(folder.join(file))?);
                let stages = words.option("--version-stages").map(|stage| vec![stage.to_owned()]);
                let put = put.set_version_stages(stages).send().await.map_err(io::Error::other)?;
                Ok(put.version_id.unwrap_or_default())
            }
            ["aws", "secretsmanager", "get-secret-value", ..] => {
                let get = self.moto().secrets().get_secret_value();
                let get = get.secret_id(words.required("--secret-id")?).send().await;
                Ok(get.map_err(io::Error::other)?.secret_string.unwrap_or_default())
            }
            ["aws", "s3", "cp", file, location, ..] => {
                let place = location.strip_prefix("s3://").and_then(|place| place.split_once('/'));
                let (bucket, key) = place.ok_or_else(|| {
                    io::Error::other(format!("invalid location {location}: expected s3://bucket/key"))
                })?;
                self.put_object(bucket, key, fs::read(folder.join(file))?).await?;
                Ok(String::new())
            }
            _ => Err(io::Error::other(format!("unknown command: {command}"))),
        }
    }

    /// Downloads all objects with a prefix to a folder.
    ///
    /// # Errors
    /// When the bucket cannot be read, or the folder cannot be written.
    pub async fn download_prefix(&self, bucket: &str, prefix: &str, folder: &Path) -> io::Result<()> {
        for key in self.moto().keys(bucket, prefix).await? {
            let name = key.strip_prefix(prefix).unwrap_or(&key).trim_start_matches('/');
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, self.object(bucket, &key).await?)?;
        }
        Ok(())
    }
}
