//! The engine that the families share: collections of JSON records with state.
//!
//! A family is one file of `handlers/`. It declares its [`Collection`]s and a `ROUTES` table, and
//! writes functions only for what a collection cannot express.

pub(crate) mod audit;
pub(crate) mod collection;
pub(crate) mod files;
pub(crate) mod filter;
pub(crate) mod job;
pub(crate) mod member;
pub(crate) mod page;
pub(crate) mod seed;
pub(crate) mod state;
pub(crate) mod verbs;

pub(crate) use collection::{Change, Collection, Verb};
pub(crate) use filter::Filter;
pub(crate) use job::Job;
pub(crate) use member::Member;
pub(crate) use page::Paging;
pub(crate) use seed::Seed;
pub(crate) use state::AccountState;
