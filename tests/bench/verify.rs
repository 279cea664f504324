//! Verification of a signed document: in process and as a process, beside pdfsig and pyHanko, and beside the floor: one
//! SHA-256 pass and the RSA verifications of that document.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_tests::world::{Build, bin_dir};
use loket_verify::{Policy, Trust, Verdict, check};
use loket_wire::Timestamp;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};

use crate::figures::{Figures, ms, ratio};
use crate::process::{peak_kib, python_peer, share};
use crate::section::{Row, Section};

/// The moment of judging.
const AT: &str = "2026-11-22T00:00:00Z";

/// The picture in the large document: with the rest it has 3 MB.
const LARGE_BYTES: u32 = 3_000_000;

/// Signatures in a chain of three with a time stamp and two revocation lists: by keys of 2048 bits the document's and
/// the stamp's; by keys of 4096 bits those of signer, stamper and their authority, and of the two lists.
const FLOOR_2048: usize = 2;
const FLOOR_4096: usize = 5;

/// Processes are a hundred times dearer than calls: so many times fewer of them are started.
const CALLS_PER_PROCESS: u32 = 20;

/// The other levels, for which no time was promised.
const LEVELS: [(&str, &str); 4] = [
    ("B-B", "kk-sample-bb.pdf"),
    ("B-T", "kk-sample-bt.pdf"),
    ("B-LTA", "kk-sample-blta.pdf"),
    (
        "B-LTA, stamped twice",
        "originals/pyhanko-renewed-table.pdf",
    ),
];

/// Calls for each document that is made to be dear, of which the slowest counts.
const COSTLY_CALLS: u32 = 5;

const TARGET_COSTLY: Duration = Duration::from_millis(50);
const TARGET_COSTLY_MEMORY_KIB: u64 = 64 * 1024;

const TARGET_SMALL: Target = ("≤ 2 ms", Duration::from_millis(2));
const TARGET_LARGE: Target = ("≤ 6 ms", Duration::from_millis(6));
const TARGET_PROCESS: Duration = Duration::from_millis(5);
const TARGET_RATIO: f64 = 0.1;
const TARGET_MEMORY_KIB: u64 = 16 * 1024;

/// What was promised, in words and as a time.
type Target = (&'static str, Duration);

/// Where the fixtures lie, and what is judged.
struct Bench {
    fixtures: PathBuf,
    folder: tempfile::TempDir,
    store: PathBuf,
    calls: u32,
}

/// Runs it with `calls` in process, and a twentieth of that as processes.
pub(crate) fn run(calls: u32) -> anyhow::Result<Section> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().context("make a folder")?;
    let bench = Bench {
        fixtures: root.join("fixtures"),
        store: folder.path().join("nss"),
        folder,
        calls,
    };
    bench.make_store()?;
    let large = bench.make_large()?;
    let mut section = Section::default();
    let small = bench.fixtures.join("kk-sample-blt.pdf");
    bench.measure(&mut section, &small, "B-LT", TARGET_SMALL)?;
    bench.measure(&mut section, &large, "B-LT with a picture", TARGET_LARGE)?;
    for (kind, name) in LEVELS {
        let file = bench.fixtures.join(name);
        let bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let ours = bench.in_process(&bytes)?;
        let name = format!("{kind}, {} kB, in process, p50 and p99", bytes.len() / 1000);
        let (middle, most) = (ours.percentile(50), ours.percentile(99));
        section.row(Row::new(name, format!("{} and {}", ms(middle), ms(most))));
    }
    let idle = bench.processes_of(&mut Bench::version()?)?;
    let (middle, most) = (idle.percentile(50), idle.percentile(99));
    section.row(Row::new(
        "loketd that starts, says its version and ends, p50 and p99",
        format!("{} and {}", ms(middle), ms(most)),
    ));
    bench.costly(&mut section)?;
    section.note(format!(
        "Floor: one SHA-256 pass over the file, {FLOOR_2048} RSA verifications with 2048 bits and {FLOOR_4096} with 4096, by ring, in process. \
         {calls} calls in process, {} processes of each peer. pdfsig checks digest and chain, and looks at no update and no revocation \
         list of the file; pyHanko runs in one process for all its files, its start not counted.",
        bench.processes()
    ));
    Ok(section)
}

impl Bench {
    fn processes(&self) -> u32 {
        (self.calls / CALLS_PER_PROCESS).max(1)
    }

    fn measure(
        &self,
        section: &mut Section,
        file: &Path,
        kind: &str,
        (target_text, target): Target,
    ) -> anyhow::Result<()> {
        let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        let name = format!("{kind}, {} kB", bytes.len() / 1000);
        let ours = self.in_process(&bytes)?;
        let floor = self.floor(&bytes)?;
        let pyhanko = self.pyhanko(file)?;
        for percent in [50, 99] {
            let (mine, least) = (ours.percentile(percent), floor.percentile(percent));
            let row = Row::new(
                format!("{name}, in process, p{percent}; peer: the floor"),
                ms(mine),
            );
            let row = row.beside(ms(least), ratio(mine, least));
            section.row(if percent == 99 {
                row.target(target_text, mine <= target)
            } else {
                row
            });
            let theirs = pyhanko.percentile(percent);
            let row = Row::new(
                format!("{name}, in process, p{percent}; peer: pyHanko"),
                ms(mine),
            );
            section.row(row.beside(ms(theirs), ratio(mine, theirs)));
        }
        let loketd = self.processes_of(&mut self.loketd(file)?)?;
        let pdfsig = self.processes_of(&mut self.pdfsig(file))?;
        for percent in [50, 99] {
            let (mine, theirs) = (loketd.percentile(percent), pdfsig.percentile(percent));
            let part = ratio(mine, theirs);
            let row = Row::new(
                format!("{name}, as a process, p{percent}; peer: pdfsig"),
                ms(mine),
            );
            let row = row.beside(ms(theirs), part);
            section.row(row.target(
                "≤ 5 ms and ≤ 0.1",
                mine <= TARGET_PROCESS && part <= TARGET_RATIO,
            ));
        }
        let size_kib = u64::try_from(bytes.len())? / 1024;
        let over = |kib: u64| kib.saturating_sub(size_kib);
        let (mine, theirs) = (
            over(peak_kib(&self.loketd(file)?)?),
            over(peak_kib(&self.pdfsig(file))?),
        );
        let row = Row::new(
            format!("{name}, memory at most over the file; peer: pdfsig"),
            format!("{mine} KiB"),
        );
        let row = row.beside(format!("{theirs} KiB"), share(mine, theirs));
        section.row(row.target("≤ 16 MiB", mine <= TARGET_MEMORY_KIB));
        Ok(())
    }

    /// Documents that are made to be dear, each as the slowest of some calls.
    fn costly(&self, section: &mut Section) -> anyhow::Result<()> {
        let (trust, policy) = (self.trust()?, Policy::default());
        let at = Timestamp::parse_rfc3339(AT).context("read the moment")?;
        let file = self.folder.path().join("costly.pdf");
        let mut peak = 0;
        for document in loket_fuzz::costly::documents() {
            let mut durations = Vec::new();
            for _ in 0..COSTLY_CALLS {
                let since = Instant::now();
                let report = check(&document.bytes, &trust, &policy, at);
                durations.push(since.elapsed());
                ensure!(
                    report.verdict != Verdict::Valid,
                    "refuse what is worth nothing: {}",
                    document.name
                );
            }
            let most = Figures::of(durations).percentile(100);
            let name = format!(
                "{} kB of {}, in process, the slowest",
                document.bytes.len() / 1000,
                document.name
            );
            section.row(Row::new(name, ms(most)).target("≤ 50 ms", most <= TARGET_COSTLY));
            std::fs::write(&file, &document.bytes).context("write a document")?;
            peak = peak.max(peak_kib(&self.loketd(&file)?)?);
        }
        let row = Row::new(
            "memory at most for these, the file in it",
            format!("{peak} KiB"),
        );
        section.row(row.target("≤ 64 MiB", peak <= TARGET_COSTLY_MEMORY_KIB));
        Ok(())
    }

    fn trust(&self) -> anyhow::Result<Trust> {
        let names = ["root.pem", "issuing.pem", "root.crl.pem", "issuing.crl"];
        let read = |name: &str| std::fs::read(self.fixtures.join("trust").join(name));
        let files: Result<Vec<Vec<u8>>, _> = names.into_iter().map(read).collect();
        let files = files.context("read the trust of the fixtures")?;
        Trust::from_files(files.iter().map(Vec::as_slice)).context("read the trust of the fixtures")
    }

    fn in_process(&self, bytes: &[u8]) -> anyhow::Result<Figures> {
        let trust = self.trust()?;
        let at = Timestamp::parse_rfc3339(AT).context("read the moment")?;
        let policy = Policy::default();
        let mut durations = Vec::new();
        for _ in 0..self.calls {
            let since = Instant::now();
            let report = check(bytes, &trust, &policy, at);
            durations.push(since.elapsed());
            ensure!(
                report.verdict == Verdict::Valid,
                "judge the document valid: {report:?}"
            );
        }
        Ok(Figures::of(durations))
    }

    /// The least that the arithmetic takes.
    fn floor(&self, bytes: &[u8]) -> anyhow::Result<Figures> {
        let message = [7_u8; 1000];
        let mut keys = Vec::new();
        for (name, count) in [("signer", FLOOR_2048), ("issuing", FLOOR_4096)] {
            let pair = self.key(name)?;
            let mut value = vec![0; pair.public().modulus_len()];
            let random = ring::rand::SystemRandom::new();
            let signed = pair.sign(&RSA_PKCS1_SHA256, &random, &message, &mut value);
            ensure!(signed.is_ok(), "sign with the key {name}");
            let public = UnparsedPublicKey::new(
                &RSA_PKCS1_2048_8192_SHA256,
                pair.public().as_ref().to_vec(),
            );
            keys.push((public, value, count));
        }
        let mut durations = Vec::new();
        for _ in 0..self.calls {
            let since = Instant::now();
            let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
            for (public, value, count) in &keys {
                for _ in 0..*count {
                    ensure!(
                        public.verify(&message, value).is_ok(),
                        "verify what was signed"
                    );
                }
            }
            durations.push(since.elapsed());
            ensure!(digest.as_ref().len() == 32, "make a digest");
        }
        Ok(Figures::of(durations))
    }

    fn key(&self, name: &str) -> anyhow::Result<RsaKeyPair> {
        let path = self.fixtures.join(format!("keys/{name}.key.pem"));
        let pem =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
        let der = data_encoding::BASE64
            .decode(body.as_bytes())
            .context("read a key")?;
        RsaKeyPair::from_pkcs8(&der)
            .map_err(|error| anyhow::anyhow!("read the key {name}: {error}"))
    }

    fn loketd(&self, file: &Path) -> anyhow::Result<Command> {
        let mut command = Command::new(bin_dir(Build::Plain)?.join("loketd"));
        command
            .arg("verify")
            .arg(file)
            .arg("--trust")
            .arg(self.fixtures.join("trust"));
        command.args(["--at", AT, "--json"]);
        Ok(command)
    }

    /// What every process of the program takes, whatever it is asked.
    fn version() -> anyhow::Result<Command> {
        let mut command = Command::new(bin_dir(Build::Plain)?.join("loketd"));
        command.arg("--version");
        Ok(command)
    }

    fn pdfsig(&self, file: &Path) -> Command {
        let mut command = Command::new("pdfsig");
        command.arg("-nssdir").arg(&self.store).arg(file);
        command
    }

    fn processes_of(&self, command: &mut Command) -> anyhow::Result<Figures> {
        let mut durations = Vec::new();
        for _ in 0..self.processes() {
            let since = Instant::now();
            let status = command.stdout(Stdio::null()).status();
            let status = status.with_context(|| format!("start {command:?}"))?;
            durations.push(since.elapsed());
            ensure!(status.success(), "run {command:?}: {status}");
        }
        Ok(Figures::of(durations))
    }

    /// Each judgement's own time, as pyHanko's process tells it.
    fn pyhanko(&self, file: &Path) -> anyhow::Result<Figures> {
        let list = self.folder.path().join("files");
        let lines = format!("{}\n", file.display()).repeat(usize::try_from(self.processes())?);
        std::fs::write(&list, lines).context("write the list of files")?;
        let mut command = python_peer("judge_pyhanko.py");
        command
            .arg(self.fixtures.join("trust"))
            .arg("2026-11-22T00:00:00+00:00");
        let files = std::fs::File::open(&list).context("open the list of files")?;
        let output = command
            .stdin(files)
            .output()
            .context("start pyHanko: cargo xtask test --only packages")?;
        ensure!(output.status.success(), "run pyHanko: {}", output.status);
        let mut durations = Vec::new();
        for line in String::from_utf8(output.stdout)
            .context("read pyHanko")?
            .lines()
        {
            let line: serde_json::Value = serde_json::from_str(line).context("read pyHanko")?;
            ensure!(
                line.get("verdict")
                    .is_some_and(|verdict| verdict == "valid"),
                "hear from pyHanko that it is valid: {line}"
            );
            let seconds = line
                .get("seconds")
                .and_then(serde_json::Value::as_f64)
                .context("read pyHanko's time")?;
            durations.push(Duration::from_secs_f64(seconds));
        }
        Ok(Figures::of(durations))
    }

    fn make_large(&self) -> anyhow::Result<PathBuf> {
        let out = self.folder.path().join("large.pdf");
        let mut command = python_peer("make_large.py");
        command.arg(&self.fixtures).arg(&out);
        command.arg(LARGE_BYTES.to_string()).stderr(Stdio::null());
        let status = command
            .status()
            .context("start pyHanko: cargo xtask test --only packages")?;
        ensure!(status.success(), "sign a large document: {status}");
        Ok(out)
    }

    /// A store of certificates that pdfsig reads.
    fn make_store(&self) -> anyhow::Result<()> {
        std::fs::create_dir(&self.store).context("make a folder")?;
        let named = format!("sql:{}", self.store.display());
        let trust = self.fixtures.join("trust");
        for (name, flags) in [("", ""), ("root", "C,C,C"), ("issuing", ",,")] {
            let mut command = Command::new("certutil");
            command.args(["-d", &named]);
            if name.is_empty() {
                command.args(["-N", "--empty-password"]);
            } else {
                command.args(["-A", "-n", name, "-t", flags, "-i"]);
                command.arg(trust.join(format!("{name}.pem")));
            }
            let status = command
                .status()
                .context("start certutil of libnss3-tools")?;
            ensure!(status.success(), "run {command:?}: {status}");
        }
        Ok(())
    }
}
