//! Host names as the script corrects them.

use super::python_strip;

/// The host name if it is a valid one, else a valid one that is similar.
pub(super) fn to_valid_host_name(host: &str) -> String {
    if is_valid(host) {
        return host.to_owned();
    }
    let lower = host.to_lowercase();
    let labels = lower.split('.').map(python_strip).filter(|label| !label.is_empty());
    labels.map(to_valid_label).collect::<Vec<_>>().join(".")
}

/// The label with runs of other characters replaced by a hyphen.
fn to_valid_label(label: &str) -> String {
    let mut valid = String::with_capacity(label.len());
    let mut in_run = false;
    for char in label.chars() {
        let is_plain = char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        if is_plain {
            valid.push(char);
        } else if !in_run {
            valid.push('-');
        }
        in_run = !is_plain;
    }
    valid.trim_matches('-').to_owned()
}

fn is_valid(host: &str) -> bool {
    let host = python_strip(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    !host.is_empty() && host.chars().count() < 256 && host.split('.').all(is_valid_label)
}

fn is_valid_label(label: &str) -> bool {
    // The script's expression ends before a line break.
    let plain = label.strip_suffix('\n').unwrap_or(label);
    label.chars().count() < 64
        && plain
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_corrected_as_by_the_script() {
        let long = "a".repeat(64);
        for (host, expected) in [
            ("DC01", "DC01"),
            ("a-b.example.", "a-b.example."),
            (" DC01 ", " DC01 "),
            ("Ann's MacBook", "ann-s-macbook"),
            ("web_01..Example", "web-01.example"),
            ("-x-.y", "x.y"),
            (long.as_str(), long.as_str()),
            ("", ""),
            ("\u{c4}\u{d6}.b", ".b"),
            ("a--b", "a--b"),
        ] {
            assert_eq!(to_valid_host_name(host), expected);
        }
    }
}
