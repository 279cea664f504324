//! How many signatures are checked for one document, and what came of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use loket_wire::Sha256Digest;

use crate::certificate::Certificate;
use crate::code::Code;

/// Signatures on certificates, lists and answers that are checked for one document. An honest archive with three time
/// stamps needs some 30; one check takes up to 0.1 ms, so that junk costs 25 ms at most.
const MAX_CHECKS: u32 = 256;

/// Remembers which signature was checked against which key, so that what several chains share is checked once.
#[derive(Debug)]
pub(crate) struct Effort {
    left: Cell<u32>,
    is_exhausted: Cell<bool>,
    known: RefCell<BTreeMap<(Sha256Digest, Sha256Digest), Result<(), Code>>>,
}

impl Effort {
    pub(crate) const fn new() -> Self {
        Self {
            left: Cell::new(MAX_CHECKS),
            is_exhausted: Cell::new(false),
            known: RefCell::new(BTreeMap::new()),
        }
    }

    /// Whether checks were left out. Then nothing that was found may be called good: a list that nobody read might have
    /// named the signer.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.is_exhausted.get()
    }

    /// That `issuer` issued `child`, or what speaks against it.
    pub(crate) fn issued(&self, issuer: &Certificate, child: &Certificate) -> Result<(), Code> {
        if !issuer.is_named(child.issuer()) {
            return Err(Code::NoChain);
        }
        self.check(issuer, child.digest(), || issuer.issued(child))
    }

    /// What `check` says of the thing with the digest `what` and the key of `issuer`; nothing good, once too much was
    /// asked.
    pub(crate) fn check(
        &self,
        issuer: &Certificate,
        what: &Sha256Digest,
        check: impl FnOnce() -> Result<(), Code>,
    ) -> Result<(), Code> {
        let pair = (*issuer.digest(), *what);
        if let Some(known) = self.known.borrow().get(&pair) {
            return *known;
        }
        let Some(left) = self.left.get().checked_sub(1) else {
            self.is_exhausted.set(true);
            return Err(Code::TooComplex);
        };
        self.left.set(left);
        let found = check();
        self.known.borrow_mut().insert(pair, found);
        found
    }
}
