//! Central reads copies of the authority's records, carried by hand: what the commands tell to copy and delete is
//! what counts there.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, OFFICE, text};
use loket_tests::world::{Build, World, order_again};

const ID: &str = "desa-contoh-1";

/// A world whose central reads a folder of its own, as systemd/README.md sets it up.
struct Carried {
    world: World,
    authority: PathBuf,
    central: PathBuf,
}

impl Carried {
    async fn start() -> anyhow::Result<Self> {
        let mut world = World::start(Build::Plain, false).await?;
        let settings = world.site.path("central/central.toml");
        let before = std::fs::read_to_string(&settings)?;
        let after = before.replace("../authority/machines", "machines");
        ensure!(after != before);
        std::fs::write(&settings, after)?;
        let central = world.site.path("central/machines");
        std::fs::create_dir(&central)?;
        world.central.stop().await?;
        world.central = world.site.start_central().await?;
        let authority = world.site.path("authority");
        Ok(Self {
            world,
            authority,
            central: central.join(format!("{ID}.json")),
        })
    }

    /// Runs `loket-provision` on the authority's folder.
    async fn provision(&self, words: &[&str]) -> anyhow::Result<String> {
        let dir = text(&self.authority);
        let line = [words, &["--dir", &dir]].concat();
        self.world.site.programs.provision.run(line).await
    }

    /// Copies the machine's record from where a command said that it lies.
    fn carry(&self, said: &str) -> anyhow::Result<()> {
        let from = said.lines().find_map(|line| line.strip_prefix("Copy "));
        let from = from.and_then(|rest| rest.split(" to central").next());
        std::fs::copy(from.context("hear what to copy")?, &self.central)?;
        Ok(())
    }

    /// Status of an order, and its job.
    async fn order(&self, previous: Option<&str>) -> anyhow::Result<(u16, String)> {
        let (site, operator) = (&self.world.site, &self.world.tokens.operator);
        let order = order_again(ID, "KK-1", "now", previous);
        let posted = http::post_document(&site.api(), operator, SAMPLE_KK, &order, None).await?;
        let body: serde_json::Value = serde_json::from_slice(&posted.body)?;
        let job = body["job_id"].as_str().unwrap_or_default().to_owned();
        Ok((posted.status, job))
    }

    /// The key that central seals this machine's orders to.
    async fn key(&self) -> anyhow::Result<String> {
        Ok(self.world.machine(ID).await?["key_id"].to_string())
    }

    /// A computer's request, its answer in its folder, and what the authority's command said.
    async fn enrol(&self, machine: &Machine, more: &[&str]) -> anyhow::Result<String> {
        let at = |name: &str| text(&machine.home.join(name));
        let (config, request, install) = (text(&machine.config()), at("r.json"), at("i.json"));
        let loketd = &self.world.site.programs.loketd;
        let ask = [
            "identity", "request", "--config", &config, "--out", &request,
        ];
        loketd.run(ask).await?;
        let enrol = ["enrol", &request, "--kind", "machine", "--office", OFFICE];
        let line = [&enrol[..], &["--out", &install], more].concat();
        let said = self.provision(&line).await?;
        let install = ["identity", "install", "--config", &config, &install];
        loketd.run(install).await?;
        Ok(said)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn central_goes_by_the_copy_that_was_carried_to_it() -> anyhow::Result<()> {
    let carried = Carried::start().await?;
    let station = carried.world.station(ID, &[]).await?;
    let refused = carried.order(None).await?;
    ensure!(refused.0 == 422, "no record was carried: {refused:?}");
    let said = carried.enrol(&station.machine, &[]).await?;
    carried.carry(&said)?;
    let daemon = carried.world.site.start_machine(&station.machine)?;
    let (status, first) = carried.order(None).await?;
    ensure!(status == 201, "{status}");
    carried.world.wait(&first, &["printed"]).await?;
    drop(daemon);

    // A new disk: other keys. Central seals to the old ones until it has the new record.
    let home = carried.world.site.path("new-disk");
    std::fs::create_dir(&home)?;
    let new = Machine {
        id: ID.to_owned(),
        home,
    };
    std::fs::copy(station.machine.config(), new.config())?;
    let old_key = carried.key().await?;
    let said = carried.enrol(&new, &["--replace"]).await?;
    let again = carried.order(Some(&first)).await?;
    ensure!(carried.key().await? == old_key, "{again:?}");
    carried.carry(&said)?;
    let (status, second) = carried.order(Some(&again.1)).await?;
    ensure!(status == 201, "{status}");
    ensure!(carried.key().await? != old_key);

    // The authority alone changes nothing at central; the step that its command tells does.
    let said = carried.provision(&["revoke", ID]).await?;
    ensure!(said.contains(&format!("delete {ID}.json")), "{said}");
    let kept = carried.order(Some(&second)).await?;
    ensure!(kept.0 == 201, "{kept:?}");
    std::fs::remove_file(&carried.central)?;
    let refused = carried.order(Some(&kept.1)).await?;
    ensure!(refused.0 == 422, "{refused:?}");
    Ok(())
}
