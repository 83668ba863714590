use super::{
    layouts::{DEFAULT_WINDOW_SECONDS, LAYOUTS, Layout},
    public_keys,
    section::{Item, Section},
};
use crate::{
    adapters::Tool,
    verify::{Encoding, SignatureConfig, SignedContent, Timestamp, Verification},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Signature,
    Bearer,
    Header,
    Basic,
    Path,
    Jwt,
    Sns,
    ClientCertificate,
}

impl Scheme {
    /// Whether the sender and this service share a secret.
    fn has_secret(self) -> bool {
        !matches!(self, Self::Jwt | Self::Sns | Self::ClientCertificate)
    }

    /// Whether the scheme needs public key support, which a host may lack.
    fn needs_public_keys(self) -> bool {
        matches!(self, Self::Jwt | Self::Sns)
    }
}

/// Parses the verification table of a source. Returns `None` if it is incomplete; the issue has
/// been recorded.
pub(super) fn parse_verification(mut table: Section<'_, '_>, tool: Tool) -> Option<Verification> {
    let schemes = [
        ("signature", Scheme::Signature),
        ("bearer", Scheme::Bearer),
        ("header", Scheme::Header),
        ("basic", Scheme::Basic),
        ("path", Scheme::Path),
        ("jwt", Scheme::Jwt),
        ("sns", Scheme::Sns),
        ("client_certificate", Scheme::ClientCertificate),
    ];
    let item = table
        .require("scheme", "expected signature, bearer, header, basic, path, jwt, sns or client_certificate");
    let scheme = item.as_ref().map(|item| item.keyword(&schemes));
    let secret = match scheme {
        Some(Some(scheme)) if !scheme.has_secret() => String::new(),
        _ => {
            let item = table.require("secret", "set it to the name of the secret");
            item.and_then(|item| parse_secret_name(&item)).unwrap_or_default()
        }
    };
    // The keys of this table depend on the scheme.
    let scheme = scheme??;
    if scheme.needs_public_keys() && !cfg!(feature = "public-keys") {
        item?.error("unsupported scheme: this host cannot verify public keys; use another scheme");
        return None;
    }
    let verification = match scheme {
        Scheme::Signature => parse_signature(&mut table, secret, tool).map(Verification::Signature),
        Scheme::Bearer => {
            Some(Verification::Header { secret, header: "authorization".into(), prefix: "Bearer ".into() })
        }
        Scheme::Header => {
            let header = table.require("header", "set it to the header that holds the secret");
            let prefix = table.optional("prefix").and_then(|item| parse_prefix(&item)).unwrap_or_default();
            header.and_then(|item| parse_header_name(&item)).map(|header| Verification::Header {
                secret,
                header,
                prefix,
            })
        }
        Scheme::Basic => {
            let user = table.require("user", "set it to the user name");
            user.and_then(|item| parse_user_name(&item)).map(|user| Verification::Basic { secret, user })
        }
        Scheme::Path => Some(Verification::Path { secret }),
        Scheme::Jwt => public_keys::parse_jwt(&mut table).map(Verification::Jwt),
        Scheme::Sns => public_keys::parse_sns(&mut table).map(Verification::Sns),
        Scheme::ClientCertificate => {
            public_keys::parse_client_certificate(&mut table).map(Verification::ClientCertificate)
        }
    };
    table.finish();
    verification
}

fn parse_signature(table: &mut Section<'_, '_>, secret: String, tool: Tool) -> Option<SignatureConfig> {
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let signed = [
        ("body", SignedContent::Body),
        ("timestamp.body", SignedContent::TimestampDotBody),
        ("timestamp:body", SignedContent::TimestampColonBody),
        ("v0:timestamp:body", SignedContent::V0TimestampBody),
        ("timestamp+body", SignedContent::TimestampBody),
        ("body+timestamp", SignedContent::BodyTimestamp),
        ("id.timestamp.body", SignedContent::IdDotTimestampDotBody),
    ];
    let layout =
        table.optional("layout").and_then(|item| item.keyword(&LAYOUTS)).unwrap_or(Layout::for_tool(tool));
    let mut signature = layout.signature(secret);
    let headers = match layout {
        Layout::TimestampInHeader => {
            table.require("headers", "set it to the header that holds the time and the signature")
        }
        _ => table.optional("headers"),
    };
    if let Some(item) = headers {
        signature.headers = item.list_of(4, parse_header_name);
    }
    if let Some(item) = table.optional("prefix") {
        signature.prefix = parse_prefix(&item).unwrap_or_default();
        if signature.prefix.starts_with(' ') || signature.prefix.contains(signature.separator) {
            item.error(match signature.separator {
                ' ' => "invalid prefix: expected no space, because spaces separate signatures",
                _ => "invalid prefix: expected no comma and no leading space, because commas separate signatures",
            });
        }
    }
    let encoding = table.optional("encoding");
    let takes = table.optional("signed");
    if signature.alternative.is_some() {
        for item in [&encoding, &takes].into_iter().flatten() {
            item.error(
                "unexpected key: this layout detects it; to set it, use the layout crowdstrike_base64 or crowdstrike_hex",
            );
        }
    }
    if let Some(encoding) = encoding.and_then(|item| item.keyword(&encodings)) {
        signature.encoding = encoding;
    }
    let header = table.optional("timestamp_header");
    // Grafana signs the time if a timestamp header is configured.
    if layout == Layout::Grafana && header.is_some() {
        signature.signed = SignedContent::TimestampColonBody;
    }
    if let Some(signed) = takes.and_then(|item| item.keyword(&signed)) {
        signature.signed = signed;
    }
    parse_id_header(table, &mut signature);
    let window = table.optional("window_seconds");
    let in_header = match layout {
        Layout::TimestampInHeader => Some(table.optional("timestamp_prefix")),
        _ => None,
    };
    if !signature.signed.has_time() {
        for item in [header, window, in_header.flatten()].into_iter().flatten() {
            item.error("unexpected key: the time is not signed; remove it, or let the sender sign the time");
        }
        signature.timestamp = None;
        return Some(signature);
    }
    let window_seconds = window.and_then(|item| item.number(3_600)).unwrap_or(DEFAULT_WINDOW_SECONDS);
    if let Some(item) = in_header {
        if let Some(header) = header {
            header.error("unexpected key: the time is in the header of the signature; remove it");
        }
        let prefix =
            item.map_or(Some("t=".to_owned()), |item| parse_timestamp_prefix(&item)).unwrap_or_default();
        signature.timestamp = Some(Timestamp { headers: signature.headers.clone(), prefix, window_seconds });
        return Some(signature);
    }
    let usual = signature.timestamp.take().map(|timestamp| timestamp.headers);
    if header.is_none() && usual.is_none() {
        table.error("missing timestamp_header: the time is signed; set it to the header that holds the time");
    }
    let headers = header.map_or(usual, |item| parse_header_name(&item).map(|header| vec![header]));
    signature.timestamp = headers.map(|headers| Timestamp { headers, prefix: String::new(), window_seconds });
    Some(signature)
}

/// Parses the header of the delivery id.
fn parse_id_header(table: &mut Section<'_, '_>, signature: &mut SignatureConfig) {
    let header = table.optional("id_header");
    if !signature.signed.has_id() {
        if let Some(item) = header {
            item.error("unexpected key: the id is not signed; remove it, or let the sender sign the id");
        }
        signature.id_headers.clear();
        return;
    }
    if header.is_none() && signature.id_headers.is_empty() {
        table.error("missing id_header: the id is signed; set it to the header that holds the id");
    }
    if let Some(item) = header {
        signature.id_headers = parse_header_name(&item).into_iter().collect();
    }
}

/// Parses the prefix of the time in a header with several elements.
fn parse_timestamp_prefix(item: &Item<'_, '_>) -> Option<String> {
    let prefix = parse_prefix(item)?;
    if prefix.is_empty() || prefix.starts_with(' ') || prefix.contains(',') {
        item.error("invalid prefix: expected a text such as \"t=\", without a comma");
    }
    Some(prefix)
}

/// Parses the name of a secret. A value that looks like the secret itself is rejected and not
/// repeated.
pub(super) fn parse_secret_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(200)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=".contains(&byte);
    if !text.bytes().all(|byte| plain(byte) || b"/_.@-".contains(&byte)) {
        item.error("invalid secret name: expected letters, digits and / _ + = . @ -");
    } else if text.len() >= 32 && text.bytes().all(plain) {
        item.error("invalid secret name: the value looks like the secret itself; set its name, and rotate the secret");
    } else {
        return Some(text.to_owned());
    }
    None
}

fn parse_header_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(100)?;
    let token = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !token {
        item.error("invalid header name: expected a name such as X-Signature");
    }
    token.then(|| text.to_ascii_lowercase())
}

/// Parses a prefix of a header value; it may be empty.
fn parse_prefix(item: &Item<'_, '_>) -> Option<String> {
    if item.is_empty_text() {
        return Some(String::new());
    }
    let text = item.text(100)?;
    if !text.is_ascii() {
        item.error("invalid prefix: expected ASCII");
    }
    text.is_ascii().then(|| text.to_owned())
}

fn parse_user_name(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(100)?;
    if text.contains(':') {
        item.error("invalid user: expected no colon, because basic authentication ends the user there");
    }
    (!text.contains(':')).then(|| text.to_owned())
}
