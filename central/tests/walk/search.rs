//! Jobs found again at the doors, and what was looked for in no log.

use std::process::Stdio;

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::client::{Answer, Client};
use crate::rig::{DEADLINE, Rig, fixture};
use crate::{client_of, job_id, order};

async fn bring(operator: &Client, document: &str, machine: &str, reference: &str) -> String {
    let mut order: Value = serde_json::from_str(&order(machine)).unwrap();
    order["reference"] = json!(reference);
    let answer = operator
        .bring(&fixture(document), &order.to_string(), None)
        .await;
    job_id(&answer).to_string()
}

async fn page(client: &Client, query: &str) -> Answer {
    let path = format!("/?lihat=semua&{query}");
    let headers = [("accept", "text/html")];
    client.send(Method::GET, &path, &headers, Vec::new()).await
}

/// The ids of the jobs in a page's list, in its order.
fn listed(page: &Answer) -> Vec<String> {
    assert_eq!(page.status, 200, "{page:?}");
    let rows = page.text.split("data-key=\"jobs\"").nth(1).unwrap();
    let links = rows.split("href=\"/jobs/").skip(1);
    links.map(|link| link[..36].to_owned()).collect()
}

#[tokio::test]
async fn a_job_is_found_by_what_people_have_in_hand() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let (_one, _two) = (
        rig.enrol("desa-contoh-1", 11),
        rig.enrol("desa-contoh-2", 12),
    );
    let mut jobs = Vec::new();
    for (document, machine, reference) in [
        ("kk-sample-bb.pdf", "desa-contoh-1", "KK-2026-010"),
        ("kk-sample-bt.pdf", "desa-contoh-2", "KK-2026-002"),
        ("variants/kk-sample-p256.pdf", "desa-contoh-2", "AKTA-7"),
    ] {
        jobs.push(bring(&operator, document, machine, reference).await);
    }
    let number = jobs[2][24..].to_uppercase();
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(7)));
    let day = today.date().to_string();
    for (query, found) in [
        ("cari=kk-2026-010", vec![0]),
        ("cari=KK-2026", vec![1, 0]),
        ("cari=kk-2026&mesin=desa-contoh-1", vec![0]),
        (&format!("cari={number}"), vec![2]),
        (&format!("cari={}", jobs[1]), vec![1]),
        (&format!("hari={day}&keadaan=created"), vec![2, 1, 0]),
        ("kantor=kec-contoh&keadaan=printed", vec![]),
        ("hari=2026-11-01", vec![]),
        // A form sends every field.
        ("cari=+akta&mesin=&kantor=&keadaan=&hari=", vec![2]),
    ] {
        let found: Vec<_> = found
            .into_iter()
            .map(|at: usize| jobs[at].clone())
            .collect();
        let page = page(&operator, query).await;
        assert_eq!(listed(&page), found, "{query}");
        let nothing = page.text.contains("Tidak ada pekerjaan yang cocok");
        assert_eq!(nothing, found.is_empty(), "{query}");
        assert_eq!(page.text.matches("name=\"cari\"").count(), 1, "one field");
    }
    let filled = page(&operator, "cari=KK-9&kantor=kec-contoh&keadaan=held")
        .await
        .text;
    for kept in [
        "value=\"KK-9\"",
        "\"kec-contoh\" selected",
        "\"held\" selected",
    ] {
        assert!(filled.contains(kept), "{kept}");
    }
    // The live part looks for the same.
    let live = "/console/live?lihat=semua&#38;cari=KK-9&#38;kantor=kec-contoh&#38;keadaan=held";
    assert!(filled.contains(live), "{filled}");

    let mut before = String::new();
    let mut paged = Vec::new();
    loop {
        let path = format!("/api/v1/jobs?reference=kk-*&limit=1{before}");
        let page = operator.get(&path).await.json();
        paged.push(page["jobs"][0]["job_id"].as_str().unwrap().to_owned());
        let Some(next) = page["next_before"].as_str() else {
            break;
        };
        before = format!("&before={next}");
    }
    assert_eq!(paged, [jobs[1].clone(), jobs[0].clone()]);
}

#[tokio::test]
async fn a_persons_number_is_not_searched_for_and_not_said_again() {
    let rig = Rig::start().await;
    let it = client_of(&rig, "it").await;
    let canaries = String::from_utf8(fixture("canaries.txt")).unwrap();
    let number = canaries.lines().find(|line| line.len() == 16).unwrap();
    for query in [format!("cari={number}"), format!("cari={number}1")] {
        let refused = page(&it, &query).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("SearchNumber") && !refused.text.contains(number));
    }
    let refused = it.get(&format!("/api/v1/jobs?reference={number}")).await;
    assert_eq!(refused.code(), "SearchNumber");
    assert!(!refused.text.contains(number));
}

#[tokio::test]
async fn what_people_search_for_is_in_no_log() {
    let rig = Rig::prepare(|settings| settings).await;
    let token = rig.token("it").await;
    let mut central = Command::new(env!("CARGO_BIN_EXE_loket-central"))
        .args(["run", "--config"])
        .arg(rig.home.path().join("central.toml"))
        .env("LOKET_LOG", "trace")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(central.stderr.take().unwrap());
    let mut said = String::new();
    let listening = async {
        while !said.contains("central listens") {
            assert_ne!(log.read_line(&mut said).await.unwrap(), 0, "{said}");
        }
    };
    timeout(DEADLINE, listening).await.expect("central listens");
    let address = said.split("api=").nth(1).unwrap();
    let client = Client {
        address: address.split_whitespace().next().unwrap().parse().unwrap(),
        token,
        tls: None,
    };
    let stranger = Client {
        token: "x".to_owned(),
        ..client.clone()
    };
    for text in [
        "DICARI-77",
        "DICARI-77*",
        "DICARI-77%20X",
        &format!("DICARI-77{}", "0".repeat(16)),
    ] {
        for client in [&client, &stranger] {
            client.get(&format!("/?lihat=semua&cari={text}")).await;
            client
                .get(&format!("/console/live?lihat=semua&cari={text}"))
                .await;
            client.get(&format!("/api/v1/jobs?reference={text}")).await;
            client.get(&format!("/api/v1/jobs/{text}")).await;
        }
    }
    central.kill().await.unwrap();
    log.read_to_string(&mut said).await.unwrap();
    assert!(said.contains("sign-in refused"), "the control: {said}");
    assert!(!said.contains("DICARI-77"), "{said}");
}
