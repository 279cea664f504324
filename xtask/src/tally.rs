//! What tests told of themselves (`tests/src/tally.rs`), added up: kills and what came of them, cases of fuzzers.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::metadata::Metadata;

/// Names the file to which tests append their lines.
const VARIABLE: &str = "LOKET_TALLY";

/// A file that tests tell their counts to.
#[derive(Debug)]
pub(crate) struct Tally {
    path: PathBuf,
}

impl Tally {
    /// An empty one, in the target folder.
    pub(crate) fn empty(metadata: &Metadata) -> anyhow::Result<Self> {
        let path = metadata.target_directory.join("loket-tally.txt");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("empty {}", path.display()))
            }
            Ok(()) | Err(_) => Ok(Self { path }),
        }
    }

    /// Has the tests of a command tell their counts here.
    pub(crate) fn hears(&self, command: &mut Command) {
        command.env(VARIABLE, &self.path);
    }

    /// What was told.
    pub(crate) fn sums(&self) -> anyhow::Result<Sums> {
        read(&self.path)
    }
}

fn read(path: &Path) -> anyhow::Result<Sums> {
    match std::fs::read_to_string(path) {
        Ok(text) => Sums::of(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Sums::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// Everything that was told, added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Kills of loketd.
    pub(crate) kills: u64,
    printed: u64,
    lost: u64,
    double: u64,
    unknown: u64,
    /// Of the unknown ones those whose printer had lost its power meanwhile, or takes a job only with its document.
    excused: u64,
    /// What became of the documents before each printer of the crash matrix.
    pub(crate) matrix: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cases by fuzzer.
    pub(crate) cases: BTreeMap<String, u64>,
    /// What the dearest case of each fuzzer took of a processor, and the seed that gives it again as the first.
    pub(crate) slowest_us: BTreeMap<String, u64>,
    pub(crate) slowest_seed: BTreeMap<String, u64>,
    /// The most that a fuzzer's process held at once, other tests of that process included.
    pub(crate) peak_kib: BTreeMap<String, u64>,
}

impl Sums {
    fn of(text: &str) -> anyhow::Result<Self> {
        let mut sums = Self::default();
        for line in text.lines() {
            sums.add(line)
                .with_context(|| format!("read the count '{line}'"))?;
        }
        Ok(sums)
    }

    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        let mut words = line.split_whitespace();
        let kind = words.next().context("find its kind")?;
        if kind == "matrix" {
            return self.add_row(words);
        }
        for word in words {
            let (name, number) = word.split_once('=').context("find its number")?;
            let number: u64 = number.parse()?;
            match (kind, name) {
                ("crash", "kills") => self.kills += number,
                ("crash", "printed") => self.printed += number,
                ("crash", "lost") => self.lost += number,
                ("crash", "double") => self.double += number,
                ("crash", "unknown") => self.unknown += number,
                ("crash", "excused") => self.excused += number,
                ("fuzz", name) => *self.cases.entry(name.to_owned()).or_default() += number,
                ("slowest-us", name) => drop(self.slowest_us.insert(name.to_owned(), number)),
                ("slowest-seed", name) => drop(self.slowest_seed.insert(name.to_owned(), number)),
                ("peak-kib", name) => drop(self.peak_kib.insert(name.to_owned(), number)),
                (kind, name) => bail!("know {kind} {name}"),
            }
        }
        Ok(())
    }

    /// `matrix PRINTER kills=1 …`
    fn add_row<'a>(&mut self, mut words: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
        let printer = words.next().context("find its printer")?;
        let row = self.matrix.entry(printer.to_owned()).or_default();
        for word in words {
            let (name, number) = word.split_once('=').context("find its number")?;
            let number: u64 = number.parse()?;
            *row.entry(name.to_owned()).or_default() += number;
        }
        Ok(())
    }

    /// Whether so many kills broke no promise. A document may be asked about whose printer lost its power
    /// meanwhile, or takes jobs only with their documents.
    pub(crate) fn hold(&self, kills: u64) -> anyhow::Result<()> {
        if self.lost + self.double + self.unknown.saturating_sub(self.excused) > 0 {
            bail!("keep every promise: {self}");
        }
        if self.kills < kills {
            bail!(
                "kill loketd {kills} times: it was killed {} times",
                self.kills
            );
        }
        Ok(())
    }
}

/// The line that `cargo xtask crash` ends with.
impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            printed,
            lost,
            double,
            unknown,
            ..
        } = self;
        write!(
            f,
            "kills={kills} printed={printed} lost={lost} double={double} unknown={unknown}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "crash kills=150 printed=40 lost=0 double=0 unknown=0\nfuzz orders=300\n\
        crash kills=50 printed=20 lost=0 double=0 unknown=0\nfuzz orders=200\n\
        slowest-us orders=70\nslowest-seed orders=9\npeak-kib orders=4096\n";

    #[test]
    fn what_several_tests_told_is_added_up_and_holds() {
        let sums = Sums::of(TOLD).unwrap();
        assert_eq!(
            sums.to_string(),
            "kills=200 printed=60 lost=0 double=0 unknown=0"
        );
        assert_eq!(sums.cases["orders"], 500);
        let costs = [&sums.slowest_us, &sums.slowest_seed, &sums.peak_kib];
        assert_eq!(costs.map(|cost| cost["orders"]), [70, 9, 4_096]);
        sums.hold(200).unwrap();
    }

    #[test]
    fn too_few_kills_and_each_broken_promise_are_found() {
        let sums = Sums::of(TOLD).unwrap();
        assert!(
            sums.hold(201)
                .unwrap_err()
                .to_string()
                .contains("200 times")
        );
        for promise in ["lost", "double", "unknown"] {
            let told = TOLD.replacen(&format!("{promise}=0"), &format!("{promise}=1"), 1);
            let error = Sums::of(&told).unwrap().hold(200).unwrap_err().to_string();
            assert!(error.contains(&format!("{promise}=1")), "{error}");
        }
        let excused = TOLD.replacen("unknown=0", "unknown=2 excused=2", 1);
        Sums::of(&excused).unwrap().hold(200).unwrap();
        let one_more = TOLD.replacen("unknown=0", "unknown=3 excused=2", 1);
        assert!(Sums::of(&one_more).unwrap().hold(200).is_err());
    }

    #[test]
    fn rows_of_the_matrix_are_added_up_by_printer() {
        let told = "matrix cupsd kills=3 cuts=1\nmatrix honest kills=1\nmatrix cupsd kills=4\n";
        let sums = Sums::of(told).unwrap();
        assert_eq!(sums.matrix["cupsd"]["kills"], 7);
        assert_eq!(sums.matrix["cupsd"]["cuts"], 1);
        assert_eq!(sums.matrix["honest"]["kills"], 1);
        assert_eq!(sums.kills, 0);
        assert!(Sums::of("matrix").is_err());
        assert!(Sums::of("matrix cupsd kills").is_err());
    }

    #[test]
    fn nothing_told_is_no_kill_and_what_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let sums = read(&folder.path().join("absent")).unwrap();
        assert_eq!(sums, Sums::default());
        assert!(sums.hold(1).is_err());
        for line in ["crash kills=x", "crash sheets=1", "crash kills", "\n\n"] {
            assert!(Sums::of(line).is_err(), "{line}");
        }
    }
}
