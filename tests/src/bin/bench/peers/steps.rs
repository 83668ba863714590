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
use sha2::{Digest, Sha256};
use sophos_api::{
    Client, Credentials, Hosts, Operation, RateLimit, ReqwestTransport, Transport, TransportError,
    TransportErrorKind, operations::siem::events::ListSiemEvents,
};
use sophos_export::{
    Dataset, ExportScope, ExportSettings, Exporter, Format, GZIP_LEVEL, Row, Store, StoredRow, ZSTD_LEVEL,
    read_rows,
};
use tokio::runtime;

use super::FORMATS;
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

/// Prints the processor time and the share of each step, for each format.
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
    let formats = steps.await?.map_err(|error| error.to_string())?;
    print_line(&format!("the same export in this process, step by step, {ROUNDS} rounds:"))?;
    for (format, steps) in FORMATS.into_iter().zip(formats) {
        let all: f64 = steps.iter().map(|(_, ms)| ms).sum();
        print_line(&format!("  {:<36}  processor ms   share", format.extension()))?;
        for (name, ms) in steps {
            print_line(&format!("    {name:<34}  {ms:>12.1}  {:>4.1} %", 100.0 * ms / all))?;
        }
        print_line(&format!("    {:<34}  {all:>12.1}", "all"))?;
    }
    Ok(())
}

/// The steps of an export and their processor time in milliseconds.
type Steps = Vec<(&'static str, f64)>;

async fn measure(service: &Service) -> Result<[Steps; FORMATS.len()], Failure> {
    let recorder = Arc::new(Recorder { http: service.transport()?, exchanges: Mutex::default() });
    let folder = tempfile::tempdir()?;
    export(service, recorder.clone(), folder.path(), Format::default()).await?;
    let exchanges = std::mem::take(&mut *lock(&recorder.exchanges));
    let objects = objects(folder.path())?;

    let mut rounds = FORMATS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (format, rounds) in FORMATS.into_iter().zip(&mut rounds) {
            rounds.push(round(service, &exchanges, &objects, format).await?);
        }
    }
    Ok(rounds.map(|rounds| {
        let median = |at: usize| {
            Percentiles::new(rounds.iter().map(|round: &Steps| round[at].1).collect()).percentile(0.5)
        };
        rounds[0].iter().enumerate().map(|(at, (name, _))| (*name, median(at))).collect()
    }))
}

/// The rows of a written object, and their lines.
struct Object {
    rows: Vec<StoredRow>,
    text: Vec<u8>,
}

async fn round(
    service: &Service,
    exchanges: &[Exchange],
    objects: &[Object],
    format: Format,
) -> Result<Steps, Failure> {
    let http = service.transport()?;
    let begun = Processor::of_this_thread()?;
    for (request, _) in exchanges {
        black_box(http.send(request.clone(), TIMEOUT).await?);
    }
    let network = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for (_, page) in exchanges.iter().filter(|(request, _)| request.uri().path().starts_with("/siem/")) {
        black_box(ListSiemEvents::parse_response(page)?);
    }
    let cut = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    let mut bodies = Vec::new();
    for object in objects {
        let mut encoder = format.encoder();
        object.rows.iter().try_for_each(|row| encoder.push(&to_row(row)))?;
        bodies.push(encoder.finish()?);
    }
    let encoded = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for object in objects {
        black_box(compress(&object.text, format)?);
    }
    let compressed = begun.ms()?;

    let begun = Processor::of_this_thread()?;
    for body in &bodies {
        black_box(Sha256::digest(body));
    }
    let sha256 = begun.ms()?;

    // Other threads write the files. Everything else in this process is idle.
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().to_string_lossy())?;
    let begun = Processor::of_this_process()?;
    for (number, body) in bodies.into_iter().enumerate() {
        store.create(&format!("{number}"), body).await?;
    }
    let written = begun.ms()?;

    let folder = tempfile::tempdir()?;
    let replay = Replay(Mutex::new(exchanges.iter().map(|(_, response)| response.clone()).collect()));
    let begun = Processor::of_this_process()?;
    export(service, replay, folder.path(), format).await?;
    let rest = begun.ms()? - cut - encoded - sha256 - written;

    Ok(vec![
        ("token, TLS and HTTP", network),
        ("cutting records from pages", cut),
        ("record key, digest, deduplication", rest),
        ("row encoding", encoded - compressed),
        ("compression", compressed),
        ("SHA-256 of objects", sha256),
        ("writing objects", written),
    ])
}

/// Compresses the lines of an object as the format does, in parts.
fn compress(text: &[u8], format: Format) -> std::io::Result<Vec<u8>> {
    const PART_LEN: usize = 16 << 10;
    if format == Format::NdjsonZstd {
        let mut zstd = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
        zstd.include_checksum(true)?;
        text.chunks(PART_LEN).try_for_each(|part| zstd.write_all(part))?;
        return zstd.finish();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    text.chunks(PART_LEN).try_for_each(|part| gzip.write_all(part))?;
    gzip.finish()
}

fn to_row(row: &StoredRow) -> Row<'_> {
    Row {
        id: &row.id,
        tenant: &row.tenant,
        dataset: row.dataset,
        source: "siem/v1/events",
        time: row.time,
        created_at: row.created_at,
        revision: row.revision,
        record: &row.record,
    }
}

async fn export<T: Transport + 'static>(
    service: &Service,
    transport: T,
    folder: &Path,
    format: Format,
) -> Result<(), Failure> {
    let credentials = Credentials::new(&service.client_id, service.client_secret.as_str());
    let client = Client::builder(transport, credentials)
        .hosts(Hosts::new(service.identity.parse()?, service.global.parse()?))
        .rate_limit(RateLimit::unlimited())
        .build();
    let mut settings = ExportSettings::default();
    settings.formats = format.into();
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

/// The objects in `ndjson.gz` below this folder.
fn objects(folder: &Path) -> Result<Vec<Object>, Failure> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            objects.extend(self::objects(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            let bytes = fs::read(&path)?;
            let mut text = Vec::new();
            GzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
            let rows = read_rows(&path.to_string_lossy(), bytes.into())?.collect::<Result<_, _>>()?;
            objects.push(Object { rows, text });
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
