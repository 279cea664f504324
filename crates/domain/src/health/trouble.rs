//! The bounds whose crossing central must hear of at once.

use std::collections::BTreeSet;

use super::Measures;

/// Twice the usual room for sealed documents: somebody should clear the disk before work stops.
const DISK_LOW_BYTES: u64 = 512 * 1024 * 1024;

/// Less than the journal and one large document need: work is about to stop.
const DISK_FULL_BYTES: u64 = 32 * 1024 * 1024;

/// Percent of the quota at which sealed documents pile up faster than they are printed.
const SPOOL_HIGH_PERCENT: u64 = 80;

/// A scheduled print, a ticket's time or a log line that is five minutes off misleads people.
const CLOCK_OFF_MS: u64 = 5 * 60 * 1_000;

/// A month to renew a certificate on a poor link.
const CERTIFICATE_SOON_DAYS: i64 = 30;

/// A bound stays crossed until the measure is better by this part of it: at the bound itself it would flutter.
const SLACK_PART: u64 = 8;

/// A bound that is crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Little room is left on the disk.
    DiskLow,
    /// No room worth the name is left on the disk.
    DiskFull,
    /// Sealed documents fill most of their quota.
    SpoolHigh,
    /// Central has not told the time in this boot.
    ClockUntrusted,
    /// The system clock is far from central's.
    ClockOff,
    /// The machine's certificate ends soon.
    CertificateEndsSoon,
    /// The machine's certificate has ended.
    CertificateEnded,
    /// Central's trust bundle was not made anew for long.
    TrustOld,
    /// A revocation list has ended: documents cannot be proved good by it.
    TrustEnded,
    /// Records of printed sheets lie here that central cannot open.
    RecordsRefused,
    /// The trust folder cannot be read: what was last good in it counts, and what was put there since does not.
    TrustBroken,
    /// What reads documents and scans is not installed: nothing that people bring is judged, and no record is made.
    InspectorMissing,
}

impl Trouble {
    /// The stable keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::DiskLow => "disk-low",
            Self::DiskFull => "disk-full",
            Self::SpoolHigh => "spool-high",
            Self::ClockUntrusted => "clock-untrusted",
            Self::ClockOff => "clock-off",
            Self::CertificateEndsSoon => "certificate-ends-soon",
            Self::CertificateEnded => "certificate-ended",
            Self::TrustOld => "trust-old",
            Self::TrustEnded => "trust-ended",
            Self::RecordsRefused => "records-refused",
            Self::TrustBroken => "trust-broken",
            Self::InspectorMissing => "inspector-missing",
        }
    }

    /// The bounds that these measures cross, where those of `before` were crossed.
    pub(super) fn of(
        measures: &Measures,
        is_clock_trusted: bool,
        before: &BTreeSet<Self>,
    ) -> BTreeSet<Self> {
        let at_most = |trouble, value: u64, bound: u64| {
            let slack = if before.contains(&trouble) {
                bound / SLACK_PART
            } else {
                0
            };
            (value < bound.saturating_add(slack)).then_some(trouble)
        };
        let free = measures.disk_free_bytes.unwrap_or(u64::MAX);
        let high = measures.spool_quota_bytes / 100 * SPOOL_HIGH_PERCENT;
        let room = measures
            .spool_quota_bytes
            .saturating_sub(measures.spool_bytes);
        let off = measures.clock_offset_ms.unwrap_or_default().unsigned_abs();
        let trusted_for = CLOCK_OFF_MS.saturating_mul(2).saturating_sub(off);
        let days = measures.certificate_days_left.unwrap_or(i64::MAX);
        let ends_soon = (0..CERTIFICATE_SOON_DAYS).contains(&days);
        [
            at_most(Self::DiskLow, free, DISK_LOW_BYTES),
            at_most(Self::DiskFull, free, DISK_FULL_BYTES),
            at_most(
                Self::SpoolHigh,
                room,
                measures.spool_quota_bytes.saturating_sub(high),
            ),
            (!is_clock_trusted).then_some(Self::ClockUntrusted),
            at_most(Self::ClockOff, trusted_for, CLOCK_OFF_MS),
            ends_soon.then_some(Self::CertificateEndsSoon),
            (days < 0).then_some(Self::CertificateEnded),
            measures.is_trust_old.then_some(Self::TrustOld),
            measures.is_trust_ended.then_some(Self::TrustEnded),
            measures.has_refused_records.then_some(Self::RecordsRefused),
            measures.is_trust_broken.then_some(Self::TrustBroken),
            measures
                .is_inspector_missing
                .then_some(Self::InspectorMissing),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
