//! Central's doors as another program sees them: Debian's curl over TLS, with files and command lines.

mod openapi;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::text;
use loket_tests::curl::{Curl, Heard};
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World, fixture, order};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// A site whose central speaks TLS to people too, and curl.
struct Office {
    world: World,
    curl: Curl,
}

impl Office {
    async fn start() -> anyhow::Result<Self> {
        let mut world = World::start(Build::Plain, false).await?;
        world.central.stop().await?;
        let config = world.site.path("central/central.toml");
        let settings = std::fs::read_to_string(&config)?;
        let tls = "[api]\ncertificate = \"central.crt\"\nkey = \"central.key\"\n";
        ensure!(settings.contains("[api]\n"), "find the API's settings");
        let settings = settings.replace("[api]\n", tls);
        // The last table is that of the timings; a machine is written off without an hour of listening.
        std::fs::write(&config, settings + "listened_ms = 0\n")?;
        let config = text(&config);
        let command = world
            .site
            .programs
            .central
            .command(["run", "--config", &config]);
        world.central = Running::start("central", command, &world.site.path("logs"))?;
        let port = world.site.ports.api;
        world.site.wait_for_port(&mut world.central, port).await?;
        let base = format!("https://localhost:{port}");
        let authority = world.site.path("authority/authority.crt");
        let curl = Curl::new(&base, &authority, &world.site.path("curl"))?;
        Ok(Self { world, curl })
    }

    async fn station(&self, id: &str) -> anyhow::Result<(Station, Running)> {
        let station = self.world.station(id, &[]).await?;
        let daemon = self.world.site.start_machine(&station.machine)?;
        Ok((station, daemon))
    }

    /// Keeps bytes as a file, and gives the words with which curl sends it as a part of a form.
    fn part(&self, name: &str, kind: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let file: PathBuf = self.world.site.path(&format!("curl/{name}"));
        std::fs::write(&file, bytes)?;
        Ok(format!("{name}=@{};type={kind}", text(&file)))
    }

    async fn hand_in(&self, document: &[u8], order: &str, more: &[&str]) -> anyhow::Result<Heard> {
        let document = self.part("document", "application/pdf", document)?;
        let order = self.part("order", "application/json", order.as_bytes())?;
        let token = bearer(&self.world.tokens.operator);
        let mut words = vec!["-H", &token, "-F", &document, "-F", &order];
        words.extend(more);
        self.curl.ask("/api/v1/documents", &words).await
    }

    async fn read(&self, path: &str, token: &str) -> anyhow::Result<Heard> {
        self.curl.ask(path, &["-H", &bearer(token)]).await
    }

    /// Waits until a job is in a state, and gives it.
    async fn job_in(&self, job: &str, state: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/jobs/{job}");
        let token = &self.world.tokens.auditor;
        until(&format!("a job {state}"), DEADLINE, async || {
            let heard = self.read(&path, token).await?.json()?;
            Ok((heard["state"] == state).then_some(heard))
        })
        .await
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

fn job_of(heard: &Heard) -> anyhow::Result<String> {
    ensure!(heard.status == 201, "{}: {}", heard.status, heard.text());
    let job = heard.json()?["job_id"].as_str().map(str::to_owned);
    job.context("read job_id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_handed_in_with_curl_over_tls_is_printed_once() -> anyhow::Result<()> {
    let office = Office::start().await?;
    let (station, _daemon) = office.station(ID).await?;
    let (order, key) = (order(ID, "KK-1", "now", None), "Idempotency-Key: kirim-1");
    let taken = office.hand_in(SAMPLE_KK, &order, &["-H", key]).await?;
    let job = job_of(&taken)?;
    ensure!(taken.content_type() == "application/json", "{taken:?}");
    ensure!(taken.header("location") == format!("/api/v1/jobs/{job}"));
    // The line broke and the sender cannot know: the same request is the same job.
    let again = office.hand_in(SAMPLE_KK, &order, &["-H", key]).await?;
    ensure!(job_of(&again)? == job);
    let other = fixture("kk-sample-bt.pdf")?;
    let refused = office.hand_in(&other, &order, &["-H", key]).await?;
    ensure!(refused.status == 422, "{refused:?}");
    ensure!(refused.json()?["code"] == "IdempotencyMismatch");
    let refused = office.hand_in(SAMPLE_KK, &order, &[]).await?;
    ensure!(refused.status == 409 && refused.json()?["detail"]["job_id"] == job.as_str());

    let seen = office.job_in(&job, "printed").await?;
    let revision = seen["revision_sha256"].as_str().unwrap_or_default();
    let printed = station.printed().await?;
    ensure!(
        printed.digests == [revision] && printed.sheets == 1,
        "{printed:?}"
    );

    let machines = office.read("/api/v1/machines", &office.world.tokens.it);
    let machines = machines.await?.json()?;
    let machine = &machines["machines"][0];
    ensure!(
        machine["machine"] == ID && machine["connectivity"] == "online",
        "{machines}"
    );
    let numbers = office.read("/metrics", &office.world.tokens.it).await?;
    let content_type = numbers.header("content-type");
    ensure!(
        content_type.starts_with("text/plain; version=0.0.4"),
        "{content_type}"
    );
    let numbers = numbers.text();
    for line in [
        "loket_jobs{state=\"printed\"} 1",
        "# TYPE loket_jobs gauge",
        "loket_documents_taken_total 1",
    ] {
        ensure!(numbers.lines().any(|found| found == line), "{line}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_authority_or_speaks_no_tls_gets_nothing() -> anyhow::Result<()> {
    let office = Office::start().await?;
    let port = office.world.site.ports.api;
    let curl = Program::at(std::path::Path::new("/usr/bin/curl"));
    for (url, code) in [
        // curl(1): 60 is no trust in the peer, 1 and 52 are an answer that is none.
        (format!("https://localhost:{port}/healthz"), [60, 60]),
        (format!("http://localhost:{port}/healthz"), [1, 52]),
    ] {
        let status = curl.command(["--silent", "--max-time", "60", &url]);
        let status = { status }
            .stdout(std::process::Stdio::null())
            .status()
            .await?;
        let ended = status.code().unwrap_or_default();
        ensure!(code.contains(&ended), "{url}: curl ended with {ended}");
    }
    ensure!(office.curl.ask("/healthz", &[]).await?.status == 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_form_gives_a_cookie_that_no_script_and_no_other_site_can_use()
-> anyhow::Result<()> {
    let office = Office::start().await?;
    let _station = office.station(ID).await?;
    let curl = &office.curl;
    until("a machine at central", DEADLINE, async || {
        let machines = office.read("/api/v1/machines", &office.world.tokens.it);
        Ok(machines.await?.text().contains(ID).then_some(()))
    })
    .await?;
    let (jar, token) = (
        text(&office.world.site.path("curl/jar")),
        format!("token={}", office.world.tokens.it),
    );
    let outside = curl.ask("/", &["-b", &jar]).await?;
    ensure!((300..400).contains(&outside.status) && outside.header("location") == "/login");
    let form = curl.ask("/login", &[]).await?;
    ensure!(form.status == 200 && form.content_type() == "text/html");
    let page = form.text();
    for part in ["method=\"post\"", "name=\"token\"", "type=\"password\""] {
        ensure!(page.contains(part), "{part}: {page}");
    }

    let refused = curl.ask("/login", &["-d", "token=geheim"]).await?;
    ensure!(refused.status == 401 && refused.header("set-cookie").is_empty());
    let signed_in = curl.ask("/login", &["-c", &jar, "-d", &token]).await?;
    ensure!((300..400).contains(&signed_in.status) && signed_in.header("location") == "/");
    let cookie = signed_in.header("set-cookie");
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    ensure!(
        attributes == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"],
        "{attributes:?}"
    );

    let inside = curl.ask("/", &["-b", &jar]).await?;
    ensure!(inside.status == 200 && inside.content_type() == "text/html");
    let machines = curl.ask("/?lihat=mesin", &["-b", &jar]).await?;
    ensure!(machines.text().contains(ID), "the console shows machines");
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        ensure!(inside.header(name).contains(part), "{name}");
    }
    let machines = curl.ask("/api/v1/machines", &["-b", &jar]).await?;
    ensure!(machines.status == 200, "the cookie is the token");

    let out = ["-b", &jar, "-c", &jar, "-X", "POST"];
    let signed_out = curl.ask("/logout", &out).await?;
    ensure!(signed_out.header("set-cookie").contains("Max-Age=0"));
    let outside = curl.ask("/", &["-b", &jar]).await?;
    ensure!(outside.header("location") == "/login");
    Ok(())
}
