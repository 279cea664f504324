//! The console as people use it: trouble first, a way to every job, and a page that renews itself in a real browser.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use hyper::Method;
use loket_wire::event::DeviceReport;
use loket_wire::topic::Channel;
use loket_wire::{Epoch, JobState, Report, Timestamp};
use tokio::process::Command;

use crate::client::{Answer, Client};
use crate::machine::{Linked, judged};
use crate::rig::{DEADLINE, Rig, fixture};
use crate::{client_of, job_id, order};

/// Somebody at a browser: a cookie, pages asked for, forms sent from our own pages.
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) cookie: String,
}

impl Browser {
    pub(crate) async fn of(rig: &Rig, role: &str) -> Self {
        let name = format!("peramban-{role}");
        Self {
            cookie: format!("loket_token={}", rig.token_named(&name, role).await),
            client: Client::nobody(rig),
        }
    }

    pub(crate) async fn open(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html")];
        self.client
            .send(Method::GET, path, &headers, Vec::new())
            .await
    }

    pub(crate) async fn submit(&self, path: &str, body: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("accept", "text/html"),
            ("origin", "http://central"),
        ];
        self.client.form(path, &headers, body).await
    }
}

#[tokio::test]
async fn a_lost_job_is_found_from_the_front_page_and_answered_on_its_own() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&answer);
    machine.order().await;
    let seq = machine.report(job, JobState::Journalled, None);
    machine.until_acked(seq).await;
    machine.machine.epoch = Epoch::from_bytes([7; 16]);
    (machine.seq, machine.session_seq) = (0, 2);
    machine.say_sync(Vec::new());
    // Central asks before it believes, and once more whether there is a copy.
    while machine.ack().await.hello.is_some() {}

    let (clerk, it) = (
        Browser::of(&rig, "operator").await,
        Browser::of(&rig, "it").await,
    );
    let path = format!("/jobs/{job}");
    let front = clerk.open("/").await.text;
    let urgent = front.split("data-key=\"machines\"").next().unwrap();
    assert!(
        urgent.contains("Perlu tindakan") && urgent.contains(&path),
        "{front}"
    );
    assert!(clerk.open("/?lihat=belum-pasti").await.text.contains(&path));
    assert!(!clerk.open("/?lihat=lewat").await.text.contains(&path));

    let page = clerk.open(&path).await.text;
    assert!(page.contains("journal-lost") && page.contains("petugas kantor tujuan"));
    assert!(page.contains("peramban") && page.contains("operator (pusat)"));
    assert!(
        page.contains("Tidak ada kertas"),
        "the operator answers here"
    );
    let page = it.open(&path).await.text;
    assert!(page.contains("operator (pusat)") && !page.contains("Tidak ada kertas"));
    let answer = format!("{path}/answer");
    let refused = it.submit(&answer, "answer=printed").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("NotAllowed") && refused.text.contains("<!doctype html>"));
    let done = clerk.submit(&answer, "answer=found-none").await;
    assert_eq!(
        (done.status, done.headers["location"].to_str().unwrap()),
        (303, path.as_str())
    );
    let page = clerk.open(&path).await.text;
    assert!(page.contains("gagal") && page.contains("peramban-operator (pusat)"));
    let late = clerk.submit(&format!("{path}/cancel"), "").await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("TooLateToCancel"));
}

#[tokio::test]
async fn machines_in_trouble_stand_first_and_revoked_ones_trouble_nobody() {
    let rig = Rig::start().await;
    let it = Browser::of(&rig, "it").await;
    let mut broken = rig.enrol("z-rusak", 12).connect().await;
    let mut fine = rig.enrol("a-baik", 11).connect().await;
    for (machine, state, reason) in [
        (&mut broken, "idle", "media-jam"),
        (&mut fine, "idle", "media-low"),
    ] {
        let seq = machine.say(Report::Device(DeviceReport {
            device: "a4".to_owned(),
            state: state.to_owned(),
            reasons: vec![reason.to_owned()],
            model: None,
            stock: None,
            at: Timestamp::from_unix_ms(1_790_000_000_000),
        }));
        machine.until_acked(seq).await;
    }
    let all = it.open("/?lihat=mesin").await.text;
    let place = |name: &str| all.find(&format!("data-key=\"{name}\"")).unwrap();
    assert!(place("z-rusak") < place("a-baik"), "{all}");
    assert!(all.contains("kertas macet · sejak "), "{all}");
    let front = it.open("/").await.text;
    assert!(front.contains("data-key=\"z-rusak\"") && !front.contains("data-key=\"a-baik\""));
    std::fs::remove_file(rig.home.path().join("machines/z-rusak.json")).unwrap();
    // What viewers share is a second old at most; another query is another view.
    let front = it.open("/?lihat=semua").await.text;
    let tile = front.split("tile-mesin perlu dilihat").nth(1).unwrap();
    assert!(
        tile.split("</b>").next().unwrap().ends_with("<b>0"),
        "{tile}"
    );
    let metrics = client_of(&rig, "it").await.get("/metrics").await.text;
    assert!(
        metrics.contains("loket_machines{connectivity=\"online\"} 1\n"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("loket_documents_judged_total{"),
        "{metrics}"
    );
}

/// Says that a clock is seven minutes fast, and these bounds crossed.
async fn say_health(machine: &mut Linked, troubles: &[&str]) {
    let heartbeat = loket_wire::Heartbeat {
        session_seq: 1,
        at: Timestamp::from_unix_ms(1_790_000_000_000),
        clock_trusted: true,
        clock_offset_ms: Some(420_000),
        up_time_s: 1,
        open_job_count: 0,
        outbox_count: 0,
        link_sent_bytes: Some(2048),
        link_received_bytes: Some(1024),
        spool_bytes: 0,
        disk_free_bytes: Some(3 << 29),
        certificate_days_left: Some(200),
        troubles: troubles.iter().map(|word| (*word).to_owned()).collect(),
        trust_serial: None,
        trust_made_at: None,
        judged: Some(judged()),
        devices: Vec::new(),
    };
    let body = loket_wire::presence::encode(&heartbeat).unwrap();
    machine.publish(&Channel::Heartbeat, &body);
    machine.ack().await;
}

/// The line of a machine and the metrics say what people had checked there.
fn assert_judged_is_told(line: &str, metrics: &str) {
    let told = "dokumen diperiksa sejak menyala: warga 30 asli, 2 tidak sah; \
                petugas 4 belum pasti, 5 foto, 1 tanpa hasil; 1 pemeriksaan dihentikan";
    assert!(line.contains(told), "{line}");
    for sample in [
        "loket_documents_judged_total{machine=\"c-penuh\",page=\"kiosk\",answer=\"valid\"} 30\n",
        "loket_documents_judged_total{machine=\"c-penuh\",page=\"station\",answer=\"not_judged\"} 1\n",
        "loket_judging_killed_total{machine=\"c-penuh\"} 1\n",
    ] {
        assert!(metrics.contains(sample), "{sample}: {metrics}");
    }
}

#[tokio::test]
async fn what_a_machine_says_of_itself_is_shown_with_what_to_do() {
    let rig = Rig::start().await;
    let it = Browser::of(&rig, "it").await;
    let mut machines = Vec::new();
    for (at, (name, troubles)) in [
        ("a-baik", &[][..]),
        ("b-jam", &["clock-off", "fan-stuck"]),
        ("c-penuh", &["spool-high", "disk-full"]),
    ]
    .into_iter()
    .enumerate()
    {
        let serial = 11 + u64::try_from(at).unwrap();
        let mut machine = rig.enrol(name, serial).connect().await;
        if at == 0 {
            let report = serde_json::json!({ "kind": "weather" });
            let epoch = machine.machine.epoch;
            let event = serde_json::json!({ "epoch": epoch, "seq": 1, "report": report });
            let channel = Channel::Event("weather".to_owned());
            machine.publish(&channel, event.to_string().as_bytes());
            machine.until_acked(1).await;
        }
        say_health(&mut machine, troubles).await;
        machines.push(machine);
    }
    let all = it.open("/?lihat=mesin").await.text;
    let place = |name: &str| all.find(&format!("data-key=\"{name}\"")).unwrap();
    assert!(place("c-penuh") < place("b-jam") && place("b-jam") < place("a-baik"));
    let of = |from: &str, to: &str| &all[place(from)..place(to)];
    let full = of("c-penuh", "b-jam");
    let at = |text: &str| full.find(text).unwrap_or_else(|| panic!("{text}: {full}"));
    assert!(at("kosongkan disk mesin itu sekarang") < at("dokumen menumpuk di mesin"));
    at("(disk-full)");
    at("ruang bebas 1,5 GB");
    let api = client_of(&rig, "it").await;
    assert_judged_is_told(full, &api.get("/metrics").await.text);
    let off = of("b-jam", "a-baik");
    assert!(
        off.contains("jam mesin meleset") && off.contains("jam 7 menit lebih cepat"),
        "{off}"
    );
    assert!(
        off.contains("fan-stuck") && off.contains("perbarui pusat"),
        "{off}"
    );

    let front = it.open("/").await.text;
    assert!(
        front.contains("c-penuh") && front.contains("b-jam"),
        "{front}"
    );
    assert!(
        !front.contains("data-key=\"a-baik\""),
        "what was set aside needs nobody today"
    );
    let page = it.open("/?lihat=semua&mesin=a-baik").await.text;
    assert!(
        page.contains("1 laporan disisihkan, tidak terbaca"),
        "{page}"
    );
    let known = api.get("/api/v1/machines").await.json();
    assert_eq!(known["machines"][0]["set_aside_count"], 1);
    let said = &known["machines"][2]["troubles"];
    assert_eq!(said[1]["code"], "disk-full");
    assert!(
        said[1]["message"]
            .as_str()
            .unwrap()
            .contains("; kosongkan disk")
    );
}

#[tokio::test]
async fn a_central_that_is_cut_off_blames_no_site() {
    let rig = Rig::start_with(|settings| {
        // A broker that is not there.
        let port = crate::rig::free_port();
        let at = settings.find("port = ").unwrap() + "port = ".len();
        let end = at + settings[at..].find(' ').unwrap();
        format!("{}{port}{}", &settings[..at], &settings[end..])
    })
    .await;
    let it = Browser::of(&rig, "it").await;
    let page = it.open("/").await.text;
    assert!(page.contains("Pusat belum tersambung ke broker"), "{page}");
}

/// The page as Chromium has it once the page's own clock has run for ten seconds; that clock waits for the network.
async fn dump(url: &str, home: &std::path::Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ])
        .arg(format!("--user-data-dir={}", home.display()))
        .args(["--virtual-time-budget=10000", "--dump-dom", url])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE * 3, output)
        .await
        .expect("chromium ends")
        .expect("chromium must be installed: Debian package chromium");
    String::from_utf8(output.stdout).unwrap()
}

/// What happens after the page was made and before it asks again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    JobCancelled,
    SignedOut,
    /// A network answers in central's place, as one does that wants a sign-in of its own.
    OtherNetwork,
}

/// What the way between browser and central does: it signs in, counts, and lets the test act in between.
struct Between {
    central: Client,
    pub(crate) cookie: String,
    operator: Client,
    job: String,
    meanwhile: Meanwhile,
    pages: AtomicU32,
    lives: AtomicU32,
}

async fn pass_on(State(between): State<Arc<Between>>, request: Request) -> Response {
    let path = request.uri().to_string();
    if path == "/" {
        between.pages.fetch_add(1, Ordering::SeqCst);
    }
    let is_live = path.starts_with("/console/live");
    let is_first = is_live && between.lives.fetch_add(1, Ordering::SeqCst) == 0;
    if is_live && between.meanwhile == Meanwhile::OtherNetwork {
        return Response::new(Body::from(
            "<p data-key=\"x\">Selamat datang di jaringan lain</p>",
        ));
    }
    if is_first && between.meanwhile == Meanwhile::JobCancelled {
        let cancel = format!("/api/v1/jobs/{}/cancel", between.job);
        assert_eq!(between.operator.post(&cancel).await.status, 200);
        // The page's clock runs faster than the second for which central's viewers share what they are shown.
        let shows = async || between.operator.get(&path).await.text;
        while !shows().await.contains("dibatalkan") {}
    }
    let known = request.headers().get("if-none-match");
    let known = known.and_then(|value| value.to_str().ok());
    let is_signed_out =
        between.meanwhile == Meanwhile::SignedOut && between.lives.load(Ordering::SeqCst) > 0;
    let mut headers = vec![("accept", "text/html")];
    if !is_signed_out {
        headers.push(("cookie", between.cookie.as_str()));
    }
    headers.extend(known.map(|known| ("if-none-match", known)));
    let answer = between
        .central
        .send(Method::GET, &path, &headers, Vec::new());
    let answer = answer.await;
    let mut response = Response::new(Body::from(answer.text));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    for name in [
        "content-type",
        "content-security-policy",
        "etag",
        "location",
    ] {
        if let Some(value) = answer.headers.get(name) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The front page as a browser has it in the end, and the way between.
async fn watched(rig: &Rig, meanwhile: Meanwhile) -> (String, Arc<Between>) {
    let operator = client_of(rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let browser = Browser::of(rig, "it").await;
    let before = browser.open("/").await.text;
    assert!(before.contains("diterima pusat") && !before.contains("dibatalkan"));
    let between = Arc::new(Between {
        central: browser.client,
        cookie: browser.cookie,
        operator,
        job: job_id(&answer).to_string(),
        meanwhile,
        pages: AtomicU32::new(0),
        lives: AtomicU32::new(0),
    });
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let router = axum::Router::new()
        .fallback(pass_on)
        .with_state(Arc::clone(&between));
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(socket, router).await });
    let page = dump(&url, &rig.home.path().join("chromium")).await;
    assert!(between.lives.load(Ordering::SeqCst) >= 1);
    (page, between)
}

fn says_stale(page: &str) -> bool {
    page.contains("id=\"stale\" role=\"alert\" class=\"on\"")
}

#[tokio::test]
async fn in_a_browser_a_job_changes_its_state_without_a_reload() {
    let rig = Rig::start().await;
    let (page, between) = watched(&rig, Meanwhile::JobCancelled).await;
    assert!(
        page.contains("dibatalkan") && !page.contains("diterima pusat"),
        "{page}"
    );
    assert!(!says_stale(&page), "{page}");
    assert_eq!(between.pages.load(Ordering::SeqCst), 1, "no reload");
}

#[tokio::test]
async fn a_page_whose_sign_in_ended_leads_to_the_sign_in() {
    let rig = Rig::start().await;
    let (page, _between) = watched(&rig, Meanwhile::SignedOut).await;
    assert!(page.contains("Masuk dengan token"), "{page}");
    assert!(!page.contains("diterima pusat"), "{page}");
}

#[tokio::test]
async fn a_page_that_hears_another_than_central_keeps_what_it_had_and_says_so() {
    let rig = Rig::start().await;
    let (page, _between) = watched(&rig, Meanwhile::OtherNetwork).await;
    assert!(page.contains("diterima pusat"), "{page}");
    assert!(!page.contains("jaringan lain"), "{page}");
    assert!(
        says_stale(&page) && page.contains("adalah keadaan pukul"),
        "{page}"
    );
}
