//! Class 7002: the clean-up of a file.

use super::{
    OcsfRow,
    base::{Attributes, Source, file, sha256},
};
use crate::class::Class;

/// The row of a file. `attributes` are those of all clean-ups.
pub(crate) fn row(
    source: &Source<'_>,
    activity: u32,
    uid: &str,
    path: &str,
    attributes: Attributes,
) -> OcsfRow {
    let hash = source.text("appSha256");
    let attributes = attributes.object("file", file(path).list("hashes", hash.as_deref().map(sha256)));
    source.row(Class::FileRemediation, activity, uid, attributes)
}
