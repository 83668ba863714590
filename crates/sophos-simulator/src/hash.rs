//! Deterministic hashing, a small random generator, and reversible identifiers.

/// Hashes two words into one.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_add(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Hashes a text into a word.
pub(crate) fn mix_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed, 0x7465_7874), |h, b| mix(h, u64::from(b)))
}

/// A small generator. Its sequence follows from its seed.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(state: u64) -> Self {
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0, 0x6E65_7874)
    }

    /// A number below `n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(n);
        (wide >> 64) as u64
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> u128 {
        let wide = (u128::from(self.next()) << 64) | u128::from(self.next());
        (wide & !(0xF000u128 << 64) & !(0xC000u128 << 48)) | (0x4000u128 << 64) | (0x8000u128 << 48)
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(HEX[self.below(16) as usize])).collect()
    }
}

pub(crate) const HEX: &[u8; 16] = b"0123456789abcdef";

const LOW_62: u64 = (1 << 62) - 1;
const ODD_A: u64 = 0x2545_F491_4F6C_DD1D;
const ODD_B: u64 = 0x1B87_3593_CC9E_2D51;

/// Newton's iteration for the inverse of an odd number modulo a power of two.
const fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    let mut round = 0;
    while round < 6 {
        x = x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
        round += 1;
    }
    x
}

/// A set of identifiers, one for each index, that convert back to the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdSpace {
    key: u64,
}

impl IdSpace {
    pub(crate) fn new(key: u64) -> Self {
        Self { key }
    }

    /// The identifier at `index` (below 2^62).
    pub(crate) fn id(&self, index: u64) -> u128 {
        let mut x = (index ^ self.key) & LOW_62;
        x = x.wrapping_mul(ODD_A) & LOW_62;
        x ^= x >> 31;
        x = x.wrapping_mul(ODD_B) & LOW_62;
        let high = (mix(self.key, index) & !0xF000) | 0x4000;
        (u128::from(high) << 64) | u128::from(x | (1 << 63))
    }

    /// The index of an identifier, if it belongs to this set.
    pub(crate) fn index(&self, id: u128) -> Option<u64> {
        let mut x = id as u64 & LOW_62;
        x = x.wrapping_mul(inverse(ODD_B)) & LOW_62;
        x ^= x >> 31;
        x = x.wrapping_mul(inverse(ODD_A)) & LOW_62;
        let index = (x ^ self.key) & LOW_62;
        (self.id(index) == id).then_some(index)
    }
}

/// Writes a UUID in its usual form.
pub(crate) fn write_uuid(out: &mut Vec<u8>, id: u128) {
    for digit in 0..32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(HEX[(id >> (124 - 4 * digit)) as usize & 15]);
    }
}

/// A UUID in its usual form.
pub(crate) fn uuid_text(id: u128) -> String {
    let mut out = Vec::with_capacity(36);
    write_uuid(&mut out, id);
    out.into_iter().map(char::from).collect()
}

/// Parses a UUID in either case.
pub(crate) fn parse_uuid(text: &str) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut id = 0u128;
    for (at, c) in text.chars().enumerate() {
        match (at, c) {
            (8 | 13 | 18 | 23, '-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            _ => id = (id << 4) | u128::from(c.to_digit(16)?),
        }
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn id_space_round_trips_the_index(key: u64, index in 0u64..1 << 48) {
            let ids = IdSpace::new(key);
            let text = uuid_text(ids.id(index));
            prop_assert_eq!(&text[14..15], "4");
            prop_assert!("89ab".contains(&text[19..20]));
            prop_assert_eq!(ids.index(parse_uuid(&text).unwrap()), Some(index));
            prop_assert_eq!(IdSpace::new(key ^ 1).index(ids.id(index)), None);
        }

        #[test]
        fn rng_uuid_has_version_4_and_the_rfc_variant(state: u64) {
            let text = uuid_text(Rng::new(state).uuid());
            prop_assert_eq!(&text[14..15], "4");
            prop_assert!("89ab".contains(&text[19..20]));
        }
    }
}
