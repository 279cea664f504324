//! The revocation list (RFC 5280 §5): always there, always valid, checked before it takes its place.

use der::{Decode, Encode};
use loket_wire::Timestamp;
use loket_wire::sign::VerifyingKey;
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_cert::crl::CertificateList;

use crate::authority::{Authority, making};
use crate::bookkeeping::{Cause, Issued, VERSION, check_version, parse_json, write_json};
use crate::broker::in_each;
use crate::canary::thin_out;
use crate::certificate::{BACKDATE, Kind, date, days};
use crate::durable::{self, Readers};
use crate::error::ProvisionError;

/// How long a list is valid. A broker whose list has run out refuses every machine of the regency, so an office of
/// two that forgets its routine for a quarter must not stop the service; the list is made anew at every change.
pub(crate) const CRL_LIFE: std::time::Duration = days(90);

/// A list with less than this left is not put in place, and `probe` warns of one that stands.
pub(crate) const CRL_LEAST: std::time::Duration = days(30);

/// The list's number (RFC 5280 §5.2.3), written before the list so that no number is given twice.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    version: u16,
    number: u64,
}

impl Authority {
    /// Makes the list anew, with a canary of its own, and puts it at `crl.pem`, and beside the configuration of each
    /// broker.
    pub(crate) fn put_crl(&self, now: Timestamp) -> Result<(), ProvisionError> {
        let mut revoked = self.book().all()?;
        revoked.retain(|issued| issued.revoked.is_some());
        let known = revoked.clone();
        // RFC 5280 §3.3: an entry stays one list longer than its certificate lives.
        revoked.retain(|issued| now < issued.not_after.saturating_add(CRL_LIFE));
        thin_out(&mut revoked);
        // Last, by which `probe` knows it.
        revoked.push(self.make_canary(now)?);
        self.put_list(&revoked, now)?;
        let gone = |issued: &&Issued| issued.kind == Kind::Canary && !revoked.contains(issued);
        known
            .iter()
            .filter(gone)
            .try_for_each(|issued| self.book().forget(issued))
    }

    fn put_list(&self, revoked: &[Issued], now: Timestamp) -> Result<(), ProvisionError> {
        let entries = revoked
            .iter()
            .filter_map(|issued| Some((issued, issued.revoked.as_ref()?)))
            .map(|(issued, revocation)| {
                Ok(RevokedCertParams {
                    serial_number: serial_of(issued)?,
                    revocation_time: date(revocation.at)?,
                    reason_code: Some(reason(revocation.cause)),
                    invalidity_date: None,
                })
            })
            .collect::<Result<Vec<_>, ProvisionError>>()?;
        let params = CertificateRevocationListParams {
            this_update: date(now.saturating_sub(BACKDATE))?,
            next_update: date(now.saturating_add(CRL_LIFE))?,
            crl_number: SerialNumber::from(self.next_crl_number()?),
            issuing_distribution_point: None,
            revoked_certs: entries,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = params
            .signed_by(self.issuer())
            .and_then(|list| list.pem())
            .map_err(making("sign the revocation list"))?;
        let mut folders = vec![self.dir().to_owned()];
        folders.extend(self.broker_folders()?);
        in_each(&folders, |folder| {
            let path = folder.join("crl.pem");
            durable::write_checked(&path, pem.as_bytes(), Readers::All, |bytes| {
                self.check_crl(bytes, revoked, now)
            })
        })
    }

    /// The list at `crl.pem`.
    pub(crate) fn list_in_force(&self) -> Result<CertificateList, ProvisionError> {
        parse(&durable::read(&self.path("crl.pem"))?)
    }

    /// When the list at `crl.pem` runs out. From then on a broker refuses everyone.
    ///
    /// # Errors
    /// When it is not there or is none.
    pub fn list_until(&self) -> Result<Timestamp, ProvisionError> {
        let bad = |what| ProvisionError::Crl { what };
        runs_out(&self.list_in_force()?)
            .and_then(|ms| i64::try_from(ms).ok())
            .map(Timestamp::from_unix_ms)
            .ok_or_else(|| bad("it never runs out"))
    }

    /// A broken list makes mosquitto stop looking at lists at all, so what the disk gave back is judged first.
    fn check_crl(
        &self,
        pem: &[u8],
        revoked: &[Issued],
        now: Timestamp,
    ) -> Result<(), ProvisionError> {
        let bad = |what| ProvisionError::Crl { what };
        let list = parse(pem)?;
        let signed = list
            .tbs_cert_list
            .to_der()
            .map_err(|_der| bad("it cannot be encoded again"))?;
        let key = VerifyingKey::P256(self.issuer().key().public_key_raw().to_vec());
        if !key.verifies(&signed, list.signature.raw_bytes()) {
            return Err(bad("its signature is not the authority's"));
        }
        let next_update = runs_out(&list);
        let least = now.saturating_add(CRL_LEAST).unix_ms();
        if next_update.is_none_or(|at| at < u128::try_from(least).unwrap_or(0)) {
            return Err(bad("it runs out too soon"));
        }
        let listed = list.tbs_cert_list.revoked_certificates.unwrap_or_default();
        let holds = |issued: &Issued| {
            let serial = data_encoding::HEXLOWER_PERMISSIVE.decode(issued.serial.as_bytes());
            listed
                .iter()
                .any(|entry| serial.as_deref() == Ok(entry.serial_number.as_bytes()))
        };
        if listed.len() != revoked.len() || !revoked.iter().all(holds) {
            return Err(bad("it does not list what was revoked"));
        }
        Ok(())
    }

    fn next_crl_number(&self) -> Result<u64, ProvisionError> {
        let path = self.path("crl.json");
        let last = match durable::read_if_there(&path)? {
            None => 0,
            Some(bytes) => {
                let numbered: Numbered = parse_json(&path, &bytes)?;
                check_version(&path, numbered.version)?;
                numbered.number
            }
        };
        let number = last.saturating_add(1);
        write_json(
            &path,
            &Numbered {
                version: VERSION,
                number,
            },
        )?;
        Ok(number)
    }
}

fn parse(pem: &[u8]) -> Result<CertificateList, ProvisionError> {
    let bad = |what| ProvisionError::Crl { what };
    let bytes =
        CertificateRevocationListDer::from_pem_slice(pem).map_err(|_pem| bad("it is not PEM"))?;
    CertificateList::from_der(&bytes).map_err(|_der| bad("it is not DER"))
}

/// Milliseconds since 1970.
fn runs_out(list: &CertificateList) -> Option<u128> {
    let next_update = list.tbs_cert_list.next_update?;
    Some(next_update.to_unix_duration().as_millis())
}

fn serial_of(issued: &Issued) -> Result<SerialNumber, ProvisionError> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE
        .decode(issued.serial.as_bytes())
        .map_err(|_decode| ProvisionError::Crl {
            what: "a serial number in the bookkeeping is not hexadecimal",
        })?;
    Ok(SerialNumber::from(bytes))
}

const fn reason(cause: Cause) -> RevocationReason {
    match cause {
        // A machine that is gone takes its key along.
        Cause::Revoked => RevocationReason::KeyCompromise,
        Cause::Superseded => RevocationReason::Superseded,
        Cause::Canary => RevocationReason::CessationOfOperation,
    }
}
