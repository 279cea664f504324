//! What the console is asked to show, and the numbers above it.

use std::time::Duration;

use loket_store::{JobFilter, Origin, Pick, Store, StoreError};
use loket_wire::{JobState, Timestamp};
use serde::Deserialize;

use super::asked::Asked;
use crate::words::Tone;

/// How far back a failed job waits on the console for somebody to order it again.
const UNRESOLVED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// States on their way to paper.
const RUNNING: [JobState; 5] = [
    JobState::Created,
    JobState::Offered,
    JobState::Fetching,
    JobState::Journalled,
    JobState::Printing,
];

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::web) enum View {
    /// What needs a person, then the newest.
    #[default]
    Depan,
    /// Jobs that need a person.
    Perlu,
    /// Unknown jobs.
    BelumPasti,
    /// Overdue jobs.
    Lewat,
    /// Failed or rejected, not ordered again.
    Gagal,
    /// Held for an officer.
    Menunggu,
    /// On their way.
    Berjalan,
    /// Ordered by central and printed today.
    Tercetak,
    /// Given to a machine by hand and printed today.
    Langsung,
    /// All that was given to machines by hand.
    LangsungSemua,
    /// All jobs.
    Semua,
    /// All machines.
    Mesin,
}

impl View {
    /// Its word in an address.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Depan => "depan",
            Self::Perlu => "perlu",
            Self::BelumPasti => "belum-pasti",
            Self::Lewat => "lewat",
            Self::Gagal => "gagal",
            Self::Menunggu => "menunggu",
            Self::Berjalan => "berjalan",
            Self::Tercetak => "tercetak",
            Self::Langsung => "langsung",
            Self::LangsungSemua => "langsung-semua",
            Self::Semua => "semua",
            Self::Mesin => "mesin",
        }
    }

    /// The page it is on, as a browser's tab names it.
    pub(super) const fn page(self) -> &'static str {
        match self {
            Self::Depan
            | Self::Perlu
            | Self::BelumPasti
            | Self::Lewat
            | Self::Gagal
            | Self::Menunggu
            | Self::Berjalan
            | Self::Tercetak
            | Self::Langsung
            | Self::LangsungSemua => "Depan",
            Self::Semua => "Pekerjaan",
            Self::Mesin => "Mesin",
        }
    }

    /// What stands above its list.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Depan | Self::Semua => "Semua pekerjaan, terbaru di atas",
            Self::Perlu => "Perlu tindakan",
            Self::BelumPasti => "Belum pasti tercetak",
            Self::Lewat => "Lewat tenggat",
            Self::Gagal => "Gagal atau ditolak, belum dikirim ulang",
            Self::Menunggu => "Menunggu petugas di kantor",
            Self::Berjalan => "Sedang berjalan",
            Self::Tercetak => "Tercetak hari ini",
            Self::Langsung => "Cetak langsung di mesin hari ini",
            Self::LangsungSemua => "Semua cetak langsung di mesin, terbaru di atas",
            Self::Mesin => "Mesin dan perangkat",
        }
    }

    /// The jobs it lists.
    pub(super) fn filter(self, times: Times) -> JobFilter {
        let states = |states: &[JobState]| JobFilter {
            states: states.to_vec(),
            ..JobFilter::default()
        };
        let pick = |pick| JobFilter {
            pick: Some(pick),
            ..JobFilter::default()
        };
        let printed_today = |origin| JobFilter {
            origin: Some(origin),
            ..pick(Pick::Printed {
                since: times.today_since,
            })
        };
        match self {
            Self::Depan | Self::Semua | Self::Mesin => JobFilter::default(),
            Self::Perlu => pick(Pick::Attention {
                now: times.now,
                since: times.unresolved_since,
            }),
            Self::BelumPasti => states(&[JobState::Unknown]),
            Self::Lewat => pick(Pick::Overdue { now: times.now }),
            Self::Gagal => pick(Pick::Unresolved {
                since: times.unresolved_since,
            }),
            Self::Menunggu => states(&[JobState::Held]),
            Self::Berjalan => states(&RUNNING),
            Self::Tercetak => printed_today(Origin::Central),
            Self::Langsung => printed_today(Origin::Local),
            Self::LangsungSemua => JobFilter {
                origin: Some(Origin::Local),
                ..JobFilter::default()
            },
        }
    }
}

/// The moments that views are judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    pub(super) today_since: Timestamp,
    unresolved_since: Timestamp,
}

impl Times {
    pub(super) fn at(now: Timestamp, today_since: Timestamp) -> Self {
        let span = i64::try_from(UNRESOLVED_FOR.as_millis()).unwrap_or(i64::MAX);
        Self {
            now,
            today_since,
            unresolved_since: Timestamp::from_unix_ms(now.unix_ms().saturating_sub(span)),
        }
    }
}

/// A number above the lists, and the way to what it counts.
pub(super) struct Tile {
    pub(super) word: &'static str,
    pub(super) count: u64,
    pub(super) tone: &'static str,
    pub(super) view: &'static str,
    pub(super) is_shown: bool,
}

/// The tiles: what needs a person first.
pub(super) fn tiles(
    store: &dyn Store,
    asked: &Asked,
    times: Times,
    machines: (u64, u64),
) -> Result<Vec<Tile>, StoreError> {
    let (troubled, online) = machines;
    let of = |view: View| store.count_jobs(&view.filter(times));
    let tiles = [
        (View::BelumPasti, "belum pasti tercetak", Tone::Bad),
        (View::Lewat, "lewat tenggat", Tone::Bad),
        (View::Gagal, "gagal, belum dikirim ulang", Tone::Bad),
        (View::Menunggu, "menunggu petugas", Tone::Wait),
        (View::Berjalan, "sedang berjalan", Tone::Note),
        (View::Tercetak, "tercetak hari ini", Tone::Good),
        (View::Langsung, "cetak langsung hari ini", Tone::Note),
    ];
    let mut shown = Vec::new();
    for (view, word, tone) in tiles {
        shown.push(tile(asked, view, word, of(view)?, tone));
    }
    shown.push(tile(
        asked,
        View::Mesin,
        "mesin perlu dilihat",
        troubled,
        Tone::Bad,
    ));
    // Both lead to the machines; one place is marked as where one is.
    shown.push(Tile {
        is_shown: false,
        ..tile(asked, View::Mesin, "mesin tersambung", online, Tone::Good)
    });
    Ok(shown)
}

fn tile(asked: &Asked, view: View, word: &'static str, count: u64, tone: Tone) -> Tile {
    let tone = if count > 0 { tone } else { Tone::Soft };
    Tile {
        word,
        count,
        tone: tone.class(),
        view: view.word(),
        is_shown: asked.view == view,
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn openapi_names_every_view_that_there_is() {
        // What is no view is refused with the list of those that are.
        let none: StrDeserializer<'_, Error> = "langit".into_deserializer();
        let refusal = View::deserialize(none).unwrap_err().to_string();
        let words: Vec<_> = refusal.split('`').skip(3).step_by(2).collect();
        assert!(words.contains(&View::Mesin.word()), "{refusal}");
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../../assets/openapi.json")).unwrap();
        for path in ["/", "/console/live"] {
            let told = &document["paths"][path]["get"]["parameters"][0];
            assert_eq!(told["name"], "lihat");
            assert_eq!(told["schema"]["enum"], serde_json::json!(words), "{path}");
        }
    }
}
