//! Debian's ippeveprinter, whose print command notes when it starts.

use std::time::Duration;

use anyhow::Context as _;
use loket_demo::site::Site;

/// What "the print command starts" means: one process, one line with the time, one side printed.
const PRINT_COMMAND: &str = "#!/bin/bash
echo \"$EPOCHREALTIME\" >>\"$OUT/notes\"
echo 'ATTR: job-impressions-completed=1' >&2
";

/// Between two looks at the notes; the time noted does not depend on it.
const LOOK: Duration = Duration::from_millis(2);

/// Ends a run that hangs; CUPS takes a second.
const DEADLINE: Duration = Duration::from_secs(120);

/// The printer.
#[derive(Debug)]
pub(crate) struct PeerPrinter {
    uri: String,
    seen_count: usize,
    peer: loket_tests::peer_printer::PeerPrinter,
}

impl PeerPrinter {
    /// Starts it with its files in a folder of the site.
    pub(crate) async fn start(site: &Site) -> anyhow::Result<Self> {
        let peer = loket_tests::peer_printer::PeerPrinter::start(site, PRINT_COMMAND).await?;
        Ok(Self {
            uri: peer.uri(),
            seen_count: 0,
            peer,
        })
    }

    /// Its address.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for the next start of the print command; gives its time since 1970.
    pub(crate) async fn next_start(&mut self) -> anyhow::Result<Duration> {
        let mut look = tokio::time::interval(LOOK);
        let wait = async {
            loop {
                look.tick().await;
                let notes = std::fs::read_to_string(self.peer.out("notes")).unwrap_or_default();
                let mut whole = notes.split_inclusive('\n').filter(|it| it.ends_with('\n'));
                if let Some(line) = whole.nth(self.seen_count) {
                    return moment(line.trim());
                }
            }
        };
        let seen = tokio::time::timeout(DEADLINE, wait).await;
        let seen = seen.context("see the print command start")??;
        self.seen_count += 1;
        Ok(seen)
    }
}

/// `1795383333.926638`, with the separator of whatever locale bash runs in.
fn moment(note: &str) -> anyhow::Result<Duration> {
    let (seconds, micros) = note.split_once(['.', ',']).context("read a note")?;
    Ok(Duration::from_secs(seconds.parse()?) + Duration::from_micros(micros.parse()?))
}
