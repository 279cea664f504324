//! Who may come in by which door, and what the doors answer.

use hyper::Method;
use serde_json::json;

use crate::client::Client;
use crate::rig::{Rig, fixture};
use crate::{client_of, job_id, order};

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let mut brought = Vec::new();
    for name in [
        "kk-sample-bb.pdf",
        "kk-sample-bt.pdf",
        "variants/kk-sample-p256.pdf",
    ] {
        let answer = operator
            .bring(&fixture(name), &order("desa-contoh-1"), None)
            .await;
        brought.insert(0, job_id(&answer).to_string());
    }
    let (mut listed, mut before) = (Vec::new(), String::new());
    loop {
        let path =
            format!("/api/v1/jobs?state=created,offered&machine=desa-contoh-1&limit=2{before}");
        let page = operator.get(&path).await.json();
        for job in page["jobs"].as_array().unwrap() {
            listed.push(job["job_id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next_before"].as_str() else {
            break;
        };
        before = format!("&before={next}");
    }
    assert_eq!(listed, brought);
    let none = operator.get("/api/v1/jobs?state=printed").await.json();
    assert_eq!(none["jobs"], json!([]));
}

#[tokio::test]
async fn doors_open_by_role_alone() {
    let rig = Rig::start().await;
    let (operator, it, auditor) = (
        client_of(&rig, "operator").await,
        client_of(&rig, "it").await,
        client_of(&rig, "auditor").await,
    );
    let nobody = Client {
        address: rig.api,
        token: String::new(),
        tls: None,
    };
    let stranger = Client {
        address: rig.api,
        token: "x".repeat(43),
        tls: None,
    };
    let _machine = rig.enrol("desa-contoh-1", 11);
    let document = fixture("kk-sample-bb.pdf");
    let order = order("desa-contoh-1");
    for (who, status) in [
        (&nobody, 401),
        (&stranger, 401),
        (&it, 403),
        (&auditor, 403),
    ] {
        assert_eq!(who.bring(&document, &order, None).await.status, status);
    }
    let job = job_id(&operator.bring(&document, &order, None).await);
    let (one, cancel) = (
        format!("/api/v1/jobs/{job}"),
        format!("/api/v1/jobs/{job}/cancel"),
    );
    for path in ["/api/v1/jobs", &one, "/api/v1/machines", "/metrics"] {
        for (who, status) in [
            (&nobody, 401),
            (&it, 200),
            (&auditor, 200),
            (&operator, 200),
        ] {
            assert_eq!(who.get(path).await.status, status, "{path}");
        }
    }
    for (who, status) in [
        (&nobody, 401),
        (&operator, 403),
        (&it, 200),
        (&auditor, 200),
    ] {
        assert_eq!(who.get("/api/v1/history").await.status, status);
    }
    for (who, status) in [(&nobody, 401), (&it, 403), (&auditor, 403)] {
        assert_eq!(who.post(&cancel).await.status, status);
    }
    for path in ["/healthz", "/api/v1/openapi.json", "/login", "/console.css"] {
        assert_eq!(nobody.get(path).await.status, 200, "{path}");
    }
    assert_eq!(nobody.get("/").await.headers["location"], "/login");
    assert_eq!(operator.get("/api/v1/jobs/x").await.code(), "JobUnknown");
    assert_eq!(operator.get("/nowhere").await.code(), "RouteUnknown");
    assert_eq!(
        operator.get("/api/v1/jobs?state=done").await.code(),
        "QueryMalformed"
    );

    let output = rig
        .command(&["token", "revoke", "--name", "operator"])
        .await;
    assert!(output.status.success());
    assert_eq!(operator.get("/api/v1/jobs").await.status, 401);
}

#[tokio::test]
async fn the_console_is_signed_in_by_a_cookie_that_no_script_reads() {
    let rig = Rig::start().await;
    let token = rig.token("it").await;
    let nobody = Client {
        address: rig.api,
        token: String::new(),
        tls: None,
    };
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let wrong = nobody
        .send(Method::POST, "/login", &form, b"token=x".to_vec())
        .await;
    assert_eq!(wrong.status, 401);
    let body = format!("token={token}").into_bytes();
    let signed_in = nobody.send(Method::POST, "/login", &form, body).await;
    assert_eq!(signed_in.status, 303);
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let bare = cookie.split(';').next().unwrap();
    let page = nobody
        .send(Method::GET, "/", &[("cookie", bare)], Vec::new())
        .await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Perlu tindakan") && !page.text.contains(&token));
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let live = nobody
        .send(
            Method::GET,
            "/console/live",
            &[("cookie", bare)],
            Vec::new(),
        )
        .await;
    let etag = live.headers["etag"].to_str().unwrap();
    let headers = [("cookie", bare), ("if-none-match", etag)];
    let same = nobody
        .send(Method::GET, "/console/live", &headers, Vec::new())
        .await;
    assert_eq!(same.status, 304);
}

#[tokio::test]
async fn commands_end_with_the_codes_that_scripts_rely_on() {
    let rig = Rig::start().await;
    let code = |output: std::process::Output| output.status.code().unwrap();
    assert_eq!(code(rig.command(&["run", "--wrong"]).await), 64);
    assert_eq!(
        code(
            rig.command(&["token", "add", "--name", "a", "--role", "king"])
                .await
        ),
        64
    );
    assert_eq!(
        code(rig.command(&["token", "revoke", "--name", "nobody"]).await),
        65
    );
    let checked = rig.command(&["check-config"]).await;
    assert!(
        String::from_utf8(checked.stdout.clone())
            .unwrap()
            .contains("timings.tick_ms = 50\n")
    );
    assert_eq!(code(checked), 0);
    std::fs::write(rig.home.path().join("central.toml"), "colour = 1").unwrap();
    assert_eq!(code(rig.command(&["check-config"]).await), 78);
    std::fs::remove_file(rig.home.path().join("central.toml")).unwrap();
    assert_eq!(code(rig.command(&["check-config"]).await), 66);
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_tls_alone() {
    let rig = Rig::start_with(|settings| {
        let tls = "[api]\ncertificate = \"central.crt\"\nkey = \"central.key\"\n";
        settings.replace("[api]\n", tls)
    })
    .await;
    let token = rig.token("it").await;
    let tls = Some(rig.authority.anonymous_tls());
    let client = Client {
        address: rig.api,
        token: token.clone(),
        tls,
    };
    assert_eq!(client.get("/api/v1/machines").await.status, 200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("token={token}").into_bytes();
    let signed_in = client.send(Method::POST, "/login", &form, body).await;
    assert!(
        signed_in.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
}

#[cfg(not(feature = "test-hooks"))]
#[test]
fn a_plain_build_has_no_switch_that_turns_sealing_off() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_loket-central")).unwrap();
    let has = |text: &str| {
        program
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        has("LOKET_LOG"),
        "the control: a switch that is there is found"
    );
    // Put together here, so that the search does not find itself.
    assert!(!has(&["LOKET", "UNSEALED"].join("_")));
}
