//! The rate and the response times of requests with an invalid signature.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use local_lambda::FunctionUrl;
use tokio::{task::JoinSet, time::Instant};

use super::fixture::{self, IsolationFixture, LedgerStore};
use crate::{
    BenchResult, MIB,
    measure::{Percentiles, cpu_time_ms, ms},
    print_line,
};

const DURATION: Duration = Duration::from_secs(5);

pub(crate) async fn run(sandboxes: usize) -> BenchResult {
    print_line("\nRequests with an invalid signature, each sent after the response to the previous one:")?;
    print_line(
        "  sandboxes  senders   rejected/s   webhook ms    median     95 %     99 %    worst      MiB",
    )?;
    for (sandboxes, senders) in [(1, 1), (1, 4), (sandboxes, 4 * sandboxes)] {
        let fixture = IsolationFixture::start(LedgerStore::Folder, 1).await?;
        let webhook = FunctionUrl::start(fixture.webhook(), sandboxes).await?;
        let begin = Instant::now();
        let times = send(&webhook.url(), senders).await?;
        let count = times.len() as f64;
        let rate = count / begin.elapsed().as_secs_f64();
        let times = Percentiles::new(times);
        print_line(&format!(
            "  {sandboxes:>9}  {senders:>7}  {rate:>11.0}  {:>11.2}   {}  {:>7.1}",
            cpu_time_ms(&webhook.pids())? / count,
            super::row(&times, &[0.5, 0.95, 0.99, 1.0]),
            webhook.peak_rss_bytes().unwrap_or(0) as f64 / MIB,
        ))?;
        if !fixture.env.decisions().await?.is_empty() {
            return Err("a request with an invalid signature led to a decision".into());
        }
    }
    Ok(())
}

/// Sends for a while and returns the response times.
///
/// # Errors
///
/// When a request is not rejected.
async fn send(url: &str, senders: usize) -> BenchResult<Vec<f64>> {
    let http = reqwest::Client::new();
    let number = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + DURATION;
    let mut all = JoinSet::new();
    for _ in 0..senders {
        let (http, url, number) = (http.clone(), url.to_owned(), Arc::clone(&number));
        all.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let delivery = fixture::forged(number.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                match delivery.send(&http, &url).await {
                    Ok((401, _)) => times.push(ms(sent.elapsed())),
                    other => return Err(format!("the response to an invalid signature is {other:?}")),
                }
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(some) = all.join_next().await {
        times.extend(some??);
    }
    Ok(times)
}
