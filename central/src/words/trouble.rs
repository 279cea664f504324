//! What people read for each bound that a machine says it crossed, and what they should do.

/// A bound in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TroubleWords<'a> {
    /// What happened.
    pub(crate) what: &'a str,
    /// What to do.
    pub(crate) step: &'static str,
    /// Whether work stops, or is about to.
    pub(crate) is_severe: bool,
}

impl TroubleWords<'_> {
    /// What happened and what to do.
    pub(crate) fn sentence(&self) -> String {
        format!("{}; {}", self.what, self.step)
    }
}

/// Every bound of this version, for the page of codes.
pub(crate) const TROUBLES: [(&str, TroubleWords<'static>); 12] = [
    (
        "disk-full",
        TroubleWords {
            what: "disk mesin penuh, pencetakan akan berhenti",
            step: "kosongkan disk mesin itu sekarang",
            is_severe: true,
        },
    ),
    (
        "certificate-ended",
        TroubleWords {
            what: "sertifikat mesin sudah berakhir",
            step: "daftarkan ulang mesin ini dengan loket-provision",
            is_severe: true,
        },
    ),
    (
        "disk-low",
        TroubleWords {
            what: "ruang disk mesin menipis",
            step: "hapus berkas yang tidak perlu di mesin itu",
            is_severe: false,
        },
    ),
    (
        "spool-high",
        TroubleWords {
            what: "dokumen menumpuk di mesin",
            step: "periksa printernya dan pekerjaan yang menunggu petugas",
            is_severe: false,
        },
    ),
    (
        "clock-untrusted",
        TroubleWords {
            what: "jam mesin belum dapat dipercaya",
            step: "tunggu sampai tersambung; bila menetap, ganti baterai jamnya",
            is_severe: false,
        },
    ),
    (
        "clock-off",
        TroubleWords {
            what: "jam mesin meleset dari jam pusat",
            step: "setel jamnya dan nyalakan penyamaan waktu (NTP)",
            is_severe: false,
        },
    ),
    (
        "certificate-ends-soon",
        TroubleWords {
            what: "sertifikat mesin segera berakhir",
            step: "perbarui dengan loket-provision sebelum berakhir",
            is_severe: false,
        },
    ),
    (
        "trust-ended",
        TroubleWords {
            what: "daftar pencabutan sertifikat di mesin sudah kedaluwarsa, dokumen asli pun dapat tertahan",
            step: "taruh daftar terbaru di map kepercayaan pusat, lalu lihat apakah mesin ini mengambilnya",
            is_severe: true,
        },
    ),
    (
        "trust-broken",
        TroubleWords {
            what: "map kepercayaan di mesin rusak, dokumen dinilai menurut isi terakhir yang baik",
            step: "perbaiki berkas yang disebut 'loketd devices' di mesin itu",
            is_severe: true,
        },
    ),
    (
        "trust-old",
        TroubleWords {
            what: "paket kepercayaan di mesin sudah lama tidak diperbarui",
            step: "periksa sambungan mesin ini ke pusat",
            is_severe: false,
        },
    ),
    (
        "records-refused",
        TroubleWords {
            what: "catatan cetak di mesin ini tidak dapat dibuka pusat, mungkin kunci auditnya diganti",
            step: "pasang lagi kunci audit yang lama; bila sudah hilang, jalankan 'loketd records --forget' di mesin itu",
            is_severe: false,
        },
    ),
    (
        "inspector-missing",
        TroubleWords {
            what: "program loket-inspector tidak ada di mesin ini, dokumen yang dibawa warga tidak dapat diperiksa",
            step: "pasang ulang paket loketd di mesin itu",
            is_severe: true,
        },
    ),
];

/// The words for a keyword of a heartbeat; one from a newer machine is shown as it came.
pub(crate) fn trouble(keyword: &str) -> TroubleWords<'_> {
    let known = TROUBLES.into_iter().find(|(name, _words)| *name == keyword);
    known.map_or(
        TroubleWords {
            what: keyword,
            step: "perbarui pusat agar artinya terbaca, dan periksa mesin ini",
            is_severe: false,
        },
        |(_name, words)| words,
    )
}

#[cfg(test)]
mod tests {
    use loket_domain::health::Trouble;

    use super::*;

    #[test]
    fn every_bound_that_a_machine_can_cross_has_words() {
        let bounds = [
            Trouble::DiskLow,
            Trouble::DiskFull,
            Trouble::SpoolHigh,
            Trouble::ClockUntrusted,
            Trouble::ClockOff,
            Trouble::CertificateEndsSoon,
            Trouble::CertificateEnded,
            Trouble::TrustOld,
            Trouble::TrustEnded,
            Trouble::RecordsRefused,
            Trouble::TrustBroken,
            Trouble::InspectorMissing,
        ];
        for bound in bounds {
            assert_ne!(trouble(bound.keyword()).what, bound.keyword());
        }
        assert_eq!(bounds.len(), TROUBLES.len());
        let newer = trouble("fan-stuck");
        assert!(newer.sentence().starts_with("fan-stuck; "));
    }
}
