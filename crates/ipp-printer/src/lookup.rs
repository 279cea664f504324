//! The addresses of one host, asked for one question at a time.
//!
//! The system's resolver blocks a thread, and goes on for as long as it likes when whoever asked has given up: half a
//! minute where the name server is dead. A printer that is looked at every two seconds would fill every thread with
//! questions that nobody waits for. So there is one question a host at most; who asks while it runs waits for it too.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

/// The answer to come.
type Question = JoinHandle<io::Result<Vec<SocketAddr>>>;

/// Asks the system.
type Ask = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// One host and port; clones share their question.
#[derive(Clone)]
pub(crate) struct Lookup {
    host: String,
    port: u16,
    question: Arc<Mutex<Option<Question>>>,
    ask: Arc<Ask>,
}

impl Lookup {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self::asking(host, port, |host, port| {
            (host, port).to_socket_addrs().map(Iterator::collect)
        })
    }

    fn asking(
        host: &str,
        port: u16,
        ask: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            question: Arc::default(),
            ask: Arc::new(ask),
        }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The host's addresses; of a host that is an address, that one, without a question.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the question to whoever asks next.
    pub(crate) async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let mut question = self.question.lock().await;
        let running = question.get_or_insert_with(|| {
            let (ask, host, port) = (Arc::clone(&self.ask), self.host.clone(), self.port);
            spawn_blocking(move || ask(&host, port))
        });
        let answer = running.await;
        *question = None;
        answer.unwrap_or_else(|ended| Err(io::Error::other(ended)))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::sync::{Mutex as Held, mpsc::SyncSender};
    use std::time::Duration;

    use super::*;

    /// A name server that answers only when it is told to, and counts who asks.
    fn slow() -> (Lookup, Arc<AtomicUsize>, SyncSender<()>) {
        let (answers, wait) = sync_channel::<()>(8);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let wait: Held<Receiver<()>> = Held::new(wait);
        let lookup = Lookup::asking("printer.example", 631, move |_host, port| {
            count.fetch_add(1, Ordering::SeqCst);
            wait.lock().unwrap().recv().unwrap();
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        });
        (lookup, asked, answers)
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_one_question_and_its_answer_to_the_next() {
        let (lookup, asked, answers) = slow();
        for _look in 0..20 {
            let given_up = tokio::time::timeout(Duration::from_millis(5), lookup.addresses());
            assert!(given_up.await.is_err());
        }
        assert!(asked.load(Ordering::SeqCst) <= 1);
        answers.send(()).unwrap();
        let shared = lookup.clone();
        let found = shared.addresses().await.unwrap();
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 631))]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        answers.send(()).unwrap();
        lookup.addresses().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2, "an answer is used once");
    }

    #[tokio::test]
    async fn a_host_that_is_an_address_is_not_asked_for() {
        let refuse = |_host: &str, _port| Err(io::Error::other("asked"));
        for (host, expect) in [("127.0.0.1", "127.0.0.1:9"), ("::1", "[::1]:9")] {
            let found = Lookup::asking(host, 9, refuse).addresses().await.unwrap();
            assert_eq!(found, [expect.parse::<SocketAddr>().unwrap()]);
        }
        let lookup = Lookup::asking("printer.example", 9, refuse);
        assert!(lookup.addresses().await.is_err());
    }
}
