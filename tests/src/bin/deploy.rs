//! Deploys the stack into an emulator of AWS on this machine with the SAM CLI, and runs a smoke
//! test: an export, webhooks, a GuardDuty finding and a rotation. Finally prints the used
//! permissions and the limits of the emulator.

use std::{
    error::Error,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Parser;
use end_to_end::{
    isolation::parse_decision_id,
    stack::{DeployPackages, EMULATOR_LIMITS, STACK_NAME, SmokeTest},
};

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
    let Some(mut tour) = SmokeTest::start(&packages).await? else { return Ok(()) };
    print_outputs(&tour)?;
    print_line("\nONE: A CREDENTIAL IS STORED, AND EVERYTHING IS EXPORTED\n")?;
    export(&tour).await?;
    print_line("\nTWO: OTHER TOOLS HAVE ENDPOINTS ISOLATED\n")?;
    isolate(&mut tour).await?;
    print_line("\nTHREE: THE CREDENTIAL IS ROTATED\n")?;
    rotate(&tour).await?;
    print_line("\nWHAT WAS ASKED FOR, AND WHAT IS ALLOWED\n")?;
    print_permissions(&tour).await?;
    print_line("\nWHAT THE EMULATOR CANNOT DO\n")?;
    print_limits(&tour)?;
    tour.account.close().await;
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

fn print_outputs(tour: &SmokeTest) -> io::Result<()> {
    print_line(&format!("\n{STACK_NAME}: {} resources. Its outputs:\n", tour.stack.resources.len()))?;
    for (name, value) in &tour.stack.outputs {
        print_line(&format!("  {name:<24} {value}"))?;
    }
    Ok(())
}

async fn export(tour: &SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", tour.stack.output("StoreFirstCredentialCommand")?))?;
    tour.store_credential().await?;
    print_line(&format!("* the schedule {} fires", tour.schedule_for("ExportFunction")?))?;
    let exported = tour.export().await?;
    if let Some(error) = exported.plan.error {
        return Err(error.into());
    }
    let (plan, drained) = (&exported.plan.answer, &exported.drain);
    print_line(&format!("    {} messages are planned, of {} tenants", plan["planned"], plan["tenants"]))?;
    print_line(&format!("    {} are worked off, in {} invocations", drained.handled, drained.batches))?;
    if let Some(why) = drained.failures.first().or(exported.defects.first()) {
        return Err(why.clone().into());
    }
    let (rows, objects) = (exported.committed.rows(), exported.committed.objects());
    print_line(&format!(
        "PROOF: {rows} rows in {objects} committed objects of {}, each that the service\n       handed out exactly once.",
        tour.stack.output("ExportLocation")?
    ))?;
    Ok(())
}

async fn isolate(tour: &mut SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", tour.stack.output("StorePolicyCommand")?))?;
    tour.store_policy().await?;
    print_line(&format!("$ {}", tour.stack.output("ShowFirstWebhookSecretCommand")?))?;
    let key = tour.run_output_command("ShowFirstWebhookSecretCommand", None).await?;
    let url = tour.stack.output("WebhookUrl")?.replace("{source}", "first");
    let mut decisions = Vec::new();
    for (what, host, key) in [
        ("a signed report of LAPTOP-4711", "LAPTOP-4711", key.as_str()),
        ("one that somebody forged", "LAPTOP-4711", "a key that somebody guessed"),
        ("one of DC01, a server", "DC01", key.as_str()),
    ] {
        let (status, answer) = tour.send_report(what, host, key).await?;
        print_line(&format!("* POST {url}: {what}\n    {status}"))?;
        if status == 202 {
            decisions.push((host, parse_decision_id(&answer)?.to_string()));
        }
    }
    print_line("* GuardDuty puts a finding about an EC2 instance onto the account's event bus")?;
    tour.send_guardduty_finding("6acdc15e4418414a868e8bbdf45b456b").await?;
    for delivery in tour.account.deliveries().await? {
        if let Some(error) = delivery.error {
            return Err(error.into());
        }
        print_line(&format!("    the rule {} brings it to the webhook", delivery.rule))?;
        decisions.push(("the instance", parse_decision_id(&delivery.answer)?.to_string()));
    }
    let drained = tour.drain_isolation_queue().await?;
    print_line(&format!(
        "* the worker takes {} messages from {}",
        drained.handled,
        tour.stack.output("IsolationQueueUrl")?
    ))?;
    let mut isolated = 0;
    for (host, id) in &decisions {
        let state = tour.wait_until_ended(id).await?;
        isolated += usize::from(state == "released");
        print_line(&format!("    {id}, {host}: {state}"))?;
    }
    let changes = tour.simulator.isolation_changes();
    let of = |enabled| changes.iter().filter(|change| change.enabled == enabled && change.changed).count();
    if (of(true), of(false)) != (isolated, isolated) {
        return Err(format!("{} isolations and {} releases for {isolated}", of(true), of(false)).into());
    }
    print_line(&format!(
        "PROOF: by its own record the service isolated {isolated} endpoints, each once, and released the same;\n       \
         the decisions are in s3://{}/isolation.",
        tour.stack.output("BucketName")?
    ))?;
    Ok(())
}

async fn rotate(tour: &SmokeTest) -> Result<(), Box<dyn Error>> {
    print_line(&format!("$ {}", tour.stack.output("StageCredentialCommand")?))?;
    tour.stage_credential().await?;
    let steps = tour.rotate().await?;
    print_line(&format!("* Secrets Manager rotates the secret: {}", steps.join(", ")))?;
    tour.simulator.remove_credential(&tour.credential.client_id);
    print_line("* the credential before it is deleted in the console")?;
    let exported = tour.export().await?;
    if let Some(why) = exported.plan.error.or(exported.drain.failures.first().cloned()) {
        return Err(why.into());
    }
    if let Some(defect) = exported.defects.first() {
        return Err(defect.clone().into());
    }
    let rows = exported.committed.rows();
    print_line(&format!("PROOF: the next export goes on with the new one: {rows} rows, each exactly once."))?;
    let watched = tour.account.fire_schedule(tour.schedule_for("RotationFunction")?).await?;
    print_line(&format!("* the watch over credentials: {}", watched.answer))?;
    Ok(())
}

async fn print_permissions(tour: &SmokeTest) -> Result<(), Box<dyn Error>> {
    let access = tour.account.access().await?;
    let mut refused = Vec::new();
    for (name, resource) in tour.stack.resources_of_type("AWS::IAM::Role") {
        let role = access.role(&resource.physical_id);
        let calls: u64 = role.allowed.iter().map(|asked| asked.count).sum();
        let rights = role.permissions.iter().filter(|right| right.allows).count();
        print_line(&format!("  {name}: {calls} calls, {rights} rights"))?;
        for right in role.unused_permissions() {
            print_line(&format!("    not needed in this run: {right}"))?;
        }
        refused.extend(role.denied.iter().map(|asked| format!("{name}: {asked}")));
    }
    match refused.first() {
        None => Ok(print_line("PROOF: no function asked for anything outside of its role.")?),
        Some(first) => Err(format!("{} calls were refused, such as {first}", refused.len()).into()),
    }
}

fn print_limits(tour: &SmokeTest) -> io::Result<()> {
    for limit in EMULATOR_LIMITS {
        print_line(&format!("  - {limit}"))?;
    }
    for (name, resource) in &tour.stack.resources {
        if !resource.is_emulated {
            print_line(&format!("  - {name} ({}) is kept by its name only", resource.resource_type))?;
        } else if !resource.ignored_properties.is_empty() {
            print_line(&format!(
                "  - {name} ({}) has no {}",
                resource.resource_type,
                resource.ignored_properties.join(", ")
            ))?;
        }
    }
    Ok(())
}
