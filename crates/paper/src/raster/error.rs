//! Why there are no pixels.

use thiserror::Error;

/// Why a page or a picture was not made into pixels, or pixels into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RasterError {
    /// More bytes than a document or a picture may have.
    #[error("read the file: it is too large")]
    FileTooLarge,
    /// The renderer does not understand the document.
    #[error("read the PDF")]
    Unreadable,
    /// The document has no page of that number.
    #[error("find the page")]
    NoSuchPage,
    /// The page is smaller or larger than paper is here.
    #[error("render the page: its size is none of paper")]
    PageSize,
    /// A resolution out of range.
    #[error("render the page: resolution out of range")]
    Resolution,
    /// More pixels than [`MAX_PIXELS`](super::MAX_PIXELS), or none at all.
    #[error("make pixels: too many or none")]
    PixelCount,
    /// Neither PNG nor JPEG.
    #[error("read the picture: neither PNG nor JPEG")]
    PictureKind,
    /// A PNG or JPEG that cannot be decoded within its bounds.
    #[error("decode the picture")]
    PictureBroken,
    /// Pixels whose count is not width times height.
    #[error("write the picture: its pixels do not fill it")]
    Shape,
    /// The electronic document where a scan of its paper belongs.
    #[error("read the scan: it is the signed document itself")]
    NotPaper,
}

impl RasterError {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::FileTooLarge,
        Self::Unreadable,
        Self::NoSuchPage,
        Self::PageSize,
        Self::Resolution,
        Self::PixelCount,
        Self::PictureKind,
        Self::PictureBroken,
        Self::Shape,
        Self::NotPaper,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FileTooLarge => "R-101",
            Self::Unreadable => "R-102",
            Self::NoSuchPage => "R-103",
            Self::PageSize => "R-104",
            Self::Resolution => "R-105",
            Self::PixelCount => "R-106",
            Self::PictureKind => "R-107",
            Self::PictureBroken => "R-108",
            Self::Shape => "R-109",
            Self::NotPaper => "R-110",
        }
    }

    /// What happened, what to do, whom to ask.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::FileTooLarge => {
                "Berkas terlalu besar untuk diperiksa. Pindai ulang dengan 200 dpi atau unduh ulang dokumennya. Bila berulang, hubungi petugas TI."
            }
            Self::Unreadable => {
                "Halaman PDF ini tidak dapat ditampilkan. Unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit."
            }
            Self::NoSuchPage => {
                "Halaman yang diminta tidak ada di dokumen ini. Periksa nomor halamannya. Bila ragu, hubungi petugas TI."
            }
            Self::PageSize => {
                "Ukuran halaman dokumen ini bukan ukuran kertas yang dilayani (paling besar A3). Minta dokumen dalam ukuran A4. Bila berulang, hubungi dinas penerbit."
            }
            Self::Resolution => {
                "Ketajaman gambar yang diminta di luar batas. Gunakan 36 sampai 600 dpi. Bila ragu, hubungi petugas TI."
            }
            Self::PixelCount => {
                "Gambar terlalu besar atau kosong. Pindai ulang dengan 200 sampai 300 dpi. Bila berulang, hubungi petugas TI."
            }
            Self::PictureKind => {
                "Berkas ini bukan gambar PNG atau JPEG. Pindai ulang dan simpan sebagai JPEG. Bila ragu, hubungi petugas."
            }
            Self::PictureBroken => {
                "Gambar ini rusak atau tidak utuh. Pindai atau foto ulang kertasnya. Bila berulang, hubungi petugas TI."
            }
            Self::Shape => {
                "Gambar hasil tidak dapat dibuat karena kesalahan program. Ulangi sekali lagi. Bila berulang, hubungi petugas TI."
            }
            Self::NotPaper => {
                "Ini dokumen elektroniknya, bukan hasil pindai kertas. Pindai kertasnya; dokumen elektronik diperiksa di 'Periksa dokumen'. Bila ragu, hubungi petugas TI."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_sentence_that_says_whom_to_ask() {
        let codes: BTreeSet<_> = RasterError::ALL.iter().map(|it| it.code()).collect();
        assert_eq!(codes.len(), RasterError::ALL.len());
        for error in RasterError::ALL {
            assert!(error.sentence().contains("hubungi"), "{error:?}");
        }
    }
}
