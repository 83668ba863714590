//! Fully qualified host names.

use std::net::IpAddr;

use super::json_cursor::{JsonCursor, identifiers};

/// The name of `host`: the first fully qualified name among the members, or else the first short
/// name with its DNS domain. The short form is not returned next to the full one, because it also
/// matches machines of other domains.
pub(super) fn parse_hostname(
    host: JsonCursor<'_>,
    members: &[&str],
    domain: Option<String>,
) -> Option<String> {
    let names = members.iter().filter_map(|member| host.get(member).identifier());
    let names: Vec<_> = names.filter(|name| name.parse::<IpAddr>().is_err()).collect();
    let name = names.iter().find(|name| is_fully_qualified(name)).or(names.first())?;
    with_domain(name, domain)
}

/// Adds the domain to a short name. A fully qualified name stays unchanged.
pub(super) fn with_domain(name: &str, domain: Option<String>) -> Option<String> {
    let full = match domain {
        Some(domain) if !is_fully_qualified(name) => format!("{}.{domain}", name.trim_end_matches('.')),
        _ => name.to_owned(),
    };
    identifiers([full.as_str()]).into_iter().next()
}

/// The domain in a member for DNS domains.
pub(super) fn dns_domain(cursor: JsonCursor<'_>) -> Option<String> {
    let domain = cursor.identifier()?;
    let domain = domain.trim_matches('.');
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    let is_domain = domain.split('.').all(is_label) && !domain.eq_ignore_ascii_case("workgroup");
    is_domain.then(|| domain.to_owned())
}

/// The domain in a member that may also contain a NetBIOS domain or a workgroup, which have no dot.
pub(super) fn dotted_domain(cursor: JsonCursor<'_>) -> Option<String> {
    dns_domain(cursor).filter(|domain| domain.contains('.'))
}

fn is_fully_qualified(name: &str) -> bool {
    name.trim_end_matches('.').contains('.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(host: &serde_json::Value) -> Option<String> {
        let host = JsonCursor::from(host);
        parse_hostname(host, &["fqdn", "name"], dns_domain(host.get("domain")))
    }

    #[test]
    fn parse_hostname_prefers_fully_qualified_name() {
        for (host, expected) in [
            (json!({"fqdn": "vm1.a.example", "name": "vm1", "domain": "b.example"}), "vm1.a.example"),
            (json!({"fqdn": "vm1", "name": "vm1.a.example"}), "vm1.a.example"),
            (json!({"fqdn": "10.0.0.1", "name": "vm1"}), "vm1"),
            (json!({"name": "vm1", "domain": ".a.example."}), "vm1.a.example"),
            (json!({"name": "vm1.", "domain": "a.example"}), "vm1.a.example"),
            (json!({"name": "vm1", "domain": "WORKGROUP"}), "vm1"),
            (json!({"name": "vm1", "domain": "a..example"}), "vm1"),
            (json!({"name": "vm1", "domain": "a b"}), "vm1"),
            (json!({"name": "vm1", "domain": null}), "vm1"),
        ] {
            assert_eq!(name(&host).as_deref(), Some(expected), "{host}");
        }
        assert_eq!(name(&json!({"domain": "a.example"})), None);
    }

    #[test]
    fn dotted_domain_rejects_netbios_domains() {
        assert_eq!(dotted_domain(JsonCursor::from(&json!("CONTOSO"))), None);
        assert_eq!(
            dotted_domain(JsonCursor::from(&json!("contoso.example"))).as_deref(),
            Some("contoso.example")
        );
    }
}
