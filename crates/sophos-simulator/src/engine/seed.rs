//! Generated records of an account.

use serde_json::{Value, json};

use crate::central::Central;
use crate::data::tenant::Tenant;
use crate::hash::{IdSpace, Rng, mix, mix_text, uuid_text};
use crate::time;

const FIRST_NAMES: &[&str] = &["Ada", "Björn", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hiro"];
const LAST_NAMES: &[&str] = &["Abbott", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Güneş"];

/// The generator of an account's records. The same simulator generates the same records.
#[derive(Debug)]
pub(crate) struct Seed<'a> {
    pub(crate) central: &'a Central,
    /// The tenant, unless the account is a partner or an organization.
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) rng: Rng,
    key: u64,
    start_ms: i64,
}

/// A generated person.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    pub(crate) email: String,
}

impl<'a> Seed<'a> {
    pub(crate) fn new(central: &'a Central, account: u128, collection: &str) -> Self {
        let key = mix(mix(central.config.seed, account as u64), (account >> 64) as u64);
        Self {
            central,
            tenant: central.accounts.tenants().find(|tenant| tenant.id == account),
            rng: Rng::new(mix_text(key, collection)),
            key,
            start_ms: central.start_ms,
        }
    }

    /// The id of the generated record at `index` of a collection, for references to it.
    pub(crate) fn id(&self, collection: &str, index: u64) -> String {
        uuid_text(IdSpace::new(mix_text(self.key, collection)).id(index))
    }

    /// A new UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid_text(self.rng.uuid())
    }

    /// A time up to `days` before the simulator's start.
    pub(crate) fn past(&mut self, days: u64) -> String {
        let ago = self.rng.below(days.max(1) * 86_400_000);
        time::format_millis(self.start_ms - i64::try_from(ago).unwrap_or_default())
    }

    /// The person with this number, the same in all collections of the account.
    pub(crate) fn person(&self, number: usize) -> Person {
        let (first, last) = (FIRST_NAMES[number % FIRST_NAMES.len()], LAST_NAMES[number % LAST_NAMES.len()]);
        let ascii = |text: &str| text.chars().filter(char::is_ascii).collect::<String>().to_lowercase();
        let again = number / FIRST_NAMES.len();
        let suffix = if again == 0 { String::new() } else { again.to_string() };
        Person {
            name: format!("{first} {last}"),
            first,
            last,
            email: format!("{}.{}{suffix}@example.com", ascii(first), ascii(last)),
        }
    }

    /// The ids of the tenant's first `count` endpoints.
    pub(crate) fn endpoint_ids(&self, count: u64) -> Vec<String> {
        let tenant = self.tenant.map(|tenant| (tenant, tenant.endpoint_count().min(count)));
        tenant.map_or_else(Vec::new, |(tenant, count)| {
            (0..count).map(|index| uuid_text(tenant.endpoint_id(index))).collect()
        })
    }

    /// `{"id": …}` of the tenant.
    pub(crate) fn tenant_ref(&self) -> Value {
        self.tenant.map_or(Value::Null, |tenant| json!({ "id": tenant.id_text }))
    }
}
