//! The third part: the command line, with a credential of a partner and on the export of the
//! first part.

use std::{error::Error, path::Path};

use end_to_end::{TestEnv, program};
use sophos_simulator::{Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup};
use tokio::process::Command;

use crate::print_line;

fn config() -> Config {
    let tenant = |name: &str, endpoints| TenantGroup {
        name: Some(name.into()),
        endpoints: Some(endpoints),
        ..TenantGroup::new(Owner::Partner, 1)
    };
    Config {
        tenants: vec![tenant("Harbour Logistics", 5), tenant("Orchard Clinics", 3)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { history_hours: 1.0, ..DataConfig::default() },
        ..Config::default()
    }
}

/// Runs the commands; `export` is the folder of the first part, `home` an empty one.
pub(crate) async fn run(export: &Path, home: &Path) -> Result<(), Box<dyn Error>> {
    let env = TestEnv::start(config(), CredentialKind::Partner).await?;
    print_line("The simulator serves two tenants of one partner. The credential is read-only.\n")?;
    let at = export.to_string_lossy();
    let list = ["endpoints", "list", "--tenant", "Harbour"];
    let columns = ["--columns", "hostname,type,os=/os/name,health=/health/overall"];
    sophos(&env, home, &["config", "test"]).await?;
    sophos(&env, home, &[&list[..], &columns].concat()).await?;
    let counts = ["--columns", "dataset,commits,rows,gap_count", "--limit", "4"];
    sophos(&env, home, &[&["export", "status", "--at", &at][..], &counts].concat()).await?;
    let proof = ["--columns", "dataset,rows,objects,verified_objects,finding_count", "--limit", "4"];
    sophos(&env, home, &[&["export", "verify", "--at", &at][..], &proof].concat()).await
}

/// Prints a command and its output, as on a terminal.
async fn sophos(env: &TestEnv, home: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ sophos {}", arguments.join(" ")))?;
    let credential = env.credential();
    let mut command = Command::new(program("sophos"));
    command.args(arguments).args(["--output", "table"]).env_clear().env("HOME", home);
    command.env("SOPHOS_CLIENT_ID", &credential.client_id);
    command.env("SOPHOS_CLIENT_SECRET", &credential.client_secret);
    command.env("SOPHOS_IDENTITY_URL", env.simulator.identity_url());
    command.env("SOPHOS_GLOBAL_URL", env.simulator.global_url());
    command.env("SOPHOS_FUSION_URL", env.simulator.fusion_url());
    let output = command.output().await?;
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        // The export has a gap of each stream.
        let (gaps, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("gap: "));
        if let [first, others @ ..] = gaps.as_slice() {
            print_line(&format!("{first}, and {} more gaps", others.len()))?;
        }
        lines.into_iter().try_for_each(print_line)?;
    }
    print_line("")?;
    if !output.status.success() {
        return Err(format!("sophos {} failed: {}", arguments.join(" "), output.status).into());
    }
    Ok(())
}
