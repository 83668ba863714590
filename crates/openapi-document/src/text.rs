//! The text of doc comments and names.

/// Removes the links to Rust items, and keeps their text.
pub(crate) fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else { break };
        plain.extend([before, "`", name, "`"]);
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

/// The first sentence, without the period.
pub(crate) fn summary(documentation: &str) -> String {
    let paragraph = documentation.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence);
    sentence.trim_end_matches('.').to_owned()
}

/// A family such as `account-health-check` as the start of a name.
pub(crate) fn camel_case(family: &str) -> String {
    let mut words = family.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_links_keeps_the_text_of_links() {
        let text = "Like [`A`](super::a::A) and [`B`]; see [the site](https://sophos.com).";
        assert_eq!(without_links(text), "Like `A` and `B`; see [the site](https://sophos.com).");
        assert_eq!(without_links("[`open"), "[`open");
    }

    #[test]
    fn summary_is_the_first_sentence_on_one_line() {
        assert_eq!(summary("Lists the roles\nof v1.2 tenants. All.\n\nMore."), "Lists the roles of v1.2 tenants");
        assert_eq!(summary("Returns a role."), "Returns a role");
    }

    #[test]
    fn camel_case_joins_the_words() {
        assert_eq!(camel_case("account-health-check"), "accountHealthCheck");
    }
}
