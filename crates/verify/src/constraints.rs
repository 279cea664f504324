//! Names that an authority may certify.
//!
//! # Source
//! RFC 5280, 4.2.1.10.

use der::asn1::Ia5String;
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;

use crate::certificate::Certificate;
use crate::code::Code;
use crate::names::is_under;

/// Subtrees of one certificate that are compared; honest authorities have a handful.
const MAX_SUBTREES: usize = 64;

/// What the authorities of a path, which stand after those below them, say against the names below.
pub(crate) fn faults(path: &[&Certificate]) -> Option<Code> {
    path.iter()
        .enumerate()
        .skip(1)
        .find_map(|(above, authority)| {
            let constraints = match authority.name_constraints() {
                Ok(constraints) => constraints?,
                Err(_unreadable) => return Some(Code::ConstraintUnsupported),
            };
            let below = path.get(..above).unwrap_or_default();
            below
                .iter()
                .enumerate()
                .find_map(|(position, certificate)| {
                    // A new certificate of the same authority is not held against itself, the last one is.
                    let is_passed_over = position > 0 && certificate.is_self_issued();
                    (!is_passed_over)
                        .then(|| fault(&constraints, certificate))
                        .flatten()
                })
        })
}

fn fault(constraints: &NameConstraints, certificate: &Certificate) -> Option<Code> {
    let permitted = constraints
        .permitted_subtrees
        .as_deref()
        .unwrap_or_default();
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    let is_odd = |tree: &GeneralSubtree| tree.minimum != 0 || tree.maximum.is_some();
    if permitted.len().saturating_add(excluded.len()) > MAX_SUBTREES
        || permitted.iter().chain(excluded).any(is_odd)
    {
        return Some(Code::ConstraintUnsupported);
    }
    let Ok(names) = names(certificate) else {
        return Some(Code::ConstraintUnsupported);
    };
    names.iter().find_map(|name| {
        let is_same_form = |tree: &&GeneralSubtree| {
            std::mem::discriminant(&tree.base) == std::mem::discriminant(name)
        };
        let mut inside = permitted.iter().filter(is_same_form).peekable();
        let mut outside = excluded.iter().filter(is_same_form).peekable();
        if inside.peek().is_none() && outside.peek().is_none() {
            return None;
        }
        let mut is_permitted = inside.peek().is_none();
        for tree in inside {
            match holds(&tree.base, name) {
                Some(found) => is_permitted |= found,
                None => return Some(Code::ConstraintUnsupported),
            }
        }
        for tree in outside {
            match holds(&tree.base, name) {
                Some(true) => return Some(Code::ConstraintBroken),
                Some(false) => {}
                None => return Some(Code::ConstraintUnsupported),
            }
        }
        (!is_permitted).then_some(Code::ConstraintBroken)
    })
}

/// All names of a certificate to which constraints apply.
fn names(certificate: &Certificate) -> Result<Vec<GeneralName>, Code> {
    let mut names = certificate.alternative_names()?;
    let subject = certificate.subject();
    if !names
        .iter()
        .any(|name| matches!(name, GeneralName::Rfc822Name(_)))
    {
        let parts = subject.0.iter().flat_map(|part| part.0.iter());
        for part in parts.filter(|part| part.oid == const_oid::db::rfc3280::EMAIL_ADDRESS) {
            let address = Ia5String::new(part.value.value());
            let address = address.map_err(|_not_ascii| Code::ConstraintUnsupported)?;
            names.push(GeneralName::Rfc822Name(address));
        }
    }
    if !subject.0.is_empty() {
        names.push(GeneralName::DirectoryName(subject.clone()));
    }
    Ok(names)
}

/// Whether `name` lies under `base`, both of the same form; none where that form is not known here.
fn holds(base: &GeneralName, name: &GeneralName) -> Option<bool> {
    match (base, name) {
        (GeneralName::DirectoryName(base), GeneralName::DirectoryName(name)) => {
            Some(is_under(base, name))
        }
        (GeneralName::DnsName(base), GeneralName::DnsName(name)) => {
            let (base, name) = (base.as_str(), name.as_str());
            Some(base.is_empty() || is_host(base, name) || is_in_domain(base, name))
        }
        (GeneralName::Rfc822Name(base), GeneralName::Rfc822Name(name)) => {
            Some(is_mail(base.as_str(), name.as_str()))
        }
        (
            GeneralName::UniformResourceIdentifier(base),
            GeneralName::UniformResourceIdentifier(name),
        ) => {
            let host = host_of(name.as_str())?;
            Some(is_host_or_inside(base.as_str(), host))
        }
        _other_forms => None,
    }
}

fn is_mail(base: &str, address: &str) -> bool {
    let Some((mailbox, host)) = address.rsplit_once('@') else {
        return false;
    };
    match base.rsplit_once('@') {
        Some((wanted, at)) => wanted == mailbox && is_host(at, host),
        None => is_host_or_inside(base, host),
    }
}

/// A base that starts with a dot stands for what is inside the domain, another for that host alone.
fn is_host_or_inside(base: &str, host: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_in_domain(domain, host),
        None => is_host(base, host),
    }
}

fn is_host(base: &str, host: &str) -> bool {
    base.eq_ignore_ascii_case(host)
}

fn is_in_domain(domain: &str, host: &str) -> bool {
    let (domain, host) = (domain.to_ascii_lowercase(), host.to_ascii_lowercase());
    let before = host.strip_suffix(domain.as_str());
    before.is_some_and(|before| before.len() > 1 && before.ends_with('.'))
}

/// The host of an absolute URI.
fn host_of(uri: &str) -> Option<&str> {
    let (_scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_user, host)| host);
    let host = host.split(':').next()?;
    (!host.is_empty() && !host.starts_with('[')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_mailboxes_and_domains_are_told_apart() {
        for (base, address, expect) in [
            ("kepala@contoh.invalid", "kepala@contoh.invalid", true),
            ("kepala@contoh.invalid", "Kepala@contoh.invalid", false),
            ("contoh.invalid", "kepala@CONTOH.invalid", true),
            ("contoh.invalid", "kepala@sub.contoh.invalid", false),
            (".contoh.invalid", "kepala@sub.contoh.invalid", true),
            (".contoh.invalid", "kepala@contoh.invalid", false),
            (".contoh.invalid", "kepala@palsucontoh.invalid", false),
        ] {
            assert_eq!(is_mail(base, address), expect, "{base} {address}");
        }
        assert_eq!(
            host_of("https://a@contoh.invalid:1/x@y"),
            Some("contoh.invalid")
        );
        assert_eq!(host_of("urn:x"), None);
        assert!(is_in_domain("contoh.invalid", "a.Contoh.invalid"));
        assert!(!is_in_domain("contoh.invalid", "contoh.invalid"));
    }
}
