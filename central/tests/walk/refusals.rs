//! Whatever is refused is refused in our words: coded, Indonesian, as a page for people.

use hyper::Method;
use loket_central::Inspector;
use loket_store::{Actor, Intake, JobFacts, NewJob, SqliteStore, Store as _};
use loket_wire::order::Service;
use loket_wire::{Blob, Class, JobId, JobState, Reason, Release, Sha256Digest, Timestamp};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::machine::Machine;
use crate::rig::{DEADLINE, OFFICE, Rig, fixture};
use crate::{client_of, job_id, order};

#[tokio::test]
async fn what_the_framework_refuses_is_coded_too_and_people_get_a_page() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let wrong = operator.send(Method::PUT, "/api/v1/jobs", &[], Vec::new());
    let wrong = wrong.await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (405, "MethodNotAllowed")
    );
    assert_eq!(wrong.headers["allow"], "GET,HEAD");
    let unreadable = operator.get("/api/v1/jobs/%ff").await;
    assert_eq!(
        (unreadable.status, unreadable.code().as_str()),
        (400, "RequestMalformed")
    );

    let page = [("accept", "text/html,application/xhtml+xml")];
    let lost = operator.send(Method::GET, "/tidak-ada", &page, Vec::new());
    let lost = lost.await;
    assert_eq!(lost.status, 404);
    assert!(lost.text.starts_with("<!doctype html>"), "{}", lost.text);
    assert!(lost.text.contains("RouteUnknown") && lost.text.contains("Alamat ini tidak ada."));
    let api = operator.send(Method::GET, "/api/v1/jobs/x", &page, Vec::new());
    assert_eq!(api.await.code(), "JobUnknown", "the API stays JSON");

    let body = b"{\"token\":1}".to_vec();
    let json_type = [("content-type", "application/json")];
    let visitor = Client::nobody(&rig);
    let form = visitor.send(Method::POST, "/login", &json_type, body).await;
    assert_eq!(form.status, 400);
    assert!(form.text.contains("FormMalformed") && form.text.contains("Muat ulang halaman"));
}

#[tokio::test]
async fn a_document_on_which_there_is_no_answer_is_refused_and_lost_nowhere() {
    let mut rig = Rig::start().await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let operator = client_of(&rig, "operator").await;
    let document = fixture("kk-sample-bb.pdf");
    for (inspector, status, code) in [
        ("/bin/false", 422, "DocumentNotJudged"),
        // It ends well and says nothing.
        ("/bin/true", 422, "DocumentNotJudged"),
        ("/nonexistent/loket-inspector", 503, "InspectorMissing"),
    ] {
        rig.stop().await;
        rig.run_with(Inspector::at(inspector.as_ref())).await;
        let operator = Client {
            address: rig.api,
            ..operator.clone()
        };
        let answer = operator
            .bring(&document, &order("desa-contoh-1"), None)
            .await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    rig.stop().await;
    rig.run().await;
    let operator = Client {
        address: rig.api,
        ..operator
    };
    let answer = operator
        .bring(&document, &order("desa-contoh-1"), None)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// Sends the head of an upload that promises a body, and reads central's wish to have it.
async fn begin_upload(client: &Client) -> TcpStream {
    let mut stream = send_head(client).await;
    let mut answer = [0; 25];
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut answer))
        .await
        .expect("central answers")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

async fn send_head(client: &Client) -> TcpStream {
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    let head = format!(
        "POST /api/v1/documents HTTP/1.1\r\nHost: central\r\nAuthorization: Bearer {}\r\n\
         Expect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: 1000\r\n\r\n",
        client.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut text))
        .await
        .expect("central answers")
        .unwrap();
    text
}

/// Sends a whole request before it reads a byte, as simple clients do.
async fn send_all_then_listen(client: &Client, body_bytes: usize) -> String {
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    let head = format!(
        "POST /api/v1/documents HTTP/1.1\r\nHost: central\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: {body_bytes}\r\n\r\n",
        client.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let body = vec![b'a'; body_bytes];
    let sending = stream.write_all(&body);
    tokio::time::timeout(DEADLINE, sending)
        .await
        .expect("central goes on reading")
        .expect("central does not hang up");
    rest(stream).await
}

#[tokio::test]
async fn who_is_refused_while_sending_hears_why() {
    let rig = Rig::start().await;
    let stranger = Client {
        token: "nobody-s-token".to_owned(),
        ..Client::nobody(&rig)
    };
    let unknown = send_all_then_listen(&stranger, 2 << 20).await;
    assert!(unknown.starts_with("HTTP/1.1 401 "), "{unknown}");
    let operator = client_of(&rig, "operator").await;
    let large = send_all_then_listen(&operator, 12 << 20).await;
    assert!(large.starts_with("HTTP/1.1 4"), "{large}");
    assert!(large.contains("\"code\""), "{large}");
}

#[tokio::test]
async fn uploads_beyond_their_places_are_told_to_come_again_before_a_byte_is_read() {
    let rig = Rig::start_with(|settings| settings + "upload_wait_ms = 1\n").await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let mut open = Vec::new();
    for _place in 0..16 {
        open.push(begin_upload(&operator).await);
    }
    let refused = rest(send_head(&operator).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 60") && refused.contains("\"Busy\""));
    // A place is given back when its upload ends, well or not.
    drop(open);
    loop {
        let answer = operator
            .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
            .await;
        if answer.status == 201 {
            break;
        }
        assert_eq!(answer.code(), "Busy");
    }
}

#[tokio::test]
async fn a_request_past_its_time_gets_an_answer() {
    let rig = Rig::start_with(|settings| settings + "request_ms = 500\n").await;
    let operator = client_of(&rig, "operator").await;
    let answer = rest(begin_upload(&operator).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"RequestTooSlow\""), "{answer}");
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing_though_the_browser_sends_the_cookie() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let path = format!("/api/v1/jobs/{}/cancel", job_id(&answer));
    let cookie = format!("loket_token={}", operator.token);
    let visitor = Client::nobody(&rig);
    let foreign: [&[(&str, &str)]; 4] = [
        &[],
        &[("origin", "https://elsewhere.example")],
        &[("origin", "null")],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://central"),
        ],
    ];
    for more in foreign {
        let headers = [&[("cookie", cookie.as_str())], more].concat();
        let answer = visitor.send(Method::POST, &path, &headers, Vec::new());
        let answer = answer.await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "ForeignForm")
        );
    }
    let own = [("cookie", cookie.as_str()), ("origin", "http://central")];
    let answer = visitor.send(Method::POST, &path, &own, Vec::new()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn failed_sign_ins_are_counted_and_bounded_and_shut_no_good_token_out() {
    let rig = Rig::start().await;
    let it = client_of(&rig, "it").await;
    let try_in = |token: String| {
        let visitor = Client::nobody(&rig);
        async move {
            let fields = format!("token={token}");
            visitor.form("/login", &[], &fields).await
        }
    };
    for _try in 0..10 {
        assert_eq!(try_in("x".repeat(43)).await.status, 401);
    }
    let over = try_in("x".repeat(43)).await;
    assert_eq!(over.status, 429);
    assert!(over.text.contains("TooManyTries"));
    let stranger = Client {
        token: "y".repeat(43),
        ..Client::nobody(&rig)
    };
    assert_eq!(stranger.get("/api/v1/jobs").await.code(), "NotSignedIn");
    assert_eq!(it.get("/api/v1/jobs").await.status, 200);
    let metrics = it.get("/metrics").await.text;
    assert!(
        metrics.contains("loket_sign_ins_refused_total 12\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_it_team_reads_who_did_what_to_a_job() {
    let rig = Rig::start().await;
    let (operator, it) = (
        client_of(&rig, "operator").await,
        client_of(&rig, "it").await,
    );
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&answer);
    machine.order().await;
    machine.report(job, JobState::Fetching, None);
    machine.report(job, JobState::Journalled, None);
    let last = machine.report(job, JobState::Cancelled, Some(Reason::ByOfficer));
    machine.until_acked(last).await;
    let rows = it.get(&format!("/api/v1/jobs/{job}/history")).await.json();
    let actors: Vec<_> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["actor"].clone())
        .collect();
    assert_eq!(actors.first(), Some(&json!("token:operator")));
    assert!(actors.contains(&json!("machine:desa-contoh-1")));
    assert_eq!(it.get("/api/v1/history").await.status, 200);
}

#[tokio::test]
async fn a_job_is_due_at_the_same_hour_of_the_next_working_day() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&answer);
    let known = operator.get(&format!("/api/v1/jobs/{job}")).await.json();
    let moment = |key: &str| Timestamp::parse_rfc3339(known[key].as_str().unwrap()).unwrap();
    let wait_s = moment("due_at").since(moment("created_at")).as_secs();
    // The same local hour, so whole days: one, or up to three over a weekend.
    let day_s = 24 * 3600;
    let days = wait_s / day_s;
    assert!(wait_s % day_s == 0 && (1..=3).contains(&days), "{wait_s}");
}

/// A job of last week as the store keeps it, put there before central starts.
pub(crate) fn job_of_last_week(rig: &Rig, machine: &Machine) -> JobId {
    let week = std::time::Duration::from_secs(7 * 86_400);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let created = i64::try_from((now.unwrap() - week).as_millis()).unwrap();
    let created = Timestamp::from_unix_ms(created);
    let state = rig.home.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let store = SqliteStore::open(&state.join("central.db")).unwrap();
    let record = machine.record();
    store.upsert_machine(&record, created).unwrap();
    let id = JobId::from_parts(1_790_000_000_000, [3; 10]);
    let digest = Sha256Digest::of(b"a document");
    let new = NewJob {
        facts: JobFacts {
            id,
            reference: "KK-LAMA".parse().unwrap(),
            service: Service::new("kk").unwrap(),
            class: Class::Controlled,
            release: Release::Officer,
            machine: machine.id.clone(),
            office: OFFICE.parse().unwrap(),
            not_after: created.saturating_add(week * 9),
        },
        intake: Intake {
            due_at: created.saturating_add(week / 7),
            document_sha256: digest,
            revision_sha256: digest,
            content_sha256: digest,
            page_count: 1,
            size_bytes: 1,
            blob: Blob {
                sha256: digest,
                size_bytes: 1,
            },
            reprint_of: None,
        },
        idempotency_key: None,
        folder_sha256: None,
    };
    let operator = Actor::new("token:operator").unwrap();
    store.insert_job(&new, &operator, created).unwrap();
    id
}

#[tokio::test]
async fn a_job_past_its_working_day_is_overdue_until_it_ends() {
    let mut rig = Rig::prepare(|settings| settings).await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let job = job_of_last_week(&rig, &machine);
    rig.run().await;
    let operator = client_of(&rig, "operator").await;
    let overdue = "loket_jobs_overdue 1\n";
    assert!(operator.get("/metrics").await.text.contains(overdue));
    let cancelled = operator.post(&format!("/api/v1/jobs/{job}/cancel")).await;
    assert_eq!(cancelled.json()["is_overdue_at_end"], true);
    let overdue = "loket_jobs_overdue 0\n";
    assert!(operator.get("/metrics").await.text.contains(overdue));
}
