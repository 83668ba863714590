//! The stack, deployed into an emulator of AWS on this machine by the command line
//! of SAM, and at work with what is deployed: an export, webhooks, a finding of
//! GuardDuty, a rotation. In the end, what it needed of its rights, and what the
//! emulator cannot do.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
};

use end_to_end::{
    isolation::decision_of,
    stack::{LIMITS, Packages, STACK, Tour},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let packages = packages()?;
    let with = match &packages {
        Packages::Built(_) => "what `sam build` has made of it",
        Packages::Programs(_) => "the programs of this build",
    };
    say(&format!("`sam deploy` of infra/template.yaml into the emulator, with {with} …"))?;
    let Some(mut tour) = Tour::begin(&packages).await? else { return Ok(()) };
    deployed(&tour)?;
    say("\nONE: A CREDENTIAL IS STORED, AND EVERYTHING IS EXPORTED\n")?;
    export(&tour).await?;
    say("\nTWO: OTHER TOOLS HAVE ENDPOINTS ISOLATED\n")?;
    isolate(&mut tour).await?;
    say("\nTHREE: THE CREDENTIAL IS ROTATED\n")?;
    rotate(&tour).await?;
    say("\nWHAT WAS ASKED FOR, AND WHAT IS ALLOWED\n")?;
    rights(&tour).await?;
    say("\nWHAT THE EMULATOR CANNOT DO\n")?;
    limits(&tour)?;
    tour.account.close().await;
    Ok(())
}

/// What is to be deployed, as `cargo xtask deploy` tells.
fn packages() -> Result<Packages, &'static str> {
    if let Some(template) = env::var_os("BUILT_TEMPLATE") {
        return Ok(Packages::Built(template.into()));
    }
    let folder = env::var_os("FUNCTIONS_DIR");
    let folder = folder.ok_or("FUNCTIONS_DIR is not set; run `cargo xtask deploy --local`")?;
    Ok(Packages::Programs(folder.into()))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn deployed(tour: &Tour) -> io::Result<()> {
    say(&format!("\n{STACK}: {} resources. Its outputs:\n", tour.stack.resources.len()))?;
    for (name, value) in &tour.stack.outputs {
        say(&format!("  {name:<24} {value}"))?;
    }
    Ok(())
}

async fn export(tour: &Tour) -> Result<(), Box<dyn Error>> {
    say(&format!("$ {}", tour.stack.output("StoreFirstCredential")?))?;
    tour.store_credential().await?;
    say(&format!("* the schedule {} fires", tour.schedule_of("ExportFunction")?))?;
    let exported = tour.export().await?;
    if let Some(error) = exported.plan.error {
        return Err(error.into());
    }
    let (plan, drained) = (&exported.plan.answer, &exported.drained);
    say(&format!("    {} messages are planned, of {} tenants", plan["planned"], plan["tenants"]))?;
    say(&format!("    {} are worked off, in {} invocations", drained.handled, drained.batches))?;
    if let Some(why) = drained.failures.first().or(exported.defects.first()) {
        return Err(why.clone().into());
    }
    let (rows, objects) = (exported.committed.rows(), exported.committed.objects());
    say(&format!(
        "PROOF: {rows} rows in {objects} committed objects of {}, each that the service\n       handed out exactly once.",
        tour.stack.output("ExportLocation")?
    ))?;
    Ok(())
}

async fn isolate(tour: &mut Tour) -> Result<(), Box<dyn Error>> {
    say(&format!("$ {}", tour.stack.output("StorePolicy")?))?;
    tour.store_policy().await?;
    say(&format!("$ {}", tour.stack.output("ShowFirstSenderKey")?))?;
    let key = tour.follow("ShowFirstSenderKey", None).await?;
    let url = tour.stack.output("WebhookUrl")?.replace("{source}", "first");
    let mut decisions = Vec::new();
    for (what, host, key) in [
        ("a signed report of LAPTOP-4711", "LAPTOP-4711", key.as_str()),
        ("one that somebody forged", "LAPTOP-4711", "a key that somebody guessed"),
        ("one of DC01, a server", "DC01", key.as_str()),
    ] {
        let (status, answer) = tour.report(what, host, key).await?;
        say(&format!("* POST {url}: {what}\n    {status}"))?;
        if status == 202 {
            decisions.push((host, decision_of(&answer)?.to_string()));
        }
    }
    say("* GuardDuty puts a finding about an EC2 instance onto the account's event bus")?;
    tour.find("6acdc15e4418414a868e8bbdf45b456b").await?;
    for delivery in tour.account.deliveries().await? {
        if let Some(error) = delivery.error {
            return Err(error.into());
        }
        say(&format!("    the rule {} brings it to the webhook", delivery.rule))?;
        decisions.push(("the instance", decision_of(&delivery.answer)?.to_string()));
    }
    let drained = tour.work().await?;
    say(&format!(
        "* the worker takes {} messages from {}",
        drained.handled,
        tour.stack.output("IsolationQueueUrl")?
    ))?;
    let mut isolated = 0;
    for (host, id) in &decisions {
        let state = tour.settle(id).await?;
        isolated += usize::from(state == "released");
        say(&format!("    {id}, {host}: {state}"))?;
    }
    let changes = tour.simulator.isolation_changes();
    let of = |enabled| changes.iter().filter(|change| change.enabled == enabled && change.changed).count();
    if (of(true), of(false)) != (isolated, isolated) {
        return Err(format!("{} isolations and {} releases for {isolated}", of(true), of(false)).into());
    }
    say(&format!(
        "PROOF: by its own record the service isolated {isolated} endpoints, each once, and released the same;\n       \
         the decisions are in s3://{}/isolation.",
        tour.stack.output("BucketName")?
    ))?;
    Ok(())
}

async fn rotate(tour: &Tour) -> Result<(), Box<dyn Error>> {
    say(&format!("$ {}", tour.stack.output("StageCredential")?))?;
    tour.stage_credential().await?;
    let steps = tour.rotate().await?;
    say(&format!("* Secrets Manager rotates the secret: {}", steps.join(", ")))?;
    tour.simulator.remove_credential(&tour.credential.client_id);
    say("* the credential before it is deleted in the console")?;
    let exported = tour.export().await?;
    if let Some(why) = exported.plan.error.or(exported.drained.failures.first().cloned()) {
        return Err(why.into());
    }
    if let Some(defect) = exported.defects.first() {
        return Err(defect.clone().into());
    }
    let rows = exported.committed.rows();
    say(&format!("PROOF: the next export goes on with the new one: {rows} rows, each exactly once."))?;
    let watched = tour.account.fire(tour.schedule_of("RotationFunction")?).await?;
    say(&format!("* the watch over credentials: {}", watched.answer))?;
    Ok(())
}

async fn rights(tour: &Tour) -> Result<(), Box<dyn Error>> {
    let access = tour.account.access().await?;
    let mut refused = Vec::new();
    for (name, resource) in tour.stack.of_kind("AWS::IAM::Role") {
        let role = access.of(&resource.id);
        let calls: u64 = role.granted.iter().map(|asked| asked.count).sum();
        let rights = role.rights.iter().filter(|right| right.grants).count();
        say(&format!("  {name}: {calls} calls, {rights} rights"))?;
        for right in role.unused() {
            say(&format!("    not needed in this run: {right}"))?;
        }
        refused.extend(role.refused.iter().map(|asked| format!("{name}: {asked}")));
    }
    match refused.first() {
        None => Ok(say("PROOF: no function asked for anything outside of its role.")?),
        Some(first) => Err(format!("{} calls were refused, such as {first}", refused.len()).into()),
    }
}

fn limits(tour: &Tour) -> io::Result<()> {
    for limit in LIMITS {
        say(&format!("  - {limit}"))?;
    }
    for (name, resource) in &tour.stack.resources {
        if !resource.is_real {
            say(&format!("  - {name} ({}) is kept by its name only", resource.kind))?;
        } else if !resource.not_kept.is_empty() {
            say(&format!("  - {name} ({}) has no {}", resource.kind, resource.not_kept.join(", ")))?;
        }
    }
    Ok(())
}
