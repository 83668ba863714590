//! The declaration of a collection of records.

use serde_json::Value;

use crate::call::Context;
use crate::engine::{AccountState, Filter, Job, Member, Paging, Seed};
use crate::response::ApiError;

/// An operation of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Create,
    Get,
    /// Merges the members of the body; null removes one.
    Update,
    /// Replaces all members of the body.
    Replace,
    Delete,
}

/// The form of ids in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// A UUID; any other text gets 400.
    Uuid,
    /// A text or number of the collection's own.
    Text,
    /// Two alphanumeric parts and a hyphen between them; any other text gets 400.
    Pair,
}

/// A creation, update or deletion, before it takes effect.
pub(crate) struct Change<'c, 'a> {
    pub(crate) context: &'c Context<'a>,
    pub(crate) state: &'c mut AccountState,
    /// The record after the change; of a deletion, the record itself.
    pub(crate) record: Value,
    /// The record before an update.
    pub(crate) before: Option<Value>,
}

pub(crate) type Hook = fn(&mut Change<'_, '_>) -> Result<(), ApiError>;

/// A place of records inside those of another collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) collection: &'static Collection,
    /// The member with the array of records.
    pub(crate) member: &'static str,
}

/// Records of one kind. Members whose names start with `_` are stored and not shown.
#[derive(Debug)]
pub(crate) struct Collection {
    /// The name, unique in the simulator.
    pub(crate) name: &'static str,
    /// The kind of a record, as in "Can't find admin." and the audit log.
    pub(crate) noun: &'static str,
    pub(crate) id_member: &'static str,
    pub(crate) id_kind: IdKind,
    pub(crate) parent: Option<Parent>,
    pub(crate) paging: Paging,
    /// The members that requests may set.
    pub(crate) members: &'static [Member],
    /// The members in which two records may not agree: 409 with this message.
    pub(crate) unique: &'static [&'static str],
    pub(crate) conflict: &'static str,
    /// The maximum number of records; one more gets `(status, message)`.
    pub(crate) max: Option<(usize, u16, &'static str)>,
    pub(crate) filters: &'static [Filter],
    /// The members of `search` and `searchFields`.
    pub(crate) searched: &'static [&'static str],
    /// Members that a single record shows, and a list only with `view=full`.
    pub(crate) detail: &'static [&'static str],
    /// Whether records have `createdAt` and `updatedAt`.
    pub(crate) has_times: bool,
    /// Whether records have `tenant`.
    pub(crate) has_tenant: bool,
    /// Whether one record without an id exists, as for settings.
    pub(crate) is_singleton: bool,
    /// Whether the deletion of an unknown record succeeds, with `deleted: false`.
    pub(crate) may_delete_unknown: bool,
    pub(crate) job: Option<Job>,
    pub(crate) seed: fn(&mut Seed<'_>) -> Vec<Value>,
    pub(crate) on_create: Hook,
    pub(crate) on_update: Hook,
    pub(crate) on_delete: Hook,
    /// Computes members of each record before it is shown.
    pub(crate) view: fn(&Context<'_>, &mut Value),
}

fn accept(_: &mut Change<'_, '_>) -> Result<(), ApiError> {
    Ok(())
}

impl Collection {
    /// A collection with the usual properties: UUIDs, numbered pages, times. A declaration
    /// overrides the others.
    pub(crate) const fn new(name: &'static str, noun: &'static str) -> Self {
        Self {
            name,
            noun,
            id_member: "id",
            id_kind: IdKind::Uuid,
            parent: None,
            paging: Paging::NUMBERED,
            members: &[],
            unique: &[],
            conflict: "Already exists.",
            max: None,
            filters: &[],
            searched: &[],
            detail: &[],
            has_times: true,
            has_tenant: false,
            is_singleton: false,
            may_delete_unknown: false,
            job: None,
            seed: |_| Vec::new(),
            on_create: accept,
            on_update: accept,
            on_delete: accept,
            view: |_, _| {},
        }
    }

    /// A record without an id, as for settings. `seed` returns it.
    pub(crate) const fn singleton(name: &'static str, noun: &'static str) -> Self {
        Self { is_singleton: true, has_times: false, paging: Paging::None, ..Self::new(name, noun) }
    }

    pub(crate) fn has_id(&self, record: &Value, id: &str) -> bool {
        crate::engine::filter::scalar_text(&record[self.id_member]).eq_ignore_ascii_case(id)
    }

    pub(crate) fn not_found(&self) -> ApiError {
        ApiError::not_found(&format!("Can't find {}.", self.noun))
    }
}
