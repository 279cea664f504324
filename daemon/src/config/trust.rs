//! Whom this machine believes about signatures, beside its own folder.

use serde::{Deserialize, Serialize};

/// Central makes a bundle anew each week, changed or not: two weeks without one are no delay of the line.
const DEFAULT_MAX_AGE_DAYS: u32 = 14;

/// What documents are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustConfig {
    /// What counts beside the trust folder.
    pub source: TrustSource,
    /// A bundle older than this is told as a trouble.
    pub max_age_days: u32,
}

impl Default for TrustConfig {
    /// The folder alone; two weeks.
    fn default() -> Self {
        Self {
            source: TrustSource::Folder,
            max_age_days: DEFAULT_MAX_AGE_DAYS,
        }
    }
}

/// What counts beside the trust folder, whose anchors count always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustSource {
    /// Nothing: the folder alone.
    #[default]
    Folder,
    /// Central's bundle, but for its anchors: whoever owns central can revoke and cannot add an authority.
    Bundle,
    /// Central's bundle with its anchors: authorities are replaced from central as well.
    BundleWithAnchors,
}
