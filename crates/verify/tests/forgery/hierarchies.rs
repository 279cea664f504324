//! Chains that break one rule each, under containers that are perfect otherwise.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose, RevocationReason};

use crate::authority::{
    HEAD, ISSUING_NAME, ROOT_NAME, Spelling, Wish, authority, critical_usage, issuing, list,
    list_by_root, official, root,
};
use crate::signer::Identity;

/// A signer with a chain, and whether it is an honest one.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) who: Identity,
    pub(crate) is_stamped: bool,
    pub(crate) is_honest: bool,
    /// A revocation list that the judge has beside the others.
    pub(crate) list: Option<Vec<u8>>,
}

fn chain(name: &str, certificate: Vec<u8>, key: &'static str, others: Vec<Vec<u8>>) -> Chain {
    Chain {
        name: name.to_owned(),
        who: Identity {
            certificate,
            key,
            others,
        },
        is_stamped: false,
        is_honest: false,
        list: None,
    }
}

/// One made of an official's certificate under the real authority.
fn plain(name: &str, wish: &Wish) -> Chain {
    let made = wish.by(&issuing(), "issuing");
    chain(name, made, wish.key, vec![issuing()])
}

/// Every chain, each once without and once with an honest time stamp.
pub(crate) fn all() -> Vec<Chain> {
    let mut chains = vec![Chain {
        is_honest: true,
        ..plain("honest", &official())
    }];
    usages(&mut chains);
    moments(&mut chains);
    authorities(&mut chains);
    names(&mut chains);
    spellings(&mut chains);
    let stamped: Vec<Chain> = chains
        .iter()
        .map(|chain| Chain {
            name: format!("{}, stamped", chain.name),
            is_stamped: true,
            ..chain.clone()
        })
        .collect();
    chains.extend(stamped);
    revoked(&mut chains);
    chains
}

fn usages(chains: &mut Vec<Chain>) {
    for (name, usage) in [
        ("encryption key", KeyUsagePurpose::KeyEncipherment),
        ("agreement key", KeyUsagePurpose::KeyAgreement),
        ("authority's key", KeyUsagePurpose::KeyCertSign),
        ("list key", KeyUsagePurpose::CrlSign),
    ] {
        let usages = vec![usage];
        chains.push(plain(
            name,
            &Wish {
                usages,
                ..official()
            },
        ));
    }
    for (name, purpose) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth),
        ("code", ExtendedKeyUsagePurpose::CodeSigning),
        ("stamps", ExtendedKeyUsagePurpose::TimeStamping),
        ("answers", ExtendedKeyUsagePurpose::OcspSigning),
    ] {
        let extended = vec![purpose];
        let name = format!("meant for {name}");
        chains.push(plain(
            &name,
            &Wish {
                extended,
                ..official()
            },
        ));
    }
    let stamps = critical_usage(&[43, 6, 1, 5, 5, 7, 3, 8]);
    let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.set_criticality(true);
    for (name, extension) in [("critical purpose", stamps), ("critical unknown", unknown)] {
        let extension = Some(extension);
        chains.push(plain(
            name,
            &Wish {
                extension,
                ..official()
            },
        ));
    }
}

fn moments(chains: &mut Vec<Chain>) {
    for (name, from, until) in [
        ("not yet valid", (2027, 1, 1), (2060, 1, 1)),
        ("ended before it signed", (2020, 1, 1), (2023, 6, 1)),
        ("never valid", (2024, 6, 1), (2024, 5, 1)),
    ] {
        chains.push(plain(
            name,
            &Wish {
                from,
                until,
                ..official()
            },
        ));
    }
}

/// An official under an authority that is none.
fn under() -> Wish {
    Wish {
        key: "other-signer",
        serial: 4_010,
        ..official()
    }
}

fn authorities(chains: &mut Vec<Chain>) {
    let under = under();
    // An official's certificate issues another one.
    let first = official().by(&issuing(), "issuing");
    let second = under.by(&first, "revoked");
    let others = vec![first, issuing()];
    chains.push(chain(
        "issued by an official",
        second,
        "other-signer",
        others,
    ));
    // The issuing authority may have no authority below it.
    let lower = authority("CA Bawahan (CONTOH)", "revoked");
    for (name, wish) in [
        ("path too long", lower.clone()),
        (
            "path too long, bounded",
            Wish {
                authority: Some(Some(0)),
                ..lower.clone()
            },
        ),
        (
            "not an authority",
            Wish {
                authority: None,
                ..lower.clone()
            },
        ),
        (
            "authority that may not issue",
            Wish {
                usages: vec![KeyUsagePurpose::DigitalSignature],
                ..lower.clone()
            },
        ),
        (
            "authority not yet valid",
            Wish {
                from: (2027, 1, 1),
                ..lower.clone()
            },
        ),
    ] {
        let middle = wish.by(&issuing(), "issuing");
        let leaf = under.by(&middle, "revoked");
        chains.push(chain(name, leaf, "other-signer", vec![middle, issuing()]));
    }
    by_root(chains);
}

/// Under the root itself, which allows one authority: these break another rule each.
fn by_root(chains: &mut Vec<Chain>) {
    let (under, lower) = (under(), authority("CA Bawahan (CONTOH)", "revoked"));
    for (name, wish) in [
        (
            "root's, not an authority",
            Wish {
                authority: None,
                ..lower.clone()
            },
        ),
        (
            "root's, may not issue",
            Wish {
                usages: vec![KeyUsagePurpose::DigitalSignature],
                ..lower.clone()
            },
        ),
        (
            "root's, ended",
            Wish {
                from: (2020, 1, 1),
                until: (2023, 6, 1),
                ..lower.clone()
            },
        ),
    ] {
        let middle = wish.by(&root(), "root");
        let leaf = under.by(&middle, "revoked");
        chains.push(chain(name, leaf, "other-signer", vec![middle]));
    }
    let itself = Wish {
        usages: vec![KeyUsagePurpose::KeyCertSign],
        ..lower.clone()
    };
    let made = itself.by(&root(), "root");
    chains.push(chain("authority signs", made, "revoked", Vec::new()));
    let other = authority("Root CA Lain (CONTOH)", "other-root").alone();
    let leaf = under.by(&other, "other-root");
    // A stranger's root, certified by an official under the real root.
    let crossed = authority("Root CA Lain (CONTOH)", "other-root");
    let first = official().by(&issuing(), "issuing");
    let cross = crossed.by(&first, "revoked");
    let others = vec![cross, first, issuing()];
    chains.push(chain(
        "crossed by an official",
        leaf.clone(),
        "other-signer",
        others,
    ));
    chains.push(chain("stranger's root", leaf, "other-signer", vec![other]));
}

fn names(chains: &mut Vec<Chain>) {
    let under = Wish {
        key: "other-signer",
        serial: 1_004,
        ..official()
    };
    chains.push(chain("alone", official().alone(), "revoked", Vec::new()));
    chains.push(chain(
        "alone, with the real authority",
        official().alone(),
        "revoked",
        vec![issuing(), root()],
    ));
    // The same names with other keys, all the way up.
    let false_root = authority(ROOT_NAME, "other-root");
    let false_root_made = Wish {
        serial: 1_001,
        ..false_root.clone()
    }
    .alone();
    let false_issuing = Wish {
        serial: 1_002,
        ..authority(ISSUING_NAME, "revoked")
    };
    let false_issuing_made = false_issuing.by(&false_root_made, "other-root");
    let leaf = under.by(&false_issuing_made, "revoked");
    let doubles = vec![false_issuing_made.clone(), false_root_made.clone()];
    chains.push(chain(
        "doubles of all",
        leaf.clone(),
        "other-signer",
        doubles.clone(),
    ));
    let mixed = vec![
        issuing(),
        false_issuing_made.clone(),
        root(),
        false_root_made,
    ];
    chains.push(chain(
        "doubles beside the real ones",
        leaf.clone(),
        "other-signer",
        mixed,
    ));
    chains.push(chain(
        "real authority's name alone",
        leaf.clone(),
        "other-signer",
        vec![issuing()],
    ));
    chains.push(chain(
        "nothing goes along",
        leaf,
        "other-signer",
        Vec::new(),
    ));
    alone(chains, &false_issuing);
}

/// Doubles that vouch for themselves.
fn alone(chains: &mut Vec<Chain>, false_issuing: &Wish) {
    let under = Wish {
        serial: 1_004,
        ..under()
    };
    let alone = false_issuing.alone();
    let leaf = under.by(&alone, "revoked");
    chains.push(chain(
        "double of the issuing one, alone",
        leaf,
        "other-signer",
        vec![alone],
    ));
    let leaf = Wish {
        name: HEAD,
        ..under
    }
    .by(&issuing(), "other-root");
    chains.push(chain(
        "signed with another key",
        leaf,
        "other-signer",
        vec![issuing()],
    ));
    let renamed = Wish {
        name: ROOT_NAME,
        ..official()
    };
    chains.push(chain(
        "the root's name",
        renamed.alone(),
        "revoked",
        vec![root()],
    ));
}

/// One authority in several spellings: it is the same one where its key is, and nobody else is.
fn spellings(chains: &mut Vec<Chain>) {
    let other = official().by_spelled(ISSUING_NAME, Spelling::Other, "issuing");
    chains.push(Chain {
        is_honest: true,
        ..chain(
            "authority spelled otherwise",
            other.clone(),
            "revoked",
            vec![issuing()],
        )
    });
    chains.push(Chain {
        is_honest: true,
        ..chain(
            "authority spelled otherwise, from the trust store",
            other,
            "revoked",
            Vec::new(),
        )
    });
    for (name, spelling, key) in [
        (
            "authority in letters that look alike",
            Spelling::Alike,
            "issuing",
        ),
        (
            "authority spelled otherwise, own key",
            Spelling::Other,
            "other-root",
        ),
        ("authority's name, own key", Spelling::Usual, "other-root"),
    ] {
        let made = official().by_spelled(ISSUING_NAME, spelling, key);
        chains.push(chain(name, made, "revoked", vec![issuing()]));
    }
    doubles(chains);
}

/// False authorities that are called as the real one is, in other letters.
fn doubles(chains: &mut Vec<Chain>) {
    let under = Wish {
        key: "other-signer",
        serial: 4_011,
        ..official()
    };
    let double = Wish {
        spelling: Spelling::Other,
        ..authority(ISSUING_NAME, "revoked")
    };
    let alone = double.alone();
    let leaf = under.by(&alone, "revoked");
    chains.push(chain(
        "double spelled otherwise, alone",
        leaf,
        "other-signer",
        vec![alone],
    ));
    // Were it called self-issued, the real authority's bound on the length of a path would not count it.
    let below = double.by(&issuing(), "issuing");
    let leaf = under.by(&below, "revoked");
    let others = vec![below, issuing()];
    chains.push(chain(
        "path too long, spelled otherwise",
        leaf,
        "other-signer",
        others,
    ));
    let named = Wish {
        name: ISSUING_NAME,
        spelling: Spelling::Other,
        ..official()
    };
    let made = named.by(&issuing(), "issuing");
    let leaf = under.by(&made, "revoked");
    chains.push(chain(
        "official named as the authority",
        leaf,
        "other-signer",
        vec![made, issuing()],
    ));
}

fn revoked(chains: &mut Vec<Chain>) {
    let serial = official().serial;
    let before = (2024, 1, 10);
    let after = (2024, 6, 1);
    let compromised = Some(RevocationReason::KeyCompromise);
    let replaced = Some(RevocationReason::Superseded);
    for (name, since, reason, is_stamped, is_honest) in [
        ("before, replaced", before, replaced, false, false),
        ("before, replaced, stamped", before, replaced, true, false),
        (
            "before, key lost, stamped",
            before,
            compromised,
            true,
            false,
        ),
        ("after, replaced", after, replaced, false, false),
        ("after, no reason", after, None, false, false),
        ("after, key lost", after, compromised, false, false),
        ("after, key lost, stamped", after, compromised, true, false),
        (
            "after, authority lost, stamped",
            after,
            Some(RevocationReason::CaCompromise),
            true,
            false,
        ),
        ("after, replaced, stamped", after, replaced, true, true),
    ] {
        chains.push(Chain {
            is_stamped,
            is_honest,
            list: Some(list(serial, since, reason)),
            ..plain(&format!("revoked {name}"), &official())
        });
    }
    chains.push(Chain {
        is_stamped: true,
        list: Some(list_by_root(1_002, (2024, 1, 10))),
        ..plain("authority revoked", &official())
    });
}
