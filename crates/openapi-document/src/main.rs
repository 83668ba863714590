//! Prints the document: `cargo xtask openapi` writes it to a file and validates it.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, &openapi_document::document())?;
    writeln!(stdout)
}
