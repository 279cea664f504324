//! The honest files that forgeries are made of: those whose objects stand plainly, so that a forger here can read them,
//! under the numbers that they have in the card.

macro_rules! originals {
    ($($name:literal,)+) => {
        /// Every original with its name.
        pub(crate) const ORIGINALS: &[(&str, &[u8])] = &[
            $((
                $name,
                include_bytes!(concat!("../../../../tests/fixtures/originals/", $name, ".pdf")),
            ),)+
        ];
    };
}

originals! {
    "endesive-bb-table",
    "endesive-certified-table",
    "endesive-visible-table",
    "itext2-bb-table",
    "itext5-bb-table",
    "itext5-visible-table",
    "libreoffice-bb-table",
    "pdfbox-bb-stream",
    "pdfbox-bb-table",
    "pdfbox-twice-stream",
    "pdfbox-twice-table",
    "podofo-bb-table",
    "pyhanko-bb-stream",
    "pyhanko-bb-table",
    "pyhanko-bt-stream",
    "pyhanko-bt-table",
    "pyhanko-expired-bb-table",
    "pyhanko-expired-bt-table",
    "pyhanko-expired-lt-stream",
    "pyhanko-expired-lt-table",
    "pyhanko-expired-lta-table",
    "pyhanko-expired-ocsp-lt-table",
    "pyhanko-hybrid-bb-table",
    "pyhanko-hybrid-one-bb-table",
    "pyhanko-hybrid-word-lt-table",
    "pyhanko-lt-stream",
    "pyhanko-lt-table",
    "pyhanko-lta-stream",
    "pyhanko-lta-table",
    "pyhanko-ocsp-lt-table",
    "pyhanko-p1-bt-stream",
    "pyhanko-p1-bt-table",
    "pyhanko-p1-lta-stream",
    "pyhanko-p1-lta-table",
    "pyhanko-p2-bt-stream",
    "pyhanko-p2-bt-table",
    "pyhanko-p2-lta-stream",
    "pyhanko-p2-lta-table",
    "pyhanko-p256-lt-table",
    "pyhanko-p256-sha512-lt-table",
    "pyhanko-p3-bt-stream",
    "pyhanko-p3-bt-table",
    "pyhanko-p3-lta-stream",
    "pyhanko-p3-lta-table",
    "pyhanko-p384-lt-table",
    "pyhanko-p384-sha512-lt-table",
    "pyhanko-pss-lt-table",
    "pyhanko-renewed-stream",
    "pyhanko-renewed-table",
    "pyhanko-sha512-lt-table",
    "pyhanko-twice-stream",
    "pyhanko-twice-table",
    "pyhanko-visible-lt-stream",
    "pyhanko-visible-lt-table",
    "signpdf-cades-table",
    "signpdf-pkcs7-table",
}

/// Those whose container is made anew: no archive stands behind their signature.
pub(crate) const CARRIERS: &[&str] = &[
    "pyhanko-bb-table",
    "pyhanko-bb-stream",
    "pyhanko-bt-table",
    "pyhanko-bt-stream",
    "pyhanko-expired-bt-table",
    "pyhanko-p1-bt-table",
    "pyhanko-p2-bt-stream",
    "pyhanko-p3-bt-table",
    "pdfbox-bb-table",
    "pdfbox-bb-stream",
];
