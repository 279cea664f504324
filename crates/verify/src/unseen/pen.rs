//! The pen that draws a page: where it is, in what colour, and what it left behind.

use std::collections::BTreeSet;

use super::area::{Area, Matrix};
use crate::code::Code;

/// Numbers in front of an operator that are kept; the most that one takes.
const MAX_OPERANDS: usize = 6;

/// States that are kept; honest pages nest a handful.
const MAX_STATES: usize = 64;

/// Places of text that are remembered, to be found when something is drawn over them.
const MAX_PLACES: usize = 2_048;

/// Grounds of text that are remembered.
const MAX_GROUNDS: usize = 256;

/// What is narrower than this many points covers no letter: lines, and the squares of a QR code.
const LEAST_COVER: f64 = 3.0;

/// How far beyond the edge of a page or a frame text may begin, in points: a letter's overhang.
const MARGIN: f64 = 2.0;

/// Below this share of ink nothing is seen; above the other one nothing is seen through it.
const LEAST_INK: f64 = 0.05;
const ALL_INK: f64 = 0.95;

/// Rendering mode of text that draws nothing.
const NO_INK: f64 = 3.0;

/// Rendering modes in which the colour of filling is what text is drawn in, alone.
const FILLED: [f64; 2] = [0.0, 4.0];

/// What `q` keeps and `Q` brings back.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    matrix: Matrix,
    clip: Area,
    /// Whether filling leaves the colour of paper.
    is_paper: bool,
    /// Numbers of a colour of a device; none where another space was chosen.
    components: Option<usize>,
    alpha: f64,
    is_blended: bool,
    mode: f64,
    leading: f64,
}

/// The pen on one page.
#[derive(Debug)]
pub(super) struct Pen {
    sheet: Area,
    state: State,
    kept: Vec<State>,
    /// States that were too many to be kept.
    unkept: usize,
    operands: Vec<f64>,
    name: Vec<u8>,
    has_text: bool,
    /// Where text stands, and where its line began.
    text: [Matrix; 2],
    path: Vec<(f64, f64)>,
    rectangles: usize,
    is_outline: bool,
    is_clip: bool,
    places: Vec<(f64, f64)>,
    /// What was filled with ink, on which text in the colour of paper is seen.
    grounds: Vec<Area>,
}

impl Pen {
    pub(super) fn on(sheet: Area) -> Self {
        Self {
            sheet,
            state: State {
                matrix: Matrix::UNMOVED,
                clip: Area::EVERYWHERE,
                is_paper: false,
                components: Some(1),
                alpha: 1.0,
                is_blended: false,
                mode: 0.0,
                leading: 0.0,
            },
            kept: Vec::new(),
            unkept: 0,
            operands: Vec::new(),
            name: Vec::new(),
            has_text: false,
            text: [Matrix::UNMOVED; 2],
            path: Vec::new(),
            rectangles: 0,
            is_outline: false,
            is_clip: false,
            places: Vec::new(),
            grounds: Vec::new(),
        }
    }

    pub(super) fn number(&mut self, value: f64) {
        if self.operands.len() < MAX_OPERANDS {
            self.operands.push(value);
        }
    }

    pub(super) fn name(&mut self, name: &[u8]) {
        self.name = name.to_vec();
    }

    /// The name that was said last.
    pub(super) fn said(&self) -> &[u8] {
        &self.name
    }

    pub(super) fn text(&mut self) {
        self.has_text = true;
    }

    pub(super) fn alpha(&mut self, alpha: f64) {
        self.state.alpha = alpha;
    }

    pub(super) fn blends(&mut self, is_blended: bool) {
        self.state.is_blended = is_blended;
    }

    /// Begins a drawing inside of the page; says what [`Self::leave`] takes.
    pub(super) fn enter(&mut self, matrix: Matrix, frame: Option<[f64; 4]>) -> (State, usize) {
        let before = (self.state, self.kept.len());
        self.state.matrix = matrix.then(self.state.matrix);
        if let Some([left, bottom, right, top]) = frame {
            let size = (right - left, top - bottom);
            let frame = Area::moved(self.state.matrix, (left, bottom), size);
            self.state.clip = self.state.clip.and(frame);
        }
        before
    }

    /// Ends it, whatever it kept and did not bring back.
    pub(super) fn leave(&mut self, (state, kept): (State, usize)) {
        self.state = state;
        self.kept.truncate(kept);
    }

    /// Draws a picture; says how much work that was.
    pub(super) fn picture(&mut self, is_whole: bool, found: &mut BTreeSet<Code>) -> usize {
        let area = Area::moved(self.state.matrix, (0.0, 0.0), (1.0, 1.0));
        if !area.meets(self.sheet) {
            found.insert(Code::OutsidePage);
        }
        let is_cover = is_whole && self.state.matrix.is_upright();
        if is_cover { self.cover(area, found) } else { 0 }
    }

    /// Does what `operator` says with the numbers in front of it; says how much work that was.
    pub(super) fn operator(&mut self, operator: &[u8], found: &mut BTreeSet<Code>) -> usize {
        let operands = std::mem::take(&mut self.operands);
        let has_text = std::mem::take(&mut self.has_text);
        match (operator, operands.as_slice()) {
            (b"q", _) => self.keep(),
            (b"Q", _) => self.bring_back(),
            (b"cm", [a, b, c, d, e, f]) => {
                let matrix = Matrix([*a, *b, *c, *d, *e, *f]);
                self.state.matrix = matrix.then(self.state.matrix);
            }
            (b"EI", _) => return self.picture(false, found),
            (b"Tj" | b"TJ", _) if has_text => self.show(found),
            (b"'" | b"\"", _) => {
                self.line(0.0, -self.state.leading);
                if has_text {
                    self.show(found);
                }
            }
            _other => {
                self.text_state(operator, &operands);
                self.colour(operator, &operands);
                return self.path(operator, &operands, found);
            }
        }
        0
    }

    fn keep(&mut self) {
        if self.kept.len() < MAX_STATES {
            self.kept.push(self.state);
        } else {
            self.unkept = self.unkept.saturating_add(1);
        }
    }

    fn bring_back(&mut self) {
        if self.unkept > 0 {
            self.unkept = self.unkept.saturating_sub(1);
        } else if let Some(state) = self.kept.pop() {
            self.state = state;
        }
    }

    fn text_state(&mut self, operator: &[u8], operands: &[f64]) {
        match (operator, operands) {
            (b"BT", _) => self.text = [Matrix::UNMOVED; 2],
            (b"Tm", [a, b, c, d, e, f]) => self.text = [Matrix([*a, *b, *c, *d, *e, *f]); 2],
            (b"Td", [x, y]) => self.line(*x, *y),
            (b"TD", [x, y]) => {
                self.state.leading = -y;
                self.line(*x, *y);
            }
            (b"T*", _) => self.line(0.0, -self.state.leading),
            (b"TL", [leading]) => self.state.leading = *leading,
            (b"Tr", [mode]) => self.state.mode = *mode,
            _other => {}
        }
    }

    fn line(&mut self, x: f64, y: f64) {
        let [_here, start] = self.text;
        self.text = [Matrix::shift(x, y).then(start); 2];
    }

    fn colour(&mut self, operator: &[u8], operands: &[f64]) {
        let is_light = operands.iter().all(|share| *share >= 0.98);
        let is_bare = operands.iter().all(|share| *share <= 0.02);
        match (operator, operands.len()) {
            (b"g", 1) | (b"rg", 3) => self.state.is_paper = is_light,
            (b"k", 4) => self.state.is_paper = is_bare,
            (b"cs", _) => {
                self.state.is_paper = false;
                self.state.components = match self.name.as_slice() {
                    b"DeviceGray" => Some(1),
                    b"DeviceRGB" => Some(3),
                    b"DeviceCMYK" => Some(4),
                    _other => None,
                };
            }
            (b"sc" | b"scn", count) => {
                let is_known = self.state.components == Some(count);
                self.state.is_paper = is_known && if count == 4 { is_bare } else { is_light };
            }
            _other => {}
        }
    }

    /// Outlines, and what is done with them.
    fn path(&mut self, operator: &[u8], operands: &[f64], found: &mut BTreeSet<Code>) -> usize {
        let mut work = 0;
        match (operator, operands) {
            (b"m" | b"l" | b"c" | b"v" | b"y", points) => {
                self.is_outline = true;
                let (pairs, _rest) = points.as_chunks::<2>();
                let points = pairs.iter().map(|[x, y]| self.state.matrix.moved((*x, *y)));
                let area = Area::around(&points.collect::<Vec<_>>());
                self.path.extend(area.corners());
            }
            (b"re", [x, y, width, height]) => {
                self.rectangles = self.rectangles.saturating_add(1);
                let area = Area::moved(self.state.matrix, (*x, *y), (*width, *height));
                self.path.extend(area.corners());
            }
            (b"W" | b"W*", _) => self.is_clip = true,
            (b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*", _) => {
                let is_cover =
                    self.rectangles == 1 && !self.is_outline && self.state.matrix.is_upright();
                if is_cover {
                    work = self.cover(Area::around(&self.path), found);
                }
                self.end();
            }
            (b"S" | b"s" | b"n", _) => self.end(),
            _other => {}
        }
        // Of an outline only its bounds matter.
        if self.path.len() > 64 {
            self.path = Area::around(&self.path).corners().to_vec();
        }
        work
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.is_clip) {
            self.state.clip = self.state.clip.and(Area::around(&self.path));
        }
        self.path.clear();
        (self.rectangles, self.is_outline) = (0, false);
    }

    /// Writes a text that is not empty.
    fn show(&mut self, found: &mut BTreeSet<Code>) {
        let state = &self.state;
        let [here, _start] = self.text;
        let place = here.then(state.matrix).moved((0.0, 0.0));
        let is_filled = FILLED.contains(&state.mode);
        let has_ink = state.mode != NO_INK && state.alpha > LEAST_INK;
        let is_on_ink = || self.grounds.iter().any(|ground| ground.holds(place, 0.0));
        let is_pale = is_filled && state.is_paper && !is_on_ink();
        if !self.sheet.holds(place, MARGIN) {
            found.insert(Code::OutsidePage);
        } else if !has_ink || is_pale || !state.clip.holds(place, MARGIN) {
            found.insert(Code::TextUnseen);
        } else if self.places.len() < MAX_PLACES {
            self.places.push(place);
        } else {
            found.insert(Code::PagesUnsearched);
        }
    }

    /// Draws over everything in `area`; says how much work that was.
    fn cover(&mut self, area: Area, found: &mut BTreeSet<Code>) -> usize {
        let state = &self.state;
        if state.alpha < ALL_INK || state.is_blended {
            return 0;
        }
        let area = area.and(state.clip);
        if !area.is_wide(LEAST_COVER) {
            return 0;
        }
        if self.grounds.len() < MAX_GROUNDS && !state.is_paper {
            self.grounds.push(area);
        }
        if self
            .places
            .iter()
            .any(|place| area.holds(*place, -MARGIN / 4.0))
        {
            found.insert(Code::TextCovered);
        }
        self.places.len()
    }
}
