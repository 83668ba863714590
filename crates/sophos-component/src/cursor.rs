//! Cursors that belong to one listing.
//!
//! The format is `<listing>1-<digest>-<position>`. The digest covers the tenant and
//! the filters, so a cursor of another listing is rejected instead of silently
//! skipping items.

use serde_json::Value;
use sophos_api::Error;

/// The identity of a listing: its kind, its owner and its filters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CursorScope {
    prefix_letter: char,
    digest: u64,
}

impl CursorScope {
    /// Returns the scope of a listing. `name` is the letter of its kind.
    pub(crate) fn new(name: char, owner: &str, filters: &Value) -> Self {
        // FNV-1a suffices: the digest detects mistakes, not attacks.
        let text = format!("{}\n{filters}", owner.to_ascii_lowercase());
        let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { prefix_letter: name, digest }
    }

    /// Returns the cursor of a position in this listing.
    pub(crate) fn cursor(self, position: &str) -> String {
        format!("{}{position}", self.prefix())
    }

    /// Returns the position of a cursor.
    ///
    /// # Errors
    /// `Invalid` if the cursor belongs to another listing.
    pub(crate) fn position(self, cursor: &str) -> Result<&str, Error> {
        cursor.strip_prefix(&self.prefix()).filter(|position| !position.is_empty()).ok_or_else(|| {
            Error::invalid(
                "invalid cursor: it belongs to another listing; use it with the tenant and filters of its page",
            )
        })
    }

    fn prefix(self) -> String {
        format!("{}1-{:016x}-", self.prefix_letter, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sophos_api::ErrorKind;

    use super::*;

    #[test]
    fn cursor_round_trips_its_position() {
        let listing = CursorScope::new('e', "4A7B", &json!({"health": ["bad"]}));
        for position in ["a", "with-dash", "%2Fé\n", "2"] {
            let cursor = listing.cursor(position);
            let again = CursorScope::new('e', "4a7b", &json!({"health": ["bad"]}));
            assert_eq!(again.position(&cursor).expect("of this listing"), position);
        }
    }

    #[test]
    fn cursor_of_another_listing_is_rejected() {
        let listing = CursorScope::new('e', "4a7b", &json!({"health": ["bad"]}));
        let cursor = listing.cursor("key");
        for other in [
            CursorScope::new('a', "4a7b", &json!({"health": ["bad"]})),
            CursorScope::new('e', "4a7c", &json!({"health": ["bad"]})),
            CursorScope::new('e', "4a7b", &json!({"health": ["good"]})),
        ] {
            assert_eq!(other.position(&cursor).expect_err("another's").kind(), ErrorKind::Invalid);
        }
        for nothing in ["", "e1-", "key", &listing.cursor("")] {
            assert_eq!(listing.position(nothing).expect_err(nothing).kind(), ErrorKind::Invalid);
        }
    }
}
