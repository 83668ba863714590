//! The paging styles of the API.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::response::ApiError;

/// A paging style of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paging {
    /// All items at once, without `pages`.
    None,
    /// `page`, `pageSize`, `pageTotal`.
    Numbered {
        /// The default of `pageSize`.
        default: u64,
        /// The maximum of `pageSize`; a larger one counts as the maximum.
        max: u64,
    },
    /// `pageFromKey`, `pageSize`, `pageTotal`.
    Keyed {
        /// The default of `pageSize`.
        default: u64,
        /// The maximum of `pageSize`.
        max: u64,
    },
}

impl Paging {
    /// Numbered pages of 50, at most 100 items.
    pub(crate) const NUMBERED: Self = Self::Numbered { default: 50, max: 100 };
    /// Keyed pages of 50, at most 100 items.
    pub(crate) const KEYED: Self = Self::Keyed { default: 50, max: 100 };

    fn size(context: &Context<'_>, default: u64, max: u64) -> Result<usize, ApiError> {
        match context.call.query.number("pageSize")? {
            Some(0) => Err(invalid_parameter("pageSize")),
            size => Ok(usize::try_from(size.unwrap_or(default).min(max)).unwrap_or(usize::MAX)),
        }
    }

    /// The page of the request, as a body with `items` and `pages`. Keyed pages use `key_of`.
    pub(crate) fn body(
        self,
        context: &Context<'_>,
        all: Vec<Value>,
        key_of: impl Fn(&Value) -> String,
    ) -> Result<Value, ApiError> {
        let query = &context.call.query;
        let total = all.len();
        let (size, max, first, mut pages) = match self {
            Self::None => return Ok(json!({ "items": all })),
            Self::Numbered { default, max } => {
                let size = Self::size(context, default, max)?;
                let page = match query.number("page")? {
                    Some(0) => return Err(invalid_parameter("page")),
                    page => usize::try_from(page.unwrap_or(1)).unwrap_or(usize::MAX),
                };
                let first = (page - 1).saturating_mul(size);
                (size, max, first, json!({ "current": page }))
            }
            Self::Keyed { default, max } => {
                let size = Self::size(context, default, max)?;
                let first = match query.get("pageFromKey") {
                    None => 0,
                    Some(key) => all
                        .iter()
                        .position(|item| key_of(item) == key)
                        .ok_or_else(|| invalid_parameter("pageFromKey"))?,
                };
                let mut pages = json!({});
                if let Some(item) = all.get(first) {
                    pages["fromKey"] = json!(key_of(item));
                }
                if let Some(next) = all.get(first.saturating_add(size)) {
                    pages["nextKey"] = json!(key_of(next));
                }
                (size, max, first, pages)
            }
        };
        let items: Vec<Value> = all.into_iter().skip(first).take(size).collect();
        pages["size"] = json!(context.central.page_size(size as u64, items.len()));
        pages["maxSize"] = json!(max);
        if query.boolean("pageTotal")?.unwrap_or(false) {
            pages["items"] = json!(total);
            pages["total"] = json!(total.div_ceil(size));
        }
        Ok(json!({ "items": items, "pages": pages }))
    }
}
