//! Signature containers that each break one rule of CMS, and time stamps that prove nothing.

use crate::asn1::{algorithm, integer, octets, oid, sequence, tlv};
use crate::authority::{Wish, expired, issuing, list, official, own, stamper, stamping};
use crate::signer::{
    CONTENT_TYPE, COUNTER_SIGNATURE, DATA, ESS_V1, ESS_V2, Identity, MESSAGE_DIGEST, PROTECTION,
    Recipe, SHA1, SHA256, SHA512, SIGNING_TIME, STAMP, STAMP_INFO, attribute, ess, sha256,
    stamp_info, token,
};

/// The moment of honest time stamps.
pub(crate) const MOMENT: &str = "20240124030500Z";

/// Containers over bytes with this digest: name, container, and whether it is an honest one.
pub(crate) type Made = (String, Vec<u8>, bool);

/// One change of an honest recipe.
type Bend = fn(&mut Recipe, &[u8]);

/// What a recipe needs besides its digest, made once.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) own: Identity,
    expired: Identity,
    pub(crate) stamper: Identity,
    /// Another official, who signs the same digest.
    other: Identity,
    stampers: Vec<(&'static str, Identity)>,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let by_issuing = |wish: &Wish| Identity {
            certificate: wish.by(&issuing(), "issuing"),
            key: wish.key,
            others: Vec::new(),
        };
        let plain = Wish {
            extension: None,
            ..stamping()
        };
        let loose = Wish {
            extended: vec![rcgen::ExtendedKeyUsagePurpose::TimeStamping],
            ..plain.clone()
        };
        let ended = Wish {
            from: (2020, 1, 1),
            until: (2023, 1, 1),
            ..stamping()
        };
        let alone = Identity {
            certificate: stamping().alone(),
            ..by_issuing(&stamping())
        };
        Self {
            own: own(),
            expired: expired(),
            stamper: stamper(),
            other: by_issuing(&official()),
            stampers: vec![
                ("without purpose", by_issuing(&plain)),
                ("purpose not critical", by_issuing(&loose)),
                ("ended", by_issuing(&ended)),
                ("unknown", alone),
            ],
        }
    }

    /// All containers over `digest`.
    pub(crate) fn containers(&self, digest: &[u8]) -> Vec<Made> {
        let honest = || Recipe::honest(digest, &self.own);
        let mut out = vec![
            ("honest".to_owned(), honest().der(), true),
            (
                "honest, stamped".to_owned(),
                honest().stamped(MOMENT, &self.stamper).der(),
                true,
            ),
        ];
        for (name, bend) in ATTRIBUTES.into_iter().chain(SHAPES) {
            let mut recipe = honest();
            bend(&mut recipe, digest);
            out.push((name.to_owned(), recipe.der(), false));
        }
        self.mixed(digest, &mut out);
        self.tokens(digest, &mut out);
        out
    }

    /// Two signers in one container.
    fn mixed(&self, digest: &[u8], out: &mut Vec<Made>) {
        let honest = || Recipe::honest(digest, &self.own);
        let other = Recipe::honest(digest, &self.other);
        let mut add = |name: &str, recipe: Recipe| out.push((name.to_owned(), recipe.der(), false));
        add(
            "another official after",
            Recipe {
                infos_after: vec![other.info()],
                ..honest()
            },
        );
        add(
            "another official before",
            Recipe {
                infos_before: vec![other.info()],
                ..honest()
            },
        );
        add(
            "same signer twice",
            Recipe {
                infos_after: vec![honest().info()],
                ..honest()
            },
        );
        self.mistaken(digest, out);
    }

    /// Names, certificates and keys of somebody else.
    fn mistaken(&self, digest: &[u8], out: &mut Vec<Made>) {
        let honest = || Recipe::honest(digest, &self.own);
        let other = Recipe::honest(digest, &self.other);
        let mut add = |name: &str, recipe: Recipe| out.push((name.to_owned(), recipe.der(), false));
        add(
            "another's certificate",
            Recipe {
                certificates: vec![self.other.certificate.clone()],
                ..honest()
            },
        );
        add(
            "another's name",
            Recipe {
                names: other.names.clone(),
                ..honest()
            },
        );
        add(
            "another's name and certificate",
            Recipe {
                names: other.names.clone(),
                certificates: vec![self.other.certificate.clone()],
                ..honest()
            },
        );
        add(
            "another's key",
            Recipe {
                key: "revoked",
                ..honest()
            },
        );
        add(
            "another's signature value",
            Recipe {
                value: Some(other.signed()),
                ..honest()
            },
        );
        let mut named = honest();
        named.attributes[2] = ess(&self.other.certificate);
        add("names another", named);
        add(
            "a list goes along",
            Recipe {
                lists: vec![list(1, (2024, 1, 1), None)],
                ..honest()
            },
        );
        add(
            "a stranger goes along",
            Recipe {
                certificates: vec![
                    self.own.certificate.clone(),
                    self.stampers[3].1.certificate.clone(),
                ],
                ..honest()
            },
        );
    }

    /// Stamps by others, of others, and of no moment.
    fn stamps(&self, digest: &[u8], imprint: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let by = |imprint: &[u8], stamper: &Identity| token(imprint, MOMENT, stamper);
        let mut made: Vec<(&str, Vec<u8>)> = self
            .stampers
            .iter()
            .map(|(name, stamper)| (*name, by(imprint, stamper).der()))
            .collect();
        let of_another = by(&sha256(b"lain"), &self.stamper);
        let early = token(imprint, "20190101000000Z", &self.stamper);
        let stolen = Recipe {
            key: "signer",
            ..by(imprint, &self.stamper)
        };
        made.extend([
            ("of another signature", of_another.der()),
            ("of the document", by(digest, &self.stamper).der()),
            ("by the signer", by(imprint, &self.own).der()),
            ("by another official", by(imprint, &self.other).der()),
            ("before the stamper was", early.der()),
            ("key of another", stolen.der()),
            ("empty", sequence(&[])),
        ]);
        made
    }

    fn tokens(&self, digest: &[u8], out: &mut Vec<Made>) {
        let with = |who: &Identity, token: Vec<u8>| {
            let mut recipe = Recipe::honest(digest, who);
            recipe.unsigned.push(attribute(STAMP, &token));
            recipe.der()
        };
        for (signer, who) in [("own", &self.own), ("expired", &self.expired)] {
            let value = Recipe::honest(digest, who).signed();
            let imprint = sha256(&value);
            let good = |moment: &str| token(&imprint, moment, &self.stamper);
            let mut made = self.stamps(digest, &imprint);
            made.extend(bent_stamps(&imprint, &good));
            for (name, token) in made {
                // A stamp that has ended proves nothing, and says so: it takes nothing from a signer whose
                // certificate holds without it.
                let is_honest = name == "ended" && signer == "own";
                let name = format!("stamp {name}, {signer}");
                out.push((name, with(who, token), is_honest));
            }
            let mut twice = Recipe::honest(digest, who).stamped(MOMENT, &self.stamper);
            twice
                .unsigned
                .push(attribute(STAMP, &good("20240124030600Z").der()));
            out.push((format!("stamped twice, {signer}"), twice.der(), false));
        }
        let bare = Recipe::honest(digest, &self.expired);
        out.push(("expired, not stamped".to_owned(), bare.der(), false));
        let late = Recipe::honest(digest, &self.expired).stamped("20260601000000Z", &self.stamper);
        out.push(("expired, stamped too late".to_owned(), late.der(), false));
    }
}

/// An honest stamp at a moment.
type Stamp<'s> = &'s dyn Fn(&str) -> Recipe;

/// Stamps that are honest but for one thing in them.
fn bent_stamps(imprint: &[u8], good: Stamp<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let mut old = good(MOMENT);
    old.content = Some(stamp_info(SHA1, &imprint[..20], MOMENT));
    let digest = sha256(old.content.as_ref().unwrap());
    old.attributes[1] = attribute(MESSAGE_DIGEST, &octets(&digest));
    let mut late = good(MOMENT);
    late.content = Some(stamp_info(SHA256, imprint, "20230124030500Z"));
    let mut plain = good(MOMENT);
    plain.content_type = DATA;
    plain.attributes[0] = attribute(CONTENT_TYPE, &oid(DATA));
    let mut detached = good(MOMENT);
    detached.content = None;
    let mut nameless = good(MOMENT);
    nameless.attributes.truncate(2);
    let twice = Recipe {
        infos_after: vec![good(MOMENT).info()],
        ..good(MOMENT)
    };
    vec![
        ("of SHA-1", old.der()),
        ("moment changed afterwards", late.der()),
        ("as plain data", plain.der()),
        ("without content", detached.der()),
        ("without its own name", nameless.der()),
        ("two signers", twice.der()),
    ]
}

const ATTRIBUTES: [(&str, Bend); 22] = [
    ("other digest", |recipe, _| {
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &octets(&[7; 32]));
    }),
    ("digest of nothing", |recipe, _| {
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &octets(&sha256(b"")));
    }),
    ("digest cut", |recipe, digest| {
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &octets(&digest[..20]));
    }),
    ("digest empty", |recipe, _| {
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &octets(b""));
    }),
    ("digest of two values", |recipe, digest| {
        let both = [octets(&[7; 32]), octets(digest)].concat();
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &both);
    }),
    ("digest twice", |recipe, _| {
        recipe
            .attributes
            .push(attribute(MESSAGE_DIGEST, &octets(&[7; 32])));
    }),
    ("digest as a number", |recipe, digest| {
        recipe.attributes[1] = attribute(MESSAGE_DIGEST, &tlv(2, digest));
    }),
    ("without digest", |recipe, _| {
        recipe.attributes.remove(1);
    }),
    ("without content type", |recipe, _| {
        recipe.attributes.remove(0);
    }),
    ("content type of stamps", |recipe, _| {
        recipe.attributes[0] = attribute(CONTENT_TYPE, &oid(STAMP_INFO));
    }),
    ("content type twice", |recipe, _| {
        recipe
            .attributes
            .push(attribute(CONTENT_TYPE, &oid(STAMP_INFO)));
    }),
    ("without the signer's name", |recipe, _| {
        recipe.attributes.remove(2);
    }),
    ("name of nothing", |recipe, _| {
        recipe.attributes[2] = ess(b"");
    }),
    ("name twice", |recipe, _| {
        recipe.attributes.push(ess(b"lain"));
    }),
    ("name by SHA-1", |recipe, _| {
        let name = sequence(&[&octets(&[7; 20])]);
        recipe.attributes[2] = attribute(ESS_V1, &sequence(&[&sequence(&[&name])]));
    }),
    ("name by SHA-1 as version 2", |recipe, _| {
        let name = sequence(&[&algorithm(SHA1), &octets(&[7; 20])]);
        recipe.attributes[2] = attribute(ESS_V2, &sequence(&[&sequence(&[&name])]));
    }),
    ("no names", |recipe, _| {
        recipe.attributes[2] = attribute(ESS_V2, &sequence(&[&sequence(&[])]));
    }),
    ("time twice", |recipe, _| {
        for time in ["240124030000Z", "300124030000Z"] {
            recipe
                .attributes
                .push(attribute(SIGNING_TIME, &tlv(0x17, time.as_bytes())));
        }
        recipe.value = Some(vec![7; 256]);
    }),
    ("protects another algorithm", |recipe, _| {
        let value = [algorithm(SHA512), tlv(0xa1, &oid("1.2.840.113549.1.1.13"))].concat();
        recipe
            .attributes
            .push(attribute(PROTECTION, &tlv(0x30, &value)));
    }),
    ("without attributes", |recipe, _| {
        recipe.has_attributes = false
    }),
    ("signed as they stand", |recipe, _| recipe.signed_tag = 0xa0),
    ("signed out of order", |recipe, _| recipe.is_sorted = false),
];

/// CAdES: lists and answers among what nobody signs (docs/adr/0046).
const REVOCATION_VALUES: &str = "1.2.840.113549.1.9.16.2.24";

const SHAPES: [(&str, Bend); 27] = [
    ("content inside", |recipe, _| {
        recipe.content = Some(b"lain".to_vec())
    }),
    ("empty content inside", |recipe, _| {
        recipe.content = Some(Vec::new())
    }),
    ("content type of the container", |recipe, _| {
        recipe.content_type = STAMP_INFO
    }),
    ("version 0", |recipe, _| recipe.version = 0),
    ("version 3", |recipe, _| recipe.version = 3),
    ("version 5", |recipe, _| recipe.version = 5),
    ("signer's version 3", |recipe, _| recipe.info_version = 3),
    ("no signer", |recipe, _| recipe.without_info = true),
    ("no digests", |recipe, _| recipe.digests.clear()),
    ("two digests", |recipe, _| recipe.digests.push(SHA512)),
    ("digests disagree", |recipe, _| {
        recipe.digests = vec![SHA512]
    }),
    ("SHA-1", |recipe, _| {
        (recipe.digest, recipe.digests) = (SHA1, vec![SHA1]);
    }),
    ("MD5", |recipe, _| {
        let md5 = "1.2.840.113549.2.5";
        (recipe.digest, recipe.digests) = (md5, vec![md5]);
    }),
    ("SHA-512 in name", |recipe, _| {
        (recipe.digest, recipe.digests) = (SHA512, vec![SHA512]);
    }),
    ("curve's algorithm", |recipe, _| {
        recipe.signature = algorithm("1.2.840.10045.4.3.2")
    }),
    ("PSS in name", |recipe, _| {
        recipe.signature = algorithm("1.2.840.113549.1.1.10")
    }),
    ("SHA-512 with RSA in name", |recipe, _| {
        recipe.signature = algorithm("1.2.840.113549.1.1.13")
    }),
    ("digest as algorithm", |recipe, _| {
        recipe.signature = algorithm(SHA256)
    }),
    ("parameters in the algorithm", |recipe, _| {
        recipe.signature = sequence(&[&oid(crate::signer::RSA_SHA256), &integer(7)]);
    }),
    ("zeros for a signature", |recipe, _| {
        recipe.value = Some(vec![0; 256])
    }),
    ("one for a signature", |recipe, _| {
        let mut value = vec![0; 256];
        value[255] = 1;
        recipe.value = Some(value);
    }),
    ("no signature value", |recipe, _| {
        recipe.value = Some(Vec::new())
    }),
    ("no certificate", |recipe, _| recipe.certificates.clear()),
    ("unknown unsigned attribute", |recipe, _| {
        recipe
            .unsigned
            .push(attribute("1.2.840.113549.1.9.16.2.999", &octets(b"lain")));
    }),
    ("revocation values beside the signature", |recipe, _| {
        let values = sequence(&[&tlv(0xa0, &sequence(&[&list(1, (2024, 1, 1), None)]))]);
        recipe.unsigned.push(attribute(REVOCATION_VALUES, &values));
    }),
    ("counter-signature", |recipe, _| {
        let info = recipe.info();
        recipe.unsigned.push(attribute(COUNTER_SIGNATURE, &info));
    }),
    ("something behind", |recipe, _| {
        recipe.behind = octets(b"lain")
    }),
];
