//! A machine's pages over ports that a test plays, and a client that shares no code with them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket_domain::account::{Of, day};
use loket_kiosk_ui::ports::{
    Answer as Waited, Brought, Certificate, DayAnswer, DayDesk, DayQuestion, Document, Found,
    Judgement, Listing, LocalDay, MediaDesk, MediaFile, PaperAnswer, PaperDesk, PaperQuestion,
    PrinterDesk, PrinterSeen, Reader, Revision, RevisionChange, Revocation, Signature, TestFate,
    TestTicket, TicketDesk, Verdict, VerifyDesk,
};
use loket_kiosk_ui::words::Trouble;
use loket_kiosk_ui::{Face, Site, serve};
use loket_verify::Code;
use loket_wire::{JobId, Sha256Digest, Timestamp, Zone};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Answers what the test says, and remembers how much it was given.
pub(crate) struct Desk {
    pub(crate) says: Mutex<Result<Judgement, Trouble>>,
    pub(crate) given: Mutex<Vec<(usize, Reader)>>,
}

impl VerifyDesk for Desk {
    fn verify(&self, document: Brought, reader: Reader) -> Waited<'_, Result<Judgement, Trouble>> {
        self.given.lock().unwrap().push((document.len(), reader));
        let says = self.says.lock().unwrap().clone();
        Box::pin(std::future::ready(says))
    }
}

/// Answers questions about paper as the test says, and remembers what was asked.
pub(crate) struct PaperRig {
    pub(crate) says: Mutex<Result<PaperAnswer, Trouble>>,
    pub(crate) asked: Mutex<Vec<(usize, Option<JobId>, String)>>,
}

impl PaperDesk for PaperRig {
    fn ask(&self, question: PaperQuestion) -> Waited<'_, Result<PaperAnswer, Trouble>> {
        let asked = (question.scan.len(), question.job, question.by);
        self.asked.lock().unwrap().push(asked);
        Box::pin(std::future::ready(self.says.lock().unwrap().clone()))
    }
}

/// A stick with one document.
struct Stick;

impl MediaDesk for Stick {
    fn list(&self) -> Waited<'_, Listing> {
        let file = MediaFile {
            folder: 0,
            path: PathBuf::from("a/<b>.pdf"),
            name: "<b>KK & akta.pdf".to_owned(),
            size_bytes: 7,
        };
        let listing = Listing {
            files: vec![file],
            has_more: false,
        };
        Box::pin(std::future::ready(listing))
    }

    fn read(&self, file: MediaFile) -> Waited<'_, Result<Brought, Trouble>> {
        assert_eq!(file.path, PathBuf::from("a/<b>.pdf"));
        Box::pin(std::future::ready(Ok(Zeroizing::new(b"%PDF-1.7".to_vec()))))
    }
}

fn fresh() -> [u8; 16] {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    u128::from(DRAWN.fetch_add(1, Ordering::SeqCst)).to_be_bytes()
}

pub(crate) fn document(verdict: Verdict, codes: &[Code]) -> Judgement {
    Judgement::Document(Document {
        verdict,
        signatures: vec![Signature {
            signer: Some("CN=<i>Kepala Dinas</i> (CONTOH),O=Dinas Contoh,C=ID".to_owned()),
            issuer: Some("CN=CA Contoh".to_owned()),
            signed_at: Some(Timestamp::from_unix_ms(0)),
            is_stamped: false,
            coverage: "document".to_owned(),
            changes: "altered".to_owned(),
            revisions: vec![RevisionChange {
                index: 1,
                added: 2,
                overridden: 1,
                freed: 0,
                explained_by: vec!["dss".to_owned()],
                findings: Vec::new(),
            }],
            level: "B-LT".to_owned(),
            indication: "TOTAL-PASSED".to_owned(),
            sub_indication: None,
            proven_at: Some(Timestamp::from_unix_ms(0)),
            proven_by: Some("document_time_stamp".to_owned()),
            chain: vec![Certificate {
                subject: "CN=CA Contoh".to_owned(),
                not_before: Timestamp::from_unix_ms(0),
                not_after: Timestamp::from_unix_ms(86_400_000),
            }],
            revocation: vec![Revocation {
                certificate: "CN=CA Contoh".to_owned(),
                source: "document".to_owned(),
                form: "ocsp".to_owned(),
                this_update: Timestamp::from_unix_ms(0),
                age_seconds: 7_200,
            }],
            findings: codes.iter().copied().map(Found).collect(),
        }],
        findings: Vec::new(),
        revision: Some(Revision {
            size_bytes: 2048,
            sha256: Sha256Digest::of(b"revision"),
            content_sha256: Sha256Digest::of(b"content"),
            page_count: 1,
        }),
        indication: "TOTAL-PASSED".to_owned(),
        sub_indication: None,
        time_stamp_count: 1,
        trust_as_of: None,
        is_trust_last_good: false,
        is_looked_at: true,
        qr: Vec::new(),
        compared: None,
        judged_at: Timestamp::from_unix_ms(0),
    })
}

pub(crate) struct Rig {
    pub(crate) at: String,
    pub(crate) desk: Arc<Desk>,
    pub(crate) paper: Arc<PaperRig>,
    pub(crate) printers: Arc<Printers>,
    pub(crate) tickets: Arc<Tries>,
    running: JoinSet<()>,
    stop: CancellationToken,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().skip(1);
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_default()
    }

    pub(crate) fn token(&self) -> String {
        self.field("token")
    }

    pub(crate) fn field(&self, name: &str) -> String {
        let begins = format!("name=\"{name}\" value=\"");
        let (_before, after) = self.body.split_once(&begins).expect("a form");
        after.split('"').next().unwrap().to_owned()
    }
}

/// Accounts for one day, on which nothing happened.
struct Days;

impl DayDesk for Days {
    fn today(&self) -> Waited<'_, LocalDay> {
        Box::pin(std::future::ready("2026-11-27".parse().unwrap()))
    }

    fn day(&self, question: DayQuestion) -> Waited<'_, Result<DayAnswer, Trouble>> {
        let of = Of {
            machine: "desa-contoh-1".parse().unwrap(),
            day: question.day,
            zone: Zone::Wib,
        };
        let answer = if question.by.is_empty() {
            Err(Trouble::PaperName)
        } else {
            Ok(DayAnswer {
                day: day(&of, &[]).unwrap(),
                office: "Kecamatan Contoh".to_owned(),
                made_at: Timestamp::from_unix_ms(1_795_744_800_000),
                clock_trusted: true,
            })
        };
        Box::pin(std::future::ready(answer))
    }
}

/// What the printers are at.
pub(crate) struct Printers(pub(crate) Mutex<Vec<PrinterSeen>>);

impl PrinterDesk for Printers {
    fn printers(&self) -> Waited<'_, Vec<PrinterSeen>> {
        let printers = self.0.lock().unwrap().clone();
        Box::pin(std::future::ready(printers))
    }
}

/// A ticket printer: says what became of each test ticket, and counts them.
pub(crate) struct Tries {
    pub(crate) says: Mutex<TestTicket>,
    pub(crate) asked: AtomicU64,
}

impl TicketDesk for Tries {
    fn test(&self) -> Waited<'_, TestTicket> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let says = self.says.lock().unwrap().clone();
        Box::pin(std::future::ready(says))
    }
}

impl Rig {
    /// A machine that shows residents' pages is enrolled, one with officers' alone is not.
    pub(crate) async fn start(faces: &[Face]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let desk = Arc::new(Desk {
            says: Mutex::new(Ok(document(Verdict::Valid, &[Code::TimeClaimed]))),
            given: Mutex::default(),
        });
        let paper = Arc::new(PaperRig {
            says: Mutex::new(Err(Trouble::PaperNoRecord)),
            asked: Mutex::default(),
        });
        let printers = Arc::new(Printers(Mutex::default()));
        let tickets = Arc::new(Tries {
            says: Mutex::new(TestTicket {
                fate: TestFate::Printed,
                reasons: Vec::new(),
                detail: None,
            }),
            asked: AtomicU64::new(0),
        });
        let is_enrolled = faces.contains(&Face::Kiosk);
        let site = Site {
            paper: is_enrolled.then(|| -> Arc<dyn PaperDesk> { Arc::<PaperRig>::clone(&paper) }),
            verify: Arc::<Desk>::clone(&desk),
            media: Arc::new(Stick),
            days: Arc::new(Days),
            printers: Arc::<Printers>::clone(&printers),
            tickets: is_enrolled.then(|| -> Arc<dyn TicketDesk> { Arc::<Tries>::clone(&tickets) }),
            faces: faces.iter().copied().collect::<BTreeSet<_>>(),
            hosts: BTreeSet::from([at.clone()]),
            zone: Zone::Wib,
            idle: Duration::from_secs(90),
            fresh,
        };
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(serve(listener, site, stop.clone()));
        Self {
            at,
            desk,
            paper,
            printers,
            tickets,
            running,
            stop,
        }
    }

    pub(crate) async fn send(&self, request: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let at = &self.at;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n{headers}\r\n");
        self.send(&request, b"").await
    }

    pub(crate) async fn post(&self, path: &str, kind: &str, headers: &str, body: &[u8]) -> Answer {
        let (at, size) = (&self.at, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {size}\r\n{headers}\r\n"
        );
        self.send(&request, body).await
    }

    pub(crate) async fn upload(
        &self,
        path: &str,
        token: &str,
        document: &[u8],
        headers: &str,
    ) -> Answer {
        let mut body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--x\r\n\
             content-disposition: form-data; name=\"berkas\"; filename=\"kk.pdf\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(document);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let kind = "multipart/form-data; boundary=x";
        self.post(path, kind, headers, &body).await
    }

    /// Opens the form of a face, sends the document, and gives the page that follows.
    pub(crate) async fn check(&self, face: &str, document: &[u8]) -> Answer {
        let path = format!("/{face}/periksa");
        let token = self.get(&path).await.token();
        let sent = self.upload(&path, &token, document, "").await;
        if sent.status != 303 {
            return sent;
        }
        self.get(sent.header("location")).await
    }

    /// Sends the form of the page for paper with these fields before the scan.
    pub(crate) async fn doubt(&self, fields: &[(&str, &str)], scan: &[u8]) -> Answer {
        let token = self.get("/station/kertas").await.token();
        let mut body = String::new();
        for (name, value) in [("token", token.as_str())].iter().chain(fields) {
            body.push_str(&format!(
                "--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str(
            "--x\r\ncontent-disposition: form-data; name=\"berkas\"; filename=\"s.png\"\r\n\r\n",
        );
        let body = [body.as_bytes(), scan, b"\r\n--x--\r\n"].concat();
        let kind = "multipart/form-data; boundary=x";
        let sent = self.post("/station/kertas", kind, "", &body).await;
        if sent.status != 303 {
            return sent;
        }
        self.get(sent.header("location")).await
    }

    pub(crate) fn says(&self, says: Result<Judgement, Trouble>) {
        *self.desk.says.lock().unwrap() = says;
    }

    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
    }
}
