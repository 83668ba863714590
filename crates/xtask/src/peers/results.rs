//! The results that a check prints, one line of JSON for each function of its client.

use serde_json::Value;

use crate::error::Error;

/// The result of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The client and the simulator agree.
    Ok,
    /// They differ, for a stated reason.
    Differs,
    /// The function is not for Sophos Central.
    NotApplicable,
    /// They differ without a reason.
    Unexplained,
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Differs => "differs",
            Self::NotApplicable => "not applicable",
            Self::Unexplained => "unexplained",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Differs, Self::NotApplicable, Self::Unexplained]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// One function of a client.
#[derive(Debug)]
pub(super) struct FunctionResult {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) reason: String,
}

/// The results of one client, by the names of its functions.
#[derive(Debug)]
pub(super) struct ClientResults {
    pub(super) client: String,
    pub(super) version: String,
    pub(super) functions: Vec<FunctionResult>,
}

impl ClientResults {
    /// Parses the output of a check. Its first line has the client and its version.
    pub(super) fn parse(check: &str, output: &str) -> Result<Self, Error> {
        let invalid = |line: &str| Error::new(format!("invalid line of {check}: {line}"));
        let text = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
        let parse = |line: &str| serde_json::from_str::<Value>(line).map_err(|_| invalid(line));
        let mut lines = output.lines();
        let first = lines.next().unwrap_or_default();
        let header = parse(first)?;
        let (Some(client), Some(version)) = (text(&header, "client"), text(&header, "version")) else {
            return Err(invalid(first));
        };
        let function = |line: &str| {
            let value = parse(line)?;
            let name = text(&value, "function");
            let outcome = text(&value, "result").as_deref().and_then(Outcome::parse);
            match (name, outcome, text(&value, "reason")) {
                (Some(name), Some(outcome), Some(reason)) => Ok(FunctionResult { name, outcome, reason }),
                _ => Err(invalid(line)),
            }
        };
        let mut functions = lines.map(function).collect::<Result<Vec<_>, _>>()?;
        if functions.is_empty() {
            return Err(Error::new(format!("{check} printed no results")));
        }
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { client, version, functions })
    }

    /// The number of functions with this outcome.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.functions.iter().filter(|function| function.outcome == outcome).count()
    }

    /// The functions that differ without a reason, each with the name of the client.
    pub(super) fn unexplained(&self) -> impl Iterator<Item = (&str, &FunctionResult)> {
        let functions = self.functions.iter().filter(|function| function.outcome == Outcome::Unexplained);
        functions.map(|function| (self.client.as_str(), function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_sorted_by_function() {
        let output = "{\"client\":\"one\",\"version\":\"1.0\"}\n\
            {\"client\":\"one\",\"function\":\"b\",\"result\":\"unexplained\",\"reason\":\"why\"}\n\
            {\"client\":\"one\",\"function\":\"a\",\"result\":\"ok\",\"reason\":\"\"}\n";
        let results = ClientResults::parse("one.py", output).expect("results");
        let names: Vec<_> = results.functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!((results.count(Outcome::Ok), results.unexplained().count()), (1, 1));
    }

    #[test]
    fn incomplete_output_is_rejected() {
        for output in [
            "",
            "{}",
            "{\"client\":\"one\",\"version\":\"1.0\"}",
            "{\"client\":\"one\",\"version\":\"1.0\"}\nno",
        ] {
            ClientResults::parse("one.py", output).expect_err(output);
        }
    }
}
