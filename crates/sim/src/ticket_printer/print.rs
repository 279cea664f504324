//! The part of the printer that puts things on paper.

use std::collections::VecDeque;

use super::character;
use super::command::Command;
use super::slip::{Align, CHARACTER_DOTS, Item, LINE_DOTS, Slip, Style};

/// Slips that are remembered; older ones fall to the floor.
const MAX_SLIPS: usize = 1_000;

/// A code that no printer draws larger.
const MAX_SYMBOL_BYTES: usize = 7_089;

/// Why a command cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The roll is at its end.
    Paper,
}

/// Paper, and how the next thing on it looks.
#[derive(Debug)]
pub(crate) struct Print {
    columns_dots: u32,
    style: Style,
    align: Align,
    code_page: u8,
    double_byte: bool,
    /// The first of two bytes.
    lead: Option<u8>,
    line: String,
    /// How the line looks: as its first character does.
    line_style: Style,
    line_dots: u32,
    symbol: String,
    symbol_module_dots: u8,
    slips: VecDeque<Slip>,
    slip: Slip,
    pub(crate) cuts: u64,
    pub(crate) drawer_kicks: u64,
    pub(crate) unknown_commands: u64,
}

impl Print {
    pub(crate) fn new(dots: u16, double_byte: bool) -> Self {
        Self {
            columns_dots: dots.into(),
            style: Style::default(),
            align: Align::default(),
            code_page: 0,
            double_byte,
            lead: None,
            line: String::new(),
            line_style: Style::default(),
            line_dots: 0,
            symbol: String::new(),
            symbol_module_dots: 3,
            slips: VecDeque::new(),
            slip: Slip::default(),
            cuts: 0,
            drawer_kicks: 0,
            unknown_commands: 0,
        }
    }

    pub(crate) fn slips(&self) -> impl Iterator<Item = &Slip> {
        let begun = (!self.slip.items.is_empty()).then_some(&self.slip);
        self.slips.iter().chain(begun)
    }

    pub(crate) fn power_cycle(&mut self, double_byte: bool) {
        self.double_byte = double_byte;
        self.lead = None;
        self.symbol.clear();
        self.initialise();
    }

    fn initialise(&mut self) {
        self.style = Style::default();
        self.align = Align::default();
        self.code_page = 0;
        self.symbol_module_dots = 3;
        self.line.clear();
        self.line_dots = 0;
    }

    /// Carries a command out; it is to be given again once what halts it is mended.
    pub(crate) fn execute(
        &mut self,
        command: &Command,
        paper_dots: &mut Option<u32>,
    ) -> Result<(), Halt> {
        let odd = |bits: u8| bits != 0;
        match command {
            Command::Character(byte) => return self.character(*byte, paper_dots),
            Command::LineFeed => return self.end_line(paper_dots),
            Command::Initialise => self.initialise(),
            Command::Align(n) => {
                self.align = match n {
                    1 | 49 => Align::Center,
                    2 | 50 => Align::Right,
                    _ => Align::Left,
                }
            }
            Command::Size(n) => {
                self.style.width = ((n >> 4) & 7).saturating_add(1);
                self.style.height = (n & 7).saturating_add(1);
            }
            Command::Mode(n) => {
                self.style.bold = odd(n & 0x08);
                self.style.height = if odd(n & 0x10) { 2 } else { 1 };
                self.style.width = if odd(n & 0x20) { 2 } else { 1 };
            }
            Command::Bold(bold) => self.style.bold = *bold,
            Command::Reverse(reverse) => self.style.reverse = *reverse,
            Command::CodePage(n) => self.code_page = *n,
            Command::DoubleByte(on) => {
                self.double_byte = *on;
                self.lead = None;
            }
            Command::FeedDots(n) => return self.feed((*n).into(), paper_dots),
            Command::FeedLines(n) => {
                return self.feed(u32::from(*n).saturating_mul(LINE_DOTS), paper_dots);
            }
            Command::Cut { feed_dots, .. } => return self.cut((*feed_dots).into(), paper_dots),
            Command::Symbol(parameters) => return self.symbol(parameters, paper_dots),
            Command::Raster {
                row_bytes, dots, ..
            } if *row_bytes > 0 => {
                let (row_bytes, dots) = (*row_bytes, dots.clone());
                return self.put(Item::Raster { row_bytes, dots }, paper_dots);
            }
            Command::Drawer => self.drawer_kicks = self.drawer_kicks.saturating_add(1),
            Command::Unknown => {
                self.unknown_commands = self.unknown_commands.saturating_add(1);
            }
            Command::Nothing
            | Command::Other
            | Command::Font(_)
            | Command::Raster { .. }
            | Command::AskInLine(_)
            | Command::AskWord(_)
            | Command::AskId(_)
            | Command::Automatic(_) => {}
        }
        Ok(())
    }

    fn character(&mut self, byte: u8, paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        if self.double_byte && self.lead.is_none() && byte >= 0x80 {
            self.lead = Some(byte);
            return Ok(());
        }
        let character = match self.lead {
            Some(_lead) => character::NO_CHARACTER,
            None => character::of(self.code_page, byte),
        };
        let (width, _height) = CHARACTER_DOTS;
        let width = width.saturating_mul(self.style.width.into());
        if self.line_dots.saturating_add(width) > self.columns_dots && !self.line.is_empty() {
            self.end_line(paper_dots)?;
        }
        self.lead = None;
        if self.line.is_empty() {
            self.line_style = self.style;
        }
        self.line.push(character);
        self.line_dots = self.line_dots.saturating_add(width);
        Ok(())
    }

    fn end_line(&mut self, paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        let line = Item::Line {
            text: self.line.clone(),
            style: self.line_style,
            align: self.align,
        };
        self.put(line, paper_dots)?;
        self.line.clear();
        self.line_dots = 0;
        self.line_style = self.style;
        Ok(())
    }

    fn feed(&mut self, dots: u32, paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        if !self.line.is_empty() {
            self.end_line(paper_dots)?;
        }
        self.put(Item::Feed { dots }, paper_dots)
    }

    fn cut(&mut self, feed_dots: u32, paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        if feed_dots > 0 {
            self.feed(feed_dots, paper_dots)?;
        }
        self.cuts = self.cuts.saturating_add(1);
        self.slip.is_cut = true;
        self.tear();
        Ok(())
    }

    fn tear(&mut self) {
        if self.slips.len() >= MAX_SLIPS {
            self.slips.pop_front();
        }
        self.slips.push_back(std::mem::take(&mut self.slip));
    }

    fn symbol(&mut self, parameters: &[u8], paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        match parameters {
            [49, 67, dots] => self.symbol_module_dots = (*dots).clamp(1, 16),
            [49, 80, 48, data @ ..] if data.len() <= MAX_SYMBOL_BYTES => {
                self.symbol = String::from_utf8_lossy(data).into_owned();
            }
            [49, 81, 48] => {
                let code = Item::Code {
                    payload: self.symbol.clone(),
                    module_dots: self.symbol_module_dots,
                    align: self.align,
                };
                // A code that is wider than the roll is not printed (and so is an empty one).
                let fits = code.height_dots() > 0 && code.height_dots() <= self.columns_dots;
                return if fits {
                    self.put(code, paper_dots)
                } else {
                    Ok(())
                };
            }
            [49, 65 | 69, ..] => {}
            _other => self.unknown_commands = self.unknown_commands.saturating_add(1),
        }
        Ok(())
    }

    /// Puts a thing on paper, if there is enough of it.
    fn put(&mut self, item: Item, paper_dots: &mut Option<u32>) -> Result<(), Halt> {
        if let Some(left) = paper_dots {
            let Some(rest) = left.checked_sub(item.height_dots()) else {
                *left = 0;
                return Err(Halt::Paper);
            };
            *left = rest;
        }
        self.slip.items.push(item);
        if self.slip.is_full() {
            self.tear();
        }
        Ok(())
    }
}
