//! Parsing of policies: the value of each key and its default.

use std::{net::IpAddr, time::Duration};

use sophos_api::TenantId;
use sophos_isolation::{
    adapters::{Message, NotActionable, Tool},
    policy::{ApprovalMode, Mode, Policy},
    signal::Severity,
    verify::{Encoding, KeyFormat, SignatureConfig, SignedContent, Timestamp, Verification},
};

const EXAMPLE: &str = include_str!("../policy.example.toml");
const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const OTHER: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn parse(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A policy with one source `s` whose table begins with `lines`.
fn with_source(lines: &str) -> Policy {
    parse(&format!("version = 1\n[sources.s]\ntenants = [\"{TENANT}\"]\n{lines}"))
}

fn verification(tool: &str, verify: &str) -> Verification {
    let policy = with_source(&format!("tool = \"{tool}\"\nverify = {{ {verify} }}"));
    policy.source("s").expect("the source").verification.clone()
}

fn signature(tool: &str, more: &str) -> SignatureConfig {
    match verification(tool, &format!("scheme = \"signature\", secret = \"n\"{more}")) {
        Verification::Signature(signature) => signature,
        other => panic!("{other:?}"),
    }
}

#[test]
fn example_policy_parses() {
    let policy = parse(EXAMPLE);
    let names: Vec<_> = policy.sources().map(|source| source.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "cloud",
            "defender",
            "elastic",
            "gateway",
            "grafana",
            "guardduty",
            "logic-app",
            "okta",
            "pd",
            "relay",
            "scripts",
            "soar",
            "splunk",
            "tickets"
        ]
    );
    let guardduty = policy.eventbridge_source(Tool::GuardDuty, "123456789012").expect("a source");
    assert_eq!((guardduty.name.as_str(), guardduty.per_hour), ("guardduty", 5));
    assert_eq!(guardduty.verification, Verification::Iam);
    assert_eq!(guardduty.release_after, Some(2 * HOUR));
    assert_eq!(policy.approval().secret.as_deref(), Some("isolation/approval"));
}

#[test]
fn example_policy_documents_every_key() {
    let example: toml::Table = EXAMPLE.parse().expect("TOML");
    let mut explained = Vec::new();
    collect_keys(&example, &mut explained);
    // An unknown key in a table is reported with the known keys.
    let mut wrong = String::from("version = 1\nwrong = 1\n");
    for table in ["release", "limits", "endpoints", "protect", "approve", "follow_up"] {
        wrong += &format!("[{table}]\nwrong = 1\n");
    }
    for (scheme, tool) in [
        ("signature", "generic"),
        ("header", "okta"),
        ("basic", "elastic"),
        ("path", "splunk"),
        ("bearer", "wazuh"),
        ("jwt", "generic"),
        ("sns", "generic"),
        ("client_certificate", "generic"),
    ] {
        wrong += &format!("[sources.{scheme}]\ntool = \"{tool}\"\nwrong = 1\n");
        wrong += &format!("[sources.{scheme}.verify]\nscheme = \"{scheme}\"\nwrong = 1\n");
        wrong += &format!("[sources.{scheme}.fields]\nwrong = \"/a\"\n");
        wrong += &format!("[[sources.{scheme}.when]]\nwrong = \"/a\"\n");
    }
    let error = Policy::parse(&wrong).expect_err("wrong keys");
    let mut tables = 0;
    for issue in error.issues().iter().filter(|issue| issue.key.ends_with("wrong")) {
        tables += 1;
        let (_, known) = issue.message.split_once(": expected one of ").expect("the keys");
        for key in known.split(", ") {
            assert!(explained.iter().any(|explained| explained == key), "{key} is not explained");
        }
    }
    assert_eq!(tables, 39);
}

fn collect_keys(table: &toml::Table, into: &mut Vec<String>) {
    for (key, value) in table {
        into.push(key.clone());
        let tables = value.as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(value));
        for table in tables.iter().filter_map(toml::Value::as_table) {
            collect_keys(table, into);
        }
    }
}

#[test]
fn policy_has_defaults() {
    let policy = parse("version = 1");
    assert_eq!((policy.mode(), policy.release_after(), policy.sources().len()), (Mode::DryRun, None, 0));
    assert_eq!(policy.new_episode_after(), Some(24 * HOUR));
    assert_eq!(parse("version = 1\nrelease.new_episode_after = \"never\"").new_episode_after(), None);
    let hours = parse("version = 1\nrelease.new_episode_after = \"4h\"").new_episode_after();
    assert_eq!(hours, Some(4 * HOUR));
    let limits = policy.limits();
    assert_eq!((limits.estate_share, limits.tenant_per_hour, limits.source_per_hour), (0.05, 10, 10));
    let endpoints = policy.endpoints();
    assert_eq!((endpoints.seen_within, endpoints.address_seen_within), (30 * 24 * HOUR, 15 * MINUTE));
    assert_eq!((policy.approval().timeout, policy.approval().secret.as_deref()), (4 * HOUR, None));
    let follow_up = policy.follow_up();
    assert_eq!((follow_up.effect_timeout, follow_up.check_interval), (30 * MINUTE, HOUR));

    let policy = with_source("tool = \"wazuh\"\nverify = { scheme = \"bearer\", secret = \"n\" }");
    let source = policy.source("s").expect("the source");
    assert_eq!((source.adapter.tool, source.adapter.fields.clone()), (Tool::Wazuh, Default::default()));
    assert_eq!(source.tenants, [TenantId::from(TENANT)]);
    assert!(source.accounts.is_empty() && source.allow_from.is_empty() && source.content_types.is_empty());
    assert_eq!(
        (source.minimum_severity, source.mode, source.per_hour),
        (Some(Severity::High), Mode::DryRun, 10)
    );
    assert_eq!(
        (source.release_after, source.approve, source.may_release),
        (None, ApprovalMode::Selected, false)
    );
}

#[test]
fn policy_parses_every_key() {
    let policy = parse(&format!(
        r#"
        version = 1
        mode = "enforce"
        [release]
        after = "4h"
        [limits]
        estate_share = 0.5
        tenant_per_hour = 7
        source_per_hour = 6
        [endpoints]
        seen_within = "2d"
        address_seen_within = "90s"
        [approve]
        timeout = "1h"
        secret = "a/b"
        [follow_up]
        effect_timeout = "10m"
        check_interval = "2h"
        [sources.plain]
        tool = "generic"
        tenants = ["{TENANT}"]
        verify = {{ scheme = "path", secret = "n" }}
        [sources.full]
        tool = "crowdstrike"
        tenants = ["{TENANT}", "{other}"]
        accounts = {{ ABC = "{other}" }}
        minimum_severity = "low"
        mode = "dry_run"
        per_hour = 1000
        release_after = "never"
        approve = "always"
        may_release = true
        allow_from = ["203.0.113.0/24", "2001:db8::/32", "192.0.2.7"]
        content_types = ["Text/Plain"]
        verify = {{ scheme = "path", secret = "n" }}
        fields = {{ hostname = "/a/b", ttl = "/c" }}
        when = [{{ pointer = "/c", equals = 8 }}]
        "#,
        other = OTHER.to_uppercase()
    ));
    assert_eq!((policy.mode(), policy.release_after()), (Mode::Enforce, Some(4 * HOUR)));
    let limits = policy.limits();
    assert_eq!((limits.estate_share, limits.tenant_per_hour, limits.source_per_hour), (0.5, 7, 6));
    let endpoints = policy.endpoints();
    assert_eq!(
        (endpoints.seen_within, endpoints.address_seen_within),
        (48 * HOUR, 90 * Duration::from_secs(1))
    );
    assert_eq!((policy.approval().timeout, policy.approval().secret.as_deref()), (HOUR, Some("a/b")));
    let follow_up = policy.follow_up();
    assert_eq!((follow_up.effect_timeout, follow_up.check_interval), (10 * MINUTE, 2 * HOUR));

    let plain = policy.source("plain").expect("a source");
    assert_eq!((plain.mode, plain.per_hour, plain.release_after), (Mode::Enforce, 6, Some(4 * HOUR)));

    let full = policy.source("full").expect("a source");
    assert_eq!(full.adapter.tool, Tool::CrowdStrike);
    let body = br#"{"CompositeId": "c", "a": {"b": "host"}, "c": 7}"#;
    let alerts = full.adapter.parse_message(&Message { body, idempotency_key: None }).expect("readable");
    assert_eq!(alerts[0].signal.host.hostnames, ["host"]);
    assert_eq!(alerts[0].signal.release_after_seconds, Some(7));
    assert_eq!(full.adapter.when.len(), 1);
    assert_eq!(alerts[0].refusal, Some(NotActionable::NotSelected));
    assert_eq!(full.tenants, [TENANT, OTHER].map(TenantId::from));
    for account in ["abc", "ABC", " Abc "] {
        assert_eq!(full.tenant_for_account(account), Some(&OTHER.into()), "{account}");
    }
    assert_eq!(full.tenant_for_account("abcd"), None);
    assert_eq!((full.minimum_severity, full.mode, full.per_hour), (Some(Severity::Low), Mode::DryRun, 1_000));
    assert_eq!((full.release_after, full.approve, full.may_release), (None, ApprovalMode::Always, true));
    assert_eq!(full.content_types, ["text/plain"]);
    for (address, may) in [
        ("203.0.113.9", true),
        ("::ffff:203.0.113.9", true),
        ("203.0.114.9", false),
        ("192.0.2.7", true),
        ("192.0.2.8", false),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
    ] {
        assert_eq!(full.may_call_from(address.parse::<IpAddr>().expect(address)), may, "{address}");
        assert!(plain.may_call_from(address.parse().expect(address)), "{address}");
    }
}

#[test]
fn eventbridge_source_is_found_by_account() {
    let policy = parse(&format!(
        r#"
        version = 1
        [sources.a]
        tool = "guardduty"
        tenants = ["{TENANT}"]
        accounts = {{ 111111111111 = "{TENANT}", 222222222222 = "{TENANT}" }}
        [sources.b]
        tool = "guardduty"
        tenants = ["{TENANT}"]
        accounts = {{ 333333333333 = "{TENANT}" }}
        [sources.c]
        tool = "security_hub"
        tenants = ["{TENANT}"]
        accounts = {{ 111111111111 = "{TENANT}" }}
        [sources.d]
        tool = "generic"
        tenants = ["{TENANT}"]
        accounts = {{ 444444444444 = "{TENANT}" }}
        verify = {{ scheme = "path", secret = "n" }}
        "#
    ));
    for (tool, account, name) in [
        (Tool::GuardDuty, "111111111111", Some("a")),
        (Tool::GuardDuty, "222222222222", Some("a")),
        (Tool::GuardDuty, "333333333333", Some("b")),
        (Tool::GuardDuty, "444444444444", None),
        (Tool::SecurityHub, "111111111111", Some("c")),
        (Tool::SecurityHub, "333333333333", None),
        (Tool::Generic, "444444444444", None),
        (Tool::GuardDuty, "", None),
    ] {
        let found = policy.eventbridge_source(tool, account).map(|source| source.name.as_str());
        assert_eq!(found, name, "{tool} {account}");
    }
}

#[test]
fn signature_defaults_to_the_layout_of_the_tool() {
    let timed = |header: &str| Some(Timestamp::from_header(header, 300));
    let crowdstrike = ["x-cs-primary-signature", "x-cs-secondary-signature"];
    let generic = signature("generic", "");
    assert_eq!((generic.secret.as_str(), generic.prefix.as_str()), ("n", "v1="));
    assert_eq!(generic.headers, ["x-sophos-signature"]);
    assert_eq!((generic.encoding, generic.signed), (Encoding::Hex, SignedContent::TimestampDotBody));
    assert_eq!(generic.timestamp, timed("x-sophos-timestamp"));
    assert_eq!(signature("splunk", ""), generic);
    assert_eq!(signature("pagerduty", ", layout = \"generic\""), generic);

    let pagerduty = signature("pagerduty", "");
    assert_eq!(pagerduty.headers, ["x-pagerduty-signature"]);
    assert_eq!((pagerduty.encoding, pagerduty.signed), (Encoding::Hex, SignedContent::Body));
    assert_eq!((pagerduty.prefix.as_str(), pagerduty.timestamp), ("v1=", None));

    let both = signature("crowdstrike", "");
    assert_eq!((both.encoding, both.signed), (Encoding::Base64, SignedContent::BodyTimestamp));
    assert_eq!(both.alternative, Some((Encoding::Hex, SignedContent::TimestampBody)));
    let base64 = signature("crowdstrike", ", layout = \"crowdstrike_base64\"");
    assert_eq!(base64.alternative, None);
    assert_eq!((base64.encoding, base64.signed), (Encoding::Base64, SignedContent::BodyTimestamp));
    let hex = signature("crowdstrike", ", layout = \"crowdstrike_hex\"");
    assert_eq!((hex.encoding, hex.signed), (Encoding::Hex, SignedContent::TimestampBody));
    for layout in [both, base64, hex] {
        assert_eq!((&layout.headers[..], layout.prefix.as_str()), (&crowdstrike.map(String::from)[..], ""));
        assert_eq!(layout.timestamp, timed("x-cs-delivery-timestamp"));
    }
}

#[test]
fn signature_layout_can_be_overridden() {
    let in_header =
        signature("generic", ", layout = \"timestamp_in_header\", headers = [\"A\"], window_seconds = 7");
    let time = Timestamp { headers: vec!["a".into()], prefix: "t=".into(), window_seconds: 7 };
    assert_eq!((in_header.timestamp, in_header.prefix.as_str()), (Some(time), "v1="));
    let standard = signature("generic", ", layout = \"standard_webhooks\"");
    assert_eq!((standard.key_format, standard.separator), (KeyFormat::WebhookSecret, ' '));
    assert_eq!(standard.id_headers, ["webhook-id", "svix-id"]);
    let renamed = signature("generic", ", layout = \"standard_webhooks\", id_header = \"X-Id\"");
    assert_eq!(renamed.id_headers, ["x-id"]);
    assert_eq!(signature("generic", ", layout = \"grafana\"").signed, SignedContent::Body);
    let timed = signature("generic", ", layout = \"grafana\", timestamp_header = \"X-Time\"");
    assert_eq!(
        (timed.signed, timed.timestamp),
        (SignedContent::TimestampColonBody, Some(Timestamp::from_header("x-time", 300)))
    );
    let changed = signature(
        "pagerduty",
        r#", headers = ["X-One", "X-Two"], prefix = "", encoding = "base64", signed = "timestamp+body",
           timestamp_header = "X-Time", window_seconds = 3600"#,
    );
    let expected = SignatureConfig {
        secret: "n".into(),
        key_format: KeyFormat::Text,
        separator: ',',
        alternative: None,
        id_headers: Vec::new(),
        headers: vec!["x-one".into(), "x-two".into()],
        prefix: String::new(),
        encoding: Encoding::Base64,
        signed: SignedContent::TimestampBody,
        timestamp: Some(Timestamp::from_header("x-time", 3_600)),
    };
    assert_eq!(changed, expected);
    assert_eq!(signature("generic", ", signed = \"body\"").timestamp, None);
    assert_eq!(
        signature("generic", ", window_seconds = 1").timestamp.map(|time| time.window_seconds),
        Some(1)
    );
    assert_eq!(signature("generic", ", signed = \"body+timestamp\"").signed, SignedContent::BodyTimestamp);
}

#[test]
fn other_schemes_parse_their_secret_name() {
    let secret = || "webhooks/s".to_owned();
    for (verify, expected) in [
        (
            r#"scheme = "bearer""#,
            Verification::Header {
                secret: secret(),
                header: "authorization".into(),
                prefix: "Bearer ".into(),
            },
        ),
        (
            r#"scheme = "header", header = "X-Token""#,
            Verification::Header { secret: secret(), header: "x-token".into(), prefix: String::new() },
        ),
        (
            r#"scheme = "header", header = "Authorization", prefix = "ApiToken ""#,
            Verification::Header {
                secret: secret(),
                header: "authorization".into(),
                prefix: "ApiToken ".into(),
            },
        ),
        (r#"scheme = "basic", user = "u""#, Verification::Basic { secret: secret(), user: "u".into() }),
        (r#"scheme = "path""#, Verification::Path { secret: secret() }),
    ] {
        assert_eq!(
            verification("elastic", &format!("{verify}, secret = \"webhooks/s\"")),
            expected,
            "{verify}"
        );
    }
}

#[cfg(feature = "public-keys")]
#[test]
fn entra_key_set_url_follows_from_the_issuer() {
    let tenant = "3f2b9c1e-7a55-4d0e-8f11-5f0c8b1e2d3a";
    for issuer in [
        format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        format!("https://sts.windows.net/{tenant}/"),
    ] {
        let verify = format!("scheme = \"jwt\", issuer = \"{issuer}\", audience = \"a\"");
        let Verification::Jwt(jwt) = verification("generic", &verify) else { panic!("{verify}") };
        let url = format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys");
        assert_eq!((jwt.key_set_url, jwt.issuer, jwt.window_seconds), (url, issuer, 300));
    }
    let okta = "scheme = \"jwt\", issuer = \"https://x.okta.com\", audience = \"a\", jwks_url = \"https://x.okta.com/oauth2/v1/keys\"";
    let Verification::Jwt(jwt) = verification("generic", okta) else { panic!("{okta}") };
    assert_eq!(jwt.key_set_url, "https://x.okta.com/oauth2/v1/keys");
    assert_eq!(Verification::Jwt(jwt).secret_name(), None);
}

#[test]
fn policy_digest_is_the_hash_of_its_text() {
    // Computed with sha256sum.
    let digest = "dbab1266";
    let policy = parse("version = 1\n");
    assert_eq!(policy.digest().len(), 64);
    assert_eq!(&policy.digest()[..8], digest);
    assert_ne!(parse("version = 1").digest(), policy.digest());
}

#[test]
fn max_isolated_is_at_least_one() {
    let limits = parse("version = 1\n[limits]\nestate_share = 0.1").limits();
    for (estate, most) in [(0, 1), (1, 1), (19, 1), (20, 2), (29, 2), (1_000, 100)] {
        assert_eq!(limits.max_isolated(estate), most, "{estate}");
    }
    let all = parse("version = 1\n[limits]\nestate_share = 1").limits();
    assert_eq!(all.max_isolated(7), 7);
}
