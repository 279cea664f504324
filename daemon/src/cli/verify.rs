//! `loketd verify`: bytes in, verdict out, at a terminal.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loket_inspection::{
    Brief, DOCUMENT_LIMITS, Fault, Inspector, Judgement, Qr, Question, Work, answer, ask,
};
use loket_kiosk_ui::ports::{Document, Found, Signature, Verdict};
use loket_kiosk_ui::words;
use loket_trust_folder::TrustFolder;
use loket_verify::Report;
use loket_wire::{JobId, Timestamp};

use super::face::{say, tell};
use super::paper::paper;
use super::{DEFAULT_CONFIG, read_config, runtime};
use crate::clock::Clock;
use crate::config::{Config, TrustSource};
use crate::exit::Exit;
use crate::identity::central_key;
use crate::policy::{policy_of, read_policy};
use crate::telemetry::chain;
use crate::trouble::Trouble;
use crate::trust::TrustStore;
use crate::unit::verify::{LOOK_WITHIN, MAX_ANSWER_BYTES};

/// How the help is laid out, in the words of those who read it.
pub(super) const HELP: &str = "{about}\n\nPemakaian: {usage}\n\n{all-args}\n\n{after-help}\n";

/// What the exit codes mean.
pub(super) const EXIT_CODES: &str = "\
Kode keluar:
  0   ASLI: tanda tangan sah dan dokumen tidak berubah
  1   TIDAK SAH: dokumen tidak boleh dipakai atau dicetak
  2   BELUM DAPAT DIPASTIKAN: bukan berarti palsu; jangan dicetak dulu
  64  perintah salah tulis
  66  berkas, map kepercayaan atau aturan pemeriksaan tidak dapat dibaca
  78  pengaturan mesin ini salah
Arti setiap kode temuan (V-..., Q-...) ada di docs/codes.md. Bila ragu, hubungi petugas TI.";

const FILES: &str = "Yang diperiksa";
const GROUNDS: &str = "Menurut apa";
const ANSWER: &str = "Jawaban";

/// The words of the command line.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(
        value_name = "BERKAS",
        required_unless_present = "paper",
        help = "Dokumen PDF",
        help_heading = FILES
    )]
    file: Option<PathBuf>,
    #[arg(
        long,
        value_name = "PINDAIAN",
        conflicts_with_all = ["file", "trust", "at"],
        help = "Hasil pindai (PNG atau JPEG) dari kertas yang pernah dicetak: dicocokkan dengan catatan pusat",
        help_heading = FILES
    )]
    paper: Option<PathBuf>,
    #[arg(
        long,
        value_name = "NOMOR",
        requires = "paper",
        help = "Nomor pekerjaan cetak kertas itu; tanpa ini, kode QR di kertas yang menunjukkannya",
        help_heading = FILES
    )]
    job: Option<JobId>,
    #[arg(
        long,
        value_name = "PETUGAS",
        requires = "paper",
        help = "Petugas yang bertanya, dicatat di pusat; tanpa ini, nama akun",
        help_heading = FILES
    )]
    by: Option<String>,
    #[arg(
        long,
        value_name = "BERKAS",
        default_value = DEFAULT_CONFIG,
        hide_default_value = true,
        help = "Berkas pengaturan; tanpa ini, /etc/loket/loket.toml",
        help_heading = GROUNDS
    )]
    config: PathBuf,
    #[arg(
        long,
        value_name = "MAP",
        help = "Map kepercayaan (sertifikat induk dan antara, daftar pencabutan); tanpa ini, menurut pengaturan, termasuk paket dari pusat",
        help_heading = GROUNDS
    )]
    trust: Option<PathBuf>,
    #[arg(
        long,
        value_name = "BERKAS",
        help = "Aturan pemeriksaan kantor; tanpa ini, menurut pengaturan",
        help_heading = GROUNDS
    )]
    policy: Option<PathBuf>,
    #[arg(
        long,
        value_name = "WAKTU",
        value_parser = parse_time,
        help = "Saat yang dipakai untuk menilai, misalnya 2026-11-26T09:00:00+07:00; tanpa ini, sekarang",
        help_heading = GROUNDS
    )]
    at: Option<Timestamp>,
    #[arg(
        long,
        help = "Baca juga kode QR di halamannya (lebih lama)",
        help_heading = ANSWER
    )]
    qr: bool,
    #[arg(
        long,
        help = "Satu dokumen JSON, untuk program lain",
        help_heading = ANSWER
    )]
    json: bool,
    #[arg(
        short = 'h',
        long = "help",
        action = clap::ArgAction::Help,
        help = "Tampilkan bantuan ini",
        help_heading = ANSWER
    )]
    _help: Option<bool>,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).map_err(|error| error.to_string())
}

/// Judges a file, or holds a scan against the record of what was printed.
pub(super) fn verify(args: Args, inspector: &Inspector) -> Result<Exit, Exit> {
    if let Some(scan) = args.paper {
        return paper(&scan, args.job, args.by, &args.config, args.json);
    }
    document(&args, inspector)
}

/// Judges a file by a trust folder and a policy, those of the settings where neither is named.
fn document(args: &Args, inspector: &Inspector) -> Result<Exit, Exit> {
    let open = |dir: &Path| {
        TrustFolder::open(dir.to_owned()).map_err(|error| {
            tell(Trouble::TrustUnreadable, chain(&error));
            Exit::Unreadable
        })
    };
    let unusable = |error| {
        tell(Trouble::PolicyUnusable, chain(&error));
        Exit::Unreadable
    };
    // Rules that somebody names count wherever the trust comes from; the settings are read only for what is not named.
    let named = args.policy.as_deref().map(read_policy).transpose();
    let named = named.map_err(unusable)?;
    let (trust, policy) = match (args.trust.as_deref(), named) {
        (Some(dir), named) => (TrustStore::of_folder(open(dir)?), named.unwrap_or_default()),
        (None, named) => {
            let config = read_config(&args.config)?;
            let policy = named.map_or_else(|| policy_of(&config), Ok);
            let policy = policy.map_err(unusable)?;
            let trust = with_bundle(&config, open(&config.trust_dir)?);
            (trust, policy)
        }
    };
    let file = args.file.as_deref().unwrap_or(Path::new(""));
    let document = read_bounded(file).map_err(|error| {
        tell(
            Trouble::FileUnreadable,
            format_args!("{}: {error}", file.display()),
        )
    })?;
    let at = args.at.unwrap_or_else(|| Clock::new(None).now().wall);
    let report = loket_verify::check(&document, &trust.current(), &policy, at);
    let codes = if args.qr {
        let brief = Brief {
            policy: policy.clone(),
            hosts: trust.hosts(at),
        };
        codes(&document, &brief, at, inspector)?
    } else {
        Vec::new()
    };
    if args.json {
        say(json(&report, &codes).map_err(|error| tell(Trouble::Fault, error))?)?;
    } else {
        say_text(&Document::of(&report, at))?;
        for code in &codes {
            let (page, rule, sentence) = (code.page, &code.rule, &code.sentence);
            let from = code.hosts_valid_from;
            say(format_args!(
                "QR di halaman {page}: {rule} {sentence} (daftar alamat resmi sejak {from})"
            ))?;
        }
    }
    Ok(match report.verdict {
        Verdict::Valid => Exit::Done,
        Verdict::Invalid => Exit::Negative,
        Verdict::Indeterminate => Exit::Unsure,
    })
}

/// What the daemon of these settings judges by. Where its bundle cannot be read, that is told.
pub(super) fn with_bundle(config: &Config, folder: TrustFolder) -> Arc<TrustStore> {
    let central = central_key(&config.state_dir);
    let store = TrustStore::open(folder, config.trust.source, &config.state_dir, central);
    if config.trust.source != TrustSource::Folder && store.standing().is_none() {
        tell(Trouble::TrustBundleUnread, config.state_dir.display());
    }
    store
}

/// What the codes on its pages say. It is read where what is read can break nothing: in the inspector.
fn codes(
    document: &[u8],
    brief: &Brief,
    at: Timestamp,
    inspector: &Inspector,
) -> Result<Vec<Qr>, Exit> {
    let look = async {
        let officer = false;
        let brief = serde_json::to_vec(brief).map_err(|_bug| Fault::Question)?;
        let question = Question {
            work: Work::Look { at, officer },
            limits: DOCUMENT_LIMITS,
            parts: &[&brief, document],
            within: LOOK_WITHIN,
            max_answer_bytes: MAX_ANSWER_BYTES,
        };
        answer(&ask(inspector, question).await?)
    };
    match runtime()?.block_on(look) {
        Ok(Judgement::Document(document)) => Ok(document.qr),
        Ok(Judgement::Paper(_)) => Ok(Vec::new()),
        Err(fault) => {
            tell(Trouble::CodesUnread, chain(&fault));
            Ok(Vec::new())
        }
    }
}

/// The report with what its QR codes say, on one line.
fn json(report: &Report, codes: &[Qr]) -> serde_json::Result<String> {
    let mut report = serde_json::to_value(report)?;
    if let Some(fields) = report.as_object_mut() {
        fields.insert(
            "qr".to_owned(),
            codes.iter().map(|code| code.told.clone()).collect(),
        );
    }
    serde_json::to_string(&report)
}

/// Reads one byte more than the verifier takes, so that it is the one to refuse what is too large.
fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(loket_verify::MAX_DOCUMENT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let file = std::fs::File::open(file)?;
    // Room for all of it at once: each time that it grew, the system would hand out its pages anew.
    let size = file.metadata().map_or(0, |it| it.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same in sentences, with the words of the officer's page.
fn say_text(report: &Document) -> Result<(), Exit> {
    say(match report.verdict {
        Verdict::Valid => "ASLI (valid)",
        Verdict::Invalid => "TIDAK SAH (invalid)",
        Verdict::Indeterminate => "BELUM DAPAT DIPASTIKAN (indeterminate)",
    })?;
    if let Some(why) = report
        .decisive()
        .map(|code| words::why(report.verdict, code))
    {
        say(format_args!("  sebab: {why}"))?;
    }
    say(format_args!(
        "  langkah: {}",
        words::officer_todo(report.verdict)
    ))?;
    say_indication(
        "  EN 319 102-1",
        &report.indication,
        report.sub_indication.as_deref(),
    )?;
    if let Some(revision) = &report.revision {
        let (pages, bytes) = (revision.page_count, revision.size_bytes);
        say(format_args!(
            "  yang boleh dicetak: {pages} halaman, {bytes} byte pertama"
        ))?;
    }
    say("  status terbaru: belum dicek di sini")?;
    for (at, signature) in (1..).zip(&report.signatures) {
        say(format_args!("tanda tangan {at}"))?;
        say_signature(signature)?;
    }
    if !report.findings.is_empty() {
        say("temuan tentang dokumen")?;
    }
    say_findings(&report.findings)
}

fn say_signature(signature: &Signature) -> Result<(), Exit> {
    let (signer, issuer) = (signature.signer.as_deref(), signature.issuer.as_deref());
    say(format_args!("  penanda tangan: {}", signer.unwrap_or("-")))?;
    say(format_args!("  penerbit: {}", issuer.unwrap_or("-")))?;
    if let Some(at) = signature.signed_at {
        let whose = words::whose_time(signature.is_stamped);
        say(format_args!("  waktu ({whose}): {at}"))?;
    }
    if let Some(at) = signature.proven_at {
        let by = words::of_report(signature.proven_by.as_deref().unwrap_or_default());
        say(format_args!("  terbukti ada sejak ({by}): {at}"))?;
    }
    let coverage = words::of_report(&signature.coverage);
    let changes = words::of_report(&signature.changes);
    say(format_args!("  yang dilindungi: {coverage}; {changes}"))?;
    let title = format!("  tingkat {}", signature.level);
    say_indication(
        &title,
        &signature.indication,
        signature.sub_indication.as_deref(),
    )?;
    for data in &signature.revocation {
        let (form, age) = (words::of_report(&data.form), words::age(data.age_seconds));
        let from = words::source(&data.source);
        say(format_args!(
            "  pencabutan {}: {form} dari {from}, umur {age}",
            data.certificate
        ))?;
    }
    for revision in &signature.revisions {
        let did = words::revision_change(revision.added, revision.overridden, revision.freed);
        let no = revision.index.saturating_add(1);
        say(format_args!("  revisi {no}: {did}"))?;
        say_findings(&revision.findings)?;
    }
    say_findings(&signature.findings)
}

fn say_indication(title: &str, indication: &str, why: Option<&str>) -> Result<(), Exit> {
    match why {
        Some(why) => say(format_args!("{title}: {indication} / {why}")),
        None => say(format_args!("{title}: {indication}")),
    }
}

fn say_findings(findings: &[Found]) -> Result<(), Exit> {
    for Found(code) in findings {
        let (id, sentence) = (code.id(), code.sentence());
        let (weight, _tone) = words::weight(code.weight());
        say(format_args!("  {id} ({weight}) {sentence}"))?;
    }
    Ok(())
}
