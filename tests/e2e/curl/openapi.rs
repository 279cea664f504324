//! Every answer that `/api/v1/openapi.json` promises is had, with its status, its type and its required fields.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, ensure};
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_tests::curl::{Curl, Heard};
use loket_tests::world::{fixture, order, order_again};
use serde_json::Value;

use super::{ID, Office, bearer, job_of};

#[path = "records.rs"]
mod records;

/// Is off, so that its orders wait at central.
const OFF: &str = "desa-contoh-2";
/// Loses its journal.
const LOSES: &str = "desa-contoh-3";

/// A day of the machine that is on.
const DAY: &str = "?machine=desa-contoh-1&day=2026-11-27";

/// A job that never was.
const NONE: &str = "01890000-0000-7000-8000-000000000000";

/// Faults of central's disk and load and of slow lines, which nobody at the door can bring about.
const FAULTS: [&str; 4] = ["408", "500", "503", "507"];

/// A refusal of whoever holds the authority's certificate and is enrolled no more: central's own tests have it.
const STRANGERS: [(&str, &str); 2] = [
    ("/machine/v1/audit-key", "403"),
    ("/machine/v1/records/find", "403"),
];

/// Jobs at every turn that an answer may need.
struct Jobs {
    held: String,
    waiting: String,
    printed: String,
    lost: String,
}

/// One question, and what it must be answered with.
struct Ask {
    method: &'static str,
    /// As the description writes it.
    path: &'static str,
    status: u16,
    /// What stands for `{id}`, `{job}` or `{serial}`.
    id: String,
    query: &'static str,
    words: Vec<String>,
}

impl Ask {
    fn new(method: &'static str, path: &'static str, status: u16) -> Self {
        Self {
            method,
            path,
            status,
            id: String::new(),
            query: "",
            words: vec!["-X".to_owned(), method.to_uppercase()],
        }
    }

    fn of(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    fn by(self, token: &str) -> Self {
        self.with(&["-H", &bearer(token)])
    }

    fn with(mut self, words: &[&str]) -> Self {
        self.words
            .extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    async fn send(&self, curl: &Curl) -> anyhow::Result<Heard> {
        let path = self
            .path
            .replace("{id}", &self.id)
            .replace("{job}", &self.id)
            .replace("{serial}", &self.id);
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        curl.ask(&format!("{path}{}", self.query), &words).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_openapi_promises_is_given_as_it_says() -> anyhow::Result<()> {
    let office = Office::start().await?;
    let described = office.curl.ask("/api/v1/openapi.json", &[]).await?.json()?;
    let (station, _daemon) = office.station(ID).await?;
    let jobs = jobs(&office).await?;
    let documents = format!("https://localhost:{}", office.world.site.ports.documents);
    let authority = office.world.site.path("authority/authority.crt");
    let scratch = office.world.site.path("curl-machine");
    let machine = Curl::new(&documents, &authority, &scratch)?;
    let records = records::asks(&machine, &station.machine, &jobs, &scratch).await?;
    let sheets = records::asks_of_sheets(&office, &jobs)?;
    let list = Ask::new("get", "/api/v1/machines", 200).by(&office.world.tokens.it);
    let known = list.send(&office.curl).await?.json()?;
    let serial = known["trust"]["serial"]
        .as_u64()
        .context("a trust bundle")?;
    let mut asked = BTreeSet::new();
    // Last, because it ends a job that the others need.
    let path = "/api/v1/jobs/{id}/cancel";
    let end = Ask::new("post", path, 202)
        .of(&jobs.held)
        .by(&office.world.tokens.operator);
    let people = asks_of_documents(&office, &jobs)?
        .into_iter()
        .chain(asks_of_jobs(&office, &jobs))
        .chain(asks_of_the_rest(&office));
    for (curl, ask) in people
        .map(|ask| (&office.curl, ask))
        .chain(asks_of_machines(&station.machine, &jobs)?.map(|ask| (&machine, ask)))
        .chain(records.into_iter().map(|ask| (&machine, ask)))
        .chain(sheets.into_iter().map(|ask| (&office.curl, ask)))
        .chain(asks_of_trust(&office, &station.machine, serial).map(|ask| (&machine, ask)))
        .chain([(&office.curl, end)])
    {
        let heard = ask.send(curl).await?;
        judge(&described, &ask, &heard)?;
        asked.insert((ask.path, ask.method, ask.status.to_string()));
    }
    for (path, methods) in described["paths"].as_object().context("read the paths")? {
        for (method, operation) in methods.as_object().context("read the methods")? {
            // Pages are no contract; central's own tests hold them to what is said of them.
            if operation["tags"][0] == "console" {
                continue;
            }
            if !path.starts_with("/machine/") {
                refuses_other_methods(&described, (path, method), &office.curl).await?;
            }
            for status in operation["responses"].as_object().into_iter().flatten() {
                let is_asked = asked
                    .iter()
                    .any(|(at, by, with)| at == path && by == method && with == status.0);
                ensure!(
                    is_asked
                        || status.0 == "405"
                        || FAULTS.contains(&status.0.as_str())
                        || STRANGERS.contains(&(path.as_str(), status.0.as_str())),
                    "nobody asked for {method} {path} {}",
                    status.0
                );
            }
        }
    }
    // Without a certificate there is no door for machines at all.
    let blind = Ask::new("get", "/machine/v1/blobs/{job}", 0).of(&jobs.held);
    ensure!(blind.send(&machine).await.is_err());
    Ok(())
}

/// An address says of a method that it has not what the description says.
async fn refuses_other_methods(
    described: &Value,
    (path, method): (&str, &str),
    curl: &Curl,
) -> anyhow::Result<()> {
    let address = path.replace("{id}", NONE).replace("{job}", NONE);
    let heard = curl.ask(&address, &["-X", "DELETE"]).await?;
    let status = heard.status;
    ensure!(status == 405, "delete {path} is answered with {status}");
    ensure!(
        heard.json()?["code"] == "MethodNotAllowed"
            && !response(described, path, method, 405).is_null(),
        "{method} {path} 405 is not described"
    );
    Ok(())
}

/// A described response, looked up where it is told once for several.
fn response<'a>(described: &'a Value, path: &str, method: &str, status: u16) -> &'a Value {
    let response = &described["paths"][path][method]["responses"][status.to_string()];
    match response["$ref"].as_str() {
        None => response,
        Some(name) => {
            let name = name.rsplit('/').next().unwrap_or_default();
            &described["components"]["responses"][name]
        }
    }
}

/// Status, type and required fields are the described ones.
fn judge(described: &Value, ask: &Ask, heard: &Heard) -> anyhow::Result<()> {
    let what = format!("{} {}{} {}", ask.method, ask.path, ask.query, ask.status);
    ensure!(
        heard.status == ask.status,
        "{what}: {} {}",
        heard.status,
        heard.text()
    );
    let response = response(described, ask.path, ask.method, ask.status);
    let content = response["content"].as_object();
    let content = content.with_context(|| format!("{what} is not described"))?;
    let kind = heard.content_type();
    let body = content
        .get(kind)
        .with_context(|| format!("{what} came as {kind}"))?;
    if kind != "application/json" {
        return Ok(());
    }
    let heard = heard.json()?;
    let schema = match body["schema"]["$ref"].as_str() {
        Some(name) => {
            let name = name.rsplit('/').next().unwrap_or_default();
            &described["components"]["schemas"][name]
        }
        None => &body["schema"],
    };
    let required = schema["required"].as_array().into_iter().flatten();
    for field in required.filter_map(Value::as_str) {
        ensure!(heard.get(field).is_some(), "{what} lacks {field}: {heard}");
    }
    if ask.status >= 400 {
        let is_coded = heard["code"].is_string() && heard["message"].is_string();
        ensure!(is_coded, "{what} has no code: {heard}");
    }
    Ok(())
}

async fn jobs(office: &Office) -> anyhow::Result<Jobs> {
    let machine = office.world.station(OFF, &[]).await?;
    drop(machine);
    let mut previous: Option<String> = None;
    let mut made = Vec::new();
    let (loses, mut daemon) = office.station(LOSES).await?;
    for (machine, release, state) in [
        (ID, "officer", "held"),
        (OFF, "now", "created"),
        (ID, "now", "printed"),
        (LOSES, "officer", "held"),
    ] {
        let order = order_again(machine, "KK-1", release, previous.as_deref());
        let job = job_of(&office.hand_in(SAMPLE_KK, &order, &[]).await?)?;
        office.job_in(&job, state).await?;
        previous = Some(job.clone());
        made.push(job);
    }
    daemon.kill().await?;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let path = loses.machine.home.join("state").join(name);
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    let _daemon = office.world.site.start_machine(&loses.machine)?;
    let [held, waiting, printed, lost] =
        <[String; 4]>::try_from(made).map_err(|_few| anyhow::anyhow!("make four jobs"))?;
    office.job_in(&lost, "unknown").await?;
    Ok(Jobs {
        held,
        waiting,
        printed,
        lost,
    })
}

fn asks_of_documents(office: &Office, jobs: &Jobs) -> anyhow::Result<Vec<Ask>> {
    let tokens = &office.world.tokens;
    let order_part = |name: &str, order: &str| {
        let file = office.world.site.path(&format!("curl/{name}.json"));
        fs::write(&file, order)?;
        anyhow::Ok(format!("order=@{};type=application/json", text(&file)))
    };
    let document_part = |name: &str, bytes: &[u8]| {
        let file = office.world.site.path(&format!("curl/{name}.pdf"));
        fs::write(&file, bytes)?;
        anyhow::Ok(format!("document=@{};type=application/pdf", text(&file)))
    };
    let plain = order_part("plain", &order(OFF, "KK-2", "now", None))?;
    let again = order_part("again", &order_again(OFF, "KK-3", "now", Some(&jobs.lost)))?;
    let good = document_part("good", SAMPLE_KK)?;
    let altered = document_part("altered", &fixture("kk-sample-altered.pdf")?)?;
    let large = document_part("large", &vec![b'%'; 9 * 1024 * 1024])?;
    let path = "/api/v1/documents";
    let ask = |status, document: &str, order: &str| {
        Ask::new("post", path, status).with(&["-F", document, "-F", order])
    };
    Ok(vec![
        ask(201, &good, &again).by(&tokens.operator),
        Ask::new("post", path, 400)
            .by(&tokens.operator)
            .with(&["-d", "{}"]),
        ask(401, &good, &plain),
        ask(401, &good, &plain).by("geheim"),
        ask(403, &good, &plain).by(&tokens.it),
        ask(403, &good, &plain).by(&tokens.auditor),
        ask(409, &good, &plain).by(&tokens.operator),
        ask(413, &large, &plain).by(&tokens.operator),
        ask(422, &altered, &plain).by(&tokens.operator),
    ])
}

fn asks_of_jobs(office: &Office, jobs: &Jobs) -> Vec<Ask> {
    let tokens = &office.world.tokens;
    let (operator, it, auditor) = (&tokens.operator, &tokens.it, &tokens.auditor);
    let (job, history) = ("/api/v1/jobs/{id}", "/api/v1/jobs/{id}/history");
    let cancel = |status| Ask::new("post", "/api/v1/jobs/{id}/cancel", status);
    let answer = |status, word| {
        let body = format!("{{\"answer\":\"{word}\"}}");
        Ask::new("post", "/api/v1/jobs/{id}/answer", status).with(&[
            "-H",
            "Content-Type: application/json",
            "-d",
            &body,
        ])
    };
    vec![
        Ask::new("get", "/api/v1/jobs", 200).by(it),
        Ask::new("get", "/api/v1/jobs", 400)
            .by(it)
            .query("?state=hilang"),
        Ask::new("get", "/api/v1/jobs", 401),
        Ask::new("get", job, 200).by(it).of(&jobs.held),
        Ask::new("get", job, 401).of(&jobs.held),
        Ask::new("get", job, 404).by(it).of(NONE),
        Ask::new("get", job, 404).by(it).of("bukan-nomor"),
        Ask::new("get", job, 400).by(it).of("%FF"),
        Ask::new("get", history, 200).by(auditor).of(&jobs.held),
        Ask::new("get", history, 401).of(&jobs.held),
        Ask::new("get", history, 404).by(auditor).of(NONE),
        Ask::new("get", history, 400).by(auditor).of("%FF"),
        cancel(400).by(operator).of("%FF"),
        cancel(401).of(&jobs.waiting),
        cancel(403).by(it).of(&jobs.waiting),
        cancel(404).by(operator).of(NONE),
        cancel(409).by(operator).of(&jobs.printed),
        cancel(200).by(operator).of(&jobs.waiting),
        answer(400, "entahlah").by(operator).of(&jobs.lost),
        answer(413, &"x".repeat(20_000)).by(operator).of(&jobs.lost),
        answer(401, "printed").of(&jobs.lost),
        answer(403, "printed").by(auditor).of(&jobs.lost),
        answer(404, "printed").by(operator).of(NONE),
        answer(409, "printed").by(operator).of(&jobs.printed),
        answer(200, "printed").by(operator).of(&jobs.lost),
    ]
}

fn asks_of_the_rest(office: &Office) -> Vec<Ask> {
    let tokens = &office.world.tokens;
    let (operator, it, auditor) = (&tokens.operator, &tokens.it, &tokens.auditor);
    let (history, verdict) = ("/api/v1/history", "/api/v1/history/verdict");
    let write_off = |status| Ask::new("post", "/api/v1/machines/{id}/write-off", status);
    let day = |status| Ask::new("get", "/api/v1/reports/day", status);
    vec![
        Ask::new("get", history, 200).by(auditor),
        Ask::new("get", history, 400)
            .by(auditor)
            .query("?from=awal"),
        Ask::new("get", history, 401),
        Ask::new("get", history, 403).by(operator),
        Ask::new("get", verdict, 200).by(auditor),
        Ask::new("get", verdict, 401),
        Ask::new("get", verdict, 403).by(operator),
        day(200).by(auditor).query(DAY),
        day(200).by(it).query(DAY).with(&["-H", "Accept: text/csv"]),
        day(200)
            .by(it)
            .query(DAY)
            .with(&["-H", "Accept: application/pdf"]),
        day(400).by(it),
        day(401).query(DAY),
        day(403).by(operator).query(DAY),
        day(422).by(it).query("?machine=desa-lain-9&day=2026-11-27"),
        Ask::new("get", "/api/v1/machines", 200).by(it),
        Ask::new("get", "/api/v1/machines", 401),
        Ask::new("get", "/api/v1/brokers", 200).by(it),
        Ask::new("get", "/api/v1/brokers", 401),
        write_off(400).by(it).of("%FF"),
        write_off(401).of(OFF),
        write_off(403).by(operator).of(OFF),
        write_off(409).by(it).of(ID),
        write_off(422).by(it).of("desa-lain-9"),
        write_off(200).by(it).of(OFF),
        Ask::new("get", "/api/v1/openapi.json", 200),
        Ask::new("get", "/metrics", 200).by(it),
        Ask::new("get", "/metrics", 401),
        Ask::new("get", "/healthz", 200),
    ]
}

/// The words that make curl the machine.
fn as_machine(machine: &Machine) -> anyhow::Result<[String; 4]> {
    let identity = machine.home.join("state/identity");
    let install: Value = serde_json::from_slice(&fs::read(identity.join("install.json"))?)?;
    let pem = install["certificate_pem"].as_str();
    let certificate = machine.home.join("machine.crt");
    fs::write(&certificate, pem.context("read a certificate")?)?;
    let (certificate, key) = (text(&certificate), text(&identity.join("tls.key.pem")));
    Ok(["--cert".to_owned(), certificate, "--key".to_owned(), key])
}

/// What a machine asks the listener for machines about documents, by the certificate of its own.
fn asks_of_machines(
    machine: &Machine,
    jobs: &Jobs,
) -> anyhow::Result<impl Iterator<Item = Ask> + use<>> {
    let own = as_machine(machine)?;
    let ask = move |status, job: &str| {
        Ask::new("get", "/machine/v1/blobs/{job}", status)
            .of(job)
            .with(&own.each_ref().map(String::as_str))
    };
    Ok([
        ask(200, &jobs.held),
        ask(206, &jobs.held).with(&["-r", "10-19"]),
        ask(403, &jobs.waiting),
        ask(400, "%FF"),
        ask(404, NONE),
        ask(410, &jobs.printed),
        ask(416, &jobs.held).with(&["-r", "99999999-"]),
    ]
    .into_iter())
}

/// What a machine asks of the trust bundle, and central's own certificate instead of a machine's.
fn asks_of_trust(
    office: &Office,
    machine: &Machine,
    serial: u64,
) -> impl Iterator<Item = Ask> + use<> {
    let identity = machine.home.join("state/identity/tls.key.pem");
    let (own, own_key) = (text(&machine.home.join("machine.crt")), text(&identity));
    let at = |name: &str| text(&office.world.site.path(name));
    let (other, other_key) = (at("central/central.crt"), at("central/central.key"));
    let serial = serial.to_string();
    let ask = move |status, serial: &str, (certificate, key): (&str, &str)| {
        Ask::new("get", "/machine/v1/trust/{serial}", status)
            .of(serial)
            .with(&["--cert", certificate, "--key", key])
    };
    let own = (own.as_str(), own_key.as_str());
    [
        ask(200, &serial, own),
        ask(206, &serial, own).with(&["-r", "10-19"]),
        ask(400, "%FF", own),
        ask(403, &serial, (other.as_str(), other_key.as_str())),
        ask(410, "1", own),
        ask(416, &serial, own).with(&["-r", "99999999-"]),
    ]
    .into_iter()
}
