//! The scene: an authority in a temporary folder, machines that ask it, and Debian's mosquitto with its rules.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use data_encoding::BASE64;
use loket_provisioning::{
    Authority, BrokerOptions, InitOptions, ServerKind, broker_config, hang_up, server_request,
};
use loket_wire::enrolment::{Endpoint, EnrolmentRequest};
use loket_wire::{MachineId, OfficeId, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ring::agreement::{EphemeralPrivateKey, X25519};
use ring::rand::SystemRandom;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;

use crate::client::{Client, Identity};

/// A hung broker must end the test; it answers in milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

/// Another process may take a free port between the look and the broker's bind.
const PORT_ATTEMPTS: u32 = 5;

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

pub(crate) fn machine(name: &str) -> MachineId {
    name.parse().unwrap()
}

pub(crate) fn office() -> OfficeId {
    "kec-contoh".parse().unwrap()
}

pub(crate) fn endpoint(host: &str, port: u16) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        port,
    }
}

pub(crate) fn authority_at(dir: &Path, now: Timestamp) -> Authority {
    let options = InitOptions {
        brokers: vec![endpoint("127.0.0.1", 8883)],
        documents: endpoint("127.0.0.1", 8443),
        now,
    };
    Authority::init(dir, options).unwrap()
}

/// What `loketd identity request` writes, for any common name.
pub(crate) fn request(name: &str, common_name: &str, key: &KeyPair) -> EnrolmentRequest {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    request_with(name, &params, key)
}

pub(crate) fn request_with(
    name: &str,
    params: &CertificateParams,
    key: &KeyPair,
) -> EnrolmentRequest {
    let random = SystemRandom::new();
    let sealing = EphemeralPrivateKey::generate(&X25519, &random).unwrap();
    EnrolmentRequest {
        version: 1,
        machine: machine(name),
        csr_pem: params.serialize_request(key).unwrap().pem().unwrap(),
        sealing_public_key: BASE64.encode(sealing.compute_public_key().unwrap().as_ref()),
    }
}

/// Serial numbers on an authority's revocation list, in hexadecimal.
pub(crate) fn listed(dir: &Path) -> BTreeSet<String> {
    listed_in_order(dir).into_iter().collect()
}

/// The same in the list's order: its own canary stands last.
pub(crate) fn listed_in_order(dir: &Path) -> Vec<String> {
    let pem = fs::read(dir.join("crl.pem")).unwrap();
    let der = CertificateRevocationListDer::from_pem_slice(&pem).unwrap();
    let list: x509_cert::crl::CertificateList = der::Decode::from_der(&der).unwrap();
    let entries = list.tbs_cert_list.revoked_certificates.unwrap_or_default();
    entries
        .iter()
        .map(|entry| data_encoding::HEXLOWER.encode(entry.serial_number.as_bytes()))
        .collect()
}

/// Enrols a machine and gives what it would connect with.
pub(crate) fn enrolled(authority: &Authority, name: &str, at: Timestamp) -> Identity {
    let key = KeyPair::generate().unwrap();
    let bundle = authority
        .enrol(&request(name, name, &key), office(), at)
        .unwrap();
    Identity {
        certificate_pem: bundle.certificate_pem,
        key_pem: key.serialize_pem(),
    }
}

pub(crate) fn server(authority: &Authority, kind: ServerKind) -> Identity {
    let made = server_request(kind, &["127.0.0.1".to_owned()]).unwrap();
    let certificate = authority.issue_server(kind, &made.csr_pem, &[], now());
    Identity {
        certificate_pem: certificate.unwrap(),
        key_pem: made.key_pem,
    }
}

/// An authority and a running broker that obeys it.
pub(crate) struct Site {
    pub(crate) authority: Authority,
    pub(crate) endpoint: Endpoint,
    pub(crate) central: Identity,
    pub(crate) broker_identity: Identity,
    options: BrokerOptions,
    broker: Running,
    folder: TempDir,
}

struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

impl Site {
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = authority_at(&folder.path().join("authority"), now());
        let broker_identity = server(&authority, ServerKind::Broker);
        let central = server(&authority, ServerKind::Central);
        let out = folder.path().join("broker");
        for _attempt in 0..PORT_ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .unwrap()
                .port();
            let endpoint = endpoint("127.0.0.1", port);
            let mut options = BrokerOptions::new(endpoint.clone(), out.clone(), out.clone());
            // Temporary folders are their owner's alone, so the broker stays who the test is.
            options.user = Some("root".to_owned());
            let files = broker_config(&authority, &options, now()).unwrap();
            fs::write(&files.certificate, &broker_identity.certificate_pem).unwrap();
            fs::write(&files.key, &broker_identity.key_pem).unwrap();
            if let Some(broker) = start(&files.config) {
                return Self {
                    authority,
                    endpoint,
                    central,
                    broker_identity,
                    options,
                    broker,
                    folder,
                };
            }
        }
        panic!("no port of {PORT_ATTEMPTS} stayed free");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn out(&self) -> &Path {
        &self.options.out
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.broker.child.id()).unwrap()
    }

    /// The broker reads its rules again before it reads anything else from a socket.
    pub(crate) fn reload(&self) {
        hang_up(self.pid()).unwrap();
        self.await_reload();
    }

    pub(crate) fn await_reload(&self) {
        await_line(&self.broker.lines, "Reloading config");
    }

    pub(crate) fn restart(&mut self) {
        self.broker.child.kill().unwrap();
        self.broker.child.wait().unwrap();
        let files = broker_config(&self.authority, &self.options, now()).unwrap();
        self.broker = start(&files.config).expect("the port was in use a moment ago by the same");
    }

    pub(crate) fn connect(&self, identity: &Identity, client_id: &str) -> Client {
        self.try_connect(Some(identity), client_id).unwrap()
    }

    pub(crate) fn try_connect(
        &self,
        identity: Option<&Identity>,
        client_id: &str,
    ) -> Result<Client, String> {
        let authority = self.authority.certificate_pem();
        Client::connect(&self.endpoint, authority, identity, client_id, DEADLINE)
    }
}

/// Starts mosquitto and waits until it listens; `None` when another took the port.
fn start(config: &Path) -> Option<Running> {
    let mut child = Command::new("mosquitto")
        .arg("-c")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("start mosquitto (Debian package mosquitto): {error}"));
    let lines = lines_of(child.stderr.take().unwrap());
    let broker = Running { child, lines };
    let line = await_any(&broker.lines, &["running", "Address already in use"]);
    line.contains("running").then_some(broker)
}

fn lines_of(output: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(10_000);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn await_line(lines: &Receiver<String>, wanted: &str) -> String {
    await_any(lines, &[wanted])
}

fn await_any(lines: &Receiver<String>, wanted: &[&str]) -> String {
    let until = Instant::now() + DEADLINE;
    let mut seen = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) if wanted.iter().any(|part| line.contains(part)) => return line,
            Ok(line) => seen.push(line),
            Err(end) => panic!("waiting for {wanted:?}: {end}; seen {seen:#?}"),
        }
    }
}
