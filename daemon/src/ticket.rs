//! What a ticket printer is at, and test tickets. Who may leave amid a ticket prints by `unit::tickets`.

use std::sync::Arc;

use loket_kiosk_ui::ports::{TestFate, TestTicket};
use loket_ticket_printer::{
    Doubt, Labels, Number, Outcome, Text, TextError, Ticket, TicketDetails,
};
use loket_wire::{Timestamp, Zone};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{Away, Observed as _, PrinterStatus, TicketDevice};
use crate::telemetry::chain;

/// The number of a test ticket: no queue calls it.
const TEST_NUMBER: &str = "UJI";

/// How a ticket printer was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSeen {
    /// `idle`, `processing`, `stopped` or `unreachable`.
    pub state: String,
    /// Why, as keywords.
    pub reasons: Vec<String>,
    /// Why it is unreachable, for the one who mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Tickets of one printer. Clones share it.
#[derive(Debug, Clone)]
pub struct Tickets {
    device: Arc<TicketDevice>,
    office: Option<String>,
    zone: Zone,
    clock: Clock,
}

impl Tickets {
    pub(crate) fn new(device: Arc<TicketDevice>, config: &Config, clock: Clock) -> Self {
        Self::over(
            device,
            config.office.clone(),
            config.office_hours.zone,
            clock,
        )
    }

    /// Over this printer; `office` stands on its tickets.
    pub(crate) fn over(
        device: Arc<TicketDevice>,
        office: Option<String>,
        zone: Zone,
        clock: Clock,
    ) -> Self {
        Self {
            device,
            office,
            zone,
            clock,
        }
    }

    /// Asks the printer what it is at.
    ///
    /// # Cancel safety
    /// Dropping the future does no harm.
    pub async fn look(&self) -> TicketSeen {
        match self.device.observe().await {
            Ok(PrinterStatus { state, reasons, .. }) => TicketSeen {
                state: state.to_owned(),
                reasons,
                fault: None,
            },
            Err(Away { reason, detail, .. }) => TicketSeen {
                state: "unreachable".to_owned(),
                reasons: vec![reason],
                fault: Some(detail),
            },
        }
    }

    /// Prints a ticket that nobody waits for, once. It bears no number of a queue, so nothing is owed where it does not
    /// come out.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves open what became of the ticket.
    pub async fn test(&self) -> TestTicket {
        let told = match test_ticket(self.office.as_deref(), self.zone, self.clock.now().wall) {
            Ok(ticket) => told(&self.device.print(&ticket).await),
            Err(error) => TestTicket {
                fate: TestFate::NotPrinted,
                reasons: Vec::new(),
                detail: Some(chain(&error)),
            },
        };
        let TestTicket {
            fate,
            reasons,
            detail,
        } = &told;
        tracing::info!(?fate, ?reasons, detail, "a test ticket was asked for");
        told
    }
}

fn test_ticket(office: Option<&str>, zone: Zone, at: Timestamp) -> Result<Ticket, TextError> {
    // 27-11-2026 08:41 WIB
    let moment = zone.local_text(at).replacen(':', ".", 1);
    let (day, hour) = moment.split_once(' ').unwrap_or((&moment, ""));
    let note = |text: &str| Text::new(text);
    let details = TicketDetails {
        number: Number::new(TEST_NUMBER)?,
        service: Text::new("Tiket uji, bukan nomor antrean")?,
        office: Text::new(office.unwrap_or("Loket"))?,
        taken_on: Text::new(day)?,
        taken_at: Text::new(hour)?,
        waiting: None,
        code: None,
        notes: vec![
            note("tulisan ini terbaca jelas")?,
            note("tiket terpotong di bawah baris terakhir")?,
            note("boleh dibuang")?,
        ],
    };
    let labels = Labels {
        number: Text::new("TIKET UJI")?,
        notes: Text::new("Periksa:")?,
        ..Labels::indonesian()?
    };
    Ok(Ticket::new(details, labels))
}

fn told(outcome: &Outcome) -> TestTicket {
    let words = |words: Vec<&'static str>| words.into_iter().map(str::to_owned).collect();
    match outcome {
        Outcome::Printed { after, .. } | Outcome::Accepted { after, .. } => {
            let reasons = after.iter().flat_map(|after| after.keywords());
            TestTicket {
                fate: if outcome.confirm_on_screen() {
                    TestFate::Accepted
                } else {
                    TestFate::Printed
                },
                reasons: words(reasons.collect()),
                detail: None,
            }
        }
        Outcome::NotPrinted(refusal) => TestTicket {
            fate: TestFate::NotPrinted,
            reasons: words(refusal.keywords()),
            detail: Some(chain(refusal)),
        },
        Outcome::Unclear {
            accepted_bytes,
            of_bytes,
            why,
        } => TestTicket {
            fate: TestFate::Unclear,
            reasons: words(Doubt::keywords(why)),
            detail: Some(format!(
                "{}: {accepted_bytes} of {of_bytes} bytes were taken",
                chain(why)
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_ticket_fits_the_narrowest_roll_and_says_what_it_is() {
        let at = Timestamp::parse_rfc3339("2026-11-27T01:41:00Z").unwrap();
        let ticket = test_ticket(Some("Disdukcapil Kota Contoh"), Zone::Wib, at).unwrap();
        let details = ticket.details();
        assert_eq!(details.number.as_str(), "UJI");
        assert_eq!(details.taken_on.as_str(), "27-11-2026");
        assert_eq!(details.taken_at.as_str(), "08.41 WIB");
        assert!(!ticket.is_copy());
    }
}
