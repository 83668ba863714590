//! Cursors: where a listing goes on, and which listing that is.
//!
//! `<listing>1-<digest>-<place>`: the digest is of the tenant and the filters,
//! so that a cursor that is used for another listing is told so, instead of
//! leaving a gap that nobody sees.

use serde_json::Value;
use sophos_api::Error;

/// A listing, as its cursors name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CursorScope {
    prefix_letter: char,
    digest: u64,
}

impl CursorScope {
    /// The listing of this name (a letter), of this owner, with these filters.
    pub(crate) fn new(name: char, owner: &str, filters: &Value) -> Self {
        // FNV-1a: a mistake is to be found, nobody is to be kept out.
        let text = format!("{}\n{filters}", owner.to_ascii_lowercase());
        let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { prefix_letter: name, digest }
    }

    /// The cursor of a place in this listing.
    pub(crate) fn cursor(self, place: &str) -> String {
        format!("{}{place}", self.prefix())
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// `Invalid` when it is none of this listing.
    pub(crate) fn position(self, cursor: &str) -> Result<&str, Error> {
        cursor.strip_prefix(&self.prefix()).filter(|place| !place.is_empty()).ok_or_else(|| {
            Error::invalid(
                "the cursor is of another listing; use it with the tenant and filters it came from",
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
        for place in ["a", "with-dash", "%2Fé\n", "2"] {
            let cursor = listing.cursor(place);
            let again = CursorScope::new('e', "4a7b", &json!({"health": ["bad"]}));
            assert_eq!(again.position(&cursor).expect("of this listing"), place);
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
