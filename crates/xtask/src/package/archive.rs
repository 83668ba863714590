//! The reproducible zip of a function, with one file.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::error::Error;

/// The name of the file that Lambda starts.
const BOOTSTRAP: &str = "bootstrap";

/// Writes the zip of a binary.
pub(super) fn pack(binary: &Path, zip: &Path) -> Result<(), Error> {
    let error =
        |file: &Path, error: io::Error| Error::new(format!("packing {} failed: {error}", file.display()));
    let bytes = fs::read(binary).map_err(|source| error(binary, source))?;
    let file = File::create(zip).map_err(|source| error(zip, source))?;
    write(file, &bytes).map_err(|source| error(zip, source))
}

fn write(to: impl Write + io::Seek, bytes: &[u8]) -> io::Result<()> {
    let mut archive = ZipWriter::new(to);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    archive.start_file(BOOTSTRAP, options)?;
    archive.write_all(bytes)?;
    archive.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use zip::ZipArchive;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut zip = Cursor::new(Vec::new());
        write(&mut zip, bytes).expect("memory");
        zip.into_inner()
    }

    #[test]
    fn archive_contains_an_executable_bootstrap() {
        let mut archive = ZipArchive::new(Cursor::new(packed(b"\x7fELF and so on"))).expect("a zip");
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_name(BOOTSTRAP).expect("the binary");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        assert_eq!(entry.last_modified().map(|time| time.year()), Some(1980));
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        assert_eq!(bytes, b"\x7fELF and so on");
    }

    #[test]
    fn archive_is_reproducible() {
        let bytes = vec![7; 100_000];
        assert_eq!(packed(&bytes), packed(&bytes));
    }
}
