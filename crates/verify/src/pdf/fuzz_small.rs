//! Files of a few hundred bytes whose offsets are right while what stands at them is odd, and small honest files that were
//! written over here and there.
//!
//! A file of a few kilobytes takes the reader ten times as long, and an edit that makes it longer is refused at the first
//! offset.

use loket_fuzz::{Mutator, Seeded};

use super::fuzz::{below, each_revision_is_the_file_cut_there};
use super::tests::{Draft, ROOT};
use super::{Budget, File};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/", $name, ".pdf")).as_slice()
    };
}

const HONEST: [&[u8]; 10] = [
    fixture!("originals/unsigned-hybrid"),
    fixture!("originals/unsigned-hybrid-one"),
    fixture!("originals/unsigned-hybrid-word"),
    fixture!("producers/fpdf2"),
    fixture!("producers/mupdf-object-streams"),
    fixture!("producers/mupdf-update-of-mupdf"),
    fixture!("producers/mupdf-update-of-mupdf-object-streams"),
    fixture!("producers/pdfbox-update"),
    fixture!("producers/qpdf-linearized-object-streams"),
    fixture!("producers/qpdf-object-streams"),
];

/// Two seconds in a test run.
const CASES: u64 = 16_000;

/// One file in so many that are taken is cut behind each revision and read again, which takes as long as several cases.
const ONE_IN_CUT: u64 = 4;

/// What objects are made of.
const PIECES: [&str; 20] = [
    "0",
    "-1",
    "+7",
    "2147483648",
    "1.5",
    "-.5",
    "/Name",
    "/A#20B",
    "(text)",
    "(a(b)c)",
    "(\\053\\8)",
    "<48>",
    "<4>",
    "[]",
    "[1 0 R]",
    "<< /K 1 >>",
    "true",
    "null",
    "<< /P 1 0 R >>",
    "(a) % note\n",
];

/// What they are not made of.
const ODD_PIECES: [&str; 25] = [
    "99999999999999999999",
    ".",
    "1e3",
    "/A#0",
    "/",
    "(a\\)",
    "(",
    "<4g>",
    "<",
    "[",
    "]",
    "<<",
    ">>",
    "<< /K 1 /K 2 >>",
    "1 0 R",
    "9 0 R",
    "0 0 R",
    "1 65536 R",
    "R",
    "stream\nx\nendstream",
    "endobj",
    "7 0 obj",
    "\0",
    "\r",
    "xref",
];

/// One piece in so many is odd, one object in so many altered, and one entry in so many leads elsewhere.
const ONE_IN_ODD: u64 = 24;

/// What an edit writes over a byte.
const OVER: [&[u8]; 16] = [
    b"0", b"1", b"9", b"(", b")", b"<", b">", b"[", b"/", b"%", b" ", b"\n", b"\r", b"\0", b"R",
    b"\xff",
];

/// An object's text.
fn text(seeded: &mut Seeded) -> Vec<u8> {
    let piece = |seeded: &mut Seeded| match seeded.below(ONE_IN_ODD) {
        0 => seeded.pick(&ODD_PIECES),
        _ => seeded.pick(&PIECES),
    };
    let count = 1 + seeded.below(5);
    let pieces: Vec<&str> = (0..count).filter_map(|_| piece(seeded)).collect();
    let text = match seeded.below(4) {
        0 => format!("[{}]", pieces.join(" ")),
        1 => {
            let keyed = pieces.iter().zip(b'A'..);
            let keyed: String = keyed
                .map(|(piece, key)| format!("/{} {piece} ", char::from(key)))
                .collect();
            format!("<< {keyed}>>")
        }
        2 => format!("[{}]", pieces.concat()),
        _three => pieces[0].to_owned(),
    };
    if seeded.below(ONE_IN_ODD) == 0 {
        return Mutator::new(seeded.fork()).alter(text.as_bytes());
    }
    text.into_bytes()
}

/// Bytes as zlib stores them without making them fewer: its compressor clears more memory than all else here takes.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let [.., high, low] = bytes.len().to_be_bytes();
    let (mut one, mut two) = (1_u32, 0_u32);
    for byte in bytes {
        one = (one + u32::from(*byte)) % 65_521;
        two = (two + one) % 65_521;
    }
    let sum = (two << 16 | one).to_be_bytes();
    let head = [0x78, 0x01, 0x01, low, high, !low, !high];
    [head.as_slice(), bytes, &sum].concat()
}

/// A stream whose filters and length may not be what its bytes are.
fn stream(draft: Draft, number: u32, seeded: &mut Seeded) -> Draft {
    let data = text(seeded);
    let deflated = stored(&data);
    match seeded.below(6) {
        0 => draft.stream(number, "", &data),
        1 => draft.stream(number, "/Filter /FlateDecode", &deflated),
        2 => draft.stream(
            number,
            "/Filter [/FlateDecode] /DecodeParms [<< /Predictor 12 >>]",
            &deflated,
        ),
        3 => draft.stream(number, "/Filter /ASCIIHexDecode", b"48 4>"),
        4 => {
            let altered = Mutator::new(seeded.fork()).alter(&deflated);
            draft.stream(number, "/Filter /FlateDecode", &altered)
        }
        _five => draft.stream(number, "/Length 3 0 R", &data),
    }
}

/// Some objects and the section behind them.
fn revision(mut draft: Draft, seeded: &mut Seeded, number: u32) -> Draft {
    let is_stream = seeded.below(2) == 1;
    let mut own = 1;
    for _object in 0..seeded.below(4) {
        own += 1 + below(seeded, 3);
        let at = draft.bytes.len();
        draft = match seeded.below(ONE_IN_ODD) {
            0 => draft.entry(own, 0, 0, 1),
            1 => {
                let third = seeded.place(3);
                draft.entry(own, 1, at.saturating_sub(20), third)
            }
            2..8 => stream(draft, own, seeded),
            _ => {
                let head = format!("{own} 0 obj\n");
                let entered = draft.entry(own, 1, at, 0).raw(head);
                entered.raw(text(seeded)).raw("\nendobj\n")
            }
        };
    }
    if !is_stream {
        return draft.table(ROOT);
    }
    let texts: Vec<String> = (0..seeded.below(3))
        .map(|_| String::from_utf8_lossy(&text(seeded)).into_owned())
        .collect();
    let packed = (14 + 4 * number..).zip(&texts);
    let packed: Vec<(u32, &str)> = packed.map(|(own, text)| (own, text.as_str())).collect();
    let (pack, section) = (30 + 2 * number, 31 + 2 * number);
    draft.pack(pack, "", &packed).xref_stream(section, ROOT)
}

fn made(seeded: &mut Seeded) -> Vec<u8> {
    let mut draft = Draft::new().object(1, "<< /Type /Catalog >>");
    draft.zlib = stored;
    for number in 0..1 + below(seeded, 3) {
        draft = revision(draft, seeded, number);
    }
    draft.bytes
}

/// Writes over up to three places; the file stays as long as it was.
fn write_over(bytes: &mut [u8], seeded: &mut Seeded) {
    for _edit in 0..seeded.below(4) {
        let at = seeded.place(bytes.len());
        match seeded.below(4) {
            // Numbers are what a file's structure is made of.
            0 | 1 => {
                let digits = bytes[at..].iter_mut().take(64);
                let digit = digits.into_iter().find(|byte| byte.is_ascii_digit());
                if let (Some(digit), Some([over])) = (digit, seeded.pick(&OVER)) {
                    *digit = *over;
                }
            }
            2 => {
                let over = seeded.pick(&OVER).unwrap_or_default();
                bytes[at..=at].copy_from_slice(over);
            }
            _three => {
                let from = seeded.place(bytes.len());
                let length = seeded.place(24).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + length, at);
            }
        }
    }
}

#[test]
fn fuzz_reader_files() {
    let mut taken = [0_u64; 2];
    loket_fuzz::fuzz_from("reader-files", CASES, |seeded| {
        let is_made = seeded.below(2) == 0;
        let mut bytes = match is_made {
            true => made(seeded),
            false => seeded.pick(&HONEST).unwrap().to_vec(),
        };
        write_over(&mut bytes, seeded);
        let is_taken = match seeded.below(ONE_IN_CUT) {
            0 => each_revision_is_the_file_cut_there(&bytes).is_ok(),
            _ => File::open(&bytes, &mut Budget::new()).is_ok(),
        };
        taken[usize::from(is_made)] += u64::from(is_taken);
    });
    assert!(taken.iter().all(|count| *count > 0), "control: {taken:?}");
}
