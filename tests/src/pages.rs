//! A machine that shows its pages, alone with what people bring to it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::text;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::look::until;
use crate::world::{Build, DEADLINE, bin_dir};

/// What the daemon says once it is ready, with the address before it.
const SERVED: &str = "pages.listen=";

/// A machine with pages; its folder goes with it.
#[derive(Debug)]
pub struct Pages {
    /// The daemon.
    pub running: Running,
    /// Where its pages are.
    pub door: Door,
    folder: tempfile::TempDir,
}

impl std::ops::Deref for Pages {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// Where a machine's pages are.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where it listens, `host:port`.
    pub at: String,
}

/// What a page answered.
#[derive(Debug, Clone)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// Body.
    pub body: String,
}

impl Page {
    /// The value of a header, by its name in small letters; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().skip(1);
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_default()
    }

    /// A hidden field of the page's form.
    ///
    /// # Errors
    /// When it has none of that name.
    pub fn field(&self, name: &str) -> anyhow::Result<String> {
        let begins = format!("name=\"{name}\" value=\"");
        let after = self.body.split_once(&begins).map(|(_before, after)| after);
        let value = after.and_then(|after| after.split('"').next());
        value.map(str::to_owned).context("find a field of a form")
    }
}

impl Pages {
    /// Starts one with the fixtures' trust; `settings` are further lines of its table of pages, `door` a variable that
    /// programs with test hooks read.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(
        build: Build,
        settings: &str,
        door: Option<(&str, &str)>,
    ) -> anyhow::Result<Self> {
        let mut folder = tempfile::tempdir().context("make a folder")?;
        folder.disable_cleanup(std::env::var_os("LOKET_KEEP").is_some());
        for name in ["logs", "media/STICK", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).context("make a folder")?;
        }
        let trust = folder.path().join("trust");
        std::fs::create_dir(&trust).context("make a folder")?;
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/trust");
        for entry in std::fs::read_dir(fixtures).context("read the fixtures' trust")? {
            let entry = entry.context("read the fixtures' trust")?;
            std::fs::copy(entry.path(), trust.join(entry.file_name())).context("copy trust")?;
        }
        let (trust, media) = (text(&trust), text(&folder.path().join("media")));
        let config = folder.path().join("loket.toml");
        let lines = format!(
            "machine = \"desa-contoh-1\"\nstate_dir = \"state\"\nruntime_dir = \"run\"\n\
             trust_dir = {trust:?}\nlog_filter = \"trace\"\n[pages]\nlisten = \"127.0.0.1:0\"\n\
             show = [\"kiosk\", \"station\"]\nmedia_dirs = [{media:?}]\n{settings}"
        );
        std::fs::write(&config, lines).context("write the settings")?;
        let mut program = Program::at(&bin_dir(build)?.join("loketd"))
            .with_env("TMPDIR", &text(&folder.path().join("tmp")));
        if let Some((name, value)) = door {
            program = program.with_env(name, value);
        }
        let command = program.command(["run", "--config", &text(&config)]);
        let mut running = Running::start("loketd", command, &folder.path().join("logs"))?;
        let door = Door::of(&mut running).await?;
        Ok(Self {
            running,
            door,
            folder,
        })
    }

    /// Everything that this machine leaves on a disk lies here.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }
}

impl Door {
    /// Where the pages of a running daemon are.
    ///
    /// # Errors
    /// When it does not say so in time.
    pub async fn of(running: &mut Running) -> anyhow::Result<Self> {
        let log = running.log().to_owned();
        let at = until("the pages' address", DEADLINE, async || {
            running.check()?;
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let after = log.rsplit_once(SERVED).map(|(_before, after)| after);
            let line = after.and_then(|after| after.split_once('\n'));
            Ok(line.map(|(at, _rest)| at.trim().to_owned()))
        })
        .await?;
        Ok(Self { at })
    }

    /// Sends a request as it stands and reads the answer to its end.
    ///
    /// # Errors
    /// When nothing answers in time.
    pub async fn send(&self, head: &str, body: &[u8]) -> anyhow::Result<Page> {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.at).await?;
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body).await?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            anyhow::Ok(bytes)
        };
        let bytes = tokio::time::timeout(DEADLINE, exchange).await;
        let bytes = bytes.context("hear a page")??;
        // Pictures are asked for as well, and told by their head.
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").context("read a page")?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Ok(Page {
            status: status.context("read a page's status")?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// As [`Door::send`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Page> {
        let at = &self.at;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
        self.send(&head, b"").await
    }

    /// Opens the form of a face, sends a document, and gives the page that follows.
    ///
    /// # Errors
    /// As [`Door::send`].
    pub async fn check(&self, face: &str, name: &str, document: &[u8]) -> anyhow::Result<Page> {
        let path = format!("/{face}/periksa");
        let token = self.get(&path).await?.field("token")?;
        let mut body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--x\r\n\
             content-disposition: form-data; name=\"berkas\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(document);
        body.extend_from_slice(b"\r\n--x--\r\n");
        self.post(&path, "multipart/form-data; boundary=x", &body)
            .await
    }

    /// Opens the form for doubted sheets, sends a scan in the name of `siti`, and gives the page that follows.
    ///
    /// # Errors
    /// As [`Door::send`].
    pub async fn doubt(&self, scan: &[u8], job: &str) -> anyhow::Result<Page> {
        let path = "/station/kertas";
        let token = self.get(path).await?.field("token")?;
        let mut body = Vec::new();
        for (name, value) in [
            ("token", token.as_str()),
            ("nama", "siti"),
            ("pekerjaan", job),
        ] {
            let field = format!(
                "--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(field.as_bytes());
        }
        body.extend_from_slice(
            b"--x\r\ncontent-disposition: form-data; name=\"berkas\"; filename=\"s.png\"\r\n\r\n",
        );
        body.extend_from_slice(scan);
        body.extend_from_slice(b"\r\n--x--\r\n");
        self.post(path, "multipart/form-data; boundary=x", &body)
            .await
    }

    /// Sends a form, and gives the page that follows.
    ///
    /// # Errors
    /// As [`Door::send`].
    pub async fn post(&self, path: &str, kind: &str, body: &[u8]) -> anyhow::Result<Page> {
        let (at, size) = (&self.at, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {size}\r\n\r\n"
        );
        let sent = self.send(&head, body).await?;
        if sent.status != 303 {
            return Ok(sent);
        }
        let place = sent.header("location").to_owned();
        ensure!(place.starts_with('/'), "it leads elsewhere: {place}");
        self.get(&place).await
    }
}
