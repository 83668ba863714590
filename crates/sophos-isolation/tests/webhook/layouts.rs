//! Every layout of a signature, as a policy writes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use sophos_isolation::{verify::Rejection, webhook::Request};

use super::{Dress, NOW, hex, keys, post, tag, verification};

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What is signed, of a time and a body.
type Signed = fn(&str, &str) -> String;

struct Layout {
    tool: &'static str,
    table: &'static str,
    header: &'static str,
    /// Where the time is, if it is signed.
    time: Option<&'static str>,
    write: fn(&[u8]) -> String,
    signed: Signed,
}

const BODY: &str = r#"{"a":1}"#;

const ALL: [Layout; 10] = [
    Layout {
        tool: "generic",
        table: "",
        header: "x-sophos-signature",
        time: Some("x-sophos-timestamp"),
        write: |tag| format!("v1={}", hex(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
    Layout {
        tool: "wazuh",
        table: ", layout = 'generic'",
        header: "x-sophos-signature",
        time: Some("x-sophos-timestamp"),
        write: |tag| format!("v1={}", hex(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
    Layout {
        tool: "pagerduty",
        table: "",
        header: "x-pagerduty-signature",
        time: None,
        write: |tag| format!("v1={}", hex(tag)),
        signed: |_, body| body.to_owned(),
    },
    Layout {
        tool: "crowdstrike",
        table: ", layout = 'crowdstrike_base64'",
        header: "x-cs-primary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    Layout {
        tool: "crowdstrike",
        table: "",
        header: "x-cs-secondary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    Layout {
        tool: "crowdstrike",
        table: ", layout = 'crowdstrike_hex'",
        header: "x-cs-primary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: hex,
        signed: |time, body| format!("{time}{body}"),
    },
    Layout {
        tool: "generic",
        table: ", layout = 'crowdstrike_base64'",
        header: "x-cs-secondary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    Layout {
        tool: "generic",
        table: ", headers = ['X-First', 'X-Second'], timestamp_header = 'X-When', prefix = '', encoding = 'base64', signed = 'timestamp+body'",
        header: "x-second",
        time: Some("x-when"),
        write: base64,
        signed: |time, body| format!("{time}{body}"),
    },
    Layout {
        tool: "generic",
        table: ", headers = ['X-Hub-Signature-256'], prefix = 'sha256=', signed = 'body'",
        header: "x-hub-signature-256",
        time: None,
        write: |tag| format!("sha256={}", hex(tag)),
        signed: |_, body| body.to_owned(),
    },
    Layout {
        tool: "pagerduty",
        table: ", signed = 'timestamp.body', timestamp_header = 'X-When', encoding = 'base64'",
        header: "x-pagerduty-signature",
        time: Some("x-when"),
        write: |tag| format!("v1={}", base64(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
];

impl Layout {
    fn check(&self, request: &Request) -> Option<Rejection> {
        let own = verification(self.tool, &format!("scheme = 'signature'{}", self.table));
        own.check(request, &keys("key", None), NOW).err()
    }

    /// A delivery that says it was sent then.
    fn delivery(&self, time: u64) -> Request {
        let time = time.to_string();
        let signature = (self.write)(&tag("key", (self.signed)(&time, BODY).as_bytes()));
        let request = post("/hooks/x", BODY).with(self.header, signature);
        match self.time {
            Some(header) => request.with(header, time),
            None => request,
        }
    }
}

#[test]
fn each_is_verified_by_its_own_rule() {
    for layout in &ALL {
        let (time, good) = (NOW.as_secs(), layout.delivery(NOW.as_secs()));
        let shown = format!("{}{}", layout.tool, layout.table);
        assert_eq!(layout.check(&good), None, "{shown}");
        let mut changed = good.clone();
        changed.body[3] = b'b';
        assert_eq!(layout.check(&changed), Some(Rejection::Mismatch), "{shown}");
        if let Some(header) = layout.time {
            let other = good.clone().with(header, (time + 1).to_string());
            assert_eq!(layout.check(&other), Some(Rejection::Mismatch), "{shown}");
            assert_eq!(layout.check(&good.without(header)), Some(Rejection::NoTime), "{shown}");
            assert_eq!(layout.check(&layout.delivery(time - 301)), Some(Rejection::OutsideWindow), "{shown}");
        }
    }
}

/// What one layout believes, another does only if they are the same.
#[test]
fn none_is_verified_by_the_rule_of_another() {
    let time = NOW.as_secs().to_string();
    let sums: [Signed; 4] = [
        |_, body| body.to_owned(),
        |time, body| format!("{time}.{body}"),
        |time, body| format!("{time}{body}"),
        |time, body| format!("{body}{time}"),
    ];
    for layout in &ALL {
        let good = layout.delivery(NOW.as_secs());
        let own = (layout.signed)(&time, BODY);
        for signed in sums.map(|sum| sum(&time, BODY)).into_iter().filter(|signed| *signed != own) {
            let other = (layout.write)(&tag("key", signed.as_bytes()));
            let request = good.clone().with(layout.header, other);
            assert_eq!(layout.check(&request), Some(Rejection::Mismatch), "{}{}", layout.tool, layout.table);
        }
    }
}

#[test]
fn base64_is_read_in_either_alphabet_with_or_without_padding() {
    let layout = &ALL[3];
    let good = layout.delivery(NOW.as_secs());
    let signature = base64(&tag("key", (layout.signed)(&NOW.as_secs().to_string(), BODY).as_bytes()));
    let bare = signature.trim_end_matches('=').to_owned();
    let for_urls = |text: &str| text.replace('+', "-").replace('/', "_");
    for text in [bare.clone(), for_urls(&signature), for_urls(&bare)] {
        assert_eq!(layout.check(&good.clone().with(layout.header, text.clone())), None, "{text}");
    }
    for text in
        [format!("{bare}=="), format!("{bare}-+="), signature.replace('=', "%3D"), "=".into(), "é=".into()]
    {
        let request = good.clone().with(layout.header, text.clone());
        assert_eq!(layout.check(&request), Some(Rejection::Missing), "{text}");
    }
    // It decodes, and is no signature.
    for bytes in [&b""[..], b"x", &[7; 31], &[7; 33], &[7; 5_000]] {
        let request = good.clone().with(layout.header, base64(bytes));
        let refused = layout.check(&request);
        assert!(matches!(refused, Some(Rejection::Mismatch | Rejection::Missing)), "{refused:?}");
    }
}
