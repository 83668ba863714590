//! The imported `policy`.

use std::{cell::RefCell, net::IpAddr, sync::Arc};

use sophos_isolation::{policy::Policy, webhook::Request};

use crate::bindings::sophos::central::policy;

thread_local! {
    /// The last parsed policy and its text.
    static CACHE: RefCell<Option<(String, Arc<Policy>)>> = const { RefCell::new(None) };
}

/// The parsed settings of the imported `policy`.
#[derive(Debug, Clone)]
pub(super) struct PolicySettings {
    pub(super) policy: Arc<Policy>,
    /// The public base URL of the webhook.
    pub(super) webhook_url: Option<String>,
    client_ip_header: Option<String>,
}

impl PolicySettings {
    /// Loads the policy in force.
    ///
    /// # Errors
    /// If the host returns no policy, or it is invalid.
    pub(super) fn load() -> Result<Self, String> {
        let settings = policy::current()?;
        if settings.webhook_url.as_deref().is_some_and(|url| !is_http_url(url)) {
            return Err("invalid `webhook-url`: expected https://… or http://…".to_owned());
        }
        let client_ip_header = settings.client_ip_header.map(|name| name.to_ascii_lowercase());
        Ok(Self { policy: parse_policy(settings.text)?, webhook_url: settings.webhook_url, client_ip_header })
    }

    /// Returns the caller's IP address from the configured header.
    pub(super) fn client_ip(&self, request: &Request) -> Option<IpAddr> {
        last_ip(request.header(self.client_ip_header.as_deref()?)?)
    }
}

fn is_http_url(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Parses a policy, unless its text equals the last one.
fn parse_policy(text: String) -> Result<Arc<Policy>, String> {
    let cached = CACHE.with_borrow(|cached| {
        let (_, policy) = cached.as_ref().filter(|(cached, _)| *cached == text)?;
        Some(Arc::clone(policy))
    });
    if let Some(policy) = cached {
        return Ok(policy);
    }
    let policy = Arc::new(Policy::parse_lenient(&text).map_err(|error| error.to_string())?);
    CACHE.set(Some((text, Arc::clone(&policy))));
    Ok(policy)
}

/// Returns the last address of a list, which the nearest server wrote. Some servers
/// append the port.
fn last_ip(list: &str) -> Option<IpAddr> {
    let last = list.rsplit(',').next()?.trim();
    let with_port = || last.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    last.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ip_is_the_last_forwarded_address() {
        let ip = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        for (header, expected) in [
            ("203.0.113.9", ip("203.0.113.9")),
            ("10.0.0.1,203.0.113.9", ip("203.0.113.9")),
            ("10.0.0.1, 203.0.113.9:4711 ", ip("203.0.113.9")),
            ("[2001:db8::1]:443", ip("2001:db8::1")),
            ("2001:db8::1", ip("2001:db8::1")),
            ("203.0.113.9, unknown", None),
            ("203.0.113.9,", None),
            ("", None),
        ] {
            assert_eq!(last_ip(header), expected, "{header}");
        }
    }

    #[test]
    fn policy_is_parsed_again_when_its_text_changes() {
        let text = |mode: &str| format!("version = 1\nmode = \"{mode}\"\n");
        let first = parse_policy(text("enforce")).expect("a policy");
        let again = parse_policy(text("enforce")).expect("a policy");
        assert!(Arc::ptr_eq(&first, &again));
        assert!(
            parse_policy("version = 1\nmode = \"of my own\"\n".into())
                .expect_err("a mistake")
                .contains("line 2")
        );
        assert!(Arc::ptr_eq(&first, &parse_policy(text("enforce")).expect("a policy")));
        assert!(!Arc::ptr_eq(&first, &parse_policy(text("dry_run")).expect("a policy")));
    }
}
