//! Where a page comes to lie on the paper, and how the paper's rows run.

/// Paper as it lies in the tray, higher than wide; hundredths of a millimetre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    name: &'static str,
    width: u16,
    height: u16,
}

/// Rows and columns of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Paper {
    /// A4, on which every document of the registry is printed.
    ///
    /// # Source
    /// PWG 5101.1 section 5.2.
    pub const A4: Self = Self {
        name: "iso_a4_210x297mm",
        width: 21_000,
        height: 29_700,
    };

    /// Its self-describing name (PWG 5101.1).
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Width and height in whole points, as both raster formats and PostScript round them.
    pub(super) fn points(&self) -> (u32, u32) {
        (at(self.width, 72).into(), at(self.height, 72).into())
    }

    /// Width and height in the nearest whole pixels.
    pub(super) fn pixels(&self, dpi: u16) -> Pixels {
        Pixels {
            width: at(self.width, dpi),
            height: at(self.height, dpi),
        }
    }
}

/// Hundredths of a millimetre in the nearest whole dots of `dpi`; paper is below half a metre and `dpi` up to 600.
fn at(hundredths: u16, dpi: u16) -> u16 {
    let dots = (u32::from(hundredths) * u32::from(dpi) + 1_270) / 2_540;
    u16::try_from(dots).unwrap_or(u16::MAX)
}

/// How a printer wants the raster of the back of a sheet, as its `pwg-raster-document-sheet-back` says.
///
/// # Source
/// PWG 5102.4 section 4.3 (`CrossFeedTransform`, `FeedTransform`) and 7.3 (the attribute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Back {
    /// As the front.
    #[default]
    Normal,
    /// Mirrored: from foot to head where it is bound at the long edge, from right to left at the short one.
    Flipped,
    /// Turned by 180° where it is bound at the long edge.
    Rotated,
    /// Turned by 180° where it is bound at the short edge.
    ManualTumble,
}

impl Back {
    pub(super) const fn signs(self, is_tumbled: bool) -> (i32, i32) {
        match (self, is_tumbled) {
            (Self::Normal, _) | (Self::Rotated, true) | (Self::ManualTumble, false) => (1, 1),
            (Self::Flipped, false) => (1, -1),
            (Self::Flipped, true) => (-1, 1),
            (Self::Rotated, false) | (Self::ManualTumble, true) => (-1, -1),
        }
    }
}

/// An affine map of the plane: `x' = a x + c y + e`, `y' = b x + d y + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Map(pub(super) [f64; 6]);

impl Map {
    pub(super) const fn scale(by: f64) -> Self {
        Self([by, 0.0, 0.0, by, 0.0, 0.0])
    }

    pub(super) const fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this one, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        let (Self([a, b, c, d, e, f]), Self([na, nb, nc, nd, ne, nf])) = (self, next);
        Self([
            na * a + nc * b,
            nb * a + nd * b,
            na * c + nc * d,
            nb * c + nd * d,
            na * e + nc * f + ne,
            nb * e + nd * f + nf,
        ])
    }
}

/// From a page, whose sides are in points and whose origin is its top left corner, to the dots of the paper.
///
/// The page moves by whole dots alone: letters then stand on the same dots whatever paper it lies on.
pub(super) fn place(
    (width, height): (f32, f32),
    paper: Pixels,
    dpi: u16,
    signs: (i32, i32),
) -> Map {
    let scale = f64::from(dpi) / POINTS_PER_INCH;
    let (width, height) = (f64::from(width) * scale, f64::from(height) * scale);
    let (across, down) = (f64::from(paper.width), f64::from(paper.height));
    let is_turned = (width > height) != (across > down);
    let (room_across, room_down) = if is_turned {
        (down, across)
    } else {
        (across, down)
    };
    let middle = Map::shift(
        ((room_across - width) / 2.0).round(),
        ((room_down - height) / 2.0).round(),
    );
    let turned = if is_turned {
        // Anticlockwise: what was right is above.
        Map([0.0, -1.0, 1.0, 0.0, 0.0, down])
    } else {
        Map::scale(1.0)
    };
    let (x, y) = (f64::from(signs.0), f64::from(signs.1));
    let mirrored = Map([
        x,
        0.0,
        0.0,
        y,
        if x < 0.0 { across } else { 0.0 },
        if y < 0.0 { down } else { 0.0 },
    ]);
    Map::scale(scale).then(middle).then(turned).then(mirrored)
}

const POINTS_PER_INCH: f64 = 72.0;

#[cfg(test)]
mod tests {
    use super::*;

    const A4_PT: (f32, f32) = (595.276, 841.89);

    fn placed(page: (f32, f32), signs: (i32, i32), (x, y): (f64, f64)) -> (f64, f64) {
        let Map([a, b, c, d, e, f]) = place(page, Paper::A4.pixels(300), 300, signs);
        let round = |dots: f64| (dots * 10.0).round() / 10.0;
        (round(a * x + c * y + e), round(b * x + d * y + f))
    }

    #[test]
    fn paper_has_the_nearest_whole_dots_and_points() {
        let dots = |dpi| (Paper::A4.pixels(dpi).width, Paper::A4.pixels(dpi).height);
        assert_eq!(dots(600), (4961, 7016));
        assert_eq!(dots(300), (2480, 3508));
        assert_eq!(Paper::A4.points(), (595, 842));
    }

    #[test]
    fn a_page_lies_in_the_middle_at_its_own_size() {
        assert_eq!(placed(A4_PT, (1, 1), (0.0, 0.0)), (0.0, 0.0));
        assert_eq!(placed(A4_PT, (1, 1), (72.0, 144.0)), (300.0, 600.0));
        // Letter is wider and shorter: it loses at both sides and stands 0.35 inch from the head.
        let letter = (612.0, 792.0);
        assert_eq!(placed(letter, (1, 1), (0.0, 0.0)), (-35.0, 104.0));
        // A6 in the tray's middle.
        let small = (297.638, 419.528);
        assert_eq!(placed(small, (1, 1), (0.0, 0.0)), (620.0, 880.0));
    }

    #[test]
    fn a_wide_page_is_turned_anticlockwise_so_that_its_left_edge_is_the_foot() {
        let wide = (841.89, 595.276);
        assert_eq!(placed(wide, (1, 1), (0.0, 0.0)), (0.0, 3508.0));
        assert_eq!(placed(wide, (1, 1), (72.0, 0.0)), (0.0, 3208.0));
        assert_eq!(placed(wide, (1, 1), (0.0, 72.0)), (300.0, 3508.0));
    }

    #[test]
    fn the_back_is_as_the_printer_wants_it() {
        let corner = |signs| placed(A4_PT, signs, (72.0, 72.0));
        for (back, long, short) in [
            (Back::Normal, (300.0, 300.0), (300.0, 300.0)),
            (Back::Flipped, (300.0, 3208.0), (2180.0, 300.0)),
            (Back::Rotated, (2180.0, 3208.0), (300.0, 300.0)),
            (Back::ManualTumble, (300.0, 300.0), (2180.0, 3208.0)),
        ] {
            assert_eq!(corner(back.signs(false)), long, "{back:?} at the long edge");
            assert_eq!(
                corner(back.signs(true)),
                short,
                "{back:?} at the short edge"
            );
        }
    }
}
