//! The pages over ports that a test plays: who may call, what is answered once, what stays on no screen.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the rig cannot do fails the test"
)]

mod contrast;
mod paper;
mod printers;
mod report;
mod rig;
mod tickets;

use loket_kiosk_ui::Face;
use loket_kiosk_ui::ports::{
    Compared, Found, Judgement, Leads, MAX_DOCUMENT_BYTES, Paper, Qr, Reader, Verdict,
};
use loket_kiosk_ui::words::Trouble;
use loket_verify::Code;
use loket_wire::Timestamp;

use crate::rig::{Rig, document};

const BOTH: &[Face] = &[Face::Kiosk, Face::Station];

#[tokio::test]
async fn a_resident_sees_the_verdict_the_signer_and_what_to_do() {
    let rig = Rig::start(BOTH).await;
    let page = rig.check("kiosk", b"%PDF-1.7").await;
    for words in [
        "<h1>ASLI</h1>",
        "&#60;i&#62;Kepala Dinas&#60;/i&#62; (CONTOH)",
        "Dinas Contoh",
        "1 Januari 1970, pukul 07.00 WIB",
        "menurut penanda tangan",
        "Status terbaru",
        "belum dicek di sini",
        "Apa yang harus dilakukan?",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let given = rig.desk.given.lock().unwrap().clone();
    assert_eq!(given, [(8, Reader::Resident)]);
    rig.end().await;
}

#[tokio::test]
async fn what_is_not_genuine_names_no_signer_to_a_resident() {
    let rig = Rig::start(BOTH).await;
    for (verdict, code, word) in [
        (Verdict::Invalid, Code::DigestMismatch, "TIDAK SAH"),
        (
            Verdict::Indeterminate,
            Code::NoChain,
            "BELUM DAPAT DIPASTIKAN",
        ),
    ] {
        rig.says(Ok(document(verdict, &[code])));
        let page = rig.check("kiosk", b"%PDF-1.7").await;
        assert!(
            page.body.contains(&format!("<h1>{word}</h1>")),
            "{}",
            page.body
        );
        assert!(
            page.body.contains(code.id()),
            "a code to say to the officer"
        );
        assert!(!page.body.contains("Kepala Dinas"), "{}", page.body);
    }
    rig.end().await;
}

#[tokio::test]
async fn an_officer_sees_every_finding_with_its_code_and_sentence() {
    let rig = Rig::start(BOTH).await;
    let codes = [Code::TimeClaimed, Code::DigestMismatch, Code::NoChain];
    rig.says(Ok(document(Verdict::Invalid, &codes)));
    let page = rig.check("station", b"%PDF-1.7").await;
    for code in codes {
        assert!(page.body.contains(code.id()) && page.body.contains(code.sentence()));
    }
    for words in [
        "CN=CA Contoh",
        "jawaban OCSP dari dokumen ini, umur 2 jam",
        "1 Januari 1970 sampai 2 Januari 1970",
        "stempel waktu pada dokumen",
        "<b>Revisi 2.</b> 2 bagian ditambah, 1 diganti, 0 dihapus.",
        "DIUBAH sesudah ditandatangani",
        "TOTAL-PASSED",
        "B-LT",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let given = rig.desk.given.lock().unwrap().clone();
    assert_eq!(given, [(8, Reader::Officer)]);
    rig.end().await;
}

#[tokio::test]
async fn what_the_signature_tells_its_revisions_do_not_tell_again() {
    let rig = Rig::start(BOTH).await;
    let mut judged = document(Verdict::Invalid, &[Code::ChangedContent]);
    if let Judgement::Document(document) = &mut judged {
        let revision = &mut document.signatures[0].revisions[0];
        revision.findings = vec![Found(Code::ChangedContent), Found(Code::NoChain)];
    }
    rig.says(Ok(judged));
    let page = rig.check("station", b"%PDF-1.7").await;
    let count = |words: &str| page.body.matches(words).count();
    assert_eq!(count(Code::ChangedContent.sentence()), 1, "{}", page.body);
    assert_eq!(count(Code::NoChain.sentence()), 1, "{}", page.body);
    assert!(page.body.contains("Temuan: <code>V-"), "{}", page.body);
    rig.end().await;
}

#[tokio::test]
async fn an_officer_is_told_what_to_do_and_when_this_machine_judges_by_what_was_last_good() {
    let rig = Rig::start(BOTH).await;
    for (verdict, words) in [
        (Verdict::Valid, "Boleh dipakai."),
        (Verdict::Indeterminate, "Jangan dicetak dulu."),
        (Verdict::Invalid, "Jangan dipakai, jangan dicetak."),
    ] {
        rig.says(Ok(document(verdict, &[])));
        let page = rig.check("station", b"%PDF-1.7").await;
        assert!(page.body.contains(words), "{words}: {}", page.body);
        assert!(!page.body.contains("Map kepercayaan"), "{}", page.body);
    }
    let mut judged = document(Verdict::Valid, &[]);
    if let Judgement::Document(document) = &mut judged {
        document.is_trust_last_good = true;
        document.trust_as_of = Some(Timestamp::from_unix_ms(0));
    }
    rig.says(Ok(judged));
    let page = rig.check("station", b"%PDF-1.7").await;
    for words in [
        "Map kepercayaan di mesin ini rusak.",
        "Data kepercayaan per",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    rig.end().await;
}

#[tokio::test]
async fn an_officer_is_sent_to_the_it_team_and_not_to_himself() {
    let rig = Rig::start(BOTH).await;
    rig.says(Err(Trouble::TookTooLong));
    let page = rig.check("station", b"%PDF-1.7").await;
    assert_eq!(page.status, 422);
    for words in [
        "K-201",
        "class=\"station\"",
        "petugas TI",
        "href=\"/station/periksa\"",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains("1708") && !page.body.contains("petugas loket"));
    rig.end().await;
}

#[tokio::test]
async fn pages_that_nobody_looked_at_are_not_said_to_have_no_code() {
    let rig = Rig::start(BOTH).await;
    for (is_looked_at, words) in [
        (true, "Tidak ada kode QR yang terbaca."),
        (false, "Halamannya tidak sempat dilihat"),
    ] {
        let mut judged = document(Verdict::Valid, &[]);
        if let Judgement::Document(document) = &mut judged {
            document.is_looked_at = is_looked_at;
        }
        rig.says(Ok(judged));
        let page = rig.check("station", b"%PDF-1.7").await;
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    rig.end().await;
}

#[tokio::test]
async fn a_file_field_speaks_indonesian_and_leaves_no_word_to_the_browser() {
    let rig = Rig::start(BOTH).await;
    for path in ["/kiosk/periksa", "/station/periksa"] {
        let page = rig.get(path).await;
        for words in [
            "class=\"pick\"",
            "Pilih PDF atau foto",
            "Sudah dipilih. Tekan <b>Periksa</b>.",
            "formnovalidate",
        ] {
            assert!(page.body.contains(words), "{path} {words}: {}", page.body);
        }
    }
    let sheet = rig.get("/pages.css").await.body;
    // Unseen and still there: keys and a reader of screens find it.
    assert!(sheet.contains(".pick:focus-within { outline"), "{sheet}");
    let field = sheet.split(".pick input {").nth(1).unwrap();
    let field = field.split('}').next().unwrap();
    assert!(field.contains("opacity: 0") && !field.contains("display: none"));
    rig.end().await;
}

#[tokio::test]
async fn paper_is_told_apart_and_its_code_is_never_a_link() {
    let rig = Rig::start(BOTH).await;
    let qr = Qr {
        leads: Leads::Elsewhere,
        rule: "host".to_owned(),
        sentence: String::new(),
        host: Some("contoh.example".to_owned()),
        hosts_valid_from: Timestamp::from_unix_ms(0),
        page: 1,
        told: serde_json::Value::Null,
    };
    rig.says(Ok(Judgement::Paper(Paper {
        qr: vec![qr],
        is_read: true,
    })));
    let page = rig.check("kiosk", b"\xff\xd8\xff").await;
    assert!(page.body.contains("TIDAK resmi") && page.body.contains("aplikasi IKD"));
    assert!(!page.body.contains("contoh.example"), "{}", page.body);
    let page = rig.check("station", b"\xff\xd8\xff").await;
    assert!(page.body.contains("<code>contoh.example</code>"));
    assert!(!page.body.contains("href=\"http"), "{}", page.body);
    rig.end().await;
}

#[tokio::test]
async fn an_officer_sees_the_signed_page_beside_the_changed_one_and_each_picture_answers_once() {
    let rig = Rig::start(BOTH).await;
    let mut judged = document(Verdict::Invalid, &[Code::ChangedContent]);
    if let Judgement::Document(document) = &mut judged {
        document.compared = Some(Compared {
            page: 1,
            differs: true,
            signed: "c2lnbmVk".to_owned(),
            whole: "d2hvbGU=".to_owned(),
        });
    }
    rig.says(Ok(judged));
    let page = rig.check("station", b"%PDF-1.7").await;
    let mut places = page.body.split("src=\"").skip(1);
    for bytes in ["signed", "whole"] {
        let place = places.next().unwrap().split('"').next().unwrap().to_owned();
        let picture = rig.get(&place).await;
        assert_eq!((picture.status, picture.body.as_str()), (200, bytes));
        assert_eq!(picture.header("content-type"), "image/png");
        assert_eq!(picture.header("cache-control"), "no-store");
        assert_eq!(rig.get(&place).await.status, 410);
    }
    rig.end().await;
}

#[tokio::test]
async fn a_result_answers_once_and_none_of_it_is_cached() {
    let rig = Rig::start(BOTH).await;
    let token = rig.get("/kiosk/periksa").await.token();
    let sent = rig.upload("/kiosk/periksa", &token, b"%PDF-1.7", "").await;
    let place = sent.header("location").to_owned();
    let page = rig.get(&place).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    // As with the button "back", or an address that somebody saw.
    let again = rig.get(&place).await;
    assert_eq!(again.status, 410);
    assert!(again.body.contains("K-108") && !again.body.contains("ASLI"));
    // The page itself leads to one more look, and to an end after which nothing is there.
    let (_before, more) = page.body.split_once("/kiosk/hasil/").unwrap();
    let handle = more.split('"').next().unwrap();
    let done = rig.get(&format!("/kiosk/selesai/{handle}")).await;
    assert_eq!((done.status, done.header("location")), (303, "/kiosk"));
    assert_eq!(rig.get(&format!("/kiosk/hasil/{handle}")).await.status, 410);
    let start = rig.get("/kiosk").await;
    assert_eq!(start.header("clear-site-data"), "\"cache\"");
    rig.end().await;
}

#[tokio::test]
async fn a_resident_cannot_ask_for_what_an_officer_was_shown() {
    let rig = Rig::start(BOTH).await;
    let token = rig.get("/station/periksa").await.token();
    let sent = rig
        .upload("/station/periksa", &token, b"%PDF-1.7", "")
        .await;
    let handle = sent
        .header("location")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(rig.get(&format!("/kiosk/hasil/{handle}")).await.status, 410);
    assert_eq!(
        rig.get(&format!("/station/hasil/{handle}")).await.status,
        200
    );
    rig.end().await;
}

#[tokio::test]
async fn every_page_of_residents_goes_back_to_the_start_by_itself() {
    let rig = Rig::start(BOTH).await;
    let choose = rig.get("/kiosk/periksa").await;
    assert!(choose.body.contains("content=\"90;url=/kiosk\""));
    let result = rig.check("kiosk", b"%PDF-1.7").await;
    assert!(result.body.contains("content=\"90;url=/kiosk/selesai/"));
    rig.says(Err(Trouble::TookTooLong));
    let problem = rig.check("kiosk", b"%PDF-1.7").await;
    assert!(
        problem.body.contains("http-equiv=\"refresh\""),
        "{}",
        problem.body
    );
    assert!(problem.body.contains("K-201"));
    rig.end().await;
}

#[tokio::test]
async fn a_form_is_sent_once_and_from_our_own_page_alone() {
    let rig = Rig::start(BOTH).await;
    let path = "/kiosk/periksa";
    let token = rig.get(path).await.token();
    for foreign in [
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: none\r\n",
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
    ] {
        let answer = rig.upload(path, &token, b"%PDF-1.7", foreign).await;
        assert_eq!(answer.status, 403, "{foreign}");
        assert!(answer.body.contains("K-106"));
    }
    assert_eq!(rig.upload(path, "", b"%PDF-1.7", "").await.status, 409);
    let guessed = "0".repeat(32);
    assert_eq!(
        rig.upload(path, &guessed, b"%PDF-1.7", "").await.status,
        409
    );
    assert!(rig.desk.given.lock().unwrap().is_empty());
    let ours = "sec-fetch-site: same-origin\r\n";
    assert_eq!(
        rig.upload(path, &token, b"%PDF-1.7", ours).await.status,
        303
    );
    assert_eq!(
        rig.upload(path, &token, b"%PDF-1.7", ours).await.status,
        409
    );
    rig.end().await;
}

#[tokio::test]
async fn a_stranger_s_name_for_this_machine_is_refused() {
    let rig = Rig::start(BOTH).await;
    let port = rig.at.rsplit(':').next().unwrap().to_owned();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        String::new(),
    ] {
        let request = format!("GET /kiosk HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = rig.send(&request, b"").await;
        assert_eq!(answer.status, 421, "{host}");
        assert!(answer.body.contains("K-107") && !answer.body.contains("Periksa dokumen"));
    }
    assert_eq!(rig.get("/kiosk").await.status, 200, "the control");
    rig.end().await;
}

#[tokio::test]
async fn what_is_too_large_or_missing_is_answered_in_words() {
    let rig = Rig::start(BOTH).await;
    let largest = vec![b'x'; MAX_DOCUMENT_BYTES];
    assert_eq!(rig.check("kiosk", &largest).await.status, 200);
    let larger = vec![b'x'; MAX_DOCUMENT_BYTES + 1];
    let answer = rig.check("kiosk", &larger).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("Paling besar 8 MiB") && answer.body.contains("K-101"));
    let answer = rig.check("kiosk", b"").await;
    assert!(answer.status == 400 && answer.body.contains("K-102"));
    assert_eq!(rig.desk.given.lock().unwrap().len(), 1);
    rig.end().await;
}

#[tokio::test]
async fn a_file_of_a_stick_is_chosen_by_its_place_and_its_name_stands_in_no_address() {
    let rig = Rig::start(BOTH).await;
    let page = rig.get("/kiosk/periksa").await;
    assert!(
        page.body.contains("&#60;b&#62;KK &#38; akta.pdf"),
        "{}",
        page.body
    );
    let (token, listing) = (page.token(), page.field("daftar"));
    let kind = "application/x-www-form-urlencoded";
    let wrong = format!("token={token}&daftar={listing}&berkas=1");
    let answer = rig
        .post("/kiosk/periksa/usb", kind, "", wrong.as_bytes())
        .await;
    assert!(answer.status == 410 && answer.body.contains("K-109"));
    let page = rig.get("/kiosk/periksa").await;
    let (token, listing) = (page.token(), page.field("daftar"));
    let right = format!("token={token}&daftar={listing}&berkas=0");
    let answer = rig
        .post("/kiosk/periksa/usb", kind, "", right.as_bytes())
        .await;
    assert_eq!(answer.status, 303);
    let place = answer.header("location").to_owned();
    assert!(rig.get(&place).await.body.contains("ASLI"));
    rig.end().await;
}

#[tokio::test]
async fn what_is_no_page_says_so_and_a_machine_shows_its_own_faces_alone() {
    let rig = Rig::start(&[Face::Kiosk]).await;
    assert_eq!(rig.get("/").await.header("location"), "/kiosk");
    for path in [
        "/station/periksa",
        "/nothing",
        "/kiosk/hasil/../../etc/passwd",
    ] {
        let answer = rig.get(path).await;
        assert!(
            answer.status == 404 && answer.body.contains("K-110"),
            "{path}"
        );
    }
    let answer = rig.ask("DELETE", "/kiosk", "").await;
    assert!(answer.status == 405 && answer.body.contains("K-112"));
    rig.end().await;
    let rig = Rig::start(&[Face::Station]).await;
    assert_eq!(rig.get("/").await.header("location"), "/station");
    assert_eq!(rig.get("/kiosk").await.status, 404);
    rig.end().await;
}

#[tokio::test]
async fn no_page_takes_anything_from_elsewhere() {
    let rig = Rig::start(BOTH).await;
    let mut pages = vec![
        rig.check("kiosk", b"x").await,
        rig.check("station", b"x").await,
    ];
    for path in ["/kiosk", "/kiosk/periksa", "/station/periksa", "/pages.css"] {
        pages.push(rig.get(path).await);
    }
    for page in pages {
        assert_eq!(page.status, 200);
        for word in ["://", "<script", "style=\"", "@import", "onclick"] {
            assert!(!page.body.contains(word), "{word}: {}", page.body);
        }
    }
    rig.end().await;
}
