//! The exported `account-health`.

use sophos_api::{ApiClient, operations::account_health::checks::CheckAccountHealth};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            account_health::{Check, Guest, Report},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    json::{RawOperation, into_value_and_text},
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn run_checks(tenant: TenantBorrow<'_>, checks: Vec<String>) -> Result<Report, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let operation = RawOperation(CheckAccountHealth::new().checks(checks));
            let (answer, raw) = into_value_and_text(tenant.with_client(client).send(&operation).await?)?;
            let checks = ["endpoint", "networkDevice"].into_iter().flat_map(|product| {
                answer[product].as_object().into_iter().flatten().map(move |(name, outcome)| Check {
                    product: product.to_owned(),
                    name: name.clone(),
                    outcome: outcome.to_string(),
                })
            });
            Ok(Report { checks: checks.collect(), raw })
        })
    }
}
