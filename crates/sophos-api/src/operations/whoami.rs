//! `GET /whoami/v1`

use crate::{
    WithRaw,
    models::Whoami,
    operation::macros::{listed, operation},
};

operation! {
    /// Gets the owner of the credential and the hosts to use.
    ///
    /// The client sends it by itself, and keeps the response as its identity.
    pub struct GetWhoami = GET "/whoami/v1" (none global) -> WithRaw<Whoami> {}
}

listed! {
    GetWhoami
}
