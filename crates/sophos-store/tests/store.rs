//! Objects in a folder, and in a store with unordered listings.

use std::sync::{Arc, Barrier};

use object_store::memory::InMemory;
use sophos_store::{Store, StoreError};
use tempfile::TempDir;

fn temp_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("made/on demand").to_str().expect("a path")).expect("a store");
    (folder, store)
}

async fn with_objects(store: Store, paths: &[&str]) -> Store {
    for path in paths {
        assert!(store.create(path, path.as_bytes().to_vec()).await.expect("created"), "{path}");
    }
    store
}

#[tokio::test]
async fn create_keeps_and_write_replaces_an_object() {
    let (_folder, store) = temp_store();
    assert_eq!(store.read("a/b/c.json").await.expect("a response"), None);
    assert!(store.create("a/b/c.json", b"one".to_vec()).await.expect("created"));
    assert!(!store.create("a/b/c.json", b"two".to_vec()).await.expect("a response"));
    assert_eq!(store.read("a/b/c.json").await.expect("read").as_deref(), Some(b"one".as_slice()));
    store.write("a/b/c.json", b"three".to_vec()).await.expect("written");
    assert_eq!(store.read("a/b/c.json").await.expect("read").as_deref(), Some(b"three".as_slice()));
    for _ in 0..2 {
        store.delete("a/b/c.json").await.expect("gone");
    }
    assert_eq!(store.read("a/b/c.json").await.expect("a response"), None);
    assert!(store.create("a/b/c.json", b"again".to_vec()).await.expect("created"));
}

#[tokio::test]
async fn list_names_returns_direct_children_in_order() {
    let paths = [
        "log/b",
        "log/a",
        "log/c.json",
        "log/B",
        "log/10",
        "log/9",
        "log/a-b",
        "log/below/1",
        "log/b/2",
        "logs/other",
        "log2",
        "top",
    ];
    // A file system has no folder with the name of a file.
    let on_disk: Vec<_> = paths.iter().copied().filter(|path| *path != "log/b/2").collect();
    let (_folder, local) = temp_store();
    let stores = [
        with_objects(local, &on_disk).await,
        with_objects(Store::from_object_store(Arc::new(InMemory::new())), &paths).await,
    ];
    let all = ["10", "9", "B", "a", "a-b", "b", "c.json"];
    for store in stores {
        let after = async |after: &str| store.list_names("log", after).await.expect("a listing");
        assert_eq!(after("").await, all);
        assert_eq!(after("a").await, all[4..], "the named one is left out");
        assert_eq!(after("aa").await, all[5..], "one that is not there has a place all the same");
        assert_eq!(after("z").await, [""; 0]);
        assert_eq!(store.list_names("", "").await.expect("a listing"), ["log2", "top"]);
        assert_eq!(store.list_names("nothing", "").await.expect("a listing"), [""; 0]);
        for limit in 0..9 {
            let first = store.list_names_with_limit("log", "", limit).await.expect("a listing");
            assert_eq!(first, all[..limit.min(7)], "limit {limit}");
            let next = store.list_names_with_limit("log", "a", limit).await.expect("a listing");
            assert_eq!(next, all[4..7.min(4 + limit)], "limit {limit} after a");
        }
    }
}

#[tokio::test]
async fn paths_outside_the_store_are_rejected() {
    let (folder, store) = temp_store();
    for path in ["../outside", "a/../../outside", "a//b", "./a"] {
        assert!(matches!(store.create(path, Vec::new()).await, Err(StoreError::Backend(_))), "{path}");
        assert!(store.read(path).await.is_err(), "{path}");
        assert!(store.list_names(path, "").await.is_err(), "{path}");
    }
    assert!(store.list_names("a", "../b").await.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "only the store's own");
}

#[test]
fn open_rejects_an_invalid_location() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let file = file.path().to_str().expect("a path");
    for location in ["", "s3://", "s3:///prefix", "s3://bucket/a//b", "ftp://host/x", "file://", file] {
        let error = Store::open(location).expect_err(location);
        assert!(matches!(&error, StoreError::InvalidLocation { url, .. } if url == location), "{error:?}");
        assert!(error.to_string().starts_with(&format!("object store {location}: ")), "{error}");
    }
}

#[test]
fn store_location_is_displayed() {
    let (folder, store) = temp_store();
    let place = folder.path().join("made/on demand");
    assert_eq!(store.location(), place.to_str().expect("a path"));
    let by_url = Store::open(&format!("file://{}", place.display())).expect("the same");
    assert_eq!(by_url.location(), store.location());
    assert_eq!(format!("{store:?}"), format!("Store({:?})", store.location()));
    assert_eq!(Store::from_object_store(Arc::new(InMemory::new())).location(), "InMemory");
}

#[test]
fn create_succeeds_for_exactly_one_of_many() {
    let (_folder, store) = temp_store();
    let start = Barrier::new(16);
    for round in 0..20 {
        let path = format!("race/{round:03}");
        let winners: Vec<u8> = std::thread::scope(|threads| {
            let racers: Vec<_> = (0..16u8)
                .map(|racer| {
                    let (store, start, path) = (&store, &start, &path);
                    threads.spawn(move || {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                        start.wait();
                        let won =
                            runtime.block_on(store.create(path, vec![racer; 1000])).expect("a response");
                        won.then_some(racer)
                    })
                })
                .collect();
            racers.into_iter().filter_map(|racer| racer.join().expect("a racer")).collect()
        });
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let body = runtime.block_on(store.read(&path)).expect("read").expect("there");
        assert_eq!(body, vec![winners[0]; 1000]);
    }
}

#[tokio::test]
async fn listings_show_folders_and_sizes() {
    let paths = ["log/tenant=1/a", "log/tenant=1/below/b", "log/tenant=2/c", "log/top", "other/d"];
    let (_folder, local) = temp_store();
    let stores = [
        with_objects(local, &paths).await,
        with_objects(Store::from_object_store(Arc::new(InMemory::new())), &paths).await,
    ];
    for store in stores {
        assert_eq!(store.list_folders("log").await.expect("a listing"), ["tenant=1", "tenant=2"]);
        assert_eq!(store.list_folders("missing").await.expect("a listing"), [""; 0]);
        let objects = store.list_objects("log/tenant=1").await.expect("a listing");
        let objects: Vec<_> = objects.iter().map(|object| (object.path.as_str(), object.bytes)).collect();
        assert_eq!(objects, [("log/tenant=1/a", 14), ("log/tenant=1/below/b", 20)]);
    }
}
