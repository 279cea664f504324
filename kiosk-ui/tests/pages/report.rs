//! The officers' page for a day.

use loket_kiosk_ui::Face;

use crate::rig::Rig;

const DAY: &str = "/station/laporan?tanggal=2026-11-27&nama=wati";
const FILE: &str = "/station/laporan/berkas?tanggal=2026-11-27&nama=wati&bentuk=";

#[tokio::test]
async fn an_officer_sees_a_day_and_takes_it_along_as_a_table_and_as_a_form() {
    let rig = Rig::start(&[Face::Station]).await;
    let asked = rig.get("/station/laporan").await;
    assert!(
        asked.body.contains("value=\"2026-11-27\""),
        "{}",
        asked.body
    );
    let page = rig.get(DAY).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for words in [
        "Jumat, 27 November 2026",
        "desa-contoh-1",
        "Tidak ada lembar rusak.",
        "<td>Lembar baik</td>",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let table = rig.get(&format!("{FILE}csv")).await;
    let kept = table.header("content-disposition");
    assert!(
        kept.contains("loket-desa-contoh-1-2026-11-27.csv"),
        "{kept}"
    );
    assert!(
        table.body.starts_with("\u{feff}baris;mesin;"),
        "{}",
        table.body
    );
    let data = rig.get(&format!("{FILE}data")).await;
    assert!(data.body.starts_with("row,machine,day,"), "{}", data.body);
    let form = rig.get(&format!("{FILE}pdf")).await;
    assert!(form.body.starts_with("%PDF-"));
    rig.end().await;
}

#[tokio::test]
async fn a_day_that_is_none_and_a_name_that_is_none_are_told_in_words() {
    let rig = Rig::start(&[Face::Station]).await;
    for (path, status, code) in [
        (
            "/station/laporan?tanggal=2026-02-30&nama=wati",
            400,
            "K-401",
        ),
        ("/station/laporan?tanggal=2026-11-27", 400, "K-301"),
        ("/station/laporan/berkas?tanggal=", 400, "K-401"),
    ] {
        let page = rig.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.body.contains(code), "{path}: {}", page.body);
        assert!(page.body.contains("href=\"/station/laporan\""), "{path}");
    }
    rig.end().await;
}

#[tokio::test]
async fn residents_have_no_such_page() {
    let rig = Rig::start(&[Face::Kiosk]).await;
    assert_eq!(rig.get(DAY).await.status, 404);
    rig.end().await;
}
