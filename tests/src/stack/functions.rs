//! The deployed functions, as processes.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use local_lambda::{LambdaFunction, Pool};
use serde_json::{Value, json};
use tokio::{process::Command, sync::Mutex};

use super::DEFAULT_MAX_PROCESSES;
use crate::{
    aws::{REGION, SessionKeys},
    leak_detector::LeakDetector,
    moto::{self, Moto},
};

/// A function with its deployed configuration.
#[derive(Debug, Clone)]
pub(super) struct ConfiguredFunction {
    pub(super) function: LambdaFunction,
    /// The maximum number of processes.
    pub(super) processes: usize,
    /// The name of its role.
    pub(super) role: String,
    /// Changes with the configuration and the code.
    pub(super) revision: String,
}

/// The functions of an account: their unpacked packages and their processes.
#[derive(Debug)]
pub(super) struct DeployedFunctions {
    moto: Moto,
    leaks: LeakDetector,
    folder: tempfile::TempDir,
    pools: Mutex<BTreeMap<String, (String, Arc<Pool>)>>,
    /// All pools that were started, for their logs.
    started: std::sync::Mutex<Vec<(String, Arc<Pool>)>>,
}

impl DeployedFunctions {
    pub(super) fn new(moto: Moto) -> io::Result<Self> {
        Ok(Self {
            moto,
            leaks: LeakDetector::default(),
            folder: tempfile::tempdir()?,
            pools: Mutex::default(),
            started: std::sync::Mutex::default(),
        })
    }

    pub(super) fn moto(&self) -> &Moto {
        &self.moto
    }

    pub(super) fn leaks(&self) -> &LeakDetector {
        &self.leaks
    }

    /// The processes of a function, replaced after each deployment; `None` if no stack has
    /// the function.
    pub(super) async fn pool(&self, name: &str) -> io::Result<Option<Arc<Pool>>> {
        let Some(configured) = self.function(name).await? else { return Ok(None) };
        let mut pools = self.pools.lock().await;
        if let Some((revision, pool)) = pools.get(name)
            && *revision == configured.revision
        {
            return Ok(Some(Arc::clone(pool)));
        }
        let pool = Pool::start(configured.function, configured.processes).await.map_err(io::Error::other)?;
        let pool = Arc::new(pool);
        pools.insert(name.to_owned(), (configured.revision, Arc::clone(&pool)));
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.push((name.to_owned(), Arc::clone(&pool)));
        Ok(Some(pool))
    }

    /// A function with its current configuration.
    pub(super) async fn function(&self, name: &str) -> io::Result<Option<ConfiguredFunction>> {
        let stacks = self.moto.get("stacks").await?;
        let resources =
            stacks.as_array().into_iter().flatten().filter_map(|stack| stack["Resources"].as_object());
        let mut functions = resources.flat_map(|all| all.values());
        let found = functions.find(|one| one["Type"] == "AWS::Lambda::Function" && one["Id"] == name);
        let Some(properties) = found.map(|found| &found["Properties"]) else { return Ok(None) };
        let role = properties["Role"].as_str().unwrap_or_default();
        let role = role.rsplit('/').next().unwrap_or_default().to_owned();
        let session = self.session(&role).await?;
        let number = |name: &str| {
            let value = &properties[name];
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        };
        let variables = properties["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
        let variables = variables.into_iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name, text)
        });
        let function = LambdaFunction::new(self.unpack(properties).await?)
            .name(name)
            .memory_mb(number("MemorySize").and_then(|size| u32::try_from(size).ok()).unwrap_or(128))
            .timeout(Duration::from_secs(number("Timeout").unwrap_or(3)))
            // A busy machine needs more than the default.
            .init_timeout(Duration::from_secs(60))
            .env("AWS_REGION", REGION)
            .env("AWS_ENDPOINT_URL", self.moto.endpoint())
            .env("AWS_ACCESS_KEY_ID", session.access_key)
            .env("AWS_SECRET_ACCESS_KEY", session.secret_key)
            .env("AWS_SESSION_TOKEN", session.token.unwrap_or_default())
            .envs(variables);
        let reserved = number("ReservedConcurrentExecutions").and_then(|most| usize::try_from(most).ok());
        let processes = reserved.unwrap_or(DEFAULT_MAX_PROCESSES).clamp(1, DEFAULT_MAX_PROCESSES);
        let function = self.leaks.watch(function);
        Ok(Some(ConfiguredFunction { function, processes, role, revision: properties.to_string() }))
    }

    /// New session keys of a role.
    pub(super) async fn session(&self, role: &str) -> io::Result<SessionKeys> {
        let value = self.moto.post("sessions", &json!({ "Role": role })).await?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Ok(SessionKeys {
            access_key: text("AccessKeyId"),
            secret_key: text("SecretAccessKey"),
            token: Some(text("SessionToken")),
        })
    }

    /// Unpacks the deployed package and returns its program.
    async fn unpack(&self, properties: &Value) -> io::Result<PathBuf> {
        let code = &properties["Code"];
        let (bucket, key) = match (code["S3Bucket"].as_str(), code["S3Key"].as_str()) {
            (Some(bucket), Some(key)) => (bucket, key),
            _ => return Err(io::Error::other("missing package of the function in a bucket")),
        };
        let folder = self.folder.path().join(key.replace('/', "-"));
        let program = folder.join("bootstrap");
        if program.is_file() {
            return Ok(program);
        }
        let package = folder.with_extension("zip");
        fs::write(&package, self.moto.object(bucket, key).await?)?;
        let Some(python) = moto::python() else {
            return Err(io::Error::other("missing Python: EMULATOR_PYTHON is not set"));
        };
        let mut unpack = Command::new(python);
        unpack.args(["-m", "zipfile", "-e"]).arg(&package).arg(&folder);
        if !unpack.status().await?.success() {
            return Err(io::Error::other(format!("s3://{bucket}/{key} is not a zip file")));
        }
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(program)
    }

    /// Ends the processes of a function. The next invocation starts new ones.
    pub(super) async fn restart(&self, name: &str) {
        let pool = self.pools.lock().await.remove(name);
        if let Some((_, pool)) = pool {
            pool.stop().await;
        }
    }

    /// The logs of a function.
    pub(super) fn logs(&self, name: &str) -> Vec<String> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.iter().filter(|(own, _)| own == name).flat_map(|(_, pool)| pool.logs()).collect()
    }

    pub(super) async fn stop(&self) {
        for (_, pool) in std::mem::take(&mut *self.pools.lock().await).into_values() {
            pool.stop().await;
        }
    }
}
