//! The commits of the export.

use futures_util::{StreamExt, TryStreamExt, stream};
use sophos_export::{Commit, Dataset, StreamId};
use sophos_store::Store;

use crate::{
    batch::{CommitRange, Positions},
    error::Error,
};

/// The datasets whose rows the mapping knows.
pub(crate) const DATASETS: [Dataset; 4] =
    [Dataset::Alerts, Dataset::Endpoints, Dataset::Events, Dataset::Isolations];

/// The maximum number of commits of one stream in a batch.
const MAX_COMMITS_PER_STREAM: u64 = 64;

/// The number of streams that are looked at at once.
const MAX_CONCURRENT_STREAMS: usize = 8;

/// Loads a commit; `None` if it does not exist yet.
pub(crate) async fn load_commit(
    store: &Store,
    stream: &StreamId,
    sequence: u64,
) -> Result<Option<Commit>, Error> {
    Commit::load(store, stream, sequence).await.map_err(|error| match error {
        sophos_export::Error::Store(error) => Error::Store(error),
        sophos_export::Error::InvalidLogRecord { path, reason } => Error::InvalidRecord { path, reason },
        error => Error::InvalidRecord { path: stream.log_folder(), reason: error.to_string() },
    })
}

/// New commits of one stream.
struct NewCommits {
    range: CommitRange,
    rows: u64,
    is_complete: bool,
}

/// Finds the commits after these positions, up to about `max_rows` rows and at least one
/// commit. Returns them, and whether there are more.
pub(crate) async fn find_new(
    store: &Store,
    positions: &Positions,
    max_rows: u64,
) -> Result<(Vec<CommitRange>, bool), Error> {
    let mut streams = Vec::new();
    for dataset in DATASETS {
        let tenants = store.list_folders(&format!("_log/{dataset}")).await?;
        // Other folders are not of an export.
        streams.extend(tenants.iter().filter_map(|tenant| StreamId::new(dataset, tenant).ok()));
    }
    let find = |stream: StreamId| {
        let position = positions.of(&stream);
        async move { find_of_stream(store, stream, position, max_rows).await }
    };
    let mut found = stream::iter(streams).map(find).buffered(MAX_CONCURRENT_STREAMS);
    let (mut ranges, mut rows, mut has_more) = (Vec::new(), 0, false);
    while let Some(new) = found.try_next().await? {
        let Some(new) = new else { continue };
        if rows >= max_rows {
            has_more = true;
            break;
        }
        rows += new.rows;
        has_more |= !new.is_complete;
        ranges.push(new.range);
    }
    Ok((ranges, has_more))
}

async fn find_of_stream(
    store: &Store,
    stream: StreamId,
    position: u64,
    max_rows: u64,
) -> Result<Option<NewCommits>, Error> {
    let (mut last, mut rows) = (position, 0);
    let mut is_complete = false;
    while last - position < MAX_COMMITS_PER_STREAM && rows < max_rows {
        let Some(commit) = load_commit(store, &stream, last + 1).await? else {
            is_complete = true;
            break;
        };
        (last, rows) = (commit.sequence, rows + commit.rows);
    }
    let range = CommitRange { dataset: stream.dataset, tenant: stream.tenant, first: position + 1, last };
    Ok((last > position).then_some(NewCommits { range, rows, is_complete }))
}
