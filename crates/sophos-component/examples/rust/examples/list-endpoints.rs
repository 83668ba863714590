//! Lists the unhealthy endpoints of every tenant: `list-endpoints embedded.wasm`.

use std::{env, path::PathBuf, sync::Arc};

use central_host::{
    AllowedHttp, AuthProvider, CentralComponent,
    bindings::{
        exports::sophos::central::endpoints::{Filter, PageOptions},
        sophos::central::credentials::{Access, Client, Grant, RequestReason, Service},
    },
};
use wasmtime::{Result, bail, error::Context};

#[tokio::main]
async fn main() -> Result<()> {
    let file = PathBuf::from(env::args_os().nth(1).context("missing argument: a component")?);
    let component = CentralComponent::load(&central_host::engine()?, &file)?;
    let mut session = component.session(auth_provider(), AllowedHttp::to_sophos()?).await?;
    let interfaces = session.interfaces()?;
    let (tenants, endpoints) = (interfaces.sophos_central_tenants(), interfaces.sophos_central_endpoints());
    let unhealthy = [Filter::Health(vec!["bad".to_owned(), "suspicious".to_owned()])];

    let mut after = None;
    loop {
        let page = match tenants.call_list(&mut session.store, after.as_ref()).await? {
            Ok(page) => page,
            Err(failure) => bail!("{:?}: {}", failure.reason, failure.message),
        };
        for tenant in page.tenants {
            let id = tenants.tenant().call_id(&mut session.store, tenant).await?;
            let mut options =
                PageOptions { after: None, size: Some(500), view: None, sort: None, fields: None };
            loop {
                let page =
                    match endpoints.call_search(&mut session.store, tenant, &unhealthy, &options).await? {
                        Ok(page) => page,
                        Err(failure) => bail!("{:?}: {}", failure.reason, failure.message),
                    };
                for endpoint in page.endpoints {
                    println!("{id} {:?} {:?}", endpoint.hostname, endpoint.health);
                }
                options.after = page.next;
                if options.after.is_none() {
                    break;
                }
            }
            tenant.resource_drop_async(&mut session.store).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Returns the credential of the environment.
fn auth_provider() -> AuthProvider {
    Arc::new(|reason| {
        let access = match (env::var("SOPHOS_CLIENT_ID"), env::var("SOPHOS_CLIENT_SECRET")) {
            (Ok(id), Ok(secret)) if reason == RequestReason::Needed => {
                Ok(Access { grant: Grant::Client(Client { id, secret }), service: Service::Sophos })
            }
            _ => Err("set SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET to a valid credential".to_owned()),
        };
        Box::pin(std::future::ready(access))
    })
}
