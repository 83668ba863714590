//! The processor time of each step of an export.
//!
//! One export over TLS is recorded. Then each step processes the recorded responses or the
//! written rows, in this process. An export of the same responses without a network shows the
//! remainder.

use std::{
    collections::VecDeque,
    fs,
    hint::black_box,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use end_to_end::TestEnv;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::{Request, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sophos_api::{
    Client, Credentials, Hosts, Operation, RateLimit, ReqwestTransport, Transport, TransportError,
    TransportErrorKind, operations::siem::events::ListSiemEvents,
};
use sophos_export::{Dataset, ExportScope, ExportSettings, Exporter, Format, GZIP_LEVEL, Row, Store};
use tokio::runtime;

use crate::{BenchResult, measure::Percentiles, print_line};

const ROUNDS: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The configuration of the simulator for the steps.
struct Service {
    identity: String,
    global: String,
    client_id: String,
    client_secret: String,
    certificate: Vec<u8>,
}

/// Prints the processor time and the share of each step.
pub(crate) async fn run(env: &TestEnv, certificate: &Path) -> BenchResult {
    let service = Service {
        identity: env.simulator.identity_url(),
        global: env.simulator.global_url(),
        client_id: env.credential().client_id.clone(),
        client_secret: env.credential().client_secret.clone(),
        certificate: fs::read(certificate)?,
    };
    // On its own thread, because the simulator runs in this process, too.
    let steps = tokio::task::spawn_blocking(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(measure(&service))
    });
    let steps = steps.await?.map_err(|error| error.to_string())?;
    let all: f64 = steps.iter().map(|(_, ms)| ms).sum();
    print_line(&format!("the same export in this process, step by step, {ROUNDS} rounds:"))?;
    print_line("                                       processor ms   share")?;
    for (name, ms) in steps {
        print_line(&format!("  {name:<36}  {ms:>11.1}  {:>5.1} %", 100.0 * ms / all))?;
    }
    Ok(print_line(&format!("  {:<36}  {all:>11.1}", "all"))?)
}

async fn measure(service: &Service) -> Result<Vec<(&'static str, f64)>, Failure> {
    let recorder = Arc::new(Recorder { http: service.transport()?, exchanges: Mutex::default() });
    let folder = tempfile::tempdir()?;
    export(service, recorder.clone(), folder.path()).await?;
    let exchanges = std::mem::take(&mut *lock(&recorder.exchanges));
    let pages: Vec<_> = exchanges
        .iter()
        .filter(|(request, _)| request.uri().path().starts_with("/siem/"))
        .map(|(_, response)| response.clone())
        .collect();
    let objects = objects(folder.path())?;

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(service, &exchanges, &pages, &objects).await?);
    }
    let step = |at: usize| Percentiles::new(rounds.iter().map(|round| round[at].1).collect()).percentile(0.5);
    Ok(rounds[0].iter().enumerate().map(|(at, (name, _))| (*name, step(at))).collect())
}

/// A written object.
struct Object {
    bytes: Vec<u8>,
    lines: Vec<String>,
}

/// A row of an object.
#[derive(Deserialize)]
struct Line {
    id: String,
    tenant: String,
    time: Option<String>,
    created_at: Option<String>,
    revision: u32,
    record: String,
}

async fn round(
    service: &Service,
    exchanges: &[Exchange],
    pages: &[Response<Bytes>],
    objects: &[Object],
) -> Result<Vec<(&'static str, f64)>, Failure> {
    let http = service.transport()?;
    let begun = Processor::of_this_thread()?;
    for (request, _) in exchanges {
        black_box(http.send(request.clone(), TIMEOUT).await?);
    }
    let network = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for page in pages {
        black_box(ListSiemEvents::parse_response(page)?);
    }
    let cut = begun.ms()?;

    let rows: Vec<Vec<Line>> = objects
        .iter()
        .map(|object| object.lines.iter().map(|line| serde_json::from_str(line)).collect())
        .collect::<Result<_, _>>()?;
    let rows =
        rows.iter().map(|lines| lines.iter().map(row).collect()).collect::<Result<Vec<Vec<_>>, _>>()?;
    let begun = Processor::of_this_thread()?;
    for object in &rows {
        let mut encoder = Format::NdjsonGzip.encoder();
        object.iter().try_for_each(|row| encoder.push(row))?;
        black_box(encoder.finish()?);
    }
    let encoded = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for object in objects {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
        for line in &object.lines {
            gzip.write_all(line.as_bytes())?;
        }
        black_box(gzip.finish()?);
    }
    let gzip = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for object in objects {
        black_box(Sha256::digest(&object.bytes));
    }
    let sha256 = begun.ms()?;

    // Other threads write the files. Everything else in this process is idle.
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().to_string_lossy())?;
    let begun = Processor::of_this_process()?;
    for (number, object) in objects.iter().enumerate() {
        store.create(&format!("{number}"), object.bytes.clone()).await?;
    }
    let written = begun.ms()?;

    let folder = tempfile::tempdir()?;
    let replay = Replay(Mutex::new(exchanges.iter().map(|(_, response)| response.clone()).collect()));
    let begun = Processor::of_this_process()?;
    export(service, replay, folder.path()).await?;
    let rest = begun.ms()? - cut - encoded - sha256 - written;

    Ok(vec![
        ("token, TLS and HTTP", network),
        ("cutting records from pages", cut),
        ("record key, digest, deduplication", rest),
        ("row encoding", encoded - gzip),
        ("gzip", gzip),
        ("SHA-256 of objects", sha256),
        ("writing objects", written),
    ])
}

fn row(line: &Line) -> Result<Row<'_>, Failure> {
    let time = |text: &Option<String>| text.as_deref().map(str::parse).transpose();
    Ok(Row {
        id: &line.id,
        tenant: &line.tenant,
        dataset: Dataset::Events,
        source: "siem/v1/events",
        time: time(&line.time)?,
        created_at: time(&line.created_at)?,
        revision: line.revision,
        record: &line.record,
    })
}

async fn export<T: Transport + 'static>(
    service: &Service,
    transport: T,
    folder: &Path,
) -> Result<(), Failure> {
    let credentials = Credentials::new(&service.client_id, service.client_secret.as_str());
    let client = Client::builder(transport, credentials)
        .hosts(Hosts::new(service.identity.parse()?, service.global.parse()?))
        .rate_limit(RateLimit::unlimited())
        .build();
    let mut settings = ExportSettings::default();
    // The simulator's clock differs from the function's.
    settings.max_service_skew = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let exporter = Exporter::new(client, Store::open(&folder.to_string_lossy())?, settings);
    let scope = ExportScope { datasets: vec![Dataset::Events], ..ExportScope::default() };
    let report = exporter.run(&scope, None).await?;
    if report.failed > 0 || report.rows == 0 {
        return Err(format!("the export in this process failed: {report:?}").into());
    }
    Ok(())
}

/// The objects with rows below this folder.
fn objects(folder: &Path) -> Result<Vec<Object>, Failure> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            objects.extend(self::objects(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            let bytes = fs::read(&path)?;
            let mut text = String::new();
            GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
            let lines = text.split_inclusive('\n').map(str::to_owned).collect();
            objects.push(Object { bytes, lines });
        }
    }
    Ok(objects)
}

impl Service {
    fn transport(&self) -> Result<ReqwestTransport, Failure> {
        let certificate = reqwest::Certificate::from_pem(&self.certificate)?;
        let settings = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]);
        Ok(ReqwestTransport::from_builder(settings)?)
    }
}

/// A request and its response.
type Exchange = (Request<Vec<u8>>, Response<Bytes>);

/// Records requests and responses.
struct Recorder {
    http: ReqwestTransport,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Transport for Recorder {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let response = self.http.send(request.clone(), timeout).await?;
        lock(&self.exchanges).push((request, response.clone()));
        Ok(response)
    }

    fn now(&self) -> Duration {
        self.http.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.http.sleep(duration).await;
    }
}

/// Replays recorded responses. One stream sends its requests in one order.
struct Replay(Mutex<VecDeque<Response<Bytes>>>);

impl Transport for Replay {
    async fn send(&self, _: Request<Vec<u8>>, _: Duration) -> Result<Response<Bytes>, TransportError> {
        let next = lock(&self.0).pop_front();
        next.ok_or_else(|| {
            TransportError::new(TransportErrorKind::InvalidRequest, "no recorded response is left")
        })
    }

    fn now(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The processor time since a moment, on Linux.
struct Processor {
    whole_process: bool,
    begun_ns: u64,
}

impl Processor {
    fn of_this_thread() -> Result<Self, Failure> {
        Ok(Self { whole_process: false, begun_ns: Self::ns(false)? })
    }

    fn of_this_process() -> Result<Self, Failure> {
        Ok(Self { whole_process: true, begun_ns: Self::ns(true)? })
    }

    fn ms(&self) -> Result<f64, Failure> {
        Ok(Self::ns(self.whole_process)?.saturating_sub(self.begun_ns) as f64 / 1e6)
    }

    fn ns(whole_process: bool) -> Result<u64, Failure> {
        // The first number of a thread is its run time.
        let run = |stat: &str| stat.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
        if !whole_process {
            return Ok(run(&fs::read_to_string("/proc/thread-self/schedstat")?).unwrap_or(0));
        }
        let mut sum = 0;
        for thread in fs::read_dir("/proc/self/task")? {
            // A thread that ends meanwhile is missing from the sum.
            let stat = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            sum += run(&stat).unwrap_or(0);
        }
        Ok(sum)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
