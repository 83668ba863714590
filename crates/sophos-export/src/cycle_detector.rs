//! The cursors of one run, to detect cycles and endless empty pages.

use std::collections::HashSet;

use sophos_api::operations::siem::MAX_PAGE_SIZE;

use crate::dedup_window::RecordId;

/// The consecutive empty pages, with more to follow, after which a run fails. The next
/// run continues after them.
pub(crate) const MAX_EMPTY_PAGES: u32 = 1_000;

/// The state of a run across the pages of its stream.
#[derive(Debug)]
pub(crate) struct CycleDetector {
    /// The cursors so far.
    cursors: HashSet<RecordId>,
    /// The consecutive empty pages so far.
    pub(crate) empty_pages: u32,
    /// The requested records of a page.
    pub(crate) page_limit: u32,
    /// The error of the last page that was skipped, since it was too large even with the
    /// smallest limit.
    pub(crate) skipped_page_error: Option<sophos_api::Error>,
}

impl Default for CycleDetector {
    fn default() -> Self {
        Self { cursors: HashSet::new(), empty_pages: 0, page_limit: MAX_PAGE_SIZE, skipped_page_error: None }
    }
}

impl CycleDetector {
    /// Records a page and the cursor after it.
    ///
    /// # Errors
    /// When the cursor occurred before.
    pub(crate) fn record_page(&mut self, next: Option<&str>, empty: bool) -> Result<(), sophos_api::Error> {
        self.empty_pages = if empty { self.empty_pages + 1 } else { 0 };
        match next {
            Some(next) if !self.cursors.insert(RecordId::new(next)) => {
                Err(sophos_api::Error::malformed("the cursors form a cycle: the next page was read before"))
            }
            _ => Ok(()),
        }
    }
}
