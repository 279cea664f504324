//! A central of its own with a real broker and an authority.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use loket_central::Inspector;
use loket_wire::enrolment::{MachineRecord, RECORD_CONTEXT};
use loket_wire::sealed::SealingKey;
use loket_wire::sign::{SigningKey, VerifyingKey};
use loket_wire::{Epoch, MachineId, Randomness, Timestamp, frame, presence};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command as Process};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::machine::Machine;

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

    pub(crate) fn client_tls(&self, pair: &Pair) -> Arc<rustls::ClientConfig> {
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
    pub(crate) async fn start(home: &Path, authority: &Authority, port: Option<u16>) -> Self {
        let pair = authority.issue("broker", 2);
        let at = |name: &str| home.join(name).display().to_string();
        std::fs::write(home.join("broker.crt"), &pair.certificate_pem).unwrap();
        std::fs::write(home.join("broker.key"), &pair.key_pem).unwrap();
        let port = port.unwrap_or_else(free_port);
        let config = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence false\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\nset_tcp_nodelay true\nuse_identity_as_username true\nuse_username_as_clientid true\n",
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

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
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
    central: Option<Running>,
}

/// Central inside the test's process.
struct Running {
    api: SocketAddr,
    documents: SocketAddr,
    stop: CancellationToken,
    running: JoinSet<Result<(), loket_central::RunError>>,
}

impl Running {
    async fn start(home: &Path, inspector: Inspector) -> Self {
        let config = loket_central::Config::load(&home.join("central.toml")).unwrap();
        let bound = loket_central::bind(config, inspector).await.unwrap();
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
        Self::start_with(|settings| settings).await
    }

    /// Starts with settings that `edit` changed.
    pub(crate) async fn start_with(edit: impl Fn(String) -> String) -> Self {
        let mut rig = Self::prepare(edit).await;
        rig.run().await;
        rig
    }

    /// Everything but a running central.
    pub(crate) async fn prepare(edit: impl Fn(String) -> String) -> Self {
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
            &edit(format!(
                "state_dir = \"state\"\noffices = \"offices.toml\"\nmachines_dir = \"machines\"\n\
                 trust_dir = \"{}\"\n[api]\nlisten = \"127.0.0.1:0\"\n\
                 [documents]\nlisten = \"127.0.0.1:0\"\n\
                 [broker]\nendpoints = [{{ host = \"127.0.0.1\", port = {} }}]\n\
                 [identity]\ncertificate = \"central.crt\"\nkey = \"central.key\"\n\
                 authority = \"authority.crt\"\nsigning_key = \"signing.key\"\n\
                 [timings]\ntick_ms = 50\nreconnect_min_ms = 20\nreconnect_max_ms = 100\n",
                trust.display(),
                broker.port
            )),
        );
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            home,
            authority,
            broker,
            central_key,
            api: nowhere,
            documents: nowhere,
            central: None,
        }
    }

    /// Starts central on what is prepared, or left by one before; its addresses change.
    pub(crate) async fn run(&mut self) {
        let beside = Path::new(env!("CARGO_BIN_EXE_loket-central"));
        let inspector = Inspector::at(&beside.with_file_name("loket-inspector"));
        assert!(
            inspector.is_there(),
            "build the inspector: cargo xtask test --only programs"
        );
        self.run_with(inspector).await;
    }

    /// Starts central with somebody else as its inspector.
    pub(crate) async fn run_with(&mut self, inspector: Inspector) {
        let central = Running::start(self.home.path(), inspector).await;
        self.api = central.api;
        self.documents = central.documents;
        self.central = Some(central);
    }

    /// Ends central as SIGTERM does.
    pub(crate) async fn stop(&mut self) {
        self.central.take().unwrap().stop().await;
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

    /// Starts the program itself; its log lines come with it.
    pub(crate) fn spawn(&self) -> (Child, Lines<BufReader<ChildStderr>>) {
        let mut child = Process::new(env!("CARGO_BIN_EXE_loket-central"))
            .args(["run", "--config"])
            .arg(self.home.path().join("central.toml"))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        (child, lines)
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

    /// The machine with the addresses that this central has now.
    pub(crate) fn moved(&self, machine: Machine) -> Machine {
        Machine {
            documents: self.documents,
            broker_port: self.broker.port,
            ..machine
        }
    }

    /// What the authority says of an enrolled machine.
    pub(crate) fn record(&self, name: &str) -> MachineRecord {
        let path = self.home.path().join(format!("machines/{name}.json"));
        let frame: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let body = data_encoding::BASE64.decode(frame["body"].as_str().unwrap().as_bytes());
        presence::decode(&body.unwrap()).unwrap()
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
