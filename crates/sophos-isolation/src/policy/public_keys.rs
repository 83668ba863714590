//! Verification schemes without a shared secret: tokens, SNS, client certificates.

use super::{
    layouts::DEFAULT_WINDOW_SECONDS,
    section::{Item, Section},
};
use crate::{
    identity::is_uuid,
    verify::{CertificatePins, JwtConfig, SnsConfig, decode_hex, sns_host},
};

/// The maximum number of topics, subjects, applications or fingerprints of a source.
const MAX_ENTRIES: usize = 25;

/// The default retry period of SNS, in seconds.
const DEFAULT_SNS_WINDOW_SECONDS: u64 = 3_600;

/// The maximum window of SNS in seconds: one day.
const MAX_SNS_WINDOW_SECONDS: u64 = 86_400;

pub(super) fn parse_jwt(table: &mut Section<'_, '_>) -> Option<JwtConfig> {
    let issuer =
        table.require("issuer", "set it to the token's claim `iss`").and_then(|item| parse_https_url(&item));
    let audience = table.require("audience", "set it to the token's claim `aud`");
    let audience = audience.and_then(|item| item.text(300));
    let subjects = parse_texts(table, "subject");
    let app_ids = parse_texts(table, "app_id");
    let key_set = table.optional("jwks_url");
    let window = table.optional("window_seconds").and_then(|item| item.number(3_600));
    let issuer = issuer?;
    let entra = entra_tenant(issuer);
    if entra.is_some_and(|tenant| !is_uuid(tenant)) {
        table.error(
            "invalid issuer: expected the tenant's id, because tokens never name `common` or a domain",
        );
    }
    let key_set_url = match key_set {
        Some(item) => parse_https_url(&item)?.to_owned(),
        None => match entra {
            Some(tenant) => format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"),
            None => {
                table.error("missing jwks_url: set it to the URL of the issuer's key set; only Microsoft Entra has a default");
                return None;
            }
        },
    };
    Some(JwtConfig {
        issuer: issuer.to_owned(),
        audience: audience?.to_owned(),
        subjects,
        app_ids,
        key_set_url,
        window_seconds: window.unwrap_or(DEFAULT_WINDOW_SECONDS),
    })
}

pub(super) fn parse_sns(table: &mut Section<'_, '_>) -> Option<SnsConfig> {
    let topics = table.require("topics", "list the ARNs of the topics that may send");
    let window = table.optional("window_seconds").and_then(|item| item.number(MAX_SNS_WINDOW_SECONDS));
    let topics = topics?.list_of(MAX_ENTRIES, |item| {
        let topic = item.text(400)?;
        if sns_host(topic).is_none() {
            item.error("invalid topic: expected an ARN such as arn:aws:sns:eu-central-1:123456789012:alerts");
        }
        Some(topic.to_owned())
    });
    Some(SnsConfig { topics, window_seconds: window.unwrap_or(DEFAULT_SNS_WINDOW_SECONDS) })
}

pub(super) fn parse_client_certificate(table: &mut Section<'_, '_>) -> Option<CertificatePins> {
    let prints = table.optional("fingerprints");
    let subject = table.optional("subject");
    let issuer = table.optional("issuer");
    if prints.is_none() && subject.is_none() {
        table.error("missing keys: set fingerprints, or subject and issuer; without them, every certificate would be valid");
    }
    if subject.is_some() != issuer.is_some() {
        table.error(
            "missing key: set subject and issuer together, because another issuer may use the same subject",
        );
    }
    let name = |item: Option<Item<'_, '_>>| item.and_then(|item| item.text(1_000)).map(str::to_owned);
    Some(CertificatePins {
        fingerprints: prints.map(|item| item.list_of(MAX_ENTRIES, parse_fingerprint)).unwrap_or_default(),
        subject_and_issuer: name(subject).zip(name(issuer)),
    })
}

fn parse_fingerprint(item: &Item<'_, '_>) -> Option<[u8; 32]> {
    let digits = item.text(100)?.replace(':', "");
    let bytes = decode_hex(&digits).and_then(|bytes| bytes.try_into().ok());
    if bytes.is_none() {
        item.error(
            "invalid fingerprint: expected the SHA-256 of the DER certificate as 64 hexadecimal digits",
        );
    }
    bytes
}

fn parse_texts(table: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let item = table.optional(key);
    item.map(|item| item.list_of(MAX_ENTRIES, |item| item.text(300).map(str::to_owned))).unwrap_or_default()
}

fn parse_https_url<'a>(item: &Item<'a, '_>) -> Option<&'a str> {
    let text = item.text(500)?;
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let good = host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !good {
        item.error("invalid URL: expected https:// without a user or password");
    }
    good.then_some(text)
}

/// The tenant in a Microsoft Entra issuer of version 1 or 2.
fn entra_tenant(issuer: &str) -> Option<&str> {
    let version2 = issuer
        .strip_prefix("https://login.microsoftonline.com/")
        .map(|rest| rest.strip_suffix("/v2.0").unwrap_or(rest));
    let version1 = || issuer.strip_prefix("https://sts.windows.net/");
    version2.or_else(version1).map(|tenant| tenant.trim_end_matches('/'))
}
