//! `sophos export send`: committed rows to receivers of syslog, also to one that fails.

mod pack_support;
#[path = "pack_support/receiver.rs"]
mod receiver;

use std::{fs, path::Path, time::Duration};

use pack_support::{Ended, Running, TestEnv, committed, signal, wait_until};
use receiver::{Certificates, Receiver};
use serde_json::json;
use sophos_export::{Format, Row, StoredRow, read_rows};
use sophos_simulator::{Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup};

/// The simulator's clock differs from this machine's once a test advances it.
const SKEW: &str = "900000h";

/// A tenant whose events and alerts are exported into `out`.
async fn exported(events_per_hour: f64) -> TestEnv {
    let env = TestEnv::start(Config {
        tenants: vec![TenantGroup::new(Owner::Partner, 1)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour, alerts_per_hour: 0.5, ..DataConfig::default() },
        ..Config::default()
    })
    .await;
    export(&env).await;
    env
}

async fn export(env: &TestEnv) {
    env.run(&["export", "run", "--to", &env.arg("out"), "--max-clock-skew", SKEW]).await.expect(0);
}

/// Sends the rows of `out`.
async fn send(env: &TestEnv, to: &str, more: &[&str]) -> Ended {
    let from = env.arg("out");
    env.run(&[&["export", "send", "--from", &from, "--to", to][..], more].concat()).await
}

/// The committed rows of a dataset, in the order of the log.
fn rows(env: &TestEnv, dataset: &str) -> Vec<StoredRow> {
    let (out, tenant) = (env.path("out"), env.simulator.tenants().remove(0).id);
    let mut rows = Vec::new();
    for record in committed::log(&out, dataset, &tenant) {
        for object in record["objects"].as_array().expect("objects") {
            let path = object["path"].as_str().expect("a path");
            let body = fs::read(out.join(path)).expect("an object");
            rows.extend(read_rows(path, body.into()).expect("rows").map(|row| row.expect("a row")));
        }
    }
    rows
}

/// The texts of all rows, as `send` sends them: events first, and both in order.
fn texts(env: &TestEnv, format: Format) -> Vec<String> {
    let rows = ["events", "alerts"].map(|dataset| rows(env, dataset)).concat();
    rows.iter().map(|row| format.to_line(&Row::from(row)).expect("a text")).collect()
}

/// The texts of messages, without their headers.
fn bodies(messages: &[String]) -> Vec<String> {
    let body = |message: &String| message.splitn(8, ' ').nth(7).expect("a header").to_owned();
    messages.iter().map(body).collect()
}

/// The sum of the rows in the result.
fn sent_rows(ended: &Ended) -> u64 {
    ended.records().iter().map(|stream| stream["rows"].as_u64().expect("a number")).sum()
}

#[tokio::test]
async fn udp_receiver_gets_each_row_once() {
    let env = exported(1.0).await;
    let receiver = Receiver::udp().await;
    let to = receiver.url("udp");
    let more = ["--hostname", "relay", "--facility", "local0"];
    let sent = send(&env, &to, &more).await.expect(0);
    let expected = texts(&env, Format::CefGzip);
    assert_eq!(sent_rows(&sent), expected.len() as u64, "{sent:?}");
    wait_until("no message", || receiver.messages().len() == expected.len()).await;
    let messages = receiver.messages();
    assert_eq!(bodies(&messages), expected);
    for (message, row) in messages.iter().zip(rows(&env, "events")) {
        let time = row.time.expect("a time");
        let header = format!("1 {time:.3} relay sophos-central - events - CEF:0|sophos|");
        let (priority, rest) = message.split_once('>').expect("a priority");
        assert!(rest.starts_with(&header), "{message}");
        let priority: u8 = priority.trim_start_matches('<').parse().expect("a number");
        assert!((16 * 8 + 2..=16 * 8 + 6).contains(&priority), "{message}");
    }

    assert_eq!(sent_rows(&send(&env, &to, &more).await.expect(0)), 0, "nothing is new");
    env.simulator.clock().advance(Duration::from_secs(3 * 3_600));
    export(&env).await;
    let sent = send(&env, &to, &more).await.expect(0);
    let all = texts(&env, Format::CefGzip);
    assert!(all.len() > expected.len());
    assert_eq!(sent_rows(&sent) as usize, all.len() - expected.len());
    wait_until("no new message", || receiver.messages().len() == all.len()).await;
}

#[tokio::test]
async fn tcp_receiver_gets_committed_rows_in_order() {
    let env = exported(20.0).await;
    let receiver = Receiver::tcp(usize::MAX, None).await;
    // An object that no commit names.
    let log = committed::log(&env.path("out"), "events", &env.simulator.tenants().remove(0).id);
    let object = env.path("out").join(log[0]["objects"][0]["path"].as_str().expect("a path"));
    fs::copy(&object, object.with_file_name("000000000009-stray-0000.ndjson.gz")).expect("a copy");
    for (name, format) in [
        ("cef-compatible", Format::CefCompatibleGzip),
        ("kv", Format::KeyValueGzip),
        ("kv-compatible", Format::KeyValueCompatibleGzip),
    ] {
        let before = receiver.messages().len();
        let state = env.arg(name);
        let sent = send(&env, &receiver.url("tcp"), &["--format", name, "--state", &state]).await.expect(0);
        let expected = texts(&env, format);
        assert_eq!(sent_rows(&sent) as usize, expected.len(), "{sent:?}");
        // The receiver has closed the connection before the program ends.
        assert_eq!(bodies(&receiver.messages()[before..]), expected);
        assert!(Path::new(&state).is_file());
    }
}

#[tokio::test]
async fn receiver_that_closes_midway_loses_no_row() {
    let env = exported(100.0).await;
    let expected = texts(&env, Format::CefGzip);
    let closing = Receiver::tcp(expected.len() / 2, None).await;
    let state = env.arg("position.json");
    let failed = send(&env, &closing.url("tcp"), &["--state", &state]).await.expect(1);
    assert!(failed.stderr.contains("failed:") && failed.stderr.contains("next:"), "{}", failed.stderr);
    assert!(closing.messages().len() >= expected.len() / 2);
    assert!(!Path::new(&state).exists(), "nothing was confirmed");
    let receiver = Receiver::tcp(usize::MAX, None).await;
    send(&env, &receiver.url("tcp"), &["--state", &state]).await.expect(0);
    assert_eq!(bodies(&receiver.messages()), expected);
}

#[tokio::test]
async fn receiver_that_closes_after_the_last_row_is_no_proof() {
    let env = exported(1.0).await;
    let expected = texts(&env, Format::CefGzip).len();
    // It closes before the sender has ended the connection.
    let closing = Receiver::tcp(expected, None).await;
    let failed = send(&env, &closing.url("tcp"), &[]).await.expect(1);
    assert!(failed.stderr.contains("closed it early"), "{}", failed.stderr);
}

#[tokio::test]
async fn tls_receiver_gets_rows_with_its_authority_only() {
    let env = exported(5.0).await;
    let certificates = Certificates::new();
    let ca = env.write_private("ca.pem", &certificates.authority);
    let cert = env.write_private("client.pem", &certificates.client);
    let key = env.write_private("client.key", &certificates.client_key);
    let receiver = Receiver::tcp(usize::MAX, Some(certificates.acceptor)).await;
    let to = receiver.url("tls");

    let failed = send(&env, &to, &["--cert", &cert, "--key", &key]).await.expect(1);
    assert!(failed.stderr.contains("certificate"), "{}", failed.stderr);
    // The receiver requires a certificate.
    send(&env, &to, &["--ca", &ca]).await.expect(1);
    assert!(receiver.messages().is_empty());

    let sent = send(&env, &to, &["--ca", &ca, "--cert", &cert, "--key", &key]).await.expect(0);
    let expected = texts(&env, Format::CefGzip);
    assert_eq!(sent_rows(&sent) as usize, expected.len(), "{sent:?}");
    assert_eq!(bodies(&receiver.messages()), expected);
    let sent = send(&env, &to, &["--ca", &ca, "--cert", &cert, "--key", &key]).await.expect(0);
    assert_eq!(sent_rows(&sent), 0, "nothing is new");
}

#[tokio::test]
async fn long_messages_are_reported_and_not_sent() {
    let env = exported(5.0).await;
    let receiver = Receiver::tcp(usize::MAX, None).await;
    let to = receiver.url("tcp");
    send(&env, &to, &["--state", &env.arg("all")]).await.expect(0);
    let all = receiver.messages();
    let mut lengths: Vec<_> = all.iter().map(String::len).collect();
    lengths.sort_unstable();
    let max = lengths[lengths.len() / 2];
    let long = all.iter().filter(|message| message.len() > max).count();
    assert!(long > 0 && max >= 480, "{lengths:?}");

    let sent = send(&env, &to, &["--max-message-size", &max.to_string()]).await.expect(3);
    assert_eq!(sent.stderr.matches("is not sent: its message has").count(), long, "{}", sent.stderr);
    assert_eq!(
        sent.records().iter().filter_map(|stream| stream["too_long"].as_u64()).sum::<u64>(),
        long as u64
    );
    let short: Vec<_> = all.iter().filter(|message| message.len() <= max).cloned().collect();
    assert_eq!(receiver.messages()[all.len()..], short);
    let sent = send(&env, &to, &["--max-message-size", &max.to_string()]).await.expect(0);
    assert_eq!(sent_rows(&sent), 0, "the position is after them");
}

#[tokio::test]
async fn damaged_object_stops_its_stream_until_it_is_skipped() {
    let env = exported(5.0).await;
    let tenant = env.simulator.tenants().remove(0).id;
    let log = committed::log(&env.path("out"), "events", &tenant);
    let object = env.path("out").join(log[0]["objects"][0]["path"].as_str().expect("a path"));
    let lost = log[0]["objects"][0]["rows"].as_u64().expect("a number") as usize;
    fs::write(&object, b"damaged").expect("an object");
    let receiver = Receiver::tcp(usize::MAX, None).await;
    let to = receiver.url("tcp");
    let sent = send(&env, &to, &[]).await.expect(3);
    assert!(sent.stderr.contains("its SHA-256 is"), "{}", sent.stderr);
    assert!(!receiver.messages().is_empty());
    assert!(receiver.messages().iter().all(|message| message.contains(" alerts - ")), "the other stream");

    let sent = send(&env, &to, &["--skip-unreadable"]).await.expect(3);
    let records = sent.records();
    let events = records.iter().find(|stream| stream["dataset"] == "events").expect("the events");
    assert_eq!(events["unreadable_objects"], json!([log[0]["objects"][0]["path"]]));
    let committed: u64 = log.iter().filter_map(|record| record["rows"].as_u64()).sum();
    assert_eq!(events["rows"], committed - lost as u64);
    send(&env, &to, &[]).await.expect(0);
}

#[tokio::test]
async fn position_within_a_commit_is_continued() {
    let env = exported(5.0).await;
    let tenant = env.simulator.tenants().remove(0).id;
    let receiver = Receiver::tcp(usize::MAX, None).await;
    let to = receiver.url("tcp");
    // After most of the first object, and within the next.
    let log = committed::log(&env.path("out"), "events", &tenant);
    let offset = log[0]["objects"][0]["rows"].as_u64().expect("a number") + 1;
    let state = env.arg("position.json");
    let position = |commit: u64, run: &str| {
        let streams =
            json!({ format!("events/{tenant}"): { "commit": commit, "run_id": run, "rows": offset } });
        json!({ "version": 1, "streams": streams }).to_string()
    };
    fs::write(&state, position(0, "")).expect("a file");
    let args = ["--state", &state, "--dataset", "events"];
    send(&env, &to, &args).await.expect(0);
    let expected = texts(&env, Format::CefGzip);
    let events = rows(&env, "events").len();
    assert_eq!(bodies(&receiver.messages()), expected[offset as usize..events]);

    fs::write(&state, position(1, "another-run")).expect("a file");
    let failed = send(&env, &to, &args).await.expect(1);
    assert!(failed.stderr.contains("has no commit 1 of events"), "{}", failed.stderr);
    fs::write(&state, "{").expect("a file");
    send(&env, &to, &args).await.expect(2);
}

#[tokio::test]
async fn first_run_begins_at_the_chosen_age() {
    let env = exported(5.0).await;
    let receiver = Receiver::tcp(usize::MAX, None).await;
    let to = receiver.url("tcp");
    let args = ["--since", "0s"];
    let plan = send(&env, &to, &["--dry-run"]).await.expect(0);
    assert_eq!(sent_rows(&plan) as usize, texts(&env, Format::CefGzip).len());
    assert_eq!(sent_rows(&send(&env, &to, &args).await.expect(0)), 0, "all commits are older");
    let before = texts(&env, Format::CefGzip);
    env.simulator.clock().advance(Duration::from_secs(3 * 3_600));
    export(&env).await;
    let new = texts(&env, Format::CefGzip).len() - before.len();
    assert_eq!(sent_rows(&send(&env, &to, &["--dry-run"]).await.expect(0)) as usize, new);
    assert_eq!(sent_rows(&send(&env, &to, &args).await.expect(0)) as usize, new);
    assert_eq!(receiver.messages().len(), new);
}

#[tokio::test]
async fn repeated_run_ends_at_the_interruption() {
    let env = exported(1.0).await;
    let receiver = Receiver::tcp(usize::MAX, None).await;
    let (from, to, state) = (env.arg("out"), receiver.url("tcp"), env.arg("position.json"));
    let args = ["export", "send", "--from", &from, "--to", &to, "--every", "1h", "--state", &state];
    let mut child = Running::start(env.command(&args));
    wait_until("no position", || Path::new(&state).is_file()).await;
    signal(child.child(), "INT");
    env.wait(child).await.expect(130);
    assert_eq!(bodies(&receiver.messages()), texts(&env, Format::CefGzip));
}

#[tokio::test]
async fn invalid_destinations_and_options_have_their_codes() {
    let env = exported(1.0).await;
    for to in ["http://127.0.0.1:514", "127.0.0.1:514", "udp://"] {
        let ended = send(&env, to, &[]).await.expect(2);
        assert!(ended.stderr.contains("expected udp://HOST:PORT"), "{}", ended.stderr);
    }
    let ca = env.write_private("ca.pem", "no certificate");
    send(&env, "tcp://127.0.0.1:1", &["--ca", &ca]).await.expect(2);
    send(&env, "tls://127.0.0.1:1", &["--ca", &ca]).await.expect(2);
    send(&env, "tls://127.0.0.1:1", &["--cert", &ca]).await.expect(2);
    send(&env, "udp://127.0.0.1:1", &["--max-message-size", "479"]).await.expect(2);
    let ended = env.run(&["export", "send", "--from", "s3://bucket", "--to", "udp://127.0.0.1:1"]).await;
    assert!(ended.expect(2).stderr.contains("missing --state"));
    let missing = env.arg("missing");
    env.run(&["export", "send", "--from", &missing, "--to", "udp://127.0.0.1:1"]).await.expect(5);

    // A port without a receiver.
    let closed = Receiver::tcp(0, None).await.address;
    for scheme in ["tcp", "udp"] {
        let ended = send(&env, &format!("{scheme}://{closed}"), &[]).await.expect(1);
        assert!(ended.stderr.contains("check that the receiver listens there"), "{}", ended.stderr);
    }
    let files =
        fs::read_dir(env.path("")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    assert!(
        files.into_iter().all(|name| !name.to_string_lossy().contains("syslog")),
        "no position is written"
    );
}
