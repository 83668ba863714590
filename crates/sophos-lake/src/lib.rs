//! The rows of an export of Sophos Central as OCSF 1.3.0, in the layout of Amazon Security
//! Lake, each row once.
//!
//! The commit log of [`sophos_export`] stays the truth. A [`LakeWriter`] reads the commits,
//! maps their rows ([`map_row`]), and writes Parquet objects into a bucket or a folder:
//!
//! ```text
//! ext/<prefix>-<class>/region=<region>/accountId=<account>/eventDay=<yyyyMMdd>/<prefix>-<class>-<batch>-<part>.parquet
//! ```
//!
//! # Each row once
//!
//! A *batch* is a set of commits of many streams. Its plan is a record in the export's
//! store that is created only if it is absent, before any object is written. Batch *n+1*
//! begins where batch *n* ended. From the plan follow the rows of each object, their order
//! and the object's path. Objects are created only if absent. So a run that resumes a
//! batch, and a concurrent one, write the same objects.
//!
//! | crash | recovery |
//! |---|---|
//! | before the plan | the next run plans the batch |
//! | after the plan | the next run writes the objects that are missing |
//! | after the last object | the next run finds all objects, and records that the batch is complete |

#![deny(missing_docs)]

mod batch;
mod batch_run;
mod class;
mod commits;
mod error;
mod layout;
mod mapping;
mod parquet_rows;
mod stored_row;
mod writer;

pub use batch::{BatchPlan, BatchReport, CommitRange};
pub use class::{Class, UnknownClass};
pub use error::Error;
pub use layout::LakeLayout;
pub use mapping::{
    CleanUpRule, Disposition, EventRule, FindingActivity, FindingRule, MAPPING_VERSION, Mapped,
    MappingSettings, OcsfRow, RemedyActivity, RemedyStatus, classify, map_row,
};
pub use stored_row::StoredRow;
pub use writer::{LakeReport, LakeSettings, LakeWriter};
