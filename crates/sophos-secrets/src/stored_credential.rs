use jiff::{Timestamp, civil::Date, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};
use sophos_api::{Credentials, Owner, models::IdType};

use crate::{Purpose, Role};

/// The expected form, for errors.
pub(crate) const EXPECTED: &str = "client_id and client_secret, both not empty; optionally one of partner_id, \
     organization_id and tenant_id; optionally role (read_only, forensics, management or super_admin), created_at, \
     expires_at (such as 2029-11-01) and used_for (a list of export and isolation); and nothing else";

/// The reason why a stored credential is invalid, and the expected form. Contains no
/// value of the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCredential(String);

/// A stored credential with the metadata that the service does not provide.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredCredential {
    /// The credential, with its expected owner.
    pub credentials: Credentials,
    /// The role.
    pub role: Option<Role>,
    /// The time of its creation in the console.
    pub created_at: Option<Timestamp>,
    /// The time of its expiry.
    pub expires_at: Option<Timestamp>,
    /// The purposes. Empty means all purposes.
    pub used_for: Vec<Purpose>,
}

impl StoredCredential {
    /// A credential without metadata.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, role: None, created_at: None, expires_at: None, used_for: Vec::new() }
    }

    /// Parses the JSON of a secret. See [the crate's documentation](crate).
    ///
    /// ```
    /// use sophos_secrets::{Purpose, SecretString, StoredCredential};
    ///
    /// let secret = SecretString::from(
    ///     r#"{"client_id": "…", "client_secret": "…", "created_at": "2026-11-01", "used_for": ["export"]}"#,
    /// );
    /// let stored = StoredCredential::from_json(&secret)?;
    /// assert!(stored.is_used_for(Purpose::Export) && !stored.is_used_for(Purpose::Isolation));
    /// let expiry = stored.expiry().ok_or("no expiry")?;
    /// assert_eq!(expiry.to_string(), "2029-11-01T00:00:00Z");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the JSON or a member of it is invalid.
    pub fn from_json(secret: &SecretString) -> Result<Self, InvalidCredential> {
        let document: CredentialDocument = serde_json::from_str(secret.expose_secret()).map_err(|error| {
            // The parser's message may quote the input.
            let kind = if error.is_data() { "invalid credential" } else { "invalid JSON" };
            InvalidCredential(format!(
                "{kind} (line {}, column {}): expected {EXPECTED}",
                error.line(),
                error.column()
            ))
        })?;
        document.into_credential()
    }

    /// Whether the credential serves a purpose. Without `used_for` it serves every purpose.
    pub fn is_used_for(&self, purpose: Purpose) -> bool {
        self.used_for.is_empty() || self.used_for.contains(&purpose)
    }

    /// The time of expiry: `expires_at`, or 36 months after `created_at`, which is the
    /// maximum lifetime.
    pub fn expiry(&self) -> Option<Timestamp> {
        self.expires_at.or_else(|| self.created_at.and_then(max_expiry))
    }
}

/// The latest expiry of a credential that was created at this time.
pub fn max_expiry(created_at: Timestamp) -> Option<Timestamp> {
    use jiff::ToSpan;

    let end = TimeZone::UTC.to_datetime(created_at).checked_add(36.months()).ok()?;
    TimeZone::UTC.to_timestamp(end).ok()
}

/// A credential as JSON or TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialDocument {
    client_id: String,
    client_secret: SecretString,
    partner_id: Option<String>,
    organization_id: Option<String>,
    tenant_id: Option<String>,
    role: Option<Role>,
    #[serde(default, deserialize_with = "deserialize_time")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "deserialize_time")]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    used_for: Vec<Purpose>,
}

impl CredentialDocument {
    pub(crate) fn into_credential(self) -> Result<StoredCredential, InvalidCredential> {
        for (name, empty) in [
            ("client_id", self.client_id.trim().is_empty()),
            ("client_secret", self.client_secret.expose_secret().trim().is_empty()),
        ] {
            if empty {
                return Err(InvalidCredential(format!("its {name} is empty; set it")));
            }
        }
        let owners = [
            (IdType::Partner, self.partner_id),
            (IdType::Organization, self.organization_id),
            (IdType::Tenant, self.tenant_id),
        ];
        let mut owners = owners.into_iter().filter_map(|(kind, id)| Some((kind, id?)));
        let mut credentials = Credentials::new(self.client_id.trim(), self.client_secret);
        if let Some((kind, id)) = owners.next() {
            if owners.next().is_some() {
                let conflict = "it has more than one of partner_id, organization_id and tenant_id; keep one";
                return Err(InvalidCredential(conflict.into()));
            }
            let id = id.trim();
            if id.is_empty() || !id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
                let invalid = format!("its {kind}_id is invalid: expected hexadecimal digits and hyphens");
                return Err(InvalidCredential(invalid));
            }
            credentials = credentials.with_owner(Owner::new(kind, id));
        }
        Ok(StoredCredential {
            credentials,
            role: self.role,
            created_at: self.created_at,
            expires_at: self.expires_at,
            used_for: self.used_for,
        })
    }
}

/// Parses a time, or a date as its start in UTC.
fn deserialize_time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(value)? else { return Ok(None) };
    let text = text.trim();
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    text.parse().ok().or_else(day).map(Some).ok_or_else(|| D::Error::custom("invalid time"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<StoredCredential, String> {
        StoredCredential::from_json(&SecretString::from(text.to_owned())).map_err(|error| error.to_string())
    }

    fn with(more: &str) -> Result<StoredCredential, String> {
        parse(&format!(r#"{{"client_id":" an-id ","client_secret":"hush-hush"{more}}}"#))
    }

    #[test]
    fn from_json_requires_only_id_and_secret() {
        let stored = with("").expect("a credential");
        assert_eq!(stored.credentials.client_id(), "an-id");
        assert_eq!((stored.credentials.owner(), stored.role, stored.expiry()), (None, None, None));
        assert!(stored.is_used_for(Purpose::Export) && stored.is_used_for(Purpose::Isolation));
        assert!(!format!("{stored:?}").contains("hush"), "{stored:?}");
    }

    #[test]
    fn from_json_accepts_every_member() {
        let stored = with(
            r#","partner_id":"AB-12","role":"read_only","created_at":"2026-11-01","used_for":["export","isolation"]"#,
        )
        .expect("a credential");
        assert_eq!(stored.credentials.owner(), Some(&Owner::new(IdType::Partner, "ab-12")));
        assert_eq!(stored.role, Some(Role::ReadOnly));
        assert_eq!(stored.used_for, [Purpose::Export, Purpose::Isolation]);
        assert_eq!(stored.expiry().map(|at| at.to_string()).as_deref(), Some("2029-11-01T00:00:00Z"));
        let stored =
            with(r#","created_at":"2026-11-01","expires_at":"2027-01-02T03:04:05Z""#).expect("a credential");
        assert_eq!(stored.expiry().map(|at| at.to_string()).as_deref(), Some("2027-01-02T03:04:05Z"));
        let stored = with(r#","used_for":["isolation"]"#).expect("a credential");
        assert!(!stored.is_used_for(Purpose::Export) && stored.is_used_for(Purpose::Isolation));
        let leap = with(r#","created_at":"2024-02-29""#).expect("a credential");
        assert_eq!(leap.expiry().map(|at| at.to_string()).as_deref(), Some("2027-02-28T00:00:00Z"));
    }

    #[test]
    fn from_json_errors_omit_values() {
        for (text, expected) in [
            ("hush-hush", "invalid JSON (line 1"),
            ("", "invalid JSON"),
            ("\"hush-hush\"", "invalid credential (line 1"),
            (r#"{"client_id":"hush-hush"}"#, "client_id and client_secret"),
            (r#"{"client_id":"","client_secret":"hush-hush"}"#, "its client_id is empty"),
            (r#"{"client_id":"an-id","client_secret":" "}"#, "its client_secret is empty"),
            (r#"{"client_id":"an-id","client_secret":"hush","hush-hush":1}"#, "and nothing else"),
            (r#"{"client_id":"an-id","client_secret":["hush-hush"]}"#, "column"),
        ] {
            let error = parse(text).expect_err(expected);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
        for (more, expected) in [
            (r#","tenant_id":"ab","partner_id":"ab""#, "more than one"),
            (r#","tenant_id":"../hush""#, "its tenant_id is invalid"),
            (r#","organization_id":"""#, "its organization_id is invalid"),
            (r#","role":"hush""#, "read_only, forensics"),
            (r#","expires_at":"hush""#, "such as 2029-11-01"),
            (r#","used_for":["hush"]"#, "export and isolation"),
        ] {
            let error = with(more).expect_err(expected);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn from_json_never_panics_or_quotes_the_input(text in "\\PC{0,80}", secret in "[a-z]{12,40}") {
            let _ = parse(&text);
            let broken = format!(r#"{{"client_id":"{secret}","client_secret":"{secret}","{secret}":{text}}}"#);
            if let Err(error) = parse(&broken) {
                prop_assert!(!error.contains(&secret), "{error}");
            }
        }
    }
}
