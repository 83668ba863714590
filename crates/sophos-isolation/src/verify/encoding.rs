use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};

/// The maximum length of an encoded HMAC-SHA256 signature.
const MAX_SIGNATURE_LEN: usize = 64;

const LENIENT_CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The encoding of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64, with or without padding, in the standard or the URL alphabet.
    Base64,
}

impl Encoding {
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        if text.len() > MAX_SIGNATURE_LEN {
            return None;
        }
        match self {
            Self::Base64 => decode_base64(text),
            Self::Hex => {
                if text.len() != MAX_SIGNATURE_LEN {
                    return None;
                }
                decode_hex(text)
            }
        }
    }
}

/// Decodes base64 with or without padding, in either alphabet.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT_CONFIG).decode(text).ok()
}

/// Decodes pairs of hexadecimal digits.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}
