use std::{env, fmt, fmt::Display, str::FromStr};

type Lookup<'v> = dyn Fn(&str) -> Option<String> + 'v;

/// Reads variables, and keeps what is wrong with them until
/// [`finish`](Self::finish), so that every mistake is told at once.
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
    /// Reads variables from elsewhere.
    pub fn from_fn(variable: impl Fn(&str) -> Option<String> + 'v) -> Self {
        Self { lookup: Box::new(variable), issues: Vec::new() }
    }

    /// Notes that there is something wrong with a variable: the text goes on
    /// from its name, and never holds a secret.
    pub fn invalid(&mut self, name: &str, problem: impl Display) {
        self.issues.push(format!("{name} {problem}"));
    }

    /// A variable's text. One that is empty is not set: templates cannot leave
    /// one out.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A variable's value, if it is set and can be read.
    pub fn value<V: FromStr<Err: Display>>(&mut self, name: &str) -> Option<V> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.invalid(name, format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// A variable's number, which must be within these bounds.
    pub fn number(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let number = self.value::<u64>(name)?;
        if !(min..=max).contains(&number) {
            self.invalid(name, format!("is {number}; it must be from {min} to {max}"));
        }
        Some(number)
    }

    /// The configuration that was read, if nothing is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong.
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

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// Each mistake, beginning with its variable.
    pub fn issues(&self) -> &[String] {
        &self.0
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong: {}", self.0.join("; "))
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
        let error = reader.finish(()).expect_err("mistakes");
        let names: Vec<_> = error.issues().iter().filter_map(|m| m.split(' ').next()).collect();
        assert_eq!(names, ["LOW", "HIGH", "FLAG", "OTHER"]);
        let told = error.to_string();
        assert!(told.starts_with("the configuration is wrong: LOW is 1; it must be from 2 to 8; "), "{told}");
    }
}
