//! A mosquitto of the test's own: on a free loopback port, in a folder that goes with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use loket_link::BrokerAddress;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Debian keeps it out of the path of ordinary users.
const MOSQUITTO: [&str; 2] = ["/usr/sbin/mosquitto", "mosquitto"];
/// A deadline that ends a hung test; nothing is judged by it.
const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    settings: String,
    running: Option<(Child, JoinSet<()>)>,
}

impl Broker {
    /// Starts a broker that lets anyone in.
    pub(crate) async fn start(settings: &str) -> Self {
        Self::start_with(|_| format!("allow_anonymous true\n{settings}")).await
    }

    /// Starts a broker with settings that may name files in its folder.
    pub(crate) async fn start_with(settings: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let mut broker = Self {
            folder,
            port: 0,
            settings,
            running: None,
        };
        // Between finding a free port and using it, another test may take it.
        for _ in 0..10 {
            broker.port = free_port();
            if broker.try_launch().await {
                return broker;
            }
        }
        panic!(
            "mosquitto did not start; its settings were:\n{}",
            broker.settings
        );
    }

    pub(crate) fn address(&self) -> BrokerAddress {
        BrokerAddress {
            host: "127.0.0.1".into(),
            port: self.port,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        let (mut child, _log) = self.running.take().expect("the broker runs");
        child.kill().await.unwrap();
    }

    /// Removes its database: sessions, queues, retained messages.
    pub(crate) fn wipe(&self) {
        let database = self.path("mosquitto.db");
        if database.exists() {
            fs::remove_file(database).unwrap();
        }
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        assert!(
            self.try_launch().await,
            "mosquitto did not come back on port {}",
            self.port
        );
    }

    async fn try_launch(&mut self) -> bool {
        let config = self.path("mosquitto.conf");
        let folder = self.folder.path().display();
        // Started as root, mosquitto would become another user and lose its folder.
        let text = format!(
            "user root\nlistener {} 127.0.0.1\npersistence true\npersistence_location {folder}/\n\
             autosave_interval 1\nautosave_on_changes true\nlog_dest stderr\n{}\n",
            self.port, self.settings
        );
        fs::write(&config, text).unwrap();
        let program = MOSQUITTO
            .iter()
            .find(|path| Path::new(path).exists())
            .unwrap_or(&"mosquitto");
        let mut child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("mosquitto can be started: install the Debian package mosquitto");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("running") {
                    return true;
                }
            }
            false
        };
        if !timeout(DEADLINE, ready)
            .await
            .expect("mosquitto starts or ends")
        {
            return false;
        }
        let mut log = JoinSet::new();
        log.spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
        self.running = Some((child, log));
        true
    }

    /// Publishes with mosquitto's own client, which has none of our bounds; returns once the
    /// broker has it.
    pub(crate) async fn publish_foreign(&self, topic: &str, payload: &[u8], qos: u8) {
        let file = self.path("payload");
        fs::write(&file, payload).unwrap();
        let status = Command::new("mosquitto_pub")
            .args(["-V", "5", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-q", &qos.to_string(), "-t", topic, "-f"])
            .arg(&file)
            .kill_on_drop(true)
            .status()
            .await
            .expect("mosquitto_pub can be started: install the Debian package mosquitto-clients");
        assert!(status.success());
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
