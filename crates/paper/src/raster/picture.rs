//! PNG and JPEG files: scans in, pages for the screen out.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, ImageFormat, ImageReader, Limits};

use super::{Gray, MAX_PIXELS, RasterError, Rgb};

/// A colour scan of A4 at 600 dpi as JPEG has some 15 MB, as PNG some 40.
pub const MAX_PICTURE_BYTES: usize = 48 * 1024 * 1024;

/// What a decoder may ask for: [`MAX_PIXELS`] in four channels of 8 bits, and its working space.
pub const MAX_PICTURE_MEMORY_BYTES: u64 = 192 * 1024 * 1024;

/// Longer than any side of what scanners here make: A3 at 600 dpi has 9,922.
const MAX_SIDE_PIXELS: u32 = 12_000;

/// Reads a PNG or JPEG as shades of grey; what is transparent is white paper.
///
/// Units and ranges: up to [`MAX_PICTURE_BYTES`], sides up to 12,000 pixels, [`MAX_PIXELS`] in all. `dpi` is what the file
/// says (PNG `pHYs`, JFIF density), where both directions agree and it is from 36 to 1200.
///
/// # Errors
/// [`RasterError`].
pub fn image(bytes: &[u8]) -> Result<Gray, RasterError> {
    if bytes.len() > MAX_PICTURE_BYTES {
        return Err(RasterError::FileTooLarge);
    }
    let format = image::guess_format(bytes).map_err(|_unknown| RasterError::PictureKind)?;
    let is_png = format == ImageFormat::Png;
    if !is_png && format != ImageFormat::Jpeg {
        return Err(RasterError::PictureKind);
    }
    let reader = || {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE_PIXELS);
        limits.max_image_height = Some(MAX_SIDE_PIXELS);
        limits.max_alloc = Some(MAX_PICTURE_MEMORY_BYTES);
        reader.limits(limits);
        reader
    };
    let (width, height) = reader()
        .into_dimensions()
        .map_err(|_broken| RasterError::PictureBroken)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > u64::from(MAX_PIXELS) {
        return Err(RasterError::PixelCount);
    }
    let decoded = reader()
        .decode()
        .map_err(|_broken| RasterError::PictureBroken)?;
    let dpi = if is_png {
        png_dpi(bytes)
    } else {
        jpeg_dpi(bytes)
    };
    let gray = if decoded.color().has_alpha() {
        on_white(&decoded)
    } else {
        decoded.into_luma8()
    };
    let (width, height) = gray.dimensions();
    Ok(Gray {
        width,
        height,
        pixels: gray.into_raw(),
        dpi,
    })
}

fn on_white(picture: &DynamicImage) -> image::GrayImage {
    let with_alpha = picture.to_luma_alpha8();
    let (width, height) = with_alpha.dimensions();
    let shades = with_alpha.pixels().map(|pixel| {
        let [shade, alpha] = pixel.0;
        let paper = u16::from(255 - alpha) * 255;
        let sum = u16::from(shade) * u16::from(alpha) + paper;
        u8::try_from(sum / 255).unwrap_or(u8::MAX)
    });
    image::GrayImage::from_raw(width, height, shades.collect()).unwrap_or_default()
}

/// Writes shades of grey as PNG.
///
/// # Errors
/// [`RasterError::Shape`].
pub fn png(picture: &Gray) -> Result<Vec<u8>, RasterError> {
    written(
        &picture.pixels,
        picture.width,
        picture.height,
        ExtendedColorType::L8,
        1,
    )
}

/// Writes colours as PNG.
///
/// # Errors
/// [`RasterError::Shape`].
pub fn png_colour(picture: &Rgb) -> Result<Vec<u8>, RasterError> {
    written(
        &picture.pixels,
        picture.width,
        picture.height,
        ExtendedColorType::Rgb8,
        3,
    )
}

/// Writes colours as JPEG, for a screen at the end of a line: what noise costs as PNG is ten times as much.
///
/// # Errors
/// [`RasterError::Shape`].
pub fn jpeg_colour(picture: &Rgb) -> Result<Vec<u8>, RasterError> {
    let expected = u64::from(picture.width) * u64::from(picture.height) * 3;
    if expected == 0 || u64::try_from(picture.pixels.len()) != Ok(expected) {
        return Err(RasterError::Shape);
    }
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
        .write_image(
            &picture.pixels,
            picture.width,
            picture.height,
            ExtendedColorType::Rgb8,
        )
        .map_err(|_failed| RasterError::Shape)?;
    Ok(out)
}

/// Letters of 6 points stay legible.
const JPEG_QUALITY: u8 = 70;

fn written(
    pixels: &[u8],
    width: u32,
    height: u32,
    colour: ExtendedColorType,
    channels: u64,
) -> Result<Vec<u8>, RasterError> {
    let expected = u64::from(width) * u64::from(height) * channels;
    if expected == 0 || u64::try_from(pixels.len()) != Ok(expected) {
        return Err(RasterError::Shape);
    }
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, width, height, colour)
        .map_err(|_failed| RasterError::Shape)?;
    Ok(out)
}

/// What scanners say; others are leftovers of programs (72) or none.
fn believable(dpi: f64) -> Option<u16> {
    (36..=1200_u16).find(|whole| (f64::from(*whole) - dpi).abs() <= 0.5)
}

/// `pHYs`: pixels per metre in both directions, unit 1.
///
/// # Source
/// PNG (Third Edition), section 11.3.4.3.
fn png_dpi(bytes: &[u8]) -> Option<u16> {
    let mut rest = bytes.get(8..)?;
    // The chunk stands before the first IDAT; so few chunks come before that in honest files.
    for _ in 0..32 {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if kind == b"IDAT" {
            return None;
        }
        if kind == b"pHYs" {
            let (x, after) = after.split_first_chunk::<4>()?;
            let (y, after) = after.split_first_chunk::<4>()?;
            let is_metric = after.first() == Some(&1);
            return (x == y && is_metric)
                .then(|| f64::from(u32::from_be_bytes(*x)) * 0.0254)
                .and_then(believable);
        }
        rest = after.get(length.checked_add(4)?..)?;
    }
    None
}

/// The density of JFIF's APP0, which follows the start of the file.
///
/// # Source
/// JFIF 1.02, section "JFIF segment format".
fn jpeg_dpi(bytes: &[u8]) -> Option<u16> {
    let segment = bytes.get(2..18)?;
    let (head, rest) = segment.split_at_checked(9)?;
    if !(head.starts_with(&[0xff, 0xe0]) && head.ends_with(b"JFIF\0")) {
        return None;
    }
    let [_major, _minor, unit, x_high, x_low, y_high, y_low] = *rest.first_chunk::<7>()?;
    let (x, y) = (
        u16::from_be_bytes([x_high, x_low]),
        u16::from_be_bytes([y_high, y_low]),
    );
    match unit {
        1 if x == y => believable(f64::from(x)),
        2 if x == y => believable(f64::from(x) * 2.54),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Gray {
        let pixels = (0..60 * 40)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        Gray {
            width: 60,
            height: 40,
            pixels,
            dpi: None,
        }
    }

    fn jpeg(unit: u8, dots: u16) -> Vec<u8> {
        let mut out = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut out, 90);
        encoder
            .write_image(&steps().pixels, 60, 40, ExtendedColorType::L8)
            .unwrap();
        out[13] = unit;
        out[14..16].copy_from_slice(&dots.to_be_bytes());
        out[16..18].copy_from_slice(&dots.to_be_bytes());
        out
    }

    #[test]
    fn a_picture_written_as_png_is_read_again_unchanged() {
        assert_eq!(image(&png(&steps()).unwrap()), Ok(steps()));
        let colour = Rgb {
            width: 2,
            height: 1,
            pixels: vec![255, 255, 255, 0, 0, 0],
        };
        assert_eq!(
            image(&png_colour(&colour).unwrap()).unwrap().pixels,
            [255, 0]
        );
        let seen = image(&jpeg_colour(&colour).unwrap()).unwrap();
        assert!(
            seen.pixels[0] > 200 && seen.pixels[1] < 60,
            "{:?}",
            seen.pixels
        );
        let cut = Rgb { width: 3, ..colour };
        assert_eq!(jpeg_colour(&cut), Err(RasterError::Shape));
    }

    #[test]
    fn the_resolution_is_what_the_file_says() {
        assert_eq!(image(&jpeg(1, 200)).unwrap().dpi, Some(200));
        assert_eq!(image(&jpeg(2, 118)).unwrap().dpi, Some(300));
        assert_eq!(image(&jpeg(0, 1)).unwrap().dpi, None);
        let mut file = png(&steps()).unwrap();
        // 200 dpi are 7874 dots a metre; readers pass over a wrong check sum of a chunk that they do not need.
        let chunk = [
            0, 0, 0, 9, b'p', b'H', b'Y', b's', 0, 0, 0x1e, 0xc2, 0, 0, 0x1e, 0xc2, 1, 0, 0, 0, 0,
        ];
        file.splice(33..33, chunk);
        assert_eq!(png_dpi(&file), Some(200));
    }

    #[test]
    fn what_is_transparent_is_white_paper() {
        let mut out = Vec::new();
        let pixels = [0, 0, 0, 255, 100, 255];
        PngEncoder::new(&mut out)
            .write_image(&pixels, 3, 1, ExtendedColorType::La8)
            .unwrap();
        assert_eq!(image(&out).unwrap().pixels, [255, 0, 100]);
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        assert_eq!(image(b"%PDF-1.7"), Err(RasterError::PictureKind));
        assert_eq!(image(&jpeg(1, 200)[..300]), Err(RasterError::PictureBroken));
        assert_eq!(
            image(&vec![0; MAX_PICTURE_BYTES + 1]),
            Err(RasterError::FileTooLarge)
        );
        let mut wide = png(&steps()).unwrap();
        wide[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(image(&wide), Err(RasterError::PictureBroken));
        assert_eq!(
            png(&Gray {
                width: 3,
                ..steps()
            }),
            Err(RasterError::Shape)
        );
    }

    #[test]
    fn fuzz_pictures_no_bytes_make_the_decoders_panic() {
        let (one, two) = (png(&steps()).unwrap(), jpeg(1, 200));
        loket_fuzz::fuzz("pictures", 4_000, &[&one, &two], |bytes| {
            if let Ok(picture) = image(bytes) {
                assert!(
                    u64::from(picture.width) * u64::from(picture.height) <= u64::from(MAX_PIXELS)
                );
            }
        });
    }
}
