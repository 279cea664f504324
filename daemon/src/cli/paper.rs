//! `loketd verify --paper SCAN`: a printed sheet held against the record that central keeps of it.

use std::io::Read as _;
use std::path::Path;

use loket_kiosk_ui::ports::{MAX_SCAN_BYTES, PaperReport, SheetVerdict};
use loket_kiosk_ui::words;
use loket_wire::JobId;
use zeroize::Zeroizing;

use super::face::{say, tell};
use super::{read_config, runtime, talk};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::unit::control::{Request, Response, socket_path};

/// Asks the running daemon: it alone has the keys that central knows.
pub(super) fn paper(
    scan: &Path,
    job: Option<JobId>,
    by: Option<String>,
    config: &Path,
    json: bool,
) -> Result<Exit, Exit> {
    let config = read_config(config)?;
    let bytes = read(scan).map_err(|error| {
        tell(
            Trouble::FileUnreadable,
            format_args!("{}: {error}", scan.display()),
        )
    })?;
    let request = Request::Paper {
        size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        job,
        by,
    };
    let asked = async {
        let stream = talk::connect(&socket_path(&config.runtime_dir)).await?;
        talk::exchange(stream, (&request, &bytes), |answer| {
            if let Response::Paper(report) = answer {
                return Some(report);
            }
            None
        })
        .await
    };
    let report = runtime()?.block_on(asked).map_err(|error| error.tell())?;
    if json {
        let text = serde_json::to_string(&report).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
    } else {
        say_text(&report)?;
    }
    Ok(match report.verdict {
        SheetVerdict::Same => Exit::Done,
        SheetVerdict::Different => Exit::Negative,
        SheetVerdict::CannotTell => Exit::Unsure,
    })
}

fn read(file: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let limit = u64::try_from(MAX_SCAN_BYTES).unwrap_or(u64::MAX);
    let file = std::fs::File::open(file)?;
    // Room for all of it at once: a growing vector would leave copies of what it held behind.
    let size = file.metadata()?.len().min(limit).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn say_text(report: &PaperReport) -> Result<(), Exit> {
    say(match report.verdict {
        SheetVerdict::Same => "SAMA: kertas ini sama dengan yang dicetak",
        SheetVerdict::Different => {
            "BERBEDA: kertas ini tidak sama dengan yang dicetak. Jangan diterima; hubungi dinas penerbit."
        }
        SheetVerdict::CannotTell => "BELUM DAPAT DIPASTIKAN",
    })?;
    if let (Some(code), Some(message)) = (&report.code, &report.message) {
        say(format_args!("  {code} {message}"))?;
    }
    let (job, page) = (report.job_id, report.page);
    let (at, machine) = (&report.printed_at, &report.machine);
    say(format_args!(
        "  dicetak: {at} di {machine}, pekerjaan {job}, halaman {page}"
    ))?;
    for place in &report.regions {
        let what = words::place(place.kind);
        let (x, y) = (place.x_mm, place.y_mm);
        let (width, height) = (place.width_mm, place.height_mm);
        say(format_args!(
            "  {what}: {x:.0} mm dari kiri, {y:.0} mm dari atas ({width:.0} x {height:.0} mm)"
        ))?;
    }
    say("  Ini menilai kertasnya saja. Status terbaru dokumen tidak diperiksa di sini.")
}
