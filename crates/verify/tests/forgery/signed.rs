//! Puts containers into the gap of originals, so that all but one thing is right.

use crate::authority;
use crate::bytes::Forgery;
use crate::containers::{Kit, MOMENT};
use crate::doc::{byte_range, find, gap};
use crate::hierarchies::{self, Chain};
use crate::hybrids;
use crate::settled;
use crate::signer::{Recipe, sha256};

/// A document with another container, and what it is judged with.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) forgery: Forgery,
    pub(crate) is_honest: bool,
    /// A revocation list that the judge has beside the others.
    pub(crate) list: Option<Vec<u8>>,
}

/// Everything that is made once.
#[derive(Debug)]
pub(crate) struct Workshop {
    kit: Kit,
    chains: Vec<Chain>,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self {
            kit: Kit::new(),
            chains: hierarchies::all(),
        }
    }

    /// Every container over the carrier as it is; over a carrier whose text was changed, by those whose chain is bent.
    pub(crate) fn forgeries(&self, carrier: &[u8]) -> Vec<Signed> {
        let changed = changed(carrier);
        let mut out = Vec::new();
        let digest = digest(carrier);
        for (name, container, is_honest) in self.kit.containers(&digest) {
            let family = if name.starts_with("stamp") || name.starts_with("expired") {
                "time stamps"
            } else {
                "signature container"
            };
            out.extend(placed(carrier, family, &name, &container, is_honest));
        }
        out.extend(self.padded(carrier, &digest));
        out.extend(self.spelled(carrier, &digest));
        for chain in &self.chains {
            let container = self.container(chain, &digest);
            let place = placed(
                carrier,
                "certificates",
                &chain.name,
                &container,
                chain.is_honest,
            );
            let mut made: Vec<Signed> = place.into_iter().collect();
            if !chain.is_honest {
                let container = self.container(chain, &crate::signed::digest(&changed));
                let name = format!("{}, text changed", chain.name);
                made.extend(placed(&changed, "certificates", &name, &container, false));
            }
            out.extend(made.into_iter().map(|signed| Signed {
                list: chain.list.clone(),
                ..signed
            }));
        }
        out
    }

    fn container(&self, chain: &Chain, digest: &[u8]) -> Vec<u8> {
        let recipe = Recipe::honest(digest, &chain.who);
        if chain.is_stamped {
            recipe.stamped(MOMENT, &self.kit.stamper).der()
        } else {
            recipe.der()
        }
    }

    /// A hybrid carrier bent in each way, and signed again.
    pub(crate) fn hybrids(&self, carrier: &[u8]) -> Vec<Signed> {
        let made = hybrids::all(carrier);
        let again = made.into_iter().filter_map(|(name, bent, is_honest)| {
            let container = Recipe::honest(&digest(&bent), &self.kit.own).der();
            placed(&bent, "hybrid files", &name, &container, is_honest)
        });
        again.collect()
    }

    /// Containers without lengths, as honest signers write them and as none would.
    fn spelled(&self, carrier: &[u8], digest: &[u8]) -> Vec<Signed> {
        let family = "signature container";
        let honest = Recipe::honest(digest, &self.kit.own).der();
        let stamped = Recipe::honest(digest, &self.kit.own)
            .stamped(MOMENT, &self.kit.stamper)
            .der();
        let mut out = Vec::new();
        for container in [honest, stamped] {
            for (name, made) in settled::without_lengths(&container) {
                out.extend(placed(carrier, family, name, &made, true));
            }
            for (name, made) in settled::bent_without_lengths(&container) {
                out.extend(placed(carrier, family, name, &made, false));
            }
        }
        let other = Recipe::honest(&sha256(b"lain"), &self.kit.own).der();
        for (name, made) in settled::without_lengths(&other) {
            let name = format!("{name}, of another document");
            out.extend(placed(carrier, family, &name, &made, false));
        }
        out
    }

    /// Bytes behind an honest container, inside the gap.
    fn padded(&self, carrier: &[u8], digest: &[u8]) -> Vec<Signed> {
        let honest = Recipe::honest(digest, &self.kit.own).der();
        let mut out = Vec::new();
        for (name, behind) in [
            ("one", &[1][..]),
            ("a zero, then one", &[0, 1]),
            ("another container", &honest),
            ("a sequence", &[0x30, 0]),
            ("text", b"lain"),
        ] {
            let container = [honest.as_slice(), behind].concat();
            let name = format!("padded with {name}");
            out.extend(placed(
                carrier,
                "signature container",
                &name,
                &container,
                false,
            ));
        }
        out
    }
}

/// The digest of what the carrier's signature covers.
fn digest(carrier: &[u8]) -> Vec<u8> {
    let [_, end, start, length] = byte_range(carrier);
    sha256(&[&carrier[..end], &carrier[start..start + length]].concat())
}

/// The carrier with another number on its first page.
fn changed(carrier: &[u8]) -> Vec<u8> {
    let mut changed = carrier.to_vec();
    let at = find(carrier, b"01240001").unwrap();
    changed[at + 7] = b'7';
    changed
}

fn placed(
    carrier: &[u8],
    family: &'static str,
    name: &str,
    container: &[u8],
    is_honest: bool,
) -> Option<Signed> {
    let gap = gap(carrier);
    let digits = data_encoding::HEXUPPER.encode(container);
    if digits.len() > gap.len() {
        return None;
    }
    let mut bytes = carrier.to_vec();
    bytes[gap.clone()].fill(b'0');
    bytes[gap.start..gap.start + digits.len()].copy_from_slice(digits.as_bytes());
    Some(Signed {
        forgery: Forgery {
            family,
            name: name.to_owned(),
            bytes,
        },
        is_honest,
        list: None,
    })
}

/// The revocation list that the judge has where a chain brings none.
pub(crate) fn usual_list() -> Vec<u8> {
    authority::list(1_005, (2024, 1, 20), None)
}
