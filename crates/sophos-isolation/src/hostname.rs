//! Comparison of host names.
//!
//! # Lookup of an endpoint
//!
//! White space around a name and one trailing dot are ignored. Case (Unicode lower case, character
//! by character) and the normalization form (NFC or NFD) are ignored too. Then:
//!
//! * two names with dots match if they are equal: `web.a.example` does not match `web.b.example`;
//! * a name without a dot matches the first label of a name with dots: `dc01` matches
//!   `dc01.corp.example`;
//! * two names without dots match if they are equal;
//! * an empty name matches no name.
//!
//! Windows truncates a NetBIOS name to 15 characters. For a name that may be truncated,
//! [`match_names`] distinguishes a longer name with that prefix from an equal one. It also
//! distinguishes names that only resemble each other: they are not the same, but either could be
//! meant.
//!
//! So `dc01` matches both `dc01.a.example` and `dc01.b.example`, which do not match each other. A
//! lookup by a short name may have several results.
//!
//! # Protection of an endpoint
//!
//! Doubt protects. A selector of the policy selects each endpoint whose first label resembles the
//! selector's, in any domain. The comparison ignores width, invisible characters, accents, similar
//! letters of other scripts, Punycode and NetBIOS truncation. A name with a character that host
//! names cannot have matches every selector.

mod forms;
mod pattern;
mod punycode;

use std::net::IpAddr;

use unicode_normalization::UnicodeNormalization;

pub(crate) use forms::HostName;
pub(crate) use pattern::{HostPattern, name_issue};

/// The maximum length of a DNS name, in characters.
const MAX_NAME_LEN: usize = 253;

/// The number of characters in a truncated NetBIOS name.
pub const NETBIOS_LEN: usize = 15;

/// The certainty that a given name is an endpoint's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameMatch {
    /// The names differ.
    None,
    /// The names differ but resemble each other: by similar letters, accents, invisible characters,
    /// width, Punycode, or `_` and `-`.
    Ambiguous,
    /// The given name is the endpoint's name as NetBIOS truncates it.
    Possible,
    /// The names match by the rule above.
    Exact,
}

/// Default names, which identify no machine.
const PLACEHOLDER_NAMES: [&str; 3] = ["localhost", "localhost.localdomain", "unknown"];

/// Whether `a` and `b` name the same machine, by the rule above.
pub fn is_same_host(a: &str, b: &str) -> bool {
    let (a, b) = (fold_name(a), fold_name(b));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    match (a.contains('.'), b.contains('.')) {
        (true, false) => first_label(&a) == b,
        (false, true) => a == first_label(&b),
        _ => a == b,
    }
}

/// Compares a given host name with an endpoint's name. With `may_be_truncated`, a given name of 15
/// characters also matches each longer first label with that prefix.
pub fn match_names(given: &str, endpoint_name: &str, may_be_truncated: bool) -> NameMatch {
    if is_same_host(given, endpoint_name) {
        return NameMatch::Exact;
    }
    let (exact_given, exact_endpoint) = (fold_name(given), fold_name(endpoint_name));
    let is_cut = may_be_truncated
        && !exact_given.contains('.')
        && exact_given.chars().count() == NETBIOS_LEN
        && first_label(&exact_endpoint).starts_with(&exact_given);
    if is_cut {
        return NameMatch::Possible;
    }
    if HostName::new(given).resembles(&HostName::new(endpoint_name)) {
        NameMatch::Ambiguous
    } else {
        NameMatch::None
    }
}

/// Whether two names may belong to one machine. Use it where doubt must prevent an isolation.
pub(crate) fn may_be_same_host(a: &str, b: &str) -> bool {
    HostName::new(a).may_be_same_host(&HostName::new(b))
}

/// The normalization forms in which Sophos Central may list a label.
pub(crate) fn normalization_forms(label: &str) -> Vec<String> {
    let mut spellings = vec![label.nfc().collect(), label.nfd().collect()];
    spellings.dedup();
    spellings
}

/// Whether a name may be a truncated NetBIOS name: 15 characters, no dot and no lower case.
pub(crate) fn may_be_truncated(name: &str) -> bool {
    let name = name.trim();
    name.chars().count() == NETBIOS_LEN && !name.contains('.') && !name.chars().any(char::is_lowercase)
}

/// The text before the first dot of a name.
pub fn first_label(name: &str) -> &str {
    name.split_once('.').map_or(name, |(label, _)| label).trim()
}

/// Whether a name can identify a machine. It needs at most 253 characters, a visible first label
/// and no control characters. IP addresses, `localhost`, `localhost.localdomain` and `unknown` are
/// not usable.
pub fn is_usable(name: &str) -> bool {
    let forms = HostName::new(name);
    let address = forms.normalized.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    forms.exact.chars().count() <= MAX_NAME_LEN
        && !first_label(&forms.exact).is_empty()
        && !first_label(&forms.normalized).is_empty()
        && !forms.exact.chars().any(char::is_control)
        && !PLACEHOLDER_NAMES.contains(&forms.normalized.as_str())
        && !address
}

/// The exact form of a name, for lookups.
pub(crate) fn fold_name(name: &str) -> String {
    forms::exact_form(name)
}

/// Converts to lower case character by character. `str::to_lowercase` treats a sigma at the end of
/// a word differently.
pub(crate) fn to_lowercase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_same_host_compares_names_and_domains() {
        for (a, b, same) in [
            ("dc01", "DC01", true),
            (" dc01 ", "dc01.", true),
            ("dc01", "dc01.corp.example", true),
            ("DC01.Corp.Example.", "dc01.corp.example", true),
            ("dc01.corp.example", "dc01", true),
            ("dc01.a.example", "dc01.b.example", false),
            ("dc01.corp", "dc01.corp.example", false),
            ("dc01", "dc011", false),
            ("dc01", "dc011.corp.example", false),
            ("corp", "dc01.corp.example", false),
            ("BÜRO-ΑΣ", "büro-ας", false),
            ("BÜRO-ΑΣ", "büro-ασ", true),
            ("ΑΣ", "ας.example", false),
            ("ΑΣ", "ΑΣ.example", true),
            ("b\u{fc}ro", "BU\u{308}RO.example", true),
            ("ｄｃ01", "dc01", false),
            ("dc\u{200b}01", "dc01", false),
            ("fırın", "firin", false),
            ("", "", false),
            (".", ".", false),
            ("", ".example", false),
            (" ", ".", false),
        ] {
            assert_eq!(is_same_host(a, b), same, "{a:?} {b:?}");
        }
    }

    #[test]
    fn is_same_host_is_not_transitive_over_short_names() {
        assert!(is_same_host("web", "web.a.example") && is_same_host("web", "web.b.example"));
        assert!(!is_same_host("web.a.example", "web.b.example"));
    }

    #[test]
    fn first_label_ends_at_the_first_dot() {
        for (name, label) in
            [("dc01", "dc01"), ("dc01.corp.example", "dc01"), (" a.b ", "a"), ("", ""), (".a", "")]
        {
            assert_eq!(first_label(name), label, "{name:?}");
        }
    }

    #[test]
    fn is_usable_rejects_placeholder_names() {
        for name in ["dc01", "DC01.corp.example.", "10-0-0-1", "büro", "localhost1", "unknown-7"] {
            assert!(is_usable(name), "{name:?}");
        }
        let long = "a".repeat(254);
        for name in [
            "",
            " ",
            ".",
            "...",
            ".corp.example",
            "localhost",
            "LOCALHOST.",
            "localhost.localdomain",
            "Unknown",
            "10.0.0.1",
            "10.0.0.1.",
            "::1",
            "[fe80::1]",
            "dc\u{0}01",
            "dc\n01",
            &long,
        ] {
            assert!(!is_usable(name), "{name:?}");
        }
        assert!(is_usable(&long[1..]));
    }

    proptest! {
        #[test]
        fn is_same_host_is_symmetric(a in "[ aAbBσςΣ.]{0,6}", b in "[ aAbBσςΣ.]{0,6}") {
            prop_assert_eq!(is_same_host(&a, &b), is_same_host(&b, &a));
        }

        #[test]
        fn is_same_host_ignores_case_and_spacing(name in "\\PC{0,20}") {
            prop_assume!(is_usable(&name));
            prop_assert!(is_same_host(&name, &name));
            let wide = format!(" {name} ");
            prop_assert!(is_same_host(&name, &wide));
            prop_assert!(is_same_host(&name, &to_lowercase(&name)));
            prop_assert!(is_same_host(&name, first_label(&name)));
        }
    }
}
