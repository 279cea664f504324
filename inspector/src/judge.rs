//! Whether a document is genuine. It opens no file: what is trusted here is what the asker judges by in the same moment.

use loket_inspection::{Brief, Document, Judgement, Paper};
use loket_paper::raster;
use loket_verify::Trust;
use loket_wire::Timestamp;

use crate::Exit;

/// What the offices wrote that documents are judged by.
pub(crate) fn brief(json: &[u8]) -> Result<Brief, Exit> {
    serde_json::from_slice(json).map_err(|_bad| Exit::Usage)
}

/// Whom the asker trusts at this moment.
pub(crate) fn trust(carried: &[u8]) -> Result<Trust, Exit> {
    if carried.is_empty() {
        return Ok(Trust::default());
    }
    Trust::carried(carried).map_err(|_bent| Exit::NoTrust)
}

/// Judges what was brought; on paper, where that may be, there is no signature.
pub(crate) fn judge(
    document: &[u8],
    (brief, trust): (&Brief, &Trust),
    at: Timestamp,
    or_paper: bool,
) -> Result<Judgement, Exit> {
    let kind = match or_paper {
        true => kind(document).ok_or(Exit::NoDocument)?,
        false => Kind::Pdf,
    };
    Ok(match kind {
        Kind::Pdf => {
            let report = loket_verify::check(document, trust, &brief.policy, at);
            Judgement::Document(Document::of(&report, at))
        }
        Kind::Picture => Judgement::Paper(Paper::default()),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pdf,
    /// PNG or JPEG.
    Picture,
}

/// What it is by its first bytes. A PDF that begins late is the verifier's to refuse: it says what is wrong.
pub(crate) fn kind(document: &[u8]) -> Option<Kind> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const JPEG: &[u8] = b"\xff\xd8\xff";
    if document.starts_with(PNG) || document.starts_with(JPEG) {
        return Some(Kind::Picture);
    }
    raster::is_pdf(document).then_some(Kind::Pdf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_its_first_bytes() {
        assert_eq!(kind(b"%PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(kind(b"junk %PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some(Kind::Picture));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Some(Kind::Picture));
        assert_eq!(kind(b"PK\x03\x04"), None);
        assert_eq!(kind(b""), None);
        let late = [vec![b' '; 1024], b"%PDF-1.7".to_vec()].concat();
        assert_eq!(kind(&late), None);
    }
}
