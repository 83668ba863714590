//! The committed rows of an export, read from its log alone.

use std::{collections::BTreeSet, fs, io::Read, path::Path};

use flate2::read::GzDecoder;
use serde_json::Value;
use sophos_simulator::Dataset;

use super::TestEnv;

/// The ids of the rows of a stream. A row that is there twice fails the test.
pub(crate) fn ids(folder: &Path, dataset: &str, tenant: &str) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for record in log(folder, dataset, tenant) {
        for object in record["objects"].as_array().expect("objects") {
            let path = folder.join(object["path"].as_str().expect("a path"));
            if path.extension().is_some_and(|extension| extension == "parquet") {
                let body = fs::read(&path).expect("an object");
                for row in sophos_export::read_rows(&path.to_string_lossy(), body.into()).expect("rows") {
                    let row = row.expect("a row");
                    let key = (row.id, row.revision.to_string());
                    assert!(rows.insert(key.clone()), "{} is there twice", key.0);
                }
                continue;
            }
            let mut text = String::new();
            GzDecoder::new(fs::File::open(path).expect("an object")).read_to_string(&mut text).expect("gzip");
            for line in text.lines() {
                let row: Value = serde_json::from_str(line).expect("a row");
                let (id, revision) = (row["id"].as_str().expect("an id").to_owned(), row["revision"].clone());
                assert!(rows.insert((id.clone(), revision.to_string())), "{id} is there twice");
            }
        }
    }
    rows.into_iter().map(|(id, _)| id).collect()
}

/// The log records of a stream, in order.
pub(crate) fn log(folder: &Path, dataset: &str, tenant: &str) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(folder.join(format!("_log/{dataset}/{tenant}"))) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .iter()
        .map(|path| serde_json::from_slice(&fs::read(path).expect("a record")).expect("JSON"))
        .collect()
}

/// Checks that the rows of every tenant are exactly what the simulator served.
pub(crate) fn assert_equals_served(env: &TestEnv, folder: &Path) {
    let mut total = 0;
    for tenant in env.simulator.tenants() {
        for dataset in [Dataset::Events, Dataset::Alerts] {
            let mut served: BTreeSet<_> = env.simulator.served(dataset, &tenant.id).into_iter().collect();
            if dataset == Dataset::Alerts {
                served.extend(env.simulator.served(Dataset::CommonAlerts, &tenant.id));
            }
            let ids = ids(folder, dataset.as_str(), &tenant.id);
            assert!(
                ids == served,
                "{} of {}: {} rows, {} served",
                dataset.as_str(),
                tenant.id,
                ids.len(),
                served.len()
            );
            total += served.len();
        }
    }
    assert!(total > 0, "the simulator served nothing");
}
