//! Patterns of host names, where `*` is any text and `?` is one character.

use super::{
    first_label,
    forms::{self, HostName, is_hostname_char, without_separators},
    punycode,
};

const WILDCARDS: &str = "*?";

/// The longest label that DNS has, in bytes.
const MAX_LABEL_LEN: usize = 63;

/// A pattern in the forms in which names are compared.
#[derive(Debug, Clone)]
pub(crate) struct HostPattern {
    /// As it is shown.
    text: String,
    exact: PatternForm,
    normalized: PatternForm,
    skeletons: [PatternForm; 2],
    has_unusual_characters: bool,
    /// The name that a pattern without wildcards is.
    name: Option<HostName>,
}

/// One form of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PatternForm {
    pattern: Vec<char>,
    /// The pattern before its first dot, if it has one.
    first_label: Option<Vec<char>>,
    /// Whether the label is more than wildcards.
    has_literal: bool,
}

/// How far a text goes through a pattern.
#[derive(Debug, Clone, Copy, Default)]
struct PatternMatch {
    /// The text fits.
    is_full_match: bool,
    /// The text is the beginning of one that may fit: its last character is a
    /// character of the pattern, and more of the pattern follows.
    is_prefix_match: bool,
}

impl HostPattern {
    /// The pattern; `None` if nothing of it is left.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let exact = forms::exact_form(text);
        let (plain, _) = forms::normalize(text);
        if exact.is_empty() {
            return None;
        }
        let name = !exact.contains(['*', '?']) && !plain.contains(['*', '?']);
        let is_odd = forms::has_unusual_characters(&exact, WILDCARDS);
        Some(Self {
            has_unusual_characters: is_odd,
            // One character may look like several.
            skeletons: forms::skeletons(text, &plain, is_odd)
                .map(|look| PatternForm::new(&look.replace('?', "?*"))),
            normalized: PatternForm::new(&plain),
            exact: PatternForm::new(&exact),
            name: name.then(|| HostName::new(text)),
            text: exact,
        })
    }

    /// The pattern as messages show it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern may fit the name of a machine with this name, whatever
    /// the form in which the name is given.
    pub(crate) fn may_match(&self, name: &HostName) -> bool {
        if self.name.as_ref().is_some_and(|own| own.may_be_same_host(name)) {
            return true;
        }
        let may_be_truncated = name.may_be_truncated();
        if self.normalized.may_match(&name.normalized, may_be_truncated) {
            return true;
        }
        let is_odd = self.has_unusual_characters || name.has_unusual_characters;
        if !is_odd && self.exact == self.normalized && name.exact == name.normalized {
            return false;
        }
        if self.exact.may_match(&name.exact, may_be_truncated) {
            return true;
        }
        let fits = |look: &String| {
            let forms = [look.clone(), without_separators(look)];
            self.skeletons.iter().any(|own| forms.iter().any(|form| own.may_match(form, may_be_truncated)))
        };
        is_odd && name.skeletons.iter().any(fits)
    }

    /// The reason why the pattern does not select what it seems to select.
    pub(crate) fn issue(text: &str) -> Option<&'static str> {
        if let Some(issue) = issue(text, WILDCARDS) {
            return Some(issue);
        }
        let (plain, _) = forms::normalize(text);
        let labels: Vec<&str> = plain.split('.').collect();
        let is_number = |label: &&str| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_digit() || WILDCARDS.contains(c))
        };
        if labels.len() > 1 && labels.iter().all(is_number) && plain.contains(|c: char| c.is_ascii_digit()) {
            return Some("fits no endpoint: names are compared, and addresses never; write the host name");
        }
        let (label, domain) = plain.split_once('.')?;
        if !domain.is_empty() && label.chars().all(|c| WILDCARDS.contains(c)) {
            return Some(
                "also fits every endpoint that Sophos Central lists without a domain; use groups or tags to select a domain",
            );
        }
        let literal = label.strip_prefix('*').filter(|rest| !rest.contains(['*', '?']));
        if literal.is_some_and(|rest| rest.starts_with(char::is_alphabetic)) {
            return Some(
                "fits an endpoint without a domain only by the part before the dot; write *. to select a domain",
            );
        }
        None
    }
}

/// The reason why no endpoint has a name, or why the name is another than it
/// seems.
pub(crate) fn name_issue(text: &str) -> Option<&'static str> {
    issue(text, "")
}

fn issue(text: &str, wildcards: &str) -> Option<&'static str> {
    if text.chars().any(forms::is_ignorable) {
        return Some("has an invisible character, which no comparison counts; write it without");
    }
    let (plain, is_decoded) = forms::normalize(text);
    let labels = || plain.split('.');
    let has_wildcard = |label: &str| label.contains(|c| wildcards.contains(c));
    let encoded = |label: &str| label.starts_with(punycode::PREFIX) && !has_wildcard(label);
    if !is_decoded && labels().any(encoded) {
        return Some("fits no endpoint: a label begins with xn-- and is not Punycode; write it in Unicode");
    }
    if !plain.chars().all(|c| is_hostname_char(c) || wildcards.contains(c)) {
        return Some("fits no endpoint: it has a character that no host name has");
    }
    // White space around and one dot at the end are no part of a name.
    let exact = forms::exact_form(text);
    if exact.split('.').any(str::is_empty) {
        return Some("fits no endpoint: nothing is before, between or after its dots");
    }
    let literals = |text: &str| text.chars().filter(|c| *c != '*').count();
    if literals(&plain) > super::MAX_NAME_LEN || labels().any(|label| literals(label) > MAX_LABEL_LEN) {
        return Some("fits no endpoint: a host name has at most 253 characters, and 63 between dots");
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

    fn may_match(&self, name: &str, may_be_cut: bool) -> bool {
        let label = first_label(name);
        let has_domain = name.contains('.');
        let of_whole = match_pattern(&self.pattern, name);
        let of_label = if has_domain { match_pattern(&self.pattern, label) } else { of_whole };
        if of_whole.is_full_match || of_label.is_full_match {
            return true;
        }
        match &self.first_label {
            // With a domain in both, the domain decides where the label says nothing.
            Some(own) if !has_domain || self.has_literal => {
                let of_own = match_pattern(own, label);
                of_own.is_full_match || may_be_cut && of_own.is_prefix_match
            }
            Some(_) => false,
            None => may_be_cut && of_label.is_prefix_match,
        }
    }
}

/// Follows all ways through the pattern at once.
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

/// A star may stand for nothing.
fn skip_stars(pattern: &[char], reached: &mut [bool]) {
    for (at, own) in pattern.iter().enumerate() {
        if reached[at] && *own == '*' {
            reached[at + 1] = true;
        }
    }
}
