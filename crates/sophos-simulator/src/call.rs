//! A parsed request.

use std::cell::RefCell;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::central::Central;
use crate::credentials::Credential;
use crate::data::tenant::Tenant;
use crate::engine::state::AccountGuard;
use crate::faults::FaultAction;
use crate::hash::{parse_uuid, uuid_text};
use crate::response::ApiError;

/// A request to one of the hosts.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The access token in the `Authorization` header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    pub(crate) fn json(&self) -> Result<Value, ApiError> {
        serde_json::from_slice(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| ApiError::bad_request("Invalid request"))
    }
}

/// The parameters of a query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The value of a parameter, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The values of a list: joined by commas, as repeated keys, or both.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(n, _)| n == name)
            .flat_map(|(_, v)| v.split(','))
            .map(str::trim)
            .filter(|v| !v.is_empty())
            .collect()
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            // The service accepts Python's `True`, too.
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(invalid_parameter(name)),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| invalid_parameter(name)),
        }
    }

    /// The page size: the default, or the requested one up to a maximum.
    pub(crate) fn page_size(&self, maximum: u64) -> Result<u64, ApiError> {
        match self.number("pageSize")? {
            Some(0) => Err(invalid_parameter("pageSize")),
            size => Ok(size.unwrap_or(50).min(maximum)),
        }
    }
}

/// The error for an invalid parameter.
pub(crate) fn invalid_parameter(name: &str) -> ApiError {
    ApiError::bad_request(&format!("Invalid value for '{name}'"))
}

/// A call with its credential and tenant, as its handler gets it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) central: &'a Central,
    pub(crate) call: &'a Call,
    /// The values of the variable parts of the path.
    pub(crate) params: Vec<&'a str>,
    pub(crate) credential: Option<Credential>,
    /// The fault to apply to the call.
    pub(crate) fault: Option<&'a FaultAction>,
    /// The status of a success.
    pub(crate) success: u16,
    scoped_tenant: Option<&'a Tenant>,
    /// The name of the object that a change concerns, for the audit log.
    object_name: RefCell<Option<String>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        central: &'a Central,
        call: &'a Call,
        params: Vec<&'a str>,
        who: Option<Credential>,
        scope: Option<&'a Tenant>,
    ) -> Self {
        Self {
            central,
            call,
            params,
            credential: who,
            fault: None,
            success: 200,
            scoped_tenant: scope,
            object_name: RefCell::new(None),
        }
    }

    /// The call with these query parameters in place of its own, for searches with a body.
    pub(crate) fn call_with_query(&self, parameters: Vec<(String, String)>) -> Call {
        Call { query: Query(parameters), ..self.call.clone() }
    }

    /// The caller, as in `createdBy`.
    pub(crate) fn actor(&self) -> Value {
        let who = self.credential.as_ref();
        json!({
            "id": who.map(|who| who.client_id.as_str()),
            "type": "service",
            "name": "API credential",
            "accountType": who.map(|who| who.kind.as_str()),
            "accountId": who.map(|who| uuid_text(who.principal_id)),
        })
    }

    /// The tenant of the call, if it has one.
    pub(crate) fn scoped_tenant(&self) -> Option<&'a Tenant> {
        self.scoped_tenant
    }

    /// The account of the call: its tenant, or else the caller's own.
    pub(crate) fn account_id(&self) -> u128 {
        let own = self.credential.as_ref().map_or(0, |who| who.principal_id);
        self.scoped_tenant.map_or(own, |tenant| tenant.id)
    }

    /// The state of the account of the call. Drop it before another one is opened.
    pub(crate) fn state(&self) -> AccountGuard<'a> {
        self.central.state.open(self.account_id())
    }

    /// Names the object of a change for the audit log.
    pub(crate) fn name_object(&self, record: &Value) {
        let named = ["name", "username", "label", "hostname", "email", "id"];
        let name = named.iter().find_map(|member| record[*member].as_str());
        *self.object_name.borrow_mut() = name.map(str::to_owned);
    }

    /// The name of the object of a change; by default, the last identifier in the path.
    pub(crate) fn object_name(&self) -> Option<String> {
        let named = self.object_name.borrow().clone();
        named.or_else(|| self.params.last().map(|&id| id.to_owned()))
    }

    /// The tenant of the call.
    pub(crate) fn tenant(&self) -> Result<&'a Tenant, ApiError> {
        self.scoped_tenant.ok_or_else(ApiError::unauthorized)
    }

    /// The credential of the caller.
    pub(crate) fn credential(&self) -> Result<&Credential, ApiError> {
        self.credential.as_ref().ok_or_else(ApiError::unauthorized)
    }

    /// The identifier in the path.
    pub(crate) fn id(&self) -> Result<u128, ApiError> {
        let text = self.params.first().copied().unwrap_or_default();
        parse_uuid(text).ok_or_else(|| ApiError::bad_request("Invalid request"))
    }
}
