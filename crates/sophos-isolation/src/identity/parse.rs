//! The parsers of identifiers, which return their normal forms.

use std::net::IpAddr;

use super::UnusableIdentifier;
use crate::hostname::{self, first_label, fold_name};

pub(super) fn parse_endpoint_id(text: &str) -> Result<String, UnusableIdentifier> {
    let id = text.trim().to_ascii_lowercase();
    if is_uuid(&id) { Ok(id) } else { Err(UnusableIdentifier::Malformed) }
}

/// Whether a text is a UUID in its hyphenated form.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(super) fn parse_ec2_instance_id(text: &str) -> Result<String, UnusableIdentifier> {
    let id = text.trim().to_ascii_lowercase();
    let digits = id.strip_prefix("i-").ok_or(UnusableIdentifier::Malformed)?;
    let is_valid = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_valid { Ok(id) } else { Err(UnusableIdentifier::Malformed) }
}

/// Returns the digits of a MAC address, EUI-48 or EUI-64, with any separators.
pub(crate) fn parse_mac_address(text: &str) -> Result<String, UnusableIdentifier> {
    let mut digits = String::new();
    for character in text.trim().chars() {
        match character {
            ':' | '-' | '.' | ' ' => {}
            digit if digit.is_ascii_hexdigit() => digits.push(digit.to_ascii_lowercase()),
            _ => return Err(UnusableIdentifier::Malformed),
        }
    }
    if !matches!(digits.len(), 12 | 16) {
        return Err(UnusableIdentifier::Malformed);
    }
    // The lowest bit of the first byte marks a group or a broadcast.
    let group = digits.as_bytes()[1];
    let is_group = char::from(group).to_digit(16).is_some_and(|digit| digit & 1 == 1);
    if is_group || digits.bytes().all(|byte| byte == b'0') {
        Err(UnusableIdentifier::NonUniqueMac)
    } else {
        Ok(digits)
    }
}

pub(super) fn parse_hostname(text: &str) -> Result<String, UnusableIdentifier> {
    let name = text.trim().trim_end_matches('.');
    // Windows writes DOMAIN\host, and the account of a machine with a dollar sign.
    let bare = name.rsplit('\\').next().unwrap_or(name).trim_end_matches('$');
    if first_label(&fold_name(bare)) == "localhost" {
        return Err(UnusableIdentifier::Loopback);
    }
    if hostname::is_usable(bare) { Ok(name.to_owned()) } else { Err(UnusableIdentifier::Malformed) }
}

/// Parses a private address: RFC 1918, or a unique local address of IPv6.
pub(super) fn parse_private_address(text: &str) -> Result<IpAddr, UnusableIdentifier> {
    let address: IpAddr = text.trim().parse().map_err(|_| UnusableIdentifier::Malformed)?;
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => Err(UnusableIdentifier::Loopback),
        IpAddr::V4(four) if four.is_link_local() => Err(UnusableIdentifier::LinkLocal),
        IpAddr::V6(six) if six.is_unicast_link_local() => Err(UnusableIdentifier::LinkLocal),
        IpAddr::V4(four) if four.is_private() => Ok(address),
        IpAddr::V6(six) if six.is_unique_local() => Ok(address),
        _ => Err(UnusableIdentifier::PublicAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_address_rejects_shared_and_public_ones() {
        for (text, why) in [
            ("127.0.0.1", UnusableIdentifier::Loopback),
            ("::1", UnusableIdentifier::Loopback),
            ("::ffff:127.0.0.1", UnusableIdentifier::Loopback),
            ("169.254.169.254", UnusableIdentifier::LinkLocal),
            ("fe80::1", UnusableIdentifier::LinkLocal),
            ("8.8.8.8", UnusableIdentifier::PublicAddress),
            ("0.0.0.0", UnusableIdentifier::PublicAddress),
            ("255.255.255.255", UnusableIdentifier::PublicAddress),
            ("100.64.0.1", UnusableIdentifier::PublicAddress),
            ("172.32.0.1", UnusableIdentifier::PublicAddress),
            ("224.0.0.1", UnusableIdentifier::PublicAddress),
            ("2001:db8::1", UnusableIdentifier::PublicAddress),
            ("10.0.0.256", UnusableIdentifier::Malformed),
            ("10.0.0.1/8", UnusableIdentifier::Malformed),
        ] {
            assert_eq!(parse_private_address(text), Err(why), "{text}");
        }
        for text in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.1.2.3"]
        {
            assert!(parse_private_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mac_address_parses_to_its_hex_digits() {
        for text in ["AA:bb:cc:dd:ee:01", "aa-bb-cc-dd-ee-01", "aabb.ccdd.ee01", "AABBCCDDEE01"] {
            assert_eq!(parse_mac_address(text), Ok("aabbccddee01".to_owned()));
        }
        assert_eq!(parse_mac_address("00:00:00:00:00:00"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("ff:ff:ff:ff:ff:ff"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("01:00:5e:00:00:01"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("aa:bb:cc"), Err(UnusableIdentifier::Malformed));
        assert_eq!(parse_mac_address("aa:bb:cc:dd:ee:zz"), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn ec2_instance_id_accepts_8_or_17_hex_digits() {
        assert_eq!(parse_ec2_instance_id(" I-0123456789ABCDEF0 "), Ok("i-0123456789abcdef0".into()));
        assert_eq!(parse_ec2_instance_id("i-99999999"), Ok("i-99999999".into()));
        assert_eq!(parse_ec2_instance_id("i-1234"), Err(UnusableIdentifier::Malformed));
        assert_eq!(parse_ec2_instance_id("mi-0123456789abcdef0"), Err(UnusableIdentifier::Malformed));
    }
}
