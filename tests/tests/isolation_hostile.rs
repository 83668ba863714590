//! Whoever can reach the webhook can send what they like: there is always an
//! answer that says whose fault it is, and the same process takes the next good
//! request. And nothing that is secret is in anything that the functions write.

use std::{collections::BTreeSet, io, time::Duration};

use end_to_end::isolation::{
    Delivery, ENFORCE, IsolationWorld, SECRETS, TENANT, decision_of, estate, hostname, key, unix_now,
};
use local_lambda::{FunctionUrl, Outcome, Sandbox};
use serde_json::{Map, Value, json};
use sophos_simulator::{CredentialKind, FaultAction, FaultPlan, FaultRule};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(20);

async fn world(machines: usize) -> IsolationWorld {
    let more = format!(
        "[sources.elastic]\ntool = \"elastic\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"basic\", secret = \"webhooks/elastic\", user = \"elastic\" }}\n\
         [sources.splunk]\ntool = \"splunk\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"path\", secret = \"webhooks/splunk\" }}\n\
         [sources.vip]\ntool = \"generic\"\ntenants = [\"{TENANT}\"]\napprove = \"always\"\n\
         verify = {{ scheme = \"bearer\", secret = \"webhooks/defender\" }}\n\
         [approve]\nsecret = \"isolation/approval\"\n"
    );
    let policy = format!("{ENFORCE}{more}");
    IsolationWorld::start(estate(machines), CredentialKind::Tenant, &policy).await.expect("a world")
}

/// Writes these bytes to the webhook, and reads the status of the answer.
async fn raw(webhook: &FunctionUrl, bytes: &[u8]) -> io::Result<u16> {
    let url = webhook.url();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        // A server that has heard enough may answer and close before all is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut part = [0; 4_096];
        while !answer.windows(2).any(|end| end == b"\r\n") {
            match stream.read(&mut part).await? {
                0 => break,
                read => answer.extend_from_slice(&part[..read]),
            }
        }
        let line = String::from_utf8_lossy(&answer).into_owned();
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::Error::other(format!("no answer: {line:?}")))
    };
    tokio::time::timeout(PATIENCE, exchange).await.map_err(io::Error::other)?
}

/// A request in full, with its length.
fn request(method: &str, target: &str, headers: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

const HOST: &[u8] = b"host: localhost";
const JSON: &[u8] = b"content-type: application/json";

/// A request that is believed, with another body and more headers.
fn believed(body: &[u8], more: &[&[u8]]) -> Vec<u8> {
    let secret = Delivery::basic("elastic", "", "elastic", key("webhooks/elastic"));
    let authorization = secret.headers.iter().find(|(name, _)| *name == "authorization");
    let line = format!("authorization: {}", authorization.expect("a header").1);
    let mut headers = vec![HOST, line.as_bytes()];
    headers.extend(more);
    request("POST", "/hooks/elastic", &headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_answered_and_the_process_lives() {
    let world = world(40).await;
    let webhook = FunctionUrl::start(world.webhook(), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let pids = webhook.pids();
    let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let deep_object = [br#"{"a":"#.repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat();
    let query = (0..5_000).map(|number| format!("q{number}=%ff")).collect::<Vec<_>>().join("&");
    let path = |path: &str| request("POST", path, &[HOST, JSON], b"{}");
    let hosts: [&[u8]; 5] =
        [b"host: a b", b"host: //\\", b"host: [::1", b"host: \xff\xfe", b"host: x:99999999/../%00?#"];
    let mut requests: Vec<(String, Vec<u8>, &[u16])> = vec![
        ("a large body".into(), believed(&vec![b' '; 2 << 20], &[JSON]), &[413]),
        ("compressed rubbish".into(), believed(b"\x1f\x8b\x08\x00\xff\xff", &[JSON, b"content-encoding: gzip"]), &[415, 422]),
        ("deep lists".into(), believed(&deep, &[JSON]), &[200, 202, 422]),
        ("deep objects".into(), believed(&deep_object, &[JSON]), &[422]),
        ("no type".into(), believed(b"{}", &[]), &[415]),
        ("a wrong type".into(), believed(b"{}", &[b"content-type: text/html"]), &[415]),
        ("a type of bytes".into(), believed(b"{}", &[b"content-type: \xff\xff"]), &[415]),
        ("no JSON".into(), believed(b"\xff\xfe{}", &[JSON]), &[422]),
        ("an empty body".into(), believed(b"", &[JSON]), &[200, 202, 422]),
        ("nothing but null".into(), believed(b"null", &[JSON]), &[422]),
        ("numbers without end".into(), believed(&[b"{\"a\":1", b"0".repeat(5_000).as_slice(), b"}"].concat(), &[JSON]), &[422]),
        ("a name twice".into(), believed(b"{}", &[b"authorization: Basic eDp5", JSON]), &[401]),
        ("chunks".into(), b"POST /hooks/soar HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n".to_vec(), &[401]),
        ("no length".into(), b"POST /hooks/soar HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), &[401]),
        ("an old protocol".into(), b"POST /hooks/soar HTTP/1.0\r\n\r\n".to_vec(), &[401]),
        ("no HTTP".into(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        ("a null".into(), path("/hooks/%00"), &[401]),
        ("two dots".into(), path("/hooks/../../etc/passwd"), &[404]),
        ("dots in escapes".into(), path("/hooks/%2e%2e/%2f"), &[401]),
        ("half an escape".into(), path("/hooks/soar%"), &[401]),
        ("bytes in escapes".into(), path("/hooks/%ff%fe"), &[401]),
        ("slashes".into(), path("////hooks////soar////"), &[401]),
        ("a long path".into(), path(&format!("/{}", "a/".repeat(4_000))), &[404]),
        ("a long query".into(), path(&format!("/hooks/soar?{query}")), &[401]),
        ("a whole address".into(), path("http://a:b@c/hooks/soar"), &[401]),
        ("an approval of nothing".into(), path(&format!("/approvals/iso-{}?{query}", "0".repeat(24))), &[403]),
        ("a wrong approval".into(), path("/approvals/..%2f..?until=99999999999999999999&signature=%00"), &[403]),
        ("a challenge of bytes".into(), request("GET", "/hooks/soar", &[HOST, b"x-okta-verification-challenge: \xff"], b""), &[405]),
    ];
    requests.extend(hosts.iter().map(|host| {
        let what = format!("{}", String::from_utf8_lossy(host));
        (what, request("POST", "/hooks/soar", &[host, JSON], b"{}"), &[400, 401][..])
    }));
    requests
        .extend(["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"].map(
            |method| (method.to_owned(), request(method, "/hooks/soar", &[HOST], b""), &[401, 405][..]),
        ));
    let many: Vec<_> = (0..80).map(|number| format!("x-{number}: {}", "v".repeat(50))).collect();
    let mut headers = vec![HOST, JSON];
    headers.extend(many.iter().map(String::as_bytes));
    requests.push(("many headers".into(), request("POST", "/hooks/soar", &headers, b"{}"), &[401, 431]));
    for control in [0x01_u8, 0x0b, 0x7f] {
        let value = [b"x-sophos-signature: v1=".as_slice(), &[control], b"00"].concat();
        let request = request("POST", "/hooks/soar", &[HOST, JSON, &value], b"{}");
        requests.push((format!("byte {control} in a header"), request, &[400, 401]));
    }
    for (number, (what, bytes, wanted)) in (1..).zip(&requests) {
        let status = raw(&webhook, bytes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(wanted.contains(&status), "{what}: {status}, not one of {wanted:?}");
        if number % 10 == 0 {
            let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number / 10));
            let (status, answer) = delivery.send(&http, &webhook.url()).await.expect("an answer");
            assert_eq!(status, 202, "after {what}: {answer}");
        }
    }
    let (status, answer) =
        Delivery::isolate("last", &hostname(9)).send(&http, &webhook.url()).await.expect("an answer");
    assert_eq!(status, 202, "{answer}");
    assert_eq!(webhook.pids(), pids, "it is the same process");
    for line in webhook.logs() {
        assert!(line.bytes().all(|byte| !byte.is_ascii_control()), "{line:?}");
    }
}

/// The status that an event gets; an error of the function is 500.
async fn status(webhook: &mut Sandbox, event: &Value) -> u64 {
    match webhook.invoke(event).await {
        Outcome::Ok(answer) => answer["statusCode"].as_u64().unwrap_or(200),
        Outcome::FunctionError { .. } => 500,
        other => panic!("{other:?}\n{}", webhook.logs().join("\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_events_are_answered_and_the_process_lives() {
    let world = world(1).await;
    let mut webhook = world.webhook().start().await.expect("the webhook");
    let good = Delivery::isolate("1", &hostname(1)).event();
    let with = |pointer: &str, value: Value| {
        let mut event = good.clone();
        match event.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => event[&pointer[1..]] = value,
        }
        event
    };
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let members: Map<_, _> = (0..20_000).map(|number| (format!("x-{number}"), json!("v"))).collect();
    let events = [
        ("bad base64", with("/isBase64Encoded", json!(true)), [400]),
        ("a number for base64", with("/isBase64Encoded", json!("yes")), [202]),
        ("no body", with("/body", Value::Null), [401]),
        ("a body of another kind", with("/body", json!({ "a": 1 })), [401]),
        ("no headers", with("/headers", Value::Null), [401]),
        ("a list of headers", with("/headers", json!(["a"])), [401]),
        ("headers of other kinds", with("/headers/x-sophos-signature", json!(["v1=00", 1])), [401]),
        ("many headers", with("/headers", Value::Object(members)), [401]),
        ("no path", with("/rawPath", Value::Null), [404]),
        ("a path of nulls", with("/rawPath", json!("/hooks/\u{0}\u{1}\u{202e}")), [401]),
        ("a method of another kind", with("/requestContext/http/method", json!(7)), [405]),
        ("an address that is none", with("/requestContext/http/sourceIp", json!("::ffff:x")), [200]),
        ("a stage of another kind", with("/requestContext/stage", deep.clone()), [200]),
        ("a version of another kind", with("/version", json!(1.0)), [200]),
        ("no event", json!(null), [500]),
        ("a text", json!("event"), [500]),
        ("a list", json!([good]), [500]),
        ("a deep list", deep.clone(), [500]),
        ("an order nobody knows", json!({ "isolate": TENANT }), [500]),
        ("records of another kind", json!({ "Records": [null, 1, { "body": deep }] }), [500]),
        (
            "an event of another service",
            json!({ "source": "aws.s3", "detail-type": "x", "detail": {} }),
            [500],
        ),
        (
            "a finding without a detail",
            json!({ "source": "aws.guardduty", "account": "1", "detail": null }),
            [500],
        ),
    ];
    for (what, event, wanted) in events {
        let status = status(&mut webhook, &event).await;
        assert!(wanted.contains(&status), "{what}: {status}\n{}", webhook.logs().join("\n"));
    }
    let pid = webhook.pid();
    let too_deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let too_deep = String::from_utf8(too_deep).expect("text");
    assert_eq!(status(&mut webhook, &with("/body", json!(too_deep))).await, 401);
    assert_eq!(status(&mut webhook, &good).await, 200, "it was sent before");
    assert_eq!(webhook.pid(), pid);
    assert_eq!(world.simulator.isolation_changes().len(), 1);
}

/// What must be nowhere: secrets, what a token looks like, and signatures.
fn needles(world: &IsolationWorld, deliveries: &[Delivery]) -> BTreeSet<String> {
    let mut needles: BTreeSet<_> = SECRETS.iter().map(|(_, value)| (*value).to_owned()).collect();
    needles.insert(world.credential().client_secret.clone());
    needles.extend(["eyJhbGci", "Bearer ", "client_secret=", "signature="].map(str::to_owned));
    for (name, value) in deliveries.iter().flat_map(|delivery| &delivery.headers) {
        if name.contains("signature") || *name == "authorization" {
            needles.insert(value.rsplit([' ', '=']).find(|part| part.len() > 8).unwrap_or(value).to_owned());
        }
    }
    needles
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_in_a_log_an_answer_or_the_ledger() {
    let world = world(4).await;
    let approvals = "https://hooks.example";
    let with = |function: local_lambda::Function| {
        function.env("LOG_LEVEL", "trace").env("ISOLATION_APPROVAL_URL", approvals)
    };
    let webhook = FunctionUrl::start(with(world.webhook()), 1).await.expect("the webhook");
    let mut worker = with(world.worker()).start().await.expect("the worker");
    let http = reqwest::Client::new();

    let elastic = |body: &str| Delivery::basic("elastic", body, "elastic", key("webhooks/elastic"));
    let alert = json!({
        "kibana.alert.uuid": "u", "kibana.alert.severity": "high", "host": { "name": hostname(2) },
    });
    let vip = json!({ "event_id": "7", "target": { "hostname": hostname(3) } });
    let row = json!({ "sid": "1", "result": { "urgency": "high" } });
    let stale = json!({ "event_id": "8" });
    let mut deliveries = vec![
        Delivery::isolate("1", &hostname(1)),
        elastic(&alert.to_string()),
        elastic("no JSON"),
        Delivery::bearer("vip", &vip, key("webhooks/defender")),
        Delivery::splunk("splunk", &row, key("webhooks/splunk")),
        Delivery::generic("soar", &stale, key("webhooks/generic"), unix_now() - 4_000),
        Delivery::bearer("nobody", &vip, key("webhooks/defender")),
        Delivery::isolate("1", &hostname(1)).with("idempotency-key", "2"),
    ];
    let mut wrong = Delivery::splunk("splunk", &row, key("webhooks/splunk"));
    wrong.path.push('x');
    deliveries.push(wrong);
    let mut said = Vec::new();
    for delivery in &deliveries {
        let (status, answer) = delivery.send(&http, &webhook.url()).await.expect("an answer");
        assert_ne!(status, 502, "{}", delivery.path);
        said.push(answer.to_string());
    }
    let misfortunes = [
        FaultRule::new("*", FaultAction::TokenDies).every(2),
        FaultRule::new("*", FaultAction::Malformed).times(3),
        FaultRule::new("isolation.bulk", FaultAction::Cut),
    ];
    world.simulator.set_faults(FaultPlan::new(misfortunes));
    let last = Delivery::isolate("9", &hostname(4));
    let (_, answer) = last.send(&http, &webhook.url()).await.expect("an answer");
    let id = decision_of(&answer).expect("a decision");
    for order in
        [json!({ "show": id }), json!({ "follow_up": "all" }), json!({ "Records": [{ "body": "x" }] })]
    {
        said.push(format!("{:?}", worker.invoke(&order).await));
    }
    world.simulator.set_faults(FaultPlan::default());
    assert!(world.simulator.expire_credential(&world.credential().client_id));
    world.simulator.revoke_tokens();
    for order in [json!({ "follow_up": "all" }), json!(["no", "event"])] {
        said.push(format!("{:?}", worker.invoke(&order).await));
    }
    said.extend(webhook.stop().await.into_iter().flat_map(|stopped| stopped.logs));
    said.extend(worker.stop().await.logs);
    let objects = world.objects().expect("objects");
    assert!(objects.len() > 10 && said.len() > 30, "{} objects, {} texts", objects.len(), said.len());
    assert!(said.iter().any(|text| text.contains("the credential was refused")), "the reason is told");
    said.extend(objects.into_iter().map(|(path, body)| format!("{path} {}", String::from_utf8_lossy(&body))));
    deliveries.push(last);
    for needle in needles(&world, &deliveries) {
        let found = said.iter().find(|text| text.contains(&needle));
        assert_eq!(found, None, "{needle}");
    }
}
