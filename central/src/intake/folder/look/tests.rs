use super::*;
use crate::clock::now;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn folder(at: &Path) -> Folder {
    Folder::open(&config::Intake {
        folder: at.to_owned(),
        settle_ms: 1_000,
        reject_after_ms: 30_000,
        poll_ms: 1,
        keep_s: 24 * 3600,
    })
    .unwrap()
}

/// A folder with a clock that the test moves.
struct Watched {
    home: tempfile::TempDir,
    folder: Folder,
    start: Instant,
}

impl Watched {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = folder(home.path());
        Self {
            home,
            folder,
            start: Instant::now(),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.home.path().join(name), bytes).unwrap();
    }

    fn holds(&self, name: &str) -> bool {
        self.home.path().join(name).exists()
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// A round `ms` after the start, `days` days from the present by the wall clock.
    fn round(&mut self, ms: u64, days: u32) -> Vec<Pair> {
        let at = self.at(ms);
        self.folder
            .round(at, now().saturating_add(DAY * days))
            .unwrap()
    }

    fn reason(&self, stem: &str) -> String {
        let name = super::super::rejected::reason_name(stem.as_ref());
        std::fs::read_to_string(self.home.path().join("rejected").join(name)).unwrap()
    }
}

#[test]
fn a_pair_is_whole_when_both_files_stood_still() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    assert!(watched.round(0, 0).is_empty());
    assert!(watched.round(5_000, 0).is_empty(), "no order yet");
    watched.write("a.json", b"{");
    assert!(watched.round(6_000, 0).is_empty());
    watched.write("a.json", b"{}");
    assert!(watched.round(7_000, 0).is_empty(), "still being written");
    assert!(watched.round(7_999, 0).is_empty());
    let pairs = watched.round(8_000, 0);
    assert_eq!(pairs.len(), 1);
    assert_eq!(pairs[0].notation, Notation::Json);
    assert_eq!(pairs[0].stem, "a");
}

#[test]
fn hidden_files_links_and_folders_are_no_pair() {
    let mut watched = Watched::new();
    watched.write(".a.pdf", b"%PDF");
    watched.write(".a.json", b"{}");
    std::fs::create_dir(watched.home.path().join("b.pdf")).unwrap();
    watched.write("b.json", b"{}");
    watched.write("c.toml", b"");
    std::os::unix::fs::symlink("/etc/passwd", watched.home.path().join("c.pdf")).unwrap();
    watched.round(0, 0);
    assert!(watched.round(9_000, 0).is_empty());
}

#[test]
fn a_whole_pair_of_last_friday_is_judged_and_not_thrown_away() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("a.json", b"{}");
    assert!(watched.round(0, 3).is_empty());
    assert_eq!(watched.round(1_000, 3).len(), 1);
    assert!(watched.holds("a.pdf") && watched.holds("a.json"));
}

#[test]
fn a_pair_that_centrals_own_trouble_keeps_out_is_tried_again_however_old() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("a.json", b"{}");
    watched.round(0, 0);
    let pair = watched.round(1_000, 0).remove(0);
    let problem = Problem::new(Code::StorageFailed);
    watched
        .folder
        .refused(pair, problem.clone(), watched.at(1_000));
    assert!(watched.round(2_000, 2).is_empty(), "not at once");
    let pair = watched.round(3_000, 2).remove(0);
    watched.folder.refused(pair, problem, watched.at(3_000));
    assert!(watched.round(6_000, 2).is_empty(), "a longer pause");
    assert_eq!(watched.round(7_000, 2).len(), 1);
    assert!(watched.holds("a.pdf"));
}

#[test]
fn a_refused_pair_gets_time_to_become_whole() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PD");
    watched.write("a.json", b"{}");
    watched.round(0, 0);
    let pair = watched.round(1_000, 0).remove(0);
    let problem = Problem::new(Code::SignatureInvalid);
    watched
        .folder
        .refused(pair, problem.clone(), watched.at(1_000));
    assert!(watched.round(29_000, 0).is_empty());
    assert!(watched.holds("a.pdf"), "the copy may only have stalled");
    watched.write("a.pdf", b"%PDF");
    watched.round(29_500, 0);
    let pair = watched.round(30_500, 0).remove(0);
    watched.folder.refused(pair, problem, watched.at(30_500));
    watched.round(59_000, 0);
    assert!(watched.holds("a.pdf"));
    watched.round(59_500, 0);
    assert!(!watched.holds("a.pdf") && watched.holds("rejected/a.pdf"));
    assert!(watched.holds("rejected/a.json"));
    let text = watched.reason("a");
    assert!(text.starts_with("SignatureInvalid: Tanda tangan"), "{text}");
}

#[test]
fn half_a_pair_goes_after_a_day_and_is_gone_after_another() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("notes.txt", b"x");
    watched.round(0, 0);
    watched.round(31_000, 0);
    assert!(watched.holds("a.pdf"));
    watched.round(32_000, 2);
    // The same moment also finds the rejected files old: their change time is the real present.
    assert!(!watched.holds("a.pdf") && !watched.holds("notes.txt"));
    assert_eq!(
        std::fs::read_dir(watched.home.path().join("rejected"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn two_orders_of_one_name_are_refused_together() {
    let mut watched = Watched::new();
    for name in ["a.pdf", "a.json", "a.toml"] {
        watched.write(name, b"x");
    }
    watched.round(0, 0);
    assert!(watched.round(29_000, 0).is_empty());
    assert!(watched.round(30_000, 0).is_empty());
    assert!(watched.reason("a").starts_with("FolderNameTwice: "));
    for name in ["a.pdf", "a.json", "a.toml"] {
        assert!(watched.holds(&format!("rejected/{name}")), "{name}");
    }
}

#[test]
fn a_name_too_long_for_its_reason_gets_a_shorter_one_and_stops_nobody() {
    let mut watched = Watched::new();
    let long = "x".repeat(245);
    watched.write(&format!("{long}.pdf"), b"%PDF");
    watched.write("z.pdf", b"%PDF");
    watched.round(0, 0);
    let keep = std::mem::replace(&mut watched.folder.keep, Duration::ZERO);
    let soon = now().saturating_add(Duration::from_secs(5));
    watched.folder.round(watched.at(30_000), soon).unwrap();
    watched.folder.keep = keep;
    // With nothing kept, rejected/ is emptied in the same round.
    assert!(!watched.holds(&format!("{long}.pdf")) && !watched.holds("z.pdf"));
    let name = super::super::rejected::reason_name(long.as_ref());
    assert!(name.len() < 160, "{}", name.len());
    let other = "x".repeat(246);
    assert_ne!(name, super::super::rejected::reason_name(other.as_ref()));
}

#[test]
fn one_file_that_cannot_be_moved_keeps_no_other() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("b.pdf", b"%PDF");
    // A folder in the place of its target: not even root moves a file over it.
    std::fs::create_dir(watched.home.path().join("rejected/a.pdf")).unwrap();
    watched.round(0, 2);
    watched.round(30_000, 2);
    assert!(watched.holds("a.pdf") && !watched.holds("b.pdf"));
}

#[test]
fn a_rejection_cut_by_a_crash_keeps_its_true_reason() {
    let watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("a.json", b"{}");
    let problem = Problem::new(Code::SignatureInvalid);
    // As far as the first file.
    let first = [OsStr::new("a.pdf")].into_iter();
    watched
        .folder
        .reject("a".as_ref(), first, &problem)
        .unwrap();
    let mut after = Watched {
        folder: folder(watched.home.path()),
        ..watched
    };
    after.round(0, 0);
    after.round(30_000, 0);
    assert!(!after.holds("a.json") && after.holds("rejected/a.json"));
    assert!(after.reason("a").starts_with("SignatureInvalid: "));
}

#[test]
fn what_was_put_in_the_place_of_a_taken_pair_stays() {
    let mut watched = Watched::new();
    watched.write("a.pdf", b"%PDF");
    watched.write("a.json", b"{}");
    watched.round(0, 0);
    let pair = watched.round(1_000, 0).remove(0);
    watched.write("b.pdf", b"another");
    std::fs::rename(
        watched.home.path().join("b.pdf"),
        watched.home.path().join("a.pdf"),
    )
    .unwrap();
    watched.folder.take_away(&pair).unwrap();
    assert!(watched.holds("a.pdf") && !watched.holds("a.json"));
}
