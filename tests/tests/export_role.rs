//! Tests of an export into a bucket that only a role of another account may write.

use std::{
    io,
    sync::{Arc, Mutex},
};

use end_to_end::{CommittedExport, TestEnv, raw_http, s3::S3Server};
use local_lambda::{InvocationOutcome, LambdaFunction};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

const ROLE: &str = "arn:aws:iam::210987654321:role/export";

fn config() -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T12:00:00Z".into()), running: false },
        tenants: vec![TenantGroup { name: Some("Acme".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        credentials: vec![CredentialConfig::for_tenant("Acme", Role::ReadOnly)],
        data: DataConfig { events_per_hour: 60.0, ..DataConfig::default() },
        ..Config::default()
    }
}

/// An STS that gives the keys of the S3 server to callers with the external id `acme`, and
/// records the requests.
struct Sts {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Sts {
    async fn start(keys: (&'static str, &'static str)) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Ok(form) = read_body(&mut stream).await else { continue };
                let (status, body) = if form.contains("ExternalId=acme&") || form.ends_with("ExternalId=acme")
                {
                    ("200 OK", assumed(keys))
                } else {
                    ("403 Forbidden", denied())
                };
                recorded.lock().expect("no panic").push(form);
                let head = format!("{status}\r\ncontent-type: text/xml\r\n");
                let _ = raw_http::respond(&mut stream, &head, body.as_bytes()).await;
            }
        });
        Ok(Self { endpoint, requests })
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// The body of a request.
async fn read_body(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or_default() {
                return Ok(body.to_owned());
            }
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn assumed((access_key, secret_key): (&str, &str)) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
         <AssumedRoleId>AROA:sophos-central</AssumedRoleId><Arn>{ROLE}</Arn></AssumedRoleUser><Credentials>\
         <AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{secret_key}</SecretAccessKey>\
         <SessionToken>a-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn denied() -> String {
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message></Error>\
     </ErrorResponse>"
        .into()
}

/// The export, whose own keys are not valid at the S3 server.
fn function(env: &TestEnv, s3: &S3Server, sts: &Sts, external_id: &str) -> LambdaFunction {
    s3.configure(env.export_function(&s3.location()))
        .env("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        .env("AWS_SECRET_ACCESS_KEY", "of-the-function")
        .env("AWS_ENDPOINT_URL_STS", &sts.endpoint)
        .env("EXPORT_ROLE_ARN", ROLE)
        .env("EXPORT_EXTERNAL_ID", external_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn export_writes_with_the_assumed_role() {
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
    let sts = Sts::start(s3.keys()).await.expect("an STS");
    let env = TestEnv::start(config(), CredentialKind::Tenant).await.expect("a simulator");

    let mut sandbox = function(&env, &s3, &sts, "acme").start().await.expect("the function starts");
    for _ in 0..2 {
        let report = env.run_export(&mut sandbox).await.expect("a report");
        assert_eq!(report["failed"], 0, "{report}");
    }
    let committed = CommittedExport::load(&s3.folder()).expect("an export");
    assert!(committed.rows() > 100 && env.defects(&committed).is_empty(), "{}", committed.rows());
    let requests = sts.requests();
    assert_eq!(requests.len(), 1, "one session serves both runs: {requests:?}");
    assert!(requests[0].contains("Action=AssumeRole&"), "{requests:?}");
    assert!(
        requests[0].contains("RoleArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fexport"),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_role_fails_the_export_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
    let sts = Sts::start(s3.keys()).await.expect("an STS");
    let env = TestEnv::start(config(), CredentialKind::Tenant).await.expect("a simulator");
    let mut sandbox = function(&env, &s3, &sts, "guessed").start().await.expect("the function starts");
    let outcome = sandbox.invoke(&TestEnv::schedule_event()).await;
    let InvocationOutcome::Ok(_) = &outcome else {
        let text = format!("{outcome:?}");
        assert!(text.contains(&format!("assuming the role {ROLE} failed")), "{text}");
        assert!(text.contains("AccessDenied") && !text.contains("of-the-function"), "{text}");
        return;
    };
    panic!("{outcome:?}");
}
