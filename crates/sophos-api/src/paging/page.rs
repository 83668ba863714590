//! The pages of listings.

use bytestring::ByteString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{
    error::{Error, ErrorKind},
    models::{
        lenient::{items, lenient_id, null_as_default, raw_items},
        macros::model,
        raw::{Raw, RawText},
    },
    paging::{LenientPage, MalformedItem},
};

/// The whole of a listing without pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(
    feature = "catalog",
    derive(schemars::JsonSchema),
    schemars(rename = "{T}ItemList", bound = "T: schemars::JsonSchema")
)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct ItemList<T> {
    /// The items, not parsed yet.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
}

/// A page of a listing by page number.
///
/// ```
/// use sophos_api::{NumberedPage, models::Tenant};
///
/// let json = r#"{"items":[{"id":"1"}],"pages":{"current":1,"size":100,"total":3}}"#;
/// let page: NumberedPage<Tenant> = serde_json::from_str(json)?;
/// assert_eq!((page.items.len(), page.pages.total), (1, Some(3)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(
    feature = "catalog",
    derive(schemars::JsonSchema),
    schemars(rename = "{T}NumberedPage", bound = "T: schemars::JsonSchema")
)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct NumberedPage<T> {
    /// The items, not parsed yet.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// The position of this page.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pages: NumberedPages,
}

model! {
    /// The position of a page in a listing by page number.
    pub struct NumberedPages {
        /// The page's number, from 1.
        current: u64,
        /// The requested size, or sometimes the number of items. It does not tell
        /// the last page.
        size: u64,
        /// The largest size that may be requested.
        max_size: u64,
        /// The number of pages, if `pageTotal` was requested.
        total: u64,
        /// The number of items in all pages, if `pageTotal` was requested.
        items: u64,
    }
}

macro_rules! impl_lenient_page {
    ($($page:ident)+) => {$(
        impl<T> LenientPage for $page<T> {
            fn set_malformed_items(&mut self, malformed_items: Vec<MalformedItem>) {
                self.malformed_items = malformed_items;
            }
        }
    )+};
}

impl_lenient_page! { ItemList NumberedPage KeyedPage }

impl<T> NumberedPage<T> {
    /// The number of the page after page `number`, or `None` at the end. Without a
    /// total, a page without items is the end.
    pub(crate) fn next_page_number(&self, number: u64) -> Option<u64> {
        let more = match self.pages.total {
            Some(total) => number < total,
            None => !self.items.is_empty(),
        };
        more.then_some(number + 1)
    }
}

/// A page of a listing by key.
///
/// ```
/// use sophos_api::{KeyedPage, Paged, models::Endpoint, operations::endpoint::endpoints::ListEndpoints};
///
/// let json = r#"{"items":[],"pages":{"nextKey":"k2","size":50,"maxSize":500}}"#;
/// let page: KeyedPage<Endpoint> = serde_json::from_str(json)?;
/// assert_eq!(page.pages.next_key.as_deref(), Some("k2"));
/// // A page without items is not the last one.
/// assert!(ListEndpoints::new().next_page(&page)?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(
    feature = "catalog",
    derive(schemars::JsonSchema),
    schemars(rename = "{T}KeyedPage", bound = "T: schemars::JsonSchema")
)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct KeyedPage<T> {
    /// The items, not parsed yet. May be empty in the middle of a listing.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// The position of this page.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pages: KeyedPages,
}

model! {
    /// The position of a page in a listing by key.
    pub struct KeyedPages {
        /// The key of this page.
        from_key as id: String,
        /// The key of the next page. The last page has none.
        next_key as id: String,
        /// The requested size, or sometimes the number of items. It does not tell
        /// the last page.
        size: u64,
        /// The largest size that may be requested.
        max_size: u64,
        /// The number of pages, if `pageTotal` was requested.
        total: u64,
        /// The number of items in all pages, if `pageTotal` was requested.
        items: u64,
    }
}

impl<T> KeyedPage<T> {
    /// The key of the page after the page of `key`.
    pub(crate) fn next_page_key(&self, key: Option<&str>) -> Result<Option<String>, Error> {
        self.pages.next_page_key(key)
    }
}

impl KeyedPages {
    /// The key of the page after the page of `key`.
    pub(crate) fn next_page_key(&self, key: Option<&str>) -> Result<Option<String>, Error> {
        check_progress(self.next_key.as_deref().filter(|next| !next.is_empty()), key)
    }
}

/// A page of the SIEM feed, a listing by cursor.
///
/// ```
/// use sophos_api::{CursorPage, models::SiemEvent};
///
/// let json = r#"{"items":[{"id":"1"}],"has_more":false,"next_cursor":"c2"}"#;
/// let page: CursorPage<SiemEvent> = serde_json::from_str(json)?;
/// // Store the cursor: a later request continues from it.
/// assert_eq!((page.has_more, page.next_cursor.as_deref()), (false, Some("c2")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(
    feature = "catalog",
    derive(schemars::JsonSchema),
    schemars(rename = "{T}CursorPage", bound = "T: schemars::JsonSchema")
)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The items, not parsed yet. Each keeps the body of its page in memory.
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// Whether there are more items now.
    #[cfg_attr(feature = "catalog", schemars(default))]
    pub has_more: bool,
    /// The cursor of the next page. The last page has one too, to resume from later.
    #[cfg_attr(feature = "catalog", schemars(default))]
    pub next_cursor: Option<String>,
}

/// A page of the SIEM feed with items that own their text or borrow it. A feed has
/// thousands of pages, and a copy of each item costs a tenth of reading them.
#[derive(Deserialize)]
#[serde(bound(deserialize = "I: Deserialize<'de>"))]
struct CursorBody<I> {
    #[serde(deserialize_with = "raw_items")]
    items: Vec<I>,
    #[serde(default, deserialize_with = "null_as_default")]
    has_more: bool,
    #[serde(default, deserialize_with = "lenient_id")]
    next_cursor: Option<String>,
}

impl<I> CursorBody<I> {
    fn into_page<T>(self, to_text: impl Fn(I) -> RawText) -> CursorPage<T> {
        CursorPage {
            items: self.items.into_iter().map(|item| Raw::new(to_text(item))).collect(),
            malformed_items: Vec::new(),
            has_more: self.has_more,
            next_cursor: self.next_cursor,
        }
    }
}

impl<'de, T> Deserialize<'de> for CursorPage<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CursorBody::<Box<RawValue>>::deserialize(deserializer).map(|body| body.into_page(RawText::from))
    }
}

impl<T> LenientPage for CursorPage<T> {
    fn from_body(body: ByteString) -> serde_json::Result<Self> {
        let page: CursorBody<&RawValue> = serde_json::from_str(&body)?;
        Ok(page.into_page(|item| RawText::within(&body, item)))
    }

    fn set_malformed_items(&mut self, malformed_items: Vec<MalformedItem>) {
        self.malformed_items = malformed_items;
    }
}

#[cfg(feature = "siem")]
impl<T> CursorPage<T> {
    /// The cursor of the page after the page of `cursor`, if there are more items now.
    pub(crate) fn next_page_cursor(&self, cursor: Option<&str>) -> Result<Option<String>, Error> {
        if !self.has_more {
            return Ok(None);
        }
        let next = self.next_cursor.as_deref().filter(|next| !next.is_empty());
        match check_progress(next, cursor)? {
            Some(next) => Ok(Some(next)),
            None => Err(Error::new(ErrorKind::Malformed).with_message("has_more without a next_cursor")),
        }
    }
}

fn check_progress(next: Option<&str>, current: Option<&str>) -> Result<Option<String>, Error> {
    // Requesting the same page forever would look like progress.
    if next.is_some() && next == current {
        return Err(Error::new(ErrorKind::Malformed).with_message("the next page is this page"));
    }
    Ok(next.map(str::to_owned))
}
