//! The cost of rejected requests: calls to the store, Secrets Manager and SQS, and how
//! many requests a second one process rejects.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use end_to_end::{
    isolation::{Delivery, unix_now, webhook_secret},
    moto::Moto,
};
use local_lambda::{FunctionUrl, LambdaFunction};
use tokio::{task::JoinSet, time::Instant};

use super::fixture::{self, IsolationFixture, LedgerStore, SECRET};
use crate::{BenchResult, measure::cpu_time_ms, print_line};

const DURATION: Duration = Duration::from_secs(3);

/// The number of concurrent senders.
const SENDERS: usize = 4;

/// The prefix of the senders' secrets in Secrets Manager.
const PREFIX: &str = "sophos/senders/";

/// The age that makes a signature invalid.
const STALE_SECONDS: u64 = 86_400;

#[derive(Debug, Clone, Copy)]
enum Attack {
    WrongSignature,
    UnknownSource,
    StaleTime,
    NoSignature,
}

impl Attack {
    const ALL: [(&str, Self); 4] = [
        ("wrong signature", Self::WrongSignature),
        ("unknown source", Self::UnknownSource),
        ("stale time", Self::StaleTime),
        ("no signature", Self::NoSignature),
    ];

    fn delivery(self, number: u64) -> Delivery {
        match self {
            Self::WrongSignature => fixture::forged(number),
            Self::UnknownSource => Delivery { path: "/hooks/unknown".into(), ..fixture::forged(number) },
            Self::StaleTime => fixture::signed(number, webhook_secret(SECRET), unix_now() - STALE_SECONDS),
            Self::NoSignature => {
                let Delivery { path, body, .. } = fixture::forged(number);
                Delivery::unsigned(path, body)
            }
        }
    }
}

/// Requests to the services behind the webhook. Those to AWS are unknown without the emulator.
#[derive(Debug, Clone, Copy)]
struct ServiceCalls {
    store: usize,
    secrets_and_sqs: Option<(u64, u64)>,
}

impl ServiceCalls {
    fn row(self) -> String {
        let (secrets, sqs) = match self.secrets_and_sqs {
            Some((secrets, sqs)) => (secrets.to_string(), sqs.to_string()),
            None => ("-".to_owned(), "-".to_owned()),
        };
        format!("{:>6}  {secrets:>7}  {sqs:>4}", self.store)
    }
}

/// The services behind the webhook.
struct Fixture {
    isolation: IsolationFixture,
    moto: Option<Moto>,
    queue: Option<String>,
}

pub(crate) async fn run() -> BenchResult {
    print_line(&format!(
        "\nCalls to the store (ledger and policy, in S3), Secrets Manager and SQS for requests that one process\n\
         rejects: for the first request, and for all that {SENDERS} senders send in {} s after it:",
        DURATION.as_secs(),
    ))?;
    print_line("                    the first request           all later requests")?;
    print_line(
        "  request           store  secrets   SQS     store  secrets   SQS  requests   rejected/s  webhook ms",
    )?;
    let services = Fixture::start().await?;
    for (name, attack) in Attack::ALL {
        services.attack(name, attack).await?;
    }
    if services.moto.is_none() {
        print_line("  Requests to Secrets Manager and SQS are unknown: the emulator is not installed.")?;
    }
    if !services.isolation.env.decisions().await?.is_empty() {
        return Err("a rejected request led to a decision".into());
    }
    Ok(())
}

impl Fixture {
    async fn start() -> BenchResult<Self> {
        let fixture = IsolationFixture::start(LedgerStore::S3, 1).await?;
        let Some(moto) = Moto::start().await? else {
            return Ok(Self { isolation: fixture, moto: None, queue: None });
        };
        let create = moto.secrets().create_secret().name(format!("{PREFIX}{SECRET}"));
        create.secret_string(webhook_secret(SECRET)).send().await?;
        let queue = moto.create_queue("isolation").await?;
        Ok(Self { isolation: fixture, moto: Some(moto), queue: Some(queue) })
    }

    /// The deployed webhook: its policy is beside its ledger.
    fn webhook(&self) -> BenchResult<LambdaFunction> {
        let mut webhook = self.isolation.webhook();
        if let Some(s3) = &self.isolation.s3 {
            fs::create_dir_all(s3.folder())?;
            fs::copy(self.isolation.env.folder().join("policy.toml"), s3.folder().join("policy.toml"))?;
            webhook = webhook.env("ISOLATION_POLICY", format!("{}/policy.toml", s3.location()));
        }
        if let (Some(moto), Some(queue)) = (&self.moto, &self.queue) {
            webhook = moto
                .configure(webhook)
                .env_remove("WEBHOOK_SECRETS_FILE")
                .env("WEBHOOK_SECRETS_PREFIX", PREFIX);
            webhook = webhook.env("ISOLATION_QUEUE_URL", queue);
        }
        Ok(webhook)
    }

    async fn attack(&self, name: &str, attack: Attack) -> BenchResult {
        let webhook = FunctionUrl::start(self.webhook()?, 1).await?;
        self.reset().await?;
        let http = reqwest::Client::new();
        expect_rejection(&attack.delivery(0), &http, &webhook.url()).await?;
        let first = self.calls().await?;
        self.reset().await?;
        let computed = cpu_time_ms(&webhook.pids())?;
        let begin = Instant::now();
        let requests = send(attack, &http, &webhook.url()).await?;
        let rate = requests as f64 / begin.elapsed().as_secs_f64();
        let computed = (cpu_time_ms(&webhook.pids())? - computed) / requests as f64;
        let after = self.calls().await?;
        Ok(print_line(&format!(
            "  {name:<16} {}    {}  {requests:>8}  {rate:>11.0}  {computed:>10.2}",
            first.row(),
            after.row()
        ))?)
    }

    async fn reset(&self) -> BenchResult {
        if let Some(s3) = &self.isolation.s3 {
            s3.set_trap(None);
        }
        if let Some(moto) = &self.moto {
            moto.reset_calls().await?;
        }
        Ok(())
    }

    async fn calls(&self) -> BenchResult<ServiceCalls> {
        let store = self.isolation.s3.as_ref().map_or(0, |s3| s3.requests().len());
        let secrets_and_sqs = match &self.moto {
            Some(moto) => {
                let calls = moto.calls().await?;
                Some((calls_to(&calls, "secretsmanager."), calls_to(&calls, "sqs.")))
            }
            None => None,
        };
        Ok(ServiceCalls { store, secrets_and_sqs })
    }
}

fn calls_to(calls: &BTreeMap<String, u64>, service: &str) -> u64 {
    calls.iter().filter(|(name, _)| name.starts_with(service)).map(|(_, count)| count).sum()
}

/// Sends for a while and returns the number of requests.
///
/// # Errors
///
/// When a request is not rejected.
async fn send(attack: Attack, http: &reqwest::Client, url: &str) -> BenchResult<u64> {
    let number = Arc::new(AtomicU64::new(1));
    let until = Instant::now() + DURATION;
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (http, url, number) = (http.clone(), url.to_owned(), Arc::clone(&number));
        senders.spawn(async move {
            while Instant::now() < until {
                let delivery = attack.delivery(number.fetch_add(1, Ordering::Relaxed));
                expect_rejection(&delivery, &http, &url).await?;
            }
            Ok::<(), String>(())
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(number.load(Ordering::Relaxed) - 1)
}

async fn expect_rejection(delivery: &Delivery, http: &reqwest::Client, url: &str) -> Result<(), String> {
    match delivery.send(http, url).await {
        Ok((401, _)) => Ok(()),
        other => Err(format!("expected 401, got {other:?}")),
    }
}
