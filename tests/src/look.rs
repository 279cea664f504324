//! Looking at a value until it is there, and no longer than a deadline.

use std::time::Duration;

use anyhow::{Context as _, bail};
use loket_demo::http;
use loket_demo::site::Site;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Between two looks: short beside what is waited for, long enough to leave the programs their cores.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something.
///
/// # Errors
/// When a look fails, or past the deadline; `what` is in the error.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let find = async {
        loop {
            looks.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    timeout(deadline, find)
        .await
        .with_context(|| format!("see {what} within {deadline:?}"))?
}

/// Central's numbers at one moment.
#[derive(Debug, Clone)]
pub struct Numbers(String);

impl Numbers {
    /// Reads `/metrics`.
    ///
    /// # Errors
    /// When central does not answer with them.
    pub async fn read(site: &Site, token: &str) -> anyhow::Result<Self> {
        let answer = http::call(&site.api(), "GET", "/metrics", Some(token)).await?;
        if answer.status != 200 {
            bail!("central answered {} for its numbers", answer.status);
        }
        let text = String::from_utf8(answer.body.to_vec()).context("read central's numbers")?;
        Ok(Self(text))
    }

    /// The number with this name and these labels, written as in the text; 0 where it is not there.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or_default()
    }

    /// Jobs in a state.
    #[must_use]
    pub fn jobs(&self, state: &str) -> u64 {
        self.of(&format!("loket_jobs{{state=\"{state}\"}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let text =
            "# TYPE loket_jobs gauge\nloket_jobs{state=\"printed\"} 12\nloket_jobs_overdue 3\n";
        let numbers = Numbers(text.to_owned());
        assert_eq!(numbers.jobs("printed"), 12);
        assert_eq!(numbers.of("loket_jobs_overdue"), 3);
        assert_eq!(numbers.of("loket_jobs"), 0);
    }
}
