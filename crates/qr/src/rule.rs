//! The stable codes of what was found about QR codes, what they mean, and what a person reads.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::class::Class;

macro_rules! rules {
    ($($name:ident $id:literal $class:expr, $text:literal $sentence:literal;)+) => {
        /// What was found about a QR code, as a stable code; codes are never reused for another meaning.
        ///
        /// The order is the order of weight among those that give a class: the first that matched decides it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = concat!("`", $id, "`: ", $text, ".")] $name,)+
        }

        impl Rule {
            /// Every rule, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable identifier, for instance `Q-101`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The meaning as a lowercase English fragment, free of what the code says.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What a person reads: what was found, what to do, whom to ask; plain Indonesian, free of what the code
            /// says.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }

            /// The class that it gives a payload; none where it is about a page or a comparison.
            #[must_use]
            pub const fn class(self) -> Option<Class> {
                match self { $(Self::$name => $class,)+ }
            }
        }
    };
}

const fn gives(class: Class) -> Option<Class> {
    Some(class)
}

/// About a page or a comparison: no class.
const NO: Option<Class> = None;

rules! {
    Empty "Q-101" gives(Class::Empty), "the code holds nothing"
        "Kode QR ini kosong. Jangan dipakai sebagai bukti. Hubungi petugas atau dinas penerbit.";
    TooLong "Q-102" gives(Class::TooLong), "the code holds more than an address has room for"
        "Isi kode QR terlalu panjang untuk sebuah alamat. Jangan dibuka dan jangan dipakai sebagai bukti. Hubungi petugas.";
    NotText "Q-103" gives(Class::Binary), "the code holds bytes that are no text"
        "Isi kode QR bukan teks. Jangan dibuka dan jangan dipakai sebagai bukti. Hubungi petugas.";
    ControlCharacters "Q-104" gives(Class::Binary), "the code holds control characters"
        "Isi kode QR memuat karakter kendali tersembunyi. Jangan dibuka dan jangan dipakai sebagai bukti. Hubungi petugas.";
    InvisibleCharacters "Q-105" gives(Class::Binary), "the code holds characters that nobody sees or that turn the direction of writing"
        "Isi kode QR memuat karakter yang tidak terlihat. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    Part "Q-106" gives(Class::Part), "the code is one part of a message that is spread over several codes"
        "Kode QR ini hanya sebagian dari pesan yang dibagi ke beberapa kode. Jangan dipakai sebagai bukti. Hubungi petugas.";
    TradeData "Q-107" gives(Class::Part), "the code is marked as data of trade or industry (FNC1)"
        "Kode QR ini ditandai untuk barang dagangan, bukan untuk dokumen. Jangan dipakai sebagai bukti. Hubungi petugas.";

    IpDotted "Q-111" gives(Class::RawIp), "the address is a number of a computer and no name (IPv4)"
        "QR mengarah ke nomor komputer, bukan ke alamat resmi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    IpDisguised "Q-112" gives(Class::RawIp), "the address is a number of a computer in a spelling that hides it (IPv4)"
        "QR mengarah ke nomor komputer yang disamarkan. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    IpSix "Q-113" gives(Class::RawIp), "the address is a number of a computer and no name (IPv6)"
        "QR mengarah ke nomor komputer (IPv6), bukan ke alamat resmi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    IpMapped "Q-114" gives(Class::RawIp), "the address is an IPv4 number inside an IPv6 one"
        "QR mengarah ke nomor komputer yang disamarkan di dalam IPv6. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    IpBroken "Q-115" gives(Class::RawIp), "the address is meant as a number of a computer and is none"
        "QR memuat nomor komputer yang salah. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";

    SameLooks "Q-121" gives(Class::LookAlike), "the host looks like an official one and is written with other letters"
        "Alamat pada QR dibuat mirip alamat resmi dengan huruf lain. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OddSpelling "Q-122" gives(Class::LookAlike), "the address leads to an official host and is spelt so that a reader is misled"
        "Alamat pada QR ditulis dengan cara yang menyesatkan. Jangan dibuka; minta dokumen diperiksa ulang. Hubungi dinas penerbit.";
    Separators "Q-123" gives(Class::LookAlike), "the host is an official one with dots and hyphens in other places"
        "Alamat pada QR mirip alamat resmi, tetapi titik atau tanda hubungnya berbeda. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    NearlySame "Q-124" gives(Class::LookAlike), "the host differs from an official one by a letter or two"
        "Alamat pada QR hanya berbeda satu atau dua huruf dari alamat resmi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OtherTopLevel "Q-125" gives(Class::LookAlike), "the host is an official name under another top-level domain"
        "Nama pada QR seperti nama resmi, tetapi akhiran alamatnya berbeda. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OfficialInside "Q-126" gives(Class::LookAlike), "an official host stands inside the name of another one"
        "Alamat resmi hanya dipasang di dalam nama situs lain. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OfficialInUserInfo "Q-127" gives(Class::LookAlike), "an official host stands before an @, where it means nothing"
        "Alamat resmi hanya dipasang di depan tanda @, sedangkan situsnya lain. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OfficialInPath "Q-128" gives(Class::LookAlike), "an official host stands in the path of another one"
        "Alamat resmi hanya dipasang di belakang alamat situs lain. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";
    OfficialWord "Q-129" gives(Class::LookAlike), "the host carries a word of the offices outside the names of state bodies"
        "Situs pada QR memakai nama dinas, tetapi bukan situs pemerintah. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.";

    UserInfo "Q-131" gives(Class::UserInfo), "the address holds a user name or password"
        "Alamat pada QR memuat nama pengguna atau kata sandi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    Idn "Q-132" gives(Class::Idn), "the host is written with other letters than a to z (punycode)"
        "Alamat pada QR memakai huruf asing yang disandikan. Jangan dibuka; alamat resmi hanya memakai huruf a sampai z. Hubungi petugas.";
    IdnRefused "Q-133" gives(Class::Idn), "the host is written with letters that no name of a host may have"
        "Alamat pada QR memakai huruf yang tidak diizinkan dalam nama situs. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";

    PlainHttp "Q-141" gives(Class::OtherScheme), "the address is not protected on its way (http)"
        "Alamat pada QR tidak memakai https. Jangan dibuka; alamat resmi memakai https. Hubungi petugas.";
    Script "Q-142" gives(Class::OtherScheme), "the code holds a program for a browser"
        "QR memuat perintah program, bukan alamat. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    DataInside "Q-143" gives(Class::OtherScheme), "the code holds a page or file inside itself"
        "QR memuat halaman buatan sendiri, bukan alamat resmi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    AppCall "Q-144" gives(Class::OtherScheme), "the code starts an app"
        "QR menyuruh telepon menjalankan aplikasi. Jangan dibuka; pakailah aplikasi IKD sendiri. Hubungi petugas bila ragu.";
    Telephone "Q-145" gives(Class::OtherScheme), "the code calls a number or writes a message"
        "QR menyuruh telepon menghubungi nomor atau mengirim pesan. Jangan diikuti; dokumen resmi tidak begitu. Hubungi petugas.";
    Network "Q-146" gives(Class::OtherScheme), "the code joins a wireless network"
        "QR menyuruh telepon masuk ke jaringan Wi-Fi. Jangan diikuti; dokumen resmi tidak begitu. Hubungi petugas.";
    FileAddress "Q-147" gives(Class::OtherScheme), "the code names a file"
        "QR menunjuk sebuah berkas, bukan alamat resmi. Jangan dibuka; dokumen ini mungkin dipalsukan. Hubungi petugas.";
    UnknownScheme "Q-148" gives(Class::OtherScheme), "the code holds an address of another kind than of a web page"
        "QR memuat alamat yang bukan alamat situs. Jangan dibuka dan jangan dipakai sebagai bukti. Hubungi petugas.";

    BrokenAddress "Q-151" gives(Class::NotAUrl), "the code holds an address that no browser reads"
        "Alamat pada QR rusak sehingga tidak dapat dibaca. Jangan dipakai sebagai bukti. Hubungi dinas penerbit.";
    NoScheme "Q-152" gives(Class::NotAUrl), "the code holds an address without https in front"
        "Alamat pada QR ditulis tanpa https. Jangan dibuka; alamat resmi ditulis lengkap. Hubungi petugas.";
    PlainText "Q-153" gives(Class::NotAUrl), "the code holds text that is no address"
        "QR hanya memuat teks, bukan alamat resmi. Jangan dipakai sebagai bukti. Hubungi petugas bila ragu.";

    OtherPort "Q-161" gives(Class::OtherHost), "the address leads to an official host through an unusual port"
        "Alamat pada QR memakai pintu (port) yang tidak biasa. Jangan dibuka; minta dokumen diperiksa ulang. Hubungi dinas penerbit.";
    UnknownHost "Q-162" gives(Class::OtherHost), "the address leads to a host that is not among the official ones"
        "QR mengarah ke situs yang tidak ada dalam daftar resmi. Jangan dibuka dan jangan dipakai sebagai bukti. Hubungi petugas.";
    ExactHost "Q-171" gives(Class::OfficialHost), "the address leads to an official host"
        "QR mengarah ke alamat resmi, tetapi ini belum membuktikan keaslian. Keaslian kode hanya dipastikan lewat aplikasi IKD. Hubungi petugas bila ragu.";
    SubDomain "Q-172" gives(Class::OfficialHost), "the address leads to a host below an official one"
        "QR mengarah ke bagian dari alamat resmi, tetapi ini belum membuktikan keaslian. Keaslian kode hanya dipastikan lewat aplikasi IKD. Hubungi petugas bila ragu.";

    OfDocument "Q-201" NO, "the document has the same code"
        "Kode QR pada kertas sama dengan kode pada dokumen aslinya. Tidak perlu tindakan. Bila ada yang ragu, hubungi petugas.";
    NotOfDocument "Q-202" NO, "the paper has a code that the document does not have"
        "Kode QR pada kertas tidak ada pada dokumen aslinya. Jangan dipakai; kode itu mungkin ditempelkan. Hubungi dinas penerbit.";
    NotOnPaper "Q-203" NO, "the document has a code that was not read on the paper"
        "Kode QR dokumen aslinya tidak terbaca pada kertas. Pindai ulang kertasnya dengan bersih dan rata. Bila tetap tidak terbaca, hubungi petugas.";
    DocumentWithout "Q-204" NO, "the document has no code at all, the paper has one"
        "Dokumen aslinya tidak memuat kode QR, sedangkan kertasnya memuat. Jangan dipakai; kode itu mungkin ditempelkan. Hubungi dinas penerbit.";
    Repeated "Q-205" NO, "one code stands on the paper more often than in the document"
        "Kode QR yang sama muncul lebih dari sekali pada kertas. Periksa apakah ada tempelan. Bila ragu, hubungi petugas.";

    NothingRead "Q-301" NO, "no code was read on the page"
        "Tidak ada kode QR yang terbaca pada halaman ini. Pindai ulang dengan 300 dpi, bersih dan rata. Bila tetap tidak terbaca, hubungi petugas.";
    TooMany "Q-302" NO, "the page has more codes than are looked at"
        "Halaman ini memuat terlalu banyak kode QR. Sebagian tidak diperiksa; jangan dipakai sebagai bukti. Hubungi petugas.";
    ImageTooLarge "Q-303" NO, "the picture is larger than is looked at"
        "Gambar terlalu besar untuk diperiksa. Pindai ulang satu halaman dengan 300 dpi. Bila tetap terlalu besar, hubungi petugas TI.";
    ReaderFailed "Q-304" NO, "reading the page failed inside the program"
        "Pembacaan kode QR gagal di dalam program. Pindai ulang halaman ini. Bila berulang, hubungi petugas TI.";
}

impl Serialize for Rule {
    /// As an object, `{"code": "Q-121", "text": "…", "sentence": "…"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = serializer.serialize_struct("Rule", 3)?;
        shape.serialize_field("code", self.id())?;
        shape.serialize_field("text", self.text())?;
        shape.serialize_field("sentence", self.sentence())?;
        shape.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_an_identifier_of_its_own_in_rising_order() {
        let ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.is_sorted());
    }

    #[test]
    fn every_rule_says_what_was_found_what_to_do_and_whom_to_ask() {
        for rule in Rule::ALL {
            let (id, sentence) = (rule.id(), rule.sentence());
            assert!(sentence.matches(". ").count() >= 2, "{id}: {sentence}");
            assert!(sentence.ends_with('.'), "{id}: {sentence}");
            assert!(sentence.contains("ubungi "), "{id}: {sentence}");
            assert!(!rule.text().ends_with('.'), "{id}: {}", rule.text());
        }
    }

    #[test]
    fn only_an_official_host_is_said_to_be_one_and_even_then_nothing_is_proven() {
        for rule in Rule::ALL {
            let official = rule.class() == Some(Class::OfficialHost);
            let sentence = rule.sentence();
            assert_eq!(
                sentence.contains("belum membuktikan"),
                official,
                "{}",
                rule.id()
            );
            if rule.class().is_some() && !official {
                assert!(sentence.contains("Jangan "), "{}: {sentence}", rule.id());
            }
        }
    }

    #[test]
    fn a_rule_reads_as_code_and_words() {
        let json = serde_json::to_value(Rule::IpDotted).unwrap();
        assert_eq!(json["code"], "Q-111");
        assert_eq!(json["text"], Rule::IpDotted.text());
        assert_eq!(json["sentence"], Rule::IpDotted.sentence());
    }
}
