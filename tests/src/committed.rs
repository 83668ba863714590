use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt, fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A dataset and a tenant.
pub type StreamKey = (String, String);

/// The committed rows of an export.
///
/// It reads the log first, then the objects that the log names, and shares no code with the
/// writer.
#[derive(Debug, Default)]
pub struct CommittedExport {
    rows: HashMap<StreamKey, HashMap<String, u32>>,
    records: BTreeMap<StreamKey, Vec<Value>>,
    objects: u64,
    bytes: u64,
    backfilled: u64,
    defects: Vec<Defect>,
}

/// A defect of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect(String);

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CommittedExport {
    /// Loads the export in this folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn load(root: &Path) -> io::Result<Self> {
        let mut this = Self::default();
        let mut named = BTreeSet::new();
        let files = list_files(root)?;
        for path in files.iter().filter(|path| is_log_record(path)) {
            let record: Value = serde_json::from_slice(&fs::read(root.join(path))?)?;
            this.load_record(root, path, record, &mut named)?;
        }
        this.check_order();
        // An object without a log record is garbage that the export should have
        // collected.
        for path in files.iter().filter(|path| !is_log_record(path) && !is_auxiliary(path)) {
            if !named.contains(path) {
                this.defect(format!("no log record names {path}"));
            }
        }
        Ok(this)
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows.values().flat_map(HashMap::values).map(|count| u64::from(*count)).sum()
    }

    /// The number of rows of one dataset.
    pub fn rows_of(&self, dataset: &str) -> u64 {
        let streams = self.rows.iter().filter(|((name, _), _)| name == dataset);
        streams.flat_map(|(_, rows)| rows.values()).map(|count| u64::from(*count)).sum()
    }

    /// The number of rows from the Common API.
    pub fn backfilled(&self) -> u64 {
        self.backfilled
    }

    /// The number of objects.
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// The size of all objects, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The log of a stream, in order.
    pub fn log(&self, dataset: &str, tenant: &str) -> &[Value] {
        self.records.get(&(dataset.into(), tenant.into())).map(Vec::as_slice).unwrap_or_default()
    }

    /// The defects of the export by itself.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The differences from these ids, which should all be present exactly once.
    pub fn compare(&self, dataset: &str, tenant: &str, ids: &[String]) -> Vec<Defect> {
        let mut defects = self.missing(dataset, tenant, ids);
        let wanted: HashSet<&String> = ids.iter().collect();
        for (id, count) in self.rows.get(&(dataset.into(), tenant.into())).into_iter().flatten() {
            if *count > 1 {
                defects.push(Defect(format!("{dataset} of {tenant}: {id} occurs {count} times")));
            }
            if !wanted.contains(id) {
                defects.push(Defect(format!("{dataset} of {tenant}: {id} was never served")));
            }
        }
        defects
    }

    /// The ids that are missing.
    pub fn missing(&self, dataset: &str, tenant: &str, ids: &[String]) -> Vec<Defect> {
        let rows = self.rows.get(&(dataset.into(), tenant.into()));
        ids.iter()
            .filter(|id| rows.is_none_or(|rows| !rows.contains_key(*id)))
            .map(|id| Defect(format!("{dataset} of {tenant}: {id} is missing")))
            .collect()
    }

    fn load_record(
        &mut self,
        root: &Path,
        path: &str,
        record: Value,
        named: &mut BTreeSet<String>,
    ) -> io::Result<()> {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let key = (text("dataset"), text("tenant"));
        if path != format!("_log/{}/{}/{:012}.json", key.0, key.1, record["sequence"].as_u64().unwrap_or(0)) {
            self.defect(format!("{path} has the number of another record"));
        }
        let mut rows = 0;
        for object in record["objects"].as_array().into_iter().flatten() {
            let object_path = object["path"].as_str().unwrap_or_default();
            if !named.insert(object_path.to_owned()) {
                self.defect(format!("the log names {object_path} twice"));
            }
            rows += self.load_object(root, object, &key)?;
        }
        for object in record["quarantine_objects"].as_array().into_iter().flatten() {
            named.insert(object["path"].as_str().unwrap_or_default().to_owned());
        }
        if record["rows"].as_u64() != Some(rows) {
            self.defect(format!("{path} names {} rows, the objects have {rows}", record["rows"]));
        }
        self.records.entry(key).or_default().push(record);
        Ok(())
    }

    fn load_object(&mut self, root: &Path, object: &Value, key: &StreamKey) -> io::Result<u64> {
        let path = object["path"].as_str().unwrap_or_default();
        let Ok(body) = fs::read(root.join(path)) else {
            self.defect(format!("the log names the missing object {path}"));
            return Ok(0);
        };
        let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        if object["sha256"] != digest.as_str() || object["bytes"] != body.len() {
            self.defect(format!("{path} differs from the committed object"));
        }
        self.objects += 1;
        self.bytes += body.len() as u64;
        let rows = if path.ends_with(".parquet") {
            parquet_rows(body)?
        } else if path.ends_with(".zst") {
            json_lines(BufReader::new(zstd::Decoder::with_buffer(body.as_slice())?))?
        } else {
            json_lines(BufReader::new(MultiGzDecoder::new(body.as_slice())))?
        };
        if object["rows"] != rows.len() {
            self.defect(format!("{path} has {} rows, not {}", rows.len(), object["rows"]));
        }
        rows.iter().for_each(|row| self.check_row(path, row, key));
        Ok(rows.len() as u64)
    }

    fn check_row(&mut self, path: &str, row: &Value, (dataset, tenant): &StreamKey) {
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        let from_feed = row["source"] == format!("siem/v1/{dataset}");
        let record = row["record"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let record = record.unwrap_or_default();
        let owner = if from_feed { &record["customer_id"] } else { &record["tenant"]["id"] };
        // Records of other datasets name no tenant, and some have no id of their own.
        let names_its_tenant = from_feed || dataset == "alerts";
        if names_its_tenant && (record["id"] != id.as_str() || owner != tenant.as_str()) {
            self.defect(format!("{path}: row {id} has the record of another id"));
        }
        // The second day covers endpoints with a wrong clock.
        let mut days =
            [&row["time"], &row["created_at"]].into_iter().filter_map(|time| time.as_str()?.get(..10));
        if !days.any(|day| path.starts_with(&format!("{dataset}/tenant_id={tenant}/day={day}/"))) {
            self.defect(format!("{path}: row {id} of {} is in the wrong partition", row["time"]));
        }
        self.backfilled += u64::from(names_its_tenant && !from_feed);
        *self.rows.entry((dataset.clone(), tenant.clone())).or_default().entry(id).or_default() += 1;
    }

    fn check_order(&mut self) {
        let mut broken = Vec::new();
        for ((dataset, tenant), records) in &mut self.records {
            records.sort_by_key(|record| record["sequence"].as_u64());
            let mut before = &Value::Null;
            for (index, record) in records.iter().enumerate() {
                let number = index as u64 + 1;
                if record["sequence"] != number || record["checkpoint_before"] != *before {
                    broken.push(format!("the log of {dataset} of {tenant} has a gap at {number}"));
                }
                before = &record["checkpoint_after"];
            }
        }
        broken.into_iter().for_each(|what| self.defect(what));
    }

    fn defect(&mut self, what: String) {
        self.defects.push(Defect(what));
    }
}

fn json_lines(text: impl BufRead) -> io::Result<Vec<Value>> {
    text.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// The rows of an object in Parquet: its texts, and its times as text.
fn parquet_rows(body: Vec<u8>) -> io::Result<Vec<Value>> {
    let file = SerializedFileReader::new(Bytes::from(body)).map_err(io::Error::other)?;
    let rows = file.get_row_iter(None).map_err(io::Error::other)?;
    let rows = rows.map(|row| {
        let mut members = Map::new();
        for (name, field) in row.map_err(io::Error::other)?.get_column_iter() {
            let value = match field {
                Field::Str(text) => text.as_str().into(),
                Field::TimestampMillis(ms) => {
                    Timestamp::from_millisecond(*ms).map_err(io::Error::other)?.to_string().into()
                }
                _ => Value::Null,
            };
            members.insert(name.clone(), value);
        }
        Ok(Value::Object(members))
    });
    rows.collect()
}

/// Whether a file is not part of the export: hints, plans, leases of the rate limit.
fn is_auxiliary(path: &str) -> bool {
    // A partial file of a killed process is no object: listings of the store ignore such
    // names.
    let half = path.rsplit_once('#').is_some_and(|(_, end)| end.bytes().all(|byte| byte.is_ascii_digit()));
    half || path.ends_with("/_from")
        || path.starts_with("_lake/")
        || path.starts_with("_plan/")
        || path.starts_with("_rate_limit/")
        || path.starts_with("_probe/")
}

fn is_log_record(path: &str) -> bool {
    path.starts_with("_log/") && path.ends_with(".json")
}

/// All files under `root`, as relative paths.
fn list_files(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
