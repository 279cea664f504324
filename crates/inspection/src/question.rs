//! What is asked, and how it crosses.

use loket_verify::Policy;
use loket_wire::{HostRules, JobId, RasterSetup, Timestamp};
use serde::{Deserialize, Serialize};

/// Largest scan: an A4 page in colour at 300 dpi has some 3 MB as JPEG, up to 15 as PNG.
pub const MAX_SCAN_BYTES: usize = 16 * 1024 * 1024;

/// Records that one sheet is held against: a code stands on one document, and reprints of it look alike.
pub const MAX_RECORDS: usize = 3;

/// The largest [`Brief`]: a policy of 512 signers has some 150 kB, host rules have 64.
pub const MAX_BRIEF_BYTES: usize = 1024 * 1024;

/// The largest store of trust, an eighth of the memory: it is kept beside what is made of it.
pub const MAX_TRUST_BYTES: usize = 32 * 1024 * 1024;

/// The largest head: what is asked and a length for each part.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What was brought is no kind of document that is known, or a page of it has no record (EX_DATAERR).
pub const EXIT_NO_DOCUMENT: u8 = 65;

/// What was asked for would be larger than it may be (EX_CANTCREAT).
pub const EXIT_TOO_LARGE: u8 = 73;

/// Whom to trust cannot be read (EX_CONFIG).
pub const EXIT_NO_TRUST: u8 = 78;

/// What the inspector keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space in bytes, the program itself included.
    pub memory_bytes: u64,
    /// Processor time in seconds; beyond it SIGXCPU ends the process.
    pub cpu_s: u64,
}

/// What a document is judged and looked at within. Address space: the program takes 20 MiB of it, a document of 8 MiB and
/// what is made of it 64. Processor time: a large honest document takes some hundredths of a second on the slowest PC.
pub const DOCUMENT_LIMITS: Limits = Limits {
    memory_bytes: 256 * 1024 * 1024,
    cpu_s: 10,
};

/// The largest raster of a document. A page of letters in A4 at 600 dpi has one to three megabytes, a page that is a
/// photograph from edge to edge 35 in shades of grey; the machine holds a raster in memory while it is sent, and what is
/// larger than this takes a slow printer longer than an exchange may last.
pub const MAX_RASTER_BYTES: usize = 32 * 1024 * 1024;

/// What a document is drawn for a printer within. Address space: a page of A4 at 600 dpi takes less than 64 MiB, and the
/// pictures of a page may take three times as much again. Processor time: such a page takes half a second on a small PC.
pub const RASTER_LIMITS: Limits = Limits {
    memory_bytes: 256 * 1024 * 1024,
    cpu_s: 40,
};

/// What the offices wrote that documents are judged by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Brief {
    /// The rules of judging.
    pub policy: Policy,
    /// Which hosts are official; without them no QR code is read.
    #[serde(default)]
    pub hosts: Option<HostRules>,
}

/// What is asked; each with its parts, in their order, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum Work {
    /// Whether a document is genuine. Parts: a [`Brief`] as JSON, whom to trust (`loket_verify::Trust::carry`; empty for
    /// nobody), the document. A [`crate::Judgement`].
    Judge {
        /// The moment of judgement.
        #[serde(rename = "at_ms")]
        at: Timestamp,
        /// Whether it may be a photograph of paper as well. What is neither is then no document at all
        /// ([`EXIT_NO_DOCUMENT`]); without it, whatever it is, the verifier says what is wrong.
        or_paper: bool,
    },
    /// Which codes stand on its pages, and for an officer what somebody changed on one. Parts: a [`Brief`] as JSON, the
    /// document. A [`crate::Judgement`] by nobody's trust.
    Look {
        /// The moment of judgement.
        #[serde(rename = "at_ms")]
        at: Timestamp,
        /// Whether an officer reads the answer.
        officer: bool,
    },
    /// What a later scan of a printed document is held against. Part: the signed revision. The bytes of a
    /// `loket_wire::MatchRecord`.
    Record {
        /// The job that printed it.
        job: JobId,
        /// Its pages.
        page_count: u32,
        /// The present moment.
        #[serde(rename = "made_at_ms")]
        made_at: Timestamp,
    },
    /// A document as a raster for a printer that takes no PDF: each page at its own size in the middle of A4, one page a
    /// sheet. Part: the signed revision, since all is drawn that is given. The raster itself, up to
    /// [`MAX_RASTER_BYTES`], each part as soon as it is drawn: it is whole where the code is 0. With
    /// [`EXIT_NO_DOCUMENT`] a page cannot be drawn, with [`EXIT_TOO_LARGE`] the raster would be larger.
    Raster {
        /// In what shape.
        setup: RasterSetup,
    },
    /// Digests of what the QR codes of a scan say. Part: the scan. A [`crate::Read`] of digests.
    Codes {
        /// Which page of a PDF, from 1; without it the only one.
        page: Option<u32>,
    },
    /// A scan held against records. Parts: the scan, then one to [`MAX_RECORDS`] records. A [`crate::Read`] of a
    /// [`crate::Held`].
    Compare {
        /// Which page of a PDF, from 1; without it the only one.
        page: Option<u32>,
        /// Whether what is seen is drawn.
        pictures: bool,
    },
}

/// What stands before the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// What is asked.
    #[serde(flatten)]
    pub work: Work,
    /// Within what.
    pub limits: Limits,
    /// The length of each part.
    pub part_bytes: Vec<u64>,
}

impl Head {
    /// Its bytes with their length before them; `None` where it is too long.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let json = serde_json::to_vec(self).ok()?;
        let length = u32::try_from(json.len()).ok()?;
        let fits = json.len() <= MAX_HEAD_BYTES;
        fits.then(|| [length.to_be_bytes().as_slice(), &json].concat())
    }

    /// Reads what [`Head::encode`] wrote, without the length.
    #[must_use]
    pub fn decode(json: &[u8]) -> Option<Self> {
        let fits = json.len() <= MAX_HEAD_BYTES;
        fits.then(|| serde_json::from_slice(json).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use loket_wire::{RasterColours, RasterFormat};

    use super::*;

    fn heads() -> Vec<Head> {
        let at = Timestamp::from_unix_ms(1_764_000_000_000);
        let works = [
            Work::Judge { at, or_paper: true },
            Work::Look { at, officer: true },
            Work::Record {
                job: JobId::from_parts(1, [1; 10]),
                page_count: 2,
                made_at: at,
            },
            Work::Raster {
                setup: RasterSetup {
                    format: RasterFormat::Urf,
                    colours: RasterColours::Rgb,
                    resolution_dpi: 300,
                    coarser_dpi: None,
                },
            },
            Work::Codes { page: None },
            Work::Compare {
                page: Some(2),
                pictures: true,
            },
        ];
        let limits = Limits {
            memory_bytes: 1,
            cpu_s: 2,
        };
        let head = |work| Head {
            work,
            limits,
            part_bytes: vec![1, 22],
        };
        works.map(head).to_vec()
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        for head in heads() {
            let bytes = head.encode().unwrap();
            let (length, json) = bytes.split_first_chunk::<4>().unwrap();
            assert_eq!(
                usize::try_from(u32::from_be_bytes(*length)).unwrap(),
                json.len()
            );
            assert_eq!(Head::decode(json), Some(head));
        }
        assert_eq!(Head::decode(b"{}"), None);
        assert_eq!(Head::decode(&vec![b' '; MAX_HEAD_BYTES + 1]), None);
        let mut long = heads().remove(0);
        long.part_bytes = vec![u64::MAX; MAX_HEAD_BYTES];
        assert_eq!(long.encode(), None);
    }

    #[test]
    fn fuzz_inspection_head() {
        let seeds: Vec<Vec<u8>> = heads()
            .iter()
            .filter_map(|head| serde_json::to_vec(head).ok())
            .collect();
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        loket_fuzz::fuzz("inspection-head", 20_000, &seeds, |bytes| {
            if let Some(head) = Head::decode(bytes) {
                let again = serde_json::to_vec(&head).unwrap();
                assert_eq!(Head::decode(&again), Some(head));
            }
        });
    }
}
