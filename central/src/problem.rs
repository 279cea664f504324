//! What central says when it says no: a status, a stable code, an Indonesian sentence, and details that name no one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loket_wire::order::OrderError;
use serde_json::{Value, json};

/// A refusal or fault as people and programs at the doors see it.
///
/// An answer made of it carries it as an extension, so that the outermost layer can say the same as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: Value,
}

macro_rules! codes {
    ($($name:ident $status:ident $message:literal,)+) => {
        /// The stable codes of central's doors. The name is the code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $message] $name,)+
        }

        impl Code {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What happened, what to do now, whom to ask.
            pub(crate) const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }
        }
    };
}

codes! {
    RequestMalformed BAD_REQUEST "Permintaan tidak dapat dibaca. Kirim menurut petunjuk API: dokumen sebagai multipart/form-data dengan bagian 'document' dan 'order', lainnya sebagai JSON. Bila berulang, hubungi tim TI pusat.",
    FormMalformed BAD_REQUEST "Isian formulir tidak dapat dibaca. Muat ulang halaman lalu isi lagi. Bila berulang, hubungi tim TI pusat.",
    ForeignForm FORBIDDEN "Permintaan ini tidak berasal dari halaman Loket Pusat, jadi tidak dijalankan. Buka halaman depan lalu ulangi dari sana. Bila berulang, hubungi tim TI pusat.",
    MethodNotAllowed METHOD_NOT_ALLOWED "Alamat ini tidak melayani cara permintaan itu. Periksa petunjuk API. Bila ragu, hubungi tim TI pusat.",
    BodyTooLarge PAYLOAD_TOO_LARGE "Kiriman terlalu besar untuk alamat ini. Periksa isinya dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    RequestTooSlow REQUEST_TIMEOUT "Permintaan tidak selesai dalam batas waktu. Periksa jaringan lalu coba lagi. Bila berulang, hubungi tim TI pusat.",
    DocumentMissing UNPROCESSABLE_ENTITY "Berkas PDF tidak ada dalam kiriman. Sertakan PDF pada bagian 'document'. Bila berulang, hubungi tim TI pusat.",
    OrderMissing UNPROCESSABLE_ENTITY "Perintah cetak tidak ada dalam kiriman. Sertakan JSON pada bagian 'order'. Bila berulang, hubungi tim TI pusat.",
    DocumentTooLarge PAYLOAD_TOO_LARGE "Dokumen lebih besar dari 8 MiB. Unduh ulang dokumen aslinya dari SIAK dan kirim lagi. Bila tetap terlalu besar, hubungi tim TI pusat.",
    OrderTooLarge PAYLOAD_TOO_LARGE "Perintah cetak lebih besar dari 64 KiB. Periksa isinya dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    OrderMalformed UNPROCESSABLE_ENTITY "Perintah cetak tidak sesuai bentuk yang ditetapkan. Perbaiki menurut order.schema.json dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderUnknownKey UNPROCESSABLE_ENTITY "Perintah cetak memuat kunci yang tidak dikenal. Hapus kunci itu dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderVersion UNPROCESSABLE_ENTITY "Versi perintah cetak tidak dikenal. Gunakan versi 1 dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderTarget UNPROCESSABLE_ENTITY "Tujuan cetak tidak jelas. Isi tepat satu dari 'machine' atau 'office' dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderOwnClass UNPROCESSABLE_ENTITY "Kelas 'own' hanya untuk kertas yang dibuat Loket sendiri. Gunakan kelas 'controlled'. Bila ragu, hubungi tim TI pusat.",
    OrderLabel UNPROCESSABLE_ENTITY "Label terlalu panjang atau memuat karakter kendali. Tulis paling banyak 60 karakter dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderReprintReason UNPROCESSABLE_ENTITY "Alasan cetak ulang kosong atau terlalu panjang. Tulis 1 sampai 200 karakter dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderReprintReasonControl UNPROCESSABLE_ENTITY "Alasan cetak ulang memuat ganti baris atau karakter kendali. Tulis dalam satu baris dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderReprintReasonNumber UNPROCESSABLE_ENTITY "Alasan cetak ulang memuat 16 angka berurutan, seperti NIK atau nomor KK. Hapus nomor itu dan kirim lagi. Bila ragu, hubungi tim TI pusat.",
    OrderReprintUnknown UNPROCESSABLE_ENTITY "Pekerjaan yang hendak dicetak ulang tidak sesuai. Sebutkan pekerjaan yang memuat dokumen ini. Bila ragu, hubungi operator pusat.",
    OrderExpired UNPROCESSABLE_ENTITY "Batas waktu perintah cetak sudah lewat. Isi 'not_after' dengan waktu yang akan datang dan kirim lagi. Bila ragu, hubungi operator pusat.",
    ReleaseUnsupported UNPROCESSABLE_ENTITY "Pelepasan dengan kode ambil belum dilayani. Gunakan 'officer' atau 'now'. Bila ragu, hubungi tim TI pusat.",
    MachineUnknown UNPROCESSABLE_ENTITY "Mesin tujuan belum terdaftar. Periksa nama mesin, atau daftarkan dahulu. Hubungi tim TI pusat.",
    OfficeUnknown UNPROCESSABLE_ENTITY "Kantor tujuan tidak dikenal atau belum punya mesin bawaan. Periksa daftar kantor. Hubungi tim TI pusat.",
    SignatureInvalid UNPROCESSABLE_ENTITY "Tanda tangan elektronik dokumen tidak sah. Jangan dicetak; unduh ulang dokumen asli dari SIAK. Bila tetap tidak sah, hubungi dinas penerbit.",
    SignatureIndeterminate UNPROCESSABLE_ENTITY "Tanda tangan elektronik dokumen belum dapat dipastikan. Jangan dicetak; unduh ulang dokumen asli dari SIAK. Bila berulang, hubungi tim TI pusat.",
    AlreadyOrdered CONFLICT "Dokumen ini sudah punya pekerjaan cetak. Lihat pekerjaan itu; untuk cetak ulang sebutkan 'reprint_of' beserta alasannya. Bila ragu, hubungi operator pusat.",
    IdempotencyMismatch UNPROCESSABLE_ENTITY "Idempotency-Key ini sudah dipakai untuk kiriman lain. Gunakan kunci baru untuk kiriman baru. Bila ragu, hubungi tim TI pusat.",
    IdempotencyKeyMalformed BAD_REQUEST "Idempotency-Key tidak sah. Gunakan 1 sampai 64 huruf, angka, titik, garis bawah atau tanda hubung. Bila ragu, hubungi tim TI pusat.",
    QueryMalformed BAD_REQUEST "Saringan pencarian tidak dikenal. Periksa nilainya: referensi hanya huruf, angka, titik, garis bawah dan tanda hubung, hari seperti 2026-11-26. Bila ragu, hubungi tim TI pusat.",
    SearchNumber BAD_REQUEST "Pencarian memuat 16 angka berurutan, seperti NIK atau nomor KK. Loket tidak menyimpan nomor itu: cari dengan referensi atau nomor pekerjaan. Bila ragu, hubungi tim TI pusat.",
    ReportTooLong UNPROCESSABLE_ENTITY "Dokumen mesin itu terlalu banyak untuk satu laporan harian. Periksa tanggalnya. Bila benar, hubungi tim TI pusat.",
    JobUnknown NOT_FOUND "Pekerjaan cetak tidak ditemukan. Periksa nomornya. Bila yakin benar, hubungi tim TI pusat.",
    TooLateToCancel CONFLICT "Pekerjaan sudah selesai sehingga tidak dapat dibatalkan. Lihat keadaannya. Bila kertas tidak boleh diserahkan, hubungi petugas kantor tujuan.",
    NotForCentralToAnswer CONFLICT "Pusat hanya menjawab pekerjaan yang catatan mesinnya hilang. Jawab pekerjaan ini di mesin kantor tujuan. Bila ragu, hubungi petugas kantor tujuan.",
    MachineNotHeard CONFLICT "Mesin belum menjawab apakah pekerjaan ini masih ada padanya, jadi kertasnya masih dapat keluar. Tunggu sampai mesin tersambung dan menjawab; pusat terus bertanya. Bila mesin rusak dan tidak akan kembali, minta tim TI pusat menyatakan mesin itu tidak dipakai lagi.",
    MachineHoldsCopy CONFLICT "Mesin masih memegang pekerjaan ini dan belum menyatakan bagaimana berakhirnya, jadi kertasnya masih dapat keluar. Tunggu jawaban mesin; pusat sudah memintanya membatalkan. Bila mesin rusak dan tidak akan kembali, minta tim TI pusat menyatakan mesin itu tidak dipakai lagi.",
    MachineStillThere CONFLICT "Mesin ini masih tersambung atau baru saja terdengar, jadi jawabannya sendiri yang berlaku. Matikan mesin itu dan tunggu satu jam, lalu ulangi. Bila ragu, hubungi petugas kantor tujuan.",
    CentralNotListening CONFLICT "Pusat sendiri belum tersambung satu jam penuh tanpa putus ke semua broker, jadi diamnya mesin ini belum berarti apa-apa. Tunggu satu jam setelah pusat tersambung ke semua broker, lalu ulangi. Bila ada broker yang mati, minta tim TI pusat menyalakannya atau menghapusnya dari setelan pusat.",
    NotSignedIn UNAUTHORIZED "Anda belum masuk atau masa berlaku token habis. Masuk dengan token yang berlaku. Token baru diberikan oleh tim TI pusat.",
    TooManyTries TOO_MANY_REQUESTS "Terlalu banyak percobaan masuk yang gagal dari alamat ini. Tunggu satu menit lalu coba lagi. Token yang berlaku diberikan oleh tim TI pusat.",
    NotAllowed FORBIDDEN "Peran Anda tidak boleh melakukan ini. Gunakan akun dengan peran yang sesuai. Bila perlu, hubungi tim TI pusat.",
    MachineNotRecognised FORBIDDEN "Sertifikat mesin ini tidak dikenali atau sudah diganti. Pasang identitas yang berlaku. Hubungi tim TI pusat.",
    NotYourJob FORBIDDEN "Dokumen ini bukan untuk mesin ini. Tidak ada yang perlu dilakukan di mesin. Hubungi tim TI pusat.",
    DocumentGone GONE "Dokumen tersegel sudah dimusnahkan karena pekerjaannya berakhir. Kirim dokumen lagi bila masih diperlukan. Bila ragu, hubungi operator pusat.",
    TrustBundleGone GONE "Paket kepercayaan itu sudah diganti yang lebih baru. Mesin mengambil yang terbaru dengan sendirinya. Bila berulang, hubungi tim TI pusat.",
    RecordRefused UNPROCESSABLE_ENTITY "Catatan cetak dari mesin ini tidak dapat dibuka dengan kunci pusat, jadi tidak disimpan dan kertasnya kelak tidak dapat dicocokkan. Periksa apakah audit.key pusat diganti. Bila berulang, hubungi tim TI pusat.",
    RecordOtherKey CONFLICT "Catatan cetak ini disegel dengan kunci audit yang tidak ada pada pusat, jadi belum disimpan; mesin menyimpannya dan mencoba lagi. Kembalikan kunci lama pada 'old_audit_keys' di setelan pusat. Hubungi tim TI pusat.",
    ScanMissing UNPROCESSABLE_ENTITY "Hasil pindaian tidak ada dalam kiriman. Pilih berkas pindaian (PNG, JPEG atau PDF) lalu kirim lagi. Bila berulang, hubungi tim TI pusat.",
    ScanTooLarge PAYLOAD_TOO_LARGE "Hasil pindaian lebih besar dari 16 MiB. Pindai ulang satu lembar saja dengan 200 dpi dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    ScanUnreadable UNPROCESSABLE_ENTITY "Hasil pindaian tidak dapat dibaca: bukan PNG, JPEG atau PDF yang utuh, atau terlalu kasar. Pindai ulang dengan 200 dpi dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    DocumentNotJudged UNPROCESSABLE_ENTITY "Pemeriksaan dokumen berhenti sebelum selesai, jadi dokumen tidak diterima. Unduh ulang dokumen aslinya dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    ScanNotCompared UNPROCESSABLE_ENTITY "Pemeriksaan hasil pindaian berhenti sebelum selesai, jadi tidak ada hasilnya. Pindai ulang sebagai PNG atau JPEG dengan 200 dpi dan kirim lagi. Bila berulang, hubungi tim TI pusat.",
    LookReason UNPROCESSABLE_ENTITY "Alasan mencocokkan kosong, terlalu panjang, atau memuat 16 angka berurutan seperti NIK. Tulis 1 sampai 200 karakter tanpa nomor itu. Bila ragu, hubungi tim TI pusat.",
    PageNumber UNPROCESSABLE_ENTITY "Nomor halaman PDF tidak sesuai. Isi angka 1 sampai 99, atau kosongkan. Bila ragu, hubungi tim TI pusat.",
    SheetUnnamed UNPROCESSABLE_ENTITY "Kode QR pada kertas tidak terbaca dan nomor pekerjaan tidak diisi, jadi catatan cetaknya tidak dapat dicari. Isi nomor pekerjaan, atau pindai ulang dengan kode QR yang utuh. Bila ragu, hubungi petugas yang mencetak.",
    RecordNone NOT_FOUND "Tidak ada catatan cetak untuk kertas ini: mungkin bukan dicetak lewat Loket, atau masa simpannya habis. Periksa nomor pekerjaannya, dan periksa dokumen elektroniknya. Bila ragu, hubungi dinas penerbit.",
    RecordNotOpened INTERNAL_SERVER_ERROR "Catatan cetak kertas ini ada, tetapi tidak dapat dibuka. Periksa apakah kunci audit pusat diganti tanpa 'old_audit_keys', dan log pusat. Segera hubungi tim TI pusat.",
    RangeNotSatisfiable RANGE_NOT_SATISFIABLE "Bagian dokumen yang diminta tidak ada. Ulangi unduhan dari awal. Bila berulang, hubungi tim TI pusat.",
    Busy SERVICE_UNAVAILABLE "Pusat sedang penuh. Tunggu satu menit lalu coba lagi. Bila berulang, hubungi tim TI pusat.",
    InspectorMissing SERVICE_UNAVAILABLE "Pemeriksa dokumen di pusat tidak dapat dijalankan, jadi dokumen dan pindaian belum dapat diterima; tidak ada yang hilang. Coba lagi nanti. Segera hubungi tim TI pusat: pasang ulang loket-inspector di samping loket-central.",
    StorageFailed INTERNAL_SERVER_ERROR "Pusat tidak dapat menyimpan data, sehingga kiriman ini tidak diterima. Coba lagi nanti. Segera hubungi tim TI pusat.",
    StorageFull INSUFFICIENT_STORAGE "Ruang simpan pusat hampir habis, sehingga permintaan ini tidak dapat dicatat dan tidak dijalankan; pekerjaan yang sudah diterima tetap berjalan. Ulangi nanti; bila ini kiriman dokumen, simpan dahulu dokumennya. Segera hubungi tim TI pusat.",
    RouteUnknown NOT_FOUND "Alamat ini tidak ada. Periksa alamatnya, atau mulai dari halaman depan. Bila berulang, hubungi tim TI pusat.",
    FolderPairMissing UNPROCESSABLE_ENTITY "Pasangan berkas ini tidak kunjung lengkap. Taruh PDF dan perintah cetak dengan nama depan yang sama. Bila ragu, hubungi tim TI pusat.",
    FolderFileUnreadable UNPROCESSABLE_ENTITY "Berkas di folder masuk tidak boleh dibaca oleh pusat. Taruh salinan baru dengan izin baca. Bila berulang, hubungi tim TI pusat.",
    FolderNameTwice UNPROCESSABLE_ENTITY "Ada lebih dari satu PDF atau perintah cetak dengan nama depan yang sama. Taruh tepat satu PDF dan satu perintah cetak. Bila ragu, hubungi tim TI pusat.",
}

impl Problem {
    pub(crate) const fn new(code: Code) -> Self {
        Self {
            code,
            detail: Value::Null,
        }
    }

    pub(crate) const fn with(code: Code, detail: Value) -> Self {
        Self { code, detail }
    }

    /// One line for the reason file beside a rejected order.
    pub(crate) fn reason_text(&self) -> String {
        let detail = if self.detail.is_null() {
            String::new()
        } else {
            format!(
                "
{}",
                self.detail
            )
        };
        format!("{}: {}{detail}\n", self.code.as_str(), self.code.message())
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let code = match error {
            OrderError::Version { .. } => Code::OrderVersion,
            OrderError::Target => Code::OrderTarget,
            OrderError::OwnClass => Code::OrderOwnClass,
            OrderError::Label => Code::OrderLabel,
            OrderError::ReprintReason => Code::OrderReprintReason,
            OrderError::ReprintReasonControl => Code::OrderReprintReasonControl,
            OrderError::ReprintReasonNumber => Code::OrderReprintReasonNumber,
        };
        Self::with(code, json!({ "order_code": error.code() }))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code.as_str(),
            "message": self.code.message(),
            "detail": self.detail,
        });
        let mut response = (self.code.status(), Json(body)).into_response();
        if self.code == Code::NotSignedIn {
            let scheme = HeaderValue::from_static("Bearer");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if matches!(
            self.code,
            Code::Busy | Code::InspectorMissing | Code::TooManyTries
        ) {
            let minute = HeaderValue::from_static("60");
            response.headers_mut().insert(header::RETRY_AFTER, minute);
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offices::FILE_FAULTS;
    use crate::room::Shortage;
    use crate::trust_bundle::TrustTrouble;
    use crate::words::TROUBLES;

    /// Where central's part of docs/codes.md begins; what stands before it is loketd's.
    const BEGINNING: &str = "\n## Central\n";

    const INTRODUCTION: &str = "
Answers at central's doors, and reasons beside what its folder rejected (`LOKET_WRITE=1 cargo test -p loket-central
codes` writes this part):

";

    const OF_OFFICES: &str = "
Why a changed `offices.toml` is not used, on the console and in the log:

";

    const OF_ROOM: &str = "
Room that is short at central, on the console and in the log (docs/adr/0019):

";

    const OF_TRUST: &str = "
Why machines get no newer trust bundle, on the console, in the log and at `GET /api/v1/machines` (docs/adr/0037):

";

    const OF_TROUBLES: &str = "
Bounds that a machine's heartbeat says are crossed; severe ones stop its work, or are about to:

";

    fn part() -> String {
        let mut part =
            format!("{BEGINNING}{INTRODUCTION}| code | status | sentence |\n|---|---|---|\n");
        for code in Code::ALL {
            let (name, status, said) = (code.as_str(), code.status().as_u16(), code.message());
            part.push_str(&format!("| {name} | {status} | {said} |\n"));
        }
        part.push_str(&format!("{OF_OFFICES}| code | sentence |\n|---|---|\n"));
        for (code, said) in FILE_FAULTS {
            part.push_str(&format!("| {code} | {said} |\n"));
        }
        part.push_str(&format!("{OF_ROOM}| code | sentence |\n|---|---|\n"));
        for short in Shortage::ALL {
            let (code, said) = (short.code(), short.message());
            part.push_str(&format!("| {code} | {said} |\n"));
        }
        part.push_str(&format!("{OF_TRUST}| code | sentence |\n|---|---|\n"));
        for trouble in TrustTrouble::ALL {
            let (code, said) = (trouble.code(), trouble.message());
            part.push_str(&format!("| {code} | {said} |\n"));
        }
        part.push_str(&format!(
            "{OF_TROUBLES}| keyword | severe | sentence |\n|---|---|---|\n"
        ));
        for (keyword, words) in TROUBLES {
            let severe = if words.is_severe { "yes" } else { "no" };
            let said = words.sentence();
            part.push_str(&format!("| {keyword} | {severe} | {said} |\n"));
        }
        part
    }

    /// The word on screen in the glossary, and one answer that says it.
    #[test]
    fn the_glossary_has_the_words_of_answers() {
        let glossary = include_str!("../../GLOSSARY.md");
        for (word, on_screen, code) in [
            ("reference", "referensi", Code::QueryMalformed),
            ("label", "label", Code::OrderLabel),
            ("pickup code", "kode ambil", Code::ReleaseUnsupported),
            ("order", "perintah cetak", Code::OrderMissing),
            ("reprint", "cetak ulang", Code::OrderReprintReason),
        ] {
            let row = format!("\n| {word} | {on_screen} |");
            assert!(glossary.contains(&row), "{row}");
            let said = code.message().to_lowercase();
            assert!(said.contains(on_screen), "{said}");
        }
    }

    #[test]
    fn the_page_of_codes_is_what_central_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/codes.md");
        let kept = std::fs::read_to_string(path).unwrap();
        let at = kept.find(BEGINNING).unwrap_or(kept.len());
        if std::env::var_os("LOKET_WRITE").is_some() {
            std::fs::write(path, kept[..at].to_owned() + &part()).unwrap();
        } else {
            assert_eq!(kept[at..], part(), "docs/codes.md is out of date");
        }
    }

    #[test]
    fn every_refusal_says_what_happened_what_to_do_and_whom_to_ask() {
        for code in Code::ALL {
            let sentences = code.message().matches(". ").count() + 1;
            assert!(sentences >= 3, "{code:?}");
            assert!(code.message().ends_with('.'), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
