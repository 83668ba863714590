//! `GET /siem/v1/events`

use bytes::Bytes;
use serde::Serialize;

use super::{MAX_PAGE_SIZE, MIN_PAGE_SIZE};
use crate::{
    CursorPage, Error, Operation, Paged, Raw, Route,
    checks::{check_range, check_unix_seconds},
    models::SiemEvent,
    page_body::{MalformedItem, parse_page_lenient},
    operation_macro::listed,
    setters::with_setters,
};

with_setters! {
    /// Lists a tenant's events of the last 24 hours, in the order of ingestion.
    #[derive(Debug, Clone, Default, PartialEq, Serialize)]
    #[cfg_attr(feature = "catalog", derive(serde::Deserialize, schemars::JsonSchema))]
    #[cfg_attr(feature = "catalog", serde(default, deny_unknown_fields))]
    #[non_exhaustive]
    pub struct ListSiemEvents {
        /// Items per page, 200 to 1,000; 200 by default.
        pub limit: Option<u32>,
        /// The `next_cursor` of an earlier response.
        pub cursor: Option<String>,
        /// The start without a cursor, in seconds since the Unix epoch, within
        /// the last 24 hours. The service ignores it if there is a cursor.
        pub from_date: Option<i64>,
        /// The types of events to leave out.
        pub exclude_types: Vec<String>,
    }
}

impl ListSiemEvents {
    /// Lists from the earliest of the events.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operation for ListSiemEvents {
    type Response = CursorPage<SiemEvent>;
    const ROUTE: Route = Route::get("/siem/v1/events");

    fn validate(&self) -> Result<(), Error> {
        check_range("limit", self.limit, MIN_PAGE_SIZE..=MAX_PAGE_SIZE)?;
        check_unix_seconds("from_date", self.from_date)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<CursorPage<SiemEvent>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListSiemEvents {
    type Item = SiemEvent;

    fn next_page(&self, page: &CursorPage<SiemEvent>) -> Result<Option<Self>, Error> {
        let cursor = page.next_page_cursor(self.cursor.as_deref())?;
        Ok(cursor.map(|cursor| Self { cursor: Some(cursor), from_date: None, ..self.clone() }))
    }

    fn malformed_items(page: &CursorPage<SiemEvent>) -> &[MalformedItem] {
        &page.malformed_items
    }

    fn items(page: CursorPage<SiemEvent>) -> Vec<Raw<SiemEvent>> {
        page.items
    }
}

#[cfg(feature = "catalog")]
impl crate::catalog::Described for ListSiemEvents {
    const PAGING: crate::catalog::Paging = crate::catalog::Paging::Cursor;
}

#[cfg(test)]
impl crate::operation_macro::Sample for ListSiemEvents {
    fn sample() -> Self {
        use crate::operation_macro::Sample;

        Self {
            limit: Some(200),
            cursor: Sample::sample(),
            from_date: Some(1_790_000_000),
            exclude_types: Sample::sample(),
        }
    }
}

listed! {
    ListSiemEvents
}
