//! Why a device cannot be used: the keywords of a device report, and the plain Indonesian for them.
//!
//! Keywords are those of IPP (RFC 8011 section 5.4.12), and this protocol's own for what stands between a machine and
//! its printer. The machine's command line and central's console both say them, in the same words.

/// Whether no sheet comes out while this reason stands (RFC 8011 §5.4.12).
#[must_use]
pub fn keeps_from_printing(keyword: &str) -> bool {
    matches!(
        bare(keyword),
        "media-empty"
            | "media-needed"
            | "media-jam"
            | "toner-empty"
            | "marker-supply-empty"
            | "cover-open"
            | "door-open"
            | "paused"
            | "offline"
            | "shutdown"
            | "output-area-full"
            | "separation-cutter-jam"
            | "over-temperature"
            | "feed-button-held"
            | "recoverable-failure"
            | "unrecoverable-failure"
    )
}

/// Whether it says what a device is, for good, and wants nothing of anybody.
#[must_use]
pub fn is_by_nature(keyword: &str) -> bool {
    keyword == "no-create-job"
}

/// A reason without its severity, which printers derive from their state.
fn bare(keyword: &str) -> &str {
    ["-report", "-warning", "-error"]
        .iter()
        .find_map(|suffix| keyword.strip_suffix(suffix))
        .unwrap_or(keyword)
}

/// What people read for it, in Indonesian: short, with what to do where something can be done; nothing for `none`.
/// A keyword that is not known here is shown as it came.
#[must_use]
pub fn in_words(keyword: &str) -> &str {
    match bare(keyword) {
        "none" => "",
        "media-empty" | "media-needed" => "kertas habis",
        "media-low" => "kertas hampir habis",
        "media-jam" => "kertas macet",
        "toner-empty" => "toner habis",
        "toner-low" => "toner hampir habis",
        "marker-supply-empty" => "tinta habis",
        "marker-supply-low" => "tinta hampir habis",
        "cover-open" | "door-open" => "penutup terbuka",
        "paused" => "dijeda",
        "offline" | "shutdown" => "mati",
        "output-area-full" => "baki keluaran penuh",
        "separation-cutter-jam" => "pisau pemotong macet",
        "over-temperature" => "terlalu panas",
        "feed-button-held" => "tombol kertas ditekan",
        "recoverable-failure" | "unrecoverable-failure" => "bermasalah",
        other => between(other).unwrap_or(other),
    }
}

/// What stands between a machine and its printer, and what to do; the keywords are those of a device report.
fn between(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "no-create-job" => {
            "menerima pekerjaan hanya bersama dokumennya: bila listrik atau jaringan putus saat mengirim, petugas ditanya apakah lembarnya keluar"
        }
        "certificate-mismatch" => {
            "printer lain menjawab di alamat ini (sertifikat tidak cocok), tidak ada yang dikirim; pastikan printernya, lalu perbarui sidik sertifikatnya di pengaturan mesin"
        }
        "tls-failed" => {
            "sambungan aman dengan printer gagal; periksa pengaturan TLS printer atau ganti alamat ipps"
        }
        "connection-refused" => {
            "printer menolak sambungan; nyalakan ulang printer, pastikan layanan IPP aktif"
        }
        "connection-lost" => "sambungan ke printer terputus; periksa kabel dan jaringan kantor",
        "name-unknown" => {
            "nama printer tidak ditemukan di jaringan; periksa alamat printer di pengaturan mesin"
        }
        "no-route" | "not-reached" => {
            "printer tidak ditemukan di jaringan; periksa daya, kabel, dan alamat printer"
        }
        "timed-out" => "printer tidak menjawab; periksa daya dan kabel, nyalakan ulang bila perlu",
        "not-answering" | "stopped-taking" | "nothing-taken" => {
            "printer tersambung tetapi tidak menjawab; matikan dan nyalakan, lalu periksa jenisnya di pengaturan mesin"
        }
        "answers-not-understood" => {
            "jawaban printer tidak dipahami; matikan dan nyalakan, lalu periksa jenisnya di pengaturan mesin"
        }
        "usb-not-there" | "usb-unplugged" | "usb-closed" => {
            "printer tidak terpasang di kabel USB; periksa kabel dan daya printer"
        }
        "usb-ambiguous" => {
            "ada dua printer yang sama di USB; tulis alamat lengkapnya dari 'loketd devices' di pengaturan mesin"
        }
        "usb-no-such-interface" | "usb-bad-descriptor" => {
            "printer USB ini tidak dapat dipakai untuk mencetak dokumen; pakai lewat jaringan, atau hubungi tim TI"
        }
        "usb-denied" | "usb-busy" => {
            "printer USB sedang dipegang program lain atau belum diizinkan; hubungi tim TI"
        }
        _ if keyword.starts_with("usb-") => {
            "sambungan USB ke printer bermasalah; matikan dan nyalakan printer, coba kabel lain"
        }
        "http-404" => {
            "yang menjawab bukan antrean cetak (HTTP 404); periksa bagian akhir alamat printer"
        }
        "http-401" | "http-403" => {
            "printer meminta kata sandi (HTTP 401/403); izinkan mesin ini di pengaturan printer"
        }
        "http-426" => "printer hanya menerima sambungan aman; ganti alamat menjadi ipps",
        "http-503" | "busy" => {
            "printer sedang sibuk; tunggu, bila lama periksa pekerjaan lain di printer"
        }
        "not-ipp" => "yang menjawab bukan printer IPP; periksa alamat printer di pengaturan mesin",
        "address-invalid" => "alamat printer tidak dapat dipakai; perbaiki pengaturan mesin",
        _ if keyword.starts_with("http-") => {
            "layanan web printer menjawab galat; nyalakan ulang printer, periksa alamatnya"
        }
        _ if keyword.starts_with("ipp-0x") => {
            "printer menolak permintaan; periksa layar printer, hubungi tim TI"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_machine_and_printer_is_said_with_what_to_do() {
        for keyword in [
            "certificate-mismatch",
            "tls-failed",
            "connection-refused",
            "connection-lost",
            "name-unknown",
            "no-route",
            "not-reached",
            "timed-out",
            "http-404",
            "http-500",
            "not-ipp",
            "busy",
            "ipp-0x0401",
            "address-invalid",
            "usb-not-there",
            "usb-ambiguous",
            "usb-bad-descriptor",
            "usb-busy",
            "usb-stalled",
            "not-answering",
            "answers-not-understood",
        ] {
            let words = in_words(keyword);
            assert!(
                words.contains("; ") || words.contains(", "),
                "{keyword}: {words}"
            );
        }
        assert_eq!(in_words("media-jam"), "kertas macet");
        assert_eq!(in_words("x-vendor-trouble"), "x-vendor-trouble");
    }
}
