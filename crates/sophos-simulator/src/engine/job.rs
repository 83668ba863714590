//! Work that takes simulated time.

use serde_json::{Value, json};

use crate::time;

/// The hidden member with the time of the end, in Unix milliseconds.
const FINISH: &str = "_finishMs";

/// The course of an asynchronous run. Its record changes by the clock, without a background task.
#[derive(Debug)]
pub(crate) struct Job {
    /// The duration in simulated seconds.
    pub(crate) seconds: i64,
    /// The members until the end.
    pub(crate) running: &'static [(&'static str, &'static str)],
    /// The members from the end on.
    pub(crate) finished: &'static [(&'static str, &'static str)],
    /// The member with the time of the end, if the record has one.
    pub(crate) finished_at: Option<&'static str>,
}

impl Job {
    /// Starts the run of a record.
    pub(crate) fn start(&self, record: &mut Value, now_ms: i64) {
        record[FINISH] = json!(now_ms + self.seconds * 1_000);
        self.update(record, now_ms);
    }

    /// Brings a record to the state at `now_ms`. A record that was not started stays.
    pub(crate) fn update(&self, record: &mut Value, now_ms: i64) {
        let Some(end) = record[FINISH].as_i64() else { return };
        let members = if now_ms < end { self.running } else { self.finished };
        for (name, value) in members {
            record[*name] = json!(value);
        }
        if let Some(name) = self.finished_at.filter(|_| now_ms >= end) {
            record[name] = json!(time::format_millis(end));
        }
    }
}

/// Keeps a started run from ending.
pub(crate) fn suspend(record: &mut Value) {
    record[FINISH] = Value::Null;
}

/// Whether the run of a record is over at `now_ms`.
pub(crate) fn is_finished(record: &Value, now_ms: i64) -> bool {
    record[FINISH].as_i64().is_none_or(|end| now_ms >= end)
}
