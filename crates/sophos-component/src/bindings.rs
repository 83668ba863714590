//! The bindings of the world that the features select, generated from `wit/`.

#![allow(
    clippy::same_length_and_capacity,
    clippy::too_many_arguments,
    clippy::undocumented_unsafe_blocks,
    clippy::use_self,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated"
)]

#[cfg(not(any(feature = "operator", feature = "embedded", feature = "webhook")))]
wit_bindgen::generate!({ path: "../../wit", world: "reader", generate_all });

#[cfg(all(feature = "operator", not(any(feature = "embedded", feature = "webhook"))))]
wit_bindgen::generate!({ path: "../../wit", world: "operator", generate_all });

#[cfg(all(feature = "embedded", not(any(feature = "operator", feature = "webhook"))))]
wit_bindgen::generate!({ path: "../../wit", world: "embedded-reader", generate_all });

#[cfg(all(feature = "embedded", feature = "operator", not(feature = "webhook")))]
wit_bindgen::generate!({ path: "../../wit", world: "embedded", generate_all });

#[cfg(feature = "webhook")]
wit_bindgen::generate!({
    path: "../../wit",
    world: "webhook",
    generate_all,
    generate_unused_types: true,
});

// Other linkers parse the `@` of export names as a symbol version.
#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

#[cfg(target_family = "wasm")]
use crate::Component;
