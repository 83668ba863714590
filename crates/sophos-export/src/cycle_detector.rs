//! The cursors of one run, which must lead somewhere new.

use std::collections::HashSet;

use sophos_api::operations::siem::MAX_PAGE_SIZE;

use crate::dedup_window::RecordId;

/// Empty pages in a row, with more to follow, that a run reads before it reports
/// a failure. The next run goes on after them.
pub(crate) const MAX_EMPTY_PAGES: u32 = 1_000;

/// What a run has learnt of the pages of its stream.
#[derive(Debug)]
pub(crate) struct CycleDetector {
    /// The cursors, to notice one that leads back.
    cursors: HashSet<RecordId>,
    /// Pages without items since the last with some.
    pub(crate) empty_pages: u32,
    /// Records a page that the service is asked for.
    pub(crate) page_limit: u32,
    /// The failure of the last page that was too large in its smallest form and
    /// was passed over.
    pub(crate) passed_over: Option<sophos_api::Error>,
}

impl Default for CycleDetector {
    fn default() -> Self {
        Self { cursors: HashSet::new(), empty_pages: 0, page_limit: MAX_PAGE_SIZE, passed_over: None }
    }
}

impl CycleDetector {
    /// Notes a page and the cursor after it.
    pub(crate) fn record_page(&mut self, next: Option<&str>, empty: bool) -> Result<(), sophos_api::Error> {
        self.empty_pages = if empty { self.empty_pages + 1 } else { 0 };
        match next {
            Some(next) if !self.cursors.insert(RecordId::new(next)) => {
                Err(sophos_api::Error::malformed("the next page was read before: the cursors form a cycle"))
            }
            _ => Ok(()),
        }
    }
}
