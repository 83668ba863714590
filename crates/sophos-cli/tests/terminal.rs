//! Questions and progress on a pseudo terminal.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(unix)]

mod support;

use std::io::{Read, Write};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use support::Fixture;

/// Runs `sophos` on a terminal. When the output holds `question`, it types `answer`.
fn converse(fixture: &Fixture, arguments: &[&str], question: &str, answer: &str) -> (String, u32) {
    let size = PtySize { rows: 40, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sophos"));
    command.args(arguments);
    command.env_clear();
    for (name, value) in fixture.environment("partner") {
        command.env(name, value);
    }
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut writer = pair.master.take_writer().unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let mut answered = question.is_empty();
    loop {
        match reader.read(&mut buffer) {
            Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            // The other side of a closed terminal is an error on Linux.
            _ => break,
        }
        if !answered && text.contains(question) {
            answered = true;
            writer.write_all(answer.as_bytes()).unwrap();
        }
    }
    (text, child.wait().unwrap().exit_code())
}

#[test]
fn isolate_asks_and_obeys_the_answer() {
    let fixture = Fixture::start(1);
    let arguments = ["endpoints", "isolate", "LAPTOP-4711", "--tenant", "Acme"];
    let (text, code) = converse(&fixture, &arguments, "Isolate the endpoint LAPTOP-4711", "n\r");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("cancelled"), "{text}");
    assert!(fixture.simulator.isolation_changes().is_empty());
    let (text, code) = converse(&fixture, &arguments, "Isolate the endpoint LAPTOP-4711", "y\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(fixture.simulator.isolation_changes().len(), 1);
}

#[test]
fn many_endpoints_need_their_number_typed() {
    let fixture = Fixture::start(11);
    let listed = fixture.run(&["endpoints", "list", "--tenant", "Acme", "--limit", "11", "--jq", ".id"]);
    let ids = support::stdout(&listed);
    let ids: Vec<_> = ids.lines().collect();
    let arguments = [&["endpoints", "isolate", "--tenant", "Acme"], ids.as_slice()].concat();
    let (text, code) = converse(&fixture, &arguments, "Type the number of endpoints", "10\r");
    assert_eq!(code, 1, "{text}");
    assert!(fixture.simulator.isolation_changes().is_empty());
    let (text, code) = converse(&fixture, &arguments, "Type the number of endpoints", "11\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(fixture.simulator.isolation_changes().len(), 11);
}

#[test]
fn listing_is_a_table_on_a_terminal() {
    let fixture = Fixture::start(3);
    let (text, code) = converse(&fixture, &["endpoints", "list", "--tenant", "Acme"], "", "");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("HOSTNAME") && text.contains("LAPTOP-4711"), "{text}");
    assert!(text.contains("\u{1b}[1m"), "the header is bold: {text}");
    assert!(text.contains("5 endpoints"), "{text}");
}
