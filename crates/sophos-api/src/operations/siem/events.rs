//! `GET /siem/v1/events`

use super::{MAX_PAGE_SIZE, MIN_PAGE_SIZE};
use crate::{
    CursorPage, Error,
    models::SiemEvent,
    operation::{
        checks::check_unix_seconds,
        macros::{listed, operation},
    },
};

operation! {
    /// Lists a tenant's events of the last 24 hours, in the order of ingestion.
    pub struct ListSiemEvents = GET "/siem/v1/events" (tenant) -> CursorPage<SiemEvent> {
        /// Items per page, 200 to 1,000; 200 by default.
        limit: u32,
        /// The `next_cursor` of an earlier response.
        cursor: String,
        /// The start without a cursor, in seconds since the Unix epoch, within
        /// the last 24 hours. The service ignores it if there is a cursor.
        from_date ("from_date"): i64,
        /// The types of events to leave out.
        exclude_types ("exclude_types"): [String],
    }
    where { limit: MIN_PAGE_SIZE as i64..=MAX_PAGE_SIZE as i64, ..Self::check }
}

impl ListSiemEvents {
    fn check(&self) -> Result<(), Error> {
        check_unix_seconds("from_date", self.from_date)
    }
}

listed! {
    ListSiemEvents
}
