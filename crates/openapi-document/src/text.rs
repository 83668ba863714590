//! The text of doc comments and names.

/// Converts a doc comment: each paragraph becomes one line, and links to Rust items become
/// their text.
pub(crate) fn from_doc_comment(text: &str) -> String {
    let paragraphs = without_links(text);
    let paragraphs = paragraphs.split("\n\n").map(|paragraph| {
        if paragraph.lines().any(is_markup) { paragraph.to_owned() } else { one_line(paragraph) }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Whether the line belongs to a list, a table or a block of code.
fn is_markup(line: &str) -> bool {
    ["- ", "* ", "|", "```"].iter().any(|start| line.trim_start().starts_with(start))
}

/// Removes the links to Rust items, and keeps their text.
fn without_links(text: &str) -> String {
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

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence, without the period.
pub(crate) fn summary(documentation: &str) -> String {
    let line = one_line(documentation.split("\n\n").next().unwrap_or_default());
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence);
    sentence.trim_end_matches('.').to_owned()
}

/// A family such as `account-health-check` as the start of a name: `accountHealthCheck`.
pub(crate) fn camel_case(family: &str) -> String {
    let (first, rest) = family.split_once('-').unwrap_or((family, ""));
    first.to_owned() + &pascal_case(rest)
}

/// A family such as `account-health-check` as the start of a type: `AccountHealthCheck`.
pub(crate) fn pascal_case(family: &str) -> String {
    let words = family.split('-').filter_map(|word| word.split_at_checked(1));
    words.flat_map(|(first, rest)| [first.to_ascii_uppercase(), rest.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_doc_comment_joins_the_lines_of_paragraphs() {
        let text = "One\n[`A`]\ntwo.\n\n- a\n- b\n\nThree\nfour.";
        assert_eq!(from_doc_comment(text), "One `A` two.\n\n- a\n- b\n\nThree four.");
    }

    #[test]
    fn without_links_keeps_the_text_of_links() {
        let text = "Like [`A`](super::a::A) and [`B`]; see [the site](https://sophos.com).";
        assert_eq!(without_links(text), "Like `A` and `B`; see [the site](https://sophos.com).");
        assert_eq!(without_links("[`open"), "[`open");
    }

    #[test]
    fn summary_is_the_first_sentence_on_one_line() {
        assert_eq!(
            summary("Lists the roles\nof v1.2 tenants. All.\n\nMore."),
            "Lists the roles of v1.2 tenants"
        );
        assert_eq!(summary("Returns a role."), "Returns a role");
    }

    #[test]
    fn camel_case_joins_the_words() {
        assert_eq!(camel_case("account-health-check"), "accountHealthCheck");
        assert_eq!(pascal_case("account-health-check"), "AccountHealthCheck");
        assert_eq!(camel_case("common"), "common");
    }
}
