//! Issues of an invalid policy: each with its line, and without secrets.

mod policy_assertions;

use policy_assertions::{
    TENANT, assert_file_issues, assert_source_issues, assert_verify_issues, invalid_policy, issue_positions,
};
use proptest::prelude::*;
use sophos_isolation::policy::Policy;

#[test]
fn parse_reports_the_line_of_invalid_toml() {
    for (text, line) in [
        ("version = 1\nmode = \n", 2),
        ("version = 1\n\n[limits\n", 3),
        ("version = 1\nversion = 1\n", 2),
        ("version = 1\n[release]\n[release]\n", 3),
        ("version = 1\nmode = \"enforce", 2),
        ("version = 1\r\n# \u{1}\r\n", 2),
        ("version = 1\n[protect]\nnames = [\n\"a\",\n", 4),
        ("version = 1\nmode = \"\"\"\n", 2),
        ("version = 1\nmode = {\n", 2),
        ("version = 1\n[limits\n\n", 2),
        ("version = 1\nmode =\n", 2),
    ] {
        let error = invalid_policy(text);
        assert_eq!(error.issues()[0].line, line, "{text:?} {error}");
        assert!(error.issues().iter().all(|issue| issue.message.starts_with("invalid TOML: ")), "{error}");
    }
}

#[test]
fn parse_limits_the_file_size() {
    let comment = |length: usize| format!("version = 1\n#{}", "x".repeat(length - 13));
    assert!(Policy::parse(&comment(256 * 1024)).is_ok());
    let error = invalid_policy(&comment(256 * 1024 + 1));
    assert_eq!(issue_positions(&error), [(1, "")]);
    assert!(error.to_string().contains("262144"), "{error}");
}

#[test]
fn parse_requires_a_version() {
    assert_eq!(issue_positions(&invalid_policy("")), [(1, "version")]);
    assert_eq!(issue_positions(&invalid_policy("mode = \"enforce\"\n")), [(1, "version")]);
    for version in ["2", "0", "\"1\"", "1.0", "true", "[1]"] {
        let error = invalid_policy(&format!("\nversion = {version}"));
        assert_eq!(issue_positions(&error), [(2, "version")], "{version}");
    }
}

#[test]
fn parse_reports_a_value_of_the_wrong_type() {
    assert_file_issues("mode = \"enforced\"", &[(2, "mode", "\"enforce\" or \"dry_run\"")]);
    assert_file_issues("mode = 1", &[(2, "mode", "\"enforce\" or \"dry_run\"")]);
    assert_file_issues("release = \"4h\"", &[(2, "release", "a table")]);
    assert_file_issues("sources = []", &[(2, "sources", "a table")]);
    assert_file_issues("[release]\nafter = 4", &[(3, "release.after", "\"never\", or a duration")]);
    assert_file_issues("[release]\nafter = \"367d\"", &[(3, "release.after", "up to 366 days")]);
    for share in ["0", "0.0", "-0.1", "1.1", "2", "nan", "inf", "\"5%\""] {
        assert_file_issues(
            &format!("[limits]\nestate_share = {share}"),
            &[(3, "limits.estate_share", "a number above 0")],
        );
    }
    for number in ["0", "-1", "1001", "1.5", "0x10", "\"7\"", "99999999999999999999"] {
        for key in ["tenant_per_hour", "source_per_hour"] {
            let place = format!("limits.{key}");
            assert_file_issues(
                &format!("[limits]\n{key} = {number}"),
                &[(3, &place, "a whole number from 1 to 1000")],
            );
        }
    }
    for (table, key) in [
        ("endpoints", "seen_within"),
        ("endpoints", "address_seen_within"),
        ("follow_up", "effect_timeout"),
        ("follow_up", "check_interval"),
        ("approve", "timeout"),
    ] {
        for time in ["\"0s\"", "\"never\"", "30", "\"30\"", "\"1h30m\""] {
            let place = format!("{table}.{key}");
            assert_file_issues(&format!("[{table}]\n\n{key} = {time}"), &[(4, &place, "a duration such as")]);
        }
    }
}

#[test]
fn parse_reports_unknown_keys_everywhere() {
    assert_file_issues("modus = 1", &[(2, "modus", "expected one of version, mode, release")]);
    for table in ["release", "limits", "endpoints", "protect", "approve", "follow_up"] {
        let key = format!("{table}.hosts");
        assert_file_issues(&format!("[{table}]\nhosts = 1"), &[(3, &key, "unknown key: expected one of ")]);
    }
    let path = "verify = { scheme = \"path\", secret = \"n\" }";
    assert_source_issues(
        &format!("tool = \"wazuh\"\n{path}\nper_day = 1"),
        &[(6, "sources.s.per_day", "per_hour")],
    );
    assert_source_issues(
        &format!("tool = \"wazuh\"\n{path}\n[sources.s.fields]\n\nhost = \"/a\""),
        &[(8, "sources.s.fields.host", "hostname")],
    );
    assert_verify_issues(
        "wazuh",
        "scheme = \"path\", secret = \"n\", user = \"u\"",
        &[(".user", "expected one of scheme, secret")],
    );
    assert_verify_issues(
        "wazuh",
        "scheme = \"bearer\", secret = \"n\", header = \"h\"",
        &[(".header", "unknown key: ")],
    );
    assert_verify_issues(
        "wazuh",
        "scheme = \"basic\", user = \"u\", secret = \"n\", layout = \"generic\"",
        &[(".layout", "")],
    );
    assert_file_issues("\"a\\nb\" = 1", &[(2, "a b", "unknown key: ")]);
}

#[test]
fn parse_reports_a_selector_that_protects_nothing() {
    for table in ["protect", "approve"] {
        let items = |key: &str, list: &str, expected: &[(usize, &str)]| {
            let key = format!("{table}.{key}");
            let places: Vec<_> = expected.iter().map(|(at, what)| (format!("{key}[{at}]"), *what)).collect();
            assert_file_issues(
                &format!("{key} = [{list}]"),
                &places.iter().map(|(key, what)| (2, key.as_str(), *what)).collect::<Vec<_>>(),
            );
        };
        items(
            "names",
            r#""dc01", "dc*", "hv?", "10.0.0.1", "localhost", ".", "", 7, "a\tb""#,
            &[
                (1, "patterns"),
                (2, "patterns"),
                (3, "not an address"),
                (4, "expected a host name"),
                (5, "expected a host name"),
                (6, "1 to 200 characters"),
                (7, "a string"),
                (8, "without control characters"),
            ],
        );
        items(
            "patterns",
            r#""*-dc-*", " . ", ["a"], """#,
            &[(1, "a pattern"), (2, "a string"), (3, "1 to 200")],
        );
        items("groups", r#""a", "  ", 1"#, &[(1, "the name or the id"), (2, "a string")]);
        items(
            "types",
            r#""server", "servers", "Server", 1"#,
            &[(1, "\"server\""), (2, "\"server\""), (3, "")],
        );
        items(
            "tags",
            r#""a", "a=b", "=", "=b", "a=", " = b""#,
            &[(2, ""), (3, ""), (4, "key=value"), (5, "")],
        );
        items("ids", &format!(r#""{TENANT}", "dc01", "{TENANT}0""#), &[(1, "invalid id"), (2, "")]);
        assert_file_issues(&format!("{table}.names = \"dc01\""), &[(2, &format!("{table}.names"), "a list")]);
        let long = "x".repeat(201);
        items("patterns", &format!("\"{}\", \"{long}\"", &long[1..]), &[(1, "1 to 200 characters")]);
    }
}

#[test]
fn parse_reports_the_line_of_a_list_item() {
    assert_file_issues(
        "[protect]\nnames = [\n  \"dc01\",\n  \"a*\",\n  # and\n  \"::1\"]\n\ntypes = [\"pc\"]",
        &[
            (5, "protect.names[1]", "patterns"),
            (7, "protect.names[2]", "host name"),
            (9, "protect.types[0]", ""),
        ],
    );
}

#[test]
fn parse_limits_the_number_of_selectors() {
    let list = |count: usize| vec!["\"a\""; count].join(", ");
    let text = |count| format!("[protect]\ngroups = [{}]\n[approve]\ntags = [{}]", list(4_000), list(count));
    assert!(Policy::parse(&format!("version = 1\n{}", text(1_000))).is_ok());
    assert_file_issues(&text(1_001), &[(5, "approve.tags", "at most 5000")]);
}

#[test]
fn parse_rejects_a_secret_value_without_repeating_it() {
    for secret in [
        "hunter 2 is a secret",
        "whsec:5ecre7",
        "5ecre7ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "5ecre7abcdefghijklmnopqrstuvwx==",
        "pässwort",
        "",
    ] {
        for text in [
            format!("[approve]\nsecret = \"{secret}\""),
            format!(
                "[sources.s]\ntenants = [\"{TENANT}\"]\ntool = \"wazuh\"\nverify = {{ scheme = \"bearer\", secret = \"{secret}\" }}"
            ),
        ] {
            let error = invalid_policy(&format!("version = 1\n{text}"));
            assert_eq!(error.issues().len(), 1, "{error}");
            assert!(error.issues()[0].key.ends_with(".secret"), "{error}");
            assert!(secret.is_empty() || !format!("{error} {error:?}").contains(secret), "{error}");
        }
    }
    for name in ["webhooks/pagerduty", "a", "A.b_c-d+e=f@g", &format!("webhooks/{}", "a".repeat(40))] {
        assert!(Policy::parse(&format!("version = 1\napprove.secret = \"{name}\"")).is_ok(), "{name}");
    }
}

#[test]
fn parse_reports_all_errors_in_line_order() {
    let error = invalid_policy(
        "mode = \"on\"\n[sources.x]\ntool = \"nmap\"\nper_hour = 0\n[protect]\ntypes = [\"pc\"]\n[limits]\nestate_share = 5\n",
    );
    assert_eq!(
        issue_positions(&error),
        [
            (1, "mode"),
            (1, "version"),
            (2, "sources.x.tenants"),
            (3, "sources.x.tool"),
            (4, "sources.x.per_hour"),
            (6, "protect.types[0]"),
            (8, "limits.estate_share"),
        ]
    );
    let text = error.to_string();
    assert!(
        text.contains("\nline 8, limits.estate_share: invalid value: expected a number above 0 and up to 1"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 8);
}

#[test]
fn parse_reports_at_most_a_hundred_errors() {
    let keys: String = (0..250).map(|at| format!("k{at} = 1\n")).collect();
    let error = invalid_policy(&format!("version = 1\n{keys}"));
    assert_eq!((error.issues().len(), error.issues()[99].line), (100, 101));
    assert!(error.to_string().ends_with("\nand 150 more"), "{error}");
}

/// Generates valid, invalid and incomplete lines in any order.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("version = 1".to_owned()),
        "\\[{1,2}(release|limits|protect|approve|endpoints|follow_up|sources)(\\.[a-zé\"]{1,3}){0,2}\\]{0,2}",
        "(mode|after|names|types|tags|ids|tool|tenants|accounts|verify|fields|secret|timeout|allow_from)(\\.a)? ?= ?(1|1e9|nan|\"[ -~]{0,6}\"|\\[[\"a, 1]{0,6}\\]|\\{ ?(scheme|a) = \"(path|signature)\" ?\\}|1979-05-27)",
        "\\PC{0,20}",
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn parse_never_panics(text in prop_oneof![".{0,200}", lines()]) {
        if let Err(error) = Policy::parse(&text) {
            let last = text.lines().count().max(1);
            prop_assert!(!error.issues().is_empty());
            for issue in error.issues() {
                prop_assert!((1..=last).contains(&issue.line), "{} of {last}", issue);
            }
            prop_assert!(error.issues().is_sorted_by_key(|issue| issue.line));
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
