//! Jobs that pack attachments into a protected archive.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::{Collection, files, job, verbs};
use crate::handlers::email::attachments;
use crate::handlers::email::messages::Quarantine;
use crate::hash::Rng;
use crate::response::{ApiError, ApiResponse};

/// The simulated duration of a job.
const JOB_MS: i64 = 30_000;

static DOWNLOADS: Collection =
    Collection { has_times: false, ..Collection::new("email_downloads", "download") };

/// Starts a job. It fails if the message lacks one of the attachments.
pub(super) fn start(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    let (names, attachments) = attachments::selected(context, of)?;
    let is_known =
        |name: &String| attachments.iter().any(|one| one["name"] == *name && one["stripped"] != true);
    let record = json!({
        "attachments": names, "_place": of.place, "_isKnown": names.iter().all(is_known),
        "_password": context.central.new_rng().hex(32),
        "_finishMs": context.central.clock.now_ms() + JOB_MS,
    });
    let record = verbs::add(context, &mut context.state(), &DOWNLOADS, record)?;
    Ok(ApiResponse::json(context.success, &show(context, record)))
}

/// A job with its state, and the URL of the archive at the end.
pub(super) fn status(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let found = context.state().find(context.central, &DOWNLOADS, id).cloned();
    let record = found.filter(|record| record["_place"] == of.place).ok_or_else(|| DOWNLOADS.not_found())?;
    Ok(ApiResponse::json(200, &show(context, record)))
}

fn show(context: &Context<'_>, mut record: Value) -> Value {
    if !job::is_finished(&record, context.central.clock.now_ms()) {
        record["status"] = json!("processing");
    } else if record["_isKnown"] == true {
        let names = record["attachments"].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        let password = record["_password"].as_str().unwrap_or_default();
        let content = archive(&names, password, &mut context.central.new_rng());
        record["url"] = json!(files::download_url(context, content, "application/zip"));
        record["password"] = record["_password"].clone();
        record["status"] = json!("completed");
    } else {
        record["status"] = json!("failed");
        record["error"] = json!("attachmentNotFound");
    }
    verbs::hide(&mut record);
    record
}

fn crc32_step(crc: u32, byte: u8) -> u32 {
    let mut crc = crc ^ u32::from(byte);
    for _ in 0..8 {
        crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    }
    crc
}

/// The keys of the traditional encryption of zip files.
struct Keys([u32; 3]);

impl Keys {
    fn new(password: &str) -> Self {
        let mut keys = Self([0x1234_5678, 0x2345_6789, 0x3456_7890]);
        password.bytes().for_each(|byte| keys.update(byte));
        keys
    }

    fn update(&mut self, byte: u8) {
        let [first, second, third] = self.0;
        let first = crc32_step(first, byte);
        let second = second.wrapping_add(first & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        self.0 = [first, second, crc32_step(third, (second >> 24) as u8)];
    }

    fn encrypt(&mut self, byte: u8) -> u8 {
        let key = (self.0[2] | 2) & 0xffff;
        let mask = (key.wrapping_mul(key ^ 1) >> 8) as u8;
        self.update(byte);
        byte ^ mask
    }
}

/// A zip file that the password opens, with a text in place of each attachment.
fn archive(names: &[&str], password: &str, rng: &mut Rng) -> Vec<u8> {
    let (mut files, mut directory): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    for name in names {
        let content = format!("The attachment {name}.\n");
        let crc = !content.bytes().fold(u32::MAX, crc32_step);
        let mut keys = Keys::new(password);
        let salt = (0..11).map(|_| rng.next() as u8).collect::<Vec<u8>>();
        // The last byte of the encryption header checks the password.
        let plain = salt.into_iter().chain([(crc >> 24) as u8]).chain(content.bytes());
        let data: Vec<u8> = plain.map(|byte| keys.encrypt(byte)).collect();
        let mut fields: Vec<u8> = Vec::new();
        // Version, encrypted, stored, time and date, checksum, sizes, length of the name, extra.
        [20u16, 1, 0, 0, 0x21].iter().for_each(|field| fields.extend(field.to_le_bytes()));
        fields.extend(crc.to_le_bytes());
        fields.extend((data.len() as u32).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend(0u16.to_le_bytes());
        let offset = files.len() as u32;
        files.extend(*b"PK\x03\x04");
        files.extend(&fields);
        files.extend(name.bytes());
        files.extend(data);
        directory.extend(*b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        // Comment, disk, attributes.
        directory.extend([0u8; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let count = (names.len() as u16).to_le_bytes();
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend(count);
    end.extend(count);
    end.extend((directory.len() as u32).to_le_bytes());
    end.extend((files.len() as u32).to_le_bytes());
    end.extend([0u8; 2]);
    [files, directory, end].concat()
}
