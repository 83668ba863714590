//! A part of the query language: comparisons joined by `and` and `or`, a time range, an
//! order and a limit.

use std::cmp::Ordering;

use serde_json::Value;

/// A parsed query.
#[derive(Debug, Default)]
pub(crate) struct ObjectQuery {
    condition: Option<Condition>,
    /// The earliest time of records, in milliseconds before now.
    pub(crate) earliest_ms: Option<i64>,
    /// The field of the order, and whether it is descending.
    pub(crate) sort: Option<(String, bool)>,
    pub(crate) head: Option<usize>,
}

#[derive(Debug)]
enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Compare { field: String, operator: String, values: Vec<Value> },
}

/// The parts of a query: words, operators, and texts in quotes.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

impl ObjectQuery {
    /// Parses a query. `fields` are the known ones.
    pub(crate) fn parse(text: &str, fields: &[&str]) -> Result<Self, String> {
        let mut query = Self::default();
        let mut stages = split_stages(text).into_iter();
        let tokens = tokenize(&stages.next().unwrap_or_default())?;
        let mut parser = Parser { tokens: query.take_range(tokens)?, position: 0, fields };
        if parser.take_word("from") {
            parser.position += 1;
        }
        parser.take_word("where");
        if parser.position < parser.tokens.len() {
            query.condition = Some(parser.disjunction()?);
        }
        if parser.position < parser.tokens.len() {
            return Err(format!("unexpected {:?}", parser.tokens[parser.position]));
        }
        for stage in stages {
            let words: Vec<&str> = stage.split_whitespace().collect();
            match words.as_slice() {
                ["sort", field] => query.sort = Some(((*field).to_owned(), false)),
                ["sort", field, order] => query.sort = Some(((*field).to_owned(), *order == "desc")),
                ["head", count] => query.head = count.parse().ok(),
                _ => return Err(format!("unknown stage \"{}\"", stage.trim())),
            }
        }
        if let Some((field, _)) = query.sort.as_ref().filter(|(field, _)| !fields.contains(&field.as_str())) {
            return Err(format!("unknown field \"{field}\""));
        }
        Ok(query)
    }

    /// Takes `EARLIEST=-1d` out of the tokens.
    fn take_range(&mut self, tokens: Vec<Token>) -> Result<Vec<Token>, String> {
        let mut rest = Vec::new();
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match &token {
                Token::Word(word) if word.eq_ignore_ascii_case("earliest") => {
                    let (sign, value) = (tokens.next(), tokens.next());
                    let (Some(Token::Sign(_)), Some(Token::Word(value))) = (sign, value) else {
                        return Err("expected a time after EARLIEST=".to_owned());
                    };
                    self.earliest_ms = Some(parse_age(&value).ok_or("expected a time such as -1d")?);
                }
                _ => rest.push(token),
            }
        }
        Ok(rest)
    }

    /// Whether an object has the wanted values.
    pub(crate) fn matches(&self, get: &dyn Fn(&str) -> Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.matches(get))
    }
}

/// The milliseconds of `-3d`, `-12h` or `-30m`.
fn parse_age(text: &str) -> Option<i64> {
    let text = text.strip_prefix('-')?;
    let unit = match text.chars().last()? {
        'd' => 86_400_000,
        'h' => 3_600_000,
        'm' => 60_000,
        's' => 1_000,
        _ => return None,
    };
    text[..text.len() - 1].parse::<i64>().ok()?.checked_mul(unit)
}

/// Splits at each `|` outside quotes.
fn split_stages(text: &str) -> Vec<String> {
    let mut stages = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '\'';
        match stages.last_mut() {
            Some(stage) if character != '|' || quoted => stage.push(character),
            _ => stages.push(String::new()),
        }
    }
    stages
}

fn tokenize(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => {
                let end = rest[1..].find('\'').ok_or("a text without its end")?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '(' | ')' | ',' => {
                tokens.push(Token::Sign(first.to_string()));
                1
            }
            '=' | '!' | '<' | '>' => {
                let length = if rest[1..].starts_with('=') { 2 } else { 1 };
                tokens.push(Token::Sign(rest[..length].to_owned()));
                length
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || "'(),=!<>".contains(c);
                let length = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'f> {
    tokens: Vec<Token>,
    position: usize,
    fields: &'f [&'f str],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        self.position += 1;
        self.tokens.get(self.position - 1).cloned()
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.position), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.position += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.position), Some(Token::Sign(next)) if next == sign);
        self.position += usize::from(found);
        found
    }

    fn disjunction(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(Condition::Or(parts))
    }

    fn conjunction(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.comparison()?];
        while self.take_word("and") {
            parts.push(self.comparison()?);
        }
        Ok(Condition::And(parts))
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        if self.take_sign("(") {
            let inner = self.disjunction()?;
            return if self.take_sign(")") { Ok(inner) } else { Err("missing \")\"".to_owned()) };
        }
        let field = match self.next() {
            Some(Token::Word(field)) if self.fields.contains(&field.as_str()) => field,
            Some(token) => return Err(format!("unknown field {token:?}")),
            None => return Err("unexpected end".to_owned()),
        };
        if self.take_word("is") {
            let operator = if self.take_word("not") { "is not" } else { "is" }.to_owned();
            return if self.take_word("null") {
                Ok(Condition::Compare { field, operator, values: Vec::new() })
            } else {
                Err("expected null after is".to_owned())
            };
        }
        let operator = match self.next() {
            Some(Token::Sign(sign)) if sign != "(" && sign != ")" => sign,
            Some(Token::Word(word)) if word == "contains" || word == "in" => word,
            other => return Err(format!("unknown operator {other:?}")),
        };
        let mut values = Vec::new();
        if operator == "in" {
            if !self.take_sign("(") {
                return Err("expected \"(\" after in".to_owned());
            }
            while !self.take_sign(")") {
                values.push(self.value()?);
                self.take_sign(",");
            }
        } else {
            values.push(self.value()?);
        }
        Ok(Condition::Compare { field, operator, values })
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text.into()),
            Some(Token::Word(word)) => Ok(word.parse::<f64>().map_or_else(|_| word.into(), Value::from)),
            other => Err(format!("expected a value, found {other:?}")),
        }
    }
}

impl Condition {
    fn matches(&self, get: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(get)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(get)),
            Self::Compare { field, operator, values } => {
                let actual = get(field);
                match operator.as_str() {
                    "is" => actual.is_null(),
                    "is not" => !actual.is_null(),
                    operator => values.iter().any(|value| holds(&actual, operator, value)),
                }
            }
        }
    }
}

fn holds(actual: &Value, operator: &str, expected: &Value) -> bool {
    let order = compare(actual, expected);
    match operator {
        "=" | "in" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        ">" => order == Some(Ordering::Greater),
        ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "contains" => match (actual, expected.as_str()) {
            (Value::Array(items), _) => items.contains(expected),
            (Value::String(text), Some(part)) => text.to_lowercase().contains(&part.to_lowercase()),
            _ => false,
        },
        _ => false,
    }
}

/// Compares numbers by value and texts by letter.
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn object_query_matches_as_it_says() {
        let object = json!({"a": 0.7, "b": "x|y", "c": ["t"], "d": null});
        let get = |name: &str| object[name].clone();
        for (text, expected) in [
            ("", true),
            ("from alert a >= 0.6 EARLIEST=-1d", true),
            ("from alert where a > 0.7", false),
            ("b = 'x|y' and c contains 't' | sort a desc", true),
            ("d is null", true),
            ("d is not null or (a = 0.7 and b != 'z')", true),
            ("b in ('q', 'x|y')", true),
            ("b contains 'Y'", true),
        ] {
            let query = ObjectQuery::parse(text, &["a", "b", "c", "d"]).expect(text);
            assert_eq!(query.matches(&get), expected, "{text}");
        }
        for text in ["e = 1", "a", "a ~ 1", "a = ", "(a = 1", "a = 'x", "a = 1 | stats count", "a = 1 b = 2"]
        {
            assert!(ObjectQuery::parse(text, &["a", "b"]).is_err(), "{text}");
        }
    }
}
