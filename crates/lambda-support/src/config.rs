use std::{env, fmt, fmt::Display, str::FromStr};

type Lookup<'v> = dyn Fn(&str) -> Option<String> + 'v;

/// Reads environment variables and collects the issues until
/// [`finish`](Self::finish), so that one error lists all of them.
pub struct ConfigReader<'v> {
    lookup: Box<Lookup<'v>>,
    issues: Vec<String>,
}

impl ConfigReader<'static> {
    /// Reads the process's environment.
    pub fn from_env() -> Self {
        Self::from_fn(|name| env::var(name).ok())
    }
}

impl<'v> ConfigReader<'v> {
    /// Reads variables through a function, for tests.
    pub fn from_fn(variable: impl Fn(&str) -> Option<String> + 'v) -> Self {
        Self { lookup: Box::new(variable), issues: Vec::new() }
    }

    /// Adds an issue of a variable. `problem` continues after the variable's name and
    /// holds no secret.
    pub fn invalid(&mut self, name: &str, problem: impl Display) {
        self.issues.push(format!("{name} {problem}"));
    }

    /// The text of a variable, trimmed. An empty variable counts as unset, since
    /// templates cannot omit one.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The parsed value of a variable; `None` if it is unset or, with an issue, invalid.
    pub fn value<V: FromStr<Err: Display>>(&mut self, name: &str) -> Option<V> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.invalid(name, format!("is invalid: {error}"));
                None
            }
        }
    }

    /// The number in a variable. Outside of the bounds, which are inclusive, it is an
    /// issue.
    pub fn number(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let number = self.value::<u64>(name)?;
        if !(min..=max).contains(&number) {
            self.invalid(name, format!("is {number}: expected {min} to {max}"));
        }
        Some(number)
    }

    /// Returns the configuration if there is no issue.
    ///
    /// # Errors
    /// All issues.
    pub fn finish<C>(self, config: C) -> Result<C, ConfigError> {
        if self.issues.is_empty() { Ok(config) } else { Err(ConfigError(self.issues)) }
    }
}

/// Shows no variable: some hold secrets.
impl fmt::Debug for ConfigReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigReader").field("issues", &self.issues).finish_non_exhaustive()
    }
}

/// The issues of an invalid configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// Each issue, beginning with the name of its variable.
    pub fn issues(&self) -> &[String] {
        &self.0
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid configuration: {}", self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader<'v>(variables: &'v [(&str, &str)]) -> ConfigReader<'v> {
        ConfigReader::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let mut reader = reader(&[("TEXT", " a b "), ("EMPTY", " "), ("NUMBER", "7 ")]);
        assert_eq!(reader.text("TEXT").as_deref(), Some("a b"));
        assert_eq!((reader.text("EMPTY"), reader.text("MISSING")), (None, None));
        assert_eq!((reader.value::<u8>("EMPTY"), reader.number("MISSING", 1, 2)), (None, None));
        assert_eq!(reader.number("NUMBER", 7, 7), Some(7));
        assert_eq!(reader.finish("all"), Ok("all"));
    }

    #[test]
    fn finish_reports_all_issues_at_once() {
        let mut reader = reader(&[("LOW", "1"), ("HIGH", "9"), ("FLAG", "hush?")]);
        reader.number("LOW", 2, 8);
        reader.number("HIGH", 2, 8);
        assert_eq!(reader.value::<bool>("FLAG"), None);
        reader.invalid("OTHER", "is not set");
        assert!(!format!("{reader:?}").contains("hush"), "{reader:?}");
        let error = reader.finish(()).expect_err("issues");
        let names: Vec<_> = error.issues().iter().filter_map(|m| m.split(' ').next()).collect();
        assert_eq!(names, ["LOW", "HIGH", "FLAG", "OTHER"]);
        let text = error.to_string();
        assert!(text.starts_with("invalid configuration: LOW is 1: expected 2 to 8; "), "{text}");
    }
}
