//! One IPP request, read and checked as every operation needs it.

use std::io::Cursor;

use bytes::Bytes;
use ipp::attribute::{IppAttribute, IppAttributeGroup, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion, StatusCode};
use ipp::parser::IppParser;
use ipp::value::IppValue;

/// The one path at which the printer answers.
pub(crate) const PATH: &str = "/ipp/print";

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) version: IppVersion,
    pub(crate) code: u16,
    pub(crate) id: i32,
    attributes: IppAttributes,
}

impl Request {
    /// Reads the message; none where it is no IPP.
    pub(crate) fn read(message: Bytes) -> Option<Self> {
        let (header, attributes, _) = IppParser::new(Cursor::new(message)).parse_parts().ok()?;
        let code = u16::from_be_bytes(header.operation_or_status.to_be_bytes());
        Some(Self {
            version: header.version,
            code,
            id: header.request_id,
            attributes,
        })
    }

    /// What RFC 8011 section 4.1 asks of every request.
    pub(crate) fn check(&self) -> Result<(), StatusCode> {
        if !matches!(self.version.0 >> 8, 1 | 2) {
            return Err(StatusCode::ServerErrorVersionNotSupported);
        }
        let first = self.attributes.groups().first();
        let operation = first.filter(|group| group.tag() == DelimiterTag::OperationAttributes);
        let attributes = operation.map_or(&[][..], IppAttributeGroup::attributes);
        let [charset, language, ..] = attributes else {
            return Err(StatusCode::ClientErrorBadRequest);
        };
        let in_order = charset.name().as_str() == "attributes-charset"
            && language.name().as_str() == "attributes-natural-language"
            && language.value().as_natural_language().is_some();
        if self.id < 1 || !in_order {
            return Err(StatusCode::ClientErrorBadRequest);
        }
        let charset = charset
            .value()
            .as_charset()
            .ok_or(StatusCode::ClientErrorBadRequest)?;
        if !matches!(charset.to_ascii_lowercase().as_str(), "utf-8" | "us-ascii") {
            return Err(StatusCode::ClientErrorCharsetNotSupported);
        }
        Ok(())
    }

    /// Checks that the request means this printer.
    pub(crate) fn check_printer(&self) -> Result<(), StatusCode> {
        let uri = self
            .operation("printer-uri")
            .and_then(|value| value.as_uri());
        let uri = uri.ok_or(StatusCode::ClientErrorBadRequest)?;
        if path_of(uri) == PATH {
            Ok(())
        } else {
            Err(StatusCode::ClientErrorNotFound)
        }
    }

    /// The number of the job it means, by printer-uri and job-id, or by job-uri.
    pub(crate) fn job_id(&self) -> Result<i32, StatusCode> {
        if let Some(uri) = self.operation("job-uri").and_then(|value| value.as_uri()) {
            let number = path_of(uri)
                .strip_prefix(PATH)
                .and_then(|rest| rest.strip_prefix('/'));
            let number = number.and_then(|number| number.parse().ok());
            return number.ok_or(StatusCode::ClientErrorNotFound);
        }
        self.check_printer()?;
        let id = self
            .operation("job-id")
            .and_then(|value| value.as_integer());
        id.copied().ok_or(StatusCode::ClientErrorBadRequest)
    }

    /// The value of an operation attribute.
    pub(crate) fn operation(&self, name: &str) -> Option<&IppValue> {
        let group = self
            .attributes
            .first_of(DelimiterTag::OperationAttributes)?;
        group.get(name).map(IppAttribute::value)
    }

    /// The value of an operation attribute as text of any textual type.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let value = self.operation(name)?;
        value
            .as_name_without_language()
            .map(|name| name.as_str())
            .or_else(|| value.as_name_with_language().map(|(_, name)| name.as_str()))
            .or_else(|| value.as_keyword().map(|keyword| keyword.as_str()))
            .or_else(|| value.as_mime_media_type().map(|format| format.as_str()))
    }

    /// The value of a boolean operation attribute.
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.operation(name)?.as_boolean().copied()
    }

    /// The job template attributes.
    pub(crate) fn template(&self) -> impl Iterator<Item = &IppAttribute> {
        let groups = self.attributes.groups_of(DelimiterTag::JobAttributes);
        groups.flat_map(IppAttributeGroup::attributes)
    }

    /// The names in requested-attributes; none where the attribute is not there.
    pub(crate) fn requested(&self) -> Option<Vec<&str>> {
        let value = self.operation("requested-attributes")?;
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        Some(
            values
                .iter()
                .filter_map(|value| value.as_keyword().map(|name| name.as_str()))
                .collect(),
        )
    }
}

fn path_of(uri: &str) -> &str {
    let after_scheme = uri.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme
        .find('/')
        .and_then(|at| after_scheme.get(at..))
        .unwrap_or("/")
}
