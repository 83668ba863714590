//! The settings of one run of the program.

use std::{
    io::{IsTerminal, Write},
    sync::atomic::AtomicBool,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::OnceCell;

use crate::{
    connect::Session,
    exit::Failure,
    global_args::{ColorChoice, GlobalArgs, OutputFormat},
    output::{Column, JqFilter, OutputSettings, Records},
};

/// The time between two movements of a spinner.
const TICK: Duration = Duration::from_millis(200);

/// The settings of one run of the program.
#[derive(Debug)]
pub(crate) struct Context {
    /// The global options.
    pub(crate) globals: GlobalArgs,
    /// The settings of standard output.
    pub(crate) output: OutputSettings,
    /// Whether standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Whether the command ends cleanly by itself after the first Ctrl-C.
    pub(crate) ends_itself: AtomicBool,
    session: OnceCell<Session>,
}

impl Context {
    /// # Errors
    /// When a global option is invalid.
    pub(crate) fn new(globals: GlobalArgs) -> Result<Self, Failure> {
        let is_terminal = std::io::stdout().is_terminal();
        let color = match globals.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                is_terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let default = if is_terminal { OutputFormat::Table } else { OutputFormat::Jsonl };
        let output = OutputSettings {
            format: globals.output.unwrap_or(default),
            columns: globals.columns.iter().map(|column| Column::parse(column)).collect(),
            jq: globals.jq.as_deref().map(JqFilter::compile).transpose()?,
            limit: globals.limit,
            color,
            width: is_terminal.then(|| console::Term::stdout().size().1),
        };
        Ok(Self {
            globals,
            output,
            stderr_is_terminal: std::io::stderr().is_terminal(),
            ends_itself: AtomicBool::new(false),
            session: OnceCell::new(),
        })
    }

    /// The session of the selected credential. The first call reads the configuration.
    ///
    /// # Errors
    /// When the configuration or the credential is invalid.
    pub(crate) async fn session(&self) -> Result<&Session, Failure> {
        self.session.get_or_try_init(|| Session::open(self)).await
    }

    /// Opens a stream of records with these default columns, such as `id` or
    /// `Operating system=/os/name`.
    pub(crate) fn records(&self, columns: &[&str]) -> Records {
        Records::to_stdout(&self.output, columns)
    }

    /// Opens the output of a single object.
    pub(crate) fn record(&self) -> Records {
        Records::to_stdout(&self.output, &[]).single()
    }

    /// Whether standard output is a table.
    pub(crate) fn is_table(&self) -> bool {
        self.output.format == OutputFormat::Table && self.output.jq.is_none()
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_on_terminal(&self) -> bool {
        self.output.width.is_some()
    }

    /// Prints a summary on standard error, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.globals.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "warning: {text}");
    }

    /// A progress bar on standard error; hidden without a terminal or with `--quiet`.
    /// Without a length it is a spinner.
    pub(crate) fn progress(&self, label: &str, length: Option<u64>) -> ProgressBar {
        if self.globals.quiet || self.globals.debug || !self.stderr_is_terminal {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
        let template =
            if length.is_some() { "{msg} [{bar:30}] {pos}/{len} {eta}" } else { "{spinner} {msg} {pos}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        if length.is_none() {
            // A spinner moves while a response is awaited.
            bar.enable_steady_tick(TICK);
        }
        bar
    }
}
