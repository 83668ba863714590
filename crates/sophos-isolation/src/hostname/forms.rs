//! The normalization of host names, and its forms.
//!
//! | form | differences that it ignores | use |
//! |---|---|---|
//! | exact | case, NFC and NFD, surrounding white space, one trailing dot | lookup |
//! | normalized | also compatibility forms (full width, ligatures), Punycode, invisible characters, accents, `ß` and `ss`, `ı` and `i`, `_` and `-` | protection |
//! | skeleton | also similar letters of other scripts, and separators; only if a name has unusual characters | protection |

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::skeleton;

use super::{MAX_NAME_LEN, NETBIOS_LEN, first_label, punycode};

/// The maximum number of normalization passes: each may decode Punycode inside the previous result.
const MAX_DECODE_PASSES: usize = 3;

/// A host name in all forms for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName {
    pub(super) exact: String,
    pub(super) normalized: String,
    /// The skeletons of the letters as given, and in either case.
    pub(super) skeletons: [String; 2],
    /// Whether it has characters other than ASCII letters, digits, `-`, `_` and `.`.
    pub(super) has_unusual_characters: bool,
    is_readable: bool,
    may_be_truncated: bool,
}

impl HostName {
    pub(crate) fn new(text: &str) -> Self {
        let exact = exact_form(text);
        let has_unusual_characters = has_unusual_characters(&exact, "");
        let (normalized, is_decoded) =
            if has_unusual_characters { normalize(text) } else { (exact.replace('_', "-"), true) };
        let skeletons = skeletons(text, &normalized, has_unusual_characters);
        let is_readable = is_decoded
            && !first_label(&normalized).is_empty()
            && normalized.chars().count() <= MAX_NAME_LEN
            && normalized.chars().all(is_hostname_char)
            && !exact.contains(char::is_control);
        let may_be_truncated = may_be_truncated(
            text.split('.').next().unwrap_or(text),
            first_label(&exact),
            first_label(&normalized),
        );
        Self { exact, normalized, skeletons, has_unusual_characters, is_readable, may_be_truncated }
    }

    /// Whether all characters are valid in host names. A name that is not readable may belong to
    /// any machine.
    pub(crate) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether NetBIOS may have truncated its first label.
    pub(super) fn may_be_truncated(&self) -> bool {
        self.may_be_truncated
    }

    /// Whether two names may belong to one machine: their first labels look the same, or one may be
    /// the other's truncated NetBIOS name. Domains are ignored, because a machine may have several.
    pub(crate) fn may_be_same_host(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| {
            let (a, b) = (first_label(a), first_label(b));
            let is_cut =
                || self.may_be_truncated && b.starts_with(a) || other.may_be_truncated && a.starts_with(b);
            !a.is_empty() && !b.is_empty() && (a == b || is_cut())
        };
        self.any_form_matches(other, same)
    }

    /// Whether two names look the same, including the domain if both have one.
    pub(super) fn resembles(&self, other: &Self) -> bool {
        self.any_form_matches(other, |a, b| match a.contains('.') && b.contains('.') {
            true => a == b,
            false => !first_label(a).is_empty() && first_label(a) == first_label(b),
        })
    }

    /// Whether a comparison holds for a form of both names.
    fn any_form_matches(&self, other: &Self, matches: impl Fn(&str, &str) -> bool) -> bool {
        let squeezed = |name: &Self| name.skeletons.each_ref().map(|skeleton| without_separators(skeleton));
        let alike = || {
            let own = squeezed(self);
            squeezed(other).iter().any(|other| own.iter().any(|own| matches(own, other)))
        };
        matches(&self.normalized, &other.normalized)
            || (self.has_unusual_characters || other.has_unusual_characters) && alike()
    }
}

/// The exact form of a name, for lookups.
pub(super) fn exact_form(name: &str) -> String {
    let name = name.trim();
    let name = name.strip_suffix('.').unwrap_or(name).trim_end();
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => name.nfd().flat_map(char::to_lowercase).nfc().collect(),
    }
}

/// Whether a name, or a pattern with these `wildcards`, has characters other than ASCII letters,
/// digits and separators.
pub(super) fn has_unusual_characters(exact: &str, wildcards: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || wildcards.contains(c);
    !exact.chars().all(is_plain) || exact.split('.').any(|label| label.starts_with(punycode::PREFIX))
}

/// The normalized form, and whether all of its Punycode was decoded.
pub(super) fn normalize(text: &str) -> (String, bool) {
    let mut name = reduce(text);
    let mut is_decoded = true;
    for _ in 0..MAX_DECODE_PASSES {
        // Windows writes DOMAIN\host, and machine accounts end with a dollar sign.
        let bare = name.rsplit('\\').next().unwrap_or_default();
        let bare = bare.trim_start().trim_end_matches(['$', '.', ' ']).replace(' ', "-");
        let mut has_punycode = false;
        let labels: Vec<String> = bare
            .split('.')
            .map(|label| {
                let Some(encoded) = label.strip_prefix(punycode::PREFIX) else { return label.to_owned() };
                // A truncated label decodes to another name.
                let decoded = punycode::decode(encoded).filter(|_| label.len() != NETBIOS_LEN);
                has_punycode |= decoded.is_some();
                is_decoded &= decoded.is_some();
                decoded.unwrap_or_else(|| label.to_owned())
            })
            .collect();
        name = labels.join(".");
        if !has_punycode {
            return (name, is_decoded);
        }
        name = reduce(&name);
    }
    (name, false)
}

/// Converts to lower case, without compatibility forms, invisible characters, accents and variants
/// of separators.
fn reduce(text: &str) -> String {
    // Marks are removed last, because the upper case of one of them is a letter.
    let folded = text.nfkd().filter(|c| !is_ignorable(*c));
    let folded: String = folded.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    let folded: String = folded.nfkd().filter(|c| !is_ignorable(*c) && !is_combining_mark(*c)).collect();
    folded.chars().filter_map(canonical_separator).collect()
}

/// Unifies dashes, spaces and dots. Returns `None` for an apostrophe, which systems omit.
fn canonical_separator(c: char) -> Option<char> {
    match c {
        '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' => None,
        '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{3002}' => Some('.'),
        c if c.is_control() => Some(c),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

/// The skeletons of a text: of its letters as given, and in either case.
pub(super) fn skeletons(text: &str, normalized: &str, has_unusual_characters: bool) -> [String; 2] {
    let either = confusable_skeleton(normalized);
    let given = match has_unusual_characters {
        true => {
            let imitated: String = text.chars().map(|c| confusable_target(&c.to_string())).collect();
            confusable_skeleton(&normalize(&imitated).0)
        }
        false => either.clone(),
    };
    [given, either]
}

/// The skeleton of a normalized form, with the letters that its letters resemble in either case.
fn confusable_skeleton(normalized: &str) -> String {
    let mut text = String::with_capacity(normalized.len());
    for c in normalized.chars() {
        match c {
            c if c.is_ascii() => text.push(case_skeleton(c)),
            c => {
                let upper = c.to_uppercase().to_string();
                let [lower, upper] = [c.to_string(), upper].map(|form| reduce(&confusable_target(&form)));
                // Some letters resemble an ASCII letter in upper case only.
                let is_letter = |form: &String| form.is_ascii() && form.len() == 1;
                let form = if !is_letter(&lower) && is_letter(&upper) { upper } else { lower };
                text.extend(form.chars().map(case_skeleton));
            }
        }
    }
    text
}

/// One letter for all ASCII letters that the same letter resembles: a Greek eta is `n` in lower
/// case and `H` in upper case.
fn case_skeleton(c: char) -> char {
    match c {
        '1' | 'i' | '|' => 'l',
        '0' => 'o',
        'h' | 'v' => 'n',
        'y' => 'u',
        c => c,
    }
}

/// The text that a character resembles; ASCII resembles itself.
fn confusable_target(character: &str) -> String {
    if character.is_ascii() {
        return character.to_owned();
    }
    let text: String = skeleton(character).collect();
    match text.as_str() {
        // The Unicode tables map m to two letters.
        "rn" => "m".to_owned(),
        // A full-width hyphen is a hyphen, not the dash that it resembles.
        text if !text.is_ascii() && character.nfkd().all(|c| c.is_ascii()) => character.to_owned(),
        text => text.to_owned(),
    }
}

/// A form without separators; `-` also replaces white space.
pub(super) fn without_separators(skeleton: &str) -> String {
    skeleton.replace('-', "")
}

/// Whether a character of a normalized form is valid in a host name. Phonetic letters and small
/// capitals are not, because the letter that they imitate is unknown.
pub(super) fn is_hostname_char(c: char) -> bool {
    let is_phonetic = matches!(c, '\u{250}'..='\u{2af}' | '\u{1d00}'..='\u{1dbf}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}')
        // Azerbaijani uses this letter.
        && c != '\u{259}';
    c == '-' || c == '.' || c.is_alphanumeric() && !is_phonetic
}

/// Whether a character is invisible: `Default_Ignorable_Code_Point` of Unicode.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a label may have the length of a truncated NetBIOS name. NetBIOS counts bytes of some
/// encoding, or characters of some form.
fn may_be_truncated(text: &str, exact: &str, normalized: &str) -> bool {
    let [text_len, exact_len, normalized_len] = [text, exact, normalized].map(|form| form.chars().count());
    let fewest = text_len.min(exact_len).min(normalized_len);
    (fewest..=text.len().max(exact.len())).contains(&NETBIOS_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skeleton_maps_confusable_characters() {
        let mut count = 0;
        for c in ('\u{80}'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            let imitated: String = skeleton(&c.to_string()).collect();
            let [letter] = imitated.as_bytes() else { continue };
            if letter.is_ascii_alphanumeric() {
                let (name, other) = (HostName::new(&format!("x{c}")), HostName::new(&format!("x{imitated}")));
                assert!(name.may_be_same_host(&other), "{c} {:x} {imitated} {name:?}", u32::from(c));
                count += 1;
            }
        }
        assert!(count > 1_000, "{count}");
    }

    #[test]
    fn case_skeleton_is_stable_under_case_changes() {
        for (greek, latin) in
            [("Η", "h"), ("η", "n"), ("Ν", "n"), ("ν", "v"), ("Υ", "y"), ("υ", "u"), ("Β", "b")]
        {
            let latin = HostName::new(&format!("{latin}7"));
            for form in [greek.to_uppercase(), greek.to_lowercase()] {
                let name = HostName::new(&format!("{form}7"));
                assert!(name.may_be_same_host(&latin), "{form} {greek} {latin:?}");
            }
        }
    }
}
