//! What the printer says about itself and its jobs.

use ipp::attribute::IppAttribute;
use ipp::value::IppValue;
use tokio::time::Instant;

use super::format::Format;
use super::job::Job;
use super::knobs::{ClaimedState, Impressions};
use super::reply::{attribute, keyword, keywords, set, text};
use super::server::Identity;
use super::state::State;
use super::{operations, stock, template};

/// The bound that `pages` puts on a document.
const MAX_IMPRESSIONS: i32 = 5_000;

/// Filters attributes by the names in requested-attributes.
#[derive(Debug)]
pub(crate) struct Wanted<'a>(Vec<&'a str>);

impl<'a> Wanted<'a> {
    /// The names asked for, or these where none are.
    pub(crate) fn new(requested: Option<Vec<&'a str>>, otherwise: &[&'a str]) -> Self {
        Self(requested.unwrap_or_else(|| otherwise.to_vec()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// Those of a group that are wanted by name, or by the name of their group.
    pub(crate) fn pick(&self, group: &str, from: Vec<IppAttribute>) -> Vec<IppAttribute> {
        let whole = self.has("all") || self.has(group);
        from.into_iter()
            .filter(|attribute| whole || self.has(attribute.name()))
            .collect()
    }
}

/// The printer's attributes outside the job template.
pub(crate) fn printer(state: &State, identity: &Identity, now: Instant) -> Vec<IppAttribute> {
    let mut all = printer_state(state, now);
    all.extend(printer_identity(state, identity));
    all.extend(printer_abilities(state, identity));
    all.extend(stock::attributes(&state.knobs));
    all
}

/// What changes from second to second.
fn printer_state(state: &State, now: Instant) -> Vec<IppAttribute> {
    let integer = |number: i32| Some(IppValue::Integer(number));
    let code = match (state.is_stopped(), state.is_at_work()) {
        _ if state.knobs.hides_faults => 3,
        (true, _) => 5,
        (false, true) => 4,
        (false, false) => 3,
    };
    let queued = i32::try_from(state.open_jobs()).unwrap_or(i32::MAX);
    let out = i32::try_from(state.sheets).unwrap_or(i32::MAX);
    let out = Some(out).filter(|_| state.knobs.impressions == Impressions::Honest);
    let all = [
        attribute("printer-impressions-completed", out.and_then(integer)),
        attribute(
            "printer-is-accepting-jobs",
            Some(IppValue::Boolean(!state.knobs.refuse)),
        ),
        attribute("printer-state", Some(IppValue::Enum(code))),
        attribute("printer-state-change-time", integer(state.changed_s)),
        attribute("printer-state-message", text("")),
        attribute("printer-state-reasons", printer_reasons(state, code)),
        attribute("printer-up-time", integer(state.up_time_s(now))),
        attribute("queued-job-count", integer(queued)),
    ];
    all.into_iter().flatten().collect()
}

fn printer_identity(state: &State, identity: &Identity) -> Vec<IppAttribute> {
    let name = IppValue::new_name_without_language(&*identity.name).ok();
    let uuid = state.knobs.uuid.unwrap_or(identity.uuid);
    let all = [
        attribute("printer-info", text(&identity.name)),
        attribute("printer-location", text("simulated")),
        attribute("printer-make-and-model", text("Loket simulated printer")),
        attribute(
            "printer-more-info",
            IppValue::new_uri(&*identity.more_info).ok(),
        ),
        attribute("printer-name", name),
        attribute(
            "printer-uri-supported",
            IppValue::new_uri(&*identity.uri).ok(),
        ),
        attribute(
            "printer-uuid",
            IppValue::new_uri(uuid.urn().to_string()).ok(),
        ),
        attribute("uri-authentication-supported", keyword("none")),
        attribute("uri-security-supported", keyword("none")),
    ];
    all.into_iter().flatten().collect()
}

fn printer_abilities(state: &State, identity: &Identity) -> Vec<IppAttribute> {
    let utf_8 = || IppValue::new_charset("utf-8").ok();
    let english = || IppValue::new_natural_language("en").ok();
    let formats = state.knobs.formats.iter();
    let formats = formats.map(|format| IppValue::new_mime_media_type(format.media_type()).ok());
    let formats: Vec<_> = formats.collect();
    let codes = operations::supported(&state.knobs);
    let codes: Vec<_> = codes
        .map(|code| Some(IppValue::Enum(i32::from(code))))
        .collect();
    let time_out = i32::try_from(identity.time_out.as_secs()).unwrap_or(i32::MAX);
    let several = state.knobs.multiple_document_jobs;
    let impressions = IppValue::RangeOfInteger {
        min: 0,
        max: MAX_IMPRESSIONS,
    };
    let mut rasters = rasters(&state.knobs.formats);
    let all = [
        attribute("charset-configured", utf_8()),
        attribute("charset-supported", utf_8()),
        attribute("color-supported", Some(IppValue::Boolean(false))),
        attribute("compression-supported", keyword("none")),
        attribute(
            "document-format-default",
            formats.first().cloned().flatten(),
        ),
        attribute("document-format-supported", set(formats)),
        attribute("generated-natural-language-supported", english()),
        attribute("ipp-versions-supported", keywords(&["1.1", "2.0"])),
        attribute("job-ids-supported", Some(IppValue::Boolean(true))),
        attribute("job-impressions-supported", Some(impressions)),
        attribute(
            "multiple-document-jobs-supported",
            Some(IppValue::Boolean(several)),
        ),
        attribute(
            "multiple-operation-time-out",
            Some(IppValue::Integer(time_out)),
        ),
        attribute("multiple-operation-time-out-action", keyword("abort-job")),
        attribute("natural-language-configured", english()),
        attribute("operations-supported", set(codes)),
        attribute("pages-per-minute", Some(IppValue::Integer(60))),
        attribute("pdl-override-supported", keyword("attempted")),
        attribute(
            "which-jobs-supported",
            keywords(&["completed", "not-completed", "all"]),
        ),
    ];
    rasters.extend(all.into_iter().flatten());
    rasters
}

/// What rasters it takes, where it takes any: one colour, as lasers of offices have.
fn rasters(formats: &[Format]) -> Vec<IppAttribute> {
    let dpi = |dots: i32| IppValue::Resolution {
        cross_feed: dots,
        feed: dots,
        units: 3,
    };
    let pwg = [
        attribute(
            "pwg-raster-document-resolution-supported",
            set([Some(dpi(300)), Some(dpi(600))]),
        ),
        attribute("pwg-raster-document-sheet-back", keyword("normal")),
        attribute(
            "pwg-raster-document-type-supported",
            keywords(&["sgray_8", "srgb_8"]),
        ),
    ];
    let words = ["V1.4", "CP1", "DM1", "IS1", "MT1", "RS300-600", "W8"];
    let urf = [attribute("urf-supported", keywords(&words))];
    let pwg = pwg.into_iter().filter(|_it| formats.contains(&Format::Pwg));
    let urf = urf.into_iter().filter(|_it| formats.contains(&Format::Urf));
    pwg.chain(urf).flatten().collect()
}

/// The suffix follows the state, as in ippeveprinter: one fault, three ways to read it.
fn printer_reasons(state: &State, code: i32) -> Option<IppValue> {
    let suffix = match code {
        3 => "report",
        4 => "warning",
        _ => "error",
    };
    let faults = state.knobs.faults();
    let notices = state.knobs.notices();
    if (faults.is_empty() && notices.is_empty()) || state.knobs.hides_faults {
        return keyword("none");
    }
    let wants_paper = state.is_stopped() && faults.contains(&"media-empty");
    let needed = wants_paper.then_some("media-needed");
    set(faults
        .into_iter()
        .chain(needed)
        .chain(notices)
        .map(|fault| keyword(&format!("{fault}-{suffix}"))))
}

/// All attributes of a job that are wanted.
pub(crate) fn job(
    job: &Job,
    state: &State,
    identity: &Identity,
    wanted: &Wanted<'_>,
    now: Instant,
) -> Vec<IppAttribute> {
    let mut picked = wanted.pick(
        "job-description",
        job_description(job, state, identity, now),
    );
    picked.extend(wanted.pick("job-template", job.asked.template.clone()));
    picked
}

fn job_description(
    job: &Job,
    state: &State,
    identity: &Identity,
    now: Instant,
) -> Vec<IppAttribute> {
    let integer = |number: i32| Some(IppValue::Integer(number));
    let time = |at: Option<i32>| Some(at.map_or(IppValue::NoValue, IppValue::Integer));
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let stopped = state.is_stopped();
    let claimed = state.knobs.claims.map(ClaimedState::code);
    let code = claimed.unwrap_or(job.phase.code(stopped));
    let reasons = match claimed {
        Some(_) => keyword("none"),
        None => keywords(job.phase.reasons(stopped)),
    };
    let done = match state.knobs.impressions {
        Impressions::Honest => Some(count(job.sheets_done)),
        Impressions::Absent => None,
        Impressions::Zero => Some(0),
        Impressions::OneMore => Some(count(job.sheets_done).saturating_add(1)),
    };
    let size_bytes: u64 = job
        .documents
        .iter()
        .map(|document| document.size_bytes)
        .sum();
    let documents = i32::try_from(job.documents.len()).unwrap_or(i32::MAX);
    let uri = format!("{}/{}", identity.uri, job.id);
    let all = [
        attribute("job-id", integer(job.id)),
        attribute("job-uri", IppValue::new_uri(uri).ok()),
        attribute(
            "job-uuid",
            IppValue::new_uri(job.uuid.urn().to_string()).ok(),
        ),
        attribute(
            "job-name",
            IppValue::new_name_without_language(&*job.asked.name).ok(),
        ),
        attribute(
            "job-originating-user-name",
            IppValue::new_name_without_language(&*job.asked.user).ok(),
        ),
        attribute("job-printer-uri", IppValue::new_uri(&*identity.uri).ok()),
        attribute("job-printer-up-time", integer(state.up_time_s(now))),
        attribute("job-state", Some(IppValue::Enum(code))),
        attribute("job-state-reasons", reasons),
        attribute("job-state-message", text("")),
        attribute(
            "job-k-octets",
            integer(i32::try_from(size_bytes.div_ceil(1024)).unwrap_or(i32::MAX)),
        ),
        attribute("job-impressions", integer(count(job.sheets()))),
        attribute("job-impressions-completed", done.and_then(integer)),
        attribute("job-media-sheets-completed", done.and_then(integer)),
        attribute("number-of-documents", integer(documents)),
        attribute("time-at-creation", integer(job.created_s)),
        attribute("time-at-processing", time(job.processing_s)),
        attribute("time-at-completed", time(job.completed_s)),
    ];
    all.into_iter().flatten().collect()
}

/// The printer's attributes that are wanted.
pub(crate) fn wanted_of_printer(
    state: &State,
    identity: &Identity,
    wanted: &Wanted<'_>,
    now: Instant,
) -> Vec<IppAttribute> {
    let mut picked = wanted.pick("printer-description", printer(state, identity, now));
    let has_paper = state.knobs.has_paper();
    picked.extend(wanted.pick("job-template", template::attributes(has_paper)));
    if wanted.has("media-col-database") {
        picked.extend(template::media_col_database());
    }
    picked
}
