//! The checksums of SQS.

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// The MD5 of a body.
pub(super) fn md5_of_body(body: &str) -> String {
    hex(Md5::digest(body))
}

/// The MD5 of attributes; `None` without attributes.
pub(super) fn md5_of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    let mut bytes = Vec::new();
    let mut add = |part: &[u8], kind: Option<u8>| {
        bytes.extend(kind);
        bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(part);
    };
    // A map of serde_json is sorted by name, as the checksum requires.
    for (name, attribute) in attributes {
        add(name.as_bytes(), None);
        add(attribute["DataType"].as_str().unwrap_or_default().as_bytes(), None);
        match (attribute["StringValue"].as_str(), attribute["BinaryValue"].as_str()) {
            (Some(text), _) => add(text.as_bytes(), Some(1)),
            (None, binary) => {
                add(&BASE64_STANDARD.decode(binary.unwrap_or_default()).unwrap_or_default(), Some(2));
            }
        }
    }
    (!attributes.is_empty()).then(|| hex(Md5::digest(&bytes)))
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
