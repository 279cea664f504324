//! Settings of the pages: where they are served, to whom, and for how long one stays.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where Debian's desktops and udisks mount what is plugged in.
const DEFAULT_MEDIA_DIRS: [&str; 2] = ["/media", "/run/media"];

/// A page that nobody touches goes back to the start after this long: long enough to read a verdict slowly.
const DEFAULT_IDLE_S: u64 = 90;

/// A document that is not judged by then is not judged here: honest ones take a tenth of a second.
const DEFAULT_JUDGE_WITHIN_S: u64 = 15;

/// Folders of media; each is walked for every page that offers them.
const MAX_MEDIA_DIRS: usize = 8;

/// The pages as they stand in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagesConfig {
    /// Address and port; this computer's own unless `beyond_this_computer` says why not.
    pub listen: SocketAddr,
    /// Whose pages are shown.
    pub show: Vec<ShownFace>,
    /// Why others than this computer may reach the pages; without a reason they may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond_this_computer: Option<String>,
    /// Further names by which browsers call this machine.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Folders under which removable media are mounted.
    #[serde(default = "default_media_dirs")]
    pub media_dirs: Vec<PathBuf>,
    /// Seconds after which a page that nobody touches goes back to the start.
    #[serde(default = "default_idle_s")]
    pub idle_s: u64,
    /// Seconds after which the judging of a document is given up.
    #[serde(default = "default_judge_within_s")]
    pub judge_within_s: u64,
}

/// Whose pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShownFace {
    /// Residents'.
    Kiosk,
    /// Officers'.
    Station,
}

fn default_media_dirs() -> Vec<PathBuf> {
    DEFAULT_MEDIA_DIRS.map(PathBuf::from).to_vec()
}

const fn default_idle_s() -> u64 {
    DEFAULT_IDLE_S
}

const fn default_judge_within_s() -> u64 {
    DEFAULT_JUDGE_WITHIN_S
}

impl PagesConfig {
    /// What the types alone cannot say.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let reason = self.beyond_this_computer.as_deref().unwrap_or_default();
        let is_own = self.listen.ip().is_loopback();
        let checks = [
            (
                "pages.listen",
                is_own || !reason.trim().is_empty(),
                "it must be an address of this computer (127.0.0.1 or ::1), or beyond_this_computer must say why not",
            ),
            (
                "pages.show",
                !self.show.is_empty(),
                "it must name 'kiosk', 'station' or both",
            ),
            (
                "pages.hosts",
                self.hosts.iter().all(|host| is_host(host)),
                "each must be NAME or NAME:PORT",
            ),
            (
                "pages.media_dirs",
                self.media_dirs.len() <= MAX_MEDIA_DIRS
                    && self.media_dirs.iter().all(|dir| dir.is_absolute()),
                "it must be up to eight absolute folders",
            ),
            (
                "pages.idle_s",
                (20..=600).contains(&self.idle_s),
                "it must be 20 to 600",
            ),
            (
                "pages.judge_within_s",
                (1..=60).contains(&self.judge_within_s),
                "it must be 1 to 60",
            ),
        ];
        let bad = checks
            .into_iter()
            .find(|(_key, is_good, _problem)| !is_good);
        bad.map_or(Ok(()), |(key, _bad, problem)| Err((key, problem)))
    }

    /// What browsers may call this machine, listening at `at`.
    #[must_use]
    pub fn hosts_at(&self, at: SocketAddr) -> BTreeSet<String> {
        let mut hosts: BTreeSet<String> = self.hosts.iter().cloned().collect();
        hosts.insert(at.to_string());
        if at.ip().is_loopback() {
            hosts.insert(format!("localhost:{}", at.port()));
        }
        hosts
    }
}

fn is_host(host: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    !host.is_empty() && host.len() <= 255 && host.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<PagesConfig, String> {
        let pages: PagesConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        let problem = |(key, problem)| format!("{key}: {problem}");
        pages.check().map_err(problem)?;
        Ok(pages)
    }

    const GOOD: &str = "listen = \"127.0.0.1:8480\"\nshow = [\"kiosk\"]\n";

    #[test]
    fn pages_are_served_to_this_computer_alone_unless_somebody_says_why() {
        let pages = check(GOOD).unwrap();
        let hosts = pages.hosts_at(pages.listen);
        assert!(hosts.contains("127.0.0.1:8480") && hosts.contains("localhost:8480"));
        let open = GOOD.replace("127.0.0.1", "192.168.1.9");
        assert!(check(&open).unwrap_err().contains("pages.listen"));
        let reason = format!("{open}beyond_this_computer = \"ponsel warga di ruang tunggu\"\n");
        let pages = check(&reason).unwrap();
        let hosts = pages.hosts_at(pages.listen);
        assert!(!hosts.contains("localhost:8480") && hosts.contains("192.168.1.9:8480"));
        let empty = format!("{open}beyond_this_computer = \" \"\n");
        assert!(check(&empty).is_err());
    }

    #[test]
    fn settings_that_nobody_meant_are_refused() {
        for (line, word) in [
            ("show = []", "pages.show"),
            ("hosts = [\"a b\"]", "pages.hosts"),
            ("media_dirs = [\"media\"]", "pages.media_dirs"),
            ("idle_s = 1", "pages.idle_s"),
            ("judge_within_s = 0", "pages.judge_within_s"),
            ("colour = 1", "colour"),
        ] {
            let text = if line.starts_with("show") {
                GOOD.replace("show = [\"kiosk\"]", line)
            } else {
                format!("{GOOD}{line}\n")
            };
            let error = check(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
