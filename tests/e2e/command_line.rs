//! The documented command lines of loketd, as a person types them: what they say and how they end.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use anyhow::{Context as _, ensure};
use loket_demo::site::text;
use loket_tests::world::{Build, Station, World, bin_dir};
use tokio::process::Command;

fn loketd() -> anyhow::Result<Command> {
    Ok(Command::new(bin_dir(Build::Plain)?.join("loketd")))
}

async fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(loketd()?.args(arguments).output().await?)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ends with `code`, with these words on standard error and no word of a program's own panic.
fn ended(output: &Output, code: i32, words: &[&str]) -> anyhow::Result<()> {
    let told = said(&output.stderr);
    ensure!(output.status.code() == Some(code), "{output:?}");
    for word in words {
        ensure!(told.contains(word), "'{word}' is not in: {told}");
    }
    ensure!(
        !told.contains("panicked") && !told.contains("failed to"),
        "{told}"
    );
    Ok(())
}

fn fixture(name: &str) -> String {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    text(&fixtures.join(name))
}

const AT: &str = "2026-11-22T00:00:00Z";

#[tokio::test]
async fn verify_tells_an_officer_what_was_found_and_what_to_do() -> anyhow::Result<()> {
    let cases = [
        (
            "kk-sample-altered.pdf",
            [
                "TIDAK SAH",
                "V-302 (tidak sah) Isi dokumen berubah",
                "langkah: Jangan dipakai, jangan dicetak.",
            ],
        ),
        (
            "kk-sample-bb.pdf",
            ["ASLI", "waktu (menurut penanda tangan sendiri)", "V-501 "],
        ),
        (
            "kk-sample-bt.pdf",
            ["ASLI", "waktu (menurut stempel waktu yang sah)", "CONTOH"],
        ),
    ];
    let trust = fixture("trust");
    for (name, words) in cases {
        let file = fixture(name);
        let output = run(&["verify", &file, "--trust", &trust, "--at", AT]).await?;
        let told = said(&output.stdout);
        for word in words {
            ensure!(told.contains(word), "{name}: '{word}' is not in {told}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_help_of_verify_is_for_officers_and_names_every_exit_code() -> anyhow::Result<()> {
    let output = run(&["verify", "--help"]).await?;
    let told = said(&output.stdout);
    ensure!(output.status.code() == Some(0), "{output:?}");
    for word in [
        "Periksa dokumen",
        "Pemakaian: loketd verify",
        "--trust <MAP>",
        "Kode keluar:",
        "0   ASLI",
        "1   TIDAK SAH",
        "2   BELUM DAPAT DIPASTIKAN",
        "64  perintah",
        "66  berkas",
        "78  pengaturan",
        "petugas TI",
    ] {
        ensure!(told.contains(word), "'{word}' is not in {told}");
    }
    for word in ["Usage", "Options", "Print help", "default", "Arguments"] {
        ensure!(!told.contains(word), "'{word}' is English: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn verify_reads_qr_codes_where_it_is_asked_to_and_follows_none() -> anyhow::Result<()> {
    let (trust, file) = (fixture("trust"), fixture("kk-sample-bb.pdf"));
    let verify = ["verify", &file, "--trust", &trust, "--at", AT, "--json"];
    let codes = async |more: &[&str]| {
        let output = run(&[&verify[..], more].concat()).await?;
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        anyhow::Ok(told["qr"].clone())
    };
    ensure!(codes(&[]).await? == serde_json::json!([]), "unasked");
    let read = codes(&["--qr"]).await?;
    ensure!(
        read[0]["page"] == 1
            && read[0]["rule"].is_string()
            && read[0]["hosts_valid_from"] == "2025-12-31T17:00:00Z",
        "{read}"
    );
    ensure!(read[1].is_null(), "one code: {read}");
    Ok(())
}

#[tokio::test]
async fn verify_judges_by_the_rules_that_somebody_names() -> anyhow::Result<()> {
    let (trust, file) = (fixture("trust"), fixture("kk-sample-bb.pdf"));
    let folder = tempfile::tempdir()?;
    let policy = folder.path().join("policy.toml");
    let signer = |name: &str| {
        format!("version = 1\n[[signers]]\nsubject = {{ O = \"{name}\", CN = \"*\" }}\n")
    };
    let judged = async |rules: &str| {
        std::fs::write(&policy, rules)?;
        let policy = text(&policy);
        let words = [
            "verify", &file, "--trust", &trust, "--at", AT, "--policy", &policy,
        ];
        run(&words).await
    };
    let output = judged(&signer("Dinas Contoh Kabupaten Contohraya")).await?;
    ensure!(output.status.code() == Some(0), "{output:?}");
    let output = judged(&signer("Dinas Lain")).await?;
    ensure!(output.status.code() == Some(2), "{output:?}");
    let told = said(&output.stdout);
    ensure!(
        told.contains("V-420") && told.contains("BELUM DAPAT DIPASTIKAN"),
        "{told}"
    );
    let output = judged("version = 1\nsigner = []\n").await?;
    let told = said(&output.stderr);
    ensure!(
        output.status.code() == Some(66) && told.contains("L-110"),
        "{told}"
    );
    ensure!(
        told.contains("policy.toml") && told.contains("signer"),
        "{told}"
    );
    Ok(())
}

#[tokio::test]
async fn a_full_or_closed_standard_output_is_told_by_the_exit_code() -> anyhow::Result<()> {
    let (trust, file) = (fixture("trust"), fixture("kk-sample-bb.pdf"));
    let verify = ["verify", &file, "--trust", &trust, "--at", AT];
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
    let output = into(loketd()?.args(verify), full.into()).await?;
    ended(&output, 74, &["L-104"])?;
    // As with `| head`, when head has gone.
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let output = into(loketd()?.args(verify), writer.into()).await?;
    ended(&output, 74, &[])?;
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}

/// Runs a command with its results going there.
async fn into(command: &mut Command, results: Stdio) -> anyhow::Result<Output> {
    let running = command.stdout(results).stderr(Stdio::piped()).spawn()?;
    Ok(running.wait_with_output().await?)
}

async fn stationed(printer: &[&str]) -> anyhow::Result<(World, Station, String)> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", printer).await?;
    let config = text(&station.machine.config());
    Ok((world, station, config))
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_told_with_their_reasons() -> anyhow::Result<()> {
    let (_world, mut station, config) = stationed(&["--paper", "0"]).await?;
    let devices = ["devices", "--config", &config];
    let output = run(&devices).await?;
    ended(&output, 0, &[])?;
    let told = said(&output.stdout);
    ensure!(told.contains("kertas habis (media-empty)"), "{told}");
    let as_json = ["devices", "--json", "--config", &config];
    let told: serde_json::Value = serde_json::from_slice(&run(&as_json).await?.stdout)?;
    let device = &told["devices"][0];
    ensure!(
        device["name"] == "a4" && device["kind"] == "printer" && device["uri"] == station.uri,
        "{told}"
    );
    let reasons = device["reasons"].as_array().context("read the reasons")?;
    ensure!(reasons.iter().any(|it| it == "media-empty"), "{told}");
    station.printer.kill().await?;
    let told: serde_json::Value = serde_json::from_slice(&run(&as_json).await?.stdout)?;
    let device = &told["devices"][0];
    ensure!(device["state"] == "unreachable", "a keyword alone: {told}");
    let fault = device["fault"].as_str().context("read the fault")?;
    ensure!(fault.matches("reach the printer").count() == 1, "{fault}");
    let told = said(&run(&devices).await?.stdout);
    ensure!(told.contains("tidak terjangkau"), "{told}");
    let why = "printer menolak sambungan; nyalakan ulang printer";
    ensure!(told.contains(why), "why, and what to do: {told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_as_text_and_a_missing_daemon_is_told_in_a_sentence() -> anyhow::Result<()>
{
    let (world, station, config) = stationed(&[]).await?;
    let jobs = ["jobs", "--config", &config];
    ended(
        &run(&jobs).await?,
        69,
        &["L-201: Layanan loketd tidak berjalan"],
    )?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    let output = run(&jobs).await?;
    let told = said(&output.stdout);
    let line = told.lines().next().context("read the list")?;
    ensure!(
        line.starts_with(&format!("{job}  held  menunggu petugas  KK-1  ")),
        "{line}"
    );
    let unknown = "019ac000-0000-7000-8000-000000000000";
    let answer = [
        "job", "cancel", unknown, "--by", "wati", "--config", &config,
    ];
    ended(&run(&answer).await?, 1, &["P-101: ", "hubungi"])?;
    ended(
        &run(&["jobs", "--config", "/no/such.toml"]).await?,
        66,
        &["L-101"],
    )?;
    Ok(())
}

/// What root makes in a folder of another account locks the daemon out of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_of_another_account_is_not_touched() -> anyhow::Result<()> {
    let (_world, station, config) = stationed(&[]).await?;
    let state = station.machine.home.join("state");
    std::os::unix::fs::chown(&state, Some(65_534), Some(65_534))
        .context("give a folder away: these tests run as root, in a container of their own")?;
    let before = files(&state)?;
    let (file, out) = (
        fixture("kk-sample-bb.pdf"),
        text(&station.machine.home.join("again.json")),
    );
    let install = text(&station.machine.home.join("install.json"));
    let commands: [&[&str]; 3] = [
        &[
            "print",
            &file,
            "--printer",
            &station.uri,
            "--config",
            &config,
        ],
        &["identity", "request", "--out", &out, "--config", &config],
        &["identity", "install", &install, "--config", &config],
    ];
    for command in commands {
        let output = run(command).await?;
        ended(
            &output,
            73,
            &["L-301", &text(&state), "runuser -u nobody -- "],
        )?;
        ensure!(said(&output.stderr).contains(command[0]), "{output:?}");
    }
    ensure!(files(&state)? == before, "nothing was written there");
    Ok(())
}

/// Names and owners.
fn files(dir: &std::path::Path) -> anyhow::Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, entry.metadata()?.uid()));
    }
    found.sort();
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_s_file_that_the_daemon_could_not_run_with_is_refused() -> anyhow::Result<()> {
    let (world, station, config) = stationed(&[]).await?;
    let good = station.machine.home.join("install.json");
    let bundle: serde_json::Value = serde_json::from_slice(&std::fs::read(&good)?)?;
    let installed = station.machine.home.join("state/identity/install.json");
    let before = std::fs::read(&installed)?;
    let other = world.station("desa-contoh-2", &[]).await?;
    let stranger: serde_json::Value =
        serde_json::from_slice(&std::fs::read(other.machine.home.join("install.json"))?)?;
    let with = |key: &str, value: serde_json::Value| {
        let mut changed = bundle.clone();
        changed[key] = value;
        changed.to_string()
    };
    let cases = [
        ("no JSON", "{".to_owned()),
        ("no broker", with("brokers", serde_json::json!([]))),
        ("no authority", with("authority_pem", "".into())),
        ("no certificate", with("certificate_pem", "hello".into())),
        ("another machine", stranger.to_string()),
        (
            "another machine's key",
            with("certificate_pem", stranger["certificate_pem"].clone()),
        ),
    ];
    let file = text(&world.dir().join("given.json"));
    let install = ["identity", "install", &file, "--config", &config];
    for (name, text) in cases {
        std::fs::write(&file, text)?;
        let output = run(&install).await?;
        ended(&output, 65, &["L-402", &file]).with_context(|| name.to_owned())?;
        ensure!(!said(&output.stderr).contains("state/identity"), "{name}");
        ensure!(std::fs::read(&installed)? == before, "{name}: kept");
    }
    std::fs::write(&file, bundle.to_string())?;
    ended(&run(&install).await?, 0, &["restart loketd"])?;
    ensure!(std::fs::read(&installed)? == bundle.to_string().into_bytes());
    std::fs::remove_file(&file)?;
    ended(&run(&install).await?, 66, &["L-103"])
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_refuses_what_the_daemon_would_stumble_over() -> anyhow::Result<()> {
    let (world, station, config) = stationed(&[]).await?;
    let good = std::fs::read_to_string(&config)?;
    let check = ["check-config", "--config", &config];
    ended(&run(&check).await?, 0, &[])?;
    let cases = [
        (good.replace(&station.uri, "http://nonsense"), "printer.uri"),
        (
            format!("log_filter = \"no such=filter=[\"\n{good}"),
            "log_filter",
        ),
        (format!("spool_quota_bytes = 0\n{good}"), "spool_quota"),
        (
            good.replace("republish_after_ms = 2000", "republish_after_ms = 0"),
            "republish_after_ms",
        ),
    ];
    for (text, key) in cases {
        std::fs::write(&config, text)?;
        ended(&run(&check).await?, 78, &["L-102", key])?;
    }
    std::fs::write(&config, &good)?;
    let trust = world.site.path("trust");
    std::fs::write(trust.join("broken.pem"), "hello")?;
    ended(&run(&check).await?, 78, &["L-107", &text(&trust)])
}

/// What an officer mistypes is answered in the officer's language; what clap found stands below it.
#[tokio::test]
async fn a_mistyped_command_of_an_officer_is_answered_in_indonesian() -> anyhow::Result<()> {
    for mistyped in [
        &["jobs", "--jsn"][..],
        &["job", "release"],
        &["job", "answer", "not-a-job", "came-out", "--by", "sari"],
        &["print"],
        &["verify", "--at", "yesterday", "berkas.pdf"],
        &["cetak"],
    ] {
        let output = run(mistyped).await?;
        ended(&output, 64, &["\n  rincian: error: "])?;
        let told = said(&output.stderr);
        ensure!(
            told.starts_with("L-109: Perintah salah tulis"),
            "{mistyped:?}: {told}"
        );
        ensure!(output.stdout.is_empty(), "{output:?}");
    }
    Ok(())
}
