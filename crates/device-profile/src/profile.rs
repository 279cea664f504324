//! The profiles that there are, and which of them fit a device.

use serde::Deserialize;
use thiserror::Error;
use toml::{Table, Value};

use crate::effective::{Effective, Origin};
use crate::pattern::{ModelPattern, PatternError, UsbId, UsbPattern};
use crate::shipped::SHIPPED;

/// The longest text of one profile; the longest shipped one has 2 kB.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The most profiles at once: shipped ones and those that an office adds.
pub const MAX_PROFILES: usize = 1_000;

/// The most patterns of one kind in one profile.
pub const MAX_PATTERNS: usize = 100;

/// The most quirks in one profile.
pub const MAX_QUIRKS: usize = 100;

/// The longest reason or source.
const MAX_WORDS_CHARS: usize = 500;

/// What is wrong with a profile.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// It is longer than [`MAX_TEXT_BYTES`].
    #[error("read device profile {name}: it has {size_bytes} bytes, and may have {MAX_TEXT_BYTES}")]
    TooLong {
        /// The profile.
        name: String,
        /// Its size.
        size_bytes: usize,
    },
    /// It is no TOML, lacks a key, or has one that there is not.
    #[error("read device profile {name}")]
    Shape {
        /// The profile.
        name: String,
        /// Where and what.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A pattern cannot be read.
    #[error("read the pattern '{pattern}' of device profile {name}")]
    Pattern {
        /// The profile.
        name: String,
        /// The pattern.
        pattern: String,
        /// What is wrong.
        #[source]
        source: PatternError,
    },
    /// It breaks a rule.
    #[error("use device profile {name}: {rule}")]
    Rule {
        /// The profile.
        name: String,
        /// The rule.
        rule: &'static str,
    },
}

/// What is known of a device when its profile is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Its ids, where it is on USB.
    pub usb: Option<UsbId>,
    /// `printer-make-and-model`, or manufacturer and product as USB tells them.
    pub model: Option<&'a str>,
}

/// One profile.
#[derive(Debug, Clone)]
struct Profile {
    name: String,
    usb: Vec<UsbPattern>,
    models: Vec<ModelPattern>,
    quirks: Vec<Quirk>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quirk {
    set: Table,
    reason: String,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    r#match: Match,
    #[serde(default)]
    quirk: Vec<Quirk>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    #[serde(default)]
    usb: Vec<String>,
    #[serde(default)]
    model: Vec<String>,
}

/// How exactly a profile means a device; more is more exact. Ids are given by their maker's bus and fit before words do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    ids: usize,
    model_chars: usize,
}

impl Profile {
    fn read(name: &str, text: &str) -> Result<Self, ProfileError> {
        let size_bytes = text.len();
        if size_bytes > MAX_TEXT_BYTES {
            return Err(ProfileError::TooLong {
                name: name.to_owned(),
                size_bytes,
            });
        }
        let read: Text = toml::from_str(text).map_err(|source| ProfileError::Shape {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        if let Some(rule) = broken_rule(&read) {
            return Err(ProfileError::Rule {
                name: name.to_owned(),
                rule,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            usb: patterns(name, &read.r#match.usb)?,
            models: patterns(name, &read.r#match.model)?,
            quirks: read.quirk,
        })
    }

    fn tell(&self, effective: &mut Effective) {
        for quirk in &self.quirks {
            for (section, key, value) in values_of(quirk) {
                effective.set(Origin {
                    section: section.clone(),
                    key: key.clone(),
                    value: value.clone(),
                    profile: self.name.clone(),
                    reason: quirk.reason.clone(),
                    source: quirk.source.clone(),
                });
            }
        }
    }

    fn fits(&self, seen: Seen<'_>) -> Option<Fit> {
        let ids = if self.usb.is_empty() {
            Some(0)
        } else {
            let usb = seen.usb?;
            self.usb.iter().filter_map(|it| it.fits(usb)).max()
        };
        let model_chars = if self.models.is_empty() {
            Some(0)
        } else {
            let model = seen.model?;
            self.models.iter().filter_map(|it| it.fits(model)).max()
        };
        Some(Fit {
            ids: ids?,
            model_chars: model_chars?,
        })
    }
}

fn patterns<P: std::str::FromStr<Err = PatternError>>(
    name: &str,
    texts: &[String],
) -> Result<Vec<P>, ProfileError> {
    let read = texts.iter().map(|pattern| {
        pattern.parse().map_err(|source| ProfileError::Pattern {
            name: name.to_owned(),
            pattern: pattern.clone(),
            source,
        })
    });
    read.collect()
}

/// The rule that a profile breaks, if any.
fn broken_rule(text: &Text) -> Option<&'static str> {
    let (usb, models) = (&text.r#match.usb, &text.r#match.model);
    if usb.is_empty() && models.is_empty() {
        return Some(
            "[match] must name ids or models; what is true of every device is a default and no quirk",
        );
    }
    if usb.len() > MAX_PATTERNS || models.len() > MAX_PATTERNS {
        return Some("it has more patterns of one kind than a profile may have");
    }
    if text.quirk.is_empty() || text.quirk.len() > MAX_QUIRKS {
        return Some("it must have at least one quirk, and not more than a profile may have");
    }
    let has_words = |words: &str| {
        let count = words.chars().count();
        !words.trim().is_empty() && count <= MAX_WORDS_CHARS
    };
    for quirk in &text.quirk {
        if !has_words(&quirk.reason) || !has_words(&quirk.source) {
            return Some("each quirk must say its reason and its source, in up to 500 characters");
        }
        let sections = quirk.set.values().map(Value::as_table);
        if quirk.set.is_empty()
            || sections
                .into_iter()
                .any(|it| it.is_none_or(Table::is_empty))
        {
            return Some("each quirk must set a key of a section: set.section.key = value");
        }
    }
    let values = text.quirk.iter().flat_map(values_of);
    let keys: Vec<(&String, &String)> = values.map(|(section, key, _)| (section, key)).collect();
    let mut once = keys.clone();
    once.sort_unstable();
    once.dedup();
    (once.len() < keys.len()).then_some("a key is set twice")
}

/// Section, key and value of all that it sets.
fn values_of(quirk: &Quirk) -> impl Iterator<Item = (&String, &String, &Value)> {
    quirk.set.iter().flat_map(|(section, keys)| {
        let keys = keys.as_table().into_iter().flatten();
        keys.map(move |(key, value)| (section, key, value))
    })
}

/// All profiles at hand.
#[derive(Debug, Clone)]
pub struct Profiles(Vec<Profile>);

impl Profiles {
    /// The profiles of `firmware-config/devices`.
    ///
    /// # Errors
    /// None that a released program can meet: its tests read them all.
    pub fn shipped() -> Result<Self, ProfileError> {
        let mut profiles = Self(Vec::with_capacity(SHIPPED.len()));
        for (name, text) in SHIPPED {
            profiles.add(name, text)?;
        }
        Ok(profiles)
    }

    /// None at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a profile; one of the same name is replaced, so that an office can mend what is shipped.
    ///
    /// # Errors
    /// [`ProfileError`]; the profiles are as they were.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), ProfileError> {
        let profile = Profile::read(name, text)?;
        let count = self.0.len();
        match self.0.iter_mut().find(|known| known.name == profile.name) {
            Some(known) => *known = profile,
            None if count < MAX_PROFILES => self.0.push(profile),
            None => {
                return Err(ProfileError::Rule {
                    name: profile.name,
                    rule: "there are as many device profiles as there may be",
                });
            }
        }
        Ok(())
    }

    /// Their names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|it| it.name.as_str())
    }

    /// All that one profile says, whatever device it means.
    #[must_use]
    pub fn only(&self, name: &str) -> Effective {
        let mut effective = Effective::default();
        for profile in self.0.iter().filter(|it| it.name == name) {
            profile.tell(&mut effective);
        }
        effective
    }

    /// What holds for a device: each value from the profile that says most exactly which device it means, by ids before
    /// models; of two that are as exact, from the one that was added later.
    #[must_use]
    pub fn for_device(&self, seen: Seen<'_>) -> Effective {
        let mut fitting: Vec<(Fit, &Profile)> = self
            .0
            .iter()
            .filter_map(|it| Some((it.fits(seen)?, it)))
            .collect();
        // Stable: of two that are as exact, the later one stays last, and so wins.
        fitting.sort_by_key(|(fit, _profile)| *fit);
        let mut effective = Effective::default();
        for (_fit, profile) in fitting {
            profile.tell(&mut effective);
        }
        effective
    }
}

#[cfg(test)]
mod tests;
