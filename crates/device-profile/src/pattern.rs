//! How a profile says which devices it means.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest pattern: RFC 8011 section 5.4.9 lets a make and model have 127 octets.
const MAX_PATTERN_CHARS: usize = 127;

/// Vendor and product id of a USB device, `03f0:7a12`.
///
/// # Source
/// USB 2.0 section 9.6.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsbId {
    /// `idVendor`.
    pub vendor: u16,
    /// `idProduct`.
    pub product: u16,
}

impl fmt::Display for UsbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Not `VVVV:PPPP`, `VVVV:*` or `*:*` with four hexadecimal digits each.
    #[error("read it as vendor and product id, each four hexadecimal digits or *")]
    Usb,
    /// Empty, or longer than a make and model can be.
    #[error("read it as a model: it must have 1 to 127 characters")]
    Length,
}

/// A pattern of vendor and product id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsbPattern {
    vendor: Option<u16>,
    product: Option<u16>,
}

impl FromStr for UsbPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (vendor, product) = text.split_once(':').ok_or(PatternError::Usb)?;
        let pattern = Self {
            vendor: id(vendor)?,
            product: id(product)?,
        };
        // A product id means nothing without the vendor who gave it.
        if pattern.vendor.is_none() && pattern.product.is_some() {
            return Err(PatternError::Usb);
        }
        Ok(pattern)
    }
}

fn id(text: &str) -> Result<Option<u16>, PatternError> {
    if text == "*" {
        return Ok(None);
    }
    let is_hex = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match u16::from_str_radix(text, 16) {
        Ok(id) if is_hex => Ok(Some(id)),
        Ok(_) | Err(_) => Err(PatternError::Usb),
    }
}

impl UsbPattern {
    /// How exactly it means this device: ids that it names; `None` where it does not fit.
    pub(crate) fn fits(self, seen: UsbId) -> Option<usize> {
        let named = [(self.vendor, seen.vendor), (self.product, seen.product)];
        if named
            .iter()
            .any(|(wanted, seen)| wanted.is_some_and(|it| it != *seen))
        {
            return None;
        }
        Some(named.iter().filter(|(wanted, _)| wanted.is_some()).count())
    }
}

/// A pattern of a make and model: `*` stands for any characters, upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelPattern(Vec<char>);

impl FromStr for ModelPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let chars: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        if chars.is_empty() || chars.len() > MAX_PATTERN_CHARS {
            return Err(PatternError::Length);
        }
        Ok(Self(chars))
    }
}

impl ModelPattern {
    /// How exactly it means this model: characters that it names; `None` where it does not fit.
    pub(crate) fn fits(&self, model: &str) -> Option<usize> {
        let model: Vec<char> = model
            .chars()
            .take(MAX_PATTERN_CHARS)
            .flat_map(char::to_lowercase)
            .collect();
        let named = self.0.iter().filter(|it| **it != '*').count();
        self.matches(&model).then_some(named)
    }

    /// Goes back to the last `*` alone: no pattern costs more than its length times the model's.
    fn matches(&self, model: &[char]) -> bool {
        let (mut at, mut seen) = (0, 0);
        let mut last_star: Option<(usize, usize)> = None;
        while let Some(next) = model.get(seen) {
            match self.0.get(at) {
                Some('*') => {
                    last_star = Some((at, seen));
                    at += 1;
                }
                Some(wanted) if wanted == next => {
                    at += 1;
                    seen += 1;
                }
                Some(_) | None => match last_star {
                    Some((star, from)) => {
                        at = star + 1;
                        seen = from + 1;
                        last_star = Some((star, from + 1));
                    }
                    None => return false,
                },
            }
        }
        self.0.iter().skip(at).all(|it| *it == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_as_exactly_as_they_are_named() {
        let seen = UsbId {
            vendor: 0x03f0,
            product: 0x7a12,
        };
        let fits = |text: &str| text.parse::<UsbPattern>().unwrap().fits(seen);
        assert_eq!(fits("03f0:7a12"), Some(2));
        assert_eq!(fits("03F0:7A12"), Some(2));
        assert_eq!(fits("03f0:*"), Some(1));
        assert_eq!(fits("*:*"), Some(0));
        assert_eq!(fits("03f0:7a13"), None);
        assert_eq!(fits("04a9:*"), None);
        assert_eq!(seen.to_string(), "03f0:7a12");
        for wrong in [
            "",
            "03f0",
            "3f0:*",
            "*:7a12",
            "03f0:7a1",
            "+3f0:7a12",
            "03f0:7a12:1",
            "zzzz:*",
        ] {
            assert_eq!(
                wrong.parse::<UsbPattern>(),
                Err(PatternError::Usb),
                "{wrong}"
            );
        }
    }

    #[test]
    fn models_fit_with_stars_anywhere_and_in_either_case() {
        let fits =
            |pattern: &str, model: &str| pattern.parse::<ModelPattern>().unwrap().fits(model);
        assert_eq!(
            fits("HP OfficeJet Pro 8710", "hp officejet pro 8710"),
            Some(21)
        );
        assert_eq!(fits("HP OfficeJet*", "HP OfficeJet Pro 8710"), Some(12));
        assert_eq!(
            fits(
                "*Color LaserJet Flow*",
                "Hewlett-Packard HP Color LaserJet FlowMFP M578"
            ),
            Some(19)
        );
        assert_eq!(fits("a*b*c", "aXbXbXc"), Some(3));
        assert_eq!(fits("a*b*c", "aXbXbX"), None);
        assert_eq!(fits("*", ""), Some(0));
        assert_eq!(fits("a", ""), None);
        assert_eq!(fits("ab", "abc"), None);
        assert_eq!(fits("**c", "abc"), Some(1));
        for wrong in [String::new(), "x".repeat(128)] {
            assert_eq!(wrong.parse::<ModelPattern>(), Err(PatternError::Length));
        }
    }

    #[test]
    fn a_pattern_of_stars_costs_no_more_than_its_length_times_the_models() {
        let pattern: ModelPattern = "*a".repeat(63).parse().unwrap();
        assert_eq!(pattern.fits(&"a".repeat(100_000)), Some(63));
        assert_eq!(pattern.fits(&"ab".repeat(50)), None);
    }
}
