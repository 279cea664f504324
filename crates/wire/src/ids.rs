//! Names and numbers by which machines, jobs, journals and keys are known.
//!
//! Every type is checked when it is made, so that what is held is what the contract allows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use uuid::Uuid;

/// Why a text is not the identifier it was read as. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not a UUID of version 7.
    #[error("read a job id: not a UUIDv7")]
    Job,
    /// Not `[a-z0-9-]{3,32}`.
    #[error("read a machine id: it must be 3 to 32 of a-z, 0-9 and '-'")]
    Machine,
    /// A machine id the protocol keeps for itself.
    #[error("read a machine id: the name is reserved")]
    ReservedMachine,
    /// Not `[a-z0-9.-]{1,40}`.
    #[error("read an office id: it must be 1 to 40 of a-z, 0-9, '.' and '-'")]
    Office,
    /// Not `[A-Za-z0-9._-]{1,40}`, or 16 digits in a row (a NIK or KK number).
    #[error(
        "read a reference: it must be 1 to 40 of A-Z, a-z, 0-9, '.', '_' and '-', without 16 digits in a row"
    )]
    Reference,
    /// Not 32 hexadecimal digits.
    #[error("read a journal epoch: not 32 hexadecimal digits")]
    Epoch,
    /// Not 16 hexadecimal digits.
    #[error("read a key id: not 16 hexadecimal digits")]
    Key,
    /// Not 16 hexadecimal digits.
    #[error("read a hello: not 16 hexadecimal digits")]
    Hello,
    /// Not 64 hexadecimal digits.
    #[error("read a digest: not 64 hexadecimal digits")]
    Digest,
    /// Not an RFC 3339 moment.
    #[error("read a time: not RFC 3339 with an offset")]
    Time,
}

/// A print job, known by the same id at central, on the wire, on the machine and in the printer's job name.
///
/// Shape: UUID version 7 (RFC 9562 §5.7), hyphenated lowercase in text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Uuid);

impl JobId {
    /// Makes an id from the present moment and random bytes; both are arguments because words read neither.
    #[must_use]
    pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
    }

    /// The 16 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl FromStr for JobId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let uuid = Uuid::try_parse(text).map_err(|_ignored| IdError::Job)?;
        if uuid.get_version_num() == 7 {
            Ok(Self(uuid))
        } else {
            Err(IdError::Job)
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An enrolled computer. Shape: `[a-z0-9-]{3,32}`, never a reserved name.
///
/// It is the common name of the machine's certificate, its MQTT user name and client id, and a topic segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineId(String);

impl MachineId {
    /// Names that the protocol uses for itself and that the authority never enrols as a machine.
    pub const RESERVED: [&str; 5] = ["central", "broker", "authority", "loket", "all"];

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MachineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(3..=32).contains(&text.len()) || !text.chars().all(allowed) {
            return Err(IdError::Machine);
        }
        if Self::RESERVED.contains(&text) {
            return Err(IdError::ReservedMachine);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place: dinas, kecamatan or desa. Shape: `[a-z0-9.-]{1,40}`, for instance `kec-3279012`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfficeId(String);

impl OfficeId {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OfficeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if (1..=40).contains(&text.len()) && text.chars().all(allowed) && !has_long_number(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Office)
        }
    }
}

impl fmt::Display for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The operator's own name for an order, for instance a request number.
///
/// Shape: `[A-Za-z0-9._-]{1,40}` without 16 digits in a row, so that it can hold no NIK and no KK number:
/// it travels and is stored in clear.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if (1..=40).contains(&text.len()) && text.chars().all(allowed) && !has_long_number(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Reference)
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` holds 16 digits with nothing but separators between them: the shape of a NIK or KK number.
///
/// Separators are skipped so that `3279-0101-…` is caught as well as the bare number.
#[must_use]
pub fn has_long_number(text: &str) -> bool {
    let mut run = 0_u32;
    for c in text.chars() {
        if c.is_ascii_digit() {
            run += 1;
            if run >= LONG_NUMBER_DIGITS {
                return true;
            }
        } else if !matches!(c, '.' | '-' | '_' | ' ') {
            run = 0;
        }
    }
    false
}

/// A NIK and a KK number have 16 digits each (Permendagri 109/2019 forms).
const LONG_NUMBER_DIGITS: u32 = 16;

/// One life of a machine's journal: random bytes made with the file.
///
/// Reports are ordered by (epoch, seq); a new epoch says that the old journal is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch([u8; 16]);

impl Epoch {
    /// Wraps 128 random bits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for Epoch {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        decode_hex(text).map(Self).ok_or(IdError::Epoch)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Names a public key: the first eight bytes of the SHA-256 of its raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The id of the key with these raw public bytes.
    #[must_use]
    pub fn of(public_key: &[u8]) -> Self {
        let digest = crate::Sha256Digest::of(public_key);
        let mut out = [0_u8; 8];
        for (to, from) in out.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(out)
    }

    /// The 8 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        decode_hex(text).map(Self).ok_or(IdError::Key)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// A number that central draws anew whenever it wants to hear what a machine holds: on each connection, and where it
/// must know that a sync was made after it asked. The machine's next sync echoes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hello([u8; 8]);

impl Hello {
    /// Wraps random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Hello {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        decode_hex(text).map(Self).ok_or(IdError::Hello)
    }
}

impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .ok()?
        .try_into()
        .ok()
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(JobId, MachineId, OfficeId, Reference, Epoch, KeyId, Hello);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(text: &str, good: bool) {
        assert_eq!(text.parse::<T>().is_ok(), good, "{text:?}");
    }

    #[test]
    fn machine_ids_are_names_that_no_topic_filter_can_bend() {
        for (text, good) in [
            ("desa-3279012001-1", true),
            ("abc", true),
            ("ab", false),
            ("Desa", false),
            ("a/b", false),
            ("a+b", false),
            ("a#b", false),
            ("central", false),
            ("broker", false),
            ("012345678901234567890123456789012", false),
        ] {
            check::<MachineId>(text, good);
        }
    }

    #[test]
    fn references_cannot_carry_a_sixteen_digit_number() {
        for (text, good) in [
            ("KK-2026-000123", true),
            ("", false),
            ("9971010101800001", false),
            ("x3279-0101-0180-0001", false),
            ("3279.0101.0180.0001", false),
            ("327901010180000", true),
            ("a b", false),
        ] {
            check::<Reference>(text, good);
        }
    }

    #[test]
    fn job_ids_are_version_seven_and_survive_text() {
        let id = JobId::from_parts(1_790_000_000_000, [7; 10]);
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        check::<JobId>("6ba7b810-9dad-11d1-80b4-00c04fd430c8", false);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<JobId>(&json).unwrap(), id);
    }
}
