//! The three bits that a printer of the parallel port had wires for.

/// What GET_PORT_STATUS says. Cheap printers answer the same always: a bit that is off says little.
///
/// # Source
/// USB Printer Class 1.1 section 4.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortStatus {
    bits: u8,
}

impl PortStatus {
    const NOT_ERROR: u8 = 0x08;
    const SELECTED: u8 = 0x10;
    const PAPER_EMPTY: u8 = 0x20;

    pub(crate) fn new(bits: u8) -> Self {
        Self { bits }
    }

    /// The byte as it came.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The printer has no paper.
    #[must_use]
    pub fn is_paper_empty(self) -> bool {
        self.bits & Self::PAPER_EMPTY != 0
    }

    /// The printer is on line.
    #[must_use]
    pub fn is_selected(self) -> bool {
        self.bits & Self::SELECTED != 0
    }

    /// The printer has an error.
    #[must_use]
    pub fn has_error(self) -> bool {
        self.bits & Self::NOT_ERROR == 0
    }
}
