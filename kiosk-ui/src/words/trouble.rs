//! Why a page cannot give what was asked for, and what a person is told then.

macro_rules! troubles {
    ($($name:ident $id:literal $status:literal $happened:literal $todo:literal $ask:literal,)+) => {
        /// Why a page cannot give what was asked for; codes are never used again for another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Trouble {
            $(#[doc = concat!("`", $id, "`: ", $happened)] $name,)+
        }

        impl Trouble {
            /// Every one, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The HTTP status beside it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }

        /// What a person is told of it.
        #[must_use]
        pub const fn say(trouble: Trouble) -> Said {
            match trouble {
                $(Trouble::$name => Said { happened: $happened, todo: $todo, ask: $ask },)+
            }
        }
    };
}

/// The three parts of what a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub happened: &'static str,
    /// What to do now.
    pub todo: &'static str,
    /// Whom to ask.
    pub ask: &'static str,
}

troubles! {
    TooLarge "K-101" 413 "Berkas ini terlalu besar. Paling besar 8 MiB." "Pilih berkas lain, atau unduh lagi dokumen aslinya." "Bila ragu, tanya petugas loket.",
    NoFile "K-102" 400 "Belum ada berkas yang dipilih." "Pilih satu berkas, lalu tekan Periksa." "Bila sulit, minta tolong petugas loket.",
    Cut "K-103" 400 "Berkas tidak sampai dengan utuh." "Coba sekali lagi." "Bila terjadi lagi, tanya petugas loket.",
    Busy "K-104" 503 "Mesin sedang memeriksa dokumen lain." "Tunggu satu menit, lalu coba lagi." "Bila lama, tanya petugas loket.",
    FormStale "K-105" 409 "Halaman ini sudah terlalu lama terbuka." "Mulai lagi dari awal." "Bila terjadi lagi, tanya petugas loket.",
    ForeignForm "K-106" 403 "Permintaan ini tidak datang dari halaman Loket." "Mulai lagi dari halaman awal Loket." "Bila terjadi lagi, hubungi petugas TI.",
    ForeignHost "K-107" 421 "Alamat halaman ini bukan alamat mesin ini." "Buka Loket dari layar mesin ini." "Bila terjadi lagi, hubungi petugas TI.",
    ResultGone "K-108" 410 "Hasil ini sudah ditutup." "Periksa dokumennya sekali lagi." "Bila ragu, tanya petugas loket.",
    MediumGone "K-109" 410 "Berkas di USB tidak dapat dibaca lagi." "Pasang USB dengan benar, lalu pilih lagi." "Bila terjadi lagi, tanya petugas loket.",
    NoPage "K-110" 404 "Halaman ini tidak ada." "Kembali ke halaman awal." "Bila ragu, tanya petugas loket.",
    NotADocument "K-111" 415 "Berkas ini bukan PDF atau foto." "Pilih dokumen PDF, atau foto PNG atau JPEG." "Bila ragu, tanya petugas loket.",
    NoMethod "K-112" 405 "Halaman ini tidak dapat dipakai dengan cara itu." "Kembali ke halaman awal." "Bila terjadi lagi, hubungi petugas TI.",

    TookTooLong "K-201" 422 "Berkas ini terlalu rumit untuk diperiksa di sini." "Jangan dipakai dulu. Bawa berkasnya ke loket." "Minta petugas loket memeriksanya.",
    JudgingBroke "K-202" 422 "Pemeriksaan berhenti sebelum selesai." "Jangan dipakai dulu. Coba sekali lagi." "Bila terjadi lagi, minta petugas loket memeriksanya.",
    NotStarted "K-203" 503 "Mesin ini tidak dapat memeriksa dokumen sekarang." "Coba lagi nanti, atau bawa dokumen ke loket." "Petugas loket menghubungi petugas TI.",
    TrustBroken "K-204" 503 "Daftar penanda tangan di mesin ini tidak dapat dibaca." "Bawa dokumen ke loket." "Petugas loket menghubungi petugas TI.",

    PaperName "K-301" 400 "Nama petugas belum terisi dengan benar." "Tulis nama 1 sampai 40 huruf, tanpa nomor panjang." "Bila ragu, hubungi petugas TI.",
    PaperJob "K-302" 400 "Nomor pekerjaan cetak salah tulis." "Salin lagi nomornya. Bila kode QR terbaca, kosongkan saja." "Bila ragu, hubungi petugas TI.",
    PaperScan "K-303" 415 "Hasil pindai ini tidak dapat dibaca." "Pindai ulang dengan 200 dpi sebagai JPEG, PNG, atau PDF." "Bila terjadi lagi, hubungi petugas TI.",
    PaperTooLarge "K-304" 413 "Hasil pindai ini terlalu besar. Paling besar 16 MiB." "Pindai ulang dengan 200 dpi, simpan sebagai JPEG." "Bila terjadi lagi, hubungi petugas TI.",
    PaperManySheets "K-305" 422 "Berkas ini berisi lebih dari satu lembar." "Pindai satu lembar saja, lalu coba lagi." "Bila ragu, hubungi petugas TI.",
    PaperNoCode "K-306" 422 "Kode QR di kertas ini tidak terbaca." "Pindai ulang dengan lebih jelas, atau isi nomor pekerjaan cetaknya." "Bila ragu, hubungi petugas TI.",
    PaperNoRecord "K-307" 404 "Pusat tidak menyimpan catatan cetak kertas ini." "Anggap belum dapat dipastikan. Periksa dokumen elektroniknya." "Bila ragu, hubungi petugas dinas penerbit.",
    PaperExpired "K-308" 410 "Masa simpan catatan cetak kertas ini sudah lewat." "Anggap belum dapat dipastikan. Periksa dokumen elektroniknya." "Bila ragu, hubungi petugas dinas penerbit.",
    PaperNoCentral "K-309" 503 "Pusat belum dapat dihubungi." "Tunggu satu menit, lalu coba lagi." "Bila lama, hubungi petugas TI.",
    PaperAlone "K-310" 503 "Mesin ini belum terdaftar di pusat." "Cocokkan kertas di mesin lain yang sudah terdaftar." "Minta petugas TI mendaftarkan mesin ini.",
    PaperBusy "K-311" 503 "Mesin sedang mencocokkan kertas lain." "Tunggu satu menit, lalu coba lagi." "Bila lama, hubungi petugas TI.",
    PaperNotCompared "K-312" 422 "Pencocokan berhenti sebelum selesai." "Pindai ulang dengan 200 dpi, lalu coba lagi." "Bila terjadi lagi, hubungi petugas TI.",
    PaperBroken "K-313" 500 "Catatan cetak kertas ini tidak dapat dibaca." "Anggap belum dapat dipastikan. Periksa dokumen elektroniknya." "Hubungi petugas TI.",

    ReportDay "K-401" 400 "Tanggal laporan salah tulis." "Pilih tanggalnya lagi." "Bila ragu, hubungi petugas TI.",
    ReportTooLong "K-402" 422 "Dokumen pada hari itu terlalu banyak untuk satu laporan." "Minta laporan hari itu dari pusat." "Hubungi petugas TI.",
    ReportNotMade "K-403" 500 "Laporan belum dapat dibuat." "Coba sekali lagi." "Bila terjadi lagi, hubungi petugas TI.",

    NoTicketPrinter "K-501" 404 "Mesin ini tidak mempunyai printer tiket." "Pakai mesin yang mempunyainya." "Bila seharusnya ada, minta petugas TI menulisnya di pengaturan.",
}

/// The same for an officer, who is the one to whom residents are sent.
#[must_use]
pub const fn say_officer(trouble: Trouble) -> Said {
    let said = say(trouble);
    let todo = match trouble {
        Trouble::TookTooLong | Trouble::JudgingBroke => {
            "Jangan dipakai dan jangan dicetak. Minta berkas asli dari dinas penerbit."
        }
        Trouble::NotStarted | Trouble::TrustBroken => {
            "Jangan dicetak dulu. Periksa dokumen di mesin lain."
        }
        Trouble::TooLarge
        | Trouble::NoFile
        | Trouble::Cut
        | Trouble::Busy
        | Trouble::FormStale
        | Trouble::ForeignForm
        | Trouble::ForeignHost
        | Trouble::ResultGone
        | Trouble::MediumGone
        | Trouble::NoPage
        | Trouble::NotADocument
        | Trouble::NoMethod => said.todo,
        // Officers alone meet these: their words are theirs already.
        Trouble::PaperName
        | Trouble::PaperJob
        | Trouble::PaperScan
        | Trouble::PaperTooLarge
        | Trouble::PaperManySheets
        | Trouble::PaperNoCode
        | Trouble::PaperNoRecord
        | Trouble::PaperExpired
        | Trouble::PaperNoCentral
        | Trouble::PaperAlone
        | Trouble::PaperBusy
        | Trouble::PaperNotCompared
        | Trouble::PaperBroken
        | Trouble::ReportDay
        | Trouble::ReportTooLong
        | Trouble::ReportNotMade
        | Trouble::NoTicketPrinter => return said,
    };
    Said {
        todo,
        ask: "Bila terjadi lagi, sebutkan kodenya kepada petugas TI.",
        ..said
    }
}
