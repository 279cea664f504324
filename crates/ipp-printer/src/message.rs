//! Builds requests and reads answers; crate `ipp` is the codec and nothing more.

use std::io::Cursor;

use bytes::Bytes;
use ipp::IppHeader;
use ipp::attribute::{IppAttribute, IppAttributeGroup, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion};
use ipp::parser::IppParser;
use ipp::value::{IppName, IppValue};

use crate::error::{Garbage, IppError, Operation};
use crate::framing;

/// Every printer of RFC 8011 must take IPP/1.1, those of IPP/2.x too (PWG 5100.12 section 4), and
/// answers it with the same attributes; a 2.x request would fail on the older ones.
const VERSION: IppVersion = IppVersion(0x0101);

/// Statuses below this one are successes (RFC 8011 appendix B.1).
const FIRST_ERROR_STATUS: u16 = 0x0400;

/// One request being built.
pub(crate) struct Request {
    operation: Operation,
    request_id: i32,
    attributes: IppAttributes,
}

impl Request {
    /// Begins a request with the four attributes that come first, in their order.
    pub(crate) fn new(
        operation: Operation,
        request_id: i32,
        printer_uri: &str,
        job_id: Option<i32>,
        requesting_user_name: &str,
    ) -> Result<Self, IppError> {
        let mut request = Self {
            operation,
            request_id,
            attributes: IppAttributes::new(),
        };
        request
            .operation("attributes-charset", IppValue::new_charset("utf-8").ok())?
            .operation(
                "attributes-natural-language",
                IppValue::new_natural_language("en").ok(),
            )?
            .operation("printer-uri", IppValue::new_uri(printer_uri).ok())?;
        if let Some(job_id) = job_id {
            request.operation("job-id", Some(IppValue::Integer(job_id)))?;
        }
        let user = IppValue::new_name_without_language(requesting_user_name).ok();
        request.operation("requesting-user-name", user)?;
        Ok(request)
    }

    /// Adds an operation attribute; `None` stands for a value that its type cannot hold.
    pub(crate) fn operation(
        &mut self,
        name: &'static str,
        value: Option<IppValue>,
    ) -> Result<&mut Self, IppError> {
        self.add(DelimiterTag::OperationAttributes, name, value)
    }

    /// Adds a job template attribute; `None` stands for a value that its type cannot hold.
    pub(crate) fn job(
        &mut self,
        name: &'static str,
        value: Option<IppValue>,
    ) -> Result<&mut Self, IppError> {
        self.add(DelimiterTag::JobAttributes, name, value)
    }

    /// Adds `requested-attributes`.
    pub(crate) fn requested(&mut self, names: &[&str]) -> Result<&mut Self, IppError> {
        let keywords = names.iter().map(|name| IppValue::new_keyword(*name).ok());
        let keywords: Option<Vec<_>> = keywords.collect();
        self.operation("requested-attributes", keywords.map(IppValue::Array))
    }

    fn add(
        &mut self,
        group: DelimiterTag,
        name: &'static str,
        value: Option<IppValue>,
    ) -> Result<&mut Self, IppError> {
        let attribute = value
            .zip(IppName::new(name).ok())
            .map(|(value, name)| IppAttribute::new(name, value))
            .ok_or(IppError::BadRequest {
                operation: self.operation,
                attribute: name,
            })?;
        self.attributes.add(group, attribute);
        Ok(self)
    }

    /// The operation asked for.
    pub(crate) fn operation_name(&self) -> Operation {
        self.operation
    }

    /// The request's id, which its answer must bear.
    pub(crate) fn id(&self) -> i32 {
        self.request_id
    }

    /// The encoded request, up to its end-of-attributes tag.
    pub(crate) fn to_bytes(&self) -> Bytes {
        // All codes of this crate are below 0x000C, so the codec's i16 holds them.
        let code = i16::try_from(self.operation.code()).unwrap_or(i16::MAX);
        let header = IppHeader::new(VERSION, code, self.request_id).to_bytes();
        [header, self.attributes.to_bytes()].concat().into()
    }
}

/// One answer, read and within its bounds.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The operation it answers.
    pub(crate) operation: Operation,
    /// Its status code.
    pub(crate) status: u16,
    /// Bytes of the document that had left when it came.
    pub(crate) sent_bytes: u64,
    attributes: IppAttributes,
}

impl Answer {
    /// Reads an answer to the request with this id.
    pub(crate) fn read(
        operation: Operation,
        request_id: i32,
        message: Bytes,
    ) -> Result<Self, Garbage> {
        framing::check(&message)?;
        let len = message.len();
        let (header, attributes, _rest) = IppParser::new(Cursor::new(message))
            .parse_parts()
            .map_err(|_| Garbage::Encoding(len))?;
        let version = header.version.0;
        if !matches!(version >> 8, 1 | 2) {
            return Err(Garbage::Version(version));
        }
        if header.request_id != request_id {
            return Err(Garbage::RequestId);
        }
        let status = u16::from_be_bytes(header.operation_or_status.to_be_bytes());
        Ok(Self {
            operation,
            status,
            sent_bytes: 0,
            attributes,
        })
    }

    /// True where its status is a success.
    pub(crate) fn is_success(&self) -> bool {
        self.status < FIRST_ERROR_STATUS
    }

    /// The answer itself where its status is a success.
    pub(crate) fn successful(self) -> Result<Self, IppError> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(IppError::Refused {
                operation: self.operation,
                status: self.status,
            })
        }
    }

    /// The groups of job attributes, one a job.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = &IppAttributeGroup> {
        self.attributes.groups_of(DelimiterTag::JobAttributes)
    }

    /// The printer attributes.
    pub(crate) fn printer(&self) -> Option<&IppAttributeGroup> {
        self.attributes.first_of(DelimiterTag::PrinterAttributes)
    }

    /// The names of the attributes that the printer ignored or replaced.
    pub(crate) fn unsupported(&self) -> Vec<String> {
        self.attributes
            .groups_of(DelimiterTag::UnsupportedAttributes)
            .flat_map(IppAttributeGroup::attributes)
            .map(|attribute| attribute.name().as_str().to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> Request {
        let uri = "ipp://localhost:631/ipp/print";
        Request::new(Operation::GetJobAttributes, 7, uri, Some(3), "loket").unwrap()
    }

    #[test]
    fn a_request_begins_with_charset_language_and_target() {
        let bytes = request().to_bytes();
        assert_eq!(&bytes[..9], [1, 1, 0, 9, 0, 0, 0, 7, 1]);
        let order = [
            "attributes-charset",
            "attributes-natural-language",
            "printer-uri",
            "job-id",
        ];
        let at = order.map(|name| {
            bytes
                .windows(name.len())
                .position(|window| window == name.as_bytes())
                .unwrap()
        });
        assert!(at.is_sorted());
    }

    #[test]
    fn a_value_too_long_for_its_attribute_is_refused_before_anything_leaves() {
        let long = "x".repeat(256);
        let refused = request()
            .operation("job-name", IppValue::new_name_without_language(long).ok())
            .err();
        assert!(matches!(
            refused,
            Some(IppError::BadRequest {
                attribute: "job-name",
                ..
            })
        ));
    }

    #[test]
    fn an_answer_to_another_request_is_no_answer() {
        let message = Bytes::from_static(&[1, 1, 0, 0, 0, 0, 0, 9, 3]);
        let read = |id| Answer::read(Operation::GetJobs, id, message.clone());
        assert!(read(9).is_ok());
        assert_eq!(read(8).unwrap_err(), Garbage::RequestId);
    }

    #[test]
    fn an_answer_of_another_major_version_is_no_answer() {
        let message = Bytes::from_static(&[9, 0, 0, 0, 0, 0, 0, 9, 3]);
        let read = Answer::read(Operation::GetJobs, 9, message);
        assert_eq!(read.unwrap_err(), Garbage::Version(0x0900));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_read_or_refused_but_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..512),
        ) {
            drop(Answer::read(Operation::GetJobs, 7, bytes.into()));
        }

        #[test]
        fn a_message_with_bytes_altered_is_read_or_refused_but_never_panics(
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = request().to_bytes().to_vec();
            let extra = [
                5, 0x35, 0, 1, b'a', 0, 8, 0, 2, b'e', b'n', 0, 2, b'h', b'i',
                0x34, 0, 1, b'c', 0, 0, 0x4a, 0, 0, 0, 1, b'm', 0x21, 0, 0, 0, 4, 0, 0, 0, 1,
                0x37, 0, 0, 0, 0, 3,
            ];
            bytes.pop();
            bytes.extend_from_slice(&extra);
            prop_assert!(Answer::read(Operation::GetJobs, 7, bytes.clone().into()).is_ok());
            for (index, value) in changes {
                let at = index.index(bytes.len());
                bytes[at] = value;
            }
            drop(Answer::read(Operation::GetJobs, 7, bytes.into()));
        }
    }
}
