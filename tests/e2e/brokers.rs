//! Two brokers: one dies, or central is not at it, and nothing is printed twice, lost or left lying.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_tests::look::{Numbers, until};
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};

const IDS: [&str; 2] = ["desa-contoh-1", "desa-contoh-2"];

/// Two stations that print, and what they printed so far.
struct Both {
    stations: Vec<(Station, Running)>,
    last: Option<String>,
    rounds: u64,
}

impl Both {
    async fn start(world: &World) -> anyhow::Result<Self> {
        let mut stations = Vec::new();
        for id in IDS {
            let station = world.station(id, &[]).await?;
            patient(&station)?;
            let daemon = world.site.start_machine(&station.machine)?;
            stations.push((station, daemon));
        }
        Ok(Self {
            stations,
            last: None,
            rounds: 0,
        })
    }

    /// One order for each; each is printed once, and nothing else is.
    async fn print(&mut self, world: &World) -> anyhow::Result<()> {
        self.rounds += 1;
        for id in IDS {
            let reference = format!("KK-{}-{}", self.rounds, id.len());
            let order = order_again(id, &reference, "now", self.last.as_deref());
            let job = world.order_as(SAMPLE_KK, &order).await?;
            world.wait(&job, &["printed"]).await?;
            self.last = Some(job);
        }
        for (station, _daemon) in &self.stations {
            let sheets = station.printed().await?.sheets;
            ensure!(sheets == self.rounds, "{sheets} sheets");
        }
        Ok(())
    }

    /// Waits until each is at the broker with this place in its list, on a connection after `from` others.
    async fn linked(&self, broker: u8, from: usize) -> anyhow::Result<()> {
        for (_station, daemon) in &self.stations {
            until("the machine at the broker", DEADLINE, async || {
                let places = places(daemon)?;
                let later = places.get(from..).unwrap_or_default();
                Ok(later.contains(&broker).then_some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// A broker without central is left after a minute or two: no restart of central in a test lasts as long.
fn patient(station: &Station) -> anyhow::Result<()> {
    let path = station.machine.config();
    let settings = std::fs::read_to_string(&path)?;
    let patient = settings.replace("backoff_max_ms = 500", "backoff_max_ms = 60000");
    ensure!(patient != settings, "the settings name another pause");
    std::fs::write(path, patient).context("write a machine's settings")
}

/// The brokers that a machine was linked to, in order.
fn places(daemon: &Running) -> anyhow::Result<Vec<u8>> {
    let log = std::fs::read_to_string(daemon.log())?;
    let linked = log
        .lines()
        .filter(|line| line.contains("linked to central's broker"));
    let places = linked.filter_map(|line| {
        let (_head, place) = line.split_once("broker=")?;
        place.split_whitespace().next()?.parse().ok()
    });
    Ok(places.collect())
}

async fn logged(daemon: &Running, words: &str) -> anyhow::Result<()> {
    until(words, DEADLINE, async || {
        let log = std::fs::read_to_string(daemon.log())?;
        Ok(log.contains(words).then_some(()))
    })
    .await
}

/// Nothing that a machine was told was refused there.
async fn nothing_set_aside(world: &World) -> anyhow::Result<()> {
    let history = world.read("/api/v1/history").await?;
    let rows = history["rows"].as_array().context("read the history")?;
    let aside = rows.iter().find(|row| row["kind"] == "command-set-aside");
    ensure!(aside.is_none(), "{aside:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_moves_its_machines_to_the_next_and_its_return_moves_nobody()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let second = world.second_broker().await?;
    let first = world.site.ports.broker;
    world.link_to(first, true).await?;
    world.link_to(second.port, true).await?;
    let mut both = Both::start(&world).await?;
    both.print(&world).await?;
    both.linked(0, 0).await?;

    world.broker.kill().await?;
    both.linked(1, 1).await?;
    both.print(&world).await?;
    let down = world.link_to(first, false).await?;
    ensure!(
        down["code"] == "B-102" && down["since"].is_string(),
        "{down}"
    );
    let numbers = Numbers::read(&world.site, &world.tokens.it).await?;
    let broker_up =
        |port: u16| numbers.of(&format!("loket_broker_up{{broker=\"localhost:{port}\"}}"));
    ensure!((broker_up(first), broker_up(second.port)) == (0, 1));
    ensure!(numbers.of("loket_link_up") == 1);
    let token = Some(world.tokens.it.as_str());
    let page = http::call(&world.site.api(), "GET", "/", token).await?;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    ensure!(
        page.contains(&format!("Pusat terputus dari broker localhost:{first}")),
        "{page}"
    );

    world.broker = mosquitto::start(&world.site).await?;
    world.link_to(first, true).await?;
    both.print(&world).await?;
    world.central_at(&[first, second.port]).await?;
    both.print(&world).await?;
    nothing_set_aside(&world).await?;
    for (_station, daemon) in &both.stations {
        let places = places(daemon)?;
        ensure!(places == [0, 1], "a machine that flaps: {places:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_goes_where_central_is() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let second = world.second_broker().await?;
    let first = world.site.ports.broker;
    let station = world.station(IDS[0], &[]).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    let mut last = None;
    // The first broker goes on; central is at the second alone, then at the first alone.
    for (at, words) in [
        (None, "broker=0"),
        (Some(second.port), "broker=1"),
        (Some(first), "B-101"),
    ] {
        if let Some(port) = at {
            world.central_at(&[port]).await?;
        }
        let order = order_again(IDS[0], "KK-1", "now", last.as_deref());
        let job = world.order_as(SAMPLE_KK, &order).await?;
        world.wait(&job, &["printed"]).await?;
        logged(&daemon, words).await?;
        last = Some(job);
    }
    ensure!(station.printed().await?.sheets == 3);

    // Wiped, the first broker keeps no word of central: it is absent there.
    world.central_at(&[second.port]).await?;
    world.wipe_broker().await?;
    let other = world.station(IDS[1], &[]).await?;
    let late = world.site.start_machine(&other.machine)?;
    let order = order_again(IDS[1], "KK-2", "now", last.as_deref());
    let job = world.order_as(SAMPLE_KK, &order).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(places(&late)?.first() == Some(&0), "{:?}", places(&late)?);
    ensure!(other.printed().await?.sheets == 1);
    nothing_set_aside(&world).await
}
