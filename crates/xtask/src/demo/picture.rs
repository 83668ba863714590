//! A picture of the demo's output, as SVG.

use std::fmt::Write;

/// The longest line of the picture, in characters.
const MAX_LINE_LEN: usize = 116;

const LINE_HEIGHT: usize = 18;

/// Draws `lines` as a terminal. Longer lines are cut.
pub(super) fn draw(lines: &[String]) -> String {
    let height = (lines.len() + 2) * LINE_HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 {height}\" role=\"img\" \
         aria-label=\"The output of cargo xtask demo\">\n\
         <rect width=\"900\" height=\"{height}\" rx=\"8\" fill=\"#1e2430\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"12\" fill=\"#d8dee9\" \
         xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = (number + 2) * LINE_HEIGHT - 4;
        // A `String` takes any text.
        let _ = writeln!(svg, "<text x=\"20\" y=\"{y}\"{}>{}</text>", color(line), escape(line));
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn color(line: &str) -> &'static str {
    if line.starts_with("PROOF") {
        " fill=\"#a3be8c\" font-weight=\"bold\""
    } else if line.starts_with('*') {
        " fill=\"#88c0d0\""
    } else {
        ""
    }
}

fn escape(line: &str) -> String {
    let mut text: String = line.chars().take(MAX_LINE_LEN).collect();
    if line.chars().count() > MAX_LINE_LEN {
        text.push('…');
    }
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draw_escapes_and_cuts_lines() {
        let svg = draw(&["a <b> & c".to_owned(), "x".repeat(MAX_LINE_LEN + 5)]);
        assert!(svg.contains(">a &lt;b&gt; &amp; c</text>"), "{svg}");
        assert!(svg.contains(&format!(">{}…</text>", "x".repeat(MAX_LINE_LEN))), "{svg}");
    }
}
