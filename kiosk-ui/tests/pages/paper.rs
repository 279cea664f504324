//! The officers' page for doubted sheets.

use data_encoding::BASE64;
use loket_kiosk_ui::Face;
use loket_kiosk_ui::ports::{
    Cut, MAX_SCAN_BYTES, PaperAnswer, PaperReport, Region, RegionKind, SheetPictures, SheetVerdict,
};
use loket_kiosk_ui::words::Trouble;
use loket_wire::JobId;

use crate::BOTH;
use crate::rig::{Answer, Rig};

const JOB: &str = "01890000-0000-7000-8000-000000000000";

fn answer(verdict: SheetVerdict) -> PaperAnswer {
    let differs = verdict != SheetVerdict::Same;
    let place = |x_mm: f32| Region {
        x_mm,
        y_mm: 40.4,
        width_mm: 2.0,
        height_mm: 3.0,
        kind: RegionKind::Changed,
    };
    PaperAnswer {
        report: PaperReport {
            verdict,
            code: (verdict == SheetVerdict::CannotTell).then(|| "R-404".to_owned()),
            message: (verdict == SheetVerdict::CannotTell).then(|| "Huruf <b>.".to_owned()),
            job_id: JOB.parse::<JobId>().unwrap(),
            printed_at: "1970-01-01T00:00:00Z".to_owned(),
            machine: "desa-contoh-1".parse().unwrap(),
            page: 2,
            regions: if differs {
                vec![place(11.6), place(70.0)]
            } else {
                Vec::new()
            },
        },
        pictures: differs.then(|| SheetPictures {
            sheet: BASE64.encode(b"whole"),
            record: BASE64.encode(b"the record"),
            cuts: vec![Cut {
                sheet: BASE64.encode(b"on the sheet"),
                record: BASE64.encode(b"as printed"),
            }],
        }),
    }
}

fn says(page: &Answer, words: &[&str]) {
    for word in words {
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
}

/// The addresses of the page's pictures, in its order.
fn pictures(page: &Answer) -> Vec<String> {
    let parts = page.body.split("<img src=\"").skip(1);
    parts
        .map(|part| part.split('"').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_sheet_that_differs_is_shown_beside_what_was_printed() {
    let rig = Rig::start(BOTH).await;
    *rig.paper.says.lock().unwrap() = Ok(answer(SheetVerdict::Different));
    let page = rig
        .doubt(&[("nama", " siti "), ("pekerjaan", "")], b"scan")
        .await;
    says(
        &page,
        &[
            "<h1>BERBEDA</h1>",
            "1. ada yang diubah",
            "12 mm dari kiri, 40 mm dari atas",
            "Bagian lain yang berbeda (1)",
            "1 Januari 1970, pukul 07.00 WIB",
            "desa-contoh-1",
            JOB,
            "<dd>siti</dd>",
        ],
    );
    let mut shown = Vec::new();
    for picture in pictures(&page) {
        let once = rig.get(&picture).await;
        assert_eq!(
            (once.status, once.header("content-type")),
            (200, "image/png")
        );
        assert_eq!(
            rig.get(&picture).await.status,
            410,
            "a picture is given once"
        );
        shown.push(once.body);
    }
    assert_eq!(shown, ["whole", "on the sheet", "as printed"]);
    let asked = rig.paper.asked.lock().unwrap().clone();
    assert_eq!(asked, [(4, None, "siti".to_owned())]);
    rig.end().await;
}

#[tokio::test]
async fn a_sheet_that_is_as_printed_and_one_that_tells_nothing_are_told_apart() {
    let rig = Rig::start(BOTH).await;
    *rig.paper.says.lock().unwrap() = Ok(answer(SheetVerdict::Same));
    let page = rig
        .doubt(&[("nama", "siti"), ("pekerjaan", JOB)], b"scan")
        .await;
    says(
        &page,
        &[
            "<h1>SAMA</h1>",
            "sama dengan yang dicetak",
            "tidak diperiksa di sini",
        ],
    );
    assert!(pictures(&page).is_empty() && !page.body.contains("Yang berbeda"));
    *rig.paper.says.lock().unwrap() = Ok(answer(SheetVerdict::CannotTell));
    let page = rig.doubt(&[("nama", "siti")], b"scan").await;
    says(
        &page,
        &[
            "<h1>BELUM DAPAT DIPASTIKAN</h1>",
            "R-404",
            "Huruf &#60;b&#62;.",
        ],
    );
    let jobs: Vec<_> = rig
        .paper
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(jobs, [Some(JOB.parse().unwrap()), None]);
    rig.end().await;
}

#[tokio::test]
async fn a_result_is_shown_once_and_the_next_sheet_needs_no_name_again() {
    let rig = Rig::start(BOTH).await;
    *rig.paper.says.lock().unwrap() = Ok(answer(SheetVerdict::Same));
    let page = rig.doubt(&[("nama", "siti")], b"scan").await;
    let (_before, after) = page
        .body
        .split_once("href=\"/station/kertas/lagi/")
        .unwrap();
    let again = format!("/station/kertas/lagi/{}", after.split('"').next().unwrap());
    says(&rig.get(&again).await, &["value=\"siti\""]);
    let page = rig.get(&again).await;
    assert!(
        page.status == 200 && !page.body.contains("siti"),
        "{}",
        page.body
    );
    let gone = rig.get("/station/kertas/hasil/00").await;
    assert_eq!(gone.status, 410);
    says(&gone, &["K-108", "href=\"/station/kertas\""]);
    rig.end().await;
}

#[tokio::test]
async fn whatever_does_not_go_says_what_to_do_and_leads_back_to_the_form() {
    let rig = Rig::start(BOTH).await;
    let large = vec![0; MAX_SCAN_BYTES + 1];
    for (fields, scan, status, code) in [
        (&[("nama", "  ")][..], &b"scan"[..], 400, "K-301"),
        (
            &[("nama", "siti"), ("pekerjaan", "123")],
            b"scan",
            400,
            "K-302",
        ),
        (&[("nama", "siti")], &large, 413, "K-304"),
        (&[("nama", "siti")], b"", 400, "K-102"),
        (&[("nama", "siti"), ("lain", "x")], b"scan", 400, "K-103"),
    ] {
        let page = rig.doubt(fields, scan).await;
        assert_eq!(page.status, status, "{code}: {}", page.body);
        says(&page, &[code, "href=\"/station/kertas\""]);
    }
    assert!(
        rig.paper.asked.lock().unwrap().is_empty(),
        "nothing was asked"
    );
    for trouble in Trouble::ALL.iter().filter(|it| it.id().starts_with("K-3")) {
        *rig.paper.says.lock().unwrap() = Err(*trouble);
        let page = rig.doubt(&[("nama", "siti")], b"scan").await;
        assert_eq!(page.status, trouble.status());
        says(&page, &[trouble.id(), "href=\"/station/kertas\""]);
    }
    rig.end().await;
}

#[tokio::test]
async fn a_machine_that_central_does_not_know_says_so_before_anything_is_sent() {
    let rig = Rig::start(&[Face::Station]).await;
    let page = rig.get("/station/kertas").await;
    assert_eq!(page.status, 503);
    says(&page, &["K-310"]);
    rig.end().await;
}
