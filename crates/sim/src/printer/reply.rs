//! One IPP answer.

use bytes::Bytes;
use ipp::IppHeader;
use ipp::attribute::{IppAttribute, IppAttributeGroup, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion, StatusCode};
use ipp::request::IppRequestResponse;
use ipp::value::{IppName, IppValue};

/// server-error-internal-error.
const INTERNAL_ERROR: i16 = 0x0500;

/// One answer being built.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    /// The status code that is said in place of the true one.
    said: Option<u16>,
    groups: Vec<IppAttributeGroup>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            said: None,
            groups: Vec::new(),
        }
    }

    /// Says this status, whatever is true.
    pub(crate) fn saying(mut self, status: u16) -> Self {
        self.said = Some(status);
        self
    }

    /// Adds a group, also an empty one.
    pub(crate) fn group(mut self, tag: DelimiterTag, attributes: Vec<IppAttribute>) -> Self {
        let mut group = IppAttributeGroup::new(tag);
        *group.attributes_mut() = attributes;
        self.groups.push(group);
        self
    }

    /// Adds the attributes that were not understood, where there are any, and says so.
    pub(crate) fn ignoring(mut self, unsupported: Vec<IppAttribute>) -> Self {
        if unsupported.is_empty() {
            return self;
        }
        if self.status == StatusCode::SuccessfulOk {
            self.status = StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes;
        }
        self.group(DelimiterTag::UnsupportedAttributes, unsupported)
    }

    /// The encoded answer.
    pub(crate) fn to_bytes(&self, version: IppVersion, request_id: i32) -> Bytes {
        // The codec turns a status into its code only while it makes a whole answer.
        let header = IppRequestResponse::new_response(version, self.status, request_id).map_or(
            IppHeader::new(version, INTERNAL_ERROR, request_id),
            |answer| *answer.header(),
        );
        let said = self.said.map(|status| {
            let status = i16::from_be_bytes(status.to_be_bytes());
            IppHeader::new(version, status, request_id)
        });
        let header = said.unwrap_or(header);
        let mut attributes = IppAttributes::new();
        let mut operation = IppAttributeGroup::new(DelimiterTag::OperationAttributes);
        operation.attributes_mut().extend(
            [
                attribute("attributes-charset", IppValue::new_charset("utf-8").ok()),
                attribute(
                    "attributes-natural-language",
                    IppValue::new_natural_language("en").ok(),
                ),
                attribute("status-message", text(&self.status.to_string())),
            ]
            .into_iter()
            .flatten(),
        );
        attributes.groups_mut().push(operation);
        attributes.groups_mut().extend(self.groups.iter().cloned());
        [header.to_bytes(), attributes.to_bytes()].concat().into()
    }
}

/// An attribute of this name; none where name or value does not fit.
pub(crate) fn attribute(name: &str, value: Option<IppValue>) -> Option<IppAttribute> {
    Some(IppAttribute::new(IppName::new(name).ok()?, value?))
}

/// A text without language.
pub(crate) fn text(text: &str) -> Option<IppValue> {
    IppValue::new_text_without_language(text).ok()
}

/// A keyword.
pub(crate) fn keyword(keyword: &str) -> Option<IppValue> {
    IppValue::new_keyword(keyword).ok()
}

/// A set of keywords.
pub(crate) fn keywords(keywords: &[&str]) -> Option<IppValue> {
    set(keywords.iter().map(|name| keyword(name)))
}

/// A set of values; none where it is empty or one of them does not fit.
pub(crate) fn set(values: impl IntoIterator<Item = Option<IppValue>>) -> Option<IppValue> {
    let values: Option<Vec<_>> = values.into_iter().collect();
    values
        .filter(|values| !values.is_empty())
        .map(IppValue::Array)
}

/// A collection.
pub(crate) fn collection<const N: usize>(
    members: [(&str, Option<IppValue>); N],
) -> Option<IppValue> {
    let members = members
        .into_iter()
        .map(|(name, value)| Some((IppName::new(name).ok()?, value?)));
    let members: Option<std::collections::BTreeMap<_, _>> = members.collect();
    members.map(IppValue::Collection)
}
