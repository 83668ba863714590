//! `sophos config test`.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use sophos_api::models::IdType;

use crate::{
    config::fusion_test::{self, FusionReport},
    connect::{Session, now},
    context::Context,
    exit::Failure,
    global_args::OutputFormat,
};

/// The clock difference that the service does not accept for long, in seconds.
const MAX_CLOCK_SKEW: i64 = 60;

/// The report of a test.
#[derive(Debug, Serialize)]
struct Report {
    profile: String,
    client_id: String,
    secret: String,
    id: String,
    id_type: String,
    access_level: &'static str,
    global_host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_region_host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_to_expiry: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_skew_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data_regions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fusion: Option<FusionReport>,
    /// The commands that need another credential.
    not_available: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Tests the credential and prints the report.
///
/// # Errors
/// When the credential is rejected or the service cannot be reached.
pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let session = context.session().await?;
    let report = build(session, context).await?;
    if context.output.format == OutputFormat::Table
        && context.output.jq.is_none()
        && context.output.columns.is_empty()
    {
        print(&report, context)?;
        return Ok(());
    }
    let mut records = context.record();
    records.write(&report)?;
    records.finish()?;
    Ok(())
}

async fn build(session: &Session, context: &Context) -> Result<Report, Failure> {
    let identity = session.identity().await?;
    let (local, service) = (now(), session.client.service_time());
    let mut warnings = Vec::new();
    let skew = service.map(|service| local.as_secs().cast_signed() - service.as_secs().cast_signed());
    if let Some(skew) = skew.filter(|skew| skew.abs() > MAX_CLOCK_SKEW) {
        warnings.push(format!("the clock of this machine differs from the service's by {skew} s; set it"));
    }
    let tenants = match session.list_tenants(context).await {
        Ok(tenants) => Some(tenants),
        Err(failure) => {
            warnings.push(format!("listing the tenants failed: {failure}"));
            None
        }
    };
    let mut data_regions: Vec<_> =
        tenants.iter().flatten().filter_map(|tenant| tenant.data_region.clone()).collect();
    data_regions.sort();
    data_regions.dedup();
    if let Some(region) = &session.profile.region {
        let host = identity.data_region.as_ref().map(ToString::to_string);
        let known = data_regions.iter().chain(host.as_ref());
        let matches = |text: &String| text.to_lowercase().contains(&region.to_lowercase());
        if known.clone().next().is_some() && !known.clone().any(matches) {
            warnings.push(format!("the profile expects the data region {region}, and no tenant is in it"));
        }
    }
    let expires_at = session.metadata.expires_at;
    let seconds = expires_at.map(|at| at.as_second() - local.as_secs().cast_signed());
    let days_to_expiry = seconds.map(|seconds| seconds.div_euclid(86_400));
    if days_to_expiry.is_some_and(|days| days < 30) {
        warnings.push(
            "the credential expires within 30 days: create another in API Credentials Management".to_owned(),
        );
    }
    let fusion = match &tenants {
        Some(tenants) => fusion_test::run(session, tenants, &mut warnings).await?,
        None => None,
    };
    let (access_level, not_available) = access(&identity.id_type);
    Ok(Report {
        profile: session.profile.name.clone(),
        client_id: session.metadata.client_id.clone(),
        secret: session.profile.secret.to_string(),
        id: identity.id,
        id_type: identity.id_type.to_string(),
        access_level,
        global_host: identity.global.to_string(),
        data_region_host: identity.data_region.map(|host| host.to_string()),
        role: session.metadata.role.clone(),
        expires_at: expires_at.map(|at: Timestamp| at.to_string()),
        days_to_expiry,
        clock_skew_seconds: skew,
        tenants: tenants.map(|tenants| tenants.len()),
        data_regions,
        fusion,
        not_available,
        warnings,
    })
}

/// The access of a credential of this type, and the commands that need another.
fn access(id_type: &IdType) -> (&'static str, Vec<&'static str>) {
    match id_type {
        IdType::Partner => ("Partner (full tenant management available)", Vec::new()),
        IdType::Organization => (
            "Organization (its own tenants)",
            vec!["tenants create", "tenants usage", "admins and roles of the partner"],
        ),
        IdType::Tenant => (
            "Tenant (its own data)",
            vec![
                "tenants create",
                "tenants usage",
                "admins and roles of the partner",
                "--all-tenants for more than one tenant",
            ],
        ),
        _ => ("unknown", Vec::new()),
    }
}

fn print(report: &Report, context: &Context) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let check = if context.output.color { "\u{1b}[32m✓\u{1b}[0m" } else { "✓" };
    writeln!(out, "{check} Whoami request successful")?;
    let title = match report.id_type.as_str() {
        "partner" => "Partner ID",
        "organization" => "Organization ID",
        "tenant" => "Tenant ID",
        _ => "ID",
    };
    let mut lines = vec![
        (title, report.id.clone()),
        ("ID Type", report.id_type.clone()),
        ("Access Level", report.access_level.to_owned()),
        (
            "Profile",
            format!("{} (client id {}, secret in {})", report.profile, report.client_id, report.secret),
        ),
        ("Global host", report.global_host.clone()),
    ];
    let mut push = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    push("Data region host", report.data_region_host.clone());
    push("Data regions", Some(report.data_regions.join(", ")).filter(|regions| !regions.is_empty()));
    push("Tenants", report.tenants.map(|tenants| tenants.to_string()));
    push("Sophos Fusion", report.fusion.as_ref().map(ToString::to_string));
    push("Role", report.role.clone());
    push(
        "Expires",
        report
            .expires_at
            .clone()
            .zip(report.days_to_expiry)
            .map(|(at, days)| format!("{at} (in {days} days)")),
    );
    push(
        "Clock difference",
        report.clock_skew_seconds.map(|seconds| match seconds {
            -2..=2 => "under 3 s".to_owned(),
            seconds => format!("{seconds} s"),
        }),
    );
    for (name, value) in lines {
        writeln!(out, "  {:<18}{value}", format!("{name}:"))?;
    }
    if !report.not_available.is_empty() {
        writeln!(out, "  Note: these need partner-level credentials: {}", report.not_available.join(", "))?;
    }
    for warning in &report.warnings {
        context.warn(warning);
    }
    Ok(())
}
