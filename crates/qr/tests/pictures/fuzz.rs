//! Pictures that are nearly codes.

use loket_fuzz::fuzz_from;
use loket_qr::{Effort, MAX_PAYLOAD_BYTES, read};

use crate::pages::{HONEST, alone, symbol};

#[test]
fn fuzz_qr_pictures() {
    let symbols: Vec<_> = [(1, "tel:0"), (2, "https://contoh.example/"), (7, HONEST)]
        .map(|(version, payload)| symbol(payload.as_bytes(), version, 0.0, (0.0, 0.0)))
        .into();
    let mut whole = 0_u64;
    let mut failed = 0_u64;
    fuzz_from("qr_pictures", 1_500, |seeded| {
        let at = usize::try_from(seeded.below(3)).unwrap();
        let module = usize::try_from(1 + seeded.below(4)).unwrap();
        let mut picture = alone(&symbols[at], module);
        let pixels = u64::try_from(picture.pixels.len()).unwrap();
        // Single pixels, lines and blocks of wrong tones; then a cut, so that rows no longer lie below each other.
        for _harm in 0..seeded.below(60) {
            let from = usize::try_from(seeded.below(pixels)).unwrap();
            let long = usize::try_from(1 + seeded.below(40)).unwrap();
            let step = [1, picture.width as usize][usize::try_from(seeded.below(2)).unwrap()];
            let tone = u8::try_from(seeded.below(256)).unwrap();
            for pixel in picture
                .pixels
                .iter_mut()
                .skip(from)
                .step_by(step)
                .take(long)
            {
                *pixel = tone;
            }
        }
        let (mut width, mut height) = (picture.width, picture.height);
        if seeded.below(4) == 0 {
            width = 1 + u32::try_from(seeded.below(u64::from(width))).unwrap();
            height = 1 + u32::try_from(seeded.below(u64::from(height))).unwrap();
            picture.pixels.truncate(width as usize * height as usize);
        }
        let effort = [Effort::Page, Effort::Photograph][usize::try_from(seeded.below(2)).unwrap()];
        let reading = read(width, height, &picture.pixels, effort).unwrap();
        for code in &reading.codes {
            assert!(code.payload.as_bytes().len() <= MAX_PAYLOAD_BYTES);
        }
        whole += u64::from(!reading.codes.is_empty());
        failed += u64::from(reading.has_failed);
    });
    println!("qr_pictures: {whole} read, the decoder failed at {failed}");
    assert!(whole > 100, "good pictures were among them: {whole}");
}
