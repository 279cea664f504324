//! What people read for each state and reason: Indonesian, short, without blame.

pub(crate) mod away;
pub(crate) mod supply;
mod trouble;

use loket_store::Role;
use loket_wire::device_reason::keeps_from_printing;
use loket_wire::{JobState, LocalJob, Reason};

#[cfg(test)]
pub(crate) use trouble::TROUBLES;
pub(crate) use trouble::trouble;

/// The tone in which a word is shown; a class of the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done, well.
    Good,
    /// Under way.
    Note,
    /// Somebody should look soon.
    Wait,
    /// Somebody must act.
    Bad,
    /// Over, without paper.
    Soft,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Wait => "wait",
            Self::Bad => "bad",
            Self::Soft => "soft",
        }
    }
}

/// The word and tone of a job's state.
pub(crate) const fn job_state(state: JobState) -> (&'static str, Tone) {
    let tone = match state {
        JobState::Created
        | JobState::Offered
        | JobState::Fetching
        | JobState::Journalled
        | JobState::Printing => Tone::Note,
        JobState::Held => Tone::Wait,
        JobState::Printed => Tone::Good,
        JobState::Failed | JobState::Rejected | JobState::Unknown => Tone::Bad,
        JobState::Expired | JobState::Cancelled => Tone::Soft,
    };
    (state.in_words(), tone)
}

/// Why a job is where it is, with what to do.
pub(crate) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Replay => "perintah yang sama datang dua kali; tidak perlu tindakan",
        Reason::WrongMachine => "perintah untuk mesin lain; hubungi tim TI",
        Reason::Altered => "perintah atau dokumen berubah di jalan; kirim ulang",
        Reason::KeyUnknown => "kunci mesin sudah berganti; kirim ulang",
        Reason::Malformed => "perintah tidak terbaca mesin; perbarui perangkat lunak mesin",
        Reason::Poison => "perintah membuat mesin berhenti; hubungi tim TI",
        Reason::NotAfter => "batas waktu lewat; kirim ulang bila masih perlu",
        Reason::DocumentGone => "dokumen sudah dimusnahkan; kirim ulang",
        Reason::DocumentMismatch => "dokumen yang diambil tidak cocok; kirim ulang",
        Reason::SpoolFull => "penyimpanan mesin penuh; hubungi tim TI",
        Reason::SignatureInvalid => "tanda tangan tidak sah; jangan dicetak",
        Reason::SignatureIndeterminate => "tanda tangan belum dapat dipastikan; hubungi tim TI",
        Reason::NoPrinter => "mesin tidak punya printer yang sesuai; periksa printer",
        Reason::FormatUnsupported => "printer tidak mengenal format; hubungi tim TI",
        Reason::NotDrawn => {
            "dokumen tidak dapat digambar untuk printer tanpa PDF; cetak di printer yang menerima PDF"
        }
        Reason::PrinterRefused => "printer menolak; periksa printer",
        Reason::AttemptsExhausted => "berkali-kali gagal tanpa kertas; periksa printer",
        Reason::PrinterBusy => "printer sedang sibuk; ditunggu",
        Reason::PrinterAway => "printer tidak terhubung; periksa kabel dan daya",
        Reason::PrinterFault => "printer gangguan; dicoba lagi berkala",
        Reason::AttributesRefused => {
            "printer tidak dapat mencetak A4 apa adanya; periksa setelan printer"
        }
        Reason::CancelledAtPrinter => "dibatalkan di printer; periksa apakah ada kertas keluar",
        Reason::PrinterAborted => "printer berhenti; petugas perlu melihat kertasnya",
        Reason::PrinterForgot => "printer lupa pekerjaan; petugas perlu melihat kertasnya",
        Reason::PrinterRestarted => "printer menyala ulang; petugas perlu melihat kertasnya",
        Reason::ImpressionsDisagree => "jumlah lembar tidak cocok; petugas perlu melihat kertasnya",
        Reason::FateNotSeen => "hasil tidak terlihat; petugas perlu melihat kertasnya",
        Reason::JournalLost => {
            "catatan mesin hilang; operator pusat menanyakan kertasnya ke kantor dan menjawab di halaman pekerjaan"
        }
        Reason::SpoolLost => "salinan di mesin hilang; kirim ulang",
        Reason::ByOfficer => "dibatalkan petugas",
        Reason::ByCentral => "dibatalkan pusat",
        Reason::AlreadySending => "sudah terlanjur dikirim ke printer",
        Reason::OfficerSaw => "petugas melihat kertasnya",
        Reason::OfficerFoundNone => "petugas tidak menemukan kertas",
        Reason::SheetDamaged => "kertas rusak; minta cetak ulang",
        Reason::ExerciseUnseen => "hasil lembar perawatan tidak terlihat; tidak perlu tindakan",
        Reason::Other => "alasan dari versi yang lebih baru; perbarui pusat",
    }
}

/// What somebody at central should do about a job; nothing where it goes on by itself.
pub(crate) const fn next_step(state: JobState, reason: Option<Reason>, role: Role) -> &'static str {
    match (state, reason) {
        (JobState::Unknown, Some(Reason::JournalLost)) => match role {
            Role::Operator => {
                "Telepon kantor tujuan dan tanyakan apakah kertasnya ada, lalu jawab di bawah."
            }
            Role::It | Role::Auditor => {
                "Operator pusat menelepon kantor tujuan, menanyakan apakah kertasnya ada, lalu menjawab di halaman ini."
            }
        },
        (JobState::Unknown, _) => {
            "Minta petugas kantor tujuan melihat kertasnya dan menjawab di mesin. Jangan kirim ulang sebelum dijawab."
        }
        (JobState::Failed | JobState::Rejected, Some(Reason::SignatureInvalid)) => {
            "Jangan dicetak. Minta dokumen asli yang baru."
        }
        (JobState::Failed | JobState::Rejected, _) => {
            "Perbaiki sebabnya, lalu kirim dokumen yang sama sekali lagi."
        }
        (JobState::Expired, _) => "Kirim ulang bila kertasnya masih diperlukan.",
        (JobState::Held, _) => "Tunggu; petugas kantor tujuan melepas pekerjaan ini di mesin.",
        (JobState::Created | JobState::Offered, _) => {
            "Tidak perlu; berangkat sendiri begitu mesin tersambung."
        }
        (
            JobState::Fetching
            | JobState::Journalled
            | JobState::Printing
            | JobState::Printed
            | JobState::Cancelled,
            _,
        ) => "",
    }
}

/// What somebody at central should do about a job that was given to its machine by hand: only a sheet of which nobody
/// knows is theirs to care for. The person at the machine sees every other end at once.
pub(crate) const fn next_step_by_hand(
    state: JobState,
    reason: Option<Reason>,
    role: Role,
) -> &'static str {
    match (state, reason) {
        (JobState::Unknown, Some(Reason::JournalLost)) => next_step(state, reason, role),
        (JobState::Unknown, _) => {
            "Minta petugas di kantor itu melihat kertasnya dan menjawab di mesin."
        }
        (
            JobState::Created
            | JobState::Offered
            | JobState::Fetching
            | JobState::Journalled
            | JobState::Held
            | JobState::Printing
            | JobState::Printed
            | JobState::Failed
            | JobState::Rejected
            | JobState::Expired
            | JobState::Cancelled,
            _,
        ) => "",
    }
}

/// Who gave a job to its machine by hand, as people say it.
pub(crate) fn by_hand(local: &LocalJob) -> String {
    if local.is_exercise() {
        return "lembar perawatan printer, dicetak mesin sendiri".to_owned();
    }
    match &local.by {
        Some(name) => format!("cetak langsung di mesin oleh petugas {name}"),
        None => "cetak langsung di mesin".to_owned(),
    }
}

/// Whom to ask about a job.
pub(crate) const fn whom(state: JobState, reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::SignatureInvalid) => "dinas penerbit dokumen",
        Some(
            Reason::WrongMachine
            | Reason::Altered
            | Reason::KeyUnknown
            | Reason::Malformed
            | Reason::Poison
            | Reason::SpoolFull
            | Reason::SpoolLost
            | Reason::SignatureIndeterminate
            | Reason::FormatUnsupported
            | Reason::NotDrawn
            | Reason::DocumentMismatch
            | Reason::Other,
        ) => "tim TI pusat",
        Some(_of_the_site) => "petugas kantor tujuan",
        None => match state {
            JobState::Held | JobState::Printing | JobState::Printed | JobState::Unknown => {
                "petugas kantor tujuan"
            }
            JobState::Cancelled | JobState::Expired => "operator pusat",
            JobState::Created
            | JobState::Offered
            | JobState::Fetching
            | JobState::Journalled
            | JobState::Failed
            | JobState::Rejected => "tim TI pusat",
        },
    }
}

/// Who did it, as people say it.
pub(crate) fn actor(name: &str) -> String {
    // What a machine tells of somebody is `name@machine`.
    if let Some((name, machine)) = name.rsplit_once('@') {
        return format!("{} lewat mesin {machine}", actor(name));
    }
    match name.split_once(':') {
        Some(("token", name)) => format!("{name} (pusat)"),
        Some(("officer", name)) => format!("petugas {name}"),
        Some(("machine", name)) => format!("mesin {name}"),
        Some(_) | None if name == "central" => "pusat".to_owned(),
        Some(_) | None if name == "folder" => "folder masuk".to_owned(),
        Some(_) | None => name.to_owned(),
    }
}

/// The word and tone of an IPP printer-state keyword. A printer without paper is idle until somebody prints: what keeps
/// the next sheet from coming out counts before that, whatever severity the keyword bears.
pub(crate) fn device_state(state: &str, reasons: &[String]) -> (&'static str, Tone) {
    let is_usable = matches!(state, "idle" | "processing");
    if is_usable && reasons.iter().any(|keyword| keeps_from_printing(keyword)) {
        return ("perlu dilihat", Tone::Wait);
    }
    match state {
        "idle" => ("siap", Tone::Good),
        "processing" => ("mencetak", Tone::Note),
        "stopped" => ("berhenti", Tone::Bad),
        "unreachable" => ("tidak terjangkau", Tone::Bad),
        "refusing" => ("menolak", Tone::Bad),
        _newer => ("tidak dikenal", Tone::Wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_printer_without_paper_is_to_be_looked_at_and_one_with_little_is_not() {
        let told = |state, reason: &str| device_state(state, &[reason.to_owned()]).0;
        assert_eq!(told("idle", "media-empty-report"), "perlu dilihat");
        assert_eq!(told("processing", "media-jam"), "perlu dilihat");
        assert_eq!(told("idle", "media-low"), "siap");
        assert_eq!(told("stopped", "media-empty"), "berhenti");
    }

    #[test]
    fn who_did_it_is_said_in_plain_words() {
        for (name, said) in [
            ("token:budi", "budi (pusat)"),
            ("machine:desa-1", "mesin desa-1"),
            ("officer:siti@desa-1", "petugas siti lewat mesin desa-1"),
            ("central@desa-1", "pusat lewat mesin desa-1"),
            ("central", "pusat"),
            ("folder", "folder masuk"),
            ("command-line", "command-line"),
        ] {
            assert_eq!(actor(name), said);
        }
    }

    #[test]
    fn an_unknown_job_always_says_what_to_do() {
        for reason in [None, Some(Reason::JournalLost), Some(Reason::PrinterForgot)] {
            for role in [Role::Operator, Role::It, Role::Auditor] {
                let told = next_step(JobState::Unknown, reason, role);
                assert!(!told.is_empty());
                let has_form = role == Role::Operator && reason == Some(Reason::JournalLost);
                assert_eq!(told.contains("di bawah"), has_form, "{role:?}: {told}");
                assert!(!next_step_by_hand(JobState::Unknown, reason, role).is_empty());
            }
            assert_eq!(whom(JobState::Unknown, reason), "petugas kantor tujuan");
        }
    }
}
