//! The cursors of one run, which must lead somewhere new.

use std::collections::HashSet;

use crate::seen::RecordId;

/// Empty pages in a row, with more to follow, that a run reads before it reports
/// a failure. The next run goes on after them.
pub(crate) const MAX_EMPTY_PAGES: u32 = 1_000;

/// The cursors of a run, to notice one that leads back.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    cursors: HashSet<RecordId>,
    /// Pages without items since the last with some.
    pub(crate) empty_pages: u32,
}

impl Walk {
    /// Notes a page and the cursor after it.
    pub(crate) fn check(&mut self, next: Option<&str>, empty: bool) -> Result<(), sophos_api::Error> {
        self.empty_pages = if empty { self.empty_pages + 1 } else { 0 };
        match next {
            Some(next) if !self.cursors.insert(RecordId::new(next)) => {
                Err(sophos_api::Error::malformed("the next page was read before: the cursors form a cycle"))
            }
            _ => Ok(()),
        }
    }
}
