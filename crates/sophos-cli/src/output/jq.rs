//! jq filters, run in this process.

use std::{
    io::{self, Write},
    rc::Rc,
};

use jaq_core::{
    Compiler, Ctx, Native, Vars, compile, data,
    load::{Arena, Error, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read};

use crate::{
    exit::{Exit, Failure},
    json::Json,
};

type Data = data::JustLut<Val>;

/// A compiled jq filter.
#[derive(Clone)]
pub(crate) struct JqFilter {
    text: String,
    filter: Rc<compile::Filter<Native<Data>>>,
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
    /// The mistake and its position.
    pub(crate) fn compile(text: &str) -> Result<Self, Failure> {
        let invalid = |problem: String| {
            Failure::usage(format!("invalid jq filter \"{text}\": {problem}"))
                .hint("quote the filter for the shell, such as --jq '.hostname'")
        };
        let position = |rest: &str| {
            let offset = (rest.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
            if offset < text.len() {
                format!("unexpected text at character {}", offset + 1)
            } else {
                "unexpected end".to_owned()
            }
        };
        let arena = Arena::default();
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let modules =
            Loader::new(definitions).load(&arena, File { code: text, path: () }).map_err(|errors| {
                let problem = errors.first().and_then(|(_, error)| match error {
                    Error::Io(_) => Some("modules are not supported".to_owned()),
                    Error::Lex(errors) => errors.first().map(|(_, rest)| position(rest)),
                    Error::Parse(errors) => errors.first().map(|(_, rest)| position(rest)),
                });
                invalid(problem.unwrap_or_else(|| "it cannot be parsed".to_owned()))
            })?;
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let name = errors.first().and_then(|(_, errors)| errors.first()).map_or("", |(name, _)| name);
            invalid(format!("unknown name {name}"))
        })?;
        Ok(Self { text: text.to_owned(), filter: Rc::new(filter) })
    }

    /// The results for a record.
    ///
    /// # Errors
    /// An error that the filter raises.
    pub(crate) fn apply(&self, record: &Json) -> Result<Vec<Json>, Failure> {
        let failed = |problem: String| {
            Failure::new(Exit::Failure, format!("the jq filter \"{}\" failed: {problem}", self.text))
        };
        let input = serde_json::to_string(record).map_err(|error| failed(error.to_string()))?;
        let input = read::parse_single(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
        self.filter
            .id
            .run((context, input))
            .map(unwrap_valr)
            .map(|result| {
                let value = result.map_err(|error| failed(error.to_string()))?;
                serde_json::from_str(&value.to_string()).map_err(|error| failed(error.to_string()))
            })
            .collect()
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
