//! `GET /siem/v1/alerts`

use bytes::Bytes;
use serde::Serialize;

use super::check_limit;
use crate::{
    CursorPage, Error, Operation, Paged, Raw, Route,
    models::SiemAlert,
    page_body::{MalformedItem, parse_page_lenient},
};

/// Reads a tenant's alerts of the last 24 hours, in the order in which the
/// service took them in.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ListSiemAlerts {
    /// Items a page, from 200 (also if not given) to 1,000.
    pub limit: Option<u32>,
    /// Where to go on: a `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
    /// Where to start without a cursor, in seconds since the Unix epoch, within
    /// the last 24 hours. Ignored with a cursor.
    pub from_date: Option<i64>,
}

impl Operation for ListSiemAlerts {
    type Response = CursorPage<SiemAlert>;
    const ROUTE: Route = Route::get("/siem/v1/alerts");

    fn validate(&self) -> Result<(), Error> {
        check_limit(self.limit)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<CursorPage<SiemAlert>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListSiemAlerts {
    type Item = SiemAlert;

    fn next_page(&self, answer: &CursorPage<SiemAlert>) -> Result<Option<Self>, Error> {
        let cursor = answer.next_page_cursor(self.cursor.as_deref())?;
        Ok(cursor.map(|cursor| Self { cursor: Some(cursor), from_date: None, ..self.clone() }))
    }

    fn malformed_items(answer: &CursorPage<SiemAlert>) -> &[MalformedItem] {
        &answer.malformed_items
    }

    fn items(answer: CursorPage<SiemAlert>) -> Vec<Raw<SiemAlert>> {
        answer.items
    }
}
