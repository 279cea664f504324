//! A site with a second broker, set up as an administrator does.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::site::text;
use serde_json::Value;

use crate::look::until;
use crate::mosquitto;
use crate::world::{DEADLINE, World};

/// The folder of the second broker's files.
const FOLDER: &str = "broker-two";

/// The second broker of a world.
#[derive(Debug)]
pub struct Second {
    /// Its process.
    pub broker: Running,
    /// Its port.
    pub port: u16,
}

impl World {
    /// Gives the site a second broker with a certificate and a configuration of its own; machines that are enrolled from
    /// here on know both, and central is started again with a link to each.
    ///
    /// # Errors
    /// When a program refuses or does not start.
    pub async fn second_broker(&mut self) -> anyhow::Result<Second> {
        let port = loket_demo::site::draw_port()?;
        let home = self.site.path(FOLDER);
        std::fs::create_dir_all(&home).context("make a folder")?;
        let (request, key, certificate) = (
            text(&home.join("request.pem")),
            text(&home.join("broker.key")),
            text(&home.join("broker.crt")),
        );
        let authority = text(&self.site.path("authority"));
        let listen = format!("127.0.0.1:{port}");
        let out = text(&home);
        let provision = &self.site.programs.provision;
        let ask = [
            "request",
            "--kind",
            "broker",
            "--out",
            &request,
            "--key",
            &key,
            "--name",
            "localhost",
        ];
        provision.run(ask).await?;
        let enrol = [
            "enrol",
            &request,
            "--dir",
            &authority,
            "--kind",
            "broker",
            "--out",
            &certificate,
        ];
        provision.run(enrol).await?;
        let write = [
            "broker-config",
            "--dir",
            &authority,
            "--out",
            &out,
            "--listen",
            &listen,
            "--user",
            "root",
        ];
        provision.run(write).await?;
        let settings = self.site.path("authority/authority.toml");
        let mut list =
            std::fs::read_to_string(&settings).context("read the authority's settings")?;
        list.push_str(&format!(
            "\n[[brokers]]\nhost = \"localhost\"\nport = {port}\n"
        ));
        std::fs::write(&settings, list).context("write the authority's settings")?;
        let broker = mosquitto::start_in(&self.site, FOLDER, port).await?;
        self.central_at(&[self.site.ports.broker, port]).await?;
        Ok(Second { broker, port })
    }

    /// Stops central in order and starts it again with links to the brokers on these ports.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub async fn central_at(&mut self, ports: &[u16]) -> anyhow::Result<()> {
        let ended = self.central.stop().await?;
        ensure!(ended.code() == Some(0), "central ended with {ended}");
        let path = self.site.path("central/central.toml");
        let settings = std::fs::read_to_string(&path).context("read central's settings")?;
        let list: Vec<_> = ports
            .iter()
            .map(|port| format!("{{ host = \"localhost\", port = {port} }}"))
            .collect();
        let list = format!("endpoints = [{}]", list.join(", "));
        let lines = settings.lines().map(|line| {
            if line.starts_with("endpoints = ") {
                list.as_str()
            } else {
                line
            }
        });
        let settings: Vec<_> = lines.collect();
        std::fs::write(&path, settings.join("\n")).context("write central's settings")?;
        self.central = self.site.start_central().await?;
        Ok(())
    }

    /// Waits until central shows its link to the broker on this port as up or down; gives what it shows.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn link_to(&self, port: u16, is_up: bool) -> anyhow::Result<Value> {
        let name = format!("localhost:{port}");
        until("central's link", DEADLINE, async || {
            let mut answer = self.read("/api/v1/brokers").await?;
            let brokers = answer.get_mut("brokers").and_then(Value::as_array_mut);
            let mut brokers = brokers.context("read the brokers")?.drain(..);
            let found = brokers.find(|broker| {
                broker.get("broker").is_some_and(|at| *at == name)
                    && broker.get("is_up").is_some_and(|up| *up == is_up)
            });
            Ok(found)
        })
        .await
    }
}

impl Second {
    /// Starts it again.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self, world: &World) -> anyhow::Result<()> {
        self.broker.kill().await?;
        self.broker = mosquitto::start_in(&world.site, FOLDER, self.port).await?;
        Ok(())
    }
}
