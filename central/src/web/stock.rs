//! What a device has left, as the API's JSON shows it.

use loket_domain::supply::Forecast;
use loket_wire::stock::{Band, Supply, Tray};
use serde::Serialize;

use super::shapes::Moment;
use crate::supplies::{DeviceLeft, Left};

/// What a device said last that it has left.
#[derive(Debug, Serialize)]
pub(super) struct StockShape {
    told_at: Moment,
    supplies: Vec<LeftShape<Supply>>,
    trays: Vec<LeftShape<Tray>>,
}

#[derive(Debug, Serialize)]
struct LeftShape<T> {
    #[serde(flatten)]
    what: T,
    /// `empty`, `low`, `enough` or `unknown`.
    band: &'static str,
    forecast: ForecastShape,
}

#[derive(Debug, Serialize)]
struct ForecastShape {
    /// `empty`, `lasts` or `not-yet`.
    state: &'static str,
    /// Why nothing can be said yet.
    reason: Option<&'static str>,
    days_left: Option<u32>,
    sheets_left: Option<u64>,
    ends_at: Option<Moment>,
    /// When it must be ordered at the latest; of supplies.
    order_by: Option<Moment>,
    must_order: bool,
}

impl StockShape {
    pub(super) fn of(left: DeviceLeft) -> Self {
        Self {
            told_at: Moment(left.told_at),
            supplies: left.supplies.into_iter().map(LeftShape::of).collect(),
            trays: left.trays.into_iter().map(LeftShape::of).collect(),
        }
    }
}

impl<T> LeftShape<T> {
    fn of(left: Left<T>) -> Self {
        let (state, reason) = match left.forecast {
            Forecast::Empty => ("empty", None),
            Forecast::Lasts(_) => ("lasts", None),
            Forecast::NotYet(why) => ("not-yet", Some(why.keyword())),
        };
        let lasts = match left.forecast {
            Forecast::Lasts(lasts) => Some(lasts),
            Forecast::Empty | Forecast::NotYet(_) => None,
        };
        Self {
            band: match left.band {
                Band::Empty => "empty",
                Band::Low => "low",
                Band::Enough => "enough",
                Band::Unknown => "unknown",
            },
            forecast: ForecastShape {
                state,
                reason,
                days_left: lasts.map(|lasts| lasts.days_left),
                sheets_left: lasts.and_then(|lasts| lasts.sheets_left),
                ends_at: lasts.map(|lasts| Moment(lasts.ends_at)),
                order_by: lasts
                    .filter(|_lasts| left.is_ordered)
                    .map(|lasts| Moment(lasts.order_by)),
                must_order: left.must_order,
            },
            what: left.what,
        }
    }
}
