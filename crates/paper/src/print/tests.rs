use super::pack::Packer;
use super::*;
use crate::print::bands::Row;

/// Reads packed rows of pixels of `bytes` each, as the format says and no otherwise.
fn unpacked(mut packed: &[u8], width: usize, bytes: usize) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    while let Some((again, rest)) = packed.split_first() {
        packed = rest;
        let mut row = Vec::new();
        while row.len() < width * bytes {
            let (code, rest) = packed.split_first().unwrap();
            assert_ne!(
                *code, 128,
                "means nothing to some and a white rest to others"
            );
            let (pixels, times) = match *code {
                code @ 0..=127 => (1, usize::from(code) + 1),
                code => (257 - usize::from(code), 1),
            };
            let (told, rest) = rest.split_at(pixels * bytes);
            row.extend(told.repeat(times));
            packed = rest;
        }
        assert_eq!(
            row.len(),
            width * bytes,
            "no run goes over the end of a row"
        );
        rows.extend(vec![row; usize::from(*again) + 1]);
    }
    rows
}

fn packed(rows: &[Vec<u8>], colour: Colour) -> Vec<u8> {
    let width = rows[0].len() / 4;
    let mut packer = Packer::new(u16::try_from(width).unwrap(), colour);
    let mut above: Option<&Vec<u8>> = None;
    for row in rows {
        let is_again = above == Some(row);
        packer
            .row(if is_again {
                Row::Again
            } else {
                Row::Pixels(row)
            })
            .unwrap();
        above = Some(row);
    }
    packer.finish(u16::try_from(rows.len()).unwrap()).unwrap();
    packer.packed().to_vec()
}

/// A row of opaque grey pixels.
fn row(shades: impl IntoIterator<Item = u8>) -> Vec<u8> {
    shades
        .into_iter()
        .flat_map(|it| [it, it, it, 255])
        .collect()
}

#[test]
fn rows_of_every_width_come_back_whatever_is_in_them() {
    let mut noise = 1_u32;
    let mut random = |below: u32| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 8) % below
    };
    for width in (1..=300).chain([4_961]) {
        for kind in 0..5 {
            let mut shades = Vec::new();
            while shades.len() < width {
                let shade = u8::try_from(random(256)).unwrap();
                let times = match kind {
                    0 => 1,
                    1 => width,
                    2 => usize::try_from(1 + random(2)).unwrap(),
                    3 => usize::try_from(1 + random(300)).unwrap(),
                    _ => usize::try_from(1 + 127 * random(3)).unwrap(),
                };
                shades.extend(std::iter::repeat_n(shade, times));
            }
            shades.truncate(width);
            let rows = vec![row(shades.clone()); 2];
            let expected = vec![shades.clone(); 2];
            assert_eq!(unpacked(&packed(&rows, Colour::Gray), width, 1), expected);
            let colours: Vec<u8> = shades.iter().flat_map(|it| [*it; 3]).collect();
            let seen = unpacked(&packed(&rows, Colour::Rgb), width, 3);
            assert_eq!(seen, vec![colours; 2]);
        }
    }
}

#[test]
fn a_row_that_stands_again_costs_a_byte_up_to_256_times() {
    let white = row([255; 100]);
    for (times, bytes) in [(1, 3), (256, 3), (257, 6), (512, 6), (513, 9)] {
        let packed = packed(&vec![white.clone(); times], Colour::Gray);
        assert_eq!(packed.len(), bytes, "{times}");
        assert_eq!(unpacked(&packed, 100, 1).len(), times);
    }
}

#[test]
fn rows_that_do_not_fill_the_page_are_a_fault_and_no_raster() {
    let mut packer = Packer::new(3, Colour::Gray);
    assert_eq!(packer.row(Row::Again), Err(PrintError::Shape));
    let mut packer = Packer::new(3, Colour::Gray);
    assert_eq!(
        packer.row(Row::Pixels(&row([1; 2]))),
        Err(PrintError::Shape)
    );
    let mut packer = Packer::new(3, Colour::Gray);
    packer.row(Row::Pixels(&row([1; 3]))).unwrap();
    assert_eq!(packer.finish(2), Err(PrintError::Shape));
}

#[test]
fn noise_costs_no_more_than_a_hundredth_above_itself() {
    let shades: Vec<u8> = (0..4_961_u32)
        .map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect();
    let packed = packed(&[row(shades)], Colour::Gray);
    assert!(packed.len() <= 4_961 + 50 + 1, "{}", packed.len());
}
