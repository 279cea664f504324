//! The IEEE 1284 device id: what a printer says of itself in `KEY:value;` pairs.

use std::fmt;

/// The most pairs that are kept; the longest ids met have about twenty.
const MAX_FIELDS: usize = 64;

/// The longest key and value that are kept; a CMD list is the longest value met, with some 200 bytes.
const MAX_KEY_CHARS: usize = 64;
const MAX_VALUE_CHARS: usize = 512;

/// What a printer says of itself.
///
/// # Source
/// IEEE 1284-2000 section 7.6; USB Printer Class 1.1 section 4.2.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceId {
    fields: Vec<(String, String)>,
}

impl DeviceId {
    /// Reads the answer to GET_DEVICE_ID: two bytes of length, then the pairs.
    ///
    /// The length should be big-endian and count itself. Firmware says it little-endian, without itself, too large, or not
    /// at all: where it cannot be, all that came counts. Bytes that are no UTF-8 become replacement characters, and control
    /// characters are left out.
    #[must_use]
    pub fn parse(answer: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text_of(answer)).into_owned();
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in text.split(';') {
            let Some((key, value)) = pair.split_once(':') else {
                continue;
            };
            let key: String = clean(key, MAX_KEY_CHARS).to_ascii_uppercase();
            if !key.is_empty() && !fields.iter().any(|(known, _)| *known == key) {
                fields.push((key, clean(value, MAX_VALUE_CHARS)));
            }
            if fields.len() >= MAX_FIELDS {
                break;
            }
        }
        Self { fields }
    }

    /// The value of a key, whatever its case; the first where it is said twice.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        let found = self
            .fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key));
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn either(&self, short: &str, long: &str) -> Option<&str> {
        self.field(short).or_else(|| self.field(long))
    }

    /// MFG or MANUFACTURER.
    #[doc(alias = "MFG")]
    #[must_use]
    pub fn manufacturer(&self) -> Option<&str> {
        self.either("MFG", "MANUFACTURER")
    }

    /// MDL or MODEL.
    #[doc(alias = "MDL")]
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.either("MDL", "MODEL")
    }

    /// SN, SERN or SERIALNUMBER.
    #[doc(alias = "SERN")]
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.either("SN", "SERN")
            .or_else(|| self.field("SERIALNUMBER"))
    }

    /// The languages of CMD or COMMAND SET, in the order of the device.
    #[doc(alias = "CMD")]
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        let list = self.either("CMD", "COMMAND SET").unwrap_or_default();
        list.split(',').map(str::trim).filter(|it| !it.is_empty())
    }

    /// All pairs, keys in upper case, in the order of the device.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in self.fields() {
            write!(f, "{key}:{value};")?;
        }
        Ok(())
    }
}

/// The bytes behind the length, as far as the length can be.
fn text_of(answer: &[u8]) -> &[u8] {
    let Some((length, text)) = answer.split_first_chunk::<2>() else {
        return &[];
    };
    // Two printable bytes are the beginning of a text without a length.
    if length.iter().all(u8::is_ascii_graphic) {
        return answer;
    }
    let whole = [u16::from_be_bytes(*length), u16::from_le_bytes(*length)]
        .map(usize::from)
        .into_iter()
        .find(|whole| (2..=answer.len()).contains(whole) && *whole > 2);
    match whole {
        // A length without itself cuts two bytes off; the last pair then still ends with its semicolon or not at all.
        Some(whole) if answer.len().saturating_sub(whole) == 2 => text,
        Some(whole) => answer.get(2..whole).unwrap_or(text),
        None => text,
    }
}

fn clean(text: &str, max_chars: usize) -> String {
    let kept = text.trim().chars().filter(|it| !it.is_control());
    kept.take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_length(length: [u8; 2], text: &str) -> Vec<u8> {
        [&length, text.as_bytes()].concat()
    }

    #[test]
    fn the_usual_keys_are_found_under_both_of_their_names() {
        let text = "MFG:EPSON;CMD:ESC/POS, PJL ,;MDL:TM-T20;CLS:PRINTER;SN:X9;";
        let length = u16::try_from(text.len() + 2).unwrap().to_be_bytes();
        let id = DeviceId::parse(&with_length(length, text));
        assert_eq!(id.manufacturer(), Some("EPSON"));
        assert_eq!(id.model(), Some("TM-T20"));
        assert_eq!(id.serial(), Some("X9"));
        assert_eq!(id.commands().collect::<Vec<_>>(), ["ESC/POS", "PJL"]);
        assert_eq!(id.field("cls"), Some("PRINTER"));
        let text = "manufacturer: HP ;Model:Laser;COMMAND SET:PCL;SERIALNUMBER:1;SERN:2;";
        let id = DeviceId::parse(&with_length([0, 70], text));
        assert_eq!((id.manufacturer(), id.model()), (Some("HP"), Some("Laser")));
        assert_eq!(
            (id.serial(), id.commands().next()),
            (Some("2"), Some("PCL"))
        );
    }

    #[test]
    fn a_length_that_lies_does_not_matter() {
        let text = "MFG:A;MDL:B;";
        let len = u16::try_from(text.len()).unwrap();
        let [high, low] = (len + 2).to_be_bytes();
        let [short_high, short_low] = len.to_be_bytes();
        for length in [
            [high, low],
            [low, high],
            [short_high, short_low],
            [0, 0],
            [255, 255],
            [0, 1],
            [0, 2],
        ] {
            let id = DeviceId::parse(&with_length(length, text));
            assert_eq!(id.to_string(), text, "{length:?}");
        }
        assert_eq!(
            DeviceId::parse(text.as_bytes()).to_string(),
            text,
            "no length at all"
        );
        // What stands behind an honest length is left over from something else.
        let id = DeviceId::parse(&with_length([0, 8], "MFG:A;MDL:B;SN:1;"));
        assert_eq!(id.to_string(), "MFG:A;");
    }

    #[test]
    fn nothing_and_nonsense_have_no_fields() {
        for answer in [
            &b""[..],
            b"\0",
            b"\0\x02",
            b"\0\x06:::;",
            b"\0\x08;;;;;;",
            b"\xff\xfe\xfd\xfc",
        ] {
            assert_eq!(DeviceId::parse(answer).fields().count(), 0, "{answer:?}");
        }
        let id = DeviceId::parse(b"\0\x10MFG:\x07A\xff\x1b;MFG:B;");
        assert_eq!(id.manufacturer(), Some("A\u{fffd}"));
    }

    #[test]
    fn fuzz_usb_device_ids_no_bytes_panic_and_what_is_kept_is_bounded() {
        let good: [&[u8]; 3] = [
            b"\0\x2cMFG:EPSON;CMD:ESC/POS;MDL:TM-T20;CLS:PRINTER;",
            b"\x20\0MANUFACTURER:HP;MODEL:Laser;SN:1;",
            b"MFG:A;MDL:B;COMMAND SET:PCL,PJL,PDF;",
        ];
        loket_fuzz::fuzz("usb_device_ids", 200_000, &good, |bytes| {
            let id = DeviceId::parse(bytes);
            assert!(id.fields().count() <= MAX_FIELDS);
            for (key, value) in id.fields() {
                assert!(!key.is_empty() && key.chars().count() <= MAX_KEY_CHARS);
                assert!(value.chars().count() <= MAX_VALUE_CHARS);
                assert!(!value.chars().any(char::is_control));
            }
        });
    }
}
