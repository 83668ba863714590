/// Encodes a name of any form, such as a secret's, as part of an object's path.
/// Injective: letters, digits, hyphens and underscores stay; any other byte becomes a
/// tilde and two hexadecimal digits.
pub fn encode_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => encoded.push(byte.into()),
            other => encoded.push_str(&format!("~{other:02x}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encode_name_keeps_plain_names() {
        assert_eq!(encode_name("partner-4_a"), "partner-4_a");
        assert_eq!(encode_name("sophos/acme~.x"), "sophos~2facme~7e~2ex");
    }

    proptest! {
        #[test]
        fn encode_name_is_injective(one in "\\PC{0,12}", other in "\\PC{0,12}") {
            prop_assert_eq!(encode_name(&one) == encode_name(&other), one == other);
            prop_assert!(!encode_name(&one).contains(['/', '.', '\\', '%']));
        }
    }
}
