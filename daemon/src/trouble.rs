//! What loketd says to the person at the machine when something does not go: a stable code, an Indonesian sentence that
//! says what happened, what to do and whom to ask, and the exit code.
//!
//! `C` are answers at the officer's door, `L` are answers of the command line. Refusals of the print desk (`P`) and
//! findings of the verifier (`V`) have their codes where they are decided; docs/codes.md lists every family.

use loket_domain::print::Refusal;

use crate::exit::Exit;

macro_rules! troubles {
    ($($name:ident $id:literal $exit:ident $sentence:literal,)+) => {
        /// What went wrong; codes are never used again for another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Trouble {
            $(#[doc = concat!("`", $id, "`: ", $sentence)] $name,)+
        }

        impl Trouble {
            /// Every one, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// What happened, what to do, whom to ask; Indonesian.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }

            /// How a command ends that meets it.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)+ }
            }
        }
    };
}

troubles! {
    RequestGarbled "C-101" Negative "Permintaan tidak dipahami. Periksa perintahnya. Bila berulang, hubungi petugas TI.",
    OfficerName "C-102" Negative "Nama petugas harus 1 sampai 40 huruf, tanpa nomor panjang. Ulangi dengan --by NAMA. Bila ragu, hubungi petugas TI.",
    NotKept "C-103" Negative "Perintah belum tersimpan atau daftar belum dapat dibaca. Coba lagi. Bila berulang, hubungi petugas TI.",
    PrinterNotHere "C-104" Negative "Printer itu tidak ada di pengaturan mesin ini. Pilih alamat dari 'loketd devices'. Bila printer baru, hubungi petugas TI.",
    DocumentTooLarge "C-105" Negative "Berkas lebih besar dari 8 MiB. Unduh ulang dokumen aslinya. Bila tetap terlalu besar, hubungi petugas TI.",
    DocumentCut "C-106" Negative "Berkas tidak diterima utuh. Coba lagi. Bila berulang, hubungi petugas TI.",
    DocumentNotTaken "C-107" Negative "Berkas belum diterima. Coba lagi. Bila berulang, hubungi petugas TI.",
    ScanTooLarge "C-108" Negative "Hasil pindaian lebih besar dari 16 MiB. Pindai ulang dengan 200 dpi, simpan sebagai JPEG. Bila ragu, hubungi petugas TI.",
    PaperAlone "C-109" Unavailable "Mesin ini belum terdaftar di pusat, sehingga kertas tidak dapat dicocokkan. Daftarkan mesin ini dulu. Hubungi petugas TI.",
    PaperNoCode "C-110" Unsure "Kode QR pada kertas tidak terbaca, sehingga catatan cetaknya tidak dapat dicari. Pindai ulang dengan lebih jelas, atau sebutkan nomor pekerjaannya dengan --job. Bila ragu, hubungi petugas TI.",
    PaperNoRecord "C-111" Unsure "Pusat tidak menyimpan catatan cetak kertas ini: mungkin dicetak di tempat lain atau masa simpannya lewat. Anggap belum dapat dipastikan; periksa dokumen elektroniknya. Bila ragu, hubungi dinas penerbit.",
    PaperNoCentral "C-112" Unavailable "Pusat tidak dapat dihubungi, sehingga catatan cetaknya tidak dapat diminta. Periksa jaringan, lalu ulangi. Bila berulang, hubungi petugas TI.",
    PaperBroken "C-113" Bug "Catatan cetak kertas ini tidak dapat dibaca. Anggap belum dapat dipastikan; periksa dokumen elektroniknya. Hubungi petugas TI.",
    PaperBusy "C-115" Busy "Mesin sedang mencocokkan kertas lain. Tunggu satu menit, lalu ulangi. Bila lama, hubungi petugas TI.",
    PaperManySheets "C-116" Negative "Berkas hasil pindai berisi lebih dari satu halaman. Pindai satu lembar saja, lalu ulangi. Bila ragu, hubungi petugas TI.",
    PaperExpired "C-117" Unsure "Masa simpan catatan cetak kertas ini di pusat sudah lewat. Anggap belum dapat dipastikan; periksa dokumen elektroniknya. Bila ragu, hubungi dinas penerbit.",
    PaperNotCompared "C-118" Unsure "Pencocokan berhenti sebelum selesai. Pindai ulang dengan 200 dpi, lalu ulangi. Bila berulang, hubungi petugas TI.",
    ReportTooLong "C-119" Negative "Dokumen pada hari itu terlalu banyak untuk satu laporan. Minta laporannya dari pusat. Hubungi petugas TI.",
    ReportNotMade "C-120" Negative "Laporan belum dapat dibuat karena catatan mesin tidak terbaca. Coba lagi. Bila berulang, hubungi petugas TI.",
    NoTicketPrinter "C-121" Negative "Pengaturan mesin ini tidak menyebut printer tiket. Tulis alamatnya di bagian ticket_printer pengaturan, lalu nyalakan ulang loketd. Hubungi petugas TI.",

    SettingsUnreadable "L-101" Unreadable "Berkas pengaturan tidak dapat dibaca. Periksa nama dan hak bacanya, atau sebutkan dengan --config. Bila ragu, hubungi petugas TI.",
    SettingsWrong "L-102" Config "Pengaturan salah. Perbaiki bagian yang disebut di rincian, lalu periksa dengan 'loketd check-config'. Bila ragu, hubungi petugas TI.",
    FileUnreadable "L-103" Unreadable "Berkas tidak dapat dibaca. Periksa nama dan hak bacanya. Bila ragu, hubungi petugas TI.",
    OutputClosed "L-104" Output "Hasil tidak dapat ditulis ke layar atau berkas. Periksa ruang disk atau tujuan keluarannya, lalu ulangi. Bila berulang, hubungi petugas TI.",
    FileUnwritable "L-105" State "Berkas hasil tidak dapat ditulis. Periksa map tujuan dan ruang disk. Bila ragu, hubungi petugas TI.",
    PrinterAddress "L-106" Usage "Alamat printer tidak dapat dipakai. Tulis seperti ipp://ALAMAT/ipp/print; printer ipps harus ada di pengaturan. Bila ragu, hubungi petugas TI.",
    TrustUnreadable "L-107" Config "Map sertifikat kepercayaan tidak dapat dibaca. Periksa map dan berkas yang disebut di rincian. Bila ragu, hubungi petugas TI.",
    TrustEmpty "L-108" Done "Map sertifikat kepercayaan tidak memuat sertifikat induk, sehingga tidak ada dokumen yang dapat dinyatakan sah. Taruh sertifikat induk di map itu. Hubungi petugas TI.",
    CommandLine "L-109" Usage "Perintah salah tulis atau belum lengkap, dan tidak ada yang dilakukan. Perbaiki bagian yang disebut di rincian; semua pilihan ada di 'loketd help'. Bila ragu, hubungi petugas TI.",
    PolicyUnusable "L-110" Config "Berkas aturan pemeriksaan tidak dapat dipakai, sehingga tidak ada dokumen yang diperiksa. Perbaiki bagian yang disebut di rincian. Bila ragu, hubungi petugas TI.",
    TrustBundleUnread "L-111" Done "Paket kepercayaan dari pusat belum ada atau tidak dapat dibaca akun ini, sehingga penilaian memakai map sertifikat saja, tanpa daftar pencabutan dari pusat. Jalankan dengan akun layanan loketd. Bila ragu, hubungi petugas TI.",
    CodesUnread "L-112" Done "Kode QR di halaman dokumen tidak dapat dibaca; putusan tentang tanda tangannya tetap berlaku. Ulangi dengan --qr. Bila berulang, hubungi petugas TI.",
    ProfilesUnusable "L-113" Config "Profil perangkat tidak dapat dipakai, sehingga printer belum dijalankan. Perbaiki berkas yang disebut di rincian, lalu periksa dengan 'loketd check-config'. Bila ragu, hubungi petugas TI.",
    SearchFailed "L-114" Unavailable "Printer di jaringan tidak dapat dicari. Periksa sambungan jaringan mesin ini, lalu ulangi; printer yang sudah ada di pengaturan tetap dipakai. Bila berulang, hubungi petugas TI.",
    AnswersUnusable "L-115" Done "Ada jawaban dari jaringan yang tidak dapat dipakai dan tidak ditampilkan. Bila printer yang dicari tidak muncul, tulis alamatnya sendiri di pengaturan. Bila berulang, hubungi petugas TI.",
    AnswersTooMany "L-116" Done "Jawaban dari jaringan terlalu banyak, sehingga hanya sebagian yang ditampilkan. Cari dari mesin di jaringan yang sama dengan printernya, dengan --interface. Bila berulang, hubungi petugas TI.",

    DaemonAway "L-201" Unavailable "Layanan loketd tidak berjalan. Minta petugas TI menyalakannya (systemctl start loketd), lalu ulangi.",
    DaemonDenied "L-202" Unavailable "Akun ini tidak boleh memakai layanan loketd. Masuk sebagai petugas, atau minta petugas TI memasukkan akun ini ke grup loket-officer.",
    DaemonSilent "L-203" Unavailable "Layanan loketd tidak menjawab tepat waktu. Tunggu satu menit, lalu lihat 'loketd jobs' sebelum mengulang. Bila berulang, hubungi petugas TI.",
    DaemonCut "L-204" Unavailable "Layanan loketd berhenti sebelum menjawab. Tunggu layanan hidup lagi, lalu lihat 'loketd jobs' sebelum mengulang. Bila berulang, hubungi petugas TI.",
    DaemonGarbled "L-205" Bug "Jawaban layanan loketd tidak dipahami. Pastikan perintah dan layanan dari versi yang sama. Hubungi petugas TI.",
    MaybeTaken "L-206" Unsure "Belum pasti apakah berkas sudah diterima loketd. Jangan cetak di tempat lain: lihat dulu 'loketd jobs'. Bila ragu, hubungi petugas TI.",
    StillOpen "L-207" Unsure "Pekerjaan cetak ini belum berakhir dan masih dapat keluar dari printer. Jangan cetak di tempat lain: lihat dulu 'loketd jobs'. Bila ragu, hubungi petugas TI.",
    TooLateToStop "L-208" Unsure "Sudah terlambat untuk membatalkan: dokumen sudah dikirim ke printer. Tunggu dan ambil kertasnya di printer, jangan cetak di tempat lain. Lihat 'loketd jobs'; bila ragu, hubungi petugas TI.",
    SheetUnknown "L-209" Unsure "Belum pasti apakah kertas keluar. Lihat printer, lalu jawab dengan 'loketd job answer NOMOR came-out|did-not|damaged --by NAMA'. Bila ragu, hubungi petugas TI.",
    NotPrinted "L-210" Negative "Dokumen tidak dicetak dan tidak ada kertas keluar. Untuk dokumen yang ditolak, lihat sebabnya dengan 'loketd verify BERKAS'. Bila ragu, hubungi petugas TI.",
    TicketNotPrinted "L-211" Negative "Tiket uji tidak dicetak. Perbaiki yang disebut di rincian pada printer tiketnya, lalu ulangi. Bila berulang, hubungi petugas TI.",
    TicketUnclear "L-212" Unsure "Belum pasti apakah tiket uji keluar utuh. Lihat printer tiketnya: rapikan gulungan kertas dan kabelnya, lalu ulangi. Bila berulang, hubungi petugas TI.",

    StateOfAnother "L-301" State "Map keadaan loketd milik akun lain; bila dipakai akun ini, layanan loketd tidak dapat membukanya lagi. Jalankan perintah yang disebut di bawah. Bila ragu, hubungi petugas TI.",
    StateLocked "L-302" Busy "Layanan loketd sedang memakai map keadaan, tetapi tidak dapat dihubungi. Tunggu sebentar lalu ulangi. Bila berulang, hubungi petugas TI.",
    JobsWaiting "L-303" Busy "Ada pekerjaan cetak lain yang belum selesai. Minta petugas TI menyalakan layanan (systemctl start loketd), lalu ulangi.",
    StateUnusable "L-304" State "Map keadaan loketd tidak dapat dipakai. Periksa ruang disk dan hak map itu. Hubungi petugas TI.",
    Fault "L-305" Bug "Ada kesalahan pada program loketd. Ulangi sekali lagi. Bila berulang, hubungi petugas TI dengan rincian di bawah.",

    IdentityBroken "L-401" Config "Identitas mesin ini rusak atau kuncinya tidak dapat dibuka. Jangan hapus apa pun. Hubungi petugas TI.",
    BundleRefused "L-402" Refused "Berkas identitas ditolak dan tidak dipasang; identitas lama tetap berlaku. Minta berkas baru untuk mesin ini dari pusat. Hubungi petugas TI pusat.",
}

/// What a refusal of the print desk means: what happened, what to do, whom to ask.
#[must_use]
pub const fn of_refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownJob => {
            "Pekerjaan cetak tidak ada di mesin ini. Periksa nomornya dengan 'loketd jobs'. Bila ragu, hubungi petugas TI."
        }
        Refusal::NotNow { .. } => {
            "Pekerjaan cetak tidak dalam keadaan yang membolehkan ini. Lihat 'loketd jobs'. Bila ragu, hubungi petugas TI."
        }
        Refusal::AlreadySending => {
            "Sudah terlambat: dokumen sedang dikirim ke printer. Tunggu hasilnya. Bila tidak kunjung keluar, hubungi petugas TI."
        }
        Refusal::PastNotAfter => {
            "Batas waktu cetak sudah lewat. Minta pusat mengirim ulang. Bila ragu, hubungi operator pusat."
        }
        Refusal::Stale => {
            "Keadaan sudah berubah. Lihat 'loketd jobs' lalu ulangi. Bila berulang, hubungi petugas TI."
        }
        Refusal::SayWhich { .. } => {
            "Pekerjaan ini pernah dijawab. Lihat lagi kertasnya, lalu sebut percobaan yang dimaksud. Bila ragu, hubungi petugas TI."
        }
        Refusal::LaneTaken => {
            "Printer masih punya pekerjaan, jadi lembar perawatannya tidak dicetak. Tidak perlu tindakan. Bila berulang, hubungi petugas TI."
        }
        Refusal::Replay => {
            "Nomor pekerjaan sudah dipakai. Jangan ulangi perintah ini. Hubungi petugas TI."
        }
    }
}

#[cfg(test)]
mod tests {
    use loket_kiosk_ui::words;

    use super::*;

    /// Lists one of each kind. The same lines are a match without a wildcard: a kind that is not listed does not
    /// compile.
    macro_rules! refusals {
        ($($kind:pat => $one:expr),+ $(,)?) => {
            const REFUSALS: &[Refusal] = &[$($one),+];

            const fn is_listed(refusal: Refusal) -> bool {
                match refusal {
                    $($kind => true),+
                }
            }
        };
    }

    refusals! {
        Refusal::UnknownJob => Refusal::UnknownJob,
        Refusal::NotNow { .. } => Refusal::NotNow { state: "held" },
        Refusal::AlreadySending => Refusal::AlreadySending,
        Refusal::PastNotAfter => Refusal::PastNotAfter,
        Refusal::Stale => Refusal::Stale,
        Refusal::Replay => Refusal::Replay,
        Refusal::SayWhich { .. } => Refusal::SayWhich { attempt: 1 },
        Refusal::LaneTaken => Refusal::LaneTaken,
    }

    const INTRODUCTION: &str = "# Codes

Each refusal and finding that a person can meet has a code that never changes its meaning, and a sentence in Indonesian
that says what happened, what to do and whom to ask. This page is made from the programs:
`LOKET_WRITE=1 cargo test -p loket-daemon codes` writes it, and a test compares it.

Nobody gives a code a second meaning: each family stands in its own files, which `cargo xtask tidy` compares with this
table. Families without sentences below are for the IT team and stand in logs, in central's API and console.

| family | given in | what it is about |
|---|---|---|
| `V` | `crates/verify/src/code.rs`, `crates/verify/src/report.rs` | findings about a signed document; below |
| `Q` | `crates/qr/src/rule.rs` | findings about a QR code: Q-101 to Q-107 what it holds, Q-111 to Q-115 a number for a host, Q-121 to Q-129 a look-alike, Q-131 to Q-133 user names and foreign letters, Q-141 to Q-148 other schemes, Q-151 to Q-153 no address, Q-161 to Q-172 hosts, Q-201 to Q-205 beside the document's codes, Q-301 to Q-304 reading; below |
| `P` | `crates/domain/src/print/command.rs` | refusals of a machine's print desk; below |
| `C-1` | `daemon/src/trouble.rs` | answers at the officer's door of a machine; below |
| `L` | `daemon/src/trouble.rs` | answers of loketd's command line; below |
| `K` | `kiosk-ui/src/words/trouble.rs` | what a page on site says in place of what was asked for: K-1, the form and its file; K-2, the judging; K-3, the match of paper; K-4, the account of a day; below |
| `J` | `daemon/src/supervisor/error.rs` | a machine's state folder: J-101, its disk is full; documents wait for room |
| `W` | `crates/wire/src/frame.rs`, `crates/wire/src/trust.rs`, `crates/wire/src/event.rs` | the frame of a message: W-101 too large, W-102 no frame, W-103 unknown version, W-104 its signature, W-105 it could not be signed; a trust bundle: W-106 too large, W-107 its signature, W-108 malformed, W-109 unknown version, W-110 it could not be signed |
| `M` | `daemon/src/unit/link/inbound.rs`, `daemon/src/unit/link/outbound.rs`, `daemon/src/trust.rs`, `crates/wire/src/event.rs` | a message that a machine set aside: M-101 unknown kind, M-102 malformed, M-103 for another machine, M-104 for another life of its journal, M-105 replay, M-106 it ended the program three times, M-107 a report that could not be sent, M-108 a trust bundle older than the one held, M-109 a trust bundle that cannot be taken |
| `C-2` | `central/src/dispatch/report.rs` | a report that central set aside: C-201 unknown kind, C-202 malformed, C-203 on another kind's topic |
| `S` | `crates/domain/src/dispatch/decide.rs`, `crates/store/src/sqlite/local.rs`, `crates/store/src/sqlite/reports.rs` | a report that central set aside: S-101 of a job that it does not know, S-102 of another machine's job, S-103 a key that is none, S-104 a text that cannot be stored, S-105 more of one job than any honest job has |
| `D` | `crates/domain/src/dispatch/decide.rs` | what the state of a job does not allow, a report or a wish: D-101 not to be offered, D-102 not due, D-103 its time ran out, D-104 no state of a machine's, D-105 it has ended, D-106 its machine lost it, D-107 it is not lost, D-108 its machine was not heard, D-109 its machine holds a copy, D-110 a sync that nobody asked for, D-111 its document is not served |
| `C-3` | `central/src/clock.rs` | central's clock: C-301 before the program was built, C-302 far ahead of what it last knew, C-303 behind it |
| `O` | `crates/wire/src/order.rs` | an order: O-101 version, O-102 machine or office, O-103 class, O-104 label, O-105 reason of a reprint, O-106 a line break in it, O-107 a personal number in it; the API answers with the words of the second part |
| `B` | `daemon/src/unit/link/brokers.rs`, `central/src/dispatch.rs` | brokers: B-101 in a machine's log, central was not at its broker for long and it goes to the next one; B-102 in central's log, console and `/api/v1/brokers`, central has no link to a broker |
| `E` | `provisioning/src/error.rs` | refusals of loket-provision, E-101 to E-120, each with its sentence; E-117 is given no more |
| `R` | `crates/paper/src/raster/error.rs`, `crates/paper/src/fingerprint.rs`, `crates/paper/src/compare.rs` | pages, pictures and the match of paper with what was printed: R-101 to R-110 no pixels, R-201 to R-205 no fingerprint, R-301 and R-302 no comparison, R-401 to R-404 a scan that tells nothing; below |

Central's answers have words for codes; the second part of this page lists them.

";

    /// Where central's part begins, which a test of central's compares and writes.
    const CENTRAL: &str = "\n## Central\n";

    fn page() -> String {
        let mut page = INTRODUCTION.to_owned();
        page.push_str("| code | weighs | meaning | sentence |\n|---|---|---|---|\n");
        for code in loket_verify::Code::ALL {
            let weight = match code.weight() {
                loket_verify::Weight::Note => "note",
                loket_verify::Weight::Indeterminate => "indeterminate",
                loket_verify::Weight::Invalid => "invalid",
            };
            let (id, text, sentence) = (code.id(), code.text(), code.sentence());
            page.push_str(&format!("| {id} | {weight} | {text} | {sentence} |\n"));
        }
        page.push_str("\n| code | says of a QR code | meaning | sentence |\n|---|---|---|---|\n");
        for rule in loket_qr::Rule::ALL {
            let class = rule
                .class()
                .map(|class| serde_json::to_value(class).unwrap());
            let class = class.as_ref().and_then(serde_json::Value::as_str);
            let (id, text, sentence) = (rule.id(), rule.text(), rule.sentence());
            let class = class.unwrap_or("-");
            page.push_str(&format!("| {id} | {class} | {text} | {sentence} |\n"));
        }
        page.push_str("\n| code | sentence |\n|---|---|\n");
        for (id, sentence) in loket_paper::sentences() {
            page.push_str(&format!("| {id} | {sentence} |\n"));
        }
        page.push_str("\n| code | exit | sentence |\n|---|---|---|\n");
        for refusal in REFUSALS.iter().copied() {
            let (id, sentence) = (refusal.code(), of_refusal(refusal));
            let exit = Exit::Negative.code();
            page.push_str(&format!("| {id} | {exit} | {sentence} |\n"));
        }
        for trouble in Trouble::ALL {
            let (id, sentence) = (trouble.id(), trouble.sentence().replace('|', "\\|"));
            let exit = trouble.exit().code();
            page.push_str(&format!("| {id} | {exit} | {sentence} |\n"));
        }
        page.push_str("\n| code | HTTP status | sentence |\n|---|---|---|\n");
        for trouble in words::Trouble::ALL.iter().copied() {
            let (id, status, said) = (trouble.id(), trouble.status(), words::say(trouble));
            let sentence = [said.happened, said.todo, said.ask].join(" ");
            page.push_str(&format!("| {id} | {status} | {sentence} |\n"));
        }
        page
    }

    #[test]
    fn the_page_of_codes_is_what_the_programs_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/codes.md");
        let kept = || {
            let kept = std::fs::read_to_string(path).unwrap();
            let at = kept.find(CENTRAL).unwrap();
            (kept[..at].to_owned(), kept[at..].to_owned())
        };
        if std::env::var_os("LOKET_WRITE").is_some() {
            std::fs::write(path, page() + &kept().1).unwrap();
        }
        assert_eq!(kept().0, page(), "docs/codes.md is out of date");
    }

    #[test]
    fn every_sentence_says_what_happened_and_what_to_do_and_whom_to_ask() {
        let said = Trouble::ALL.iter().map(|it| (it.id(), it.sentence()));
        let refused = REFUSALS.iter().map(|it| (it.code(), of_refusal(*it)));
        for (code, sentence) in said.chain(refused) {
            assert!(sentence.contains(". "), "{code} has one sentence alone");
            assert!(sentence.ends_with('.') && !sentence.contains("failed"));
            let asks = ["hubungi", "Hubungi", "Minta", "minta"];
            assert!(asks.iter().any(|word| sentence.contains(word)), "{code}");
        }
    }

    #[test]
    fn every_code_has_one_meaning() {
        let ids: Vec<_> = Trouble::ALL.iter().map(|it| it.id()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.is_sorted());
        let refusals: Vec<_> = REFUSALS.iter().map(|it| it.code()).collect();
        assert!(
            refusals.is_sorted_by(|one, next| one < next),
            "{refusals:?}"
        );
        assert!(REFUSALS.iter().all(|it| is_listed(*it)));
    }
}
