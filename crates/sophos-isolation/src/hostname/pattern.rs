//! Patterns of host names: `*` matches any text and `?` one character.

use super::{
    first_label,
    forms::{self, HostName, is_hostname_char, without_separators},
    punycode,
};

const WILDCARDS: &str = "*?";

/// The maximum length of a DNS label, in bytes.
const MAX_LABEL_LEN: usize = 63;

/// A pattern in all forms for comparison.
#[derive(Debug, Clone)]
pub(crate) struct HostPattern {
    /// The pattern for messages.
    text: String,
    exact: PatternForm,
    normalized: PatternForm,
    skeletons: [PatternForm; 2],
    has_unusual_characters: bool,
    /// The name, if the pattern has no wildcards.
    name: Option<HostName>,
}

/// One form of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PatternForm {
    pattern: Vec<char>,
    /// The part before the first dot, if there is one.
    first_label: Option<Vec<char>>,
    /// Whether the first label has characters other than wildcards.
    has_literal: bool,
}

/// The extent to which a text matches a pattern.
#[derive(Debug, Clone, Copy, Default)]
struct PatternMatch {
    /// The text matches.
    is_full_match: bool,
    /// The text is a prefix of a possible match: its last character matched a pattern character,
    /// and more of the pattern follows.
    is_prefix_match: bool,
}

impl HostPattern {
    /// Parses a pattern; `None` if its exact form is empty.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let exact = forms::exact_form(text);
        let (normalized, _) = forms::normalize(text);
        if exact.is_empty() {
            return None;
        }
        let name = !exact.contains(['*', '?']) && !normalized.contains(['*', '?']);
        let has_unusual_characters = forms::has_unusual_characters(&exact, WILDCARDS);
        Some(Self {
            has_unusual_characters,
            // One character may resemble several.
            skeletons: forms::skeletons(text, &normalized, has_unusual_characters)
                .map(|skeleton| PatternForm::new(&skeleton.replace('?', "?*"))),
            normalized: PatternForm::new(&normalized),
            exact: PatternForm::new(&exact),
            name: name.then(|| HostName::new(text)),
            text: exact,
        })
    }

    /// The pattern for messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern may match a machine with this name, in any form of the name.
    pub(crate) fn may_match(&self, name: &HostName) -> bool {
        if self.name.as_ref().is_some_and(|own| own.may_be_same_host(name)) {
            return true;
        }
        let may_be_truncated = name.may_be_truncated();
        if self.normalized.may_match(&name.normalized, may_be_truncated) {
            return true;
        }
        let has_unusual_characters = self.has_unusual_characters || name.has_unusual_characters;
        if !has_unusual_characters && self.exact == self.normalized && name.exact == name.normalized {
            return false;
        }
        if self.exact.may_match(&name.exact, may_be_truncated) {
            return true;
        }
        let fits = |skeleton: &String| {
            let forms = [skeleton.clone(), without_separators(skeleton)];
            self.skeletons.iter().any(|own| forms.iter().any(|form| own.may_match(form, may_be_truncated)))
        };
        has_unusual_characters && name.skeletons.iter().any(fits)
    }

    /// The reason why the pattern may not select what it seems to.
    pub(crate) fn issue(text: &str) -> Option<&'static str> {
        if let Some(issue) = issue(text, WILDCARDS) {
            return Some(issue);
        }
        let (normalized, _) = forms::normalize(text);
        let labels: Vec<&str> = normalized.split('.').collect();
        let is_number = |label: &&str| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_digit() || WILDCARDS.contains(c))
        };
        if labels.len() > 1
            && labels.iter().all(is_number)
            && normalized.contains(|c: char| c.is_ascii_digit())
        {
            return Some("matches no endpoint: patterns match names, not addresses; write the host name");
        }
        let (label, domain) = normalized.split_once('.')?;
        if !domain.is_empty() && label.chars().all(|c| WILDCARDS.contains(c)) {
            return Some(
                "also matches every endpoint that Sophos Central lists without a domain; use groups or tags to select a domain",
            );
        }
        let literal = label.strip_prefix('*').filter(|rest| !rest.contains(['*', '?']));
        if literal.is_some_and(|rest| rest.starts_with(char::is_alphabetic)) {
            return Some(
                "matches an endpoint without a domain only by the part before the dot; write *. to select a domain",
            );
        }
        None
    }
}

/// The reason why no endpoint can have a name, or why it differs from what it seems to be.
pub(crate) fn name_issue(text: &str) -> Option<&'static str> {
    issue(text, "")
}

fn issue(text: &str, wildcards: &str) -> Option<&'static str> {
    if text.chars().any(forms::is_ignorable) {
        return Some("has an invisible character, which comparisons ignore; remove it");
    }
    let (normalized, is_decoded) = forms::normalize(text);
    let labels = || normalized.split('.');
    let has_wildcard = |label: &str| label.contains(|c| wildcards.contains(c));
    let encoded = |label: &str| label.starts_with(punycode::PREFIX) && !has_wildcard(label);
    if !is_decoded && labels().any(encoded) {
        return Some(
            "matches no endpoint: a label begins with xn-- and is not valid Punycode; write it in Unicode",
        );
    }
    if !normalized.chars().all(|c| is_hostname_char(c) || wildcards.contains(c)) {
        return Some("matches no endpoint: it has a character that host names cannot have");
    }
    // White space around the name and one trailing dot are ignored.
    let exact = forms::exact_form(text);
    if exact.split('.').any(str::is_empty) {
        return Some("matches no endpoint: a label is empty");
    }
    let literals = |text: &str| text.chars().filter(|c| *c != '*').count();
    if literals(&normalized) > super::MAX_NAME_LEN || labels().any(|label| literals(label) > MAX_LABEL_LEN) {
        return Some("matches no endpoint: a host name has at most 253 characters, and 63 per label");
    }
    None
}

impl PatternForm {
    fn new(text: &str) -> Self {
        let label = text.contains('.').then(|| first_label(text));
        Self {
            pattern: text.chars().collect(),
            has_literal: label.unwrap_or(text).contains(|c| !WILDCARDS.contains(c)),
            first_label: label.map(|label| label.chars().collect()),
        }
    }

    fn may_match(&self, name: &str, may_be_truncated: bool) -> bool {
        let label = first_label(name);
        let has_domain = name.contains('.');
        let of_whole = match_pattern(&self.pattern, name);
        let of_label = if has_domain { match_pattern(&self.pattern, label) } else { of_whole };
        if of_whole.is_full_match || of_label.is_full_match {
            return true;
        }
        match &self.first_label {
            // If both have a domain, it decides where the label is all wildcards.
            Some(own) if !has_domain || self.has_literal => {
                let of_own = match_pattern(own, label);
                of_own.is_full_match || may_be_truncated && of_own.is_prefix_match
            }
            Some(_) => false,
            None => may_be_truncated && of_label.is_prefix_match,
        }
    }
}

/// Matches by following all paths through the pattern at once.
fn match_pattern(pattern: &[char], text: &str) -> PatternMatch {
    let mut reached = vec![false; pattern.len() + 1];
    let mut stepped = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_stars(pattern, &mut reached);
    for c in text.chars() {
        stepped.fill(false);
        let mut next = vec![false; pattern.len() + 1];
        for (at, own) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match own {
                '*' => next[at] = true,
                own if *own == '?' || *own == c => {
                    next[at + 1] = true;
                    stepped[at + 1] = true;
                }
                _ => {}
            }
        }
        skip_stars(pattern, &mut next);
        reached = next;
        if !reached.contains(&true) {
            return PatternMatch::default();
        }
    }
    PatternMatch {
        is_full_match: reached[pattern.len()],
        is_prefix_match: stepped[..pattern.len()].contains(&true),
    }
}

/// Advances over stars, which also match an empty text.
fn skip_stars(pattern: &[char], reached: &mut [bool]) {
    for (at, own) in pattern.iter().enumerate() {
        if reached[at] && *own == '*' {
            reached[at + 1] = true;
        }
    }
}
