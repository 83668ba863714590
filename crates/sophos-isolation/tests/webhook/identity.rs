//! The ids of decisions.

use std::collections::HashSet;

use proptest::prelude::*;
use sophos_isolation::DecisionId;

/// Ids are stored for years, so the id of an event must never change.
#[test]
fn decision_id_is_stable() {
    let id = DecisionId::from_event_id("pd", "01BWDWL3NYY7LUFPZCC28QUCMK");
    assert_eq!(id.as_str(), "iso-588a4e8bdef39a4bcc78a7dc");
}

#[test]
fn decision_id_rejects_other_text() {
    let good = "iso-0123456789abcdef01234567";
    assert!(good.parse::<DecisionId>().is_ok());
    assert!(DecisionId::try_from(good.to_owned()).is_ok());
    for text in [
        "",
        "iso-",
        "0123456789abcdef01234567",
        "iso-0123456789abcdef0123456",
        "iso-0123456789abcdef012345678",
        "iso-0123456789ABCDEF01234567",
        "ISO-0123456789abcdef01234567",
        "iso-0123456789abcdef0123456g",
        "iso_0123456789abcdef01234567",
        "iso-iso-0123456789abcdef01234567",
        "iso-0123456789abcdef01234567/0001.json",
        "iso-../../../../../../../../",
        "iso-0123456789abcdef0123456\u{0}",
        "iso-０123456789abcdef012345",
        "iso-éééééééééééé",
    ] {
        assert!(text.parse::<DecisionId>().is_err(), "{text}");
        assert!(serde_json::from_value::<DecisionId>(text.into()).is_err(), "{text}");
    }
    for text in [" iso-0123456789abcdef01234567", "iso-0123456789abcdef01234567\n"] {
        assert!(serde_json::from_value::<DecisionId>(text.into()).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn decision_id_round_trips(source in ".{0,40}", event in ".{0,80}") {
        let id = DecisionId::from_event_id(&source, &event);
        prop_assert_eq!(id.as_str().len(), 28);
        prop_assert_eq!(id.to_string().parse::<DecisionId>(), Ok(id.clone()));
        let json = serde_json::to_value(&id).expect("JSON");
        prop_assert_eq!(json.as_str(), Some(id.as_str()));
        prop_assert_eq!(serde_json::from_value::<DecisionId>(json).expect("an id"), id.clone());
        prop_assert_eq!(DecisionId::from_event_id(&source, &event), id);
    }

    /// Any other split of a text into source and event is another event.
    #[test]
    fn decision_ids_are_separate_per_source(text in "[-a-z0-9_/:\\PC]{1,24}") {
        let cuts: Vec<_> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        let ids: HashSet<_> = cuts.iter().map(|at| DecisionId::from_event_id(&text[..*at], &text[*at..])).collect();
        prop_assert_eq!(ids.len(), cuts.len());
    }

    /// Nor by what a length might be written as.
    #[test]
    fn decision_ids_differ_between_events(
        one in (prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', '\u{8}', 'a', 'b']), 0..12), 0_usize..12),
        other in (prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', '\u{8}', 'a', 'b']), 0..12), 0_usize..12),
    ) {
        let cut = |(text, at): (Vec<char>, usize)| {
            let (source, event) = text.split_at(at.min(text.len()));
            (source.iter().collect::<String>(), event.iter().collect::<String>())
        };
        let (one, other) = (cut(one), cut(other));
        let ids = [&one, &other].map(|(source, event)| DecisionId::from_event_id(source, event));
        prop_assert_eq!(ids[0] == ids[1], one == other);
    }

    #[test]
    fn decision_id_rejects_any_other_text(text in prop_oneof![".{0,40}", "iso-[0-9a-g]{22,26}", "[ iso-]{0,6}[0-9a-fA-F]{24}"]) {
        let digits = text.strip_prefix("iso-");
        let good = digits.is_some_and(|digits| {
            digits.len() == 24 && digits.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
        });
        prop_assert_eq!(DecisionId::try_from(text.clone()).is_ok(), good);
        if let Ok(id) = text.parse::<DecisionId>() {
            prop_assert_eq!(id.as_str(), text.trim());
        }
    }
}
