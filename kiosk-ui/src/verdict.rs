//! From a file to a judgement: for residents and officers alike.

use crate::ports::{Judgement, Reader};
use crate::site::{Face, Shared};
use crate::way::Taken;
use crate::words::Trouble;

/// Judges what a form brought, for whoever stands at this face of the machine.
///
/// # Errors
/// What the person is told in place of a judgement.
pub(crate) async fn judge(
    shared: &Shared,
    face: Face,
    taken: Result<Taken<'_>, Trouble>,
) -> Result<Judgement, Trouble> {
    let reader = match face {
        Face::Kiosk => Reader::Resident,
        Face::Station => Reader::Officer,
    };
    let Taken { document, place } = taken?;
    let judged = shared.site.verify.verify(document, reader).await;
    drop(place);
    judged
}

/// The first value of an attribute in a name of a certificate (RFC 4514), for instance `CN`.
pub(crate) fn attribute(name: &str, kind: &str) -> Option<String> {
    let mut value = String::new();
    let mut is_escaped = false;
    let mut parts = Vec::new();
    for c in name.chars() {
        if is_escaped {
            value.push(c);
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == ',' || c == '+' {
            parts.push(std::mem::take(&mut value));
        } else {
            value.push(c);
        }
    }
    parts.push(value);
    parts.into_iter().find_map(|part| {
        let (found, value) = part.split_once('=')?;
        (found.trim() == kind).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_by_its_parts() {
        let name = r"CN=Kepala Dinas\, M.Si. (CONTOH),O=Dinas\+Contoh,C=ID";
        assert_eq!(
            attribute(name, "CN").as_deref(),
            Some("Kepala Dinas, M.Si. (CONTOH)")
        );
        assert_eq!(attribute(name, "O").as_deref(), Some("Dinas+Contoh"));
        assert_eq!(attribute(name, "OU"), None);
        assert_eq!(attribute("", "CN"), None);
    }
}
