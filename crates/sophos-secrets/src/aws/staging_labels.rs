use std::collections::{BTreeMap, BTreeSet};

/// The prefix of the labels of staged credentials.
const STAGED_PREFIX: &str = "STAGED";
/// The prefix of the labels of rejected staged credentials.
const REJECTED_PREFIX: &str = "STAGED_REJECTED_";

/// The labeled versions of a secret with their labels. A label is on at most one version.
/// A version without a label is deprecated, and Secrets Manager may delete it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagingLabels(BTreeMap<String, BTreeSet<String>>);

impl StagingLabels {
    /// Whether a version has any label.
    pub fn has_version(&self, version: &str) -> bool {
        self.0.contains_key(version)
    }

    /// The version with this label.
    pub fn version_with(&self, label: &str) -> Option<&str> {
        self.0.iter().find(|(_, labels)| labels.contains(label)).map(|(version, _)| version.as_str())
    }

    /// Whether a version has this label.
    pub fn version_has_label(&self, label: &str, version: &str) -> bool {
        self.0.get(version).is_some_and(|labels| labels.contains(label))
    }

    /// The labels of staged credentials with their versions, in the order of rotation.
    /// Shorter labels come first, so that `STAGED_2` precedes `STAGED_10`. Rejected ones
    /// follow at the end, the latest last.
    pub fn staged(&self) -> Vec<(&str, &str)> {
        let all = self
            .0
            .iter()
            .flat_map(|(version, labels)| labels.iter().map(move |label| (label.as_str(), version.as_str())));
        let mut staged: Vec<_> = all.filter(|(label, _)| label.starts_with(STAGED_PREFIX)).collect();
        staged.sort_by_key(|(label, _)| (Self::is_rejected(label), label.len(), *label));
        staged
    }

    /// Whether this is the label of a rejected staged credential.
    pub fn is_rejected(label: &str) -> bool {
        label.starts_with(REJECTED_PREFIX)
    }

    /// The label for the next staged credential: `STAGED`, or else the first free of
    /// `STAGED_2`, `STAGED_3`, … after all others, so that it is used last.
    pub fn next_staged_label(&self) -> String {
        let number = |label: &str| match label.strip_prefix(STAGED_PREFIX)? {
            "" => Some(1),
            rest => rest.strip_prefix('_')?.parse::<u32>().ok(),
        };
        match self.0.values().flatten().filter_map(|label| number(label)).max() {
            None => STAGED_PREFIX.to_owned(),
            Some(last) => format!("{STAGED_PREFIX}_{}", last.saturating_add(1)),
        }
    }

    /// The label for the next rejected credential, which sorts after all others.
    pub fn next_rejected_label(&self) -> String {
        let numbers = self.0.values().flatten();
        let numbers = numbers.filter_map(|label| label.strip_prefix(REJECTED_PREFIX)?.parse::<u32>().ok());
        format!("{REJECTED_PREFIX}{}", numbers.max().unwrap_or_default().saturating_add(1))
    }
}

impl<L: IntoIterator<Item = String>> FromIterator<(String, L)> for StagingLabels {
    fn from_iter<I: IntoIterator<Item = (String, L)>>(versions: I) -> Self {
        let entry = |(version, labels): (String, L)| (version, labels.into_iter().collect::<BTreeSet<_>>());
        Self(versions.into_iter().map(entry).filter(|(_, labels)| !labels.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(versions: &[(&str, &[&str])]) -> StagingLabels {
        let owned = |labels: &[&str]| labels.iter().map(ToString::to_string).collect::<Vec<_>>();
        versions.iter().map(|(version, labels)| ((*version).to_owned(), owned(labels))).collect()
    }

    #[test]
    fn staged_credentials_are_ordered_by_label() {
        let labels = labels(&[
            ("a", &["STAGED_10", "AWSPENDING"]),
            ("b", &["STAGED_REJECTED_10"]),
            ("c", &["STAGED_REJECTED_9", "STAGED_2"]),
            ("d", &["STAGED", "NOT_STAGED"]),
            ("e", &["AWSCURRENT"]),
            ("f", &[]),
        ]);
        let order = [
            ("STAGED", "d"),
            ("STAGED_2", "c"),
            ("STAGED_10", "a"),
            ("STAGED_REJECTED_9", "c"),
            ("STAGED_REJECTED_10", "b"),
        ];
        assert_eq!(labels.staged(), order);
        assert_eq!(labels.next_rejected_label(), "STAGED_REJECTED_11");
        assert_eq!(labels.next_staged_label(), "STAGED_11");
        assert_eq!(StagingLabels::default().next_staged_label(), "STAGED");
        assert_eq!(
            (labels.version_with("AWSCURRENT"), labels.version_with("AWSPREVIOUS")),
            (Some("e"), None)
        );
        assert!(labels.version_has_label("AWSPENDING", "a") && !labels.version_has_label("AWSPENDING", "d"));
        assert!(
            labels.has_version("a") && !labels.has_version("f"),
            "a version without a label does not count"
        );
        assert_eq!(StagingLabels::default().next_rejected_label(), "STAGED_REJECTED_1");
    }
}
