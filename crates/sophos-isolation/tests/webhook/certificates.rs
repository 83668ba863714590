//! Certificates of mutual TLS.

use sha2::{Digest, Sha256};
use sophos_isolation::{
    verify::{ClientCertificate, VerificationError},
    webhook::Request,
};

use super::{NOW, TestEnv, alert_body, base64_standard, hex, keys, post, verification_without_secret};

const DER: &[u8] = b"what is between the lines of a PEM";
const SUBJECT: &str = "CN=soar.contoso.example,O=Contoso,C=DE";
const ISSUER: &str = "CN=Contoso CA,O=Contoso,C=DE";

fn pem(der: &[u8]) -> String {
    let text = base64_standard(der);
    let (head, tail) = text.split_at(text.len() / 2);
    format!("-----BEGIN CERTIFICATE-----\n{head}\n{tail}\n-----END CERTIFICATE-----\n")
}

fn certificate(der: &[u8], subject: &str, issuer: &str) -> Option<ClientCertificate> {
    Some(ClientCertificate { pem: pem(der), subject: subject.into(), issuer: issuer.into() })
}

fn check(table: &str, client_certificate: Option<ClientCertificate>) -> Option<VerificationError> {
    let own = verification_without_secret(&format!("scheme = 'client_certificate', {table}"));
    let request = Request { client_certificate, ..post("/hooks/x", "{}") };
    own.verify(&request, &keys("", None), NOW).err()
}

#[test]
fn certificate_must_match_every_pin() {
    let print = hex(&Sha256::digest(DER));
    let colons: Vec<String> =
        print.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    let prints = [
        format!("fingerprints = ['{print}']"),
        format!("fingerprints = ['{}', '{}']", "00".repeat(32), colons.join(":")),
    ];
    let names = format!("subject = '{SUBJECT}', issuer = '{ISSUER}'");
    let wrong = Some(VerificationError::InvalidCertificate);
    for pin in &prints {
        assert_eq!(check(pin, certificate(DER, SUBJECT, ISSUER)), None, "{pin}");
        assert_eq!(check(pin, certificate(b"another", SUBJECT, ISSUER)), wrong, "{pin}");
        let both = format!("{pin}, {names}");
        assert_eq!(check(&both, certificate(DER, SUBJECT, ISSUER)), None);
        assert_eq!(check(&both, certificate(DER, "CN=other", ISSUER)), wrong);
        assert_eq!(check(&both, certificate(b"another", SUBJECT, ISSUER)), wrong);
    }
    assert_eq!(check(&names, certificate(b"another", SUBJECT, ISSUER)), None);
    for (subject, issuer) in
        [("CN=other", ISSUER), (SUBJECT, "CN=other"), ("", ""), (SUBJECT, ""), (&SUBJECT[..20], ISSUER)]
    {
        assert_eq!(check(&names, certificate(DER, subject, issuer)), wrong, "{subject} {issuer}");
    }
    assert_eq!(check(&names, None), Some(VerificationError::MissingCertificate));
    let broken = |pem: &str| {
        Some(ClientCertificate { pem: pem.into(), subject: SUBJECT.into(), issuer: ISSUER.into() })
    };
    for pem in ["", "-----BEGIN CERTIFICATE-----", &pem(b""), &base64_standard(DER)] {
        assert_eq!(check(&prints[0], broken(pem)), wrong, "{pem}");
    }
}

#[tokio::test]
async fn certificate_authenticates_without_a_secret() {
    let env = TestEnv::with_policy(&format!(
        "version = 1\n[sources.soar]\ntool = 'generic'\ntenants = ['{}']\nverify = {{ scheme = 'client_certificate', subject = '{SUBJECT}', issuer = '{ISSUER}' }}",
        super::TENANT
    ));
    // There is no secret to read.
    env.secrets.fail();
    let bare = post("/hooks/soar", alert_body("a"));
    let (response, notice) = env.handle(&bare).await;
    assert_eq!(response.status, 401);
    assert!(notice.problem().is_some_and(|problem| problem.contains("no client certificate")));
    let good = Request { client_certificate: certificate(DER, SUBJECT, ISSUER), ..bare };
    assert_eq!(env.send(&good).await.status, 202);
}
