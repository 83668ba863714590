//! The macros of a listing: its pages, and the parsing of them.

/// Parses a page, item by item unless it is `strict`.
macro_rules! parse_page {
    (NumberedPage <$item:ty>) => {
        $crate::operation::macros::page::parse_page! { @lenient }
    };
    (KeyedPage <$item:ty>) => {
        $crate::operation::macros::page::parse_page! { @lenient }
    };
    (CursorPage <$item:ty>) => {
        $crate::operation::macros::page::parse_page! { @lenient }
    };
    (ItemList <$item:ty>) => {
        $crate::operation::macros::page::parse_page! { @lenient }
    };
    ($page:ident <$item:ty> strict) => {
        fn parse_response(
            response: &::http::Response<::bytes::Bytes>,
        ) -> Result<Self::Response, $crate::Error> {
            $crate::paging::body::parse_page(response, |body| ::serde_json::from_str(&body))
        }
    };
    (QueryResults) => {
        $crate::operation::macros::page::parse_page! { @lenient }
    };
    (@lenient) => {
        fn parse_response(
            response: &::http::Response<::bytes::Bytes>,
        ) -> Result<Self::Response, $crate::Error> {
            $crate::paging::body::parse_page_lenient(response)
        }
    };
    ($($other:tt)*) => {};
}

/// Lists page by page.
macro_rules! paged {
    ($name:ident NumberedPage <$item:ty>) => {
        impl $crate::Paged for $name {
            type Item = $item;

            fn next_page(&self, page: &NumberedPage<$item>) -> Result<Option<Self>, $crate::Error> {
                let next = page.next_page_number(self.page.unwrap_or(1));
                Ok(next.map(|page| Self { page: Some(page), ..self.clone() }))
            }

            $crate::operation::macros::page::paged! { @items NumberedPage <$item> }
        }
    };
    ($name:ident KeyedPage <$item:ty>) => {
        impl $crate::Paged for $name {
            type Item = $item;

            fn next_page(&self, page: &KeyedPage<$item>) -> Result<Option<Self>, $crate::Error> {
                let next = page.next_page_key(self.page_from_key.as_deref())?;
                Ok(next.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
            }

            $crate::operation::macros::page::paged! { @items KeyedPage <$item> }
        }
    };
    ($name:ident QueryResults) => {
        impl $crate::Paged for $name {
            type Item = QueryRow;

            fn next_page(&self, page: &QueryResults) -> Result<Option<Self>, $crate::Error> {
                let next = page.pages.next_page_key(self.page_from_key.as_deref())?;
                Ok(next.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
            }

            fn malformed_items(page: &QueryResults) -> &[$crate::paging::MalformedItem] {
                &page.malformed_items
            }

            fn items(page: QueryResults) -> Vec<$crate::Raw<QueryRow>> {
                page.items
            }
        }
    };
    (@items $page:ident <$item:ty>) => {
        fn malformed_items(page: &$page<$item>) -> &[$crate::paging::MalformedItem] {
            &page.malformed_items
        }

        fn items(page: $page<$item>) -> Vec<$crate::Raw<$item>> {
            page.items
        }
    };
    ($name:ident CursorPage <$item:ty>) => {
        impl $crate::Paged for $name {
            type Item = $item;

            fn next_page(&self, page: &CursorPage<$item>) -> Result<Option<Self>, $crate::Error> {
                let next = page.next_page_cursor(self.cursor.as_deref())?;
                // A cursor replaces the start of the interval.
                Ok(next.map(|cursor| Self { cursor: Some(cursor), from_date: None, ..self.clone() }))
            }

            $crate::operation::macros::page::paged! { @items CursorPage <$item> }
        }
    };
    ($name:ident $($other:tt)*) => {};
}

/// The manner in which an operation with this response lists its items.
#[cfg(feature = "catalog")]
macro_rules! paging {
    (NumberedPage) => {
        $crate::catalog::Paging::Number
    };
    (KeyedPage) => {
        $crate::catalog::Paging::Key
    };
    (QueryResults) => {
        $crate::catalog::Paging::Key
    };
    (CursorPage) => {
        $crate::catalog::Paging::Cursor
    };
    ($other:ident) => {
        $crate::catalog::Paging::None
    };
}

#[cfg(feature = "catalog")]
pub(crate) use paging;
pub(crate) use {paged, parse_page};
