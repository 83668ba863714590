//! The request of each operation, with a value in every field, as one snapshot per
//! family.

use std::collections::BTreeMap;

use crate::{ApiHost, RequestTarget, operation::tested::TestedOperation};

fn request_text(operation: &TestedOperation) -> String {
    let host = match operation.route.host {
        ApiHost::DataRegion => "https://region.example",
        ApiHost::Global | ApiHost::Identity | ApiHost::Fusion => "https://global.example",
    };
    let target = RequestTarget::with_id(host.parse().expect("a host"), "the-id");
    let request = (operation.request)(&target).expect(operation.name);
    let mut text = format!("{}\n{} {}\n", operation.name, request.method(), request.uri());
    for (name, value) in request.headers() {
        if name.as_str().starts_with("x-") || name == "accept-language" {
            text += &format!("{name}: {}\n", value.to_str().expect("text"));
        }
    }
    let body = std::str::from_utf8(request.body()).expect("text");
    if body.is_empty() { text } else { format!("{text}{body}\n") }
}

#[test]
fn requests_of_each_family() {
    let mut families: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for operation in super::TESTED.iter().copied().flatten().copied().flatten() {
        let route = &operation.route;
        let family = route.path.split('/').nth(1).expect("a family");
        // In the order of the paths, whatever the files are.
        let key = format!("{} {} {}", route.path, route.method, operation.name);
        families.entry(family).or_default().insert(key, request_text(operation));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/requests");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (family, requests) in families {
            let requests: Vec<_> = requests.into_values().collect();
            insta::assert_snapshot!(family, requests.join("\n"));
        }
    });
}
