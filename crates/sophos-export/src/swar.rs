//! Comparisons of eight bytes at once, as one word (SIMD within a register).

/// The length of a word in bytes.
pub(crate) const WORD_LEN: usize = 8;

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Sets the high bit of each byte below `limit`, which is at most 128. Only the lowest
/// set bit is reliable.
#[inline]
pub(crate) const fn bytes_below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGH
}

/// Sets the high bit of each byte that equals `byte`. Only the lowest set bit is
/// reliable.
#[inline]
pub(crate) const fn bytes_equal(word: u64, byte: u8) -> u64 {
    bytes_below(word ^ (ONES * byte as u64), 1)
}

/// Sets the high bit of each byte that equals `byte`, and no other bit. It takes a little
/// longer than [`bytes_equal`].
#[inline]
pub(crate) const fn all_bytes_equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    !(((difference & !HIGH) + !HIGH) | difference) & HIGH
}

/// The index of the byte with the lowest bit of `found`, which is not zero.
#[inline]
pub(crate) const fn first_byte(found: u64) -> usize {
    (found.trailing_zeros() / u8::BITS) as usize
}
