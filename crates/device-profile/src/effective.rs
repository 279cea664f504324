//! What holds for one device, value by value, and why.

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::{Table, Value};

/// One value with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Its section: `print`, `usb`, `ticket`.
    pub section: String,
    /// Its key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The profile that set it.
    pub profile: String,
    /// What goes wrong without it.
    pub reason: String,
    /// Where that is known from.
    pub source: String,
}

/// Device profiles say what their reader does not know.
#[derive(Debug, Error)]
pub enum SectionError {
    /// A key or a value of a section.
    #[error("use what device profiles ({profiles}) say of {section}")]
    Value {
        /// The section.
        section: String,
        /// The profiles that say anything of it.
        profiles: String,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A whole section.
    #[error("use device profile {profile}: nobody reads what it says of {section}")]
    Unread {
        /// The section.
        section: String,
        /// The profile.
        profile: String,
    },
}

/// What holds for one device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effective(Vec<Origin>);

impl Effective {
    pub(crate) fn set(&mut self, origin: Origin) {
        let is_same = |it: &&mut Origin| it.section == origin.section && it.key == origin.key;
        match self.0.iter_mut().find(is_same) {
            Some(known) => *known = origin,
            None => self.0.push(origin),
        }
    }

    /// Every value with where it comes from.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.0
    }

    /// Whether no profile says anything of this device.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether nothing is said but of these sections.
    ///
    /// # Errors
    /// [`SectionError::Unread`] names the first other one.
    pub fn holds_only(&self, sections: &[&str]) -> Result<(), SectionError> {
        let mut origins = self.0.iter();
        match origins.find(|it| !sections.contains(&it.section.as_str())) {
            None => Ok(()),
            Some(other) => Err(SectionError::Unread {
                section: other.section.clone(),
                profile: other.profile.clone(),
            }),
        }
    }

    /// One section as its reader's type; keys that no profile sets are that type's defaults.
    ///
    /// # Errors
    /// [`SectionError`] where a key or value is none that the type knows.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, SectionError> {
        let of_it = || self.0.iter().filter(|it| it.section == name);
        let table: Table = of_it()
            .map(|it| (it.key.clone(), it.value.clone()))
            .collect();
        table.try_into().map_err(|source| {
            let mut profiles: Vec<&str> = of_it().map(|it| it.profile.as_str()).collect();
            profiles.dedup();
            SectionError::Value {
                section: name.to_owned(),
                profiles: profiles.join(", "),
                source: Box::new(source),
            }
        })
    }
}
