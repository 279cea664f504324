//! The pages of a machine, as people use them: real documents, a real stick's folder, a real browser.

use anyhow::{Context as _, ensure};
use loket_demo::site::text;
use loket_tests::browser::Browser;
use loket_tests::look::until;
use loket_tests::pages::{Page, Pages};
use loket_tests::secrecy::{canaries, files_with, found_in};
use loket_tests::world::{Build, DEADLINE, fixture};
use tokio::process::Command;

/// The head of a PNG: a photograph of paper, for whoever looks at its first bytes.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn says(page: &Page, words: &[&str]) -> anyhow::Result<()> {
    for word in words {
        ensure!(
            page.body.contains(word),
            "'{word}' is not in: {}",
            page.body
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_is_told_what_each_kind_of_document_is() -> anyhow::Result<()> {
    let pages = Pages::start(Build::Plain, "", None).await?;
    let asli = "<h1>ASLI</h1>";
    let unsure = "<h1>BELUM DAPAT DIPASTIKAN</h1>";
    let bad = "<h1>TIDAK SAH</h1>";
    for (name, words) in [
        (
            "kk-sample-bb.pdf",
            [asli, "menurut penanda tangan", "belum dicek di sini"],
        ),
        (
            "kk-sample-bt.pdf",
            [asli, "24 Januari 2024", "Dinas Contoh Kabupaten Contohraya"],
        ),
        (
            "kk-sample-altered.pdf",
            [bad, "berubah sesudah ditandatangani", "V-302"],
        ),
        (
            "kk-sample-unsigned.pdf",
            [bad, "tidak bertanda tangan elektronik", "V-201"],
        ),
        (
            "kk-sample-untrusted.pdf",
            [unsure, "belum dikenal di mesin ini", "V-401"],
        ),
        (
            "kk-sample-encrypted.pdf",
            [unsure, "terkunci kata sandi", "V-105"],
        ),
    ] {
        let page = pages.check("kiosk", name, &fixture(name)?).await?;
        ensure!(page.status == 200, "{name}: {}", page.head);
        says(&page, &words).context(name)?;
        ensure!(page.header("cache-control") == "no-store");
    }
    let page = pages.check("kiosk", "foto.png", PICTURE).await?;
    says(&page, &["INI FOTO ATAU HASIL PINDAI", "aplikasi IKD"])?;
    let page = pages.check("kiosk", "surat.docx", b"PK\x03\x04").await?;
    ensure!(page.status == 415, "{}", page.head);
    says(&page, &["K-111", "bukan PDF atau foto"])?;
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    let page = pages.check("kiosk", "besar.pdf", &large).await?;
    ensure!(page.status == 413, "{}", page.head);
    says(&page, &["K-101", "Paling besar 8 MiB"])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_is_told_everything_that_was_found() -> anyhow::Result<()> {
    let pages = Pages::start(Build::Plain, "", None).await?;
    let name = "kk-sample-altered.pdf";
    let page = pages.check("station", name, &fixture(name)?).await?;
    says(
        &page,
        &[
            "TIDAK SAH",
            "V-302",
            "Isi dokumen berubah sesudah ditandatangani.",
        ],
    )?;
    says(
        &page,
        &["CA Penerbit Uji Loket (CONTOH)", "tidak boleh dicetak"],
    )?;
    let name = "kk-sample-bt.pdf";
    let page = pages.check("station", name, &fixture(name)?).await?;
    says(
        &page,
        &["ASLI", "menurut stempel waktu yang sah", "1 halaman"],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_on_a_stick_is_checked_by_one_touch() -> anyhow::Result<()> {
    let pages = Pages::start(Build::Plain, "", None).await?;
    let stick = pages.dir().join("media/STICK");
    std::fs::write(stick.join("KK.pdf"), fixture("kk-sample-bb.pdf")?)?;
    std::os::unix::fs::symlink("/etc/passwd", stick.join("a.pdf"))?;
    let page = pages.get("/kiosk/periksa").await?;
    says(&page, &["KK.pdf"])?;
    ensure!(
        !page.body.contains("a.pdf"),
        "a link is listed: {}",
        page.body
    );
    let form = format!(
        "token={}&daftar={}&berkas=0",
        page.field("token")?,
        page.field("daftar")?
    );
    let kind = "application/x-www-form-urlencoded";
    let page = pages
        .post("/kiosk/periksa/usb", kind, form.as_bytes())
        .await?;
    says(&page, &["<h1>ASLI</h1>"])?;
    let again = pages
        .post("/kiosk/periksa/usb", kind, form.as_bytes())
        .await?;
    ensure!(again.status == 409, "a form is sent once: {}", again.head);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_document_stays_when_it_was_checked() -> anyhow::Result<()> {
    let mut pages = Pages::start(Build::Plain, "", None).await?;
    let canaries = canaries()?;
    let name = canaries
        .iter()
        .find(|canary| canary.contains(' '))
        .context("a name")?;
    let document = fixture("kk-sample-bb.pdf")?;
    ensure!(
        !found_in(&document, &canaries)?.is_empty(),
        "the document names people"
    );
    for face in ["kiosk", "station"] {
        for each in [
            "kk-sample-bb.pdf",
            "kk-sample-altered.pdf",
            "kk-sample-encrypted.pdf",
        ] {
            let file = format!("{name}.pdf");
            let page = pages.check(face, &file, &fixture(each)?).await?;
            ensure!(page.status == 200 && !page.body.contains(name.as_str()));
        }
    }
    // On the stick alone, which is the outside; its listing is shown and told to nobody else.
    let stick = pages.dir().join("media/STICK").join(format!("{name}.pdf"));
    std::fs::write(&stick, &document)?;
    says(&pages.get("/kiosk/periksa").await?, &[name])?;
    std::fs::remove_file(stick)?;
    let left = |pages: &Pages| files_with(pages.dir(), &[], &canaries);
    ensure!(
        left(&pages)?.is_empty(),
        "while it runs: {:?}",
        left(&pages)?
    );
    pages.running.stop().await?;
    ensure!(
        left(&pages)?.is_empty(),
        "once it stopped: {:?}",
        left(&pages)?
    );
    let log = std::fs::read_to_string(pages.running.log())?;
    ensure!(
        log.contains("verification.verdict=\"valid\""),
        "the log is read: {log}"
    );
    let journal = std::fs::read(pages.dir().join("state/journal.db"))?;
    let kind = b"verification-done";
    ensure!(
        journal.windows(kind.len()).any(|window| window == kind),
        "the journal is read"
    );
    // The control: what had stayed would have been found.
    std::fs::write(pages.dir().join("state/leak"), &document)?;
    ensure!(
        !left(&pages)?.is_empty(),
        "the search finds nothing anywhere"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verification_is_written_down_as_a_verdict_and_a_keyed_digest() -> anyhow::Result<()> {
    let mut pages = Pages::start(Build::Plain, "", None).await?;
    for name in [
        "kk-sample-bb.pdf",
        "kk-sample-bb.pdf",
        "kk-sample-altered.pdf",
    ] {
        pages.check("kiosk", "kk.pdf", &fixture(name)?).await?;
    }
    pages.running.stop().await?;
    let sql = "select cast(bytes as text) from event where kind = 'verification-done' order by seq";
    let output = Command::new("sqlite3")
        .arg(pages.dir().join("state/journal.db"))
        .arg(sql)
        .output()
        .await
        .context("run sqlite3: Debian package sqlite3")?;
    let text = String::from_utf8(output.stdout)?;
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("read {text}"))?;
    ensure!(events.len() == 3, "{text} {:?}", output.stderr);
    let fields = |event: &serde_json::Value| {
        event
            .as_object()
            .map(|fields| fields.keys().cloned().collect::<Vec<_>>())
    };
    for event in &events {
        let all = ["at_ms", "document", "kind", "v", "verdict"];
        ensure!(fields(event).is_some_and(|fields| fields == all), "{event}");
    }
    ensure!(events[0]["verdict"] == "valid" && events[2]["verdict"] == "invalid");
    ensure!(
        events[0]["document"] == events[1]["document"],
        "the same document"
    );
    ensure!(
        events[0]["document"] != events[2]["document"],
        "another one"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_documents_at_once_are_both_answered() -> anyhow::Result<()> {
    let pages = Pages::start(Build::Plain, "", None).await?;
    let (good, altered) = (
        fixture("kk-sample-bb.pdf")?,
        fixture("kk-sample-altered.pdf")?,
    );
    let (one, other) = tokio::join!(
        pages.check("kiosk", "a.pdf", &good),
        pages.check("station", "b.pdf", &altered)
    );
    says(&one?, &["<h1>ASLI</h1>"])?;
    says(&other?, &["<h1>TIDAK SAH</h1>"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judging_process_that_takes_too_long_is_killed_and_the_next_one_answers()
-> anyhow::Result<()> {
    let hold = tempfile::NamedTempFile::new()?;
    let door = format!("judging:{}", text(hold.path()));
    let door = Some(("LOKET_HOLD_AT", door.as_str()));
    let mut pages = Pages::start(Build::Hooks, "judge_within_s = 5\n", door).await?;
    let document = fixture("kk-sample-bb.pdf")?;
    let page = pages.check("kiosk", "kk.pdf", &document).await?;
    ensure!(page.status == 422, "{}", page.head);
    says(&page, &["K-201", "Bawa berkasnya ke loket."])?;
    let parent = pages.running.pid().context("a process")?.to_string();
    until("no judging process is left", DEADLINE, async || {
        let found = Command::new("pgrep").args(["-P", &parent]).output().await?;
        Ok(found.stdout.is_empty().then_some(()))
    })
    .await?;
    drop(hold);
    let page = pages.check("kiosk", "kk.pdf", &document).await?;
    says(&page, &["<h1>ASLI</h1>"])?;
    pages.running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_trust_folder_is_broken_pages_judge_by_what_was_last_good() -> anyhow::Result<()>
{
    let pages = Pages::start(Build::Plain, "", None).await?;
    let document = fixture("kk-sample-bb.pdf")?;
    let half = pages.dir().join("trust/half.crl");
    std::fs::write(&half, "half a list")?;
    let page = pages.check("kiosk", "kk.pdf", &document).await?;
    says(&page, &["<h1>ASLI</h1>"])?;
    let broken = ["Map kepercayaan di mesin ini rusak", "Data kepercayaan per"];
    let page = pages.check("station", "kk.pdf", &document).await?;
    says(&page, &["ASLI"])?;
    says(&page, &broken)?;
    std::fs::remove_file(half)?;
    let page = pages.check("station", "kk.pdf", &document).await?;
    ensure!(!page.body.contains(broken[0]), "{}", page.body);
    // The control: what is put there whole counts at once.
    std::fs::remove_file(pages.dir().join("trust/root.pem"))?;
    let page = pages.check("kiosk", "kk.pdf", &document).await?;
    says(&page, &["BELUM DAPAT DIPASTIKAN"])
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_a_page_that_nobody_touches_goes_back_to_the_start() -> anyhow::Result<()> {
    // The shortest that an office may set; it passes in real time.
    let pages = Pages::start(Build::Plain, "idle_s = 20\n", None).await?;
    let url = format!("http://{}/kiosk/periksa", pages.at);
    let browser = Browser::open(&url, &pages.dir().join("tmp/chromium")).await?;
    browser.stands_on("Pilih dokumen · Loket").await?;
    browser.stands_on("Selamat datang · Loket").await?;
    Ok(())
}
