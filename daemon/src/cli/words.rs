//! The words on a terminal for what jobs and printers are at: plain Indonesian beside the stable keyword.

use loket_wire::{JobState, Reason};

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

/// A reason's keyword, as it stands in the history and in JSON.
pub(super) fn keyword(reason: Reason) -> String {
    let word = serde_json::to_value(reason).unwrap_or_default();
    word.as_str().unwrap_or("other").to_owned()
}

/// The word for a printer's state.
pub(super) fn printer_state(state: &str) -> &'static str {
    match state {
        "idle" => "siap",
        "processing" => "mencetak",
        "stopped" => "berhenti",
        "unreachable" => "tidak terjangkau: periksa listrik, kabel dan jaringannya",
        "unusable" => "pengaturannya salah",
        _newer => "keadaan tidak dikenal",
    }
}

/// The word for an IPP printer-state-reason (RFC 8011 section 5.4.12); others are shown as they came.
pub(super) fn printer_reason(keyword: &str) -> &str {
    match keyword {
        "media-empty" | "media-needed" => "kertas habis",
        "media-low" => "kertas hampir habis",
        "media-jam" => "kertas macet",
        "toner-empty" => "toner habis",
        "toner-low" => "toner hampir habis",
        "marker-supply-empty" => "tinta habis",
        "marker-supply-low" => "tinta hampir habis",
        "cover-open" | "door-open" => "penutup terbuka",
        "paused" => "dijeda",
        "offline" | "shutdown" => "mati",
        "output-area-full" => "baki keluaran penuh",
        other => other,
    }
}
