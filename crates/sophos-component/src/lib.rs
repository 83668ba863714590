//! Sophos Central as a WASI component.

#![deny(missing_docs)]

mod account_health;
#[cfg(feature = "operator")]
mod alert_actions;
mod alerts;
mod bindings;
#[cfg(feature = "operator")]
mod containment;
mod cursor;
mod endpoints;
mod events;
mod failure;
mod grant;
mod isolation;
mod json;
mod page;
mod run;
mod session;
mod tenants;
mod transport;

/// The component: what each interface of its world is implemented by.
#[derive(Debug)]
pub struct Component;

/// The words of a list, as the client knows them.
fn words<'w, W>(list: &'w [String], read: impl Fn(&'w str) -> W) -> impl Iterator<Item = W> {
    list.iter().map(move |text| read(text))
}
