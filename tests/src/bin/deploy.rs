//! Deploys the stack into an emulator of AWS on this machine with the SAM CLI, and runs a smoke
//! test: an export of all datasets, webhooks, a GuardDuty finding, a security lake and a
//! rotation. Finally prints the used permissions and the limits of the emulator.

use std::{
    error::Error,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Parser;
use end_to_end::{
    CommittedExport,
    isolation::parse_decision_id,
    stack::{DeployPackages, EMULATOR_LIMITS, ExportResult, STACK_NAME, SmokeTest},
};
use sophos_export::Dataset;

/// Deploys the stack into an emulator of AWS on this machine and runs a smoke test.
#[derive(Debug, Parser)]
#[command(name = "deploy")]
#[group(required = true, multiple = false)]
struct Arguments {
    /// The template that `sam build` wrote
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// The folder of the built function programs
    #[arg(long, value_name = "FOLDER")]
    functions: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let packages = packages(Arguments::parse())?;
    let source = match &packages {
        DeployPackages::Built(_) => "the packages of `sam build`",
        DeployPackages::Programs(_) => "the programs of this build",
    };
    print_line(&format!("`sam deploy` deploys infra/template.yaml into the emulator, with {source} …"))?;
    let Some(mut smoke_test) = SmokeTest::start(&packages).await? else { return Ok(()) };
    print_outputs(&smoke_test)?;
    print_line("\nONE: STORE A CREDENTIAL, EXPORT ALL TENANTS\n")?;
    export(&smoke_test).await?;
    print_line("\nTWO: ISOLATE ENDPOINTS ON ALERTS OF OTHER TOOLS\n")?;
    isolate(&mut smoke_test).await?;
    print_line("\nTHREE: WRITE THE SECURITY LAKE\n")?;
    write_lake(&smoke_test).await?;
    print_line("\nFOUR: ROTATE THE CREDENTIAL\n")?;
    rotate(&smoke_test).await?;
    print_line("\nPERMISSIONS: REQUESTED AND ALLOWED\n")?;
    print_permissions(&smoke_test).await?;
    print_line("\nLIMITS OF THE EMULATOR\n")?;
    print_limits(&smoke_test)?;
    smoke_test.account.close().await;
    Ok(())
}

fn packages(arguments: Arguments) -> Result<DeployPackages, &'static str> {
    let programs = arguments.functions.map(DeployPackages::Programs);
    let packages = arguments.template.map(DeployPackages::Built).or(programs);
    packages.ok_or("missing option: expected `--template` or `--functions`")
}

fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn print_outputs(smoke_test: &SmokeTest) -> io::Result<()> {
    print_line(&format!(
        "\nThe stack {STACK_NAME} has {} resources and these outputs:\n",
        smoke_test.stack.resources.len()
    ))?;
    for (name, value) in &smoke_test.stack.outputs {
        print_line(&format!("  {name:<24} {value}"))?;
    }
    Ok(())
}

async fn export(smoke_test: &SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", smoke_test.stack.output("StoreFirstCredentialCommand")?))?;
    smoke_test.store_credential().await?;
    print_line(&format!("* The schedule {} fires", smoke_test.schedule_for("ExportFunction")?))?;
    let exported = checked(smoke_test.export().await?)?;
    let (plan, drained) = (&exported.plan.response, &exported.drain);
    print_line(&format!("    the plan has {} messages for {} tenants", plan["planned"], plan["tenants"]))?;
    print_line(&format!(
        "    the workers handle {} messages in {} invocations",
        drained.handled, drained.batches
    ))?;
    print_datasets(&exported.committed)?;
    let (rows, objects) = (exported.committed.rows(), exported.committed.objects());
    print_line(&format!(
        "PROOF: {rows} rows in {objects} committed objects of {}:\n       each event and alert that the service served, exactly once; snapshots are in Parquet.",
        smoke_test.stack.output("ExportLocation")?
    ))?;
    let notices = smoke_test.notices().await?.len();
    if notices as u64 != objects {
        return Err(format!("the queue has {notices} notices: expected {objects}").into());
    }
    print_line(&format!(
        "PROOF: {} has {notices} notices, one for each committed object.",
        smoke_test.stack.output("NoticeQueueUrl")?
    ))?;
    Ok(())
}

async fn isolate(smoke_test: &mut SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", smoke_test.stack.output("StorePolicyCommand")?))?;
    smoke_test.store_policy().await?;
    print_line(&format!("$ {}", smoke_test.stack.output("ShowFirstWebhookSecretCommand")?))?;
    let key = smoke_test.run_output_command("ShowFirstWebhookSecretCommand", None).await?;
    let url = smoke_test.stack.output("WebhookUrl")?.replace("{source}", "first");
    let mut decisions = Vec::new();
    for (what, host, key) in [
        ("a signed report about LAPTOP-4711", "LAPTOP-4711", key.as_str()),
        ("a forged report about LAPTOP-4711", "LAPTOP-4711", "a guessed key"),
        ("a signed report about DC01, a server", "DC01", key.as_str()),
    ] {
        let (status, response) = smoke_test.send_report(what, host, key).await?;
        print_line(&format!("* POST {url}: {what}\n    {status}"))?;
        if status == 202 {
            decisions.push((host, parse_decision_id(&response)?.to_string()));
        }
    }
    print_line("* GuardDuty puts a finding about an EC2 instance on the account's event bus")?;
    smoke_test.send_guardduty_finding("6acdc15e4418414a868e8bbdf45b456b").await?;
    for delivery in smoke_test.account.deliveries().await? {
        if let Some(error) = delivery.error {
            return Err(error.into());
        }
        print_line(&format!("    the rule {} delivers it to the webhook", delivery.rule))?;
        decisions.push(("the instance", parse_decision_id(&delivery.response)?.to_string()));
    }
    let drained = smoke_test.drain_isolation_queue().await?;
    print_line(&format!(
        "* The worker handles {} messages of {}",
        drained.handled,
        smoke_test.stack.output("IsolationQueueUrl")?
    ))?;
    let mut isolated = 0;
    for (host, id) in &decisions {
        let state = smoke_test.wait_until_ended(id).await?;
        isolated += usize::from(state == "released");
        print_line(&format!("    {id}, {host}: {state}"))?;
    }
    let changes = smoke_test.simulator.isolation_changes();
    let of = |enabled| changes.iter().filter(|change| change.enabled == enabled && change.changed).count();
    if (of(true), of(false)) != (isolated, isolated) {
        return Err(format!(
            "the service recorded {} isolations and {} releases: expected {isolated} of each",
            of(true),
            of(false)
        )
        .into());
    }
    print_line(&format!(
        "PROOF: the service recorded one isolation and one release for each of {isolated} endpoints;\n       \
         the decisions are in s3://{}/isolation.",
        smoke_test.stack.output("BucketName")?
    ))?;
    Ok(())
}

/// The export, if nothing failed and no row is missing, duplicate or unknown.
fn checked(exported: ExportResult) -> Result<ExportResult, Box<dyn Error>> {
    let ExportResult { plan, drain, defects, .. } = &exported;
    match plan.error.as_ref().or(drain.failures.first()).or(defects.first()) {
        Some(why) => Err(why.clone().into()),
        None => Ok(exported),
    }
}

fn print_datasets(exported: &CommittedExport) -> io::Result<()> {
    for dataset in Dataset::ALL {
        print_line(&format!("    {:<16} {:>6} rows", dataset.name(), exported.rows_of(dataset.name())))?;
    }
    Ok(())
}

async fn write_lake(smoke_test: &SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line("* The export runs again, with the audit log and the ledger of the isolations")?;
    print_datasets(&checked(smoke_test.export().await?)?.committed)?;
    print_line(&format!("* The schedule {} fires", smoke_test.schedule_for("LakeFunction")?))?;
    let written = smoke_test.write_lake().await?;
    if let Some(error) = written.run.error {
        return Err(error.into());
    }
    let report = &written.run.response;
    print_line(&format!(
        "    {} exported rows: {} as OCSF, by class",
        report["stored_rows"], report["rows"]
    ))?;
    for key in &written.objects {
        print_line(&format!("    {key}"))?;
    }
    let again = smoke_test.write_lake().await?;
    if again.run.response["stored_rows"] != 0 || again.objects != written.objects {
        return Err(format!("a second run wrote again: {}", again.run.response).into());
    }
    print_line("PROOF: a second run writes nothing: the lake has each row once.")?;
    Ok(())
}

async fn rotate(smoke_test: &SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", smoke_test.stack.output("StageCredentialCommand")?))?;
    smoke_test.stage_credential().await?;
    let steps = smoke_test.rotate().await?;
    print_line(&format!("* Secrets Manager rotates the secret: {}", steps.join(", ")))?;
    smoke_test.simulator.remove_credential(&smoke_test.credential.client_id);
    print_line("* The administrator deletes the previous credential in the console")?;
    let exported = checked(smoke_test.export().await?)?;
    let rows = exported.committed.rows();
    print_line(&format!("PROOF: the next export uses the new credential: {rows} rows, each exactly once."))?;
    let watched = smoke_test.account.fire_schedule(smoke_test.schedule_for("RotationFunction")?).await?;
    print_line(&format!("* The audit of credentials reports {}", watched.response))?;
    Ok(())
}

async fn print_permissions(smoke_test: &SmokeTest) -> Result<(), Box<dyn Error>> {
    let access = smoke_test.account.access().await?;
    let mut denied = Vec::new();
    for (name, resource) in smoke_test.stack.resources_of_type("AWS::IAM::Role") {
        let role = access.role(&resource.physical_id);
        let requests: u64 = role.allowed.iter().map(|access| access.count).sum();
        let permissions = role.permissions.iter().filter(|permission| permission.allows).count();
        print_line(&format!("  {name}: {requests} requests, {permissions} permissions"))?;
        for permission in role.unused_permissions() {
            print_line(&format!("    not used in this run: {permission}"))?;
        }
        denied.extend(role.denied.iter().map(|access| format!("{name}: {access}")));
    }
    match denied.first() {
        None => Ok(print_line("PROOF: no function sent a request outside of its role's permissions.")?),
        Some(first) => Err(format!("{} requests were denied, such as {first}", denied.len()).into()),
    }
}

fn print_limits(smoke_test: &SmokeTest) -> io::Result<()> {
    for limit in EMULATOR_LIMITS {
        print_line(&format!("  - {limit}"))?;
    }
    for (name, resource) in &smoke_test.stack.resources {
        if !resource.is_emulated {
            print_line(&format!("  - {name} ({}) exists by name only", resource.resource_type))?;
        } else if !resource.ignored_properties.is_empty() {
            print_line(&format!(
                "  - {name} ({}) ignores {}",
                resource.resource_type,
                resource.ignored_properties.join(", ")
            ))?;
        }
    }
    Ok(())
}
