//! What reading one document may take.

use crate::code::Code;

/// Steps that reading one document may take: one for each byte passed over, and for tokens, values and objects what
/// reading them takes in time, so that no shape of file is dearer than another. A family card takes 100,000, one with
/// 2,000 objects in 3 MB two million; what is made to be dear is given up.
const MAX_STEPS: usize = 12 * 1024 * 1024;

/// Bytes that all streams of one document may inflate to, where the reader needs what is in them:
/// cross-reference and object streams of an honest family card have some 10 kB, revocation lists
/// inside of it at most a few 100 kB. With it a document takes less than 16 MiB beside its bytes.
const MAX_INFLATED_BYTES: usize = 4 * 1024 * 1024;

/// The same for what is only looked for beside the verdict: a family card takes some 50,000 steps and 30 kB.
const MAX_SMALL_STEPS: usize = 4 * 1024 * 1024;
const MAX_SMALL_INFLATED_BYTES: usize = 1024 * 1024;

/// The steps and bytes that are left for one document, so that no input takes long or much.
#[derive(Debug)]
pub(crate) struct Budget {
    steps_left: usize,
    inflated_left: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            steps_left: MAX_STEPS,
            inflated_left: MAX_INFLATED_BYTES,
        }
    }

    /// For what is only looked for beside the verdict.
    pub(crate) const fn small() -> Self {
        Self {
            steps_left: MAX_SMALL_STEPS,
            inflated_left: MAX_SMALL_INFLATED_BYTES,
        }
    }

    /// Takes `steps` of what is left; once too much was asked, nothing is left.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Code> {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(0);
        left.map(|_steps| ()).ok_or(Code::TooComplex)
    }

    /// How many bytes a stream may still inflate to.
    pub(super) fn inflated_left(&self) -> usize {
        self.inflated_left
    }

    /// Takes `bytes` of what streams may still inflate to.
    pub(super) fn inflate(&mut self, bytes: usize) -> Result<(), Code> {
        let left = self.inflated_left.checked_sub(bytes);
        self.inflated_left = left.unwrap_or(0);
        left.map(|_bytes| ()).ok_or(Code::TooComplex)
    }
}
