//! What each kind of certificate says, and for how long.

use std::time::Duration;

use data_encoding::HEXLOWER;
use loket_wire::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::crl::CRL_LIFE;
use crate::error::ProvisionError;

/// A machine may be switched off for four months (it renews from day 60) and still comes back by itself.
const MACHINE_LIFE: Duration = days(180);

/// Broker and central are renewed by hand, so seldom; 825 days is the longest that TLS clients commonly accept.
const SERVER_LIFE: Duration = days(825);

/// The authority outlives several generations of PCs; its replacement needs a visit or a planned roll-over.
const AUTHORITY_LIFE: Duration = days(3_652);

/// Kiosk clocks run late when their battery is weak: what begins two days ago is valid on them at once.
pub(crate) const BACKDATE: Duration = days(2);

/// 2026-01-01T00:00:00Z. No authority is older, so a clock before it is wrong, and its certificates would be dead
/// on arrival.
const CLOCK_FLOOR: Timestamp = Timestamp::from_unix_ms(1_767_225_600_000);

/// Random bytes of a serial number: RFC 5280 allows 20, and 126 random bits never meet twice.
const SERIAL_BYTES: usize = 16;

/// A duration of whole days.
pub(crate) const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Machine,
    Broker,
    Central,
    /// Revoked at birth; a broker that lets it in does not hold the revocation list that it came with.
    Canary,
}

impl Kind {
    const fn life(self) -> Duration {
        match self {
            Self::Machine => MACHINE_LIFE,
            Self::Broker | Self::Central => SERVER_LIFE,
            // As long as the list it comes with: when one ends, the other is of no use either.
            Self::Canary => CRL_LIFE,
        }
    }

    /// A machine can never pose as a server, nor a broker as a client; central is both.
    fn purposes(self) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            Self::Machine | Self::Canary => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Self::Broker => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Self::Central => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
        }
    }
}

/// A serial number, and its hexadecimal form.
pub(crate) struct Serial {
    pub(crate) number: SerialNumber,
    pub(crate) hex: String,
}

impl Serial {
    pub(crate) fn draw(random: &SystemRandom) -> Result<Self, ProvisionError> {
        let mut bytes = [0_u8; SERIAL_BYTES];
        random
            .fill(&mut bytes)
            .map_err(|_unspecified| ProvisionError::Randomness)?;
        if let Some(first) = bytes.first_mut() {
            // Positive and of one length, so that its DER form and its hexadecimal form never differ by a zero.
            *first = (*first & 0x3f) | 0x40;
        }
        Ok(Self {
            number: SerialNumber::from_slice(&bytes),
            hex: HEXLOWER.encode(&bytes),
        })
    }
}

/// The parameters of a certificate of this kind, and when it ends: never after `authority_end`.
pub(crate) fn leaf(
    kind: Kind,
    name: &str,
    hosts: Vec<SanType>,
    serial: &Serial,
    (now, authority_end): (Timestamp, Timestamp),
) -> Result<(CertificateParams, Timestamp), ProvisionError> {
    let end = now.saturating_add(kind.life()).min(authority_end);
    let mut params = dated(now, end)?;
    params.serial_number = Some(serial.number.clone());
    params.distinguished_name = common_name(name);
    params.subject_alt_names = hosts;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = kind.purposes();
    params.use_authority_key_identifier_extension = true;
    Ok((params, end))
}

/// The parameters of the authority's own certificate; `name` tells it from its successor.
pub(crate) fn authority(
    name: &str,
    serial: &Serial,
    now: Timestamp,
) -> Result<CertificateParams, ProvisionError> {
    let mut params = dated(now, now.saturating_add(AUTHORITY_LIFE))?;
    params.serial_number = Some(serial.number.clone());
    params.distinguished_name = common_name(name);
    // No authority below this one.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// The date form of certificates: whole seconds.
pub(crate) fn date(at: Timestamp) -> Result<OffsetDateTime, ProvisionError> {
    OffsetDateTime::from_unix_timestamp(at.unix_ms().div_euclid(1_000)).map_err(|_range| {
        ProvisionError::Clock {
            now_ms: at.unix_ms(),
        }
    })
}

/// Refuses a clock that cannot be right.
pub(crate) const fn check_clock(now: Timestamp) -> Result<(), ProvisionError> {
    if now.unix_ms() < CLOCK_FLOOR.unix_ms() {
        return Err(ProvisionError::Clock {
            now_ms: now.unix_ms(),
        });
    }
    Ok(())
}

fn dated(now: Timestamp, end: Timestamp) -> Result<CertificateParams, ProvisionError> {
    check_clock(now)?;
    let mut params = CertificateParams::default();
    params.not_before = date(now.saturating_sub(BACKDATE))?;
    params.not_after = date(end)?;
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
