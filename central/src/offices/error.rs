//! Why an offices file cannot be used, and what people are told of one that changed for the worse.

use std::path::PathBuf;

use loket_domain::dispatch::CalendarError;
use loket_wire::OfficeId;
use thiserror::Error;

use super::MAX_OFFICES_BYTES;

/// Why the offices cannot be used.
#[derive(Debug, Error)]
pub enum OfficesError {
    /// The file could not be read.
    #[error("read the offices file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than such files are.
    #[error("read the offices file: {size_bytes} bytes, more than {MAX_OFFICES_BYTES}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// Not TOML of this shape.
    #[error("understand the offices file {}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Another version than 1.
    #[error("understand the offices file: version {version} is not known, 1 is")]
    Version {
        /// Version met.
        version: u16,
    },
    /// Two entries of one id for the same day.
    #[error("accept the offices file: {office} stands there twice for the same valid_from")]
    Twice {
        /// The office.
        office: OfficeId,
    },
    /// An office whose calendar cannot be.
    #[error("accept the offices file: the calendar of {office}")]
    Calendar {
        /// The office.
        office: OfficeId,
        /// Why.
        #[source]
        source: CalendarError,
    },
}

/// Why a changed file is not used: a stable code, and what happened, what to do, whom to ask.
pub(crate) const FILE_FAULTS: [(&str, &str); 6] = [
    (
        "OfficesUnreadable",
        "Berkas kantor (offices.toml) tidak dapat dibaca, jadi aturan terakhir yang baik tetap dipakai. Kembalikan berkasnya dan periksa hak bacanya. Bila ragu, hubungi tim TI pusat.",
    ),
    (
        "OfficesTooLarge",
        "Berkas kantor (offices.toml) terlalu besar, jadi aturan terakhir yang baik tetap dipakai. Periksa apakah berkasnya benar. Bila ragu, hubungi tim TI pusat.",
    ),
    (
        "OfficesSyntax",
        "Berkas kantor (offices.toml) salah tulis, jadi aturan terakhir yang baik tetap dipakai. Perbaiki baris yang disebut di log pusat. Bila ragu, hubungi tim TI pusat.",
    ),
    (
        "OfficesVersion",
        "Versi berkas kantor (offices.toml) tidak dikenal, jadi aturan terakhir yang baik tetap dipakai. Pakai versi 1, atau perbarui pusat. Bila ragu, hubungi tim TI pusat.",
    ),
    (
        "OfficesTwice",
        "Ada kantor yang tertulis dua kali untuk hari mulai yang sama di offices.toml, jadi aturan terakhir yang baik tetap dipakai. Hapus salah satunya atau ubah valid_from. Bila ragu, hubungi tim TI pusat.",
    ),
    (
        "OfficesCalendar",
        "Tanggal atau hari kerja di offices.toml tidak mungkin, jadi aturan terakhir yang baik tetap dipakai. Perbaiki kantor yang disebut di log pusat. Bila ragu, hubungi tim TI pusat.",
    ),
];

impl OfficesError {
    /// The stable code; and what happened, what to do, whom to ask.
    pub(crate) const fn told(&self) -> (&'static str, &'static str) {
        let [unreadable, too_large, syntax, version, twice, calendar] = FILE_FAULTS;
        match self {
            Self::Unreadable { .. } => unreadable,
            Self::TooLarge { .. } => too_large,
            Self::Syntax { .. } => syntax,
            Self::Version { .. } => version,
            Self::Twice { .. } => twice,
            Self::Calendar { .. } => calendar,
        }
    }
}
