//! Orders flow while broker or machines are killed at random moments; when the faults are over, each order is one
//! sheet.
//!
//! A random moment is a random count of central's own numbers, then a random number of further looks at them: a run
//! with the same seed kills at the same points of the work, whatever the machine's speed.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::Site;
use loket_tests::look::{Numbers, until};
use loket_tests::mosquitto;
use loket_tests::seed::Seeded;
use loket_tests::tally::Crashes;
use loket_tests::world::{Build, Station, World, order_again};

/// Ends a hung run; a warm one takes 25 s on two cores.
const DEADLINE: Duration = Duration::from_secs(120);

/// Kills lie in this part of the work, so that the last ones still meet work to disturb.
const KILLS_WITHIN_PERCENT: u64 = 95;

/// Looks after a count was reached, at most: some two round trips of an order.
const MAX_FURTHER_LOOKS: u64 = 12;

/// A station at work.
#[derive(Debug)]
struct Post {
    station: Station,
    daemon: Running,
}

/// What is counted to find a moment. Each reaches the number of orders at the latest when all is printed.
#[derive(Debug, Clone, Copy)]
enum Count {
    Taken,
    Offered,
    Fetched,
    Printed,
}

const COUNTS: [Count; 4] = [Count::Taken, Count::Offered, Count::Fetched, Count::Printed];

impl Count {
    fn of(self, numbers: &Numbers) -> u64 {
        match self {
            Self::Taken => numbers.of("loket_documents_taken_total"),
            Self::Offered => numbers.of("loket_offers_total"),
            Self::Fetched => numbers.of("loket_fetches_total"),
            Self::Printed => numbers.jobs("printed"),
        }
    }
}

/// Moments of a run, in the order of the work.
#[derive(Debug)]
struct Moments {
    seeded: Seeded,
    moment_count: u64,
    order_count: u64,
}

impl Moments {
    /// Waits for the moment of this number.
    async fn pass(&mut self, world: &World, number: u64) -> anyhow::Result<()> {
        let parts = self.order_count * KILLS_WITHIN_PERCENT;
        let (from, to) = (number * parts, (number + 1) * parts);
        let scale = self.moment_count * 100;
        let goal = (from + self.seeded.below(to - from)) / scale;
        let count = self.seeded.pick(&COUNTS).context("pick a count")?;
        let what = format!("{count:?} at {goal}");
        until(&what, DEADLINE, async || {
            let numbers = numbers(world).await?;
            Ok((count.of(&numbers) >= goal).then_some(()))
        })
        .await?;
        for _look in 0..self.seeded.below(MAX_FURTHER_LOOKS) {
            numbers(world).await?;
        }
        Ok(())
    }
}

async fn numbers(world: &World) -> anyhow::Result<Numbers> {
    Numbers::read(&world.site, &world.tokens.auditor).await
}

/// The broker as `loket-provision` sets it up where nothing is said: it keeps nothing on disk.
#[tokio::test(flavor = "multi_thread")]
async fn orders_outlive_a_broker_without_a_database_that_is_killed() -> anyhow::Result<()> {
    let seeded = Seeded::new(20_261_122)?;
    let name = seeded.name();
    let mut world = World::start(Build::Plain, false).await?;
    let mut moments = Moments {
        seeded,
        moment_count: 6,
        order_count: 80,
    };
    let outcome = async {
        let posts = posts(&world, 5).await?;
        let (site, tokens) = (world.site.clone(), world.tokens.clone());
        let faults = async {
            for number in 0..moments.moment_count {
                moments.pass(&world, number).await?;
                world.wipe_broker().await?;
            }
            anyhow::Ok(())
        };
        let feed = hand_in(&site, &tokens.operator, 80, 5);
        let (jobs, ()) = tokio::try_join!(feed, faults)?;
        check(&world, &posts, &jobs).await
    };
    outcome.await.context(name)
}

/// What a killed broker with a database comes back with.
#[derive(Debug, Clone, Copy)]
enum Return {
    /// What it wrote last: sessions and messages of some moments ago.
    AsOnDisk,
    /// Nothing.
    Wiped,
    /// What it wrote once: orders long printed are delivered again, and central is said to be what it was.
    SetBack,
}

const RETURNS: [Return; 3] = [Return::SetBack, Return::Wiped, Return::AsOnDisk];

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_orders_outlive_a_broker_whose_database_is_wiped_or_set_back()
-> anyhow::Result<()> {
    let seeded = Seeded::new(20_261_125)?;
    let name = seeded.name();
    let mut world = World::start(Build::Plain, false).await?;
    world.keep_broker_database().await?;
    let mut moments = Moments {
        seeded,
        // Before each kill the broker writes its database once.
        moment_count: 24,
        order_count: 200,
    };
    let outcome = async {
        let posts = posts(&world, 5).await?;
        let (site, tokens) = (world.site.clone(), world.tokens.clone());
        let faults = async {
            let mut kept = Vec::new();
            for number in 0..moments.moment_count {
                moments.pass(&world, number).await?;
                if number % 2 == 0 {
                    kept.push(mosquitto::snapshot(&world.site, &world.broker).await?);
                    continue;
                }
                let turn = usize::try_from(number / 2)?;
                match RETURNS.iter().cycle().nth(turn).context("pick a return")? {
                    Return::AsOnDisk => world.restart_broker().await?,
                    Return::Wiped => world.wipe_broker().await?,
                    Return::SetBack => {
                        let which = moments.seeded.below(u64::try_from(kept.len())?);
                        let once = kept.get(usize::try_from(which)?);
                        let once = once.context("pick a database")?;
                        world.set_broker_back(once).await?;
                    }
                }
            }
            anyhow::Ok(())
        };
        let feed = hand_in(&site, &tokens.operator, 200, 5);
        let (jobs, ()) = tokio::try_join!(feed, faults)?;
        check(&world, &posts, &jobs).await
    };
    outcome.await.context(name)
}

/// Kills of the run.
const KILLS: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn forty_orders_outlive_machines_that_are_killed_twenty_times() -> anyhow::Result<()> {
    let seeded = Seeded::new(20_261_123)?;
    let name = seeded.name();
    kill_machines(seeded, &Crashes::default())
        .await
        .context(name)
}

async fn kill_machines(seeded: Seeded, tally: &Crashes) -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let mut moments = Moments {
        seeded,
        moment_count: KILLS,
        order_count: 40,
    };
    let mut posts = posts(&world, 3).await?;
    let faults = async {
        for number in 0..moments.moment_count {
            moments.pass(&world, number).await?;
            let victim = usize::try_from(moments.seeded.below(3))?;
            let post = posts.get_mut(victim).context("pick a machine")?;
            post.daemon.kill().await?;
            tally.kill();
            for _look in 0..moments.seeded.below(MAX_FURTHER_LOOKS) {
                numbers(&world).await?;
            }
            post.daemon = world.site.start_machine(&post.station.machine)?;
        }
        anyhow::Ok(())
    };
    let feed = hand_in(&world.site, &world.tokens.operator, 40, 3);
    let (jobs, ()) = tokio::try_join!(feed, faults)?;
    let checked = check(&world, &posts, &jobs).await;
    for (job, _machine) in &jobs {
        let seen = world.site.job(&world.tokens.auditor, job).await?;
        tally.job(seen["state"].as_str().unwrap_or_default());
    }
    for post in &posts {
        let machine = &post.station.machine.id;
        let its = jobs.iter().filter(|(_job, at)| at == machine).count();
        tally.sheets(post.station.printed().await?.sheets, u64::try_from(its)?);
    }
    checked
}

async fn posts(world: &World, count: usize) -> anyhow::Result<Vec<Post>> {
    let mut posts = Vec::new();
    for number in 0..count {
        let station = world.station(&id(number), &[]).await?;
        let daemon = world.site.start_machine(&station.machine)?;
        posts.push(Post { station, daemon });
    }
    Ok(posts)
}

fn id(number: usize) -> String {
    format!("desa-{number}-rendam")
}

/// Hands one order after another in, each for the next machine; gives each job with its machine.
///
/// The sample is one document, so each order names the one before as what it prints again.
async fn hand_in(
    site: &Site,
    token: &str,
    count: usize,
    machine_count: usize,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut jobs: Vec<(String, String)> = Vec::with_capacity(count);
    for number in 0..count {
        let machine = id(number % machine_count);
        let previous = jobs.last().map(|(job, _machine)| job.as_str());
        let order = order_again(&machine, &format!("KK-{number}"), "now", previous);
        let answer = http::post_document(&site.api(), token, SAMPLE_KK, &order, None).await?;
        let taken = answer.json().with_context(|| format!("order {number}"))?;
        let job = taken["job_id"].as_str().context("read job_id")?;
        jobs.push((job.to_owned(), machine));
    }
    Ok(jobs)
}

/// Every order is one sheet of the very bytes at its own machine, and central knows.
async fn check(world: &World, posts: &[Post], jobs: &[(String, String)]) -> anyhow::Result<()> {
    let all = u64::try_from(jobs.len())?;
    let printed = until("every job printed", DEADLINE, async || {
        let numbers = numbers(world).await?;
        for state in ["unknown", "failed", "rejected", "expired", "cancelled"] {
            ensure!(numbers.jobs(state) == 0, "a job is {state}");
        }
        Ok((numbers.jobs("printed") == all).then_some(()))
    });
    if let Err(error) = printed.await {
        return Err(error.context(left_over(world, jobs).await?));
    }
    let numbers = numbers(world).await?;
    for count in [
        "loket_reports_lost_total",
        "loket_reports_quarantined_total",
    ] {
        ensure!(numbers.of(count) == 0, "{count} is {}", numbers.of(count));
    }
    for post in posts {
        let machine = &post.station.machine.id;
        let its = jobs.iter().filter(|(_job, at)| at == machine).count();
        let came_out = post.station.printed().await?;
        ensure!(
            came_out.sheets == u64::try_from(its)? && came_out.digests.len() == its,
            "{machine}: {} sheets of {its} orders",
            came_out.sheets
        );
    }
    for (job, _machine) in jobs {
        let seen = world.site.job(&world.tokens.auditor, job).await?;
        ensure!(
            seen["state"] == "printed" && seen["sheet_count"] == 1,
            "{seen}"
        );
    }
    Ok(())
}

/// The jobs that are not printed, for a person to look into.
async fn left_over(world: &World, jobs: &[(String, String)]) -> anyhow::Result<String> {
    let mut left = Vec::new();
    for (job, _machine) in jobs {
        let seen = world.site.job(&world.tokens.auditor, job).await?;
        if seen["state"] != "printed" {
            left.push(seen.to_string());
        }
    }
    Ok(format!("left over: {}", left.join("\n")))
}
