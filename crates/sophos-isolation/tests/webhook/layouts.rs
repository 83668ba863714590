//! Every layout of a signature, as a policy writes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use sophos_isolation::{verify::VerificationError, webhook::Request};

use super::{NOW, RequestExt, hex, hmac_sha256, keys, post, verification};

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The signed content, from a time and a body.
type SignFn = fn(&str, &str) -> String;

struct LayoutCase {
    tool: &'static str,
    table: &'static str,
    header: &'static str,
    /// The location of the time, if it is signed.
    time: Option<&'static str>,
    write: fn(&[u8]) -> String,
    signed: SignFn,
}

const BODY: &str = r#"{"a":1}"#;

const ALL: [LayoutCase; 10] = [
    LayoutCase {
        tool: "generic",
        table: "",
        header: "x-sophos-signature",
        time: Some("x-sophos-timestamp"),
        write: |tag| format!("v1={}", hex(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
    LayoutCase {
        tool: "wazuh",
        table: ", layout = 'generic'",
        header: "x-sophos-signature",
        time: Some("x-sophos-timestamp"),
        write: |tag| format!("v1={}", hex(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
    LayoutCase {
        tool: "pagerduty",
        table: "",
        header: "x-pagerduty-signature",
        time: None,
        write: |tag| format!("v1={}", hex(tag)),
        signed: |_, body| body.to_owned(),
    },
    LayoutCase {
        tool: "crowdstrike",
        table: ", layout = 'crowdstrike_base64'",
        header: "x-cs-primary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    LayoutCase {
        tool: "crowdstrike",
        table: "",
        header: "x-cs-secondary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    LayoutCase {
        tool: "crowdstrike",
        table: ", layout = 'crowdstrike_hex'",
        header: "x-cs-primary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: hex,
        signed: |time, body| format!("{time}{body}"),
    },
    LayoutCase {
        tool: "generic",
        table: ", layout = 'crowdstrike_base64'",
        header: "x-cs-secondary-signature",
        time: Some("x-cs-delivery-timestamp"),
        write: base64,
        signed: |time, body| format!("{body}{time}"),
    },
    LayoutCase {
        tool: "generic",
        table: ", headers = ['X-First', 'X-Second'], timestamp_header = 'X-When', prefix = '', encoding = 'base64', signed = 'timestamp+body'",
        header: "x-second",
        time: Some("x-when"),
        write: base64,
        signed: |time, body| format!("{time}{body}"),
    },
    LayoutCase {
        tool: "generic",
        table: ", headers = ['X-Hub-Signature-256'], prefix = 'sha256=', signed = 'body'",
        header: "x-hub-signature-256",
        time: None,
        write: |tag| format!("sha256={}", hex(tag)),
        signed: |_, body| body.to_owned(),
    },
    LayoutCase {
        tool: "pagerduty",
        table: ", signed = 'timestamp.body', timestamp_header = 'X-When', encoding = 'base64'",
        header: "x-pagerduty-signature",
        time: Some("x-when"),
        write: |tag| format!("v1={}", base64(tag)),
        signed: |time, body| format!("{time}.{body}"),
    },
];

impl LayoutCase {
    fn check(&self, request: &Request) -> Option<VerificationError> {
        let own = verification(self.tool, &format!("scheme = 'signature'{}", self.table));
        own.verify(request, &keys("key", None), NOW).err()
    }

    /// A delivery that says it was sent then.
    fn request_at(&self, time: u64) -> Request {
        let time = time.to_string();
        let signature = (self.write)(&hmac_sha256("key", (self.signed)(&time, BODY).as_bytes()));
        let request = post("/hooks/x", BODY).with_header(self.header, signature);
        match self.time {
            Some(header) => request.with_header(header, time),
            None => request,
        }
    }
}

#[test]
fn layout_verifies_its_own_signature() {
    for layout in &ALL {
        let (time, good) = (NOW.as_secs(), layout.request_at(NOW.as_secs()));
        let shown = format!("{}{}", layout.tool, layout.table);
        assert_eq!(layout.check(&good), None, "{shown}");
        let mut changed = good.clone();
        changed.body[3] = b'b';
        assert_eq!(layout.check(&changed), Some(VerificationError::Mismatch), "{shown}");
        if let Some(header) = layout.time {
            let other = good.clone().with_header(header, (time + 1).to_string());
            assert_eq!(layout.check(&other), Some(VerificationError::Mismatch), "{shown}");
            assert_eq!(
                layout.check(&good.without_header(header)),
                Some(VerificationError::MissingTimestamp),
                "{shown}"
            );
            assert_eq!(
                layout.check(&layout.request_at(time - 301)),
                Some(VerificationError::TimestampOutsideWindow),
                "{shown}"
            );
        }
    }
}

/// A signature is valid only under its own layout.
#[test]
fn layout_rejects_signatures_of_other_layouts() {
    let time = NOW.as_secs().to_string();
    let sums: [SignFn; 4] = [
        |_, body| body.to_owned(),
        |time, body| format!("{time}.{body}"),
        |time, body| format!("{time}{body}"),
        |time, body| format!("{body}{time}"),
    ];
    for layout in &ALL {
        let good = layout.request_at(NOW.as_secs());
        let own = (layout.signed)(&time, BODY);
        for signed in sums.map(|sum| sum(&time, BODY)).into_iter().filter(|signed| *signed != own) {
            let other = (layout.write)(&hmac_sha256("key", signed.as_bytes()));
            let request = good.clone().with_header(layout.header, other);
            assert_eq!(
                layout.check(&request),
                Some(VerificationError::Mismatch),
                "{}{}",
                layout.tool,
                layout.table
            );
        }
    }
}

#[test]
fn base64_is_accepted_in_either_alphabet_and_padding() {
    let layout = &ALL[3];
    let good = layout.request_at(NOW.as_secs());
    let signature = base64(&hmac_sha256("key", (layout.signed)(&NOW.as_secs().to_string(), BODY).as_bytes()));
    let bare = signature.trim_end_matches('=').to_owned();
    let for_urls = |text: &str| text.replace('+', "-").replace('/', "_");
    for text in [bare.clone(), for_urls(&signature), for_urls(&bare)] {
        assert_eq!(layout.check(&good.clone().with_header(layout.header, text.clone())), None, "{text}");
    }
    for text in
        [format!("{bare}=="), format!("{bare}-+="), signature.replace('=', "%3D"), "=".into(), "é=".into()]
    {
        let request = good.clone().with_header(layout.header, text.clone());
        assert_eq!(layout.check(&request), Some(VerificationError::MissingCredential), "{text}");
    }
    // It decodes, and is no signature.
    for bytes in [&b""[..], b"x", &[7; 31], &[7; 33], &[7; 5_000]] {
        let request = good.clone().with_header(layout.header, base64(bytes));
        let refused = layout.check(&request);
        assert!(
            matches!(refused, Some(VerificationError::Mismatch | VerificationError::MissingCredential)),
            "{refused:?}"
        );
    }
}
