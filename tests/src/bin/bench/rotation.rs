//! Rotation: the duration and memory of one rotation, from Secrets Manager's request to the new
//! credential, and of audits of many credentials. The secrets are in an emulator, which is
//! slower than the function.

use std::{sync::Arc, time::Instant};

use end_to_end::{
    LambdaService, TestEnv,
    moto::Moto,
    pipeline_env::{PREFIX, PipelineEnv, partner_config, secret_value},
};
use local_lambda::{InvocationOutcome as Ended, Pool};
use sophos_simulator::CredentialKind;

use crate::{
    BenchResult, MIB,
    measure::{Percentiles, ms},
    print_line,
};

const ROTATIONS: usize = 20;
pub(crate) const AUDIT_SIZES: [u64; 2] = [10, 500];

/// Measures rotations, and audits of these numbers of credentials.
pub(crate) async fn run(sizes: &[u64]) -> BenchResult {
    let lambda = LambdaService::start().await?;
    let Some(moto) = Moto::start_with_lambda(&lambda.endpoint()).await? else { return Ok(()) };
    let estate = PipelineEnv::start(partner_config(1, 10), CredentialKind::Partner).await?;
    let function = estate.rotation_function(&moto).env("LOG_LEVEL", "info");
    let pool = Arc::new(Pool::start(function, 1).await?);
    let arn = lambda.register("credential-rotation", Arc::clone(&pool));
    bench_rotations(&estate, &moto, &pool, &arn).await?;
    print_line("\nAudits of credentials in Secrets Manager, with a secret each:")?;
    print_line("  credentials   seconds   requests   peak MiB")?;
    for size in sizes {
        bench_audit(&estate, &moto, &pool, *size).await?;
    }
    Ok(())
}

/// Rotates to one credential after the other.
async fn bench_rotations(estate: &PipelineEnv, moto: &Moto, pool: &Pool, arn: &str) -> BenchResult {
    let (secrets, secret) = (moto.secrets(), format!("{PREFIX}partner"));
    let first = secret_value(estate.env.credential());
    secrets.create_secret().name(&secret).secret_string(first).send().await?;
    let before = estate.env.simulator.calls().total;
    let mut times = Vec::new();
    for _ in 0..ROTATIONS {
        let next = estate.create_credential(CredentialKind::Partner)?;
        let stage = secrets.put_secret_value().secret_id(&secret).secret_string(secret_value(&next));
        stage.version_stages("STAGED").send().await?;
        let begun = Instant::now();
        secrets.rotate_secret().secret_id(&secret).rotation_lambda_arn(arn).send().await?;
        // The emulator responds when the rotation has ended.
        let rotation = moto.rotations().await?.pop();
        times.push(ms(begun.elapsed()));
        if let Some(error) = rotation.and_then(|rotation| rotation.error) {
            return Err(error.into());
        }
        let current = secrets.get_secret_value().secret_id(&secret).send().await?;
        if !current.secret_string().is_some_and(|value| value.contains(&next.client_id)) {
            return Err(format!("the rotation to {} failed", next.client_id).into());
        }
    }
    let calls = estate.env.simulator.calls().total - before;
    let times = Percentiles::new(times);
    print_line(&format!(
        "{ROTATIONS} rotations of four steps, from RotateSecret to its end: median {:.0} ms, most {:.0} ms; \
         {:.1} requests to Sophos Central each; peak {:.1} MiB",
        times.percentile(0.5),
        times.max(),
        calls as f64 / ROTATIONS as f64,
        peak_mib(pool),
    ))?;
    Ok(())
}

async fn bench_audit(estate: &PipelineEnv, moto: &Moto, pool: &Pool, credentials: u64) -> BenchResult {
    let secrets = moto.secrets();
    let value = secret_value(estate.env.credential());
    // The rotated credential is already stored.
    for number in 1..credentials {
        let create = secrets.create_secret().name(format!("{PREFIX}{number:04}")).secret_string(&value);
        if let Err(error) = create.send().await
            && !error.as_service_error().is_some_and(|error| error.is_resource_exists_exception())
        {
            return Err(error.into());
        }
    }
    moto.reset_calls().await?;
    let begun = Instant::now();
    let Ended::Ok(report) = pool.invoke(&TestEnv::schedule_event()).await? else {
        return Err("the audit failed; see its log".into());
    };
    let seconds = begun.elapsed().as_secs_f64();
    if report["count"] != credentials {
        return Err(
            format!("the audit reports {} credentials: expected {credentials}", report["count"]).into()
        );
    }
    let requests = moto.calls_to("secretsmanager").await?;
    Ok(print_line(&format!("  {credentials:>11}  {seconds:>8.2}  {requests:>9}  {:>9.1}", peak_mib(pool)))?)
}

fn peak_mib(pool: &Pool) -> f64 {
    pool.peak_rss_bytes().unwrap_or(0) as f64 / MIB
}
