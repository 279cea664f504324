//! Every text of the pages: plain Indonesian, short sentences, no blame; what happened, what to do, whom to ask.

use loket_verify::{Code, Weight};

use crate::ports::{RegionKind, SheetVerdict, Verdict};

pub mod printer;
mod trouble;

pub use trouble::{Said, Trouble, say, say_officer};

/// How a verdict is shown: never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The large word.
    pub word: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// Class of the style sheet, which also chooses the icon.
    pub tone: &'static str,
}

/// The word of a verdict.
#[must_use]
pub const fn verdict(verdict: Verdict) -> Shown {
    match verdict {
        Verdict::Valid => Shown {
            word: "ASLI",
            meaning: "Dokumen ini tidak berubah sejak ditandatangani.",
            tone: "good",
        },
        Verdict::Indeterminate => Shown {
            word: "BELUM DAPAT DIPASTIKAN",
            meaning: "Ini bukan berarti palsu.",
            tone: "wait",
        },
        Verdict::Invalid => Shown {
            word: "TIDAK SAH",
            meaning: "Dokumen ini tidak dapat dipakai.",
            tone: "bad",
        },
    }
}

/// Paper that was photographed or scanned.
pub const PAPER: Shown = Shown {
    word: "INI FOTO ATAU HASIL PINDAI",
    meaning: "Tanda tangan elektronik hanya ada di berkas PDF, tidak di kertas.",
    tone: "wait",
};

/// The answer on a sheet of paper.
#[must_use]
pub const fn paper(verdict: SheetVerdict) -> Shown {
    match verdict {
        SheetVerdict::Same => Shown {
            word: "SAMA",
            meaning: "Kertas ini sama dengan yang dicetak.",
            tone: "good",
        },
        SheetVerdict::Different => Shown {
            word: "BERBEDA",
            meaning: "Kertas ini tidak sama dengan yang dicetak.",
            tone: "bad",
        },
        SheetVerdict::CannotTell => Shown {
            word: "BELUM DAPAT DIPASTIKAN",
            meaning: "Ini bukan berarti palsu.",
            tone: "wait",
        },
    }
}

/// What an officer does with a sheet that is as it was printed.
pub const PAPER_SAME: &[&str] = &[
    "Kertasnya cocok dengan catatan cetak.",
    "Ini bukan status terbaru dokumennya. Periksa itu tersendiri.",
];

/// What an officer does with a sheet that differs.
pub const PAPER_DIFFERENT: &[&str] = &[
    "Lihat setiap bagian di bawah, bandingkan kedua gambarnya.",
    "Cap, lipatan, atau coretan juga ditandai. Isi dokumen belum tentu berubah.",
    "Isinya berubah? Jangan terima kertasnya, hubungi dinas penerbit.",
];

/// What an officer does with a sheet of which nothing is known.
pub const PAPER_UNSURE: &[&str] = &[
    "Jangan tolak kertas ini hanya karena hasil ini.",
    "Periksa dokumen elektroniknya.",
    "Bila ragu, hubungi dinas penerbit.",
];

/// What differs at a place.
#[must_use]
pub const fn place(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Missing => "ada yang hilang",
        RegionKind::Added => "ada yang ditambahkan",
        RegionKind::Changed => "ada yang diubah",
    }
}

/// Why, in the words of a resident.
#[must_use]
pub fn why(verdict: Verdict, code: Code) -> &'static str {
    match (verdict, code.weight()) {
        (Verdict::Valid, _) | (_, Weight::Note) => "",
        (Verdict::Invalid | Verdict::Indeterminate, Weight::Invalid) => why_invalid(code),
        (Verdict::Invalid | Verdict::Indeterminate, Weight::Indeterminate) => why_unsure(code),
    }
}

/// The first digit of a code says what it is about.
fn is_about(code: Code, family: &str) -> bool {
    code.id().starts_with(family)
}

fn why_invalid(code: Code) -> &'static str {
    if code == Code::Unsigned {
        "Dokumen ini tidak bertanda tangan elektronik."
    } else if is_about(code, "V-1") {
        "Berkas ini rusak atau bukan berkas aslinya."
    } else if code == Code::DigestMismatch || is_about(code, "V-6") {
        "Dokumen ini berubah sesudah ditandatangani."
    } else if matches!(code, Code::SignatureBroken | Code::SignerBinding) {
        "Tanda tangannya bukan dari pejabat yang tertera."
    } else if is_about(code, "V-3") {
        "Tanda tangan elektroniknya rusak."
    } else {
        "Tanda tangannya tidak melindungi seluruh isi dokumen."
    }
}

fn why_unsure(code: Code) -> &'static str {
    if code == Code::Encrypted {
        "Dokumen ini terkunci kata sandi."
    } else if matches!(code, Code::NoChain | Code::NoAnchors) {
        "Penanda tangannya belum dikenal di mesin ini."
    } else if code == Code::SignerStranger {
        "Penanda tangannya bukan pejabat yang dikenal kantor ini."
    } else if matches!(code, Code::OutOfValidity | Code::EndedUnrevoked) {
        "Masa berlaku sertifikat penanda tangan tidak cocok."
    } else if matches!(
        code,
        Code::Revoked | Code::RevokedKey | Code::RevokedAuthority
    ) {
        "Sertifikat penanda tangannya sudah dicabut."
    } else if matches!(code, Code::TooLarge | Code::TooComplex) {
        "Dokumen ini terlalu besar untuk diperiksa di sini."
    } else if is_about(code, "V-4") {
        "Sertifikat penanda tangannya belum dapat dipastikan."
    } else if is_about(code, "V-5") {
        "Waktu tanda tangannya belum dapat dipastikan."
    } else if is_about(code, "V-6") {
        "Isi dokumen ini dapat terlihat berbeda di tempat lain."
    } else {
        "Mesin ini belum dapat memeriksa dokumen seperti ini."
    }
}

/// What a resident does now.
#[must_use]
pub fn todo(verdict: Verdict, code: Option<Code>) -> &'static [&'static str] {
    match verdict {
        Verdict::Valid => &[
            "Simpan berkas PDF ini baik-baik.",
            "Ingin tahu ini yang terbaru? Tanya petugas loket.",
        ],
        Verdict::Indeterminate => &[
            "Bawa dokumen ini ke loket.",
            "Sebutkan kode di bawah kepada petugas.",
        ],
        // What a scanner makes of paper comes as a PDF as well.
        Verdict::Invalid if code == Some(Code::Unsigned) => &[
            "Punya berkas PDF aslinya? Periksa berkas itu.",
            "Hanya punya kertas? Keaslian kertas lewat aplikasi IKD.",
            "Belum punya IKD? Tanya petugas loket.",
        ],
        Verdict::Invalid => &[
            "Jangan pakai dokumen ini.",
            "Ambil berkas aslinya lagi dari pesan Dukcapil.",
            "Tetap begini? Tanya petugas loket.",
        ],
    }
}

/// What an officer does now: a person stands at the counter and waits for it.
#[must_use]
pub const fn officer_todo(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "Boleh dipakai. Apakah ini versi terbaru, tetap dicek di tempat lain.",
        Verdict::Indeterminate => {
            "Jangan dicetak dulu. Baca temuan di bawah. Bila ragu, sebutkan kodenya kepada petugas TI."
        }
        Verdict::Invalid => {
            "Jangan dipakai, jangan dicetak. Minta warga membawa berkas asli dari pesan Dukcapil. Bila berulang, hubungi petugas TI."
        }
    }
}

/// What an officer does with paper.
pub const OFFICER_PAPER: &str = "Minta berkas PDF aslinya, lalu periksa berkas itu. Hanya ada kertas? Keasliannya lewat aplikasi IKD.";

/// The trust folder of this machine is broken.
pub const TRUST_LAST_GOOD: &str = "Map kepercayaan di mesin ini rusak. Dokumen dinilai menurut isi terakhir yang baik. Beri tahu petugas TI.";

/// What a resident with paper does now.
pub const PAPER_ADVICE: &[&str] = &[
    "Punya berkas PDF-nya? Periksa berkas itu.",
    "Tidak punya? Keaslian kertas hanya lewat aplikasi IKD.",
    "Belum punya IKD? Tanya petugas loket.",
];

/// What the QR codes on paper say, for a resident.
#[must_use]
pub const fn qr(leads: crate::ports::Leads) -> &'static str {
    match leads {
        crate::ports::Leads::Official => {
            "QR terbaca. Alamatnya resmi, tetapi itu belum bukti keaslian."
        }
        crate::ports::Leads::Elsewhere => {
            "QR terbaca. Alamatnya TIDAK resmi. Jangan buka alamat itu."
        }
        crate::ports::Leads::Nowhere => "QR terbaca. Isinya bukan alamat resmi.",
    }
}

/// Paper on which no QR code was found.
pub const NO_QR: &str = "Tidak ada kode QR yang terbaca.";

/// A document of which nothing may be printed.
pub const NO_REVISION: &str = "tidak ada: dokumen ini tidak boleh dicetak";

/// Whose word the time of signing is, for an officer.
#[must_use]
pub const fn whose_time(is_stamped: bool) -> &'static str {
    if is_stamped {
        "menurut stempel waktu yang sah"
    } else {
        "menurut penanda tangan sendiri"
    }
}

/// The verifier's word for one thing, as an officer reads it; a word that is not known here stands as it is.
#[must_use]
pub fn of_report(word: &str) -> &str {
    match word {
        "document" => "seluruh dokumen",
        "revision" => "satu revisi dokumen",
        "unclear" | "unknown" => "tidak dapat ditentukan",
        "none" => "tidak ada tambahan sesudahnya",
        "archived" => "hanya bukti tanda tangan yang ditambahkan",
        "signed_again" => "ditandatangani lagi sesudahnya",
        "altered" => "DIUBAH sesudah ditandatangani",
        "signature_time_stamp" => "stempel waktu pada tanda tangan",
        "document_time_stamp" => "stempel waktu pada dokumen",
        "crl" => "daftar pencabutan",
        "ocsp" => "jawaban OCSP",
        _ => word,
    }
}

/// Where revocation data comes from.
#[must_use]
pub fn source(word: &str) -> &str {
    match word {
        "trust_store" => "mesin ini",
        "document" => "dokumen ini",
        _ => word,
    }
}

/// How old revocation data is.
#[must_use]
pub fn age(seconds: u64) -> String {
    let (hours, days) = (seconds / 3_600, seconds / 86_400);
    if days > 1 {
        format!("{days} hari")
    } else if hours > 0 {
        format!("{hours} jam")
    } else {
        "kurang dari satu jam".to_owned()
    }
}

/// What one revision did.
#[must_use]
pub fn revision_change(added: usize, overridden: usize, freed: usize) -> String {
    format!("{added} bagian ditambah, {overridden} diganti, {freed} dihapus")
}

/// How much a finding weighs, for an officer.
#[must_use]
pub const fn weight(weight: Weight) -> (&'static str, &'static str) {
    match weight {
        Weight::Note => ("catatan", "note"),
        Weight::Indeterminate => ("belum pasti", "wait"),
        Weight::Invalid => ("tidak sah", "bad"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The longest sentence that somebody reads at a glance, in words.
    const MAX_WORDS: usize = 12;

    fn assert_plain(text: &str) {
        for sentence in text.split_inclusive(['.', '?']).map(str::trim) {
            let count = sentence.split_whitespace().count();
            assert!(count <= MAX_WORDS, "{count} words: {sentence}");
        }
        assert!(text.ends_with(['.', '?']), "{text}");
    }

    #[test]
    fn every_trouble_has_a_code_of_its_own_in_rising_order() {
        let ids: Vec<_> = Trouble::ALL.iter().map(|it| it.id()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(Trouble::ALL.iter().all(|it| it.status() >= 400));
    }

    #[test]
    fn every_trouble_says_in_short_sentences_what_happened_what_to_do_and_whom_to_ask() {
        for trouble in Trouble::ALL {
            let said = say(*trouble);
            for text in [said.happened, said.todo, said.ask] {
                assert_plain(text);
            }
            assert!(said.ask.contains("petugas"), "{}", trouble.id());
            let said = say_officer(*trouble);
            for text in [said.happened, said.todo, said.ask] {
                assert_plain(text);
                assert!(!text.contains("ke loket") && !text.contains("petugas loket"));
            }
        }
    }

    #[test]
    fn every_finding_has_a_reason_in_short_words() {
        for code in Code::ALL {
            let why = why(Verdict::Invalid, *code);
            match code.weight() {
                Weight::Note => assert_eq!(why, ""),
                Weight::Indeterminate | Weight::Invalid => assert_plain(why),
            }
        }
        for verdict in [Verdict::Valid, Verdict::Indeterminate, Verdict::Invalid] {
            for code in [None, Some(Code::Unsigned)] {
                todo(verdict, code)
                    .iter()
                    .for_each(|text| assert_plain(text));
            }
            assert_plain(super::verdict(verdict).meaning);
            assert_plain(officer_todo(verdict));
        }
        assert_plain(OFFICER_PAPER);
        assert_plain(TRUST_LAST_GOOD);
        for advice in [PAPER_ADVICE, PAPER_SAME, PAPER_DIFFERENT, PAPER_UNSURE] {
            advice.iter().for_each(|text| assert_plain(text));
        }
        for verdict in [
            SheetVerdict::Same,
            SheetVerdict::Different,
            SheetVerdict::CannotTell,
        ] {
            assert_plain(paper(verdict).meaning);
        }
    }

    #[test]
    fn what_is_not_known_is_never_called_false() {
        let shown = verdict(Verdict::Indeterminate);
        assert_eq!(shown.tone, "wait");
        for code in Code::ALL {
            if code.weight() == Weight::Indeterminate {
                let why = why(Verdict::Indeterminate, *code).to_lowercase();
                assert!(
                    !why.contains("palsu") && !why.contains("tidak sah"),
                    "{why}"
                );
            }
        }
    }
}
