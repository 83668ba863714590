//! OCSF rows as Parquet objects.

mod class_schemas;
mod object;
#[cfg(test)]
mod round_trip;
mod schema;
mod shred;

pub(crate) use object::encode;
pub(crate) use schema::check;
