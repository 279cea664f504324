//! Somebody with the broker in hand: reads every topic, and says again what was said.
//!
//! Two machines' certificates with rights of central added to the generated rules. Their power is that of an insider
//! at the broker: to read, to delay and to repeat; not to sign.

use std::path::PathBuf;

use anyhow::Context as _;
use data_encoding::BASE64;
use loket_demo::child::{Program, Running};
use loket_demo::site::text;

use crate::look::until;
use crate::world::{DEADLINE, World};

/// The one that reads; mosquitto gives a name to one client at a time.
const READER: &str = "spy-1";

/// The one that writes.
const WRITER: &str = "spy-2";

/// The broker's insider.
#[derive(Debug)]
pub struct Spy {
    reader: Running,
    /// How the writer connects.
    writer: Vec<String>,
    scratch: PathBuf,
}

/// One message as it passed the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its topic.
    pub topic: String,
    /// Its bytes.
    pub payload: String,
}

impl Passed {
    /// What its sender signed, without looking at the signature.
    #[must_use]
    pub fn body(&self) -> serde_json::Value {
        let frame: serde_json::Value = serde_json::from_str(&self.payload).unwrap_or_default();
        let body = frame.get("body").and_then(serde_json::Value::as_str);
        let body = BASE64.decode(body.unwrap_or_default().as_bytes());
        serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default()
    }
}

impl Spy {
    /// Adds the rights, restarts the broker with them, and reads from then on.
    ///
    /// # Errors
    /// When a program refuses.
    pub async fn start(world: &mut World) -> anyhow::Result<Self> {
        let reader = connection(world, READER).await?;
        let writer = connection(world, WRITER).await?;
        let acl = world.site.path("broker/acl");
        let rules = std::fs::read_to_string(&acl).context("read the access rules")?;
        let more =
            format!("\nuser {READER}\ntopic read loket/#\n\nuser {WRITER}\ntopic write loket/#\n");
        std::fs::write(&acl, rules + &more).context("add access rules")?;
        world.wipe_broker().await?;
        let mut words = reader;
        // Topic and payload on a line of their own each; what it says of itself tells when it listens.
        words.extend(["-t", "loket/#", "-F", "%t\n%p", "-d"].map(str::to_owned));
        let program = Program::at(std::path::Path::new("/usr/bin/mosquitto_sub"));
        let reader = Running::start("spy", program.command(words), &world.site.path("logs"))?;
        let spy = Self {
            reader,
            writer,
            scratch: world.dir().join("repeated.json"),
        };
        until("a reader of all topics", DEADLINE, async || {
            Ok(spy.log()?.contains("SUBACK").then_some(()))
        })
        .await?;
        Ok(spy)
    }

    fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(self.reader.log()).context("read what passed")
    }

    /// Everything that passed so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn passed(&self) -> anyhow::Result<Vec<Passed>> {
        let log = self.log()?;
        let mut lines = log.lines();
        let mut all = Vec::new();
        while let Some(line) = lines.next() {
            if line.starts_with("loket/")
                && let Some(payload) = lines.next()
            {
                all.push(Passed {
                    topic: line.to_owned(),
                    payload: payload.to_owned(),
                });
            }
        }
        Ok(all)
    }

    /// Waits for a message for which `wanted` holds.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn hear(
        &self,
        what: &str,
        mut wanted: impl FnMut(&Passed) -> bool,
    ) -> anyhow::Result<Passed> {
        until(what, DEADLINE, async || {
            Ok(self.passed()?.into_iter().find(&mut wanted))
        })
        .await
    }

    /// Publishes bytes on a topic.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn say(&self, topic: &str, payload: &str) -> anyhow::Result<()> {
        self.publish(topic, payload, &[]).await
    }

    /// Publishes bytes that the broker keeps for whoever comes later.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn leave(&self, topic: &str, payload: &str) -> anyhow::Result<()> {
        self.publish(topic, payload, &["-r"]).await
    }

    async fn publish(&self, topic: &str, payload: &str, how: &[&str]) -> anyhow::Result<()> {
        std::fs::write(&self.scratch, payload).context("keep what is to be said")?;
        let mut words = self.writer.clone();
        words.extend(how.iter().map(|word| (*word).to_owned()));
        words.extend(["-t", topic, "-f"].map(str::to_owned));
        words.push(text(&self.scratch));
        let program = Program::at(std::path::Path::new("/usr/bin/mosquitto_pub"));
        program.run(words).await.map(drop)
    }
}

/// Enrols a machine and gives the words with which mosquitto's clients connect as it.
async fn connection(world: &World, id: &str) -> anyhow::Result<Vec<String>> {
    let machine = world
        .site
        .machine(id, "ipp://127.0.0.1:9/ipp/print")
        .await?;
    let identity = machine.home.join("state/identity");
    let install = std::fs::read(identity.join("install.json")).context("read an identity")?;
    let install: serde_json::Value = serde_json::from_slice(&install)?;
    let pem = install
        .get("certificate_pem")
        .and_then(serde_json::Value::as_str)
        .context("read a certificate")?;
    let certificate = machine.home.join("spy.crt");
    std::fs::write(&certificate, pem).context("keep a certificate")?;
    let words = [
        "-V".to_owned(),
        "mqttv5".to_owned(),
        "-h".to_owned(),
        "localhost".to_owned(),
        "-p".to_owned(),
        world.site.ports.broker.to_string(),
        "-q".to_owned(),
        "1".to_owned(),
        "--cafile".to_owned(),
        text(&world.site.path("authority/authority.crt")),
        "--cert".to_owned(),
        text(&certificate),
        "--key".to_owned(),
        text(&identity.join("tls.key.pem")),
    ];
    Ok(words.into())
}
