//! What to do about a job whose machine is not there: what is usual (wait, the officer lets it go, the officer answers
//! at the machine) cannot happen at a machine that is dead.

use loket_store::Role;
use loket_wire::{JobState, Reason};

/// A machine that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Away {
    /// Not heard for long: since when, or never.
    Silent(Option<String>),
    /// Its record is gone: central takes nothing of it any more.
    NotEnrolled,
}

/// Where a job stands with such a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Central may still call it off by itself.
    AtCentral,
    /// Only the machine, or a person once it is out of service, says how it ended.
    AtMachine,
    /// A person may answer, but that there is no sheet only once the machine is out of service.
    HalfOpen,
    /// Nothing hangs on the machine.
    Apart,
}

const fn stands(state: JobState, reason: Option<Reason>, is_copy_gone: bool) -> Stands {
    match (state, reason) {
        (JobState::Created | JobState::Offered, _) => Stands::AtCentral,
        (JobState::Unknown, Some(Reason::JournalLost)) if is_copy_gone => Stands::Apart,
        (JobState::Unknown, Some(Reason::JournalLost)) => Stands::HalfOpen,
        (
            JobState::Fetching
            | JobState::Journalled
            | JobState::Held
            | JobState::Printing
            | JobState::Unknown,
            _,
        ) => Stands::AtMachine,
        (
            JobState::Printed
            | JobState::Failed
            | JobState::Rejected
            | JobState::Expired
            | JobState::Cancelled,
            _,
        ) => Stands::Apart,
    }
}

/// Whether the job waits for the machine to be declared out of service, if it does not come back.
pub(crate) fn waits_for_word(state: JobState, reason: Option<Reason>, is_copy_gone: bool) -> bool {
    matches!(
        stands(state, reason, is_copy_gone),
        Stands::AtMachine | Stands::HalfOpen
    )
}

/// What is wrong with the machine.
pub(crate) fn what(away: &Away, machine: &str) -> String {
    match away {
        Away::Silent(Some(since)) => format!("Mesin {machine} tidak terdengar sejak {since}."),
        Away::Silent(None) => format!("Mesin {machine} belum pernah terdengar."),
        Away::NotEnrolled => {
            format!("Mesin {machine} tidak terdaftar lagi, jadi pusat tidak mendengarnya.")
        }
    }
}

/// What somebody of this role should do about the job; nothing where nothing hangs on the machine.
pub(crate) fn step(
    state: JobState,
    reason: Option<Reason>,
    is_copy_gone: bool,
    is_by_hand: bool,
    role: Role,
) -> Option<String> {
    let call = "Telepon kantor tujuan. Bila mesinnya masih menyala, tunggu sambungannya pulih. \
                Bila rusak dan tidak akan kembali, ";
    let declare = match role {
        Role::It => "nyatakan mesin itu tidak dipakai lagi di halaman mesinnya",
        Role::Operator | Role::Auditor => {
            "minta tim TI pusat menyatakan mesin itu tidak dipakai lagi"
        }
    };
    match stands(state, reason, is_copy_gone) {
        Stands::Apart => None,
        Stands::AtCentral => {
            let over = match role {
                Role::Operator => "batalkan pekerjaan ini lalu kirim ke mesin lain",
                Role::It | Role::Auditor => {
                    "minta operator pusat membatalkan pekerjaan ini dan mengirimnya ke mesin lain"
                }
            };
            Some(format!("{call}{over}."))
        }
        Stands::AtMachine => {
            let answers = match role {
                Role::Operator => "sesudah itu jawab di halaman ini apakah kertasnya ada",
                Role::It | Role::Auditor => {
                    "sesudah itu operator pusat menjawab di halaman ini apakah kertasnya ada"
                }
            };
            let wait = if is_by_hand {
                ""
            } else {
                " Jangan kirim ulang sebelum dijawab."
            };
            Some(format!("{call}{declare}; {answers}.{wait}"))
        }
        Stands::HalfOpen => {
            let seen = match role {
                Role::Operator => "Bila kertasnya ada di kantor, jawab di bawah.",
                Role::It | Role::Auditor => {
                    "Bila kertasnya ada di kantor, operator pusat menjawab di halaman ini."
                }
            };
            Some(format!("{call}{declare}. {seen}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 3] = [Role::Operator, Role::It, Role::Auditor];

    #[test]
    fn every_open_job_of_a_dead_machine_says_what_to_do_and_no_end_does() {
        for state in JobState::ALL {
            for role in ROLES {
                let told = step(state, None, false, false, role);
                assert_eq!(told.is_none(), state.is_end(), "{state:?} {role:?}");
                let told = told.unwrap_or_default();
                for impossible in ["melepas", "menjawab di mesin", "berangkat sendiri"] {
                    assert!(!told.contains(impossible), "{state:?}: {told}");
                }
            }
        }
        let lost = Some(Reason::JournalLost);
        let answerable = step(JobState::Unknown, lost, true, false, Role::Operator);
        assert_eq!(answerable, None, "the usual words fit");
    }

    #[test]
    fn each_role_is_told_what_it_may_do_itself() {
        let told = |role| step(JobState::Printing, None, false, false, role).unwrap();
        assert!(told(Role::It).contains("nyatakan mesin itu tidak dipakai lagi di halaman"));
        for role in [Role::Operator, Role::Auditor] {
            assert!(told(role).contains("minta tim TI pusat menyatakan mesin itu"));
        }
        assert!(!told(Role::Auditor).contains("sesudah itu jawab"));
        let lost = Some(Reason::JournalLost);
        let half = |role| step(JobState::Unknown, lost, false, false, role).unwrap();
        assert!(half(Role::Operator).contains("jawab di bawah"));
        assert!(!half(Role::Auditor).contains("jawab di bawah"));
        let by_hand = step(JobState::Printing, None, false, true, Role::Operator);
        assert!(!by_hand.unwrap().contains("kirim ulang"));
    }
}
