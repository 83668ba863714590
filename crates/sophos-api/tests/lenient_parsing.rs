//! Responses that are not as documented: the valid parts are parsed, and the JSON of
//! the service is kept.

mod support;

use serde_json::{Value, json};
use sophos_api::{
    ErrorKind, Operation, Paged,
    models::{HealthStatus, IdType, IsolationStatus, Platform},
    operations::{
        account_health::checks::CheckAccountHealth,
        common::alerts::{GetAlert, ListAlerts, SearchAlerts},
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::{GetIsolation, UpdateIsolations},
        firewall::firewalls::{ManagingStatus, UpdateFirewall},
        organization::tenants::ListOrganizationTenants,
        partner::tenants::ListPartnerTenants,
        siem::{alerts::ListSiemAlerts, events::ListSiemEvents},
        token::RequestToken,
        whoami::GetWhoami,
    },
};
use support::parse_response;

fn parse<O: Operation>(body: &Value) -> O::Response {
    parse_response::<O>(200, body.to_string()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn members_of_another_type_become_none() {
    let body = json!({
        "id": "e", "online": "True", "mdrManaged": null, "hostname": 7, "assignedProducts": {},
        "os": {"isServer": "False", "platform": "linux", "majorVersion": "12"},
        "isolation": {"status": "isolated", "adminIsolated": true, "selfIsolated": "False"},
        "tenant": "11f104c5", "lastSeenAt": true, "health": null,
    });
    let endpoint = parse::<GetEndpoint>(&body);
    assert_eq!((endpoint.online, endpoint.mdr_managed, &endpoint.hostname), (None, None, &None));
    assert_eq!((&endpoint.assigned_products, &endpoint.tenant), (&None, &None));
    assert_eq!((&endpoint.last_seen_at, &endpoint.health), (&None, &None));
    let os = endpoint.os.clone().expect("an operating system");
    assert_eq!((os.is_server, os.platform, os.major_version), (None, Some(Platform::Linux), None));
    let isolation = endpoint.isolation.clone().expect("an isolation");
    assert_eq!(isolation.status, Some(IsolationStatus::Isolated));
    assert_eq!((isolation.admin_isolated, isolation.self_isolated), (Some(true), None));
    assert_eq!(serde_json::to_value(&endpoint).expect("JSON"), body);
}

/// The records of a feed are parts of the body, also of one with an unreadable record,
/// and outlive the page. They serialize as the service wrote them.
#[test]
fn records_of_a_feed_share_the_memory_of_the_page() {
    let records = [r#"{"id":"é",  "n":1.50,"n":null}"#, r#"["\u00e9"]"#, "7"];
    let body = bytes::Bytes::from(format!("{{\"items\": [ {} ]}}", records.join(" ,\n")));
    let page = ListSiemEvents::parse_response(&http::Response::new(body.clone())).expect("a page");
    let within = body.as_ptr_range();
    for (item, record) in page.items.into_iter().zip(records) {
        let json = item.json().as_bytes().as_ptr_range();
        assert!(within.start <= json.start && json.end <= within.end, "{record} was copied");
        let item = item.clone();
        assert_eq!((item.json(), &*serde_json::to_string(&item).expect("JSON")), (record, record));
        assert_eq!(&*item.into_json(), record);
    }
    let damaged =
        [b"{\"items\":[{\"id\":\"a\"},{\"id\":\"\xff\"},".as_slice(), b"{\"id\": \"b\"}]}"].concat();
    let page = parse_response::<ListSiemEvents>(200, damaged).expect("a page");
    let json: Vec<_> = page.items.iter().map(|item| item.json()).collect();
    assert_eq!(json, [r#"{"id":"a"}"#, r#"{"id": "b"}"#]);
    assert_eq!(page.malformed_items.len(), 1);
}

#[test]
fn firewall_status_is_read_in_both_forms() {
    let schema = json!({ "managingStatus": "approvalPending", "reportingStatus": "approvedByCustomer" });
    let example = json!({ "managing": "approvalPending", "reporting": "approvedByCustomer" });
    for status in [schema, example] {
        let body = json!({ "id": "f", "cluster": null, "group": null, "status": status });
        let firewall = parse::<UpdateFirewall>(&body);
        let found = firewall.status.as_ref().expect("a status");
        assert_eq!(found.management(), Some(&ManagingStatus::ApprovalPending));
        assert_eq!(found.report(), Some("approvedByCustomer"));
        assert!(firewall.cluster.is_none() && firewall.group.is_none());
    }
}

#[test]
fn model_requires_only_an_id() {
    let body = json!({"id": "e"});
    assert_eq!(parse::<GetEndpoint>(&body).id, "e");
    assert_eq!(parse::<GetAlert>(&body).id, "e");
    assert_eq!(parse::<GetWhoami>(&body).id, "e");
    for none in [json!({}), json!({"id": null}), json!({"id": [7]}), json!({"id": true})] {
        let error = parse_response::<GetEndpoint>(200, none.to_string()).expect_err("no id");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Malformed, Some(200)), "{none}");
    }
}

#[test]
fn tags_are_parsed_member_by_member() {
    let tags = |tags: Value| parse::<GetEndpoint>(&json!({"id": "e", "tags": tags})).tags.clone();
    let read = tags(json!([
        {"key": "tier", "value": "0", "displayString": "tier=0"},
        {"key": "critical"},
        {"key": 7, "value": null, "displayString": ["x"]},
    ]))
    .expect("tags");
    let members: Vec<_> = read
        .iter()
        .map(|tag| (tag.key.as_deref(), tag.value.as_deref(), tag.display_string.as_deref()))
        .collect();
    assert_eq!(
        members,
        [(Some("tier"), Some("0"), Some("tier=0")), (Some("critical"), None, None), (None, None, None)]
    );
    for unreadable in [json!({"tier": "0"}), json!(["tier=0"]), json!(null)] {
        assert_eq!(tags(unreadable.clone()), None, "{unreadable}");
    }
}

#[test]
fn isolation_is_parsed_with_enabled_alone() {
    let isolation = parse::<GetIsolation>(&json!({"enabled": false}));
    assert_eq!(isolation.enabled, Some(false));
    assert_eq!((&isolation.last_enabled_at, &isolation.last_disabled_by), (&None, &None));
}

#[test]
fn unknown_enum_values_round_trip() {
    let body = json!({"id": "e", "health": {"overall": "splendid"}, "type": "toaster"});
    let endpoint = parse::<GetEndpoint>(&body);
    let overall = endpoint.health.clone().and_then(|health| health.overall).expect("a status");
    assert_eq!(overall, HealthStatus::from("splendid"));
    assert!(!matches!(overall, HealthStatus::Good | HealthStatus::Bad));
    assert_eq!(overall.to_string(), "splendid");
    assert_eq!(serde_json::to_value(endpoint.into_inner()).expect("JSON"), body, "also without the raw JSON");
    assert_eq!(
        parse::<GetWhoami>(&json!({"id": "i", "idType": "galaxy"})).id_type,
        Some(IdType::from("galaxy"))
    );
}

#[test]
fn unknown_members_keep_their_raw_json() {
    let text =
        r#"{ "labels":[{"key":"a"}],"id":"e","big": 12345678901234567890123,"float":1.10,"none":null }"#;
    let endpoint = parse_response::<GetEndpoint>(200, text).expect("an endpoint");
    assert_eq!(endpoint.raw(), text.trim());
    assert_eq!(serde_json::to_string(&endpoint).expect("JSON"), text.trim());
}

#[test]
fn numeric_ids_keep_every_digit() {
    for number in [
        "0",
        "-7",
        "18446744073709551617",
        "340282366920938463463374607431768211457",
        "1234567890123456789.1234567890",
        "1.10e+400",
    ] {
        let text = format!(
            r#"{{"items":[{{"id":{number},"endpoint_id":{number},"customer_id":{number}}}],"has_more":true,"next_cursor":{number}}}"#
        );
        let page = parse_response::<ListSiemEvents>(200, text).expect("a page");
        assert_eq!(page.next_cursor.as_deref(), Some(number));
        let event = page.items.into_iter().next().expect("an item").parse().expect("an event");
        assert_eq!((event.id.as_str(), event.endpoint_id.as_deref()), (number, Some(number)));
        assert_eq!(event.customer_id.as_ref().map(|id| id.as_str()), Some(number));
        assert!(event.raw().contains(&format!(r#"{{"id":{number},"#)), "{}", event.raw());
        assert!(serde_json::to_string(&event).expect("JSON").contains(&format!(r#""id":{number},"#)));

        let text =
            format!(r#"{{"id":{number},"managedAgent":{{"id":{number}}},"tenant":{{"id":{number}}}}}"#);
        let alert = parse_response::<GetAlert>(200, text).expect("an alert");
        let agent = alert.managed_agent.as_ref().and_then(|agent| agent.id.as_deref());
        assert_eq!((alert.id.as_str(), agent), (number, Some(number)));
        let text = format!(r#"{{"items":[{{"id":{number}}}],"pages":{{"nextKey":{number}}}}}"#);
        let page = parse_response::<ListEndpoints>(200, text).expect("a page");
        let next = ListEndpoints::default().next_page(&page).expect("a key").expect("another page");
        assert_eq!(next.page_from_key.as_deref(), Some(number));
        let tenant = parse_response::<ListPartnerTenants>(200, format!(r#"{{"items":[{{"id":{number}}}]}}"#));
        let tenant = tenant.expect("a page").items.into_iter().next().expect("an item").parse();
        assert_eq!(tenant.expect("a tenant").id.as_str(), number);
    }
}

#[test]
fn page_with_too_many_items_is_malformed() {
    let page = |count: usize| format!(r#"{{"items":[{}0]}}"#, "0,".repeat(count - 1));
    assert_eq!(parse_response::<ListEndpoints>(200, page(20_000)).expect("a page").items.len(), 20_000);
    let error = parse_response::<ListEndpoints>(200, page(20_001)).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert_eq!(parse::<UpdateIsolations>(&json!({"items": null})).items, None);
    assert_eq!(parse_response::<UpdateIsolations>(202, page(20_001)).expect("a response").items, None);
}

#[test]
fn members_beyond_one_mebibyte_become_none() {
    let text = |count: usize| format!(r#"{{"id":"e","ipv4Addresses":[{}""]}}"#, r#""","#.repeat(count));
    let short = parse_response::<GetEndpoint>(200, text(1_000)).expect("an endpoint");
    assert_eq!(short.ipv4_addresses.as_ref().map(Vec::len), Some(1_001));
    let long = parse_response::<GetEndpoint>(200, text(400_000)).expect("an endpoint");
    assert_eq!((long.id.as_str(), &long.ipv4_addresses), ("e", &None));
}

/// A list of five items with a single valid one.
fn assert_one_of_five_is_parsed<O: Paged>() {
    let items = json!(["a bare string", {"name": "no id"}, {"id": "kept"}, null, {"id": {}}]);
    let read: Vec<_> =
        O::items(parse::<O>(&json!({ "items": items }))).into_iter().map(|item| item.parse()).collect();
    let name = std::any::type_name::<O>();
    assert_eq!(
        read.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [false, false, true, false, false],
        "{name}"
    );
    for error in read.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::Malformed, "{name}");
        assert!(!error.is_retryable(), "a retry would fail again");
        assert!(!error.to_string().contains("bare"), "an error repeats no customer data: {error}");
    }
}

#[test]
fn malformed_item_fails_alone() {
    assert_one_of_five_is_parsed::<ListEndpoints>();
    assert_one_of_five_is_parsed::<ListAlerts>();
    assert_one_of_five_is_parsed::<ListPartnerTenants>();
    assert_one_of_five_is_parsed::<ListSiemEvents>();
    assert_one_of_five_is_parsed::<ListSiemAlerts>();
}

#[test]
fn malformed_item_of_a_bulk_response_fails_alone() {
    let body = json!({"items": [
        {"id": "a", "isolation": {"enabled": true}}, "b", {"isolation": {"enabled": true}}, {"id": "d"},
    ]});
    let answer = parse::<UpdateIsolations>(&body);
    let ids: Vec<_> = answer.items.iter().flatten().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["a", "d"], "an accepted endpoint must not look rejected");
    assert_eq!(serde_json::to_value(&answer).expect("JSON"), body);
}

#[test]
fn page_members_may_be_absent_or_null() {
    for body in [
        json!({"items": null, "pages": null}),
        json!({"items": [], "pages": {}}),
        json!({"items": [], "pages": {"nextKey": null, "size": "50", "total": null}}),
        json!({"items": [], "has_more": null, "next_cursor": null}),
    ] {
        let (keyed, numbered) = (parse::<ListEndpoints>(&body), parse::<ListPartnerTenants>(&body));
        assert!(keyed.items.is_empty() && numbered.items.is_empty(), "{body}");
        assert!(ListEndpoints::default().next_page(&keyed).expect("the end").is_none(), "{body}");
        assert!(ListPartnerTenants::new().next_page(&numbered).expect("the end").is_none(), "{body}");
        let cursor = parse::<ListSiemEvents>(&body);
        assert!(ListSiemEvents::default().next_page(&cursor).expect("the end").is_none(), "{body}");
    }
}

#[test]
fn raw_item_parses_as_a_partial_type() {
    #[derive(serde::Deserialize)]
    struct Id<'a> {
        id: &'a str,
    }
    let page = parse::<ListAlerts>(&json!({"items": [{"id": "a", "severity": 5}, "b"]}));
    assert_eq!(page.items[0].parse_as::<Id>().expect("an id").id, "a");
    assert_eq!(page.items[0].json(), r#"{"id":"a","severity":5}"#);
    assert_eq!(page.items[1].parse_as::<Id>().err().expect("no id").kind(), ErrorKind::Malformed);
}

#[test]
fn untyped_maps_keep_their_content() {
    let health = json!({"endpoint": {"protection": {"computer": {"score": 88}}}, "networkDevice": {}});
    let read = parse::<CheckAccountHealth>(&health);
    assert_eq!(read.endpoint.as_ref().expect("checks")["protection"]["computer"]["score"], 88);

    let alert = json!({"id": "a", "data": {"created_at": 1_700_000_000_123_i64}, "threat_cleanable": false});
    let page = parse::<ListSiemAlerts>(&json!({"items": [alert]}));
    let alert = page.items[0].clone().parse().expect("an alert");
    assert_eq!(alert.data.as_ref().expect("data")["created_at"], 1_700_000_000_123_i64);
    assert_eq!(alert.threat_cleanable, Some(false));
}

#[test]
fn invalid_body_is_malformed_and_not_quoted() {
    for body in
        ["", "null", "7", "\"text of a customer\"", "<html>", "{\"id\": \"text of a customer\"", "\u{0}"]
    {
        let error = parse_response::<GetEndpoint>(200, body).expect_err(body);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Malformed, Some(200)), "{body}");
        assert!(error.is_retryable(), "a body may have been cut");
        assert!(!format!("{error} {error:?}").contains("customer"), "{error}");
        assert_eq!(
            parse_response::<ListEndpoints>(200, body).expect_err(body).kind(),
            ErrorKind::Malformed,
            "{body}"
        );
    }
}

#[test]
fn token_response_is_parsed_leniently() {
    let token = parse::<RequestToken>(&json!({
        "access_token": "t", "expires_in": null, "errorCode": null, "trackingId": null, "scope": 7,
    }));
    assert!(token.access_token.is_some());
    assert_eq!((token.expires_in, token.error_code), (None, None));
}

#[test]
fn page_without_items_is_malformed() {
    fn kind<O: Operation>(body: &str) -> Option<ErrorKind> {
        parse_response::<O>(200, body).err().map(|error| error.kind())
    }
    for body in ["{}", "[]", " []", r#"{"error":"oops"}"#, r#"{"has_more":false,"pages":{}}"#, "null", "7"] {
        let kinds = [
            kind::<ListSiemEvents>(body),
            kind::<ListSiemAlerts>(body),
            kind::<ListAlerts>(body),
            kind::<SearchAlerts>(body),
            kind::<ListEndpoints>(body),
            kind::<ListPartnerTenants>(body),
            kind::<ListOrganizationTenants>(body),
        ];
        assert_eq!(kinds, [Some(ErrorKind::Malformed); 7], "{body}");
    }
}
