//! Values as Python prints them.

use super::Json;

/// A value as Python's `str` returns it.
pub(super) fn python_str(value: &Json) -> String {
    match value {
        Json::Null => "None".into(),
        Json::Boolean(true) => "True".into(),
        Json::Boolean(false) => "False".into(),
        Json::Number(number) => python_number(number),
        Json::Text(text) => text.clone(),
        Json::List(list) => format!("[{}]", list.iter().map(python_repr).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let member =
                |(name, value): (&str, &Json)| format!("{}: {}", python_quoted(name), python_repr(value));
            format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value as Python's `repr` returns it.
fn python_repr(value: &Json) -> String {
    match value {
        Json::Text(text) => python_quoted(text),
        value => python_str(value),
    }
}

/// An integer keeps all digits; another number is a double.
fn python_number(number: &str) -> String {
    if !number.contains(['.', 'e', 'E']) {
        return if number == "-0" { "0".into() } else { number.to_owned() };
    }
    let Ok(value) = number.parse::<f64>() else { return number.to_owned() };
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    // The shortest digits that round to the same double, in both languages.
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A text in Python's quotes.
fn python_quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for char in text.chars() {
        match char {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            char if char == quote => quoted.extend(['\\', char]),
            char if is_printable(char) => quoted.push(char),
            char => {
                let code = u32::from(char);
                quoted.push_str(&match code {
                    0..=0xFF => format!("\\x{code:02x}"),
                    0x100..=0xFFFF => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
        }
    }
    quoted.push(quote);
    quoted
}

/// Whether Python prints the character as it is. Rust's escapes of a text have the same
/// rule, except for the first character.
fn is_printable(char: char) -> bool {
    let text: String = ['a', char].iter().collect();
    // `\0` has an escape of its own.
    char != '\0' && !text.escape_debug().skip(1).take(2).eq("\\u".chars())
}

/// The text without white space at its ends, by Python's rule.
pub(in crate::format) fn python_strip(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || ('\x1c'..='\x1f').contains(&char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_str_prints_as_python() {
        for (json, expected) in [
            ("1.50", "1.5"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1e400", "inf"),
            ("-1E400", "-inf"),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.25e-7", "1.25e-07"),
            ("1e100", "1e+100"),
            ("true", "True"),
            ("null", "None"),
            (r#""a'b""#, "a'b"),
            (r#"["a'b", "c\"d'e", null]"#, r#"["a'b", 'c"d\'e', None]"#),
            (r#"{"a":{"b":[null,true,{}]},"c":[]}"#, "{'a': {'b': [None, True, {}]}, 'c': []}"),
            (
                "[\"\\u0000\\u001f\\n\\u007f\\u00a0\\u00e9\\u0301\\u200b\\ue000\\ud83d\\ude00\\t\\\\\"]",
                "['\\x00\\x1f\\n\\x7f\\xa0\u{e9}\u{301}\\u200b\\ue000\u{1f600}\\t\\\\']",
            ),
        ] {
            assert_eq!(python_str(&Json::parse(json)), expected, "{json}");
        }
    }
}
