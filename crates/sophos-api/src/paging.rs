use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    client::ApiClient,
    error::{Error, ErrorKind},
    model::{items, lenient_id, model, null_as_default},
    operation::Operation,
    page_body::{LenientPage, MalformedItem},
    with_raw::{Raw, WithRaw},
};

/// An operation that answers a part of a listing, and leads to the next.
pub trait Paged: Operation + Clone {
    /// What is listed.
    type Item: DeserializeOwned + Send + 'static;

    /// The operation for the page after this one's answer; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when the answer leads nowhere new.
    fn next_page(&self, answer: &Self::Response) -> Result<Option<Self>, Error>;

    /// The items of an answer that are not JSON. Only listings of which an item
    /// may be left out have some; for others the whole answer is malformed.
    fn malformed_items(_answer: &Self::Response) -> &[MalformedItem] {
        &[]
    }

    /// The items of an answer.
    fn items(answer: Self::Response) -> Vec<Raw<Self::Item>>;
}

/// A listing, page by page.
///
/// A page may be empty in the middle of a listing: filters are applied after
/// the page is cut.
pub struct Pages<'c, C, O> {
    client: &'c C,
    next: Option<O>,
}

impl<'c, C: ApiClient, O: Paged> Pages<'c, C, O> {
    pub(crate) fn new(caller: &'c C, first: O) -> Self {
        Self { client: caller, next: Some(first) }
    }

    /// The next page, or `None` after the last. After an error, asks for the
    /// same page again.
    pub async fn next(&mut self) -> Option<Result<O::Response, Error>> {
        let operation = self.next.as_ref()?;
        let page = async {
            let answer = self.client.send(operation).await?;
            Ok((operation.next_page(&answer)?, answer))
        };
        match page.await {
            Ok((next, answer)) => {
                self.next = next;
                Some(Ok(answer))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// The operation for the next page: a place to go on from later.
    pub fn position(&self) -> Option<&O> {
        self.next.as_ref()
    }
}

impl<C, O: fmt::Debug> fmt::Debug for Pages<'_, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("next", &self.next).finish_non_exhaustive()
    }
}

type BufferedItems<O> = VecDeque<Result<Raw<<O as Paged>::Item>, Error>>;
type FetchResult<O> = Result<(Option<O>, BufferedItems<O>), Error>;
type PageFuture<'c, O> = Pin<Box<dyn Future<Output = FetchResult<O>> + Send + 'c>>;
type FetchPage<'c, O> = Box<dyn Fn(O) -> PageFuture<'c, O> + Send + 'c>;

/// A listing, item by item, one page ahead: while items are taken, the next
/// page is on its way.
///
/// An item that cannot be read is an error in its place, and the listing goes
/// on. A page that cannot be fetched is an error and the end.
pub struct Items<'c, O: Paged> {
    fetch_page: FetchPage<'c, O>,
    buffered: BufferedItems<O>,
    pending: Option<PageFuture<'c, O>>,
    fetched: Option<FetchResult<O>>,
}

impl<'c, O: Paged + 'static> Items<'c, O> {
    pub(crate) fn new<C: ApiClient>(caller: &'c C, first: O) -> Self {
        let start = move |operation: O| -> PageFuture<'c, O> {
            Box::pin(async move {
                let answer = caller.send(&operation).await?;
                let next = operation.next_page(&answer)?;
                let unreadable: Vec<_> =
                    O::malformed_items(&answer).iter().map(MalformedItem::error).collect();
                let items = O::items(answer).into_iter().map(Ok);
                Ok((next, items.chain(unreadable.into_iter().map(Err)).collect()))
            })
        };
        let fetch = Some(start(first));
        Self { fetch_page: Box::new(start), buffered: VecDeque::new(), pending: fetch, fetched: None }
    }
}

impl<O: Paged + 'static> Unpin for Items<'_, O> {}

impl<O: Paged + 'static> Stream for Items<'_, O> {
    type Item = Result<WithRaw<O::Item>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(Poll::Ready(page)) = this.pending.as_mut().map(|fetch| fetch.as_mut().poll(context)) {
                this.pending = None;
                this.fetched = Some(page);
            }
            if let Some(item) = this.buffered.pop_front() {
                return Poll::Ready(Some(item.and_then(Raw::parse)));
            }
            match this.fetched.take() {
                Some(Ok((next, items))) => {
                    this.buffered = items;
                    this.pending = next.map(|next| (this.fetch_page)(next));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if this.pending.is_some() => return Poll::Pending,
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<O: Paged> fmt::Debug for Items<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("buffered", &self.buffered.len()).finish_non_exhaustive()
    }
}

/// A page of a listing that is walked by page number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct NumberedPage<T> {
    /// The items, not read yet.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// Where this page is.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pages: NumberedPages,
}

model! {
    /// Where a page is in a listing that is walked by page number.
    pub struct NumberedPages {
        /// The page's number, from 1.
        current: u64,
        /// The requested size, or sometimes the number of items: no sign of
        /// the end.
        size: u64,
        /// The largest size that may be asked for.
        max_size: u64,
        /// The number of pages, when `pageTotal` was asked for.
        total: u64,
        /// The number of items in all pages, when `pageTotal` was asked for.
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

impl_lenient_page! { NumberedPage KeyedPage CursorPage }

impl<T> NumberedPage<T> {
    /// The number of the page after page `number`, or `None` at the end: by
    /// the total if it was given, else a page without items is the end.
    pub(crate) fn next_page_number(&self, number: u64) -> Option<u64> {
        let more = match self.pages.total {
            Some(total) => number < total,
            None => !self.items.is_empty(),
        };
        more.then_some(number + 1)
    }
}

/// A page of a listing that is walked by key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct KeyedPage<T> {
    /// The items, not read yet. May be empty in the middle of a listing.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// Where this page is.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pages: KeyedPages,
}

model! {
    /// Where a page is in a listing that is walked by key.
    pub struct KeyedPages {
        /// The key of this page.
        from_key as id: String,
        /// The key of the next page. The last page has none.
        next_key as id: String,
        /// The requested size, or sometimes the number of items: no sign of
        /// the end.
        size: u64,
        /// The largest size that may be asked for.
        max_size: u64,
        /// The number of pages, when `pageTotal` was asked for.
        total: u64,
        /// The number of items in all pages, when `pageTotal` was asked for.
        items: u64,
    }
}

impl<T> KeyedPage<T> {
    /// The key of the page after the one of `key`.
    pub(crate) fn next_page_key(&self, key: Option<&str>) -> Result<Option<String>, Error> {
        let next = self.pages.next_key.as_deref().filter(|next| !next.is_empty());
        check_progress(next, key)
    }
}

/// A page of the SIEM feed, which is walked by cursor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The items, not read yet.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<T>>,
    /// The items that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// Whether there is more already.
    #[serde(default, deserialize_with = "null_as_default")]
    pub has_more: bool,
    /// Where to go on. The last page has one too: it is where to resume later.
    #[serde(default, deserialize_with = "lenient_id")]
    pub next_cursor: Option<String>,
}

impl<T> CursorPage<T> {
    /// The cursor of the page after the one of `cursor`, if there is more now.
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
    // Asking for the same page for ever would look like progress.
    if next.is_some() && next == current {
        return Err(Error::new(ErrorKind::Malformed).with_message("the next page is this page"));
    }
    Ok(next.map(str::to_owned))
}
