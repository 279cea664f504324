//! The stable codes of findings, what they mean and how much they weigh.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// How much a finding weighs in the verdict; the heaviest one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; changes no verdict.
    Note,
    /// Nothing speaks against the document, but it cannot be vouched for: `indeterminate`.
    Indeterminate,
    /// The document is not what the signer signed, or was never signed: `invalid`.
    Invalid,
}

macro_rules! codes {
    ($($name:ident $id:literal $weight:ident $text:literal $sentence:literal,)+) => {
        /// What was found, as a stable code; codes are never reused for another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $id, "`: ", $text, ".")] $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable identifier, for instance `V-302`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The meaning as a lowercase English fragment, free of data of the document.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What an officer reads: what was found, what to do, whom to ask; plain Indonesian, free of data of the
            /// document.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }

            /// How much it weighs in the verdict.
            #[must_use]
            pub const fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)+ }
            }
        }
    };
}

codes! {
    TooLarge "V-101" Indeterminate "the document is larger than 8 MiB"
        "Dokumen lebih besar dari 8 MiB sehingga tidak diperiksa. Unduh ulang dokumen aslinya. Bila tetap terlalu besar, hubungi petugas TI.",
    NotPdf "V-102" Invalid "the document does not start as a PDF file does"
        "Berkas ini bukan PDF. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    Malformed "V-103" Invalid "the file structure breaks the rules of PDF"
        "Berkas PDF ini rusak. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    // V-104 said that cross-reference streams are not read; they are now.
    Encrypted "V-105" Indeterminate "the document is encrypted"
        "Dokumen ini terkunci dengan kata sandi atau enkripsi. Jangan dicetak; minta dokumen asli tanpa kunci. Bila ragu, hubungi dinas penerbit.",
    StructureUnsupported "V-106" Indeterminate "an update mixes a cross-reference table and a stream (hybrid), or the file is linearized in a way that is not read"
        "Susunan PDF ini belum dapat diperiksa. Jangan dicetak; minta dokumen dalam bentuk aslinya dari SIAK. Bila berulang, hubungi petugas TI.",
    TooComplex "V-107" Indeterminate "the document has more parts than are looked at"
        "Dokumen ini mempunyai terlalu banyak bagian untuk diperiksa. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    PageTree "V-108" Indeterminate "the pages cannot be counted"
        "Jumlah halaman dokumen tidak dapat dihitung. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    DuplicateKey "V-109" Invalid "a dictionary holds a key twice"
        "Satu keterangan di dalam PDF ini tertulis dua kali sehingga dapat dibaca berbeda. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    SeveralHeaders "V-110" Invalid "the file has more than one PDF header"
        "Berkas ini memuat lebih dari satu awal PDF. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    OutsideRevision "V-111" Invalid "an object stands outside the revision that defines it"
        "Ada bagian PDF yang berada di luar tempatnya. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    Overlap "V-112" Invalid "objects lie over one another or over the cross-reference section"
        "Bagian-bagian PDF ini saling menimpa. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    Stray "V-113" Invalid "bytes of the file belong to no object that is listed"
        "Ada isi PDF yang tidak terdaftar sebagai bagiannya. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    StartXref "V-114" Invalid "startxref does not name the cross-reference section in front of it"
        "Daftar isi PDF ini tidak berada di tempat yang disebut. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    PreviousLoop "V-115" Invalid "the chain of revisions does not lead backwards to the first"
        "Urutan perubahan PDF ini berputar atau terputus. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    FilledLater "V-116" Invalid "a revision refers to an object that only a later revision fills in"
        "Dokumen ini menyisakan tempat kosong yang baru diisi kemudian. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    Generation "V-117" Invalid "the generation of an object changes or fits no object"
        "Nomor urut suatu bagian PDF tidak cocok. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    SizeWrong "V-118" Invalid "an object number is not below /Size, or /Size shrinks"
        "Jumlah bagian PDF ini tidak cocok dengan daftarnya. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    ObjectZero "V-119" Invalid "object number 0 is in use"
        "PDF ini memakai nomor bagian yang terlarang. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    ObjectHeader "V-120" Invalid "a cross-reference entry leads to no object or to another one"
        "Daftar isi PDF ini menunjuk ke bagian yang salah. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    StreamLength "V-121" Invalid "the length of a stream is missing or does not lead to its end"
        "Panjang suatu isi PDF tidak cocok. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    LengthElsewhere "V-122" Invalid "the length of a stream stands in another revision than the stream"
        "Panjang suatu isi PDF ditentukan di tempat lain. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    Unclosed "V-123" Invalid "an object is not closed with endobj"
        "Ada bagian PDF yang tidak ditutup. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    Token "V-124" Invalid "a name, number or string is written so that readers read it differently"
        "PDF ini memuat tulisan yang dapat dibaca berbeda-beda. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    CommentHides "V-125" Invalid "a comment holds words of the file structure"
        "Catatan di dalam PDF ini menyembunyikan susunan lain. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    XrefMalformed "V-126" Invalid "a cross-reference section breaks the rules"
        "Daftar isi PDF ini rusak. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    EntryKind "V-127" Invalid "a cross-reference stream holds an entry of an unknown kind"
        "Daftar isi PDF ini memuat isian yang tidak dikenal. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    TrailerMalformed "V-128" Invalid "a trailer does not say what it must"
        "Penutup PDF ini tidak lengkap. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    ObjectStream "V-129" Invalid "an object stream breaks the rules or holds what nobody lists"
        "Kumpulan bagian di dalam PDF ini rusak. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    PackedElsewhere "V-130" Invalid "an object stream belongs to another revision or is replaced by a later one"
        "Kumpulan bagian di dalam PDF ini diganti kemudian. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    StreamDamaged "V-131" Invalid "the compressed bytes of a stream are damaged"
        "Isi PDF yang dimampatkan ini rusak. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    StreamFilter "V-132" Indeterminate "a stream is compressed in a way that is not read by this version"
        "Isi PDF ini dimampatkan dengan cara yang belum dikenal. Jangan dicetak; minta dokumen dalam bentuk aslinya dari SIAK. Bila berulang, hubungi petugas TI.",
    HybridTwofold "V-133" Invalid "a hybrid file lists its parts in two ways, so that readers see two documents"
        "Daftar isi PDF ini ditulis dua kali dan tidak sama, sehingga dapat terbaca sebagai dua dokumen. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    HybridHides "V-134" Indeterminate "a hybrid file hides from older readers what its pages or form need"
        "Sebagian isi PDF ini tidak tampak di pembaca lama, sehingga hasil cetak dapat berbeda. Jangan dicetak; minta dokumen dalam bentuk aslinya dari SIAK. Bila berulang, hubungi dinas penerbit.",

    Unsigned "V-201" Invalid "the document is not signed"
        "Dokumen ini tidak ditandatangani secara elektronik. Jangan dicetak sebagai dokumen asli; minta dokumen yang bertanda tangan. Bila ragu, hubungi dinas penerbit.",
    ByteRange "V-202" Invalid "the signature does not say properly which bytes it covers"
        "Tanda tangan tidak menyebut dengan benar bagian yang dilindunginya. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    Gap "V-203" Invalid "the bytes that the signature leaves out are not the signature itself"
        "Ada bagian dokumen yang sengaja dilewati tanda tangan. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    CoverageEnd "V-204" Invalid "the signed bytes do not end where a revision of the document ends"
        "Tanda tangan berakhir di tengah dokumen. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    // V-205 said that bytes were added after signing and were not examined; V-601 to V-618 say what they are.
    SignatureKind "V-206" Indeterminate "this kind of signature is not judged by this version"
        "Jenis tanda tangan ini belum dapat diperiksa. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    Padding "V-207" Invalid "the space after the signature is not filled with zeros"
        "Ruang di belakang tanda tangan berisi data lain. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",

    CmsMalformed "V-301" Invalid "the signature breaks the rules of CMS"
        "Tanda tangan elektroniknya rusak. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    DigestMismatch "V-302" Invalid "the document was changed after signing"
        "Isi dokumen berubah sesudah ditandatangani. Jangan dicetak; unduh ulang dokumen aslinya. Bila tetap begitu, hubungi dinas penerbit.",
    SignatureBroken "V-303" Invalid "the signature was not made with the key of its certificate"
        "Tanda tangan tidak dibuat dengan kunci pejabat yang tertera. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    AttributeMissing "V-304" Invalid "a signed attribute that must be there is missing or stands twice"
        "Bagian wajib tanda tangan tidak ada atau ganda. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    SignerBinding "V-305" Invalid "the signature was made for another certificate than the one shown"
        "Tanda tangan dibuat untuk sertifikat lain daripada yang tertera. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    AlgorithmRefused "V-306" Indeterminate "the signature rests on SHA-1 or MD5, which no longer protect"
        "Tanda tangan memakai cara lama yang tidak lagi aman. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    AlgorithmUnsupported "V-307" Indeterminate "the signature algorithm is not known to this version"
        "Cara tanda tangan ini belum dikenal. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    KeyTooShort "V-308" Indeterminate "an RSA key is shorter than 2048 bits"
        "Kunci tanda tangan terlalu pendek untuk dipercaya. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    Unvouched "V-309" Indeterminate "the signature carries material that nothing vouches for"
        "Tanda tangan membawa data tambahan yang tidak dijamin siapa pun. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    SignerMissing "V-310" Indeterminate "the signature does not hold its signer's certificate"
        "Sertifikat penanda tangan tidak disertakan. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    AlgorithmsDisagree "V-311" Invalid "the signature names algorithms that contradict each other"
        "Keterangan di dalam tanda tangan saling bertentangan. Jangan dicetak; dokumen ini mungkin diubah. Hubungi dinas penerbit.",
    KeyTooLong "V-312" Indeterminate "an RSA key is longer than 4096 bits"
        "Kunci tanda tangan lebih panjang daripada yang dapat diperiksa. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    PolicyNamed "V-313" Note "the signature names a signature policy, which is not read here"
        "Tanda tangan menyebut aturan tanda tangan yang tidak dibaca di sini. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",

    NoChain "V-401" Indeterminate "no chain leads from the signer to a trusted authority"
        "Penanda tangan tidak dijamin oleh penerbit sertifikat yang dipercaya di sini. Jangan dicetak; pastikan dokumen berasal dari dinas. Bila penerbitnya baru, hubungi petugas TI.",
    OutOfValidity "V-402" Indeterminate "a certificate was not valid at the moment of judging"
        "Sertifikat belum berlaku atau sudah habis pada waktu pemeriksaan. Periksa jam mesin ini, lalu ulangi. Bila jam sudah benar, hubungi petugas TI.",
    SignerUsage "V-403" Indeterminate "the certificate is not meant for signing documents"
        "Sertifikat ini bukan untuk menandatangani dokumen. Jangan dicetak; minta dokumen yang ditandatangani pejabat. Hubungi dinas penerbit.",
    AuthorityUsage "V-404" Indeterminate "a certificate of the chain may not issue the next one"
        "Salah satu penerbit sertifikat tidak berhak menerbitkannya. Jangan dicetak; pastikan dokumen berasal dari dinas. Hubungi petugas TI.",
    Revoked "V-405" Indeterminate "a certificate of the chain is revoked, and nothing proves that the signature is older"
        "Sertifikat penanda tangan sudah dicabut dan tidak terbukti bahwa dokumen ditandatangani sebelumnya. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    RevocationMissing "V-406" Indeterminate "a required revocation list is missing"
        "Daftar pencabutan sertifikat yang diwajibkan tidak ada di mesin ini. Jangan dicetak dulu; pasang daftarnya, lalu ulangi. Hubungi petugas TI.",
    RevocationStale "V-407" Indeterminate "a required revocation list is out of date"
        "Daftar pencabutan sertifikat yang diwajibkan sudah kedaluwarsa. Jangan dicetak dulu; perbarui daftarnya, lalu ulangi. Hubungi petugas TI.",
    RevocationUnknown "V-408" Note "no revocation list is known for a certificate of the chain"
        "Tidak ada daftar pencabutan untuk sertifikat ini, sehingga pencabutan tidak diperiksa. Ini tidak menghalangi pencetakan. Agar diperiksa, minta petugas TI memasang daftarnya.",
    RevocationOld "V-409" Note "a revocation list is out of date"
        "Daftar pencabutan sertifikat sudah kedaluwarsa. Ini tidak menghalangi pencetakan. Minta petugas TI memperbarui daftarnya.",
    NoAnchors "V-410" Indeterminate "no trusted authority is configured"
        "Belum ada penerbit sertifikat yang dipercaya di mesin ini. Jangan dicetak dulu; pasang sertifikat induknya. Hubungi petugas TI.",
    CriticalExtension "V-411" Indeterminate "a certificate has a critical extension that is not known here"
        "Sertifikat memuat syarat yang belum dikenal. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    RevokedLater "V-412" Note "a certificate of the chain was revoked after the signature was stamped"
        "Sertifikat penanda tangan dicabut sesudah dokumen ini ditandatangani, dan stempel waktu membuktikannya. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",
    RevokedKey "V-413" Indeterminate "a certificate of the chain is revoked because its key was in other hands"
        "Kunci penanda tangan pernah berada di tangan orang lain, sehingga stempel waktu tidak cukup membuktikan. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    RevocationPartialMissing "V-414" Indeterminate "a required revocation list covers only a part, and which part is not read by this version"
        "Daftar pencabutan yang ada hanya memuat sebagian sertifikat, padahal daftar lengkap diwajibkan. Jangan dicetak dulu; pasang daftar pencabutan yang lengkap. Hubungi petugas TI.",
    RevocationPartial "V-415" Note "the revocation list at hand covers only a part, and which part is not read by this version"
        "Daftar pencabutan yang ada hanya memuat sebagian sertifikat, sehingga pencabutan tidak diperiksa penuh. Ini tidak menghalangi pencetakan. Minta petugas TI memasang daftar yang lengkap.",
    RevocationUnprovedMissing "V-416" Indeterminate "required revocation data was signed by an authority that has ended, and nothing proves that it is older"
        "Data pencabutan di dalam dokumen berasal dari penerbit yang masa berlakunya sudah habis dan umurnya tidak terbukti. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    RevocationUnproved "V-417" Note "revocation data was signed by an authority that has ended, and nothing proves that it is older"
        "Data pencabutan di dalam dokumen tidak terbukti umurnya, sehingga pencabutan tidak diperiksa penuh. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",
    RevokedAuthority "V-418" Indeterminate "an authority of the chain is revoked, and nothing proves that the signature is older"
        "Sertifikat penerbit sudah dicabut dan tidak terbukti bahwa dokumen ditandatangani sebelumnya. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi dinas penerbit.",
    UnknownToIssuer "V-419" Indeterminate "the authority says that it does not know a certificate of the chain"
        "Penerbit sertifikat menyatakan tidak mengenal sertifikat ini. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    SignerStranger "V-420" Indeterminate "the signature is by someone who is not an official of this office"
        "Dokumen ditandatangani oleh orang yang tidak terdaftar sebagai pejabat dinas ini. Jangan dicetak; tanyakan siapa penanda tangannya. Hubungi dinas penerbit.",
    SignersUnset "V-421" Note "nobody checked whether the signer is an official of this office"
        "Pejabat yang berwenang belum didaftarkan di mesin ini, sehingga jabatan penanda tangan tidak diperiksa. Periksa nama penanda tangan. Agar diperiksa, minta petugas TI mendaftarkan pejabatnya.",
    SignersMissing "V-422" Indeterminate "the officials of this office are to be checked, and none is named"
        "Pejabat yang berwenang wajib diperiksa, tetapi belum didaftarkan di mesin ini. Jangan dicetak dulu; daftarkan pejabatnya. Hubungi petugas TI.",
    ConstraintBroken "V-431" Indeterminate "a certificate of the chain bears a name that its authority may not certify"
        "Penerbit sertifikat tidak berhak menjamin nama ini. Jangan dicetak; pastikan dokumen berasal dari dinas. Hubungi petugas TI.",
    ConstraintUnsupported "V-432" Indeterminate "an authority of the chain limits names in a way that is not known here"
        "Penerbit sertifikat membatasi nama dengan cara yang belum dikenal. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi petugas TI.",
    AnchorEnded "V-433" Indeterminate "the trusted authority counts only for older signatures"
        "Penerbit sertifikat ini tidak lagi dipercaya untuk tanda tangan baru. Jangan dicetak; minta dokumen yang ditandatangani ulang. Hubungi petugas TI.",
    CertificateUnproved "V-434" Indeterminate "an authority's certificate in the document has ended, and nothing proves that it is older"
        "Sertifikat penerbit di dalam dokumen sudah habis masa berlakunya dan umurnya tidak terbukti. Jangan dicetak; minta petugas TI memasang sertifikat penerbit itu. Bila tidak ada, hubungi dinas penerbit.",
    ArchiveUnreadable "V-435" Note "something that the document brings along about certificates cannot be read"
        "Sebagian data sertifikat di dalam dokumen tidak terbaca dan tidak dipakai. Tidak perlu tindakan. Bila ragu, hubungi petugas TI.",
    EndedUnrevoked "V-436" Indeterminate "the signer's certificate has ended without being revoked, and nothing proves that the signature is older"
        "Sertifikat penanda tangan sudah habis masa berlakunya tanpa pernah dicabut, tetapi tidak terbukti bahwa dokumen ditandatangani sebelumnya. Jangan dicetak; minta dokumen dengan stempel waktu. Hubungi dinas penerbit.",

    TimeClaimed "V-501" Note "the time of signing is the signer's own claim"
        "Waktu tanda tangan hanya menurut penanda tangan. Tidak perlu tindakan. Bila waktunya penting, hubungi dinas penerbit.",
    StampBroken "V-502" Indeterminate "the time stamp does not belong to the signature"
        "Stempel waktu bukan milik tanda tangan ini. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    StampUntrusted "V-503" Indeterminate "the time stamp's authority cannot be vouched for"
        "Penerbit stempel waktu tidak dapat dijamin. Jangan dicetak dulu; pasang sertifikat penerbitnya bila memang dipercaya. Hubungi petugas TI.",
    StampOrder "V-504" Indeterminate "a time stamp is younger than one that was put over it"
        "Urutan stempel waktu di dalam dokumen tidak mungkin benar. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    StampMissing "V-505" Indeterminate "a time stamp is required, and none proves when the document was signed"
        "Stempel waktu diwajibkan, tetapi tidak ada yang membuktikan waktu tanda tangan. Jangan dicetak; minta dokumen yang distempel waktu. Hubungi dinas penerbit.",
    StampVague "V-506" Indeterminate "the time stamp says that it may be wrong by more than ten minutes"
        "Stempel waktu terlalu kasar untuk membuktikan waktu tanda tangan. Jangan dicetak; minta dokumen dengan stempel waktu yang tepat. Hubungi dinas penerbit.",
    StampExpired "V-507" Note "the time stamp proves nothing any more, for its authority's certificate has ended"
        "Masa berlaku penerbit stempel waktu sudah habis, sehingga stempel itu tidak lagi membuktikan apa pun. Tidak perlu tindakan. Bila waktunya penting, hubungi dinas penerbit.",

    ChangedContent "V-601" Invalid "what a page shows was changed after signing"
        "Isi halaman diubah sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedPages "V-602" Invalid "pages were added, taken away or turned after signing"
        "Halaman ditambah, dikurangi, atau diubah bentuknya sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedAnnotation "V-603" Invalid "something was laid over a page after signing"
        "Ada yang ditempelkan di atas halaman sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedField "V-604" Invalid "form fields were changed or added after signing"
        "Kolom isian diubah atau ditambah sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedSignature "V-605" Invalid "the signature itself, its place or its picture was changed after signing"
        "Tanda tangan, letaknya, atau gambarnya diubah sesudah dokumen ditandatangani. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    ChangedCatalog "V-606" Invalid "settings of the whole document were changed after signing"
        "Pengaturan dokumen diubah sesudah ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedAction "V-607" Invalid "a program or an action was put into the document after signing"
        "Ada program yang disisipkan sesudah dokumen ditandatangani. Jangan dicetak dan jangan dibuka di komputer lain. Hubungi petugas TI.",
    ChangedResources "V-608" Invalid "fonts, pictures or other means of the pages were changed after signing"
        "Huruf atau gambar yang dipakai halaman diubah sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedFreed "V-609" Invalid "parts of the document were taken away after signing"
        "Ada bagian yang dihapus sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedStructure "V-610" Invalid "parts were added after signing that no rule explains"
        "Ada bagian yang ditambahkan sesudah dokumen ditandatangani tanpa alasan yang dikenal. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedInformation "V-611" Invalid "title, author or another piece of information was changed after signing"
        "Judul, penyusun, atau keterangan lain diubah sesudah dokumen ditandatangani. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedArchive "V-612" Invalid "what was added as evidence for the signature holds something else"
        "Tambahan yang seharusnya bukti tanda tangan berisi hal lain. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    ChangedRights "V-613" Invalid "what the signer allowed to be done later was exceeded or rewritten"
        "Perubahan sesudah penandatanganan melampaui yang diizinkan penanda tangan. Jangan dicetak; minta dokumen aslinya. Hubungi dinas penerbit.",
    TailBytes "V-614" Indeterminate "white space or comments stand behind the end of the document"
        "Ada tambahan kosong di ujung dokumen. Jangan dicetak; unduh ulang dokumen aslinya. Bila berulang, hubungi dinas penerbit.",
    SignatureRemoved "V-615" Invalid "a signature was taken out of the document"
        "Tanda tangan yang pernah ada dihapus dari dokumen. Jangan dicetak; dokumen ini mungkin dipalsukan. Hubungi dinas penerbit.",
    SignedAgain "V-616" Indeterminate "the document was signed again, which the office's rule does not allow"
        "Dokumen ditandatangani lagi sesudah tanda tangan dinas. Jangan dicetak; minta dokumen dengan satu tanda tangan. Hubungi dinas penerbit.",
    RightsUnknown "V-617" Indeterminate "the signed document grants rights that are not known here"
        "Dokumen memuat hak perubahan yang belum dikenal. Jangan dicetak; minta dokumen dalam bentuk biasa. Bila berulang, hubungi petugas TI.",
    MetadataChanged "V-618" Note "the archive data of the document was updated after signing"
        "Data arsip dokumen diperbarui sesudah ditandatangani; halamannya tetap. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",
    ActiveContent "V-631" Indeterminate "the signed document holds programs, sound, film or actions"
        "Dokumen memuat program atau media yang dapat mengubah tampilannya. Jangan dicetak; minta dokumen tanpa program. Hubungi petugas TI.",
    DynamicForm "V-632" Indeterminate "the signed document leaves to each viewer how its form looks"
        "Tampilan isian dokumen bergantung pada program pembacanya. Jangan dicetak; minta dokumen dalam bentuk biasa. Hubungi petugas TI.",
    HiddenLayers "V-633" Indeterminate "the signed document has layers that may be hidden or differ when printed"
        "Dokumen memuat lapisan yang tersembunyi atau berbeda saat dicetak. Jangan dicetak; minta dokumen tanpa lapisan. Hubungi dinas penerbit.",
    Layers "V-634" Note "the signed document has layers, all of them shown"
        "Dokumen memuat lapisan dan semuanya tampak. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",
    ExternalContent "V-635" Indeterminate "the signed document shows what stands in other files, or other pictures when printed"
        "Sebagian isi dokumen berada di luar berkas ini atau berbeda saat dicetak. Jangan dicetak; minta dokumen yang utuh. Hubungi dinas penerbit.",
    ExternalLink "V-636" Note "the signed document links to addresses outside; none is followed"
        "Dokumen memuat tautan keluar dan tidak satu pun dibuka. Ini tidak menghalangi pencetakan. Bila ragu, hubungi petugas TI.",
    Attachment "V-637" Note "the signed document carries other files; they are neither opened nor printed"
        "Dokumen membawa berkas lampiran yang tidak dibuka dan tidak dicetak. Ini tidak menghalangi pencetakan. Bila ragu, hubungi petugas TI.",
    AnnotationTwoFaced "V-638" Indeterminate "the signed document holds notes that are shown but not printed, or printed but not shown"
        "Dokumen memuat tempelan yang berbeda antara layar dan kertas. Jangan dicetak; minta dokumen tanpa tempelan. Hubungi dinas penerbit.",
    AnnotationShown "V-639" Note "the signed document holds notes, stamps or fields over its pages, signed with it"
        "Halaman memuat tempelan atau kolom isian yang ikut ditandatangani. Ini tidak menghalangi pencetakan. Bila ragu, hubungi dinas penerbit.",
    FontStandard "V-640" Note "standard fonts are not embedded and come from the printer"
        "Huruf baku tidak disertakan dan diambil dari pencetak. Ini tidak menghalangi pencetakan. Bila hurufnya tampak salah, hubungi petugas TI.",
    FontMissing "V-641" Indeterminate "fonts are not embedded, so that letters may differ from printer to printer"
        "Huruf dokumen tidak disertakan sehingga tulisan dapat berbeda di tiap pencetak. Jangan dicetak; minta dokumen dengan huruf lengkap. Hubungi dinas penerbit.",
    Dangling "V-642" Note "the signed document refers to parts that it does not have"
        "Dokumen menunjuk bagian yang tidak ada di dalamnya. Ini tidak menghalangi pencetakan. Bila hasilnya tidak lengkap, hubungi dinas penerbit.",
    Cropped "V-643" Note "a page is cropped; what lies outside is not shown"
        "Tepi halaman dipotong dan bagian luarnya tidak tampak. Ini tidak menghalangi pencetakan. Bila hasilnya tidak lengkap, hubungi dinas penerbit.",
    DeviceDependent "V-644" Indeterminate "the signed document tells printers to draw something else than screens"
        "Dokumen memuat perintah yang hanya berlaku di pencetak. Jangan dicetak; minta dokumen dalam bentuk biasa. Hubungi petugas TI.",
    TextUnseen "V-645" Note "the signed pages hold text that nobody sees: without ink, in the colour of paper, or cut away"
        "Halaman memuat tulisan yang tidak tampak, misalnya hasil pengenalan tulisan dari pindaian. Ini tidak menghalangi pencetakan; yang berlaku adalah yang tampak. Bila ragu, hubungi dinas penerbit.",
    OutsidePage "V-646" Note "text or pictures of the signed pages lie beyond the edge of what is shown"
        "Ada tulisan atau gambar di luar tepi halaman yang tidak tampak. Ini tidak menghalangi pencetakan; yang berlaku adalah yang tampak. Bila ragu, hubungi dinas penerbit.",
    TextCovered "V-647" Note "something was drawn over text of the signed pages"
        "Ada tulisan yang tertutup gambar atau bidang warna. Ini tidak menghalangi pencetakan; yang berlaku adalah yang tampak. Bila ragu, hubungi dinas penerbit.",
    PagesUnsearched "V-648" Note "not everything that the signed pages draw was searched for hidden text"
        "Sebagian isi halaman tidak dapat diperiksa untuk tulisan tersembunyi. Ini tidak menghalangi pencetakan; yang berlaku adalah yang tampak. Bila ragu, hubungi petugas TI.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id(), self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// One thing that was found, in JSON `{"code": "V-302", "text": "…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was found.
    pub code: Code,
}

impl From<Code> for Finding {
    fn from(code: Code) -> Self {
        Self { code }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = serializer.serialize_struct("Finding", 2)?;
        shape.serialize_field("code", self.code.id())?;
        shape.serialize_field("text", self.code.text())?;
        shape.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_an_identifier_of_its_own_in_rising_order() {
        let ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.is_sorted());
    }

    #[test]
    fn every_code_says_to_an_officer_what_was_found_what_to_do_and_whom_to_ask() {
        for code in Code::ALL {
            let sentence = code.sentence();
            let (id, weight) = (code.id(), code.weight());
            assert!(sentence.matches(". ").count() >= 2, "{id}: {sentence}");
            assert!(sentence.ends_with('.'), "{id}: {sentence}");
            let asks = ["ubungi ", "inta petugas"];
            assert!(asks.iter().any(|word| sentence.contains(word)), "{id}");
            let forbids = sentence.contains("Jangan dicetak");
            let is_clock = *code == Code::OutOfValidity || *code == Code::TooLarge;
            assert_eq!(
                forbids || is_clock,
                weight > Weight::Note,
                "{id}: {sentence}"
            );
        }
    }
}
