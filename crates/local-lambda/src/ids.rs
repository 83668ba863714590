//! Request and trace identifiers in Lambda's format.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Sixty-four bits that differ at each call and between processes.
fn random_u64() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    KEYS.hash_one((count, std::process::id(), SystemTime::now()))
}

/// A new request id: a version 4 UUID.
pub(crate) fn request_id() -> String {
    let (high, low) = (random_u64(), random_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

/// A new X-Ray trace header, not sampled.
pub(crate) fn trace_id() -> String {
    let seconds = since_epoch(SystemTime::now()).as_secs();
    format!(
        "Root=1-{seconds:08x}-{:08x}{:016x};Parent={:016x};Sampled=0",
        random_u64() >> 32,
        random_u64(),
        random_u64(),
    )
}

/// The part of a log stream's name that identifies the sandbox.
pub(crate) fn log_stream_name() -> String {
    format!("[$LATEST]{:016x}{:016x}", random_u64(), random_u64())
}

/// The time since the Unix epoch; zero for an earlier clock.
pub(crate) fn since_epoch(time: SystemTime) -> std::time::Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_id_returns_unique_uuids() {
        let ids: HashSet<_> = (0..10_000).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            let lengths: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn trace_id_returns_an_xray_trace_header() {
        let trace = trace_id();
        let root = trace.split(';').next().unwrap();
        let lengths: Vec<_> = root.split('-').map(str::len).collect();
        assert_eq!(lengths, ["Root=1".len(), 8, 24], "{trace}");
        assert!(trace.ends_with(";Sampled=0"), "{trace}");
    }
}
