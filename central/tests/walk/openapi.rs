//! What `/api/v1/openapi.json` says and what a running central answers, held together in both directions.

use hyper::Method;
use loket_wire::topic::Channel;
use loket_wire::{Epoch, JobState, Report, Timestamp};
use serde_json::{Value, json};

use crate::client::Client;
use crate::described::{Ask, Described, NONE};
use crate::lost::without_an_hour_of_listening;
use crate::rig::{Rig, fixture};
use crate::trust::ask_for_trust;
use crate::{client_of, job_id, order};
use crate::{paper, records, stock};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What a test at the doors cannot bring about: a slow line, a broken or full store, a full house.
const FAULTS: [&str; 4] = ["408", "500", "503", "507"];

pub(crate) fn nobody(rig: &Rig) -> Client {
    Client {
        address: rig.api,
        token: String::new(),
        tls: None,
    }
}

pub(crate) async fn client_named(rig: &Rig, name: &str, role: &str) -> Client {
    Client {
        token: rig.token_named(name, role).await,
        ..nobody(rig)
    }
}

#[tokio::test]
async fn every_address_answers_the_methods_that_are_described_and_no_other() {
    let rig = Rig::start().await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let people = nobody(&rig);
    let machines = Client {
        address: machine.documents,
        tls: Some(machine.tls.clone()),
        ..people.clone()
    };
    let mut described = Described::by(&people).await;
    let document = described.document.clone();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let client = if path.starts_with("/machine/") {
            &machines
        } else {
            &people
        };
        let address = path.replace("{id}", NONE).replace("{job}", NONE);
        let address = address.replace("{serial}", "1");
        for method in METHODS {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = client.send(verb, &address, &[], Vec::new()).await;
            let is_described = methods.get(method).is_some();
            assert_eq!(answer.status != 405, is_described, "{method} {path}");
            let is_unknown = answer.status == 404 && answer.code() == "RouteUnknown";
            assert!(!is_unknown, "{method} {path} leads nowhere");
            if !is_described {
                // Every method of an address says the same of those that it has not.
                for described_method in methods.as_object().unwrap().keys() {
                    described.judge(path, described_method, &answer);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_answer_that_is_described_is_given_and_is_as_described() {
    let rig = Rig::start_with(without_an_hour_of_listening).await;
    let operator = client_of(&rig, "operator").await;
    let mut described = Described::by(&operator).await;
    let d = &mut described;
    let jobs = bring_jobs(&rig, &operator, d).await;
    ask_as_programs(&rig, &operator, &jobs, d).await;
    stock::ask_for_days(&rig, &operator, d).await;
    ask_as_people(&rig, &operator, &jobs, d).await;
    ask_as_machines(&jobs, d).await;
    let it = client_named(&rig, "paket", "it").await;
    ask_for_trust(&rig, &it, &jobs.machine.machine, d).await;
    records::ask_with_records(&rig, &jobs, d).await;
    paper::ask_about_sheets(&rig, &operator, &jobs, d).await;
    end_jobs(&rig, &operator, &jobs, d).await;
    let missing: Vec<_> = described
        .operations()
        .into_iter()
        .flat_map(|(path, method, operation)| {
            let statuses = operation["responses"].as_object().unwrap().keys();
            statuses.map(move |status| (path.clone(), method.clone(), status.clone()))
        })
        .filter(|(_path, _method, status)| !FAULTS.contains(&status.as_str()) && status != "405")
        .filter(|asked| !described.met.contains(asked))
        .collect();
    assert!(missing.is_empty(), "described and never met: {missing:#?}");
}

/// Jobs at the turns that answers need, and the machine that has them.
pub(crate) struct Jobs {
    /// Held by its machine.
    pub(crate) held: String,
    /// Not taken by any machine.
    waiting: String,
    pub(crate) waiting_too: String,
    pub(crate) printed: String,
    /// Unknown since its machine lost its journal.
    lost: String,
    lost_too: String,
    pub(crate) machine: crate::machine::Linked,
}

async fn bring_jobs(rig: &Rig, operator: &Client, d: &mut Described) -> Jobs {
    let path = "/api/v1/documents";
    let document = fixture("kk-sample-bb.pdf");
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let mut loses = rig.enrol("desa-contoh-2", 12).connect().await;
    let _off = rig.enrol("desa-contoh-3", 13);
    let mut last = None::<String>;
    let mut brought = Vec::new();
    for (name, at) in [
        ("desa-contoh-1", 1),
        ("desa-contoh-1", 2),
        ("desa-contoh-2", 3),
        ("desa-contoh-2", 4),
        ("desa-contoh-3", 5),
        ("desa-contoh-3", 6),
    ] {
        let mut order: Value = serde_json::from_str(&order(name)).unwrap();
        order["reference"] = json!(format!("KK-{at}"));
        if let Some(last) = &last {
            order["reprint_of"] = json!({ "job": last, "reason": "kertas rusak" });
        }
        let answer = operator.bring(&document, &order.to_string(), None).await;
        d.judge(path, "post", &answer);
        let id = job_id(&answer);
        last = Some(id.to_string());
        brought.push(id);
    }
    machine.report(brought[0], JobState::Held, None);
    machine.report(brought[1], JobState::Journalled, None);
    let seq = machine.report(brought[1], JobState::Printed, None);
    machine.until_acked(seq).await;
    say_health(&mut machine).await;
    loses.report(brought[2], JobState::Journalled, None);
    let seq = loses.report(brought[3], JobState::Journalled, None);
    loses.until_acked(seq).await;
    loses.machine.epoch = Epoch::from_bytes([7; 16]);
    (loses.seq, loses.session_seq) = (0, 2);
    loses.say_sync(Vec::new());
    // Asked first whether it is so, then whether a copy is left.
    while loses.ack().await.hello.is_some() {}

    let order = order("desa-contoh-1");
    let it = client_of(rig, "it").await;
    let altered = fixture("kk-sample-altered.pdf");
    let large = vec![b'%'; 9 * 1024 * 1024];
    for (who, document, status) in [
        (&nobody(rig), &document, 401),
        (&it, &document, 403),
        (operator, &document, 409),
        (operator, &large, 413),
        (operator, &altered, 422),
    ] {
        let answer = who.bring(document, &order, None).await;
        assert_eq!(answer.status, status);
        d.judge(path, "post", &answer);
    }
    Ask::new(operator, "post", path).get(d, 400).await;
    let [held, printed, lost, lost_too, waiting, waiting_too] = <[_; 6]>::try_from(brought)
        .unwrap()
        .map(|id| id.to_string());
    Jobs {
        held,
        waiting,
        waiting_too,
        printed,
        lost,
        lost_too,
        machine,
    }
}

/// A machine with troubles, a printer that is away, and a message that nobody can read.
async fn say_health(machine: &mut crate::machine::Linked) {
    let seq = machine.say(Report::Device(loket_wire::event::DeviceReport {
        device: "a4".to_owned(),
        state: "unreachable".to_owned(),
        reasons: vec!["no-route".to_owned()],
        model: None,
        stock: Some(stock::stock(40, 120)),
        at: Timestamp::UNIX_EPOCH,
    }));
    machine.until_acked(seq).await;
    let heartbeat = loket_wire::Heartbeat {
        session_seq: 1,
        at: Timestamp::UNIX_EPOCH,
        clock_trusted: false,
        clock_offset_ms: Some(-700_000),
        up_time_s: 1,
        open_job_count: 1,
        link_sent_bytes: Some(2048),
        link_received_bytes: Some(1024),
        outbox_count: 0,
        spool_bytes: 0,
        disk_free_bytes: Some(1),
        certificate_days_left: Some(-1),
        troubles: vec!["disk-full".to_owned(), "fan-stuck".to_owned()],
        trust_serial: None,
        trust_made_at: None,
        judged: Some(crate::machine::judged()),
        devices: Vec::new(),
    };
    let body = loket_wire::presence::encode(&heartbeat).unwrap();
    machine.publish(&Channel::Heartbeat, &body);
    machine.ack().await;
}

async fn ask_as_programs(rig: &Rig, operator: &Client, jobs: &Jobs, d: &mut Described) {
    let (it, stranger) = (client_of(rig, "auditor").await, nobody(rig));
    let list = "/api/v1/jobs";
    for query in [
        "",
        "?state=held,printed&machine=desa-contoh-1&limit=1",
        "?reference=kk-*&limit=2",
        "?reference=KK-1&office=kec-contoh",
        "?day=2026-11-26",
    ] {
        Ask::new(&it, "get", list).query(query).get(d, 200).await;
    }
    let number = format!("?job_id={}", &jobs.held[24..]);
    let found = Ask::new(&it, "get", list).query(&number).get(d, 200).await;
    assert_eq!(found.json()["jobs"][0]["job_id"], jobs.held);
    for query in ["?state=hilang", "?limit=0", "?limit=201", "?colour=red"] {
        Ask::new(&it, "get", list).query(query).get(d, 400).await;
    }
    let person = format!("?reference={}", "0".repeat(16));
    let refused = Ask::new(&it, "get", list).query(&person).get(d, 400).await;
    assert_eq!(refused.code(), "SearchNumber");
    Ask::new(&stranger, "get", list).get(d, 401).await;
    let (job, history) = ("/api/v1/jobs/{id}", "/api/v1/jobs/{id}/history");
    for path in [job, history] {
        let ask = |client| Ask::new(client, "get", path);
        ask(&it).of(&jobs.held).get(d, 200).await;
        ask(&it).of("%FF").get(d, 400).await;
        ask(&stranger).of(&jobs.held).get(d, 401).await;
        ask(&it).get(d, 404).await;
        ask(&it).of("bukan-nomor").get(d, 404).await;
    }
    let path = "/api/v1/history";
    Ask::new(&it, "get", path).get(d, 200).await;
    Ask::new(&it, "get", path)
        .query("?from=9007199254740991")
        .get(d, 200)
        .await;
    for query in ["?from=awal", "?limit=501"] {
        Ask::new(&it, "get", path).query(query).get(d, 400).await;
    }
    for path in [path, "/api/v1/history/verdict"] {
        Ask::new(&it, "get", path).get(d, 200).await;
        Ask::new(&stranger, "get", path).get(d, 401).await;
        Ask::new(operator, "get", path).get(d, 403).await;
    }
    let machines = Ask::new(&it, "get", "/api/v1/machines").get(d, 200).await;
    let troubled = &machines.json()["machines"][0]["troubles"];
    assert_eq!(troubled[0]["code"], "disk-full");
    assert_eq!(troubled[0]["is_severe"], true);
    for path in ["/api/v1/machines", "/api/v1/brokers", "/metrics"] {
        Ask::new(&it, "get", path).get(d, 200).await;
        Ask::new(&stranger, "get", path).get(d, 401).await;
    }
    for path in ["/api/v1/openapi.json", "/healthz"] {
        Ask::new(&stranger, "get", path).get(d, 200).await;
    }
}

async fn ask_as_people(rig: &Rig, operator: &Client, jobs: &Jobs, d: &mut Described) {
    let (it, stranger) = (client_named(rig, "orang", "it").await, nobody(rig));
    for (page, part) in [("/", "/console/live"), ("/jobs/{id}", "/console/jobs/{id}")] {
        Ask::new(&it, "get", page).of(&jobs.held).get(d, 200).await;
        Ask::new(&stranger, "get", page).get(d, 303).await;
        let live = Ask::new(&it, "get", part)
            .of(&jobs.printed)
            .get(d, 200)
            .await;
        let etag = live.headers["etag"].to_str().unwrap();
        let same = Ask::new(&it, "get", part).of(&jobs.printed);
        same.with("if-none-match", etag).get(d, 304).await;
        Ask::new(&stranger, "get", part).get(d, 401).await;
    }
    for path in ["/", "/console/live"] {
        let wrong = Ask::new(&it, "get", path).query("?lihat=langit");
        wrong.get(d, 400).await;
    }
    for path in ["/jobs/{id}", "/console/jobs/{id}"] {
        Ask::new(&it, "get", path).of("%FF").get(d, 400).await;
        let none = Ask::new(&it, "get", path).with("accept", "text/html");
        none.get(d, 404).await;
    }
    for path in ["/console.css", "/console.js", "/login"] {
        Ask::new(&stranger, "get", path).get(d, 200).await;
    }
    let (cancel, answer) = ("/jobs/{id}/cancel", "/jobs/{id}/answer");
    for path in [cancel, answer] {
        let ask = |client| Ask::new(client, "post", path).form("answer=printed");
        ask(operator).of("%FF").get(d, 400).await;
        let refused = ask(&it).of(&jobs.lost).with("accept", "text/html");
        refused.get(d, 403).await;
        ask(operator).get(d, 404).await;
        ask(operator).of(&jobs.printed).get(d, 409).await;
    }
    let foreign = format!("loket_token={}", operator.token);
    let form = Ask::new(&stranger, "post", cancel).of(&jobs.waiting);
    let refused = form.with("cookie", &foreign).get(d, 403).await;
    assert_eq!(refused.code(), "ForeignForm");
    let long = format!("answer={}", "x".repeat(20_000));
    let ask = |body| Ask::new(operator, "post", answer).of(&jobs.lost).form(body);
    ask(&long).get(d, 413).await;
    ask("answer=entahlah").get(d, 400).await;
    ask("answer=printed").get(d, 303).await;
    let done = Ask::new(operator, "post", cancel).of(&jobs.waiting);
    done.get(d, 303).await;

    write_off_by_form(operator, &it, &stranger, &long, d).await;
    let sign_in = |body| Ask::new(&stranger, "post", "/login").form(body);
    let good = format!("token={}", it.token);
    sign_in(&good).get(d, 303).await;
    sign_in("colour=red").get(d, 400).await;
    sign_in(&long).get(d, 413).await;
    Ask::new(&stranger, "post", "/logout").get(d, 303).await;
    let mut status = 401;
    for _try in 0..100 {
        let answer = stranger.send(
            Method::POST,
            "/login",
            &[("content-type", "application/x-www-form-urlencoded")],
            b"token=x".to_vec(),
        );
        let answer = answer.await;
        d.judge("/login", "post", &answer);
        status = answer.status;
        if status == 429 {
            break;
        }
    }
    assert_eq!(status, 429, "tries at the form are bounded");
}

async fn write_off_by_form(
    operator: &Client,
    it: &Client,
    stranger: &Client,
    long: &str,
    d: &mut Described,
) {
    let write_off = "/machines/{id}/write-off";
    let ask = |client, body| {
        let ask = Ask::new(client, "post", write_off);
        ask.of("desa-contoh-3").form(body)
    };
    ask(stranger, "sure=yes").get(d, 303).await;
    ask(operator, "sure=yes").get(d, 403).await;
    for body in ["", "sure=no", "sure=yes&colour=red"] {
        ask(it, body).get(d, 400).await;
    }
    ask(it, long).get(d, 413).await;
    ask(it, "sure=yes").of("desa-contoh-1").get(d, 409).await;
    let none = ask(it, "sure=yes").of("desa-lain-9");
    none.with("accept", "text/html").get(d, 422).await;
    ask(it, "sure=yes").get(d, 200).await;
}

async fn ask_as_machines(jobs: &Jobs, d: &mut Described) {
    let machine = &jobs.machine.machine;
    let client = Client {
        address: machine.documents,
        tls: Some(machine.tls.clone()),
        token: String::new(),
    };
    let ask = || Ask::new(&client, "get", "/machine/v1/blobs/{job}");
    // The bodies are no text; what is read of them is judged elsewhere.
    for (id, range, status) in [
        (jobs.waiting_too.as_str(), "", 403),
        (NONE, "", 404),
        ("%FF", "", 400),
        (&jobs.printed, "", 410),
        (&jobs.held, "bytes=99999999-", 416),
    ] {
        let ask = ask().of(id);
        let ask = if range.is_empty() {
            ask
        } else {
            ask.with("range", range)
        };
        ask.get(d, status).await;
    }
    let bytes = |status: &str| {
        let path = "/machine/v1/blobs/{job}".to_owned();
        (path, "get".to_owned(), status.to_owned())
    };
    assert!(
        !machine
            .fetch(jobs.held.parse().unwrap(), 0)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        !machine
            .fetch(jobs.held.parse().unwrap(), 9)
            .await
            .unwrap()
            .is_empty()
    );
    d.met.extend([bytes("200"), bytes("206")]);
}

/// Last, because the others need the jobs.
async fn end_jobs(rig: &Rig, operator: &Client, jobs: &Jobs, d: &mut Described) {
    let (it, stranger) = (client_named(rig, "lagi", "it").await, nobody(rig));
    let (cancel, answer) = ("/api/v1/jobs/{id}/cancel", "/api/v1/jobs/{id}/answer");
    for path in [cancel, answer] {
        let ask = |client| Ask::new(client, "post", path).json(r#"{"answer":"printed"}"#);
        ask(operator).of("%FF").get(d, 400).await;
        ask(&stranger).of(&jobs.lost_too).get(d, 401).await;
        ask(&it).of(&jobs.lost_too).get(d, 403).await;
        ask(operator).get(d, 404).await;
        ask(operator).of(&jobs.printed).get(d, 409).await;
    }
    let ask = |body| {
        Ask::new(operator, "post", answer)
            .of(&jobs.lost_too)
            .json(body)
    };
    let long = format!("{{\"answer\":\"{}\"}}", "x".repeat(20_000));
    ask(&long).get(d, 413).await;
    ask(r#"{"answer":"entahlah"}"#).get(d, 400).await;
    let ask = |body| {
        Ask::new(operator, "post", answer)
            .of(&jobs.lost_too)
            .json(body)
    };
    ask(r#"{"answer":"found-none"}"#).get(d, 200).await;
    let ask = |id| Ask::new(operator, "post", cancel).of(id);
    ask(jobs.waiting_too.as_str()).get(d, 200).await;
    ask(jobs.held.as_str()).get(d, 202).await;
    let path = "/api/v1/machines/{id}/write-off";
    let ask = |client| Ask::new(client, "post", path);
    ask(&stranger).of("desa-contoh-3").get(d, 401).await;
    ask(operator).of("desa-contoh-3").get(d, 403).await;
    ask(&it).of("desa-contoh-1").get(d, 409).await;
    ask(&it).of("desa-lain-9").get(d, 422).await;
    ask(&it).of("%FF").get(d, 400).await;
    ask(&it).of("desa-contoh-3").get(d, 200).await;
}

#[test]
fn a_field_that_no_schema_knows_is_found() {
    let document: Value = serde_json::from_str(include_str!("../../assets/openapi.json")).unwrap();
    let described = Described::new(document);
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let good = json!({ "code": "Busy", "message": "x", "detail": null });
    described.validate("the control", &problem, &good);
    for (field, value) in [
        ("colour", json!("red")),
        ("code", json!("Red")),
        ("message", json!(7)),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let judged = std::panic::catch_unwind(|| described.validate("", &problem, &wrong));
        assert!(judged.is_err(), "{field} was not found");
    }
}

#[test]
fn an_order_is_described_as_it_is_published() {
    let document: Value = serde_json::from_str(include_str!("../../assets/openapi.json")).unwrap();
    let text = include_str!("../../../docs/order.schema.json");
    let mut published: Value = serde_json::from_str(text).unwrap();
    let fields = published.as_object_mut().unwrap();
    assert!(fields.remove("$id").is_some() && fields.remove("$schema").is_some());
    assert_eq!(document["components"]["schemas"]["Order"], published);
}
