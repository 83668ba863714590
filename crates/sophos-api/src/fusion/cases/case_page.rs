//! The pages of a listing of cases.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Raw,
    fusion::cases::{MAX_PAGE_SIZE, case_fields::Case},
    models::{
        lenient::{items, lenient, null_as_default},
        macros::model,
    },
    operation::checks::{check_positive, check_range},
};

/// The page of a listing of cases: by number, or by cursor.
///
/// A listing by cursor is stable while cases are created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum CasesPagination {
    /// A page by number.
    #[serde(rename = "offset")]
    Offset {
        /// The page's number, from 1.
        page: u32,
        /// The number of cases per page, up to [`MAX_PAGE_SIZE`].
        per_page: u32,
    },
    /// A page by cursor, towards the end.
    #[serde(rename = "cursor")]
    Forward {
        /// The number of cases, up to [`MAX_PAGE_SIZE`].
        first: u32,
        /// The cursor of the case before the page.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A page by cursor, towards the start.
    #[serde(rename = "cursor")]
    Backward {
        /// The number of cases, up to [`MAX_PAGE_SIZE`].
        last: u32,
        /// The cursor of the case after the page.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<String>,
    },
}

impl Default for CasesPagination {
    /// The first page of the largest size, by cursor.
    fn default() -> Self {
        Self::forward(MAX_PAGE_SIZE)
    }
}

impl CasesPagination {
    /// Page `page`, from 1.
    pub fn offset(page: u32, per_page: u32) -> Self {
        Self::Offset { page, per_page }
    }

    /// The first `first` cases.
    pub fn forward(first: u32) -> Self {
        Self::Forward { first, after: None }
    }

    /// The last `last` cases.
    pub fn backward(last: u32) -> Self {
        Self::Backward { last, before: None }
    }

    /// Sets the cursor, for a page by cursor.
    #[must_use]
    pub fn cursor(self, cursor: impl Into<String>) -> Self {
        match self {
            Self::Forward { first, .. } => Self::Forward { first, after: Some(cursor.into()) },
            Self::Backward { last, .. } => Self::Backward { last, before: Some(cursor.into()) },
            offset @ Self::Offset { .. } => offset,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Offset { page, per_page } => {
                check_positive("page", Some(*page))?;
                check_range("perPage", Some(*per_page), 1..=MAX_PAGE_SIZE)
            }
            Self::Forward { first, .. } => check_range("first", Some(*first), 1..=MAX_PAGE_SIZE),
            Self::Backward { last, .. } => check_range("last", Some(*last), 1..=MAX_PAGE_SIZE),
        }
    }

    /// The page after the one with this position; `None` at the end.
    pub(crate) fn next(&self, info: &CasePageInfo) -> Result<Option<Self>, Error> {
        let more = match self {
            Self::Backward { .. } => info.has_previous_page,
            _ => info.has_next_page,
        };
        if more != Some(true) {
            return Ok(None);
        }
        let (next, current) = match self {
            Self::Offset { page, per_page } => return Ok(Some(Self::offset(page + 1, *per_page))),
            Self::Forward { after, .. } => (&info.end_cursor, after),
            Self::Backward { before, .. } => (&info.start_cursor, before),
        };
        match next.as_deref().filter(|next| !next.is_empty()) {
            None => Err(Error::malformed("another page without its cursor")),
            // Requesting the same page forever would look like progress.
            next if next == current.as_deref() => Err(Error::malformed("the next page is this page")),
            Some(next) => Ok(Some(self.clone().cursor(next))),
        }
    }
}

/// A page of cases.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CasePage {
    /// The cases, not parsed yet.
    #[serde(deserialize_with = "items")]
    pub cases: Vec<Raw<Case>>,
    /// The number of cases in all pages.
    #[serde(default, deserialize_with = "lenient")]
    pub total_count: Option<u64>,
    /// The position of the page.
    #[serde(default, deserialize_with = "null_as_default")]
    pub page_info: CasePageInfo,
}

model! {
    /// The position of a page in a listing of cases.
    pub struct CasePageInfo {
        /// The cursor of the first case.
        start_cursor as id: String,
        /// The cursor of the last case.
        end_cursor as id: String,
        /// Whether there is a case after the page.
        has_next_page: bool,
        /// Whether there is a case before the page.
        has_previous_page: bool,
    }
}
