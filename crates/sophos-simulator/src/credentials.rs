//! API credentials and their tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::config::{Config, CredentialConfig, CredentialKind, Role};
use crate::data::accounts::Accounts;
use crate::error::ConfigError;
use crate::hash::{Rng, mix, uuid_text};
use crate::time;

/// 36 months.
const CREDENTIAL_LIFETIME_MS: i64 = 3 * 365 * 86_400_000 + 86_400_000;

/// The age of a credential that exists at the start: 90 days.
const INITIAL_CREDENTIAL_AGE_MS: i64 = 90 * 86_400_000;

/// An API credential, as tests see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialInfo {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// The kind of its account, as in a `whoami` response.
    pub id_type: String,
    /// The id in a `whoami` response, in lower case.
    pub principal_id: String,
    /// The role in the configuration.
    pub role: String,
    /// The time of its creation.
    pub created_at: String,
    /// The time of its expiry.
    pub expires_at: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) kind: CredentialKind,
    pub(crate) role: Role,
    pub(crate) principal_id: u128,
    /// The tenant of a tenant credential.
    pub(crate) tenant: Option<usize>,
    pub(crate) created_ms: i64,
    /// Whether it was deleted in the console. Its number stays, because tokens refer to it.
    removed: bool,
    pub(crate) expires_ms: i64,
}

impl Credential {
    fn info(&self) -> CredentialInfo {
        CredentialInfo {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            id_type: self.kind.as_str().to_owned(),
            principal_id: uuid_text(self.principal_id),
            role: self.role.as_str().to_owned(),
            created_at: time::format_millis(self.created_ms),
            expires_at: time::format_millis(self.expires_ms),
        }
    }
}

#[derive(Debug)]
struct Tokens {
    access: HashMap<String, (usize, i64)>,
    refresh: HashMap<String, usize>,
    issued: u64,
}

/// All credentials and tokens.
#[derive(Debug)]
pub(crate) struct CredentialStore {
    seed: u64,
    lifetime_seconds: u64,
    credentials: Mutex<Vec<Credential>>,
    tokens: Mutex<Tokens>,
}

/// A new token pair.
#[derive(Debug)]
pub(crate) struct TokenPair {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) tracking_id: String,
    pub(crate) expires_in: u64,
}

impl CredentialStore {
    pub(crate) fn new(config: &Config, world: &Accounts, start_ms: i64) -> Result<Self, ConfigError> {
        let wanted = if config.credentials.is_empty() {
            default_credentials(world)
        } else {
            config.credentials.clone()
        };
        let mut all = Vec::with_capacity(wanted.len());
        for (at, credential) in wanted.iter().enumerate() {
            all.push(create_credential(
                config.seed,
                world,
                at,
                credential,
                start_ms - INITIAL_CREDENTIAL_AGE_MS,
            )?);
        }
        Ok(Self {
            seed: config.seed,
            lifetime_seconds: config.tokens.lifetime_seconds,
            credentials: Mutex::new(all),
            tokens: Mutex::new(Tokens { access: HashMap::new(), refresh: HashMap::new(), issued: 0 }),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Credential>> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self) -> Vec<CredentialInfo> {
        self.lock().iter().filter(|c| !c.removed).map(Credential::info).collect()
    }

    /// The client ids by number, including those of deleted credentials.
    pub(crate) fn client_ids(&self) -> Vec<String> {
        self.lock().iter().map(|c| c.client_id.clone()).collect()
    }

    /// Creates a credential at `now`.
    pub(crate) fn add(
        &self,
        world: &Accounts,
        config: &CredentialConfig,
        now: i64,
    ) -> Result<CredentialInfo, ConfigError> {
        config.check().map_err(ConfigError::invalid)?;
        let mut all = self.lock();
        let made = create_credential(self.seed, world, all.len(), config, now)?;
        if all.iter().any(|c| c.client_id.eq_ignore_ascii_case(&made.client_id)) {
            let id = &made.client_id;
            return Err(ConfigError::invalid(format!(
                "duplicate client id {id:?}: a credential has or had it"
            )));
        }
        let info = made.info();
        all.push(made);
        Ok(info)
    }

    /// Deletes a credential and invalidates its tokens.
    pub(crate) fn remove(&self, client_id: &str) -> bool {
        let Some((at, _)) = self.find(client_id) else {
            return false;
        };
        !std::mem::replace(&mut self.lock()[at].removed, true)
    }

    /// The credential with this client id, and its number.
    pub(crate) fn find(&self, client_id: &str) -> Option<(usize, Credential)> {
        let all = self.lock();
        let named = |c: &Credential| !c.removed && c.client_id.eq_ignore_ascii_case(client_id);
        let at = all.iter().position(named)?;
        Some((at, all[at].clone()))
    }

    /// Replaces a credential's secret. Existing tokens stay valid.
    pub(crate) fn rotate_secret(&self, client_id: &str) -> Option<String> {
        let (at, old) = self.find(client_id)?;
        let secret = generate_secret(mix(self.seed, 0x726f_7461), &old.client_secret);
        self.lock()[at].client_secret = secret.clone();
        Some(secret)
    }

    /// Expires a credential at `now`. Existing tokens stay valid.
    pub(crate) fn expire(&self, client_id: &str, now: i64) -> bool {
        let Some((at, _)) = self.find(client_id) else {
            return false;
        };
        self.lock()[at].expires_ms = now;
        true
    }

    pub(crate) fn issue_tokens(&self, credential: usize, now: i64) -> TokenPair {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.issued += 1;
        let mut rng = Rng::new(mix(mix(self.seed, 0x0074_6f6b), tokens.issued));
        if tokens.access.len() >= 4_096 {
            tokens.access.retain(|_, (_, expires)| *expires > now);
        }
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"simulator"}"#);
        let claims = format!(r#"{{"jti":"{}","iat":{}}}"#, rng.hex(32), now / 1_000);
        let claims = URL_SAFE_NO_PAD.encode(claims);
        let signature = URL_SAFE_NO_PAD.encode(rng.hex(86));
        let access = format!("{header}.{claims}.{signature}");
        let refresh = rng.hex(64);
        let life = i64::try_from(self.lifetime_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let expires = now.saturating_add(life);
        tokens.access.insert(access.clone(), (credential, expires));
        tokens.refresh.insert(refresh.clone(), credential);
        TokenPair {
            access_token: access,
            refresh_token: refresh,
            tracking_id: uuid_text(rng.uuid()),
            expires_in: self.lifetime_seconds,
        }
    }

    /// The credential of a valid access token, and its number.
    pub(crate) fn find_by_access_token(&self, access: &str, now: i64) -> Option<(usize, Credential)> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, expires) = *tokens.access.get(access)?;
        drop(tokens);
        let credential = self.lock()[at].clone();
        (now < expires && !credential.removed).then_some((at, credential))
    }

    /// The number of the credential of a refresh token.
    pub(crate) fn redeem_refresh_token(&self, refresh: &str) -> Option<usize> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.refresh.remove(refresh)
    }

    pub(crate) fn revoke_tokens(&self) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.access.clear();
        tokens.refresh.clear();
    }
}

/// The default credentials: every kind, and every role of the first kind.
fn default_credentials(world: &Accounts) -> Vec<CredentialConfig> {
    let mut all = Vec::new();
    let has = |f: fn(crate::config::Owner) -> bool| world.tenants.iter().any(|t| f(t.owner));
    let partner = has(crate::config::Owner::belongs_to_partner);
    if partner {
        all.push(CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin));
    }
    if has(crate::config::Owner::belongs_to_organization) {
        all.push(CredentialConfig::new(CredentialKind::Organization, Role::SuperAdmin));
    }
    let first = world.tenants.first();
    let tenant = |role| first.map(|t| CredentialConfig::for_tenant(t.id_text.as_str(), role));
    all.extend(tenant(Role::SuperAdmin));
    for role in [Role::Management, Role::Forensics, Role::ReadOnly] {
        if partner {
            all.push(CredentialConfig::new(CredentialKind::Partner, role));
        }
        all.extend(tenant(role));
    }
    all
}

fn create_credential(
    seed: u64,
    world: &Accounts,
    at: usize,
    config: &CredentialConfig,
    created_ms: i64,
) -> Result<Credential, ConfigError> {
    let mut rng = Rng::new(mix(mix(seed, 0x6372_6564), at as u64));
    let invented_id = uuid_text(rng.uuid());
    let invented_secret = generate_secret(rng.next(), "");
    let tenant = match &config.tenant {
        Some(named) if config.kind == CredentialKind::Tenant => {
            let found = world.find_tenant(named).ok_or_else(|| {
                ConfigError::invalid(format!(
                    "unknown tenant {named:?} of a credential: expected a tenant's id or name"
                ))
            })?;
            Some(found)
        }
        _ => None,
    };
    Ok(Credential {
        client_id: config.client_id.clone().unwrap_or(invented_id),
        client_secret: config.client_secret.clone().unwrap_or(invented_secret),
        kind: config.kind,
        role: config.role,
        principal_id: match (config.kind, tenant) {
            (_, Some(tenant)) => tenant.id,
            (CredentialKind::Organization, _) => world.organization_id,
            _ => world.partner_id,
        },
        tenant: tenant.map(|t| t.number),
        created_ms,
        removed: false,
        expires_ms: config
            .expires_at
            .as_deref()
            .and_then(time::parse)
            .unwrap_or(created_ms + CREDENTIAL_LIFETIME_MS),
    })
}

/// A secret of about a hundred characters, with some that a form has to encode.
fn generate_secret(seed: u64, after: &str) -> String {
    let mut rng = Rng::new(crate::hash::mix_text(seed, after));
    format!("{}+{}/{}=", rng.hex(48), rng.hex(40), rng.hex(9))
}
