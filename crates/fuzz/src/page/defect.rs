//! The seventeen states in which a page reaches a reader.

use super::optics::{blurred, noisy, projected, through_jpeg, turned};
use super::{Picture, Symbol};
use crate::seed::Seeded;

/// What happened to a page between its printer and the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// Nothing.
    Clean,
    /// An office scanner: 2° askew, slightly blurred and noisy, kept as JPEG of quality 85.
    TypicalScan,
    /// A fold through the code, toner flaked off along it.
    Fold,
    /// Light from one side.
    Shade,
    /// Grey ink on grey paper.
    LowContrast,
    /// Turned by 5°.
    Turned5,
    /// Turned by 15°.
    Turned15,
    /// Turned by 90°.
    Turned90,
    /// Upside down.
    Turned180,
    /// Kept as JPEG of quality 40.
    Jpeg40,
    /// Eight scratches through the code.
    Scratches,
    /// Out of focus, by 2.5 pixels.
    Blur,
    /// A weak sensor in weak light.
    Noise,
    /// Drops of coffee, some on the code.
    Stains,
    /// The other side shows through.
    BleedThrough,
    /// Printed in grey through a halftone screen.
    Halftone,
    /// Seen by a telephone over a desk: slanted, lit from one side, slightly out of focus, JPEG of quality 70.
    Photograph,
}

impl Defect {
    /// Every state, the realistic ones of a scanner first.
    pub const ALL: [Self; 17] = [
        Self::Clean,
        Self::TypicalScan,
        Self::Fold,
        Self::Shade,
        Self::LowContrast,
        Self::Turned5,
        Self::Turned15,
        Self::Turned90,
        Self::Turned180,
        Self::Jpeg40,
        Self::Scratches,
        Self::Blur,
        Self::Noise,
        Self::Stains,
        Self::BleedThrough,
        Self::Halftone,
        Self::Photograph,
    ];

    /// Whether an office sees it every day: nearly all of these must be read.
    #[must_use]
    pub fn is_realistic(self) -> bool {
        self <= Self::Jpeg40
    }

    /// A word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::TypicalScan => "scan-typical",
            Self::Fold => "fold",
            Self::Shade => "shade",
            Self::LowContrast => "low-contrast",
            Self::Turned5 => "rot5",
            Self::Turned15 => "rot15",
            Self::Turned90 => "rot90",
            Self::Turned180 => "rot180",
            Self::Jpeg40 => "jpeg40",
            Self::Scratches => "scratch8",
            Self::Blur => "blur2.5",
            Self::Noise => "noise",
            Self::Stains => "stains",
            Self::BleedThrough => "bleed-through",
            Self::Halftone => "halftone",
            Self::Photograph => "photograph",
        }
    }

    /// The page in this state; `symbol` is where folds, scratches and stains meet.
    #[must_use]
    pub fn apply(self, page: &Picture, symbol: &Symbol, dpi: u32, seeded: &mut Seeded) -> Picture {
        let place = Place::of(symbol, dpi);
        let mut page = page.clone();
        match self {
            Self::Clean => {}
            Self::TypicalScan => {
                page = blurred(&turned(&page, 2.0, 250), 0.7);
                noisy(&mut page, 6.0, seeded);
                through_jpeg(&mut page, 85);
            }
            Self::Fold => place.fold(&mut page, seeded),
            Self::Shade => {
                let (width, height) = (page.width as f32, page.height as f32);
                page.shade(|x, y, tone| tone * (1.0 - 0.4 * x / width - 0.2 * y / height));
            }
            Self::LowContrast => page.shade(|_, _, tone| 115.0 + tone * 60.0 / 255.0),
            Self::Turned5 => page = turned(&page, 5.0, 250),
            Self::Turned15 => page = turned(&page, 15.0, 250),
            Self::Turned90 => page = turned(&page, 90.0, 250),
            Self::Turned180 => page = turned(&page, 180.0, 250),
            Self::Jpeg40 => through_jpeg(&mut page, 40),
            Self::Scratches => place.scratch(&mut page, seeded),
            Self::Blur => page = blurred(&page, 2.5),
            Self::Noise => noisy(&mut page, 45.0, seeded),
            Self::Stains => place.stain(&mut page, seeded),
            Self::BleedThrough => page = bled(&page),
            Self::Halftone => screened(&mut page, dpi),
            Self::Photograph => page = photographed(&page, seeded),
        }
        page
    }
}

/// Where the code stands, in pixels.
struct Place {
    left: f32,
    top: f32,
    side: f32,
    per_mm: f32,
}

impl Place {
    fn of(symbol: &Symbol, dpi: u32) -> Self {
        let per_mm = dpi as f32 / 25.4;
        Self {
            left: symbol.at_mm.0 * per_mm,
            top: symbol.at_mm.1 * per_mm,
            side: symbol.side_mm * per_mm,
            per_mm,
        }
    }

    /// A place along a side of the code, from a tenth to nine tenths.
    fn along(&self, seeded: &mut Seeded) -> f32 {
        self.side * (0.1 + seeded.below(800) as f32 / 1_000.0)
    }

    fn fold(&self, page: &mut Picture, seeded: &mut Seeded) {
        let line = self.top + self.along(seeded);
        let half = 0.3 * self.per_mm;
        let reach = 6.0 * self.per_mm;
        page.shade(|_, y, tone| {
            let away = (y - line).abs();
            let lit = if away < half {
                tone + (235.0 - tone) * 0.8
            } else {
                tone
            };
            lit * (1.0 - 0.25 * (1.0 - away / reach).max(0.0))
        });
    }

    fn scratch(&self, page: &mut Picture, seeded: &mut Seeded) {
        for _scratch in 0..8 {
            let (from, to) = (self.along(seeded), self.along(seeded));
            let half = (0.12 + seeded.below(10) as f32 / 100.0) * self.per_mm;
            let flat = seeded.below(2) == 0;
            page.shade(|x, y, tone| {
                let (x, y) = (x - self.left, y - self.top);
                let (along, across) = if flat { (x, y) } else { (y, x) };
                let line = from + (to - from) * along / self.side;
                let near = (-0.2..1.2).contains(&(along / self.side));
                if near && (across - line).abs() < half {
                    238.0
                } else {
                    tone
                }
            });
        }
    }

    fn stain(&self, page: &mut Picture, seeded: &mut Seeded) {
        for drop in 0..9 {
            let spread = if drop < 3 { self.side } else { self.side * 8.0 };
            let unit = |seeded: &mut Seeded| seeded.below(1_000) as f32 / 1_000.0 - 0.5;
            let x0 = self.left + self.side / 2.0 + unit(seeded) * spread;
            let y0 = self.top + self.side / 2.0 + unit(seeded) * spread;
            let radius = (2.0 + seeded.below(50) as f32 / 10.0) * self.per_mm;
            page.shade(|x, y, tone| {
                let away = ((x - x0).powi(2) + (y - y0).powi(2)).sqrt() / radius;
                if away < 0.9 {
                    tone * 0.62
                } else if away < 1.0 {
                    tone * 0.45
                } else {
                    tone
                }
            });
        }
    }
}

/// The mirrored page faintly behind itself.
fn bled(page: &Picture) -> Picture {
    let soft = blurred(page, 1.5);
    let mut bled = page.clone();
    let last = i64::from(page.width) - 1;
    bled.shade(|x, y, tone| {
        let behind = f32::from(soft.near(last - x as i64, y as i64));
        tone * (1.0 - 0.35 * (1.0 - behind / 250.0))
    });
    bled
}

/// Ink of two thirds, laid as dots of a screen of 85 lines an inch under 45°.
fn screened(page: &mut Picture, dpi: u32) {
    let cell = dpi as f32 / 85.0;
    let turn = std::f32::consts::FRAC_1_SQRT_2;
    page.shade(|x, y, tone| {
        let (u, v) = ((x + y) * turn / cell, (x - y) * turn / cell);
        let wave =
            ((u * std::f32::consts::TAU).cos() + (v * std::f32::consts::TAU).cos()) / 4.0 + 0.5;
        let ink = (1.0 - tone / 250.0).max(0.0) * 0.72;
        let dot = ((ink - wave) * 4.0 + 0.5).clamp(0.0, 1.0);
        245.0 - dot * 205.0
    });
}

/// The page as a telephone over a desk sees it: slanted, lit from one side, slightly out of focus, JPEG.
fn photographed(page: &Picture, seeded: &mut Seeded) -> Picture {
    let mut lean = || 0.04 + seeded.below(60) as f32 / 1_000.0;
    let (w, h) = (page.width as f32, page.height as f32);
    // A new pixel's place in the old page, the upper edge farther away than the lower one.
    let (g, hh) = (lean() / w * 0.8, lean() / h * 2.0);
    let from = [
        1.05 + lean(),
        lean() * 0.5,
        -0.07 * w,
        lean() * 0.4,
        1.05 + lean(),
        -0.06 * h,
        g,
        hh,
        1.0,
    ];
    let mut photo = projected(page, page.width, page.height, &from, 90);
    photo = blurred(&photo, 0.9);
    photo.shade(|x, y, tone| tone * (0.95 - 0.35 * (x / w) * (y / h)));
    noisy(&mut photo, 7.0, seeded);
    through_jpeg(&mut photo, 70);
    photo
}
