//! The text of a doc comment as a constant.

/// The text of a doc comment: its lines, without the space in front of each.
macro_rules! doc_text {
    ($($line:literal)*) => {{
        const LINES: &[&str] = &[$($line),*];
        const TEXT: [u8; $crate::catalog::joined_len(LINES)] = $crate::catalog::join_lines(LINES);
        match ::std::str::from_utf8(&TEXT) {
            Ok(text) => text,
            Err(_) => panic!("a doc comment is UTF-8"),
        }
    }};
}

pub(crate) use doc_text;

const fn line_text(line: &str) -> &[u8] {
    match line.as_bytes() {
        [b' ', text @ ..] => text,
        text => text,
    }
}

/// The length of the lines without the space in front of each, with a line feed between
/// them.
pub(crate) const fn joined_len(lines: &[&str]) -> usize {
    let mut len = lines.len().saturating_sub(1);
    let mut index = 0;
    while index < lines.len() {
        len += line_text(lines[index]).len();
        index += 1;
    }
    len
}

/// Joins the lines of a doc comment.
pub(crate) const fn join_lines<const LEN: usize>(lines: &[&str]) -> [u8; LEN] {
    let mut text = [b'\n'; LEN];
    let mut end = 0;
    let mut index = 0;
    while index < lines.len() {
        let line = line_text(lines[index]);
        let (_, rest) = text.split_at_mut(end);
        rest.split_at_mut(line.len()).0.copy_from_slice(line);
        end += line.len() + 1;
        index += 1;
    }
    text
}
