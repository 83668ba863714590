//! The captured standard output and standard error of a function.

use std::{
    fmt, fs, io,
    io::Write,
    os::unix::fs::FileExt,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The interval at which lines go to the sink while the function works.
const FORWARD_INTERVAL: Duration = Duration::from_millis(25);

/// A second destination of a function's output, besides the captured log.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum LogSink {
    /// No second destination.
    #[default]
    Discard,
    /// Standard error, each line with the function's name.
    Stderr,
    /// The end of this file, which is created if it does not exist.
    File(PathBuf),
    /// This closure, called with each line.
    Callback(Arc<dyn Fn(&str) + Send + Sync>),
}

impl LogSink {
    /// A sink that calls `call` with every line.
    pub fn callback(call: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self::Callback(Arc::new(call))
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discard => f.write_str("Nowhere"),
            Self::Stderr => f.write_str("Stderr"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Callback(_) => f.write_str("Call(..)"),
        }
    }
}

/// The captured output of one process.
///
/// The process writes to an unnamed file, not to a pipe. All that it wrote before its response
/// is therefore there with the response, and no task has to keep reading.
#[derive(Debug)]
pub(crate) struct Log {
    file: fs::File,
    forwarding: Mutex<Forwarding>,
}

#[derive(Debug)]
struct Forwarding {
    offset: u64,
    sink: LogSink,
    prefix: String,
}

impl Log {
    pub(crate) fn new(sink: LogSink, prefix: &str) -> io::Result<Self> {
        let forwarding = Forwarding { offset: 0, sink, prefix: prefix.to_owned() };
        Ok(Self { file: tempfile::tempfile()?, forwarding: Mutex::new(forwarding) })
    }

    /// A handle for the process to write to. All handles share one position.
    pub(crate) fn stdio(&self) -> io::Result<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    /// All lines so far. The last one may be incomplete.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.read_from(0);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// Sends new lines to the sink for as long as the future is polled.
    pub(crate) async fn follow(self: Arc<Self>) {
        while !matches!(self.forwarding().sink, LogSink::Discard) {
            tokio::time::sleep(FORWARD_INTERVAL).await;
            self.forward(false);
        }
    }

    /// Sends new lines to the sink; with `all`, also an incomplete last line.
    pub(crate) fn forward(&self, all: bool) {
        let mut forwarding = self.forwarding();
        if matches!(forwarding.sink, LogSink::Discard) {
            return;
        }
        let bytes = self.read_from(forwarding.offset);
        let end = match bytes.iter().rposition(|byte| *byte == b'\n') {
            _ if all => bytes.len(),
            Some(newline) => newline + 1,
            None => 0,
        };
        forwarding.offset += end as u64;
        let text = String::from_utf8_lossy(&bytes[..end]);
        if !text.is_empty() {
            forwarding.emit(&text);
        }
    }

    fn forwarding(&self) -> std::sync::MutexGuard<'_, Forwarding> {
        self.forwarding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads without moving the write position of the process.
    fn read_from(&self, mut offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = self.file.read_at(&mut chunk, offset) {
            bytes.extend_from_slice(&chunk[..read]);
            offset += read as u64;
        }
        bytes
    }
}

impl Forwarding {
    /// Writes to the sink. A failing sink must not fail the function under test.
    fn emit(&self, text: &str) {
        match &self.sink {
            LogSink::Discard => {}
            LogSink::Stderr => {
                let mut stderr = io::stderr().lock();
                for line in text.lines() {
                    let _ = writeln!(stderr, "[{}] {line}", self.prefix);
                }
            }
            LogSink::File(path) => {
                let file = fs::OpenOptions::new().create(true).append(true).open(path);
                if let Ok(mut file) = file {
                    let _ = file.write_all(text.as_bytes());
                }
            }
            LogSink::Callback(call) => text.lines().for_each(|line| call(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(log: &Log, text: &str) {
        (&log.file).write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn log_keeps_lines_and_forwards_them_when_complete() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = LogSink::callback({
            let lines = lines.clone();
            move |line| lines.lock().unwrap().push(line.to_owned())
        });
        let log = Log::new(sink, "test").unwrap();
        write(&log, "one\ntw");
        log.forward(false);
        assert_eq!(*lines.lock().unwrap(), ["one"]);
        assert_eq!(log.lines(), ["one", "tw"]);
        write(&log, "o\nthree");
        log.forward(true);
        assert_eq!(*lines.lock().unwrap(), ["one", "two", "three"]);
        log.forward(true);
        assert_eq!(log.lines(), ["one", "two", "three"]);
        assert_eq!(lines.lock().unwrap().len(), 3);
    }
}
