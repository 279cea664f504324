//! What a printed sheet must look like: made when it is printed, sealed to central's audit key, asked for when the sheet
//! is doubted.
//!
//! ```text
//! 00 01      version
//! 4 bytes    length of the head, big endian
//! head       JSON: job, digest of the signed revision, moment, fonts, QR payloads, length of each page's fingerprint
//! pages      the fingerprints, one after the other
//! ```
//!
//! While it is open a record is personal data: it shows the page. It has no `Display`, hides in `Debug` and is wiped
//! when dropped.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::digest::Sha256Digest;
use crate::ids::JobId;
use crate::time::Timestamp;

/// Version of the bytes.
const VERSION: [u8; 2] = [0, 1];

/// Pages with a fingerprint: a family card has one or two, and what is longer is known by its first pages.
pub const MAX_PAGES: usize = 8;

/// Longest fingerprint of a page, several times that of a family card's.
pub const MAX_PAGE_BYTES: usize = 128 * 1024;

/// QR codes of a document that count.
pub const MAX_CODES: usize = 8;

/// Longest payload of a QR code (ISO/IEC 18004, version 40-L in bytes).
pub const MAX_CODE_BYTES: usize = 2953;

/// Longest record: all pages, and a head with all codes.
pub const MAX_RECORD_BYTES: usize = MAX_PAGES * MAX_PAGE_BYTES + 64 * 1024;

/// What sealing adds to a record.
pub const MAX_SEALED_RECORD_BYTES: usize = MAX_RECORD_BYTES + 64;

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordError {
    /// They are of another version.
    #[error("read a match record: it is of another version")]
    Version,
    /// They are not of the shape.
    #[error("read a match record: not of that shape")]
    Malformed,
    /// More pages, codes or bytes than a record holds.
    #[error("write a match record: more than it holds")]
    TooLarge,
}

/// One page as its raster was reduced; what the bytes mean is the reader's matter.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecordPage {
    /// Fingerprint of the rendered page, at most [`MAX_PAGE_BYTES`].
    pub fingerprint: Vec<u8>,
}

impl fmt::Debug for RecordPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordPage(..)")
    }
}

/// A match record.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MatchRecord {
    /// The job that put the sheet on paper.
    #[zeroize(skip)]
    pub job_id: JobId,
    /// Digest of the signed revision that was printed.
    #[zeroize(skip)]
    pub revision_sha256: Sha256Digest,
    /// When the record was made, by the machine's clock.
    #[zeroize(skip)]
    pub made_at: Timestamp,
    /// Whether the document brings all its fonts along. Where it does not, the printer draws other letters than the
    /// record has, and a difference says nothing.
    #[zeroize(skip)]
    pub fonts_inside: bool,
    /// What the QR codes of the document say, at most [`MAX_CODES`].
    pub codes: Vec<Vec<u8>>,
    /// The pages in their order, at most [`MAX_PAGES`].
    pub pages: Vec<RecordPage>,
}

impl fmt::Debug for MatchRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatchRecord")
            .field("job_id", &self.job_id)
            .field("page_count", &self.pages.len())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    job_id: JobId,
    revision_sha256: Sha256Digest,
    #[serde(rename = "made_at_ms")]
    made_at: Timestamp,
    fonts_inside: bool,
    /// Base64: a payload need not be text.
    codes: Vec<String>,
    page_bytes: Vec<u32>,
}

impl MatchRecord {
    /// Writes the record.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`] over one of the bounds.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let fits = self.pages.len() <= MAX_PAGES
            && self.codes.len() <= MAX_CODES
            && self.codes.iter().all(|code| code.len() <= MAX_CODE_BYTES);
        if !fits {
            return Err(RecordError::TooLarge);
        }
        let page_bytes = self.pages.iter().map(|page| {
            let length = page.fingerprint.len();
            let is_small = length <= MAX_PAGE_BYTES;
            u32::try_from(length).ok().filter(|_length| is_small)
        });
        let encode = |code: &Vec<u8>| data_encoding::BASE64.encode(code);
        let head = Head {
            job_id: self.job_id,
            revision_sha256: self.revision_sha256,
            made_at: self.made_at,
            fonts_inside: self.fonts_inside,
            codes: self.codes.iter().map(encode).collect(),
            page_bytes: page_bytes
                .collect::<Option<_>>()
                .ok_or(RecordError::TooLarge)?,
        };
        let head = Zeroizing::new(serde_json::to_vec(&head).map_err(|_| RecordError::Malformed)?);
        let length = u32::try_from(head.len()).map_err(|_| RecordError::TooLarge)?;
        let room = self.pages.iter().map(|page| page.fingerprint.len());
        // Room for all of it at once: a growing vector would leave copies of what it held behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + head.len() + room.sum::<usize>()));
        bytes.extend_from_slice(&VERSION);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&head);
        for page in &self.pages {
            bytes.extend_from_slice(&page.fingerprint);
        }
        Ok(bytes)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError::Version`], [`RecordError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let bad = RecordError::Malformed;
        let (version, rest) = bytes.split_at_checked(2).ok_or(bad)?;
        if version != VERSION {
            return Err(RecordError::Version);
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(bad)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| bad)?;
        let (head, mut rest) = rest.split_at_checked(length).ok_or(bad)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| bad)?;
        if head.codes.len() > MAX_CODES || head.page_bytes.len() > MAX_PAGES {
            return Err(bad);
        }
        let mut record = Self {
            job_id: head.job_id,
            revision_sha256: head.revision_sha256,
            made_at: head.made_at,
            fonts_inside: head.fonts_inside,
            codes: Vec::new(),
            pages: Vec::new(),
        };
        for code in &head.codes {
            let code = data_encoding::BASE64.decode(code.as_bytes());
            let code = code.ok().filter(|code| code.len() <= MAX_CODE_BYTES);
            record.codes.push(code.ok_or(bad)?);
        }
        for length in head.page_bytes {
            let length = usize::try_from(length).map_err(|_| bad)?;
            let page = rest.split_at_checked(length);
            let (page, after) = page.filter(|_page| length <= MAX_PAGE_BYTES).ok_or(bad)?;
            record.pages.push(RecordPage {
                fingerprint: page.to_vec(),
            });
            rest = after;
        }
        if rest.is_empty() {
            Ok(record)
        } else {
            Err(bad)
        }
    }
}

/// What a machine asks central for when a sheet is doubted; JSON body of `POST /machine/v1/records/find`.
///
/// A payload leaves the machine as a digest only: what is asked for by guessing is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindRecord {
    /// Version of this shape; 1.
    pub version: u16,
    /// SHA-256 of the payload of each QR code on the sheet, at most [`MAX_CODES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes_sha256: Vec<Sha256Digest>,
    /// The job, where the officer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// The officer who asks; goes into central's history.
    pub by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> MatchRecord {
        MatchRecord {
            job_id: JobId::from_parts(1_790_000_000_000, [1; 10]),
            revision_sha256: Sha256Digest::of(b"a revision"),
            made_at: Timestamp::from_unix_ms(1_790_000_000_000),
            fonts_inside: true,
            codes: vec![b"https://contoh.go.id/x".to_vec(), vec![0, 255]],
            pages: vec![
                RecordPage {
                    fingerprint: vec![7; 100],
                },
                RecordPage {
                    fingerprint: Vec::new(),
                },
            ],
        }
    }

    #[test]
    fn a_record_reads_back_and_shows_nothing_of_itself() {
        let record = record();
        let bytes = record.encode().unwrap();
        assert_eq!(MatchRecord::decode(&bytes), Ok(record.clone()));
        let shown = format!("{record:?} {:?}", record.pages);
        assert!(!shown.contains("contoh"), "{shown}");
        assert!(
            !shown.contains('7'.to_string().repeat(2).as_str()),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let bytes = record().encode().unwrap();
        for cut in 0..bytes.len() {
            assert!(MatchRecord::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(MatchRecord::decode(&longer), Err(RecordError::Malformed));
        let mut later = bytes.to_vec();
        later[1] = 2;
        assert_eq!(MatchRecord::decode(&later), Err(RecordError::Version));
    }

    #[test]
    fn what_is_over_a_bound_is_not_written() {
        let over = |change: fn(&mut MatchRecord)| {
            let mut record = record();
            change(&mut record);
            record.encode().map(|_bytes| ())
        };
        assert_eq!(over(|_record| {}), Ok(()), "the control");
        let bounds: [fn(&mut MatchRecord); 4] = [
            |it| it.codes = vec![Vec::new(); MAX_CODES + 1],
            |it| it.codes = vec![vec![0; MAX_CODE_BYTES + 1]],
            |it| {
                it.pages = vec![
                    RecordPage {
                        fingerprint: Vec::new()
                    };
                    MAX_PAGES + 1
                ]
            },
            |it| {
                it.pages = vec![RecordPage {
                    fingerprint: vec![0; MAX_PAGE_BYTES + 1],
                }]
            },
        ];
        for change in bounds {
            assert_eq!(over(change), Err(RecordError::TooLarge));
        }
    }

    #[test]
    fn fuzz_records() {
        let seed = record().encode().unwrap();
        loket_fuzz::fuzz("match-records", 20_000, &[seed.as_slice()], |bytes| {
            if let Ok(record) = MatchRecord::decode(bytes) {
                let again = record.encode().map(|bytes| MatchRecord::decode(&bytes));
                assert_eq!(again, Ok(Ok(record)));
            }
        });
    }
}
