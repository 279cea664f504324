//! A central of its own with a real broker, an authority, and machines that are nothing but keys and a link.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use loket_link::{
    AckToken, Backoff, BrokerAddress, FetchError, FetchTarget, Inbound, Inbox, LinkConfig,
    LinkHandle, Publication, Qos, fetch_from,
};
use loket_wire::enrolment::{MachineRecord, RECORD_CONTEXT};
use loket_wire::sealed::SealingKey;
use loket_wire::sign::{SigningKey, VerifyingKey};
use loket_wire::topic::{Channel, for_machine};
use loket_wire::{
    Ack, Command, Epoch, Event, JobId, JobReport, JobState, MachineId, MachineState, PrintOrder,
    Randomness, Reason, Report, Sync as MachineSync, Timestamp, frame, presence,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command as Process};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A deadline that ends a hung test; nothing is measured by it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const OFFICE: &str = "kec-contoh";

pub(crate) struct Drawn;

impl Randomness for Drawn {
    fn fill(&mut self, out: &mut [u8]) {
        SystemRandom::new().fill(out).unwrap();
    }
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("../tests/fixtures").join(name)).unwrap()
}

/// The authority of one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    record_key: SigningKey,
    pub(crate) pem: String,
    der: CertificateDer<'static>,
}

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test Authority");
        let certificate = params.self_signed(&key).unwrap();
        let record_key =
            SigningKey::p256_from_pkcs8(&key.serialize_der(), SystemRandom::new()).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            record_key,
        }
    }

    pub(crate) fn issue(&self, name: &str, serial: u64) -> Pair {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: key.serialize_der(),
        }
    }

    /// Another authority of the same name.
    pub(crate) fn impostor(&self) -> Self {
        Self::new()
    }

    /// Trusts this authority and shows no certificate.
    pub(crate) fn anonymous_tls(&self) -> Arc<rustls::ClientConfig> {
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        Arc::new(config)
    }

    /// Signs the record in a frame of another authority anew.
    pub(crate) fn resign(&self, text: &str) -> Vec<u8> {
        let frame: Value = serde_json::from_str(text).unwrap();
        let body = frame["body"].as_str().unwrap().as_bytes();
        let body = data_encoding::BASE64.decode(body).unwrap();
        frame::seal(RECORD_CONTEXT, &body, &self.record_key).unwrap()
    }

    fn roots(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        roots
    }

    fn client_tls(&self, pair: &Pair) -> Arc<rustls::ClientConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.key_der.clone()));
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots())
            .with_client_auth_cert(vec![pair.der.clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

/// A running mosquitto with mutual TLS; it ends with the test.
pub(crate) struct Broker {
    pub(crate) port: u16,
    child: Child,
    _reader: JoinSet<()>,
}

impl Broker {
    async fn start(home: &Path, authority: &Authority, port: Option<u16>) -> Self {
        let pair = authority.issue("broker", 2);
        let at = |name: &str| home.join(name).display().to_string();
        std::fs::write(home.join("broker.crt"), &pair.certificate_pem).unwrap();
        std::fs::write(home.join("broker.key"), &pair.key_pem).unwrap();
        let port = port.unwrap_or_else(free_port);
        let config = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence false\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\nuse_identity_as_username true\nuse_username_as_clientid true\n",
            at("authority.crt"),
            at("broker.crt"),
            at("broker.key")
        );
        std::fs::write(home.join("mosquitto.conf"), config).unwrap();
        let mut child = Process::new("mosquitto")
            .args(["-v", "-c", &at("mosquitto.conf")])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("mosquitto must be installed: Debian package mosquitto");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let running = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("running") {
                    return;
                }
            }
            panic!("mosquitto ended");
        };
        timeout(DEADLINE, running).await.expect("mosquitto runs");
        // Somebody must read on, or mosquitto blocks on a full pipe.
        let mut reader = JoinSet::new();
        reader.spawn(async move { while let Ok(Some(_line)) = lines.next_line().await {} });
        Self {
            port,
            child,
            _reader: reader,
        }
    }
}

pub(crate) fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A running central.
pub(crate) struct Rig {
    pub(crate) home: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) broker: Broker,
    pub(crate) central_key: VerifyingKey,
    pub(crate) api: SocketAddr,
    documents: SocketAddr,
    central: Running,
}

/// Central inside the test's process.
struct Running {
    api: SocketAddr,
    documents: SocketAddr,
    stop: CancellationToken,
    running: JoinSet<Result<(), loket_central::RunError>>,
}

impl Running {
    async fn start(home: &Path) -> Self {
        let config = loket_central::Config::load(&home.join("central.toml")).unwrap();
        let bound = loket_central::bind(config).await.unwrap();
        let (api, documents) = (bound.api_address(), bound.documents_address());
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(bound.serve(stop.clone()));
        Self {
            api,
            documents,
            stop,
            running,
        }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        let ended = timeout(DEADLINE, self.running.join_next())
            .await
            .expect("central ends");
        ended.unwrap().unwrap().unwrap();
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    pub(crate) async fn start_with(more: &str) -> Self {
        let _earlier = rustls::crypto::ring::default_provider().install_default();
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
        write("authority.crt", &authority.pem);
        let central = authority.issue("central", 3);
        write("central.crt", &central.certificate_pem);
        write("central.key", &central.key_pem);
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let central_key = SigningKey::ed25519_from_pkcs8(pkcs8.as_ref())
            .unwrap()
            .verifying_key();
        write("signing.key", &pem("PRIVATE KEY", pkcs8.as_ref()));
        write(
            "offices.toml",
            &format!(
                "version = 1\n[[office]]\nid = \"{OFFICE}\"\nname = \"Kecamatan Contoh\"\n\
                 zone = \"Asia/Jakarta\"\ndefault_machine = \"desa-contoh-1\"\n"
            ),
        );
        std::fs::create_dir(home.path().join("machines")).unwrap();
        let broker = Broker::start(home.path(), &authority, None).await;
        let trust = std::fs::canonicalize("../tests/fixtures/trust").unwrap();
        write(
            "central.toml",
            &format!(
                "state_dir = \"state\"\noffices = \"offices.toml\"\nmachines_dir = \"machines\"\n\
                 trust_dir = \"{}\"\n[api]\nlisten = \"127.0.0.1:0\"\n\
                 [documents]\nlisten = \"127.0.0.1:0\"\n\
                 [broker]\nendpoints = [{{ host = \"127.0.0.1\", port = {} }}]\n\
                 [identity]\ncertificate = \"central.crt\"\nkey = \"central.key\"\n\
                 authority = \"authority.crt\"\nsigning_key = \"signing.key\"\n\
                 [timings]\ntick_ms = 50\nreconnect_min_ms = 20\nreconnect_max_ms = 100\n{more}\n",
                trust.display(),
                broker.port
            ),
        );
        let central = Running::start(home.path()).await;
        Self {
            home,
            authority,
            broker,
            central_key,
            api: central.api,
            documents: central.documents,
            central,
        }
    }

    /// Ends central as SIGTERM does.
    pub(crate) async fn stop(self) {
        self.central.stop().await;
    }

    /// Ends central and starts it again on the same state; its addresses change.
    pub(crate) async fn restart(&mut self) {
        let fresh = Running {
            stop: CancellationToken::new(),
            running: JoinSet::new(),
            ..self.central
        };
        std::mem::replace(&mut self.central, fresh).stop().await;
        self.central = Running::start(self.home.path()).await;
        self.api = self.central.api;
        self.documents = self.central.documents;
    }

    /// Kills the broker as `kill -9` does and starts an empty one in its place.
    pub(crate) async fn wipe_broker(&mut self) {
        self.broker.child.kill().await.unwrap();
        self.broker =
            Broker::start(self.home.path(), &self.authority, Some(self.broker.port)).await;
    }

    /// Runs the program with this central's settings and gives its output.
    pub(crate) async fn command(&self, args: &[&str]) -> std::process::Output {
        let config = self.home.path().join("central.toml");
        Process::new(env!("CARGO_BIN_EXE_loket-central"))
            .args(args)
            .arg("--config")
            .arg(config)
            .output()
            .await
            .unwrap()
    }

    /// A fresh token of this role.
    pub(crate) async fn token(&self, role: &str) -> String {
        self.token_named(role, role).await
    }

    /// A fresh token of this name and role.
    pub(crate) async fn token_named(&self, name: &str, role: &str) -> String {
        let output = self
            .command(&["token", "add", "--name", name, "--role", role])
            .await;
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Enrols a machine: a record signed by the authority, as `loket-provision enrol` writes it.
    pub(crate) fn enrol(&self, name: &str, serial: u64) -> Machine {
        let pair = self.authority.issue(name, serial);
        let signing = SigningKey::p256_from_pkcs8(&pair.key_der, SystemRandom::new()).unwrap();
        let sealing = SealingKey::generate(&mut Drawn);
        let public = sealing.public().unwrap();
        let id: MachineId = name.parse().unwrap();
        let record = MachineRecord {
            version: 1,
            machine: id.clone(),
            office: OFFICE.parse().unwrap(),
            certificate_serial: format!("{serial:02x}"),
            report_key: signing.verifying_key(),
            sealing_public_key: public.to_string(),
            key_id: public.key_id(),
            enrolled_at: Timestamp::from_unix_ms(1_790_000_000_000),
        };
        let body = presence::encode(&record).unwrap();
        let signed = frame::seal(RECORD_CONTEXT, &body, &self.authority.record_key).unwrap();
        std::fs::write(
            self.home
                .path()
                .join("machines")
                .join(format!("{name}.json")),
            signed,
        )
        .unwrap();
        let mut epoch = [0; 16];
        Drawn.fill(&mut epoch);
        Machine {
            id,
            signing,
            sealing,
            epoch: Epoch::from_bytes(epoch),
            tls: self.authority.client_tls(&pair),
            central_key: self.central_key.clone(),
            broker_port: self.broker.port,
            documents: self.documents,
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_no| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client of the API with one token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let exchange = async {
            let stream = TcpStream::connect(self.address).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .unwrap();
            let mut driving = JoinSet::new();
            driving.spawn(connection);
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "central");
            if !self.token.is_empty() {
                request = request.header("authorization", format!("Bearer {}", self.token));
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                text,
            }
        };
        timeout(DEADLINE, exchange).await.expect("central answers")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(Method::POST, path, &[], Vec::new()).await
    }

    pub(crate) async fn bring(&self, document: &[u8], order: &str, key: Option<&str>) -> Answer {
        const EDGE: &str = "loketedge7d1f";
        let mut body = Vec::new();
        for (name, kind, bytes) in [
            ("document", "application/pdf", document),
            ("order", "application/json", order.as_bytes()),
        ] {
            let head = format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\
                 Content-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let mut headers = vec![("content-type", kind.as_str())];
        if let Some(key) = key {
            headers.push(("idempotency-key", key));
        }
        self.send(Method::POST, "/api/v1/documents", &headers, body)
            .await
    }
}

/// A machine: keys and a place on the broker.
pub(crate) struct Machine {
    pub(crate) id: MachineId,
    pub(crate) signing: SigningKey,
    pub(crate) sealing: SealingKey,
    pub(crate) epoch: Epoch,
    tls: Arc<rustls::ClientConfig>,
    central_key: VerifyingKey,
    broker_port: u16,
    documents: SocketAddr,
}

impl Machine {
    /// Connects, says that it is there and what it holds, and waits until central has that.
    pub(crate) async fn connect(self) -> Linked {
        let broker = BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port: self.broker_port,
        };
        let (handle, inbox, task) = loket_link::open(LinkConfig {
            tls: Some(Arc::clone(&self.tls)),
            subscriptions: for_machine(&self.id),
            backoff: Backoff {
                min: Duration::from_millis(20),
                max: Duration::from_millis(100),
            },
            will: Some(self.state(1, false)),
            ..LinkConfig::new(self.id.to_string(), vec![broker])
        });
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(task.run(stop.clone()));
        let mut linked = Linked {
            machine: self,
            handle,
            inbox,
            _running: running,
            _stop: stop.drop_guard(),
            seq: 0,
            session_seq: 1,
        };
        linked.until_up().await;
        linked.say_state(true);
        linked.say_sync(Vec::new());
        assert_eq!(linked.ack().await.seq, 0);
        linked
    }

    /// Its presence as a publication; with `online: false` also its will.
    fn state(&self, session_seq: u64, online: bool) -> Publication {
        let state = MachineState {
            online,
            boot_id: "boot".to_owned(),
            session_seq,
            epoch: self.epoch,
            software: "0.1.0".to_owned(),
            config_hash: "0".repeat(16),
            key_id: self.sealing.public().unwrap().key_id(),
        };
        let topic = Channel::State.topic(&self.id);
        let body = presence::encode(&state).unwrap();
        let payload = frame::seal(&topic, &body, &self.signing).unwrap();
        Publication {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain: true,
            expiry: None,
        }
    }

    /// The same machine under another certificate.
    pub(crate) fn with_certificate(&self, authority: &Authority, pair: &Pair) -> FetchTarget {
        FetchTarget {
            tls: Some(authority.client_tls(pair)),
            ..self.target()
        }
    }

    fn target(&self) -> FetchTarget {
        FetchTarget {
            host: "127.0.0.1".to_owned(),
            port: self.documents.port(),
            tls: Some(Arc::clone(&self.tls)),
            server_name: "127.0.0.1".to_owned(),
        }
    }

    /// Fetches the sealed document of `job` from byte `from` on.
    pub(crate) async fn fetch(&self, job: JobId, from: u64) -> Result<Vec<u8>, FetchError> {
        fetch(&self.target(), job, from).await
    }
}

/// Fetches a sealed document as whoever `target` makes of us.
pub(crate) async fn fetch(
    target: &FetchTarget,
    job: JobId,
    from: u64,
) -> Result<Vec<u8>, FetchError> {
    let path = format!("/machine/v1/blobs/{job}");
    let mut bytes = Vec::new();
    let mut keep = |_at, chunk: Bytes| {
        bytes.extend_from_slice(&chunk);
        Ok(())
    };
    let fetching = fetch_from(target, &path, from, 9 * 1024 * 1024, &mut keep);
    timeout(DEADLINE, fetching).await.expect("central serves")?;
    Ok(bytes)
}

/// A machine with its link.
pub(crate) struct Linked {
    pub(crate) machine: Machine,
    pub(crate) handle: LinkHandle,
    inbox: Inbox,
    _running: JoinSet<Result<(), loket_link::LinkError>>,
    _stop: DropGuard,
    pub(crate) seq: u64,
    pub(crate) session_seq: u64,
}

impl Linked {
    async fn next(&mut self) -> Inbound {
        timeout(DEADLINE, self.inbox.next())
            .await
            .expect("the link speaks")
            .expect("it lives")
    }

    async fn until_up(&mut self) {
        loop {
            if let Inbound::Up { .. } = self.next().await {
                return;
            }
        }
    }

    /// The next message on a channel that `wanted` takes; others are acknowledged and passed over.
    async fn message(&mut self, wanted: impl Fn(&Channel) -> bool) -> (String, Vec<u8>) {
        loop {
            let Inbound::Message {
                topic,
                payload,
                ack,
            } = self.next().await
            else {
                continue;
            };
            self.taken(ack);
            if Channel::parse(&topic).is_some_and(|(_machine, channel)| wanted(&channel)) {
                let body = frame::open(&topic, &payload, &self.machine.central_key)
                    .expect("central signed it");
                return (topic, body);
            }
        }
    }

    fn taken(&self, ack: AckToken) {
        self.handle.ack(ack);
    }

    pub(crate) async fn ack(&mut self) -> Ack {
        let (_topic, body) = self.message(|channel| *channel == Channel::Ack).await;
        let ack: Ack = presence::decode(&body).unwrap();
        assert_eq!(ack.epoch, self.machine.epoch);
        ack
    }

    pub(crate) async fn until_acked(&mut self, seq: u64) {
        while self.ack().await.seq < seq {}
    }

    async fn command(&mut self, kind: &str) -> Command {
        let channel = Channel::Command(kind.to_owned());
        let (_topic, body) = self.message(|found| *found == channel).await;
        Command::decode(kind, &body).unwrap()
    }

    pub(crate) async fn order(&mut self) -> PrintOrder {
        let Command::Print(order) = self.command("print").await else {
            panic!("no order")
        };
        *order
    }

    pub(crate) async fn cancel(&mut self) -> JobId {
        let Command::Cancel(cancel) = self.command("cancel").await else {
            panic!("no cancel")
        };
        cancel.job_id
    }

    pub(crate) fn publish(&self, channel: &Channel, body: &[u8]) {
        let topic = channel.topic(&self.machine.id);
        let payload = frame::seal(&topic, body, &self.machine.signing).unwrap();
        self.publish_raw(topic, payload);
    }

    pub(crate) fn publish_raw(&self, topic: String, payload: Vec<u8>) {
        self.handle
            .publish(Publication {
                topic,
                payload,
                qos: Qos::AtLeastOnce,
                retain: false,
                expiry: None,
            })
            .unwrap();
    }

    pub(crate) fn say_state(&self, online: bool) {
        self.handle
            .publish(self.machine.state(self.session_seq, online))
            .unwrap();
    }

    /// Waits for the next connection and says again what the machine holds, as every machine does.
    pub(crate) async fn reconnected(&mut self) {
        self.until_up().await;
        self.session_seq += 1;
        self.say_state(true);
        self.say_sync(Vec::new());
    }

    pub(crate) fn say_sync(&self, open_jobs: Vec<loket_wire::OpenJob>) {
        let sync = MachineSync {
            epoch: self.machine.epoch,
            session_seq: self.session_seq,
            last_command_seq: 0,
            first_event_seq: None,
            last_event_seq: self.seq,
            open_jobs,
            is_complete: true,
        };
        self.publish(&Channel::Sync, &presence::encode(&sync).unwrap());
    }

    /// Reports a state of a job under the next number.
    pub(crate) fn report(&mut self, job: JobId, state: JobState, reason: Option<Reason>) -> u64 {
        self.say(Report::Job(JobReport {
            job_id: job,
            state,
            reason,
            attempt: None,
            sheet_count: None,
            actor: None,
            at: Timestamp::from_unix_ms(1_790_000_000_000),
            clock_trusted: false,
        }))
    }

    pub(crate) fn say(&mut self, report: Report) -> u64 {
        self.seq += 1;
        let channel = Channel::Event(report.kind().to_owned());
        let event = Event {
            epoch: self.machine.epoch,
            seq: self.seq,
            report,
        };
        self.publish(&channel, &event.encode().unwrap());
        self.seq
    }
}
