//! The comment tag: the beginning of an isolation's comment at Sophos Central, by
//! which the ledger recognizes its own isolations.

use super::id::{DecisionId, ID_LEN, ID_PREFIX, digest, is_hex};

const BATCH_PREFIX: &str = "batch-";

/// Returns the tag of an isolation for these decisions: the id of one, or a digest
/// over the ids of several.
pub(crate) fn for_decisions(ids: &[DecisionId]) -> String {
    match ids {
        [id] => id.to_string(),
        _ => {
            let ids: Vec<_> = ids.iter().map(DecisionId::as_str).collect();
            format!("{BATCH_PREFIX}{}", &digest("batch", &ids.join(","))[..ID_LEN])
        }
    }
}

/// Whether a comment begins with a tag. The rest of a comment may be text of a
/// sender or an administrator and does not count.
pub(crate) fn has_tag(comment: &str, tag: &str) -> bool {
    if !is_tag(tag) {
        return false;
    }
    let rest = comment.trim_start().strip_prefix(tag);
    rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_ascii_alphanumeric()))
}

/// Whether a text has the form of a tag.
fn is_tag(text: &str) -> bool {
    let digits = text.strip_prefix(ID_PREFIX).or_else(|| text.strip_prefix(BATCH_PREFIX));
    digits.is_some_and(|digits| is_hex(digits, ID_LEN))
}
