//! The words on a terminal for what printers are at: plain Indonesian beside the stable keyword.

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
