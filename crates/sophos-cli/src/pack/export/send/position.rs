//! The file with the position after the last sent row of each stream.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sophos_export::StreamId;

use crate::exit::Failure;

/// The position in a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The last commit whose rows were all sent; 0 before the first.
    pub(super) commit: u64,
    /// The id of the run that made it. In another export it differs.
    pub(super) run_id: String,
    /// The number of sent rows of the next commit.
    #[serde(default)]
    pub(super) rows: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// The version of the file: 1.
    version: u32,
    /// By `dataset/tenant`.
    streams: BTreeMap<String, Position>,
}

/// The positions, and their file.
#[derive(Debug)]
pub(super) struct PositionFile {
    path: PathBuf,
    content: Content,
}

impl PositionFile {
    /// Reads the file. A missing one has no positions.
    ///
    /// # Errors
    /// When it cannot be read, or is not such a file.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, content: Content { version: 1, streams: BTreeMap::new() } });
            }
            Err(error) => return Err(Failure::other(format!("reading {} failed: {error}", path.display()))),
        };
        let reason = match serde_json::from_slice::<Content>(&bytes) {
            Ok(content) if content.version == 1 => return Ok(Self { path, content }),
            Ok(content) => format!("its version is {}, written by a newer release", content.version),
            Err(error) => error.to_string(),
        };
        Err(Failure::usage(format!("invalid position file {}: {reason}", path.display()))
            .hint("name another file with --state, or remove this one to send all rows again"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The position in a stream; `None` before the first run.
    pub(super) fn get(&self, stream: &StreamId) -> Option<&Position> {
        self.content.streams.get(&key(stream))
    }

    pub(super) fn set(&mut self, stream: &StreamId, position: Position) {
        self.content.streams.insert(key(stream), position);
    }

    /// Replaces the file at once, so that an interruption leaves the old one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&new)?;
            serde_json::to_writer_pretty(&mut file, &self.content)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|error| {
            Failure::other(format!("writing {} failed: {error}", self.path.display()))
                .hint("check --state; the next run sends the last rows again")
        })
    }
}

fn key(stream: &StreamId) -> String {
    format!("{}/{}", stream.dataset, stream.tenant)
}

#[cfg(test)]
mod tests {
    use sophos_export::Dataset;

    use super::*;

    #[test]
    fn positions_are_kept_and_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("positions.json");
        let stream = StreamId::new(Dataset::Events, "ab").expect("a stream");
        let mut file = PositionFile::open(path.clone()).expect("no file yet");
        assert_eq!(file.get(&stream), None);
        for commit in [1, 2] {
            let position = Position { commit, run_id: "r".into(), rows: 7 };
            file.set(&stream, position.clone());
            file.save().expect("a file");
            assert_eq!(PositionFile::open(path.clone()).expect("the file").get(&stream), Some(&position));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no other file stays");
    }

    #[test]
    fn invalid_position_file_is_rejected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("positions.json");
        for text in ["", "{}", "[]", r#"{"version":2,"streams":{}}"#, r#"{"version":1,"streams":{"a":{}}}"#] {
            fs::write(&path, text).expect("a file");
            let failure = PositionFile::open(path.clone()).expect_err(text);
            assert!(failure.message.contains("invalid position file"), "{failure}");
        }
    }
}
