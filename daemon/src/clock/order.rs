//! In which order central signed its times, and so what one of them is worth.

use std::time::Duration;

use loket_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// A clock that is set back by less was only put right; nothing is undone for that.
pub(crate) const NUDGE: Duration = Duration::from_secs(60);

/// The number with which central signed a time; each kind counts up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A command, by its number for this machine.
    Command(u64),
    /// An acknowledgement.
    Ack {
        /// The report of this journal that it reaches to.
        seq: u64,
        /// The last command that was numbered before it, where central says so.
        command_seq: Option<u64>,
    },
}

/// What outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) version: u16,
    #[serde(rename = "floor_ms")]
    pub(super) floor: Timestamp,
    pub(super) command: Mark,
    pub(super) ack: Mark,
}

/// The highest number of one kind, and the latest time that came with it or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    number: u64,
    #[serde(rename = "at_ms")]
    at: Timestamp,
    /// Central's clock was set back since: a time under this number says nothing any more.
    is_spent: bool,
}

/// What a signed time is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// Older than what is known, or of no known order: nothing.
    Nothing,
    /// Central's clock was set back: what it said before is void.
    SetBack,
    /// As ever.
    Usual,
}

impl Mark {
    pub(super) const NONE: Self = Self {
        number: 0,
        at: Timestamp::UNIX_EPOCH,
        is_spent: false,
    };

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Judges a time by its number, and moves on.
    fn judge(&mut self, number: u64, at: Timestamp) -> Worth {
        if number < self.number || (number == self.number && (self.is_spent || at < self.at)) {
            return Worth::Nothing;
        }
        let is_set_back = at.saturating_add(NUDGE) < self.at;
        *self = Self {
            number,
            at: if is_set_back { at } else { at.max(self.at) },
            is_spent: false,
        };
        if is_set_back {
            Worth::SetBack
        } else {
            Worth::Usual
        }
    }
}

impl Memory {
    pub(super) fn judge_command(&mut self, number: u64, at: Timestamp) -> Worth {
        let worth = self.command.judge(number, at);
        if worth == Worth::SetBack {
            // Of acknowledgements nobody knows which belong to the wrong time: all up to here.
            self.ack.is_spent = true;
        }
        worth
    }

    /// An acknowledgement that names the last command is judged by both numbers: what central signed before a command
    /// that is known is the earlier word, and what it signed after one that is not yet known the later.
    pub(super) fn judge_ack(&mut self, seq: u64, command_seq: Option<u64>, at: Timestamp) -> Worth {
        let is_behind = |number: u64| number < self.command.number;
        let is_ahead = command_seq.is_some_and(|number| number > self.command.number);
        if seq < self.ack.number || command_seq.is_some_and(is_behind) {
            return Worth::Nothing;
        }
        let by_report = self.ack.judge(seq, at);
        if by_report == Worth::Nothing && !is_ahead {
            return Worth::Nothing;
        }
        let by_command =
            command_seq.map_or(Worth::Nothing, |number| self.command.judge(number, at));
        match (by_report, by_command) {
            (Worth::SetBack, Worth::Nothing) => {
                // Of commands nobody knows which belong to the wrong time: all up to here.
                self.command.is_spent = true;
                Worth::SetBack
            }
            (Worth::Nothing | Worth::Usual, Worth::SetBack) => {
                // What came under this report before was the wrong time; the command tells those apart from now on.
                self.ack = Mark {
                    number: seq,
                    at,
                    is_spent: false,
                };
                Worth::SetBack
            }
            (Worth::SetBack, Worth::SetBack | Worth::Usual) => Worth::SetBack,
            (Worth::Nothing | Worth::Usual, Worth::Nothing | Worth::Usual) => Worth::Usual,
        }
    }
}
