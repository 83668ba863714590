//! The files of the ledger, and time that passes in it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionId};

use super::IsolationEnv;
use crate::s3::S3Server;

impl IsolationEnv {
    /// Stores the ledger in this server's bucket.
    pub fn use_s3_ledger(&mut self, s3: &S3Server) {
        self.ledger = s3.location();
        self.files = s3.folder();
    }

    /// Every object of the ledger, by its path.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn objects(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut objects = BTreeMap::new();
        if self.files.is_dir() {
            collect(&self.files, "", &mut objects)?;
        }
        Ok(objects)
    }

    /// Every decision of the ledger.
    ///
    /// # Errors
    /// When one cannot be read, or a sequence number is missing.
    pub async fn decisions(&self) -> io::Result<Vec<Decision>> {
        let mut entries: BTreeMap<DecisionId, usize> = BTreeMap::new();
        for path in self.objects()?.keys() {
            let received = path.strip_prefix("received/").and_then(|name| name.strip_suffix(".json"));
            if let Some(id) = received {
                entries.entry(id.parse().map_err(io::Error::other)?).or_default();
            }
            if let Some((id, _)) = path.strip_prefix("decisions/").and_then(|path| path.split_once('/')) {
                *entries.entry(id.parse().map_err(io::Error::other)?).or_default() += 1;
            }
        }
        let mut decisions = Vec::new();
        for (id, count) in entries {
            let decision = self.decision(&id).await?;
            // Either only the webhook's entry, or a copy of it and the worker's
            // entries.
            if decision.entries().len() != count.max(1) {
                return Err(io::Error::other(format!("{id} lacks one of its {count} entries")));
            }
            decisions.push(decision);
        }
        Ok(decisions)
    }

    /// The paths of the held permits.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn held_permits(&self) -> io::Result<Vec<String>> {
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        for path in self.objects()?.into_keys().filter(|path| path.starts_with("permits/")) {
            if let Some((slot, generation)) = path.rsplit_once('.') {
                let generation: u64 = generation.parse().map_err(io::Error::other)?;
                let known = newest.entry(slot.to_owned()).or_default();
                *known = generation.max(*known);
            }
        }
        let taken = newest.into_iter().filter(|(_, generation)| generation % 2 == 1);
        Ok(taken.map(|(slot, generation)| format!("{slot}.{generation:08}")).collect())
    }

    /// Advances the time of the ledger: moves every timestamp back by `time`. Hourly
    /// counters keep their hour.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn advance_ledger_time(&self, time: Duration) -> io::Result<()> {
        for (path, body) in self.objects()? {
            let file = self.files.join(&path);
            let (folder, name) = path.split_once('/').unwrap_or_default();
            if ["schedule", "inbox"].contains(&folder)
                && let Some((at, id)) = name.split_once('-')
            {
                let at: u64 = at.parse().map_err(io::Error::other)?;
                let earlier = at.saturating_sub(time.as_secs());
                fs::rename(file, self.files.join(format!("{folder}/{earlier:012}-{id}")))?;
            } else if ["answers", "decisions", "received", "permits"].contains(&folder) && !body.is_empty() {
                let mut value: Value = serde_json::from_slice(&body)?;
                for (name, unit) in
                    [("at_ms", 1_000), ("lease_until", 1), ("retry_at", 1), ("expires_at", 1), ("since", 1)]
                {
                    if let Some(moment) = value[name].as_u64() {
                        value[name] = json!(moment.saturating_sub(time.as_secs() * unit));
                    }
                }
                fs::write(file, serde_json::to_vec_pretty(&value)?)?;
            }
        }
        Ok(())
    }

    /// Deletes every scheduled check, so that no later run follows up on the current
    /// decisions.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clear_schedule(&self) -> io::Result<()> {
        for folder in ["schedule", "inbox"].map(|folder| self.files.join(folder)) {
            if folder.is_dir() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }

    pub(super) fn ledger_dir(folder: &Path) -> PathBuf {
        folder.join("ledger")
    }
}

fn collect(folder: &Path, above: &str, objects: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), objects)?;
        } else {
            objects.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
