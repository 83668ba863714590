//! Measures the time of a page of a thousand events over HTTP.

use std::time::Instant;

use sophos_simulator::{Config, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.data.events_per_hour = 40_000.0;
    let sim = Simulator::start(config).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let credential = &sim.credentials()[0];
    let secret: String = credential.client_secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let form = format!(
        "grant_type=client_credentials&scope=token&client_id={}&client_secret={secret}",
        credential.client_id
    );
    let token = http
        .post(format!("{}/api/v2/oauth2/token", sim.identity_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?
        .text()
        .await?;
    let token: serde_json::Value = serde_json::from_str(&token)?;
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
    let tenant = &sim.tenants()[0];
    let host = sim.region_url(&tenant.region).unwrap_or_default();
    let mut cursor = String::new();
    let (mut bytes, mut pages) = (0, 0);
    let began = Instant::now();
    while pages < 300 {
        let body = http
            .get(format!("{host}/siem/v1/events?limit=1000{cursor}"))
            .header("authorization", &bearer)
            .header("x-tenant-id", &tenant.id)
            .send()
            .await?
            .text()
            .await?;
        let next = body.rsplit('"').nth(1).unwrap_or_default();
        cursor = format!("&cursor={next}");
        bytes += body.len();
        pages += 1;
    }
    let each = began.elapsed().as_secs_f64() * 1e3 / f64::from(pages);
    println!("{each:.2} ms and {} KiB per page of 1000 events", bytes / pages as usize / 1024);
    Ok(())
}
