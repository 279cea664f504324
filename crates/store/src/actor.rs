//! Who did it, as the history names it.

use std::fmt;

use loket_wire::MachineId;
use loket_wire::ids::has_long_number;

use crate::error::TextError;

/// Longest name of an actor, in bytes: a prefix and an account name.
const MAX_ACTOR_BYTES: usize = 80;

/// Who did it: `central`, `machine:<id>`, `officer:<account>`, `token:<name>`, `folder`.
///
/// Shape: 1 to 80 bytes without control characters and without 16 digits in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(String);

impl Actor {
    /// Checks a name.
    ///
    /// # Errors
    /// [`TextError`] when the text is empty, too long, or could be a personal number.
    pub fn new(text: &str) -> Result<Self, TextError> {
        check_text("actor", text, MAX_ACTOR_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// Central itself.
    #[must_use]
    pub fn central() -> Self {
        Self("central".to_owned())
    }

    /// A machine.
    #[must_use]
    pub fn machine(machine: &MachineId) -> Self {
        Self(format!("machine:{machine}"))
    }

    /// Who a machine says did it: the name it gives where that is a good one, else the machine.
    #[must_use]
    pub fn reported(machine: &MachineId, name: Option<&str>) -> Self {
        name.and_then(|name| Self::new(&format!("{name}@{machine}")).ok())
            .unwrap_or_else(|| Self::machine(machine))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a text that somebody outside gave: bounded, printable, no personal number.
pub(crate) fn check_text(
    field: &'static str,
    text: &str,
    limit_bytes: usize,
) -> Result<(), TextError> {
    if text.is_empty() {
        Err(TextError::Empty { field })
    } else if text.len() > limit_bytes {
        Err(TextError::TooLong { field, limit_bytes })
    } else if text.chars().any(char::is_control) {
        Err(TextError::Unprintable { field })
    } else if has_long_number(text) {
        Err(TextError::PersonalNumber { field })
    } else {
        Ok(())
    }
}
