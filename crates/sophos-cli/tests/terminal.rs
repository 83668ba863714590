//! Questions and progress on a pseudo terminal.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(unix)]

mod support;

use std::{
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use sophos_simulator::{FaultAction, FaultPlan, FaultRule};
use support::Fixture;

/// Runs `sophos` on a terminal. When the output holds `question`, it types `answer`.
fn converse(fixture: &Fixture, arguments: &[&str], question: &str, answer: &str) -> (String, u32) {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sophos"));
    command.args(arguments);
    run(fixture, command, &[(question, answer)])
}

/// The time after which a test fails that waits for a question.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a spinner says before the first response.
const SPINNER: &str = "reading 0";

/// Runs a command on a terminal. After each question it types the answer.
fn run(fixture: &Fixture, mut command: CommandBuilder, answers: &[(&str, &str)]) -> (String, u32) {
    let size = PtySize { rows: 40, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
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
    let mut answers = answers.iter().filter(|(question, _)| !question.is_empty()).peekable();
    loop {
        match reader.read(&mut buffer) {
            Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            // The other side of a closed terminal is an error on Linux.
            _ => break,
        }
        if let Some((question, answer)) = answers.next_if(|(question, _)| text.contains(question)) {
            // What is typed before a question reads keys is lost.
            wait_for_keys(pair.master.as_ref(), *question == SPINNER);
            writer.write_all(answer.as_bytes()).unwrap();
        }
    }
    assert_eq!(answers.next(), None, "the question was not asked: {text}");
    (text, child.wait().unwrap().exit_code())
}

/// Waits until the terminal shows what is typed, or does not.
fn wait_for_keys(terminal: &dyn MasterPty, is_shown: bool) {
    const ECHO: u32 = 0o10;
    let start = Instant::now();
    while (terminal.get_termios().unwrap().local_flags.bits() & ECHO != 0) != is_shown {
        assert!(start.elapsed() < TIMEOUT, "no question reads keys");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Delays each call of an operation, in milliseconds.
fn delay(fixture: &Fixture, operation: &str, milliseconds: u64) {
    let rule = FaultRule::new(operation, FaultAction::Delay { milliseconds });
    fixture.simulator.set_faults(FaultPlan::new([rule]));
}

/// Runs a command of `sophos` whose standard output goes to a file, so that the terminal
/// shows standard error alone. Returns the terminal, the file and the exit code.
fn with_output_in_file(fixture: &Fixture, arguments: &str) -> (String, String, u32) {
    let file = fixture.home.path().join("stdout");
    let mut command = CommandBuilder::new("/bin/sh");
    command.args(["-c", &format!("{} {arguments} > {}", env!("CARGO_BIN_EXE_sophos"), file.display())]);
    let (terminal, code) = run(fixture, command, &[]);
    (terminal, std::fs::read_to_string(file).unwrap(), code)
}

#[test]
fn listing_shows_progress_on_standard_error() {
    let fixture = Fixture::start(1_500);
    delay(&fixture, "endpoints.list", 300);
    let (terminal, output, code) = with_output_in_file(&fixture, "endpoints list --tenant Acme");
    assert_eq!(code, 0, "{terminal}");
    assert!(terminal.contains("reading 0") && terminal.contains("reading 1000"), "{terminal:?}");
    assert!(!output.contains("reading"), "{output}");
    assert_eq!(output.lines().count(), 1_502);
    // The last that the bar writes is its removal.
    assert!(terminal.ends_with("\u{1b}[2K"), "{terminal:?}");
    let (quiet, _, _) = with_output_in_file(&fixture, "endpoints list --tenant Acme --quiet");
    assert_eq!(quiet, "");
}

#[test]
fn changes_show_a_bar_on_standard_error() {
    let fixture = Fixture::start(8);
    let listed = fixture.run(&["endpoints", "list", "--tenant", "Acme", "--limit", "8", "--jq", ".id"]);
    let ids = support::stdout(&listed).replace('\n', " ");
    delay(&fixture, "endpoints.scan", 300);
    let (terminal, output, code) =
        with_output_in_file(&fixture, &format!("endpoints scan --tenant Acme --yes {ids}"));
    assert_eq!(code, 0, "{terminal}");
    assert!(terminal.contains("scan [") && terminal.contains("/8"), "{terminal:?}");
    assert_eq!(output.lines().count(), 8, "{output}");
}

#[test]
fn interrupt_ends_a_listing_with_130() {
    let fixture = Fixture::start(1);
    delay(&fixture, "endpoints.list", 60_000);
    let (text, code) = converse(&fixture, &["endpoints", "list", "--tenant", "Acme"], SPINNER, "\u{3}");
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("interrupted"), "{text}");
}

#[test]
fn interrupt_at_a_question_changes_nothing() {
    let fixture = Fixture::start(1);
    let arguments = ["endpoints", "isolate", "LAPTOP-4711", "--tenant", "Acme"];
    let (text, code) = converse(&fixture, &arguments, "Isolate the endpoint", "\u{3}");
    assert_eq!(code, 130, "{text}");
    assert!(text.ends_with("interrupted: nothing was changed\r\n"), "{text:?}");
    assert!(text.contains("\u{1b}[?25h"), "the cursor is visible again: {text:?}");
    assert!(fixture.simulator.isolation_changes().is_empty());
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

#[test]
fn init_hides_the_secret_that_is_typed() {
    let fixture = Fixture::start(1);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sophos"));
    command.args(["config", "init", "--profile", "typed"]);
    let answers = [("Client id", "the-client-id\r"), ("Client secret (hidden)", "hush-hush\r")];
    let (text, code) = run(&fixture, command, &answers);
    // The environment of the test has no keyring.
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("using the keyring failed"), "{text}");
    assert!(text.contains("the-client-id") && !text.contains("hush"), "{text}");
}
