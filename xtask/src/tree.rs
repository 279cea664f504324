//! The files of the checkout as a map from path to bytes, read once and then only looked at.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};

/// Folders that hold nothing written by hand.
const SKIPPED_FOLDERS: &[&str] = &[".git", "target", "__pycache__"];

/// A file above this is no source and no fixture; it would also make every check slow.
const FILE_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

/// Every file below the root, by its path with `/` between the parts.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Reads the checkout at `root`.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, "")?;
        Ok(tree)
    }

    /// Builds a tree from paths and texts, so that a test can plant a violation.
    #[cfg(test)]
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Self {
            files: files.collect(),
        }
    }

    /// Says whether there is a file at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The text at `path`, or nothing where there is no file or it is no UTF-8.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .get(path)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// Every path with its bytes.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// Every text file whose path ends in one of `endings`.
    pub(crate) fn texts<'a>(
        &'a self,
        endings: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter_map(move |(path, bytes)| {
            let wanted = endings.iter().any(|ending| path.ends_with(ending));
            let text = if wanted {
                std::str::from_utf8(bytes).ok()?
            } else {
                return None;
            };
            Some((path, text))
        })
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("list the folder {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("list the folder {}", folder.display()))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                bail!("read the file name {}: it is no UTF-8", name.display());
            };
            let path = format!("{prefix}{name}");
            let kind = entry
                .file_type()
                .with_context(|| format!("look at {path}"))?;
            if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name) {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.take(&entry.path(), path)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, path: String) -> anyhow::Result<()> {
        let size_bytes = match std::fs::metadata(file) {
            Ok(metadata) => metadata.len(),
            // An editor's or a test's file may vanish between listing and reading.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("look at {path}")),
        };
        if size_bytes <= FILE_LIMIT_BYTES {
            let bytes = std::fs::read(file).with_context(|| format!("read {path}"))?;
            self.files.insert(path, bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_skips_what_tools_made() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/b.rs", "target/x", ".git/config", "c.toml"] {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "text").unwrap();
        }
        let tree = Tree::read(folder.path()).unwrap();
        let paths: Vec<&str> = tree.files().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a/b.rs", "c.toml"]);
    }
}
