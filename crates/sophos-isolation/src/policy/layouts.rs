//! Named layouts of signatures.

use crate::{
    adapters::Tool,
    verify::{Encoding, KeyFormat, SignatureConfig, SignedContent, Timestamp},
};

/// The default tolerance for a signed time, in seconds, in both directions.
pub(super) const DEFAULT_WINDOW_SECONDS: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Generic,
    PagerDuty,
    CrowdStrike,
    CrowdStrikeBase64,
    CrowdStrikeHex,
    Grafana,
    Slack,
    StandardWebhooks,
    TimestampInHeader,
    GitHub,
}

/// Every layout by its name.
pub(super) const LAYOUTS: [(&str, Layout); 10] = [
    ("generic", Layout::Generic),
    ("pagerduty", Layout::PagerDuty),
    ("crowdstrike", Layout::CrowdStrike),
    ("crowdstrike_base64", Layout::CrowdStrikeBase64),
    ("crowdstrike_hex", Layout::CrowdStrikeHex),
    ("grafana", Layout::Grafana),
    ("slack", Layout::Slack),
    ("standard_webhooks", Layout::StandardWebhooks),
    ("timestamp_in_header", Layout::TimestampInHeader),
    ("github", Layout::GitHub),
];

const CROWDSTRIKE_HEADERS: &[&str] = &["x-cs-primary-signature", "x-cs-secondary-signature"];
const CROWDSTRIKE_TIMESTAMP_HEADERS: &[&str] = &["x-cs-delivery-timestamp"];

impl Layout {
    /// The default layout of a tool.
    pub(super) fn for_tool(tool: Tool) -> Self {
        match tool {
            Tool::PagerDuty => Self::PagerDuty,
            Tool::CrowdStrike => Self::CrowdStrike,
            _ => Self::Generic,
        }
    }

    pub(super) fn signature(self, secret: String) -> SignatureConfig {
        use Encoding::{Base64, Hex};
        let (headers, prefix, encoding, signed, times): (&[&str], _, _, _, &[&str]) = match self {
            Self::Generic => (
                &["x-sophos-signature"],
                "v1=",
                Hex,
                SignedContent::TimestampDotBody,
                &["x-sophos-timestamp"],
            ),
            Self::PagerDuty => (&["x-pagerduty-signature"], "v1=", Hex, SignedContent::Body, &[]),
            Self::CrowdStrike | Self::CrowdStrikeBase64 => {
                (CROWDSTRIKE_HEADERS, "", Base64, SignedContent::BodyTimestamp, CROWDSTRIKE_TIMESTAMP_HEADERS)
            }
            Self::CrowdStrikeHex => {
                (CROWDSTRIKE_HEADERS, "", Hex, SignedContent::TimestampBody, CROWDSTRIKE_TIMESTAMP_HEADERS)
            }
            Self::Grafana => (&["x-grafana-alerting-signature"], "", Hex, SignedContent::Body, &[]),
            Self::Slack => (
                &["x-slack-signature"],
                "v0=",
                Hex,
                SignedContent::V0TimestampBody,
                &["x-slack-request-timestamp"],
            ),
            Self::StandardWebhooks => (
                &["webhook-signature", "svix-signature"],
                "v1,",
                Base64,
                SignedContent::IdDotTimestampDotBody,
                &["webhook-timestamp", "svix-timestamp"],
            ),
            // The header has no default name.
            Self::TimestampInHeader => (&[], "v1=", Hex, SignedContent::TimestampDotBody, &[]),
            Self::GitHub => (&["x-hub-signature-256"], "sha256=", Hex, SignedContent::Body, &[]),
        };
        let texts = |texts: &[&str]| texts.iter().copied().map(Into::into).collect();
        let standard = self == Self::StandardWebhooks;
        SignatureConfig {
            secret,
            key_format: if standard { KeyFormat::WebhookSecret } else { KeyFormat::Text },
            headers: texts(headers),
            separator: if standard { ' ' } else { ',' },
            prefix: prefix.into(),
            encoding,
            signed,
            alternative: (self == Self::CrowdStrike).then_some((Hex, SignedContent::TimestampBody)),
            timestamp: (!times.is_empty()).then(|| Timestamp {
                headers: texts(times),
                prefix: String::new(),
                window_seconds: DEFAULT_WINDOW_SECONDS,
            }),
            id_headers: if standard { texts(&["webhook-id", "svix-id"]) } else { Vec::new() },
        }
    }
}
