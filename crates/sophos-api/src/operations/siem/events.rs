//! `GET /siem/v1/events`

use bytes::Bytes;
use serde::Serialize;

use super::check_limit;
use crate::{
    CursorPage, Error, Operation, Paged, Raw, Route,
    models::SiemEvent,
    page_body::{MalformedItem, parse_page_lenient},
};

/// Reads a tenant's events of the last 24 hours, in the order in which the
/// service took them in.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ListSiemEvents {
    /// Items a page, from 200 (also if not given) to 1,000.
    pub limit: Option<u32>,
    /// Where to go on: a `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
    /// Where to start without a cursor, in seconds since the Unix epoch, within
    /// the last 24 hours. Ignored with a cursor.
    pub from_date: Option<i64>,
    /// Types of events to leave out.
    pub exclude_types: Vec<String>,
}

impl Operation for ListSiemEvents {
    type Response = CursorPage<SiemEvent>;
    const ROUTE: Route = Route::get("/siem/v1/events");

    fn validate(&self) -> Result<(), Error> {
        check_limit(self.limit)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<CursorPage<SiemEvent>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListSiemEvents {
    type Item = SiemEvent;

    fn next_page(&self, answer: &CursorPage<SiemEvent>) -> Result<Option<Self>, Error> {
        let cursor = answer.next_page_cursor(self.cursor.as_deref())?;
        Ok(cursor.map(|cursor| Self { cursor: Some(cursor), from_date: None, ..self.clone() }))
    }

    fn malformed_items(answer: &CursorPage<SiemEvent>) -> &[MalformedItem] {
        &answer.malformed_items
    }

    fn items(answer: CursorPage<SiemEvent>) -> Vec<Raw<SiemEvent>> {
        answer.items
    }
}
