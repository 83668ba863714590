use super::section::{Item, Section};
use crate::{
    adapters::Tool,
    verify::{Encoding, Signature, Signed, Timestamp, Verification},
};

/// The seconds that a signed time may lie in the past or the future, unless
/// the policy says otherwise.
const WINDOW: u64 = 300;

#[derive(Debug, Clone, Copy)]
enum Scheme {
    Signature,
    Bearer,
    Header,
    Basic,
    Path,
}

/// Layouts that have a name.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Generic,
    PagerDuty,
    CrowdStrikeBase64,
    CrowdStrikeHex,
}

/// Reads a table that says how a source proves itself. `None` when it does not
/// say enough, which has been noted.
pub(super) fn read(mut table: Section<'_, '_>, tool: Tool) -> Option<Verification> {
    let schemes = [
        ("signature", Scheme::Signature),
        ("bearer", Scheme::Bearer),
        ("header", Scheme::Header),
        ("basic", Scheme::Basic),
        ("path", Scheme::Path),
    ];
    let scheme = table
        .require("scheme", "say signature, bearer, header, basic or path")
        .map(|item| item.word(&schemes));
    let secret =
        table.require("secret", "name the secret").and_then(|item| secret_name(&item)).unwrap_or_default();
    // Which keys belong here depends on a scheme that is known.
    let scheme = scheme??;
    let verification = match scheme {
        Scheme::Signature => signature(&mut table, secret, tool).map(Verification::Signature),
        Scheme::Bearer => {
            Some(Verification::Header { secret, header: "authorization".into(), prefix: "Bearer ".into() })
        }
        Scheme::Header => {
            let header = table.require("header", "name the header that holds the secret");
            let prefix = table.take("prefix").and_then(|item| prefix(&item)).unwrap_or_default();
            header.and_then(|item| header_name(&item)).map(|header| Verification::Header {
                secret,
                header,
                prefix,
            })
        }
        Scheme::Basic => {
            let user = table.require("user", "name the user");
            user.and_then(|item| user_name(&item)).map(|user| Verification::Basic { secret, user })
        }
        Scheme::Path => Some(Verification::Path { secret }),
    };
    table.finish();
    verification
}

fn signature(table: &mut Section<'_, '_>, secret: String, tool: Tool) -> Option<Signature> {
    let layouts = [
        ("generic", Layout::Generic),
        ("pagerduty", Layout::PagerDuty),
        ("crowdstrike_base64", Layout::CrowdStrikeBase64),
        ("crowdstrike_hex", Layout::CrowdStrikeHex),
    ];
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let signed = [
        ("body", Signed::Body),
        ("timestamp.body", Signed::TimestampDotBody),
        ("timestamp+body", Signed::TimestampBody),
        ("body+timestamp", Signed::BodyTimestamp),
    ];
    let layout = table.take("layout").and_then(|item| item.word(&layouts)).unwrap_or(Layout::of(tool));
    let mut signature = layout.signature(secret);
    if let Some(item) = table.take("headers") {
        signature.headers = item.some(4, header_name);
    }
    if let Some(item) = table.take("prefix") {
        signature.prefix = prefix(&item).unwrap_or_default();
        if signature.prefix.starts_with(' ') || signature.prefix.contains(',') {
            item.mistake("must have no comma and not begin with a space: signatures stand between commas");
        }
    }
    if let Some(encoding) = table.take("encoding").and_then(|item| item.word(&encodings)) {
        signature.encoding = encoding;
    }
    if let Some(signed) = table.take("signed").and_then(|item| item.word(&signed)) {
        signature.signed = signed;
    }
    let header = table.take("timestamp_header");
    let window = table.take("window_seconds");
    if signature.signed == Signed::Body {
        for item in [header, window].into_iter().flatten() {
            item.mistake("a time that is not signed proves nothing: leave it out, or have it signed");
        }
        signature.timestamp = None;
        return Some(signature);
    }
    let window_seconds = window.and_then(|item| item.number(3_600)).unwrap_or(WINDOW);
    let usual = signature.timestamp.take().map(|timestamp| timestamp.header);
    if header.is_none() && usual.is_none() {
        table.mistake("the time is signed, so timestamp_header must name the header that holds it");
    }
    let header = header.map_or(usual, |item| header_name(&item));
    signature.timestamp = header.map(|header| Timestamp { header, window_seconds });
    Some(signature)
}

impl Layout {
    fn of(tool: Tool) -> Self {
        match tool {
            Tool::PagerDuty => Self::PagerDuty,
            Tool::CrowdStrike => Self::CrowdStrikeBase64,
            _ => Self::Generic,
        }
    }

    fn signature(self, secret: String) -> Signature {
        let (headers, prefix, encoding, signed, timestamp): (&[&str], _, _, _, _) = match self {
            Self::Generic => (
                &["x-sophos-signature"],
                "v1=",
                Encoding::Hex,
                Signed::TimestampDotBody,
                Some("x-sophos-timestamp"),
            ),
            Self::PagerDuty => (&["x-pagerduty-signature"], "v1=", Encoding::Hex, Signed::Body, None),
            Self::CrowdStrikeBase64 => {
                (CROWDSTRIKE, "", Encoding::Base64, Signed::BodyTimestamp, Some("x-cs-delivery-timestamp"))
            }
            Self::CrowdStrikeHex => {
                (CROWDSTRIKE, "", Encoding::Hex, Signed::TimestampBody, Some("x-cs-delivery-timestamp"))
            }
        };
        Signature {
            secret,
            headers: headers.iter().copied().map(Into::into).collect(),
            prefix: prefix.into(),
            encoding,
            signed,
            timestamp: timestamp.map(|header| Timestamp { header: header.into(), window_seconds: WINDOW }),
        }
    }
}

const CROWDSTRIKE: &[&str] = &["x-cs-primary-signature", "x-cs-secondary-signature"];

/// Reads the name of a secret. A secret itself, put here by mistake, is told
/// from a name as well as that can be, and not repeated.
pub(super) fn secret_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(200)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=".contains(&byte);
    if !text.bytes().all(|byte| plain(byte) || b"/_.@-".contains(&byte)) {
        item.mistake("must be the name of a secret: letters, digits and / _ + = . @ -");
    } else if text.len() >= 32 && text.bytes().all(plain) {
        item.mistake("looks like a secret: give the name under which it is kept, and replace the secret");
    } else {
        return Some(text.to_owned());
    }
    None
}

fn header_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(100)?;
    let token = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !token {
        item.mistake("must be the name of a header, such as X-Signature");
    }
    token.then(|| text.to_ascii_lowercase())
}

/// Reads what comes before something in a header; it may be empty.
fn prefix(item: &Item<'_, '_>) -> Option<String> {
    if item.is_empty_text() {
        return Some(String::new());
    }
    let text = item.text(100)?;
    if !text.is_ascii() {
        item.mistake("must be plain ASCII, as headers are");
    }
    text.is_ascii().then(|| text.to_owned())
}

fn user_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(100)?;
    if text.contains(':') {
        item.mistake("must have no colon: basic authentication ends the user there");
    }
    (!text.contains(':')).then(|| text.to_owned())
}
