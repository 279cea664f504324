//! Other programs that draw pages and read rasters.
#![expect(
    clippy::disallowed_methods,
    reason = "other programs than ours have to draw the page and read the raster"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use loket_paper::print::Colour;

/// Pixels of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Bytes of a pixel.
    pub(crate) bytes: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Page {
    /// Turned by 90° anticlockwise.
    pub(crate) fn turned(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for x in (0..self.width).rev() {
            for y in 0..self.height {
                let at = (y * self.width + x) * self.bytes;
                pixels.extend_from_slice(&self.pixels[at..at + self.bytes]);
            }
        }
        Self {
            width: self.height,
            height: self.width,
            bytes: self.bytes,
            pixels,
        }
    }

    /// Mirrored along rows, from row to row, or both.
    pub(crate) fn mirrored(&self, along: bool, down: bool) -> Self {
        let row_bytes = self.width * self.bytes;
        let mut rows: Vec<&[u8]> = self.pixels.chunks_exact(row_bytes).collect();
        if down {
            rows.reverse();
        }
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for row in rows {
            if along {
                pixels.extend(row.chunks_exact(self.bytes).rev().flatten());
            } else {
                pixels.extend_from_slice(row);
            }
        }
        Self {
            pixels,
            ..self.clone()
        }
    }
}

/// The first page as pdftoppm draws it.
pub(crate) fn poppler(document: &[u8], dpi: u16, colour: Colour) -> Page {
    let gray: &[&str] = match colour {
        Colour::Gray => &["-gray"],
        Colour::Rgb => &[],
    };
    let mut program = Command::new("pdftoppm");
    program.args(["-r", &dpi.to_string(), "-singlefile"]);
    program.args(gray).arg("-");
    netpbm(&answer(&mut program, document, "poppler-utils"))
}

/// The whole answer of a program that reads its standard input.
fn answer(program: &mut Command, input: &[u8], package: &str) -> Vec<u8> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("install {package}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
        done.stdout
    })
}

/// Reads P5 or P6.
fn netpbm(file: &[u8]) -> Page {
    let mut fields = file.splitn(5, |byte| byte.is_ascii_whitespace());
    let mut next = || fields.next().unwrap();
    let bytes = if next() == b"P5" { 1 } else { 3 };
    let mut number = || {
        std::str::from_utf8(next())
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let (width, height) = (number(), number());
    assert_eq!(number(), 255, "a byte a colour");
    let pixels = file[file.len() - width * height * bytes..].to_vec();
    Page {
        width,
        height,
        bytes,
        pixels,
    }
}

/// Bytes of a page's header in PWG raster.
const HEAD_BYTES: usize = 1_796;

/// Where a header holds zeros for later versions of the format, from one byte to before another.
const RESERVED: [(usize, usize); 11] = [
    (256, 268),
    (284, 300),
    (312, 324),
    (332, 340),
    (348, 352),
    (360, 368),
    (380, 384),
    (404, 420),
    (424, 452),
    (488, 508),
    (1_604, 1_668),
];

/// The first header of a PWG raster, where what is reserved is zero and texts end.
pub(crate) fn head(raster: &[u8]) -> &[u8] {
    let head = &raster[4..4 + HEAD_BYTES];
    for (from, to) in RESERVED {
        assert!(head[from..to].iter().all(|byte| *byte == 0), "{from}");
    }
    for text in [0, 64, 128, 192, 1_668, 1_732] {
        assert_eq!(head[text + 63], 0, "{text}");
    }
    head
}

/// The number at a place of a header.
pub(crate) fn number_at(head: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(head[at..at + 4].try_into().unwrap())
}

/// The pages of a raster as the simulated printer reads them.
pub(crate) fn simulated(raster: &[u8]) -> Vec<Page> {
    let pages = loket_sim::raster::pages(raster).unwrap().into_iter();
    let page = |page: loket_sim::raster::Page| Page {
        width: page.width,
        height: page.height,
        bytes: page.bytes,
        pixels: page.pixels,
    };
    pages.map(page).collect()
}

/// The pages of a raster as ippeveps, the PostScript command of CUPS's printer, reads them with libcups.
pub(crate) fn cups(
    raster: &[u8],
    content_type: &str,
    (width, height): (usize, usize),
) -> Vec<Page> {
    let mut program = Command::new("ippeveps");
    program.env("CONTENT_TYPE", content_type);
    let postscript = answer(&mut program, raster, "cups-ipp-utils");
    let mut pages: Vec<Page> = Vec::new();
    let mut row = None;
    for line in postscript.split(|byte| *byte == b'\n') {
        if line.starts_with(b"%%Page:") {
            pages.push(Page {
                width,
                height,
                bytes: 1,
                pixels: vec![255; width * height],
            });
        }
        let Some(page) = pages.last_mut() else {
            continue;
        };
        if line == b"/DeviceRGB setcolorspace" {
            page.bytes = 3;
            page.pixels = vec![255; 3 * width * height];
        }
        let row_bytes = width * page.bytes;
        if let Some(from_foot) = line.strip_suffix(b" L") {
            let from_foot: usize = std::str::from_utf8(from_foot).unwrap().parse().unwrap();
            row = Some((height - 1 - from_foot, Vec::new()));
        } else if let Some((at, text)) = &mut row {
            text.extend_from_slice(line);
            if line.ends_with(b"~>") {
                let pixels = ascii85(text);
                page.pixels[*at * row_bytes..][..row_bytes].copy_from_slice(&pixels[..row_bytes]);
                row = None;
            }
        }
    }
    pages
}

/// Adobe's ASCII85 up to its end mark.
fn ascii85(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut group = Vec::new();
    for letter in text.iter().take_while(|letter| **letter != b'~') {
        match letter {
            b'z' => bytes.extend([0; 4]),
            b'!'..=b'u' => group.push(letter - b'!'),
            _blank => {}
        }
        if group.len() == 5 {
            bytes.extend(number(&group));
            group.clear();
        }
    }
    if let Some(count) = group.len().checked_sub(1) {
        group.resize(5, 84);
        bytes.extend(&number(&group)[..count]);
    }
    bytes
}

fn number(group: &[u8]) -> [u8; 4] {
    let digits = group.iter().map(|digit| u32::from(*digit));
    digits
        .fold(0_u32, |sum, digit| sum.wrapping_mul(85).wrapping_add(digit))
        .to_be_bytes()
}
