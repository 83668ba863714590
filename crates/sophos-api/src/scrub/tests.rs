use proptest::prelude::*;

use super::*;

const SECRET: &str = "5ecre7/of+the\"credential\\0123456789é&abcd efgh";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl";

fn scrubber() -> Scrubber {
    let scrubber = Scrubber::default();
    scrubber.add_secret(SECRET);
    scrubber.add_secret(TOKEN);
    scrubber
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

/// The forms in which a gateway may repeat a secret, each made by other means than
/// the ones that are tested.
fn echoed_forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).expect("JSON");
    let form = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    vec![
        secret.to_owned(),
        secret.to_uppercase().replace('É', "é"),
        json.trim_matches('"').to_owned(),
        serde_json::to_string(&json).expect("JSON"),
        json.replace('/', "\\/"),
        form.to_lowercase(),
        form,
        hex(secret),
        secret.replace('&', "&amp;").replace('"', "&quot;"),
    ]
}

#[test]
fn scrub_removes_each_encoding_of_a_secret() {
    let scrubber = scrubber();
    for secret in [SECRET, TOKEN] {
        for form in echoed_forms(secret) {
            for text in [form.clone(), format!("a {form} b"), format!("client_secret={form}&scope=token")] {
                let scrubbed = scrubber.scrub(&text);
                let residue = scrubbed.replace(REDACTED, "");
                assert!(residue.len() <= text.len() - form.len() + 6, "{form}: {scrubbed}");
                assert!(scrubbed.contains(REDACTED), "{form}: {scrubbed}");
            }
        }
    }
}

#[test]
fn scrub_removes_base64_that_contains_a_secret() {
    let scrubber = Scrubber::default();
    scrubber.add_secret("correct-horse-battery-staple");
    // Each of these is `printf '%s' … | base64`, for a user of each length.
    for encoded in [
        "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==",
        "YTpjb3JyZWN0LWhvcnNlLWJhdHRlcnktc3RhcGxl",
        "YWI6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==",
        "YWJjOmNvcnJlY3QtaG9yc2UtYmF0dGVyeS1zdGFwbGU=",
    ] {
        let scrubbed = scrubber.scrub(encoded);
        assert!(scrubbed.replace(REDACTED, "").len() <= 12, "{scrubbed}");
    }
}

#[test]
fn scrub_removes_a_part_of_a_secret() {
    let scrubber = scrubber();
    for part in [&TOKEN[10..30], &SECRET[..14], &SECRET[3..16]] {
        assert_eq!(scrubber.scrub(&format!("it was {part} indeed")), "it was [redacted] indeed");
    }
    // Cut by others: a shorter one, where the text ends.
    for text in [format!("got {}", &SECRET[..8]), format!("got {}...", &SECRET[..9])] {
        assert!(scrubber.scrub(&text).starts_with("got [redacted]"), "{text}");
    }
}

#[test]
fn scrub_removes_unknown_credentials_by_pattern() {
    for (text, scrubbed) in [
        ("no eyJhbGciOiJI.eyJzdWIi.c2ln here", "no [redacted] here"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [redacted]"),
        ("authorization=bearer%20abcDEF-_~", "authorization=bearer%20[redacted]"),
        ("BASIC dXNlcjpwYXNz", "BASIC [redacted]"),
        ("GET https://a.example/b?cursor=c failed", "GET https://a.example/b?[redacted] failed"),
        ("via http://user:pass@proxy:3128/ failed", "via http://[redacted]@proxy:3128/ failed"),
    ] {
        assert_eq!(redact_tokens(text), scrubbed);
    }
}

#[test]
fn scrub_keeps_ordinary_text() {
    let scrubber = scrubber();
    for text in [
        "",
        "the credential was rejected",
        "Basic authentication is off; bearer tokens are required",
        "Full authentication is required: Bearer",
        "see https://developer.sophos.com/docs#a?",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "key, monkey, eyJ",
        "ein Gerät",
    ] {
        assert!(matches!(scrubber.scrub(text), Cow::Borrowed(_)), "{text}: {}", scrubber.scrub(text));
    }
}

#[test]
fn add_secret_keeps_the_latest_and_ignores_short_ones() {
    let scrubber = Scrubber::default();
    scrubber.add_secret("in");
    assert_eq!(scrubber.scrub("in use"), "in use");
    scrubber.add_secret("secret-0");
    for number in 1..=MAX_SECRETS {
        scrubber.add_secret(&format!("secret-{number}"));
        scrubber.add_secret("secret-0");
    }
    assert_eq!(scrubber.scrub("secret-0 secret-2"), "[redacted]");
    assert_eq!(scrubber.scrub("secret-1"), "secret-1", "the oldest is gone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn scrub_leaves_nothing_of_a_secret(
        secret in "[A-Za-z0-9+/=_.~-]{12,60}|\\PC{12,30}",
        before in "\\PC{0,30}",
        after in "\\PC{0,30}",
        cut in 0_usize..60,
    ) {
        let scrubber = Scrubber::default();
        scrubber.add_secret(&secret);
        let whole = format!("{before}{secret}{after}");
        let scrubbed = scrubber.scrub(&whole);
        prop_assert!(!scrubbed.contains(&secret));
        // Whatever end is cut away, no long part is left.
        let end = whole.floor_char_boundary(before.len() + cut.min(secret.len()));
        let scrubbed = scrubber.scrub(&whole[..end]).into_owned();
        let parts = secret.as_bytes().windows(PART_LEN);
        for part in parts {
            prop_assert!(!scrubbed.as_bytes().windows(PART_LEN).any(|other| other == part));
        }
    }
}
