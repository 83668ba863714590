//! A file of stored credentials.

use super::TestEnv;

/// Writes `credentials.toml` with the credentials of the simulator. Returns its path.
pub(crate) fn write(env: &TestEnv) -> String {
    env.write_private("credentials.toml", &valid(env))
}

/// The same with an expired credential, in `stale.toml`.
pub(crate) fn write_with_expired(env: &TestEnv) -> String {
    let stale = "[credentials.stale]\nclient_id = \"stale\"\nclient_secret = \"hush-stale\"\nexpires_at = \"2020-01-01\"\n";
    env.write_private("stale.toml", &(valid(env) + stale))
}

fn valid(env: &TestEnv) -> String {
    let mut text = String::new();
    for credential in env.simulator.credentials() {
        let (kind, id) = (&credential.id_type, &credential.principal_id);
        let name = format!("{kind}-{}", &credential.client_id[..8]);
        text.push_str(&format!(
            "[credentials.\"{name}\"]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n{kind}_id = \"{id}\"\nrole = \"read_only\"\n\
             created_at = \"2026-11-01\"\nused_for = [\"export\"]\n",
            credential.client_id, credential.client_secret
        ));
    }
    text
}
