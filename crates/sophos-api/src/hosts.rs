mod region;

use std::{collections::BTreeMap, fmt, str::FromStr};

use http::Uri;

use crate::error::{Error, ErrorKind};

pub use region::{DATA_REGIONS, DataRegion};

/// The domain whose hosts may receive a token.
const TRUSTED_SUFFIX: &str = ".sophos.com";

/// The scheme and authority of a host, such as `https://api-eu01.central.sophos.com`.
///
/// ```
/// use sophos_api::BaseUrl;
///
/// let base: BaseUrl = "https://api-eu01.central.sophos.com/".parse()?;
/// assert_eq!(base.to_string(), "https://api-eu01.central.sophos.com");
/// assert!("https://api-eu01.central.sophos.com/endpoint/v1".parse::<BaseUrl>().is_err());
/// # Ok::<(), sophos_api::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    scheme: &'static str,
    authority: String,
    host: String,
}

impl BaseUrl {
    /// The host's name, in lower case.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The URL of `path`, which starts with a slash, on this host.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }
}

impl FromStr for BaseUrl {
    type Err = Error;

    /// Parses `https://host[:port]` or `http://…`, with or without a slash at the end.
    /// It rejects a path, a query or a user name.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid =
            |expected: &str| Error::invalid(format!("invalid host URL \"{text}\": expected {expected}"));
        let uri: Uri = text.trim().parse().map_err(|_| invalid("https://host[:port]"))?;
        let scheme = match uri.scheme_str() {
            Some("https") => "https",
            Some("http") => "http",
            _ => return Err(invalid("the scheme https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("a host name"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("no user name"));
        }
        if uri.path_and_query().is_some_and(|rest| rest.as_str() != "/") {
            return Err(invalid("nothing after the host and port"));
        }
        if authority.host().is_empty() {
            return Err(invalid("a host name"));
        }
        Ok(Self {
            scheme,
            authority: authority.as_str().to_ascii_lowercase(),
            host: authority.host().to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// The hosts of the service, and the check of the ones in its responses.
///
/// A response names the host of a tenant, which receives the token. So a forged
/// response must not be able to name any host. [`Hosts::sophos_central`] permits only
/// `https` hosts under `sophos.com`; [`Hosts::new`] permits only the configured host
/// names, on any port.
///
/// ```
/// use sophos_api::{ErrorKind, Hosts};
///
/// let hosts = Hosts::sophos_central();
/// let base = hosts.tenant_base_url(None, Some("eu01"))?;
/// assert_eq!(base.to_string(), "https://api-eu01.central.sophos.com");
///
/// let forged = hosts.validate_host("https://sophos.com.example.org").expect_err("another domain");
/// assert_eq!(forged.kind(), ErrorKind::UntrustedHost);
/// # Ok::<(), sophos_api::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hosts {
    identity: BaseUrl,
    global: BaseUrl,
    fusion: Option<BaseUrl>,
    regions: BTreeMap<String, BaseUrl>,
    is_custom: bool,
}

impl Hosts {
    /// The hosts of Sophos Central.
    pub fn sophos_central() -> Self {
        let host = |name: &str| BaseUrl { scheme: "https", authority: name.into(), host: name.into() };
        Self {
            identity: host("id.sophos.com"),
            global: host("api.central.sophos.com"),
            fusion: Some(host("api.taegis.sophos.com")),
            regions: BTreeMap::new(),
            is_custom: false,
        }
    }

    /// The hosts of another service with the same API: a simulator or a gateway. It has
    /// no host of Sophos Fusion; see [`with_fusion`](Self::with_fusion).
    pub fn new(identity: BaseUrl, global: BaseUrl) -> Self {
        Self { identity, global, fusion: None, regions: BTreeMap::new(), is_custom: true }
    }

    /// Sets the host of a data region, for tenants whose record has no host.
    #[must_use]
    pub fn with_region(mut self, code: impl Into<String>, host: BaseUrl) -> Self {
        self.regions.insert(code.into().to_ascii_lowercase(), host);
        self
    }

    /// Sets the host of the GraphQL service of Sophos Fusion, which receives the token.
    #[must_use]
    pub fn with_fusion(mut self, host: BaseUrl) -> Self {
        self.fusion = Some(host);
        self
    }

    /// The host of the GraphQL service of Sophos Fusion, one for all tenants.
    pub fn fusion(&self) -> Option<&BaseUrl> {
        self.fusion.as_ref()
    }

    /// The host of the identity service.
    pub fn identity(&self) -> &BaseUrl {
        &self.identity
    }

    /// The global host, unless the identity (`whoami`) names another.
    pub fn global(&self) -> &BaseUrl {
        &self.global
    }

    /// Checks a host of a response.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedHost`] when the host must not receive the token.
    pub fn validate_host(&self, url: &str) -> Result<BaseUrl, Error> {
        let untrusted =
            |why: &str| Error::new(ErrorKind::UntrustedHost).with_message(format!("\"{url}\" {why}"));
        let mut base: BaseUrl = url.parse().map_err(|_| untrusted("is not the URL of a host"))?;
        if self.is_custom {
            let known = [&self.identity, &self.global];
            let same_name = known.iter().any(|own| own.host == base.host && own.scheme == base.scheme);
            return if same_name || self.regions.values().any(|region| *region == base) {
                Ok(base)
            } else {
                Err(untrusted("is not a configured host"))
            };
        }
        if !base.host.ends_with(TRUSTED_SUFFIX) || base.host.len() == TRUSTED_SUFFIX.len() {
            return Err(untrusted("is not under sophos.com"));
        }
        if base.authority != base.host && base.authority != format!("{}:443", base.host) {
            return Err(untrusted("has an unexpected port"));
        }
        // A published example has hosts with http://, but the token requires TLS.
        base.scheme = "https";
        Ok(base)
    }

    /// The host of a tenant: the one of its record, else the one of its data region.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedHost`] when the record's host is not permitted, and
    /// [`ErrorKind::Malformed`] when the record has neither a host nor a known region.
    pub fn tenant_base_url(
        &self,
        api_host: Option<&str>,
        data_region: Option<&str>,
    ) -> Result<BaseUrl, Error> {
        if let Some(host) = api_host.filter(|host| !host.is_empty()) {
            return self.validate_host(host);
        }
        let Some(code) = data_region.map(str::to_ascii_lowercase).filter(|code| !code.is_empty()) else {
            return Err(Error::new(ErrorKind::Malformed)
                .with_message("the tenant's record has neither a host nor a data region"));
        };
        if let Some(host) = self.regions.get(&code) {
            return Ok(host.clone());
        }
        let plain = code.len() <= 16 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if self.is_custom || !plain {
            let known = DataRegion::from_code(&code).map_or(code, |region| region.to_string());
            return Err(Error::new(ErrorKind::Malformed)
                .with_message(format!("no host is known for data region {known}; configure one for it")));
        }
        self.validate_host(&format!("https://api-{code}.central.sophos.com"))
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self::sophos_central()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validate_host_normalizes_hosts_of_the_domain() {
        let hosts = Hosts::sophos_central();
        for (given, used) in [
            ("https://api-eu01.central.sophos.com", "https://api-eu01.central.sophos.com"),
            ("http://api.central.sophos.com/", "https://api.central.sophos.com"),
            ("https://api-eu01.dev.central.sophos.com", "https://api-eu01.dev.central.sophos.com"),
            ("https://API-US03.central.SOPHOS.com:443", "https://api-us03.central.sophos.com:443"),
        ] {
            assert_eq!(hosts.validate_host(given).expect(given).to_string(), used);
        }
    }

    #[test]
    fn validate_host_rejects_hosts_outside_the_domain() {
        let hosts = Hosts::sophos_central();
        for given in [
            "https://sophos.com.evil.example",
            "https://evilsophos.com",
            "https://api.sophos.com@evil.example",
            "https://evil.example/.sophos.com",
            "https://evil.example#.sophos.com",
            "https://evil.example?.sophos.com",
            "https://.sophos.com",
            "https://api.sophos.com.",
            "https://api.central.sophos.com:8443",
            "ftp://api.central.sophos.com",
            "https://api.central.sophos.com/path",
            "//api.central.sophos.com",
            "",
        ] {
            let error = hosts.validate_host(given).expect_err(given);
            assert_eq!(error.kind(), ErrorKind::UntrustedHost, "{given}");
        }
    }

    #[test]
    fn validate_host_accepts_only_the_custom_host_name() {
        let at = |url: &str| url.parse::<BaseUrl>().expect(url);
        let hosts = Hosts::new(at("http://127.0.0.1:7000"), at("http://127.0.0.1:7001"))
            .with_region("EU02", at("http://127.0.0.2:9"));
        assert!(hosts.validate_host("http://127.0.0.1:7002").is_ok());
        assert!(hosts.validate_host("http://127.0.0.3:7002").is_err());
        assert!(hosts.validate_host("https://api.central.sophos.com").is_err());
        assert_eq!(hosts.tenant_base_url(None, Some("eu02")).expect("configured"), at("http://127.0.0.2:9"));
        assert_eq!(
            hosts.tenant_base_url(None, Some("us01")).expect_err("nowhere").kind(),
            ErrorKind::Malformed
        );
    }

    #[test]
    fn tenant_base_url_uses_the_data_region_without_a_host() {
        let hosts = Hosts::sophos_central();
        let host = |api, region| hosts.tenant_base_url(api, region).map(|base| base.to_string());
        assert_eq!(host(None, Some("eu01")).expect("built"), "https://api-eu01.central.sophos.com");
        assert_eq!(host(Some(""), Some("uk07")).expect("built"), "https://api-uk07.central.sophos.com");
        assert!(host(None, Some("eu01.evil.example/")).is_err());
        assert!(host(None, None).is_err());
    }
}
