//! Writes the archive that a kernel unpacks before it starts its first program.
//!
//! # Source
//! The kernel's `Documentation/driver-api/early-userspace/buffer-format.rst` ("newc").

use std::io::{self, Write};

const MAGIC: &str = "070701";
const TRAILER: &str = "TRAILER!!!";

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// An archive under way.
#[derive(Debug)]
pub(super) struct Archive<W> {
    to: W,
    last_inode: u32,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, last_inode: 0 }
    }

    /// A folder; those above it must have been added before.
    pub(super) fn folder(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, FOLDER, (0, 0), &[])
    }

    /// A file that can be run.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.entry(path, PROGRAM, (0, 0), content)
    }

    /// A symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.entry(path, LINK, (0, 0), target.as_bytes())
    }

    /// A character device.
    pub(super) fn device(&mut self, path: &str, major: u32, minor: u32) -> io::Result<()> {
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[])
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.entry(TRAILER, 0, (0, 0), &[])?;
        self.to.flush()
    }

    fn entry(
        &mut self,
        path: &str,
        mode: u32,
        device: (u32, u32),
        content: &[u8],
    ) -> io::Result<()> {
        self.last_inode = self.last_inode.saturating_add(1);
        let size = u32::try_from(content.len()).map_err(io::Error::other)?;
        let name_size = u32::try_from(path.len().saturating_add(1)).map_err(io::Error::other)?;
        let (major, minor) = device;
        let fields = [
            self.last_inode,
            mode,
            0,
            0,
            1,
            0,
            size,
            0,
            0,
            major,
            minor,
            name_size,
            0,
        ];
        let mut header = MAGIC.to_owned();
        for field in fields {
            header.push_str(&format!("{field:08X}"));
        }
        self.to.write_all(header.as_bytes())?;
        self.to.write_all(path.as_bytes())?;
        self.to.write_all(&[0])?;
        let head_len = header.len().saturating_add(path.len()).saturating_add(1);
        self.pad(head_len)?;
        self.to.write_all(content)?;
        self.pad(content.len())
    }

    /// Each part begins at a multiple of four bytes.
    fn pad(&mut self, len: usize) -> io::Result<()> {
        let missing = len.next_multiple_of(4).saturating_sub(len);
        self.to.write_all([0; 4].get(..missing).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_begin_at_multiples_of_four_bytes() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.folder("dev").unwrap();
        archive.file("a", b"12345").unwrap();
        archive.link("b", "a").unwrap();
        archive.device("dev/console", 5, 1).unwrap();
        archive.finish().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let starts: Vec<usize> = text.match_indices(MAGIC).map(|(at, _)| at).collect();
        assert_eq!(starts.len(), 5);
        assert!(starts.iter().all(|at| at % 4 == 0), "{starts:?}");
        // 6 + 13 × 8 bytes of header, a name with its zero, five bytes of content.
        assert_eq!(&bytes[starts[1] + 110..starts[1] + 117], b"a\x0012345");
        assert!(bytes.len().is_multiple_of(4));
    }
}
