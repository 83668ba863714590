//! Punycode (RFC 3492) of internationalized domain labels.

/// The prefix of an encoded label.
pub(super) const PREFIX: &str = "xn--";

/// The maximum number of decoded characters of a label; decoding takes quadratic time.
const MAX_LABEL_LEN: usize = 253;

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// Decodes a label without its prefix; `None` if it is malformed.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let (basic, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    if !encoded.is_ascii() || encoded.len() > MAX_LABEL_LEN || digits.is_empty() {
        return None;
    }
    let mut text: Vec<char> = basic.chars().collect();
    let (mut code, mut at, mut bias, mut is_first) = (128_u32, 0_u32, 72_u32, true);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let (begin, mut weight, mut k) = (at, 1_u32, BASE);
        loop {
            let digit = match digits.next()? {
                letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                number @ b'0'..=b'9' => u32::from(number - b'0') + 26,
                _ => return None,
            };
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let len = u32::try_from(text.len()).ok()? + 1;
        bias = adapt(at - begin, len, is_first);
        is_first = false;
        code = code.checked_add(at / len)?;
        at %= len;
        text.insert(usize::try_from(at).ok()?, char::from_u32(code)?);
        at += 1;
    }
    Some(text.into_iter().collect())
}

fn adapt(delta: u32, len: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / len;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_accepts_well_formed_labels() {
        for (encoded, text) in [
            ("bcher-kva", "bücher"),
            ("mnchen-3ya", "münchen"),
            ("80ak6aa92e", "аррӏе"),
            ("fiqs8s", "中国"),
            ("ls8h", "💩"),
        ] {
            assert_eq!(decode(encoded).as_deref(), Some(text), "{encoded}");
        }
        for encoded in ["", "a-", "bcher-kv", "bcher-kv_", "99999999", "ü", &"9".repeat(300)] {
            assert_eq!(decode(encoded), None, "{encoded}");
        }
    }
}
