//! Who may talk to whom: brokers by the authority's certificate, people and systems by token and role.

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, OFFICE, Site, text};
use loket_tests::faketime::with_clock;
use loket_tests::look::{Numbers, until};
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, World, order, order_again, programs};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// Each side calls again within a second: so many calls are several rounds of both.
const CALLS: usize = 8;

async fn said(running: &Running, words: &str) -> anyhow::Result<()> {
    until(&format!("'{words}' in a log"), DEADLINE, async || {
        let log = std::fs::read_to_string(running.log())?;
        Ok(log.contains(words).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_another_authority_is_refused_by_machine_and_central() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    // The same name on the same port, and it would let everybody in; only its certificate is another authority's.
    let elsewhere = tempfile::tempdir()?;
    let foreign = Site::prepare(elsewhere.path(), programs(Build::Plain)?, &[]).await?;
    let own = |name: &str| world.site.path(&format!("broker/{name}"));
    let mut kept = Vec::new();
    for name in ["broker.crt", "broker.key"] {
        kept.push((own(name), std::fs::read(own(name))?));
        std::fs::copy(foreign.path(&format!("broker/{name}")), own(name))?;
    }
    world.broker.kill().await?;
    let from = std::fs::read_to_string(world.broker.log())?.len();
    world.broker = mosquitto::start(&world.site).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    until("calls of both sides", DEADLINE, async || {
        let log = std::fs::read_to_string(world.broker.log())?;
        let new = log.get(from..).unwrap_or_default();
        Ok((new.matches("New connection from").count() >= CALLS).then_some(()))
    })
    .await?;
    said(&daemon, "UnknownIssuer").await?;
    said(&world.central, "UnknownIssuer").await?;
    let health = world.read("/healthz").await?;
    ensure!(health["link_up"] == false, "{health}");
    ensure!(world.wait(&job, &["created"]).await?["offer_count"] == 0);
    ensure!(station.printed().await?.sheets == 0);

    for (path, bytes) in kept {
        std::fs::write(path, bytes)?;
    }
    world.wipe_broker().await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// Status and code of a call.
async fn call(
    world: &World,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> anyhow::Result<(u16, String)> {
    let answer = http::call(&world.site.api(), method, path, token).await?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    Ok((answer.status, code))
}

/// Makes a token, good for 7 days, by the command line.
async fn token(world: &World, central: &Program, name: &str) -> anyhow::Result<String> {
    let config = text(&world.site.path("central/central.toml"));
    let add = [
        "token", "add", "--config", &config, "--name", name, "--role", "operator", "--days", "7",
    ];
    let said = central.run(add).await?;
    let token = said.split_whitespace().last().context("read a token")?;
    Ok(token.to_owned())
}

const READ: [&str; 6] = [
    "/api/v1/jobs",
    "/api/v1/jobs/01890000-0000-7000-8000-000000000000",
    "/api/v1/machines",
    "/api/v1/history",
    "/api/v1/history/verdict",
    "/metrics",
];

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_every_door_of_central_is_shut() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let _station = world.station(ID, &[]).await?;
    let central = &world.site.programs.central;
    let last_week = with_clock(central.clone(), "-8d")?;
    let long_gone = token(&world, &last_week, "long-gone").await?;
    let called_back = token(&world, central, "called-back").await?;
    ensure!(call(&world, "GET", READ[0], Some(&called_back)).await?.0 == 200);
    let config = text(&world.site.path("central/central.toml"));
    let revoke = [
        "token",
        "revoke",
        "--config",
        &config,
        "--name",
        "called-back",
    ];
    central.run(revoke).await?;
    let listed = central.run(["token", "list", "--config", &config]).await?;
    for (name, end) in [
        ("demo-auditor", "\tauditor\tgood until 20"),
        ("long-gone", "\toperator\tended 20"),
        ("called-back", "\toperator\trevoked 20"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(name));
        let line = line.with_context(|| format!("list {name}"))?;
        ensure!(line[name.len()..].starts_with(end), "{line}");
    }
    ensure!(!listed.contains(&called_back), "a token is shown once");
    let altered = world.tokens.operator.replacen(
        char::is_alphanumeric,
        if world.tokens.operator.starts_with('A') {
            "B"
        } else {
            "A"
        },
        1,
    );
    let bad = [
        None,
        Some(""),
        Some("geheim"),
        Some(altered.as_str()),
        Some(long_gone.as_str()),
        Some(called_back.as_str()),
    ];
    let refused = (401, "NotSignedIn".to_owned());
    for token in bad {
        for path in READ {
            let answer = call(&world, "GET", path, token).await?;
            ensure!(answer == refused, "GET {path}: {answer:?}");
        }
        let path = "/api/v1/jobs/01890000-0000-7000-8000-000000000000/cancel";
        ensure!(call(&world, "POST", path, token).await? == refused);
        let order = order(ID, "KK-1", "now", None);
        let token = token.unwrap_or_default();
        let posted = http::post_document(&world.site.api(), token, SAMPLE_KK, &order, None).await?;
        ensure!(posted.status == 401, "{posted:?}");
        let console = http::call(&world.site.api(), "GET", "/", Some(token)).await?;
        let page = String::from_utf8_lossy(&console.body).into_owned();
        ensure!(!page.contains(ID), "the console shows machines: {page}");
    }
    ensure!(call(&world, "GET", "/healthz", None).await?.0 == 200);
    let jobs = world.read("/api/v1/jobs").await?;
    ensure!(jobs["jobs"].as_array().is_some_and(Vec::is_empty), "{jobs}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_do_its_own_work_and_no_other() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let _station = world.station(ID, &[]).await?;
    let tokens = &world.tokens;
    let job = world.order(ID, "KK-1", "now").await?;
    let forbidden = (403, "NotAllowed".to_owned());
    for token in [&tokens.it, &tokens.auditor] {
        let order = order(ID, "KK-2", "now", None);
        let posted = http::post_document(&world.site.api(), token, SAMPLE_KK, &order, None).await?;
        ensure!(posted.status == 403, "{posted:?}");
        let path = format!("/api/v1/jobs/{job}/cancel");
        ensure!(call(&world, "POST", &path, Some(token)).await? == forbidden);
    }
    // Who printed what is the IT team's to know; what happened to one job everybody's.
    for path in ["/api/v1/history", "/api/v1/history/verdict"] {
        let answer = call(&world, "GET", path, Some(&tokens.operator)).await?;
        ensure!(answer == forbidden, "{path}: {answer:?}");
        ensure!(call(&world, "GET", path, Some(&tokens.it)).await?.0 == 200);
    }
    let history = format!("/api/v1/jobs/{job}/history");
    for token in [&tokens.it, &tokens.operator, &tokens.auditor] {
        for path in ["/api/v1/jobs", "/api/v1/machines", "/metrics", &history] {
            ensure!(
                call(&world, "GET", path, Some(token)).await?.0 == 200,
                "{path}"
            );
        }
    }
    ensure!(world.read("/api/v1/history/verdict").await?["verdict"] == "intact");
    let path = format!("/api/v1/jobs/{job}/cancel");
    ensure!(call(&world, "POST", &path, Some(&tokens.operator)).await?.0 == 200);
    let seen = world.wait(&job, &["cancelled"]).await?;
    ensure!(seen["reason"] == "by-central", "{seen}");
    // Who did it stands in the history.
    world
        .history_with("who called it off", |row| {
            row["job_id"] == job.as_str()
                && row["actor"] == "token:demo-operator"
                && row["kind"] == "cancelled"
        })
        .await?;
    Ok(())
}

/// Longer ago than a machine's certificate lives.
const LONG_AGO: &str = "-200d";

/// Has a machine's keys certified again by the documented commands, and installs what comes.
async fn certify_again(world: &World, machine: &Machine) -> anyhow::Result<()> {
    let file = |name: &str| text(&machine.home.join(name));
    let (config, request, install) = (
        text(&machine.config()),
        file("again.json"),
        file("install-again.json"),
    );
    let authority = text(&world.site.path("authority"));
    let loketd = &world.site.programs.loketd;
    let ask = [
        "identity", "request", "--config", &config, "--out", &request,
    ];
    loketd.run(ask).await?;
    let enrol = [
        "enrol", &request, "--dir", &authority, "--kind", "machine", "--office", OFFICE, "--out",
        &install,
    ];
    world.site.programs.provision.run(enrol).await?;
    let install = ["identity", "install", "--config", &config, &install];
    loketd.run(install).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_certificate_has_ended_is_refused_says_so_and_works_again_with_a_new_one()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (_printer, uri) = world.site.start_printer("printer", &[]).await?;
    let mut site = world.site.clone();
    site.programs.provision = with_clock(site.programs.provision, LONG_AGO)?;
    let machine = site.machine(ID, &uri).await?;
    let mut daemon = world.site.start_machine(&machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    said(&daemon, "CertificateExpired").await?;
    said(&world.broker, "certificate verify failed").await?;
    world
        .machine_with("the machine away", ID, |machine| {
            machine["connectivity"] == "offline" && machine["is_enrolled"] == true
        })
        .await?;
    ensure!(world.wait(&job, &["created"]).await?["offer_count"] == 0);
    daemon.stop().await?;
    certify_again(&world, &machine).await?;
    let _daemon = world.site.start_machine(&machine)?;
    let seen = world.wait(&job, &["printed"]).await?;
    ensure!(seen["sheet_count"] == 1, "{seen}");
    Ok(())
}

/// What is left of a certificate when its machine is enrolled: time to start, to be linked and to print.
const LEFT_S: u64 = 25;

/// How long a machine's certificate lives: 180 days.
const LIFE_S: u64 = 180 * 86_400;

/// The connection that stands is not cut; what the end means shows at the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_while_its_machine_is_online_is_told_before_the_link_is_refused()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (_printer, uri) = world.site.start_printer("printer", &[]).await?;
    let mut site = world.site.clone();
    let then = format!("-{}", LIFE_S - LEFT_S);
    site.programs.provision = with_clock(site.programs.provision, &then)?;
    let machine = site.machine(ID, &uri).await?;
    let mut daemon = world.site.start_machine(&machine)?;
    let first = world.order(ID, "KK-1", "now").await?;
    world.wait(&first, &["printed"]).await?;
    world
        .machine_with("the certificate ended", ID, |machine| {
            let troubles = machine["heartbeat"]["troubles"].as_array();
            let is_told =
                troubles.is_some_and(|all| all.iter().any(|it| it == "certificate-ended"));
            is_told && machine["connectivity"] == "online"
        })
        .await?;

    // The line that stands is not cut; a new one is refused.
    daemon.stop().await?;
    world
        .machine_with("the machine late", ID, |machine| {
            machine["connectivity"] == "late"
        })
        .await?;
    let mut daemon = world.site.start_machine(&machine)?;
    said(&daemon, "CertificateExpired").await?;
    said(&world.broker, "certificate verify failed").await?;
    let next = order_again(ID, "KK-2", "now", Some(&first));
    let next = world.order_as(SAMPLE_KK, &next).await?;
    ensure!(world.wait(&next, &["created"]).await?["offer_count"] == 0);
    ensure!(world.machine(ID).await?["connectivity"] == "late");
    daemon.stop().await?;
    certify_again(&world, &machine).await?;
    let _daemon = world.site.start_machine(&machine)?;
    let seen = world.wait(&next, &["printed"]).await?;
    ensure!(seen["sheet_count"] == 1, "{seen}");
    Ok(())
}

/// Signs central's request as the authority would have, some years ago: `loket-provision` refuses such a clock.
fn certify_long_ago(world: &World) -> anyhow::Result<()> {
    let read = |name: &str| std::fs::read_to_string(world.site.path(name));
    let key = rcgen::KeyPair::from_pem(&read("authority/authority.key")?)?;
    let authority = rcgen::Issuer::from_ca_cert_pem(&read("authority/authority.crt")?, key)?;
    let request = read("central/request.pem")?;
    let mut request = rcgen::CertificateSigningRequestParams::from_pem(&request)?;
    request.params.not_before = rcgen::date_time_ymd(2023, 1, 1);
    request.params.not_after = rcgen::date_time_ymd(2024, 1, 1);
    request.params.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
        rcgen::ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let ended = request.signed_by(&authority)?.pem();
    std::fs::write(world.site.path("central/central.crt"), ended)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn central_whose_own_certificate_has_ended_says_so_keeps_its_doors_open_and_loses_nothing()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    world.central.stop().await?;
    let certificate = world.site.path("central/central.crt");
    let good = std::fs::read(&certificate)?;
    certify_long_ago(&world)?;
    world.central = world.site.start_central().await?;
    let job = world.order(ID, "KK-1", "now").await?;
    said(&world.central, "CertificateExpired").await?;
    let health = world.read("/healthz").await?;
    ensure!(health["link_up"] == false, "{health}");
    let numbers = Numbers::read(&world.site, &world.tokens.it).await?;
    // The first of January 2024.
    ensure!(numbers.of("loket_certificate_end_seconds") == 1_704_067_200);
    ensure!(world.wait(&job, &["created"]).await?["offer_count"] == 0);
    world.central.stop().await?;
    std::fs::write(&certificate, good)?;
    world.central = world.site.start_central().await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
