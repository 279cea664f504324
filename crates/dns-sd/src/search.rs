//! One search, from the question to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use crate::announced::Announced;
use crate::record::{Record, RecordFault, Service};

/// An office has a handful of printers, a large network some dozens; whoever announces more fills a screen.
pub const MAX_PRINTERS: usize = 64;

/// Events that are looked at: a few a printer. Who floods the network ends the search, and it is told.
const MAX_EVENTS: usize = 4_096;

/// The library's thread ends within one turn of its loop.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Strings of one TXT record that are read: printers have some thirty.
const MAX_TXT_STRINGS: usize = 128;

/// Where the kernel lists network interfaces.
const INTERFACES: &str = "/sys/class/net";

/// The interface of this computer alone.
const LOOPBACK: &str = "lo";

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// How long answers are waited for.
    pub within: Duration,
    /// The one network interface to ask at; all where none is named. `lo` finds what this computer itself announces.
    pub interface: Option<String>,
    /// The UDP port; that of multicast DNS where none is named. For tests, which must not disturb a network.
    pub port: Option<u16>,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The printers, by name and service; up to [`MAX_PRINTERS`].
    pub printers: Vec<Announced>,
    /// How many records could not be used, by why.
    pub faults: BTreeMap<RecordFault, usize>,
    /// More answered than was looked at.
    pub is_cut: bool,
}

/// Why nothing could be searched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// There is no such network interface.
    #[error("ask at the network interface {name:?}: there is none of that name")]
    NoInterface {
        /// As it was named.
        name: String,
    },
    /// The search could not begin.
    #[error("ask the network for printers")]
    Begin(#[source] mdns_sd::Error),
    /// The search ended before its time: a fault of the library, or something on the network that it did not stand.
    #[error("go on searching the network for printers: the search ended by itself")]
    Ended,
}

/// Asks for printers, and gives those that answered in time.
///
/// One thread of the library lives as long as the search. Sends questions to the multicast group of the local link and
/// nothing to anybody else.
///
/// # Errors
/// [`SearchError`]
///
/// # Cancel safety
/// A search that is dropped ends; what it had found is lost.
pub async fn search(search: &Search) -> Result<Found, SearchError> {
    let until = Instant::now() + search.within;
    if let Some(name) = search.interface.as_ref().filter(|it| !is_interface(it)) {
        return Err(SearchError::NoInterface { name: name.clone() });
    }
    let daemon = begin(search).map_err(SearchError::Begin)?;
    let asking = Asking(daemon);
    let browse = |service: Service| asking.0.browse(service.domain());
    let [ipp, ipps] = Service::ALL.map(browse);
    let (ipp, ipps) = (
        ipp.map_err(SearchError::Begin)?,
        ipps.map_err(SearchError::Begin)?,
    );
    let is_local = search.interface.as_deref() == Some(LOOPBACK);
    let mut answers = Answers::new(is_local);
    let listening = async {
        for _event in 0..MAX_EVENTS {
            let (service, heard) = tokio::select! {
                heard = ipp.recv_async() => (Service::Ipp, heard),
                heard = ipps.recv_async() => (Service::Ipps, heard),
            };
            let Ok(event) = heard else {
                return Err(SearchError::Ended);
            };
            answers.take(service, event);
        }
        answers.is_cut = true;
        Ok(())
    };
    // The time is over: that is how a search ends.
    let listened = timeout_at(until, listening).await;
    asking.end((ipp, ipps)).await;
    listened.unwrap_or(Ok(()))?;
    Ok(answers.found())
}

/// Whether the kernel has an interface of this name; the library would ask nobody, and say nothing of it.
fn is_interface(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('/')
        && name != "."
        && name != ".."
        && Path::new(INTERFACES).join(name).exists()
}

fn begin(search: &Search) -> Result<ServiceDaemon, mdns_sd::Error> {
    let daemon = match search.port {
        Some(port) => ServiceDaemon::new_with_port(port)?,
        None => ServiceDaemon::new()?,
    };
    if let Some(name) = &search.interface {
        daemon.disable_interface(IfKind::All)?;
        daemon.enable_interface(IfKind::Name(name.clone()))?;
    }
    Ok(daemon)
}

/// A search under way; dropped, it ends.
struct Asking(ServiceDaemon);

impl Asking {
    /// Ends the search and waits for its thread, but not for ever.
    async fn end(&self, receivers: (Receiver<ServiceEvent>, Receiver<ServiceEvent>)) {
        // A thread that waits for room in a channel goes on when nobody can take from it any more.
        drop(receivers);
        if let Ok(ended) = self.0.shutdown() {
            drop(timeout(LEAVE_TIMEOUT, ended.recv_async()).await);
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Ended already, mostly.
        drop(self.0.shutdown());
    }
}

/// What answered, the newest word of each.
struct Answers {
    is_local: bool,
    is_cut: bool,
    by_name: BTreeMap<(String, Service), Result<Announced, RecordFault>>,
}

impl Answers {
    const fn new(is_local: bool) -> Self {
        Self {
            is_local,
            is_cut: false,
            by_name: BTreeMap::new(),
        }
    }

    fn take(&mut self, service: Service, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceResolved(resolved) => {
                let record = record(service, &resolved);
                let key = (record.fullname.clone(), service);
                if self.by_name.len() >= MAX_PRINTERS && !self.by_name.contains_key(&key) {
                    self.is_cut = true;
                    return;
                }
                let read = Announced::read(&record, self.is_local);
                self.by_name.insert(key, read);
            }
            ServiceEvent::ServiceRemoved(_domain, fullname) => {
                self.by_name.remove(&(fullname, service));
            }
            // Others say that something is to come; the library may have more of them one day.
            ServiceEvent::SearchStarted(_)
            | ServiceEvent::ServiceFound(..)
            | ServiceEvent::SearchStopped(_)
            | _ => {}
        }
    }

    fn found(self) -> Found {
        let mut found = Found {
            is_cut: self.is_cut,
            ..Found::default()
        };
        for read in self.by_name.into_values() {
            match read {
                Ok(printer) => found.printers.push(printer),
                Err(fault) => {
                    let count = found.faults.entry(fault).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        let key = |it: &Announced| (it.name.clone(), it.service, it.addresses.first().copied());
        found.printers.sort_by_key(key);
        found
    }
}

fn record(service: Service, resolved: &ResolvedService) -> Record {
    let addresses = resolved.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // In their order: which of too many are looked at must not change from search to search.
    let addresses: BTreeSet<IpAddr> = addresses.collect();
    let txt = resolved.txt_properties.iter().take(MAX_TXT_STRINGS);
    let txt = txt.map(|it| (it.key().to_owned(), it.val().map(<[u8]>::to_vec)));
    Record {
        service,
        fullname: resolved.fullname.clone(),
        host: resolved.host.clone(),
        port: resolved.port,
        addresses: addresses.into_iter().collect(),
        txt: txt.collect(),
    }
}
