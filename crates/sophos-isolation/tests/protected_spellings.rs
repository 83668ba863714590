//! Spellings of a name that the policy treats as a protected machine's.

use serde_json::json;
use sophos_api::{WithRaw, models::Endpoint};
use sophos_isolation::{
    policy::{Policy, PolicyEndpoint, Refusal, Verdict},
    signal::{Severity, Signal},
};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";

fn policy(selectors: &str) -> Policy {
    let text = format!(
        "version = 1\nmode = \"enforce\"\n[protect]\n{selectors}\n[sources.s]\ntool = \"generic\"\n\
         tenants = [\"{TENANT}\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}\n"
    );
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn is_protected(selectors: &str, hostname: &str) -> bool {
    let policy = policy(selectors);
    let record = json!({"id": TENANT, "hostname": hostname}).to_string();
    let record: WithRaw<Endpoint> = serde_json::from_str(&record).expect("a record");
    let mut signal = Signal::default();
    signal.severity = Some(Severity::Critical);
    match policy.evaluate(
        policy.source("s").expect("the source"),
        &signal,
        &PolicyEndpoint::from_record(&record),
    ) {
        Verdict::Refuse(Refusal::Protected { .. }) => true,
        Verdict::Isolate { .. } => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn name_protects_each_spelling_of_itself() {
    for (name, hostnames) in [
        (
            "dc01.corp.example",
            &[
                "DC01",
                "dc01.corp.example.",
                " dc01 ",
                "dc01.lan.example",
                "ｄｃ０１",
                "ｄｃ０１．ｃｏｒｐ．ｅｘａｍｐｌｅ",
                "dc01。corp。example",
                "d\u{200b}c01",
                "d\u{ad}c\u{2060}01.corp.example",
                "dc\u{feff}01",
                "dc 01",
                "dc\u{a0}01",
                "\u{501}\u{441}01",
                "D\u{421}01",
                "dc\u{1d7d8}\u{1d7d9}",
                "ⓓⓒ01",
                "ᴅc01",
                "CORP\\DC01",
                "DC01$",
                "xn--dc01-",
            ][..],
        ),
        ("büro-dc", &["BU\u{308}RO-DC", "xn--bro-dc-3ya", "buro-dc", "BÜRO_DC"]),
        ("xn--bcher-kva", &["bücher", "BÜCHER.corp.example"]),
        ("FIRIN-01", &["fırın-01", "F\u{130}R\u{130}N-01"]),
        ("fırın-01", &["FIRIN-01", "firin-01"]),
        ("straße", &["STRASSE", "STRA\u{1e9e}E"]),
        ("ﬁleserver", &["FILESERVER", "fileserver.corp.example"]),
        ("\u{441}\u{430}fe", &["cafe", "CAFÉ"]),
        ("file_server", &["file-server", "FILE_SERVER"]),
        (
            "domain-controller-01",
            &["DOMAIN-CONTROLL", "domain-controll.corp.example", "ＤＯＭＡＩＮ－ＣＯＮＴＲＯＬＬ"],
        ),
        ("DOMAIN-CONTROLL", &["domain-controller-01", "domain-controller-02.corp.example"]),
        ("Anna's MacBook", &["Annas-MacBook.local", "ANNA’S MACBOOK"]),
    ] {
        for hostname in hostnames {
            assert!(is_protected(&format!("names = [\"{name}\"]"), hostname), "{name} {hostname:?}");
        }
    }
}

#[test]
fn pattern_protects_each_spelling_of_its_names() {
    for (pattern, hostnames) in [
        (
            "dc*.corp.example",
            &["DC03", "dc03.corp.example", "dc03.lan.example", "ｄｃ０３", "d\u{441}03"][..],
        ),
        ("dc??.corp.example", &["DC03", "d\u{200b}c03", "dс03"]),
        ("*-dc-*", &["eu-dc-1", "EU-D\u{421}-1.corp.example", "eu－dc－1", "eu_dc_1"]),
        ("*.dmz.example", &["web", "web.dmz.example"]),
        ("domain-controller-*", &["DOMAIN-CONTROLL"]),
        ("*-controller-??", &["DOMAIN-CONTROLL", "domain-controller-01"]),
        ("domain-controller-0?.corp.example", &["DOMAIN-CONTROLL"]),
        ("domain-controller-01", &["DOMAIN-CONTROLL"]),
        ("DOMAIN-CONTROLL", &["domain-controller-01"]),
        ("b\u{75}\u{308}ro*", &["BÜRO7", "xn--bro7-0ra"]),
        ("d\u{200b}c*", &["dc01"]),
        ("ｄｃ＊", &["dc01"]),
        ("stra?e", &["straße"]),
    ] {
        for hostname in hostnames {
            assert!(is_protected(&format!("patterns = [\"{pattern}\"]"), hostname), "{pattern} {hostname:?}");
        }
    }
}

#[test]
fn name_with_invalid_character_is_protected() {
    for hostname in
        ["web(1)", "web:1", "web/1", "web💩", "we\u{e000}b", "web\u{378}", "we*b", "xn--web-\u{df}"]
    {
        assert!(is_protected("names = [\"dc01\"]", hostname), "{hostname:?}");
        assert!(is_protected("patterns = [\"dc*\"]", hostname), "{hostname:?}");
        assert!(!is_protected("types = []", hostname), "{hostname:?}");
    }
}

#[test]
fn other_names_are_not_protected() {
    let selectors = "names = [\"dc01.corp.example\", \"domain-controller-01\", \"büro-dc\"]\n\
                     patterns = [\"hv??\", \"*-dc-*\", \"sql*.corp.example\"]";
    for hostname in [
        "web01",
        "dc02",
        "dc011",
        "dc0l",
        "web.corp.example",
        "DESKTOP-ABC1234",
        "LAPTOP-ABCD1234",
        "domain-control",
        "DOMAIN-CONTROLS",
        "büro-12",
        "сервер-7",
        "東京-3",
        "Anna's MacBook Pro",
        "Annas-MacBook-Pro.local",
        "hv001",
        "my_host",
        "xn--mnchen-3ya",
    ] {
        assert!(!is_protected(selectors, hostname), "{hostname:?}");
    }
}

/// The lines and keys of a policy's warnings.
fn warnings(selectors: &str) -> Vec<(usize, String, String)> {
    let policy = policy(selectors);
    policy.warnings().iter().map(|it| (it.line, it.key.clone(), it.message.clone())).collect()
}

#[test]
fn policy_warns_when_selector_never_matches() {
    let long = format!("{}*", "a".repeat(64));
    for (key, text, problem) in [
        ("patterns", "d\u{200b}c*", "invisible"),
        ("patterns", "d\u{ad}c*", "invisible"),
        ("patterns", "dc/01*", "host names cannot have"),
        ("patterns", "dc:*", "host names cannot have"),
        ("patterns", "[dw]c*", "host names cannot have"),
        ("patterns", "^dc", "host names cannot have"),
        ("patterns", "10.0.*", "not addresses"),
        ("patterns", "192.168.1.?", "not addresses"),
        ("patterns", "10.0.0.1", "not addresses"),
        ("patterns", "fd00:*", "host names cannot have"),
        ("patterns", "dc..corp.example", "label is empty"),
        ("patterns", ".corp.example", "label is empty"),
        ("patterns", "..", "label is empty"),
        ("patterns", "dc01..", "label is empty"),
        ("patterns", long.as_str(), "63"),
        ("patterns", "xn--99999999", "Punycode"),
        ("patterns", "*.corp.example", "without a domain"),
        ("patterns", "*corp.example", "write *."),
        ("names", "dc(01)", "host names cannot have"),
        ("names", "dc\u{200b}01", "invisible"),
        ("names", "dc01..corp", "label is empty"),
        ("names", &long[..64], "63"),
    ] {
        let selectors = format!("{key} = [\n  \"good\",\n  \"{text}\",\n]");
        let found = warnings(&selectors);
        let [(6, place, said)] = found.as_slice() else { panic!("{selectors} {found:?}") };
        assert_eq!(*place, format!("protect.{key}[1]"));
        assert!(said.contains(problem), "{text:?} {said}");
    }
    assert!(
        warnings(
            "names = [\"dc01\", \"backup.corp.example.\", \"büro\", \"file_server\", \"xn--bcher-kva\"]\n\
             patterns = [\"*-dc-*\", \"hv??\", \"*\", \"dc*.corp.example\", \"dc0?.*\", \"10*\", \"*-dc.corp.example\"]"
        )
        .is_empty()
    );
}

#[test]
fn warnings_cover_approve_and_parse_lenient() {
    let text = "version = 1\n[approve]\npatterns = [\"10.*\"]\n[sources.s]\ntool = 1\n";
    let policy = Policy::parse_lenient(text).expect("a policy without its source");
    let [warning] = policy.warnings() else { panic!("{:?}", policy.warnings()) };
    assert_eq!((warning.line, warning.key.as_str()), (3, "approve.patterns[0]"));
    assert!(warning.to_string().starts_with("line 3, approve.patterns[0]: matches no endpoint"));
}

#[test]
fn example_policy_has_no_warnings() {
    let policy = Policy::parse(include_str!("../policy.example.toml")).expect("the example");
    assert_eq!(policy.warnings(), []);
}
