//! The client of the examples, configured by environment variables.

use std::{env, error::Error};

use sophos_api::{BaseUrl, Client, Credentials, Hosts, ReqwestTransport};

/// A client of the credential in `SOPHOS_CLIENT_ID` and `SOPHOS_CLIENT_SECRET`.
///
/// `SOPHOS_IDENTITY_URL` and `SOPHOS_GLOBAL_URL` replace Sophos Central by another
/// service, such as the simulator.
#[allow(dead_code, reason = "custom_transport builds its own")]
pub(crate) fn client_from_env() -> Result<Client<ReqwestTransport>, Box<dyn Error>> {
    let builder = Client::builder(ReqwestTransport::new()?, credentials_from_env()?);
    Ok(builder.hosts(hosts_from_env()?).build())
}

pub(crate) fn credentials_from_env() -> Result<Credentials, Box<dyn Error>> {
    Ok(Credentials::new(required("SOPHOS_CLIENT_ID")?, required("SOPHOS_CLIENT_SECRET")?))
}

pub(crate) fn hosts_from_env() -> Result<Hosts, Box<dyn Error>> {
    let url = |name| env::var(name).ok().map(|url| url.parse::<BaseUrl>()).transpose();
    Ok(match (url("SOPHOS_IDENTITY_URL")?, url("SOPHOS_GLOBAL_URL")?) {
        (Some(identity), Some(global)) => Hosts::new(identity, global),
        _ => Hosts::sophos_central(),
    })
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("missing environment variable {name}"))
}
