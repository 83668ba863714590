//! JSON parsing that keeps every digit of a number.
//!
//! A number parser rounds ids above 2^64 and fractions, so two alerts could share one id. Numbers
//! that could lose digits are therefore quoted before parsing, and keep the sender's text.

use std::borrow::Cow;

use serde_json::Value;

/// The maximum number of digits of an integer that stays a number. Such an integer is exact in
/// every number type.
const MAX_DIGITS: usize = 15;

/// Parses a document with exact numbers and sorted members.
pub(super) fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(&quote_inexact_numbers(body))?;
    value.sort_all_objects();
    Ok(value)
}

/// Quotes every number that is not an integer of at most [`MAX_DIGITS`] digits. Invalid JSON stays
/// invalid, except that valid numbers beyond the parser's range become texts.
pub(super) fn quote_inexact_numbers(body: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => at = string_end(body, at),
            b'-' | b'0'..=b'9' => {
                let end =
                    at + prefix_len(&body[at..], |byte| b"+-.eE".contains(&byte) || byte.is_ascii_digit());
                let token = &body[at..end];
                if !is_short_integer(token) && is_number(token) && !is_followed_by_colon(&body[end..]) {
                    quoted.extend_from_slice(&body[copied..at]);
                    quoted.push(b'"');
                    quoted.extend_from_slice(token);
                    quoted.push(b'"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    quoted.extend_from_slice(&body[copied..]);
    Cow::Owned(quoted)
}

/// The index after the string that begins at `start`.
fn string_end(body: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    body.len()
}

/// The length of the longest prefix whose bytes all satisfy `passes`.
fn prefix_len(bytes: &[u8], passes: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !passes(*byte)).unwrap_or(bytes.len())
}

fn is_short_integer(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    digits.len() <= MAX_DIGITS && digits.iter().all(u8::is_ascii_digit)
}

/// Whether a token is a number in the grammar of JSON.
fn is_number(token: &[u8]) -> bool {
    let digits = |bytes: &[u8]| prefix_len(bytes, |byte| byte.is_ascii_digit());
    let mut rest = token.strip_prefix(b"-").unwrap_or(token);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            _ => exponent,
        };
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Whether a colon follows. A number is not a valid key and must not become one.
fn is_followed_by_colon(rest: &[u8]) -> bool {
    rest.get(prefix_len(rest, |byte| b" \t\r\n".contains(&byte))) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(body: &str) -> String {
        String::from_utf8(quote_inexact_numbers(body.as_bytes()).into_owned()).expect("UTF-8")
    }

    #[test]
    fn quote_quotes_numbers_that_lose_precision() {
        for (body, expected) in [
            ("1", "1"),
            ("-999999999999999", "-999999999999999"),
            ("1000000000000000", "\"1000000000000000\""),
            (
                "[340282366920938463463374607431768211455,0]",
                "[\"340282366920938463463374607431768211455\",0]",
            ),
            ("{\"a\": 1.50 }", "{\"a\": \"1.50\" }"),
            ("[1e400,-1E-2,1.5e+3]", "[\"1e400\",\"-1E-2\",\"1.5e+3\"]"),
            ("\"1.5\"", "\"1.5\""),
            ("[\"a\\\"1.5\", 1.5]", "[\"a\\\"1.5\", \"1.5\"]"),
            ("[\"\\\\\",1.5]", "[\"\\\\\",\"1.5\"]"),
        ] {
            assert_eq!(text(body), expected);
        }
    }

    #[test]
    fn quote_leaves_other_tokens_unchanged() {
        for body in [
            "01.5",
            "1.",
            "1.e5",
            ".5",
            "-",
            "--1",
            "1e",
            "1e+",
            "1.5.5",
            "1-5",
            "{1.5:2}",
            "{1.5 \n:2}",
            "\"1.5",
        ] {
            assert_eq!(text(body), body);
        }
        for body in ["+1.5", "tru1.5e", "1.5a", "\"a\"1.5", "[1.5 2.5]", "NaN", "-Infinity", "0x1.5"] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn quote_takes_linear_time() {
        let spaces = format!("[{}]", "1.5 ".repeat(200_000));
        assert_eq!(quote_inexact_numbers(spaces.as_bytes()).len(), spaces.len() + 400_000);
        quote_inexact_numbers("\\\"-1.5e".repeat(200_000).as_bytes());
    }

    /// Generates JSON with numbers of any length, and the same JSON with quoted numbers.
    fn document() -> impl Strategy<Value = (String, Value)> {
        let number = "-?(0|[1-9][0-9]{0,60})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?";
        let leaf = prop_oneof![
            number.prop_map(|text| {
                let short = is_short_integer(text.as_bytes()).then(|| text.parse::<i64>().ok()).flatten();
                let value = short.filter(|_| text != "-0").map_or(Value::from(text.as_str()), Value::from);
                (
                    if text == "-0" { "1.0".into() } else { text.clone() },
                    if text == "-0" { "1.0".into() } else { value },
                )
            }),
            "[ -~\"\\\\é]{0,12}".prop_map(|text| (Value::from(text.as_str()).to_string(), Value::from(text))),
            Just(("true".to_owned(), Value::Bool(true))),
            Just(("null".to_owned(), Value::Null)),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let space = prop::sample::select(vec!["", " ", "\n\t"]);
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..5), space.clone()).prop_map(|(items, space)| {
                    let texts: Vec<_> =
                        items.iter().map(|(text, _)| format!("{space}{text}{space}")).collect();
                    let values: Vec<_> = items.into_iter().map(|(_, value)| value).collect();
                    (format!("[{}]", texts.join(",")), Value::from(values))
                }),
                (prop::collection::btree_map("[a-z0-9.\"]{0,4}", inner, 0..5), space).prop_map(
                    |(members, space)| {
                        let text = |(name, (text, _)): (&String, &(String, Value))| {
                            format!("{space}{}{space}:{space}{text}{space}", Value::from(name.as_str()))
                        };
                        let texts: Vec<_> = members.iter().map(text).collect();
                        let values = members.into_iter().map(|(name, (_, value))| (name, value));
                        (format!("{{{}}}", texts.join(",")), Value::Object(values.collect()))
                    }
                ),
            ]
        })
    }

    proptest! {
        #[test]
        fn parse_keeps_structure_and_every_digit((body, expected) in document()) {
            prop_assert_eq!(parse(body.as_bytes()).expect("JSON"), expected, "{}", body);
        }

        #[test]
        fn parse_accepts_only_valid_json(
            body in prop_oneof!["[\\[\\]{},:0-9.eE+\\-\" a\\\\\n]{0,24}", ".{0,40}"],
        ) {
            let before = serde_json::from_str::<Value>(&body);
            let after = parse(body.as_bytes());
            match before {
                Ok(_) => prop_assert!(after.is_ok(), "{}", body),
                Err(error) if error.to_string().starts_with("number out of range") => {}
                Err(_) => prop_assert!(after.is_err(), "{}", body),
            }
        }

        #[test]
        fn quote_accepts_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let once = quote_inexact_numbers(&body).into_owned();
            prop_assert!(once.len() >= body.len());
            if serde_json::from_slice::<Value>(&body).is_ok() {
                let twice = quote_inexact_numbers(&once).into_owned();
                prop_assert_eq!(twice, once);
            }
        }
    }
}
