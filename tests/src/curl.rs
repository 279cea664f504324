//! Debian's curl: a client of central that shares no code with it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::Program;
use loket_demo::site::text;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/curl";

/// Both ends are on this machine; ends a hung exchange.
const MAX_TIME_S: &str = "60";

/// What curl heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// Names and values as they came, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Heard {
    /// The value of the first header with this name, written small; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _value)| known == name);
        found.map_or("", |(_name, value)| value)
    }

    /// What the body is said to be, without its parameters.
    #[must_use]
    pub fn content_type(&self) -> &str {
        let value = self.header("content-type");
        value.split(';').next().unwrap_or_default().trim()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none; the status is in the error.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        let what = || format!("read the answer {} as JSON", self.status);
        serde_json::from_slice(&self.body).with_context(what)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A curl that trusts one authority, with a folder for what it hears.
#[derive(Debug)]
pub struct Curl {
    base: String,
    authority: PathBuf,
    scratch: PathBuf,
}

impl Curl {
    /// Makes one that talks to `base`, for instance `https://localhost:8443`.
    ///
    /// # Errors
    /// When curl is not installed or the folder cannot be made.
    pub fn new(base: &str, authority: &Path, scratch: &Path) -> anyhow::Result<Self> {
        ensure!(
            Path::new(PROGRAM).exists(),
            "find {PROGRAM}: install the Debian package curl, or run 'cargo xtask test'"
        );
        std::fs::create_dir_all(scratch).context("make a folder for curl")?;
        Ok(Self {
            base: base.to_owned(),
            authority: authority.to_owned(),
            scratch: scratch.to_owned(),
        })
    }

    /// Asks for a path with further words of curl's command line; one at a time.
    ///
    /// # Errors
    /// When curl ends with another code than 0: no connection, no trust, no HTTP.
    pub async fn ask(&self, path: &str, words: &[&str]) -> anyhow::Result<Heard> {
        let (head, body) = (self.scratch.join("head"), self.scratch.join("body"));
        for file in [&head, &body] {
            // curl makes no file for an answer without a body.
            std::fs::write(file, b"").context("empty what was heard")?;
        }
        let (authority, url) = (text(&self.authority), format!("{}{path}", self.base));
        let (head_word, body_word) = (text(&head), text(&body));
        let mut line = vec![
            "--silent",
            "--show-error",
            "--max-time",
            MAX_TIME_S,
            "--cacert",
            &authority,
            "--dump-header",
            &head_word,
            "--output",
            &body_word,
        ];
        line.extend(words);
        line.push(&url);
        Program::at(Path::new(PROGRAM)).run(line).await?;
        let head = std::fs::read_to_string(head).context("read what was heard")?;
        let body = std::fs::read(body).context("read what was heard")?;
        heard(&head, body)
    }
}

/// Reads a dumped header; an interim answer (100) may stand before the last.
fn heard(head: &str, body: Vec<u8>) -> anyhow::Result<Heard> {
    let last = head.trim_end().rsplit("\r\n\r\n").next();
    let mut lines = last.context("hear a header")?.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.context("hear a status")?.parse();
    let headers = lines.filter_map(|line| line.split_once(':'));
    Ok(Heard {
        status: status.context("read a status")?,
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_counts() {
        let head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\
            Content-Type: application/json; charset=utf-8\r\nLocation: /a\r\n\r\n";
        let heard = heard(head, b"{}".to_vec()).unwrap();
        assert_eq!(
            (heard.status, heard.content_type()),
            (201, "application/json")
        );
        assert_eq!((heard.header("location"), heard.header("via")), ("/a", ""));
    }
}
