//! What somebody plugged in: lists the documents on it and reads one, by the settings' folders alone.
//!
//! Names and bytes go to the page that asked and nowhere else: nothing is logged, nothing is copied to a disk. No
//! symbolic link is followed, on the medium or on the way to it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_kiosk_ui::ports::{Answer, Brought, Listing, MAX_DOCUMENT_BYTES, MediaDesk, MediaFile};
use loket_kiosk_ui::words::Trouble;
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use zeroize::Zeroizing;

/// Documents shown as buttons: what a person looks through.
const MAX_FILES: usize = 24;

/// Names looked at: a stick full of photographs is given up on, not waited for.
const MAX_ENTRIES: usize = 5_000;

/// Folders above a file: where the medium is mounted, by whom, and two on it.
const MAX_DEPTH: usize = 4;

/// A worn stick may take seconds for a read; one that takes longer is as good as gone.
const MEDIUM_TIMEOUT: Duration = Duration::from_secs(20);

/// The folders under which media are mounted.
#[derive(Debug)]
pub struct Media {
    folders: Arc<[PathBuf]>,
}

impl Media {
    /// Of the folders of the settings.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            folders: folders.into(),
        })
    }
}

impl MediaDesk for Media {
    fn list(&self) -> Answer<'_, Listing> {
        let folders = Arc::clone(&self.folders);
        Box::pin(async move {
            let listed = tokio::task::spawn_blocking(move || list(&folders));
            let listed = tokio::time::timeout(MEDIUM_TIMEOUT, listed).await;
            listed.ok().and_then(Result::ok).unwrap_or_default()
        })
    }

    fn read(&self, file: MediaFile) -> Answer<'_, Result<Brought, Trouble>> {
        let folders = Arc::clone(&self.folders);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || read(&folders, &file));
            let read = tokio::time::timeout(MEDIUM_TIMEOUT, read).await;
            match read {
                Ok(Ok(Some(document))) if document.len() > MAX_DOCUMENT_BYTES => {
                    Err(Trouble::TooLarge)
                }
                Ok(Ok(Some(document))) => Ok(document),
                Ok(Ok(None) | Err(_)) | Err(_) => Err(Trouble::MediumGone),
            }
        })
    }
}

fn list(folders: &[PathBuf]) -> Listing {
    let mut search = Search::default();
    for (at, folder) in folders.iter().enumerate() {
        search.folder(at, folder, Path::new(""), 0);
    }
    let mut listing = search.listing;
    listing
        .files
        .sort_by(|one, other| one.name.cmp(&other.name));
    if listing.files.len() > MAX_FILES {
        listing.files.truncate(MAX_FILES);
        listing.has_more = true;
    }
    listing
}

#[derive(Default)]
struct Search {
    listing: Listing,
    looked_at: usize,
}

impl Search {
    /// Looks through one folder; what cannot be read is passed over, as when it is pulled out meanwhile.
    fn folder(&mut self, at: usize, root: &Path, below: &Path, depth: usize) {
        for entry in std::fs::read_dir(root.join(below))
            .into_iter()
            .flatten()
            .flatten()
        {
            self.looked_at = self.looked_at.saturating_add(1);
            if self.looked_at > MAX_ENTRIES {
                self.listing.has_more = true;
                return;
            }
            let file_name = entry.file_name();
            // What a system or an editor hides is nothing that a person would choose.
            let Some(name) = file_name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            // Of the entry itself: a link is neither a file nor a folder here.
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = below.join(name);
            if kind.is_dir() && depth < MAX_DEPTH {
                self.folder(at, root, &path, depth.saturating_add(1));
            } else if kind.is_file() && is_document(name) {
                let size_bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                self.listing.files.push(MediaFile {
                    folder: at,
                    path,
                    name: name.to_owned(),
                    size_bytes,
                });
            }
        }
    }
}

fn is_document(name: &str) -> bool {
    let suffix = name.rsplit_once('.').map(|(_stem, suffix)| suffix);
    suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("pdf"))
}

/// One byte more than is judged; nothing where it is gone, or is no plain file below its folder.
fn read(folders: &[PathBuf], file: &MediaFile) -> Option<Brought> {
    let folder = folders.get(file.folder)?;
    let root = open(
        folder,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()?;
    // Between the listing and this moment a link may have taken the file's place, or that of a folder above it.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // Not blocking: a pipe of that name would never end.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = openat2(root, &file.path, flags, Mode::empty(), resolve).ok()?;
    let opened = File::from(opened);
    if !opened.metadata().ok()?.is_file() {
        return None;
    }
    let limit = u64::try_from(MAX_DOCUMENT_BYTES).ok()?.saturating_add(1);
    let mut document = Zeroizing::new(Vec::new());
    opened.take(limit).read_to_end(&mut document).ok()?;
    Some(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(listing: &Listing) -> Vec<&str> {
        listing
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect()
    }

    #[test]
    fn documents_on_a_medium_are_listed_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let stick = dir.path().join("STICK/kk");
        std::fs::create_dir_all(&stick).unwrap();
        std::fs::write(stick.join("b.PDF"), "%PDF-1.7 b").unwrap();
        std::fs::write(dir.path().join("STICK/a.pdf"), "%PDF-1.7 a").unwrap();
        std::fs::write(stick.join("photo.heic"), "x").unwrap();
        std::fs::write(stick.join(".hidden.pdf"), "x").unwrap();
        let folders = [dir.path().to_owned()];
        let listing = list(&folders);
        assert_eq!(names(&listing), ["a.pdf", "b.PDF"]);
        assert!(!listing.has_more);
        let read = read(&folders, &listing.files[1]).unwrap();
        assert_eq!(read.as_slice(), b"%PDF-1.7 b");
    }

    #[test]
    fn a_link_out_of_the_medium_is_neither_listed_nor_followed() {
        let dir = tempfile::tempdir().unwrap();
        let stick = dir.path().join("media");
        std::fs::create_dir_all(&stick).unwrap();
        let secret = dir.path().join("secret.pdf");
        std::fs::write(&secret, "%PDF-1.7 secret").unwrap();
        std::os::unix::fs::symlink(&secret, stick.join("link.pdf")).unwrap();
        std::os::unix::fs::symlink(dir.path(), stick.join("folder")).unwrap();
        let folders = [stick];
        assert_eq!(names(&list(&folders)), [""; 0]);
        // Listed as a file, and a link by the time it is read.
        for path in ["link.pdf", "folder/secret.pdf", "../secret.pdf"] {
            let file = MediaFile {
                folder: 0,
                path: path.into(),
                name: String::new(),
                size_bytes: 1,
            };
            assert!(read(&folders, &file).is_none(), "{path}");
        }
    }

    #[test]
    fn a_full_stick_is_shown_in_part_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        for at in 0..=MAX_FILES {
            std::fs::write(dir.path().join(format!("{at}.pdf")), "x").unwrap();
        }
        let listing = list(&[dir.path().to_owned()]);
        assert_eq!(listing.files.len(), MAX_FILES);
        assert!(listing.has_more);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_empty_medium() {
        assert_eq!(list(&["/nonexistent/media".into()]), Listing::default());
    }
}
