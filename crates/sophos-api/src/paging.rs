pub(crate) mod body;
mod page;

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{
    BoxFuture,
    client::ApiClient,
    error::Error,
    models::raw::{Raw, WithRaw},
    operation::Operation,
};

pub(crate) use body::LenientPage;
pub use body::MalformedItem;
pub use page::{CursorPage, ItemList, KeyedPage, KeyedPages, NumberedPage, NumberedPages};

/// An operation that returns one page of a listing.
///
/// ```
/// use serde::Serialize;
/// use serde_json::Value;
/// use sophos_api::{Error, NumberedPage, Operation, Paged, Raw, Route};
///
/// /// Lists roles.
/// #[derive(Debug, Clone, Serialize)]
/// struct ListRoles {
///     page: u64,
/// }
///
/// impl Operation for ListRoles {
///     type Response = NumberedPage<Value>;
///     const ROUTE: Route = Route::get("/common/v1/roles");
/// }
///
/// impl Paged for ListRoles {
///     type Item = Value;
///
///     fn next_page(&self, page: &NumberedPage<Value>) -> Result<Option<Self>, Error> {
///         Ok((!page.items.is_empty()).then(|| Self { page: self.page + 1 }))
///     }
///
///     fn items(page: NumberedPage<Value>) -> Vec<Raw<Value>> {
///         page.items
///     }
/// }
///
/// let page = serde_json::from_str(r#"{"items":[{"id":"1"}]}"#)?;
/// assert_eq!(ListRoles { page: 1 }.next_page(&page)?.map(|next| next.page), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Paged: Operation + Clone + 'static {
    /// The type of the items.
    type Item: DeserializeOwned + Send + 'static;

    /// The operation for the page after this one's; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when the page refers to itself.
    fn next_page(&self, page: &Self::Response) -> Result<Option<Self>, Error>;

    /// The items of a page that are not JSON. A listing without support for them
    /// fails with the whole page instead.
    fn malformed_items(_page: &Self::Response) -> &[MalformedItem] {
        &[]
    }

    /// The items of a page.
    fn items(page: Self::Response) -> Vec<Raw<Self::Item>>;
}

type FetchedPage<O> = (Option<O>, <O as Operation>::Response);
type PageFuture<O> = BoxFuture<'static, Result<FetchedPage<O>, Error>>;

/// Fetches a page, and derives the operation for the page after it.
fn fetch_page<C: ApiClient, O: Paged>(client: C, operation: O) -> PageFuture<O> {
    Box::pin(async move {
        let page = client.send(&operation).await?;
        Ok((operation.next_page(&page)?, page))
    })
}

/// A listing, page by page: a [`Stream`] that owns its client.
///
/// A page may be empty in the middle of a listing: the service applies filters after
/// it cuts the pages. The stream ends after an error; [`next`](Self::next) requests
/// the same page again.
///
/// ```
/// use sophos_api::{
///     ApiClient, CursorPage, Error, TenantClient, Transport, models::SiemEvent,
///     operations::siem::events::ListSiemEvents,
/// };
///
/// /// Reads a page, and returns it with the position from which to resume.
/// async fn read_page<T: Transport>(
///     tenant: &TenantClient<T>,
///     position: ListSiemEvents,
/// ) -> Result<Option<(CursorPage<SiemEvent>, Option<ListSiemEvents>)>, Error> {
///     let mut pages = tenant.pages(position);
///     let Some(page) = pages.next().await.transpose()? else { return Ok(None) };
///     Ok(Some((page, pages.position().cloned())))
/// }
/// ```
pub struct Pages<C, O: Paged> {
    client: C,
    next: Option<O>,
    pending: Option<PageFuture<O>>,
    failed: bool,
}

impl<C: ApiClient, O: Paged> Pages<C, O> {
    pub(crate) fn new(client: C, first: O) -> Self {
        Self { client, next: Some(first), pending: None, failed: false }
    }

    /// The next page, or `None` after the last. After an error, it requests the same
    /// page again. If the future is dropped, the next call continues its request.
    pub async fn next(&mut self) -> Option<Result<O::Response, Error>> {
        self.failed = false;
        poll_fn(|context| self.poll_page(context)).await
    }

    /// The operation for the next page, from which a listing can resume later.
    pub fn position(&self) -> Option<&O> {
        self.next.as_ref()
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<O::Response, Error>>> {
        let Some(operation) = &self.next else { return Poll::Ready(None) };
        let start = || fetch_page(self.client.clone(), operation.clone());
        let fetched = ready!(self.pending.get_or_insert_with(start).as_mut().poll(context));
        self.pending = None;
        Poll::Ready(Some(fetched.map(|(next, page)| {
            self.next = next;
            page
        })))
    }
}

impl<C: ApiClient, O: Paged> Unpin for Pages<C, O> {}

impl<C: ApiClient, O: Paged> Stream for Pages<C, O> {
    type Item = Result<O::Response, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let page = ready!(self.poll_page(context));
        self.failed = matches!(page, Some(Err(_)));
        Poll::Ready(page)
    }
}

impl<C, O: Paged> fmt::Debug for Pages<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("next", &self.next).finish_non_exhaustive()
    }
}

type BufferedItems<O> = VecDeque<Result<Raw<<O as Paged>::Item>, Error>>;

/// A listing, item by item: a [`Stream`] that owns its client, and fetches the next
/// page while the caller takes the items of the current one.
///
/// An unreadable item is an error in its place, and the listing continues. It ends
/// after a page that cannot be fetched.
///
/// ```
/// use futures_util::TryStreamExt;
/// use sophos_api::{ApiClient, Error, TenantClient, Transport, operations::common::admins::ListAdmins};
///
/// async fn admin_ids<T: Transport>(tenant: &TenantClient<T>) -> Result<Vec<String>, Error> {
///     let admins = tenant.items(ListAdmins::new().page_size(100));
///     admins.map_ok(|admin| admin.id.clone()).try_collect().await
/// }
/// ```
pub struct Items<C, O: Paged> {
    client: C,
    buffered: BufferedItems<O>,
    pending: Option<PageFuture<O>>,
    fetched: Option<Result<FetchedPage<O>, Error>>,
}

impl<C: ApiClient, O: Paged> Items<C, O> {
    pub(crate) fn new(client: C, first: O) -> Self {
        let pending = Some(fetch_page(client.clone(), first));
        Self { client, buffered: VecDeque::new(), pending, fetched: None }
    }
}

impl<C: ApiClient, O: Paged> Unpin for Items<C, O> {}

impl<C: ApiClient, O: Paged> Stream for Items<C, O> {
    type Item = Result<WithRaw<O::Item>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let pending = this.pending.as_mut().map(|page| page.as_mut().poll(context));
            if let Some(Poll::Ready(fetched)) = pending {
                this.pending = None;
                this.fetched = Some(fetched);
            }
            if let Some(item) = this.buffered.pop_front() {
                return Poll::Ready(Some(item.and_then(Raw::parse)));
            }
            match this.fetched.take() {
                Some(Ok((next, page))) => {
                    this.buffered = buffer_items::<O>(page);
                    this.pending = next.map(|next| fetch_page(this.client.clone(), next));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if this.pending.is_some() => return Poll::Pending,
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The items of a page, then an error for each that is not JSON.
fn buffer_items<O: Paged>(page: O::Response) -> BufferedItems<O> {
    let malformed: Vec<_> = O::malformed_items(&page).iter().map(|item| Err(item.error())).collect();
    O::items(page).into_iter().map(Ok).chain(malformed).collect()
}

impl<C, O: Paged> fmt::Debug for Items<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("buffered", &self.buffered.len()).finish_non_exhaustive()
    }
}
