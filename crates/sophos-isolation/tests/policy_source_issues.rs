//! Issues of invalid sources, each with its line.

mod policy_assertions;

use policy_assertions::{OTHER, TENANT, assert_file_issues, assert_source_issues, assert_verify_issues};
use sophos_isolation::policy::Policy;

#[test]
fn parse_limits_names_and_number_of_sources() {
    let named = |name: &str| {
        format!(
            "[sources.{name}]\ntool = \"wazuh\"\ntenants = [\"{TENANT}\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}\n"
        )
    };
    assert!(Policy::parse(&format!("version = 1\n{}", named(&"a-_9".repeat(10)))).is_ok());
    let long = "a".repeat(41);
    for (name, key) in [
        ("PD", "sources.PD"),
        ("\"a b\"", "sources.a b"),
        ("\"a/b\"", "sources.a/b"),
        ("\"\"", "sources."),
        ("\"é\"", "sources.é"),
        (&long, &format!("sources.{long}")),
    ] {
        assert_file_issues(&named(name), &[(2, key, "1 to 40 characters of a-z, 0-9, - and _")]);
    }
    let many = |count: usize| (0..count).map(|at| named(&format!("s{at}"))).collect::<String>();
    assert!(Policy::parse(&format!("version = 1\n{}", many(200))).is_ok());
    assert_file_issues(&many(201), &[(2, "sources", "at most 200")]);
}

#[test]
fn parse_requires_the_keys_of_a_source() {
    assert_file_issues(
        "[sources.a]\n\n[sources.b]\ntool = \"wazuh\"",
        &[
            (2, "sources.a.tenants", "missing key"),
            (2, "sources.a.tool", "missing key"),
            (4, "sources.b.tenants", "missing key"),
            (4, "sources.b.verify", "missing key"),
        ],
    );
    assert_file_issues(
        "[sources.a]\ntool = \"guardduty\"\ntenants = []",
        &[(2, "sources.a.accounts", "missing key"), (4, "sources.a.tenants", "1 to 25")],
    );
    assert_source_issues(
        "tool = \"guard duty\"",
        &[(4, "sources.s.tool", "\"guardduty\" or \"security_hub\"")],
    );
    let tenants = |count: usize| {
        let list: Vec<_> = (0..count).map(|at| format!("\"{at:08}{}\"", &TENANT[8..])).collect();
        format!(
            "[sources.a]\ntool = \"wazuh\"\nverify = {{ scheme = \"path\", secret = \"n\" }}\ntenants = [{}]",
            list.join(", ")
        )
    };
    assert!(Policy::parse(&format!("version = 1\n{}", tenants(25))).is_ok());
    assert_file_issues(&tenants(26), &[(5, "sources.a.tenants", "1 to 25")]);
    assert_file_issues(
        &format!(
            "[sources.a]\ntool = \"wazuh\"\nverify = {{ scheme = \"path\", secret = \"n\" }}\ntenants = [\"{TENANT}\",\n\"{}\", \"acme\"]",
            TENANT.to_uppercase()
        ),
        &[(6, "sources.a.tenants[1]", "duplicate"), (6, "sources.a.tenants[2]", "invalid id")],
    );
}

#[test]
fn parse_rejects_a_source_less_strict_than_the_file() {
    let text = |mode: &str| {
        format!(
            "mode = \"{mode}\"\n[sources.s]\nmode = \"enforce\"\ntool = \"wazuh\"\ntenants = [\"{TENANT}\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}"
        )
    };
    assert!(Policy::parse(&format!("version = 1\n{}", text("enforce"))).is_ok());
    assert_file_issues(
        &text("dry_run"),
        &[(4, "sources.s.mode", "because the mode of the file is \"dry_run\"")],
    );
    assert_source_issues(
        "mode = \"enforce\"\ntool = \"wazuh\"\nverify = { scheme = \"path\", secret = \"n\" }",
        &[(4, "sources.s.mode", "dry_run")],
    );
}

#[test]
fn parse_validates_what_a_source_allows() {
    let rest = "tool = \"wazuh\"\nverify = { scheme = \"path\", secret = \"n\" }";
    for (line, key, problem) in [
        ("minimum_severity = \"HIGH\"", "minimum_severity", "\"critical\""),
        ("mode = \"off\"", "mode", "\"dry_run\""),
        ("per_hour = 0", "per_hour", "1 to 1000"),
        ("release_after = \"soon\"", "release_after", "\"never\""),
        ("approve = true", "approve", "\"selected\" or \"always\""),
        ("may_release = \"yes\"", "may_release", "true or false"),
        ("allow_from = []", "allow_from", "1 to 1000"),
        ("allow_from = \"192.0.2.7\"", "allow_from", "a list"),
        ("allow_from = [\"192.0.2.7\", \"host\"]", "allow_from[1]", "192.0.2.7"),
        ("allow_from = [\"192.0.2.7/33\"]", "allow_from[0]", "203.0.113.0/24"),
        ("allow_from = [\"192.0.2.7/24\"]", "allow_from[0]", "bits after the prefix"),
        ("allow_from = [\"::ffff:192.0.2.7\"]", "allow_from[0]", "IPv4 notation"),
        ("content_types = []", "content_types", "1 to 10"),
        ("content_types = [\"text\"]", "content_types[0]", "text/plain"),
        ("content_types = [\"text/plain; charset=utf-8\"]", "content_types[0]", "without parameters"),
        ("fields = 7", "fields", "a table"),
        ("fields = { hostname = 7 }", "fields.hostname", "a string"),
        ("fields = { hostname = \"a/b\" }", "fields.hostname", "a JSON pointer"),
        ("accounts = {}", "accounts", "at least one"),
        ("accounts = { a = \"acme\" }", "accounts.a", "invalid id"),
    ] {
        assert_source_issues(&format!("{line}\n{rest}"), &[(4, &format!("sources.s.{key}"), problem)]);
    }
    assert_source_issues(
        &format!(
            "accounts = {{ ab = \"{TENANT}\", AB = \"{TENANT}\", \" \" = \"{TENANT}\", c = \"{OTHER}\" }}\n{rest}"
        ),
        &[
            (4, "sources.s.accounts.", "1 to 200 characters"),
            (4, "sources.s.accounts.AB", "duplicate"),
            (4, "sources.s.accounts.c", "one of the source's `tenants`"),
        ],
    );
}

#[test]
fn parse_reports_errors_in_fields() {
    for (tool, fields, key, problem) in [
        ("wazuh", "hostname = []", "hostname", "1 to 10"),
        ("wazuh", "hostname = [\"/a\",\n\"b\"]", "hostname[1]", "a JSON pointer"),
        ("wazuh", "hostname = \"/a~2\"", "hostname", "a JSON pointer"),
        ("wazuh", "hostname = \"^a\"", "hostname", "^/a starts at the root"),
        ("wazuh", "iterate = \"/a\"", "iterate", "generic and splunk"),
        ("generic", "iterate = [\"/a\"]", "iterate", "a string"),
        ("generic", "event_id = \"/a\"\nevent_id_parts = [\"/b\"]", "event_id_parts", "either event_id"),
        ("generic", "event_id_parts = \"/b\"", "event_id_parts", "a list"),
        ("generic", "event_id_parts = []", "event_id_parts", "1 to 8"),
        ("generic", "event_id_parts = [\"/b?\"]", "event_id_parts", "without `?`"),
        ("generic", "event_id_parts = [\"b?\"]", "event_id_parts[0]", "a JSON pointer"),
        ("generic", "hostname_prefix = \"a\"", "hostname_prefix", "`hostname`"),
        ("generic", "ip = \"/a\"\nhostname_suffix = \"a\"", "hostname_suffix", "`hostname`"),
        ("generic", "hostname = \"/a\"\nhostname_prefix = \"\"", "hostname_prefix", "1 to 200 characters"),
        ("generic", "mac = \"/a\"\nstrip_port = true", "strip_port", "hostname or ip"),
        ("generic", "ip = \"/a\"\nstrip_port = \"yes\"", "strip_port", "true or false"),
        ("generic", "severity_map = { a = \"low\" }", "severity_map", "`severity`"),
        ("generic", "severity = \"/a\"\nseverity_map = \"low\"", "severity_map", "a table"),
        ("generic", "severity = \"/a\"\nseverity_map = { a = \"bad\" }", "severity_map.a", "\"critical\""),
        (
            "generic",
            "severity = \"/a\"\nseverity_map = { a = \"low\", A = \"low\" }",
            "severity_map.A",
            "duplicate",
        ),
        ("generic", "severity = \"/a\"\nseverity_map = { \" \" = \"low\" }", "severity_map.", "1 to 200"),
        ("generic", "severity_default = \"bad\"", "severity_default", "\"critical\""),
        ("generic", "severity_fixed = \"bad\"", "severity_fixed", "\"critical\""),
        ("generic", "severity = \"/a\"\nseverity_fixed = \"low\"", "severity_fixed", "overrides the other"),
        ("generic", "trim = true", "trim", "expected one of iterate, event_id, event_id_parts, alert_id"),
    ] {
        let lines = format!(
            "tool = \"{tool}\"\nverify = {{ scheme = \"path\", secret = \"n\" }}\n[sources.s.fields]\n{fields}"
        );
        // The issue is in the last line.
        let line = 3 + lines.lines().count();
        assert_source_issues(&lines, &[(line, &format!("sources.s.fields.{key}"), problem)]);
    }
}

#[test]
fn parse_reports_errors_in_conditions() {
    for (when, key, problem) in [
        ("when = []", "", "1 to 20"),
        ("when = \"/a\"", "", "a list"),
        ("when = [\"/a\"]", "[0]", "a table"),
        ("when = [{ equals = 1 }]", "[0].pointer", "missing key"),
        ("when = [{ pointer = \"a\", equals = 1 }]", "[0].pointer", "a JSON pointer"),
        ("when = [{ pointer = \"/a\" }]", "[0]", "exactly one of"),
        ("when = [{ pointer = \"/a\", equals = 1, in = [1] }]", "[0]", "exactly one of"),
        ("when = [{ pointer = \"/a\", equals = [1] }]", "[0].equals", "use `in`"),
        ("when = [{ pointer = \"/a\", equals = 1.5 }]", "[0].equals", "a string"),
        ("when = [{ pointer = \"/a\", in = [] }]", "[0].in", "1 to 50"),
        ("when = [{ pointer = \"/a\", in = [1,\n{}] }]", "[0].in[1]", "a string"),
        ("when = [{ pointer = \"/a\", matches = \"\" }]", "[0].matches", "1 to 200 characters"),
        ("when = [{ pointer = \"/a\", absent = \"yes\" }]", "[0].absent", "true or false"),
        (
            "when = [{ pointer = \"/a\", absent = true, not = true }]",
            "[0].not",
            "expected one of pointer, equals, in",
        ),
    ] {
        let lines = format!("tool = \"wazuh\"\nverify = {{ scheme = \"path\", secret = \"n\" }}\n{when}");
        let line = 3 + lines.lines().count();
        assert_source_issues(&lines, &[(line, &format!("sources.s.when{key}"), problem)]);
    }
}

#[test]
fn parse_rejects_unknown_presets_and_other_tools() {
    let rest = "verify = { scheme = \"path\", secret = \"n\" }";
    for (lines, line, key, problem) in [
        ("tool = \"generic\"\npreset = \"nagios\"", 5, "preset", "\"alertmanager\" or"),
        ("tool = \"splunk\"\npreset = \"grafana\"", 5, "preset", "only the tool generic"),
        (
            "tool = \"generic\"\npreset = \"jira\"\nfields = { hostname = [], mac = [], ip = [] }",
            6,
            "fields",
            "missing host",
        ),
    ] {
        assert_source_issues(&format!("{lines}\n{rest}"), &[(line, &format!("sources.s.{key}"), problem)]);
    }
}

#[test]
fn parse_requires_accounts_for_eventbridge_sources() {
    assert_source_issues(
        &format!(
            "tool = \"guardduty\"\naccounts = {{ 12345678901 = \"{TENANT}\", \"1234-5678-90\" = \"{TENANT}\" }}\nallow_from = [\"192.0.2.7\"]\ncontent_types = [\"text/plain\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}"
        ),
        &[
            (5, "sources.s.accounts.1234-5678-90", "12 digits"),
            (5, "sources.s.accounts.12345678901", "12 digits"),
            (6, "sources.s.allow_from", "EventBridge"),
            (7, "sources.s.content_types", "EventBridge"),
            (8, "sources.s.verify", "EventBridge"),
        ],
    );
}

#[test]
fn parse_rejects_two_sources_for_one_account() {
    let named = |name: &str, tool: &str| {
        format!(
            "[sources.{name}]\ntool = \"{tool}\"\ntenants = [\"{TENANT}\"]\n[sources.{name}.accounts]\n111111111111 = \"{TENANT}\"\n"
        )
    };
    let both = format!("version = 1\n{}{}", named("a", "guardduty"), named("b", "security_hub"));
    assert!(Policy::parse(&both).is_ok());
    // Both are reported, because the intended one is unknown.
    assert_file_issues(
        &format!("{}{}", named("z", "guardduty"), named("a", "guardduty")),
        &[
            (6, "sources.z.accounts.111111111111", "the source a lists it too"),
            (11, "sources.a.accounts.111111111111", "the source z lists it too"),
        ],
    );
}

#[test]
fn parse_requires_the_keys_of_each_scheme() {
    assert_verify_issues("wazuh", "", &[(".scheme", "missing key"), (".secret", "missing key")]);
    assert_verify_issues(
        "wazuh",
        "scheme = \"none\", secret = \"n\"",
        &[(".scheme", "\"signature\" or \"bearer\"")],
    );
    assert_verify_issues("wazuh", "scheme = \"header\", secret = \"n\"", &[(".header", "missing key")]);
    assert_verify_issues(
        "wazuh",
        "scheme = \"header\", secret = \"n\", header = \"a b\"",
        &[(".header", "invalid header name")],
    );
    assert_verify_issues(
        "wazuh",
        "scheme = \"header\", secret = \"n\", header = \"a\", prefix = \"é\"",
        &[(".prefix", "ASCII")],
    );
    assert_verify_issues("wazuh", "scheme = \"basic\", secret = \"n\"", &[(".user", "missing key")]);
    assert_verify_issues(
        "wazuh",
        "scheme = \"basic\", secret = \"n\", user = \"a:b\"",
        &[(".user", "colon")],
    );
    assert_source_issues("tool = \"wazuh\"\nverify = \"path\"", &[(5, "sources.s.verify", "a table")]);
}

#[test]
fn parse_reports_impossible_layouts() {
    for (tool, more, key, problem) in [
        ("generic", "layout = \"gitlab\"", ".layout", "\"crowdstrike_hex\""),
        ("generic", "headers = []", ".headers", "1 to 4"),
        ("generic", "headers = [\"a:b\"]", ".headers[0]", "invalid header name"),
        ("generic", "prefix = \" v1=\"", ".prefix", "no leading space"),
        ("generic", "prefix = \"v1,\"", ".prefix", "no comma"),
        ("generic", "prefix = 1", ".prefix", "a string"),
        ("generic", "encoding = \"HEX\"", ".encoding", "\"hex\" or \"base64\""),
        ("generic", "signed = \"head\"", ".signed", "\"timestamp+body\""),
        ("generic", "timestamp_header = \"a b\"", ".timestamp_header", "invalid header name"),
        ("generic", "window_seconds = 0", ".window_seconds", "1 to 3600"),
        ("generic", "window_seconds = 3601", ".window_seconds", "1 to 3600"),
        ("pagerduty", "timestamp_header = \"a\"", ".timestamp_header", "not signed"),
        ("pagerduty", "window_seconds = 300", ".window_seconds", "not signed"),
        ("pagerduty", "signed = \"timestamp.body\"", "", "timestamp_header"),
        ("crowdstrike", "encoding = \"hex\"", ".encoding", "crowdstrike_hex"),
        ("crowdstrike", "signed = \"body\"", ".signed", "crowdstrike_base64"),
        ("generic", "layout = \"grafana\", window_seconds = 300", ".window_seconds", "not signed"),
        ("generic", "layout = \"github\", timestamp_header = \"a\"", ".timestamp_header", "not signed"),
        ("generic", "layout = \"timestamp_in_header\"", ".headers", "missing key"),
        (
            "generic",
            "layout = \"timestamp_in_header\", headers = [\"a\"], timestamp_header = \"b\"",
            ".timestamp_header",
            "in the header of the signature",
        ),
        (
            "generic",
            "layout = \"timestamp_in_header\", headers = [\"a\"], timestamp_prefix = \"\"",
            ".timestamp_prefix",
            "t=",
        ),
        ("generic", "timestamp_prefix = \"t=\"", ".timestamp_prefix", "unknown key"),
        ("generic", "id_header = \"a\"", ".id_header", "not signed"),
        ("generic", "signed = \"id.timestamp.body\"", "", "id_header"),
        ("generic", "layout = \"standard_webhooks\", prefix = \"v1 \"", ".prefix", "no space"),
    ] {
        assert_verify_issues(
            tool,
            &format!("scheme = \"signature\", secret = \"n\", {more}"),
            &[(key, problem)],
        );
    }
}

#[test]
fn parse_requires_a_certificate_pin() {
    let verify = |more: &str, key: &str, problem: &str| {
        assert_verify_issues("generic", &format!("scheme = \"client_certificate\"{more}"), &[(key, problem)]);
    };
    verify("", "", "fingerprints, or subject and issuer");
    verify(", subject = \"CN=a\"", "", "together");
    let print = "00".repeat(32);
    verify(&format!(", issuer = \"CN=a\", fingerprints = [\"{print}\"]"), "", "together");
    verify(", secret = \"n\", subject = \"CN=a\", issuer = \"CN=b\"", ".secret", "unknown key");
}

#[test]
fn parse_requires_a_sha256_fingerprint() {
    for print in ["00", "zz", "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6e", "é"] {
        let text = format!("scheme = \"client_certificate\", fingerprints = [\"{print}\"]");
        assert_verify_issues("generic", &text, &[(".fingerprints[0]", "SHA-256")]);
    }
}

#[cfg(feature = "public-keys")]
#[test]
fn parse_requires_the_keys_of_jwt() {
    let verify = |more: &str, expected: &[(&str, &str)]| {
        assert_verify_issues("generic", &format!("scheme = \"jwt\"{more}"), expected);
    };
    let entra = "https://login.microsoftonline.com/3f2b9c1e-7a55-4d0e-8f11-5f0c8b1e2d3a/v2.0";
    verify("", &[(".audience", "missing key"), (".issuer", "missing key")]);
    for issuer in ["http://login.microsoftonline.com/x", "https://", "https://a@b/", "https:// a", "x"] {
        let text = format!(", issuer = \"{issuer}\", audience = \"a\"");
        verify(&text, &[(".issuer", "expected https://")]);
    }
    verify(", issuer = \"https://x.okta.com\", audience = \"a\"", &[("", "jwks_url")]);
    for tenant in ["common", "organizations", "contoso.onmicrosoft.com"] {
        let text =
            format!(", issuer = \"https://login.microsoftonline.com/{tenant}/v2.0\", audience = \"a\"");
        verify(&text, &[("", "the tenant's id")]);
    }
    let with = |more: &str| format!(", issuer = \"{entra}\", audience = \"a\", {more}");
    verify(&with("jwks_url = \"http://x/keys\""), &[(".jwks_url", "https://")]);
    verify(&with("app_id = []"), &[(".app_id", "1 to 25")]);
    verify(&with("subject = \"x\""), &[(".subject", "a list")]);
    verify(&with("secret = \"n\""), &[(".secret", "unknown key")]);
    verify(&with("window_seconds = 3601"), &[(".window_seconds", "1 to 3600")]);
}

#[cfg(feature = "public-keys")]
#[test]
fn parse_requires_topics_for_sns() {
    let verify = |more: &str, expected: &[(&str, &str)]| {
        assert_verify_issues("generic", &format!("scheme = \"sns\"{more}"), expected);
    };
    verify("", &[(".topics", "missing key")]);
    verify(", topics = []", &[(".topics", "1 to 25")]);
    for topic in [
        "alerts",
        "arn:aws:sqs:eu-central-1:123456789012:alerts",
        "arn:aws:sns:eu-central-1:12345678901:alerts",
        "arn:aws:sns:eu.evil:123456789012:alerts",
        "arn:aws:sns::123456789012:alerts",
        "arn:aws:sns:eu-central-1:123456789012:",
        "arn:aws:sns:eu-central-1:123456789012:alerts:sub",
        "arn:aws:sns:eu-central-1:123456789012:*",
    ] {
        verify(&format!(", topics = [\"{topic}\"]"), &[(".topics[0]", "invalid topic")]);
    }
    let topic = "arn:aws-cn:sns:cn-north-1:123456789012:alerts";
    verify(&format!(", topics = [\"{topic}\"], window_seconds = 86401"), &[(".window_seconds", "86400")]);
    verify(&format!(", topics = [\"{topic}\"], secret = \"n\""), &[(".secret", "unknown key")]);
}
