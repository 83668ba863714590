//! Schemes of senders that share no secret: tokens, SNS, certificates.

use super::{
    layouts::WINDOW,
    section::{Item, Section},
};
use crate::{
    identity::is_uuid,
    verify::{CertificatePins, Jwt, Sns, hex, host_of},
};

/// The most topics, subjects, applications or fingerprints of a source.
const MAX_ENTRIES: usize = 25;

/// The seconds for which SNS tries again by default.
const SNS_WINDOW: u64 = 3_600;

/// The longest window of SNS, in seconds: a day.
const MAX_SNS_WINDOW: u64 = 86_400;

pub(super) fn jwt(table: &mut Section<'_, '_>) -> Option<Jwt> {
    let issuer = table.require("issuer", "give the token's claim `iss`").and_then(|item| https(&item));
    let audience = table.require("audience", "give the token's claim `aud`");
    let audience = audience.and_then(|item| item.text(300));
    let subjects = texts(table, "subject");
    let app_ids = texts(table, "app_id");
    let key_set = table.take("jwks_url");
    let window = table.take("window_seconds").and_then(|item| item.number(3_600));
    let issuer = issuer?;
    let entra = entra_tenant(issuer);
    if entra.is_some_and(|tenant| !is_uuid(tenant)) {
        table.mistake("the issuer must have the tenant's id: tokens never name `common` or a domain");
    }
    let key_set_url = match key_set {
        Some(item) => https(&item)?.to_owned(),
        None => match entra {
            Some(tenant) => format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"),
            None => {
                table.mistake("jwks_url must say where the issuer publishes its keys: it is known for Microsoft Entra alone");
                return None;
            }
        },
    };
    Some(Jwt {
        issuer: issuer.to_owned(),
        audience: audience?.to_owned(),
        subjects,
        app_ids,
        key_set_url,
        window_seconds: window.unwrap_or(WINDOW),
    })
}

pub(super) fn sns(table: &mut Section<'_, '_>) -> Option<Sns> {
    let topics = table.require("topics", "list the ARNs of the topics that may send");
    let window = table.take("window_seconds").and_then(|item| item.number(MAX_SNS_WINDOW));
    let topics = topics?.some(MAX_ENTRIES, |item| {
        let topic = item.text(400)?;
        if host_of(topic).is_none() {
            item.mistake("must be the ARN of a topic, such as arn:aws:sns:eu-central-1:123456789012:alerts");
        }
        Some(topic.to_owned())
    });
    Some(Sns { topics, window_seconds: window.unwrap_or(SNS_WINDOW) })
}

pub(super) fn client_certificate(table: &mut Section<'_, '_>) -> Option<CertificatePins> {
    let prints = table.take("fingerprints");
    let subject = table.take("subject");
    let issuer = table.take("issuer");
    if prints.is_none() && subject.is_none() {
        table.mistake("must have fingerprints, or subject and issuer: else every certificate would do");
    }
    if subject.is_some() != issuer.is_some() {
        table.mistake("must have subject and issuer together: another issuer may give the same subject");
    }
    let name = |item: Option<Item<'_, '_>>| item.and_then(|item| item.text(1_000)).map(str::to_owned);
    Some(CertificatePins {
        fingerprints: prints.map(|item| item.some(MAX_ENTRIES, fingerprint)).unwrap_or_default(),
        names: name(subject).zip(name(issuer)),
    })
}

fn fingerprint(item: &Item<'_, '_>) -> Option<[u8; 32]> {
    let digits = item.text(100)?.replace(':', "");
    let bytes = hex(&digits).and_then(|bytes| bytes.try_into().ok());
    if bytes.is_none() {
        item.mistake("must be the SHA-256 of a certificate in DER: 64 hexadecimal digits");
    }
    bytes
}

fn texts(table: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let item = table.take(key);
    item.map(|item| item.some(MAX_ENTRIES, |item| item.text(300).map(str::to_owned))).unwrap_or_default()
}

fn https<'a>(item: &Item<'a, '_>) -> Option<&'a str> {
    let text = item.text(500)?;
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let good = host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !good {
        item.mistake("must be a URL that begins with https://, without a user or password");
    }
    good.then_some(text)
}

/// The tenant in an issuer of Microsoft Entra, of either version.
fn entra_tenant(issuer: &str) -> Option<&str> {
    let version2 = issuer
        .strip_prefix("https://login.microsoftonline.com/")
        .map(|rest| rest.strip_suffix("/v2.0").unwrap_or(rest));
    let version1 = || issuer.strip_prefix("https://sts.windows.net/");
    version2.or_else(version1).map(|tenant| tenant.trim_end_matches('/'))
}
