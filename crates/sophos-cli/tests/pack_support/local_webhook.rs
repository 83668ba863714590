//! `sophos isolation serve` with a signed webhook, and the decisions of its ledger.

use std::{
    io::{BufRead, BufReader},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{Ended, Running, TestEnv, signal, wait_until};

/// The secret of the source `soar`.
pub(crate) const KEY: &str = "generic-key-0123456789abcdef";

/// A running server, and the lines of its standard error.
pub(crate) struct Server {
    process: Running,
    url: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts the server with the policy of the environment, and waits until it listens.
    pub(crate) async fn start(env: &TestEnv) -> Self {
        let secrets = format!(
            "[secrets.\"webhooks/generic\"]\ncurrent = \"{KEY}\"\n[secrets.\"webhooks/crowdstrike\"]\ncurrent = \"other\"\n"
        );
        let secrets = env.write_private("secrets.toml", &secrets);
        let (policy, ledger) = (env.arg("policy.toml"), env.arg("ledger"));
        let args = [
            "isolation",
            "serve",
            "--policy",
            &policy,
            "--ledger",
            &ledger,
            "--secrets",
            &secrets,
            "--listen",
            "127.0.0.1:0",
            "--follow-up",
            "1s",
        ];
        let mut process = Running::start(env.command(&args));
        let stderr = process.child().stderr.take().expect("standard error");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                read.lock().expect("no panic").push(line);
            }
        });
        let url = || {
            let lines = lines.lock().expect("no panic");
            let line = lines.iter().find(|line| line.contains("listening on "))?;
            Some(line.split_once("listening on ")?.1.split_once("/hooks/")?.0.to_owned())
        };
        wait_until("the server does not listen", || url().is_some()).await;
        let url = url().expect("an address");
        Self { process, url, lines }
    }

    /// Posts a payload with the signature of the generic format.
    pub(crate) async fn post(&self, body: &str, key: &str) -> (u16, Value) {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
        mac.update(format!("{time}.{body}").as_bytes());
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = reqwest::Client::new()
            .post(format!("{}/hooks/soar", self.url))
            .header("content-type", "application/json")
            .header("x-sophos-timestamp", time)
            .header("x-sophos-signature", format!("v1={signature}"))
            .body(body.to_owned());
        let response = request.send().await.expect("a response");
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Posts a signed alert, and waits until its decision has this state. Returns its id.
    pub(crate) async fn decide(&self, env: &TestEnv, body: &str, states: &[&str]) -> String {
        let (status, response) = self.post(body, KEY).await;
        assert_eq!(status, 202, "{response}");
        let id = response["decision"].as_str().expect("a decision").to_owned();
        wait_for_state(env, &id, states).await;
        id
    }

    /// Ends the server, and returns the lines of its standard error as well.
    pub(crate) async fn stop(mut self, env: &TestEnv) -> (Ended, String) {
        signal(self.process.child(), "INT");
        let ended = env.wait(self.process).await;
        let lines = self.lines.lock().expect("no panic").join("\n");
        (ended, lines)
    }
}

/// Runs `sophos isolation decisions` with the ledger of the server.
pub(crate) async fn decisions(env: &TestEnv, args: &[&str]) -> Ended {
    let ledger = env.arg("ledger");
    env.run(&[&["isolation", "decisions"], args, &["--ledger", &ledger]].concat()).await
}

/// Waits until the ledger shows a decision in one of these states. Confirmations take a
/// minute, so a test does not wait for them.
pub(crate) async fn wait_for_state(env: &TestEnv, id: &str, states: &[&str]) {
    let begin = std::time::Instant::now();
    loop {
        let shown = decisions(env, &["show", id]).await.expect(0).record();
        if states.iter().any(|state| shown["state"] == **state) {
            return;
        }
        assert!(begin.elapsed().as_secs() < 60, "{shown}");
    }
}
