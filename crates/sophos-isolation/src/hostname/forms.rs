//! The one normalization of host names, and the forms that it gives.
//!
//! | form | spellings that it unites | for |
//! |---|---|---|
//! | exact | case, NFC and NFD, white space around, one dot at the end | choosing an endpoint |
//! | plain | also compatibility forms (full width, ligatures), Punycode, invisible characters, accents, `ß` and `ss`, `ı` and `i`, `_` and `-` | protecting one |
//! | looks | also letters of other scripts that look alike, and separators; only where a name is not plain ASCII | protecting one |

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::skeleton;

use super::{MAX_NAME_LEN, NETBIOS_LEN, first_label, punycode};

/// The most passes of the plain form: each may decode Punycode inside the last.
const MAX_DECODE_PASSES: usize = 3;

/// A host name in the forms in which names are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName {
    pub(super) exact: String,
    pub(super) normalized: String,
    /// The look of the letters as they are given, and in either case.
    pub(super) skeletons: [String; 2],
    /// Whether it is more than letters, digits, `-`, `_` and `.` of ASCII.
    pub(super) has_unusual_characters: bool,
    is_readable: bool,
    may_be_truncated: bool,
}

impl HostName {
    pub(crate) fn new(text: &str) -> Self {
        let exact = exact_form(text);
        let is_odd = has_unusual_characters(&exact, "");
        let (plain, is_decoded) = if is_odd { normalize(text) } else { (exact.replace('_', "-"), true) };
        let looks = skeletons(text, &plain, is_odd);
        let is_readable = is_decoded
            && !first_label(&plain).is_empty()
            && plain.chars().count() <= MAX_NAME_LEN
            && plain.chars().all(is_hostname_char)
            && !exact.contains(char::is_control);
        let may_be_cut = may_be_truncated(
            text.split('.').next().unwrap_or(text),
            first_label(&exact),
            first_label(&plain),
        );
        Self {
            exact,
            normalized: plain,
            skeletons: looks,
            has_unusual_characters: is_odd,
            is_readable,
            may_be_truncated: may_be_cut,
        }
    }

    /// Whether all of its characters are those of host names. A name that is not
    /// readable may be any machine's.
    pub(crate) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether NetBIOS may have cut its first label.
    pub(super) fn may_be_truncated(&self) -> bool {
        self.may_be_truncated
    }

    /// Whether two names may be those of one machine: their first labels look the
    /// same, or one may be the other's beginning as NetBIOS cuts it. Domains make
    /// no difference: a machine may have several.
    pub(crate) fn may_be_same_host(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| {
            let (a, b) = (first_label(a), first_label(b));
            let is_cut =
                || self.may_be_truncated && b.starts_with(a) || other.may_be_truncated && a.starts_with(b);
            !a.is_empty() && !b.is_empty() && (a == b || is_cut())
        };
        self.any_form_matches(other, same)
    }

    /// Whether two names look the same, each with its domain if both have one.
    pub(super) fn resembles(&self, other: &Self) -> bool {
        self.any_form_matches(other, |a, b| match a.contains('.') && b.contains('.') {
            true => a == b,
            false => !first_label(a).is_empty() && first_label(a) == first_label(b),
        })
    }

    /// Whether a comparison holds of forms of both.
    fn any_form_matches(&self, other: &Self, matches: impl Fn(&str, &str) -> bool) -> bool {
        let squeezed = |name: &Self| name.skeletons.each_ref().map(|look| without_separators(look));
        let alike = || {
            let own = squeezed(self);
            squeezed(other).iter().any(|other| own.iter().any(|own| matches(own, other)))
        };
        matches(&self.normalized, &other.normalized)
            || (self.has_unusual_characters || other.has_unusual_characters) && alike()
    }
}

/// A name as it is compared to choose an endpoint.
pub(super) fn exact_form(name: &str) -> String {
    let name = name.trim();
    let name = name.strip_suffix('.').unwrap_or(name).trim_end();
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => name.nfd().flat_map(char::to_lowercase).nfc().collect(),
    }
}

/// Whether a name, or with the right `wildcards` a pattern, is more than the
/// letters, digits and separators of ASCII.
pub(super) fn has_unusual_characters(exact: &str, wildcards: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || wildcards.contains(c);
    !exact.chars().all(is_plain) || exact.split('.').any(|label| label.starts_with(punycode::PREFIX))
}

/// The plain form, and whether all of its Punycode was decoded.
pub(super) fn normalize(text: &str) -> (String, bool) {
    let mut name = reduce(text);
    let mut is_decoded = true;
    for _ in 0..MAX_DECODE_PASSES {
        // Windows writes DOMAIN\host, and a machine's account with a dollar.
        let bare = name.rsplit('\\').next().unwrap_or_default();
        let bare = bare.trim_start().trim_end_matches(['$', '.', ' ']).replace(' ', "-");
        let mut has_punycode = false;
        let labels: Vec<String> = bare
            .split('.')
            .map(|label| {
                let Some(encoded) = label.strip_prefix(punycode::PREFIX) else { return label.to_owned() };
                // What was cut in the middle decodes to another name.
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

/// Lower case without compatibility forms, invisible characters, accents and
/// variants of separators.
fn reduce(text: &str) -> String {
    // Marks go last: the upper case of one of them is a letter.
    let folded = text.nfkd().filter(|c| !is_ignorable(*c));
    let folded: String = folded.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    let folded: String = folded.nfkd().filter(|c| !is_ignorable(*c) && !is_combining_mark(*c)).collect();
    folded.chars().filter_map(canonical_separator).collect()
}

/// A character, with one form each for dashes, spaces and dots; `None` for an
/// apostrophe, which systems leave out.
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

/// The look of a text: of its letters as they are given, and in either case.
pub(super) fn skeletons(text: &str, plain_text: &str, is_odd: bool) -> [String; 2] {
    let either = confusable_skeleton(plain_text);
    let given = match is_odd {
        true => {
            let imitated: String = text.chars().map(|c| confusable_target(&c.to_string())).collect();
            confusable_skeleton(&normalize(&imitated).0)
        }
        false => either.clone(),
    };
    [given, either]
}

/// A plain form with the letters that its letters look like in either case.
fn confusable_skeleton(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            c if c.is_ascii() => text.push(case_skeleton(c)),
            c => {
                let upper = c.to_uppercase().to_string();
                let [lower, upper] = [c.to_string(), upper].map(|form| reduce(&confusable_target(&form)));
                // Some letters look like one of ASCII in upper case alone.
                let is_letter = |form: &String| form.is_ascii() && form.len() == 1;
                let form = if !is_letter(&lower) && is_letter(&upper) { upper } else { lower };
                text.extend(form.chars().map(case_skeleton));
            }
        }
    }
    text
}

/// One for all letters of ASCII that one letter looks like: a Greek eta is an `n`
/// in lower case and an `H` in upper case.
fn case_skeleton(c: char) -> char {
    match c {
        '1' | 'i' | '|' => 'l',
        '0' => 'o',
        'h' | 'v' => 'n',
        'y' => 'u',
        c => c,
    }
}

/// The text that a character looks like; ASCII looks like itself.
fn confusable_target(character: &str) -> String {
    if character.is_ascii() {
        return character.to_owned();
    }
    let text: String = skeleton(character).collect();
    match text.as_str() {
        // The tables write an m as two letters.
        "rn" => "m".to_owned(),
        // A hyphen in full width is one, and not the dash that it looks like.
        text if !text.is_ascii() && character.nfkd().all(|c| c.is_ascii()) => character.to_owned(),
        text => text.to_owned(),
    }
}

/// A form without separators, which stand for white space, too.
pub(super) fn without_separators(look: &str) -> String {
    look.replace('-', "")
}

/// Whether a character of a plain form can be a host name's. Letters of phonetic
/// alphabets and small capitals are not: nothing says which letter they imitate.
pub(super) fn is_hostname_char(c: char) -> bool {
    let is_phonetic = matches!(c, '\u{250}'..='\u{2af}' | '\u{1d00}'..='\u{1dbf}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}')
        // Azerbaijani has this one.
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

/// Whether a label may have the length at which NetBIOS cuts, which counts bytes
/// of some encoding, or characters of some form.
fn may_be_truncated(text: &str, exact: &str, plain: &str) -> bool {
    let [text_len, exact_len, plain_len] = [text, exact, plain].map(|form| form.chars().count());
    let fewest = text_len.min(exact_len).min(plain_len);
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
