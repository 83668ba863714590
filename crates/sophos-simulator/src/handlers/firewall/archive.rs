//! The archives of configurations: a tar file with `Entities.xml`, and its checksum.

use serde_json::Value;

/// The file in an archive.
pub(super) const FILE_NAME: &str = "Entities.xml";

const BLOCK: usize = 512;

/// The XML of a firewall's configuration, with some entities or with all.
pub(super) fn entities(firewall: &Value, names: &[Value]) -> String {
    let text = |name: &str| firewall[name].as_str().unwrap_or_default().replace(['<', '>', '&', '"'], "");
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Configuration>\n");
    let all = ["AdminSettings", "FirewallRule", "Zone"].map(Value::from);
    for name in if names.is_empty() { &all[..] } else { names } {
        let name: String =
            name.as_str().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
        xml.push_str(&format!("  <{name}><HostName>{}</HostName></{name}>\n", text("hostname")));
    }
    xml.push_str("</Configuration>\n");
    xml
}

/// A tar file with the text as `Entities.xml`.
pub(super) fn tar(text: &str) -> Vec<u8> {
    let mut header = [0u8; BLOCK];
    let mut put = |at: usize, field: &str| {
        header[at..at + field.len()].copy_from_slice(field.as_bytes());
    };
    put(0, FILE_NAME);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", text.len()));
    put(136, "00000000000\0");
    // The checksum counts its own field as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let field = format!("{sum:06o}\0 ");
    header[148..156].copy_from_slice(field.as_bytes());
    let mut file = header.to_vec();
    file.extend_from_slice(text.as_bytes());
    file.resize(file.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    file
}

/// Whether a tar file has a file with this name.
pub(super) fn contains(mut archive: &[u8], name: &str) -> bool {
    while archive.len() >= BLOCK {
        let text = |range: std::ops::Range<usize>| {
            let field = archive[range].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let path = text(0..100);
        if path == name || path.ends_with(&format!("/{name}")) {
            return true;
        }
        let size = usize::from_str_radix(&text(124..136), 8).unwrap_or_default();
        let next = size.checked_next_multiple_of(BLOCK).and_then(|size| size.checked_add(BLOCK));
        match next.and_then(|next| archive.get(next..)) {
            Some(rest) => archive = rest,
            None => return false,
        }
    }
    false
}

/// The MD5 digest (RFC 1321), as the `checksumMd5` of an upload.
pub(super) fn md5(data: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut padded = data.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(data.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for chunk in padded.chunks_exact(64) {
        let mut words = [0u32; 16];
        for (word, bytes) in words.iter_mut().zip(chunk.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mixed, index) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            // The constants are the sines of the steps, in radians.
            let sine = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(mixed).wrapping_add(sine).wrapping_add(words[index]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        for (total, part) in state.iter_mut().zip([a, b, c, d]) {
            *total = total.wrapping_add(part);
        }
    }
    let mut digest = [0u8; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_matches_the_examples_of_the_rfc() {
        let hex =
            |text: &str| md5(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        let long = "1234567890".repeat(8);
        assert_eq!(hex(&long), "57edf4a22be3c955ac49da2e2107b67a");
    }

    #[test]
    fn tar_contains_its_file() {
        let file = tar(&"x".repeat(700));
        assert_eq!(file.len() % BLOCK, 0);
        assert!(contains(&file, FILE_NAME));
        assert!(!contains(&file, "Other.xml"));
        assert!(!contains(b"no archive", FILE_NAME));
    }
}
