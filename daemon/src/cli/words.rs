//! The words on a terminal for what jobs and printers are at: plain Indonesian beside the stable keyword.

use loket_wire::JobState;

/// The word for a job's state.
pub(super) const fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Created | JobState::Offered => "di pusat",
        JobState::Fetching => "sedang diambil",
        JobState::Journalled => "sedang diperiksa",
        JobState::Held => "menunggu petugas",
        JobState::Printing => "sedang dicetak",
        JobState::Printed => "tercetak",
        JobState::Failed => "gagal",
        JobState::Rejected => "ditolak",
        JobState::Expired => "kedaluwarsa",
        JobState::Cancelled => "dibatalkan",
        JobState::Unknown => "belum pasti tercetak",
    }
}

/// The word for a printer's state.
pub(super) fn printer_state(state: &str) -> &'static str {
    match state {
        "idle" => "siap",
        "processing" => "mencetak",
        "stopped" => "berhenti",
        "unreachable" => "tidak terjangkau",
        "refusing" => "menolak",
        "unusable" => "pengaturannya salah",
        _newer => "keadaan tidak dikenal",
    }
}
