use crate::models::macros::model;

model! {
    /// The result of a deletion.
    pub struct Deleted {
        /// Whether the object was deleted.
        deleted: bool,
    }
}
