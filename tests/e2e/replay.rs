//! What somebody at the broker can do with what he heard: nothing on paper. And what a revoked machine can do: nothing.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::text;
use loket_tests::look::until;
use loket_tests::spy::{Passed, Spy};
use loket_tests::world::{Build, DEADLINE, World, order, order_again};

const ID: &str = "desa-contoh-1";

fn order_topic(id: &str) -> String {
    format!("loket/v1/{id}/cmd/print")
}

/// The order of a job as it passed the broker.
async fn heard(spy: &Spy, job: &str) -> anyhow::Result<Passed> {
    let topic = order_topic(ID);
    spy.hear("the order", |passed| {
        passed.topic == topic && passed.body().to_string().contains(job)
    })
    .await
}

/// The highest number of a report that says a job is printed.
fn told_printed(spy: &Spy, job: &str) -> anyhow::Result<Option<u64>> {
    let passed = spy.passed()?;
    let reports = passed
        .iter()
        .filter(|passed| passed.topic.ends_with("/evt/job"))
        .map(Passed::body)
        .filter(|body| body["report"]["job_id"] == job && body["report"]["state"] == "printed");
    Ok(reports.filter_map(|body| body["seq"].as_u64()).max())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_said_again_after_it_was_printed_makes_no_second_sheet() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let spy = Spy::start(&mut world).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let again = heard(&spy, &job).await?;
    for restart in [false, true] {
        if restart {
            daemon.stop().await?;
            daemon = world.site.start_machine(&station.machine)?;
        }
        let told = told_printed(&spy, &job)?;
        spy.say(&again.topic, &again.payload).await?;
        // The very order is a redelivery: it is answered with the job's present state, under a new number.
        until("the state told again", DEADLINE, async || {
            Ok((told_printed(&spy, &job)? > told).then_some(()))
        })
        .await?;
    }
    let next = order_again(ID, "KK-2", "now", Some(&job));
    let next = world.order_as(SAMPLE_KK, &next).await?;
    world.wait(&next, &["printed"]).await?;
    ensure!(world.wait(&job, &["printed"]).await?["sheet_count"] == 1);
    ensure!(station.printed().await?.sheets == 2, "one sheet a job");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_an_altered_byte_or_for_another_machine_is_set_aside_and_central_knows()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let spy = Spy::start(&mut world).await?;
    let station = world.station(ID, &[]).await?;
    let other = world.station("desa-contoh-2", &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let _other = world.site.start_machine(&other.machine)?;
    let job = world.order(ID, "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    let heard = heard(&spy, &job).await?;
    let set_aside = async |id: &str, code: &str| {
        world
            .history_with("the order set aside", |row| {
                row["kind"] == "command-set-aside"
                    && row["machine"] == id
                    && row["body"]["code"] == code
            })
            .await
    };
    // Every part of the frame: the signed body, the signature, the version, the shape.
    let frame: serde_json::Value = serde_json::from_str(&heard.payload)?;
    let flipped = |key: &str| -> anyhow::Result<String> {
        let text = frame[key].as_str().context("read a frame")?;
        let (at, old) = text.char_indices().nth(40).context("read a frame")?;
        let new = if old == 'A' { "B" } else { "A" };
        let mut text = text.to_owned();
        text.replace_range(at..=at, new);
        let mut frame = frame.clone();
        frame[key] = text.into();
        Ok(frame.to_string())
    };
    for (payload, code) in [
        (flipped("body")?, "W-104"),
        (flipped("sig")?, "W-104"),
        (heard.payload.replacen("\"v\":1", "\"v\":9", 1), "W-103"),
        (heard.payload.replacen('{', "[", 1), "W-102"),
    ] {
        spy.say(&heard.topic, &payload).await?;
        set_aside(ID, code).await?;
    }
    spy.say(&order_topic("desa-contoh-2"), &heard.payload)
        .await?;
    set_aside("desa-contoh-2", "W-104").await?;
    // None of it has touched the job that is held.
    let config = text(&station.machine.config());
    let release = ["job", "release", &job, "--by", "wati", "--config", &config];
    world.site.programs.loketd.run(release).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    ensure!(other.printed().await?.sheets == 0);
    Ok(())
}

/// Waits until a log says `words` after the first `from` bytes.
async fn logged(running: &Running, from: usize, words: &str) -> anyhow::Result<String> {
    until(&format!("'{words}' in a log"), DEADLINE, async || {
        let log = std::fs::read_to_string(running.log())?;
        let new = log.get(from..).unwrap_or_default();
        Ok(new.contains(words).then(|| new.to_owned()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_machine_loses_its_voice_at_once_and_cannot_come_back() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let pid = world.broker.pid().context("find the broker")?.to_string();
    let authority = text(&world.site.path("authority"));
    let revoke = ["revoke", ID, "--dir", &authority, "--pid", &pid];
    world.site.programs.provision.run(revoke).await?;
    // Its open session has no voice any more: what its printer tells does not reach central.
    station.turn("/control", r#"{"door_open": true}"#).await?;
    logged(&daemon, 0, "the broker refused a topic").await?;
    let machine = world.machine(ID).await?;
    ensure!(machine["is_enrolled"] == false, "{machine}");
    ensure!(
        !machine["devices"].to_string().contains("door"),
        "{machine}"
    );
    let last_seen = machine["last_seen"].clone();
    // Central takes no order for it.
    let order = order(ID, "KK-2", "now", None);
    let at = world.site.api();
    let answer = http::post_document(&at, &world.tokens.operator, SAMPLE_KK, &order, None).await?;
    let said: serde_json::Value = serde_json::from_slice(&answer.body)?;
    ensure!(
        answer.status == 422 && said["code"] == "MachineUnknown",
        "{said}"
    );
    // Nor does a new session begin.
    daemon.stop().await?;
    let from = std::fs::read_to_string(daemon.log())?.len();
    daemon = world.site.start_machine(&station.machine)?;
    let new = logged(&daemon, from, "is down; trying again").await?;
    ensure!(new.to_lowercase().contains("revoked"), "{new}");
    ensure!(!new.contains("linked to central's broker"), "{new}");
    let machine = world.machine(ID).await?;
    ensure!(machine["last_seen"] == last_seen, "{machine}");
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
