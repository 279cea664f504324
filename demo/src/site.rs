//! One regency on one machine: folders, keys, settings and processes of central and its print stations.

mod machine;
mod ports;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

pub use self::machine::Machine;
use self::ports::draw_ports;
pub use self::ports::{Ports, draw_port};

use crate::child::{Program, Running};
use crate::http;

/// The programs a site is made of.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The daemon of a machine.
    pub loketd: Program,
    /// Central.
    pub central: Program,
    /// The authority.
    pub provision: Program,
    /// The simulated printer.
    pub printer: Program,
    /// The simulated ticket printer.
    pub ticket_printer: Program,
    /// The embedded broker; tests start mosquitto themselves.
    pub broker: Option<Program>,
}

/// The office that every machine of a site stands in.
pub const OFFICE: &str = "kec-contoh";

/// Sign-ins of a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// May order and cancel.
    pub operator: String,
    /// Sees machines and health.
    pub it: String,
    /// Reads everything, the history too.
    pub auditor: String,
}

/// A site on disk.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its folder.
    pub dir: PathBuf,
    /// Its ports.
    pub ports: Ports,
    /// Its programs.
    pub programs: Programs,
}

impl Site {
    /// Makes the folders, the authority and central's settings in `dir`, or finds them there.
    ///
    /// `trust` are files of the trust folder: name and bytes.
    ///
    /// # Errors
    /// When a folder cannot be written or a program fails.
    pub async fn prepare(
        dir: &Path,
        programs: Programs,
        trust: &[(&str, &[u8])],
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        let dir = dir.canonicalize().context("find the state folder")?;
        for name in ["logs", "trust", "broker", "central"] {
            std::fs::create_dir_all(dir.join(name)).context("make a folder")?;
        }
        for (name, bytes) in trust {
            std::fs::write(dir.join("trust").join(name), bytes).context("write a trust file")?;
        }
        let mut ports: Ports = match std::fs::read_to_string(dir.join("ports.json")) {
            Ok(text) => serde_json::from_str(&text).context("read ports.json")?,
            Err(_none) => draw_ports()?,
        };
        // No key and no bundle names it: it may be another one at each start.
        if ports.pages == 0 {
            ports.pages = draw_port()?;
        }
        let site = Self {
            dir,
            ports,
            programs,
        };
        if !site.path("ports.json").exists() {
            site.found().await?;
            // Written last: a half-made site is made again from nothing.
            let text = serde_json::to_string(&ports)?;
            std::fs::write(site.path("ports.json"), text).context("write ports.json")?;
        }
        Ok(site)
    }

    /// A path in the site's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Central's API as `host:port`.
    #[must_use]
    pub fn api(&self) -> String {
        format!("127.0.0.1:{}", self.ports.api)
    }

    /// Where the machine that shows pages shows them, as `host:port`.
    #[must_use]
    pub fn pages(&self) -> String {
        format!("127.0.0.1:{}", self.ports.pages)
    }

    /// Says which of its ports another program has. They are drawn once, since keys and settings name them.
    ///
    /// # Errors
    /// When one is taken.
    pub fn check_ports(&self) -> anyhow::Result<()> {
        for (whose, port) in [
            ("the broker", self.ports.broker),
            ("central", self.ports.api),
            ("central's documents", self.ports.documents),
            ("the pages", self.ports.pages),
        ] {
            if let Err(error) = std::net::TcpListener::bind(("127.0.0.1", port)) {
                bail!(
                    "give port {port} to {whose}: another program has it ({error}); end it, or use another folder with --state DIR"
                );
            }
        }
        Ok(())
    }

    async fn found(&self) -> anyhow::Result<()> {
        let authority = self.path("authority");
        if authority.exists() {
            std::fs::remove_dir_all(&authority).context("remove a half-made authority")?;
        }
        let provision = &self.programs.provision;
        let dir = text(&authority);
        let broker = format!("localhost:{}", self.ports.broker);
        let documents = format!("localhost:{}", self.ports.documents);
        let init = [
            "init",
            "--dir",
            &dir,
            "--broker",
            &broker,
            "--documents",
            &documents,
        ];
        provision.run(init).await?;
        for kind in ["broker", "central"] {
            self.enrol_server(kind, &dir).await?;
        }
        let listen = format!("127.0.0.1:{}", self.ports.broker);
        let out = text(&self.path("broker"));
        let write = [
            "broker-config",
            "--dir",
            &dir,
            "--out",
            &out,
            "--listen",
            &listen,
            "--user",
            "root",
        ];
        provision.run(write).await?;
        std::fs::copy(
            authority.join("authority.crt"),
            self.path("broker/authority.crt"),
        )
        .context("copy the authority's certificate")?;
        std::fs::write(self.path("central/central.toml"), self.central_settings())
            .context("write central's settings")?;
        std::fs::write(self.path("central/offices.toml"), offices()).context("write the offices")
    }

    async fn enrol_server(&self, kind: &str, authority: &str) -> anyhow::Result<()> {
        let provision = &self.programs.provision;

        let home = self.path(kind);
        let (request, key) = (
            text(&home.join("request.pem")),
            text(&home.join(format!("{kind}.key"))),
        );
        let certificate = text(&home.join(format!("{kind}.crt")));
        drop(std::fs::remove_file(&key));
        let ask = [
            "request",
            "--kind",
            kind,
            "--out",
            &request,
            "--key",
            &key,
            "--name",
            "localhost",
            "--name",
            "127.0.0.1",
        ];
        provision.run(ask).await?;
        provision
            .run([
                "enrol",
                &request,
                "--dir",
                authority,
                "--kind",
                kind,
                "--out",
                &certificate,
            ])
            .await?;
        Ok(())
    }

    fn central_settings(&self) -> String {
        let Ports {
            broker,
            api,
            documents,
            pages: _,
        } = self.ports;
        format!(
            r#"state_dir = "state"
offices = "offices.toml"
machines_dir = "../authority/machines"
trust_dir = "../trust"
[api]
listen = "127.0.0.1:{api}"
[documents]
listen = "127.0.0.1:{documents}"
[broker]
endpoints = [{{ host = "localhost", port = {broker} }}]
[identity]
certificate = "central.crt"
key = "central.key"
authority = "../authority/authority.crt"
signing_key = "../authority/central-signing.key"
[intake]
folder = "../intake"
settle_ms = 200
reject_after_ms = 1000
poll_ms = 100
[timings]
reconnect_min_ms = 100
reconnect_max_ms = 1000
"#
        )
    }

    /// Makes or finds central's sign-ins.
    ///
    /// # Errors
    /// When central cannot make them.
    pub async fn tokens(&self) -> anyhow::Result<Tokens> {
        let kept = self.path("tokens.json");
        if let Ok(text) = std::fs::read_to_string(&kept) {
            return serde_json::from_str(&text).context("read tokens.json");
        }
        let mut made = Vec::new();
        for role in ["operator", "it", "auditor"] {
            let config = text(&self.path("central/central.toml"));
            let name = format!("demo-{role}");
            let add = [
                "token", "add", "--config", &config, "--name", &name, "--role", role,
            ];
            let said = self.programs.central.run(add).await?;
            made.push(
                said.split_whitespace()
                    .last()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        let [operator, it, auditor] =
            <[String; 3]>::try_from(made).map_err(|_few| anyhow::anyhow!("make three sign-ins"))?;
        let tokens = Tokens {
            operator,
            it,
            auditor,
        };
        write_private(&kept, &serde_json::to_vec(&tokens)?)?;
        Ok(tokens)
    }

    /// Starts the embedded broker.
    ///
    /// # Errors
    /// When the site has none, or it does not answer.
    pub async fn start_broker(&self) -> anyhow::Result<Running> {
        let broker = self
            .programs
            .broker
            .as_ref()
            .context("start a broker: the site has none")?;
        let port = self.ports.broker.to_string();
        let command = broker.command(["--dir", &text(&self.path("broker")), "--port", &port]);
        let mut running = Running::start("broker", command, &self.path("logs"))?;
        self.wait_for_port(&mut running, self.ports.broker).await?;
        Ok(running)
    }

    /// Starts a simulated printer; gives its URI.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_printer(
        &self,
        name: &str,
        arguments: &[&str],
    ) -> anyhow::Result<(Running, String)> {
        let command = self.programs.printer.command(arguments);
        Running::start_and_hear(name, command, &self.path("logs"), "listening ").await
    }

    /// Starts a simulated ticket printer; gives its address and that of its control door, `HOST:PORT` each.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_ticket_printer(
        &self,
        arguments: &[&str],
    ) -> anyhow::Result<(Running, String, String)> {
        let command = self.programs.ticket_printer.command(arguments);
        let (name, logs) = ("ticket-printer", self.path("logs"));
        let (running, heard) = Running::start_and_hear(name, command, &logs, "listening ").await?;
        let (address, control) = heard
            .split_once(" control http://")
            .context("read a ticket printer's addresses")?;
        let control = control.split('/').next().unwrap_or_default();
        Ok((running, address.to_owned(), control.to_owned()))
    }

    /// Starts central and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start_central(&self) -> anyhow::Result<Running> {
        let config = text(&self.path("central/central.toml"));
        let command = self.programs.central.command(["run", "--config", &config]);
        let mut running = Running::start("central", command, &self.path("logs"))?;
        let up = async {
            loop {
                running.check()?;
                match http::call(&self.api(), "GET", "/healthz", None).await {
                    // Something else may answer while ours found its port taken.
                    Ok(answer) if answer.status == 200 => return running.check(),
                    Ok(_) | Err(_) => pause().await,
                }
            }
        };
        tokio::time::timeout(UP_TIMEOUT, up)
            .await
            .context("hear from central")??;
        Ok(running)
    }

    /// Asks central for a job.
    ///
    /// # Errors
    /// When central does not answer with one.
    pub async fn job(&self, token: &str, id: &str) -> anyhow::Result<serde_json::Value> {
        http::call(
            &self.api(),
            "GET",
            &format!("/api/v1/jobs/{id}"),
            Some(token),
        )
        .await?
        .json()
    }

    /// Waits until a job at central is in one of `states`.
    ///
    /// # Errors
    /// Past the deadline; the last state is in the error.
    pub async fn wait_for_job(
        &self,
        token: &str,
        id: &str,
        states: &[&str],
        deadline: Duration,
    ) -> anyhow::Result<serde_json::Value> {
        let mut last = serde_json::Value::Null;
        let wait = async {
            loop {
                // Central may be away for a moment in a crash test.
                if let Ok(job) = self.job(token, id).await {
                    let is_there = job
                        .get("state")
                        .and_then(serde_json::Value::as_str)
                        .is_some_and(|state| states.contains(&state));
                    last = job;
                    if is_there {
                        return;
                    }
                }
                pause().await;
            }
        };
        match tokio::time::timeout(deadline, wait).await {
            Ok(()) => Ok(last),
            Err(_late) => bail!("job {id} is not {states:?} within {deadline:?}: {last}"),
        }
    }

    /// Waits until something listens on a port of loopback.
    ///
    /// # Errors
    /// When `running` ends before, or past the deadline.
    pub async fn wait_for_port(&self, running: &mut Running, port: u16) -> anyhow::Result<()> {
        let wait = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_err()
            {
                running.check()?;
                pause().await;
            }
            running.check()
        };
        tokio::time::timeout(UP_TIMEOUT, wait)
            .await
            .with_context(|| format!("reach port {port}"))?
    }
}

/// Longer than a cold start on two loaded cores.
const UP_TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks at a process that starts or a job that goes its way.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn offices() -> String {
    format!(
        r#"version = 1
[[office]]
id = "{OFFICE}"
name = "Kecamatan Contoh"
zone = "Asia/Jakarta"
working_days = ["mon", "tue", "wed", "thu", "fri"]
holidays = []
default_machine = "desa-contoh-1"
"#
    )
}

/// A path as a command-line word.
#[must_use]
pub fn text(path: &Path) -> String {
    path.display().to_string()
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path);
    let mut file = file.with_context(|| format!("make {}", path.display()))?;
    file.write_all(bytes)
        .with_context(|| format!("write {}", path.display()))
}
