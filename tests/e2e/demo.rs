//! `cargo demo` as README tells it. The tests start the built program with the words that cargo's alias hands on.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_tests::look::until;
use loket_tests::secrecy::{canaries, files_with};
use loket_tests::world::{Build, DEADLINE, bin_dir, fixture};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const README: &str = include_str!("../../README.md");

/// The last line that a demo prints.
const READY: &str = "Ctrl+C ends everything";

/// A demo at work, with what it printed.
struct Demo {
    child: Child,
    printed: Vec<String>,
    _more: Lines<BufReader<ChildStdout>>,
}

/// `cargo demo` in `folder`, with more words behind it.
fn command(folder: &Path, words: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(bin_dir(Build::Plain)?.join("loket-demo"));
    // cargo hands the `--` of an alias on to the program.
    if !words.is_empty() {
        command.arg("--");
    }
    command
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

async fn run(folder: &Path, words: &[&str]) -> anyhow::Result<Output> {
    command(folder, words)?
        .output()
        .await
        .context("run the demo")
}

impl Demo {
    async fn start(folder: &Path, words: &[&str]) -> anyhow::Result<Self> {
        let mut child = command(folder, words)?.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("hear the demo")?;
        let mut more = BufReader::new(stdout).lines();
        let mut printed = Vec::new();
        let hear = async {
            while printed.last().is_none_or(|line| line != READY) {
                printed.push(more.next_line().await?.context("hear a demo that ended")?);
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(DEADLINE, hear).await??;
        Ok(Self {
            child,
            printed,
            _more: more,
        })
    }

    /// What stands behind `name` in the lines.
    fn value(&self, name: &str) -> anyhow::Result<&str> {
        let mut lines = self.printed.iter();
        let rest = lines.find_map(|line| line.strip_prefix(name));
        let value = rest.and_then(|rest| rest.split_whitespace().next());
        value.with_context(|| format!("find '{name}' in {:?}", self.printed))
    }

    /// The `host:port` of an address behind `name`.
    fn at(&self, name: &str) -> anyhow::Result<&str> {
        let (_scheme, rest) = self.value(name)?.split_once("://").context("an address")?;
        rest.split('/').next().context("an address")
    }

    /// Ctrl+C.
    async fn interrupt(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().context("a demo at work")?.to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status().await?;
        ensure!(asked.success());
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await??;
        ensure!(ended.success(), "{ended}");
        Ok(())
    }
}

/// README's code blocks of a language.
fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{language}\n");
    README
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| format!("```{block}").strip_prefix(&fence).map(|_| block))
        .map(|block| block.split_once('\n').map_or("", |(_language, text)| text))
}

fn block(language: &str, part: &str) -> anyhow::Result<&'static str> {
    let found = blocks(language).find(|block| block.contains(part));
    found.with_context(|| format!("find a block with '{part}' in README.md"))
}

/// A line's words up to its value.
fn name(line: &str) -> String {
    let words = line.split_whitespace();
    let is_name = |word: &&str| word.chars().all(|it| it.is_ascii_alphabetic() || it == '-');
    let named: Vec<&str> = words.take_while(is_name).take(2).collect();
    named.join(" ")
}

async fn shell(folder: &Path, script: &str) -> anyhow::Result<()> {
    let mut shell = Command::new("sh");
    let output = shell.args(["-e", "-c", script]).current_dir(folder);
    let output = output.output().await?;
    ensure!(output.status.success(), "{script}: {output:?}");
    Ok(())
}

/// Processes whose command line names `folder`.
fn processes_of(folder: &Path) -> anyhow::Result<Vec<String>> {
    let name = folder.display().to_string();
    let entries = std::fs::read_dir("/proc")?.filter_map(Result::ok);
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    Ok(lines.filter(|line| line.contains(&name)).collect())
}

/// What the printer kept; the demo's own mark is hidden.
fn printed(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let files: Vec<PathBuf> = entries.collect::<std::io::Result<_>>()?;
    let is_hidden = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with('.')
    };
    Ok(files.into_iter().filter(|file| !is_hidden(file)).collect())
}

/// A folder with what README's commands copy from.
fn checkout() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let fixtures = folder.path().join("tests/fixtures");
    std::fs::create_dir_all(&fixtures)?;
    for name in ["order.json", "kk-sample-bb.pdf"] {
        std::fs::write(fixtures.join(name), fixture(name)?)?;
    }
    Ok(folder)
}

#[tokio::test]
async fn a_newcomer_follows_readme_word_for_word() -> anyhow::Result<()> {
    let checkout = checkout()?;
    let folder = checkout.path().canonicalize()?;
    let demo = Demo::start(&folder, &[]).await?;
    let told = block("text", READY)?;
    let names = |lines: &mut dyn Iterator<Item = &str>| lines.map(name).collect::<Vec<_>>();
    let said = names(&mut demo.printed.iter().map(String::as_str));
    ensure!(said == names(&mut told.lines()), "{said:?}");

    shell(&folder, block("sh", "target/demo/intake/first.pdf")?).await?;
    let (central, operator) = (demo.at("central ")?, demo.value("sign-in operator ")?);
    let job = until("the job printed", DEADLINE, async || {
        let jobs = http::call(central, "GET", "/api/v1/jobs", Some(operator));
        let jobs = jobs.await?.json()?;
        let job = jobs["jobs"][0].clone();
        Ok((job["state"] == "printed").then_some(job))
    });
    let job = job.await?;
    ensure!(job["reference"] == "KK-CONTOH-0001", "{job}");
    let output = folder.join("target/demo-output");
    ensure!(README.contains("`target/demo-output`"));
    ensure!(demo.value("output folder ")? == output.display().to_string());
    ensure!(printed(&output)?.len() == 1);

    // README's printer has the port of README's demo.
    let told = told
        .lines()
        .find_map(|line| line.strip_prefix("printer ipp://"));
    let told = told.and_then(|rest| rest.split('/').next());
    let told = told.context("find the printer in README.md")?;
    let printer = demo.at("printer ")?;
    let turn = block("sh", "/control")?;
    ensure!(turn.contains(told), "{turn}");
    shell(&folder, &turn.replace(told, printer)).await?;
    let knobs = http::post(printer, "/control", "application/json", b"{}".to_vec())?;
    let knobs = http::send(printer, knobs).await?.json()?;
    ensure!(knobs["paper"] == 0, "{knobs}");

    ensure!(!processes_of(&folder)?.is_empty(), "the parts name it");
    demo.interrupt().await?;
    let left = processes_of(&folder)?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn a_second_demo_on_the_same_state_says_so_and_touches_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let words = ["--state", "state"];
    let demo = Demo::start(folder.path(), &words).await?;
    let settings = folder
        .path()
        .join("state/machines/desa-contoh-1/loket.toml");
    let before = std::fs::read_to_string(&settings)?;
    for words in [&words[..], &["--once", "--state", "state", "--out", "out"]] {
        let second = run(folder.path(), words).await?;
        ensure!(second.status.code() == Some(75), "{second:?}");
        ensure!(second.stdout.is_empty(), "{second:?}");
        let said = String::from_utf8_lossy(&second.stderr);
        ensure!(said.contains("another demo runs there"), "{said}");
    }
    ensure!(std::fs::read_to_string(&settings)? == before);
    let healthy = http::call(demo.at("central ")?, "GET", "/healthz", None).await?;
    ensure!(healthy.status == 200);
    demo.interrupt().await
}

/// A part that lived on would hold the ports of the next demo.
#[tokio::test]
async fn a_demo_that_is_killed_takes_its_parts_along() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path().canonicalize()?;
    let mut demo = Demo::start(&folder, &["--state", "state"]).await?;
    ensure!(!processes_of(&folder)?.is_empty(), "the parts name it");
    demo.child.kill().await?;
    until("the parts gone", DEADLINE, async || {
        Ok(processes_of(&folder)?.is_empty().then_some(()))
    })
    .await?;
    let demo = Demo::start(&folder, &["--state", "state"]).await?;
    demo.interrupt().await
}

fn summary(out: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(out.join("summary.json"))?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test]
async fn once_again_on_the_same_state_prints_again_and_keeps_no_person_in_it() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let (state, out) = (folder.path().join("state"), folder.path().join("out"));
    let words = ["--once", "--state", "state", "--out", "out"];
    let mut jobs = Vec::new();
    for _run in 0..3 {
        let ran = run(folder.path(), &words).await?;
        ensure!(ran.status.success(), "{ran:?}");
        let summary = summary(&out)?;
        ensure!(summary["state"] == "printed", "{summary}");
        ensure!(summary["sheets"] == 1, "{summary}");
        let received = &summary["received_sha256"];
        ensure!(*received == summary["revision_sha256"], "{summary}");
        jobs.push(summary["job_id"].to_string());
    }
    jobs.dedup();
    ensure!(jobs.len() == 3, "{jobs:?}");

    let canaries = canaries()?;
    let caught = files_with(&state, &[], &canaries)?;
    ensure!(caught.is_empty(), "{caught:?}");
    let output = folder.path().join("state-output");
    let caught = files_with(&output, &[], &canaries)?;
    ensure!(!caught.is_empty(), "the search finds what is there");
    Ok(())
}

/// What an earlier run left must not be taken for this one's.
#[tokio::test]
async fn once_that_fails_leaves_a_summary_that_says_so() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let words = ["--once", "--state", "state", "--out", "out"];
    let ran = run(folder.path(), &words).await?;
    ensure!(ran.status.success(), "{ran:?}");
    let ports = std::fs::read_to_string(folder.path().join("state/ports.json"))?;
    let ports: Value = serde_json::from_str(&ports)?;
    let api = ports["api"].as_u64().context("a port")?;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", u16::try_from(api)?))?;
    let ran = run(folder.path(), &words).await?;
    ensure!(ran.status.code() == Some(1), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stderr);
    let taken = format!("give port {api} to central: another program has it");
    ensure!(said.contains(&taken), "{said}");
    let summary = summary(&out)?;
    for key in ["job_id", "state", "received_sha256"] {
        ensure!(summary[key].is_null(), "{summary}");
    }
    ensure!(!out.join("received.pdf").exists());
    Ok(())
}
