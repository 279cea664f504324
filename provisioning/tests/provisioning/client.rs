//! The least MQTT 5 client that sees what access rules do: reason codes, and what is delivered before a PINGRESP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use loket_wire::enrolment::Endpoint;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

pub(crate) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    packet_id: u16,
}

/// A message as it was delivered.
pub(crate) type Delivered = (String, Vec<u8>);

impl Client {
    pub(crate) fn connect(
        broker: &Endpoint,
        authority_pem: &str,
        identity: Option<&Identity>,
        client_id: &str,
        deadline: Duration,
    ) -> Result<Self, String> {
        let config = config(authority_pem, identity);
        let name = ServerName::try_from(broker.host.clone()).unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect((broker.host.as_str(), broker.port)).unwrap();
        tcp.set_read_timeout(Some(deadline)).unwrap();
        let mut client = Self {
            stream: StreamOwned::new(tls, tcp),
            packet_id: 0,
        };
        let mut body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00".to_vec();
        push_text(&mut body, client_id);
        client
            .send(0x10, &body)
            .map_err(|error| error.to_string())?;
        let (kind, body) = client.receive().map_err(|error| error.to_string())?;
        match (kind >> 4, body.get(1)) {
            (2, Some(0)) => Ok(client),
            other => Err(format!("CONNACK {other:?}")),
        }
    }

    /// Publishes at QoS 1 and gives the reason code of the PUBACK.
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8]) -> u8 {
        let mut body = Vec::new();
        push_text(&mut body, topic);
        body.extend_from_slice(&self.next_id());
        body.push(0);
        body.extend_from_slice(payload);
        self.send(0x32, &body).unwrap();
        let (kind, body) = self.receive().unwrap();
        assert_eq!(kind >> 4, 4, "expected a PUBACK");
        body.get(2).copied().unwrap_or(0)
    }

    /// Publishes at QoS 0: no answer comes, and a subscriber of its own topics reads nothing in between.
    pub(crate) fn send_only(&mut self, topic: &str, payload: &[u8]) {
        let mut body = Vec::new();
        push_text(&mut body, topic);
        body.push(0);
        body.extend_from_slice(payload);
        self.send(0x30, &body).unwrap();
    }

    pub(crate) fn subscribe(&mut self, filter: &str) {
        let mut body = self.next_id().to_vec();
        body.push(0);
        push_text(&mut body, filter);
        body.push(1);
        self.send(0x82, &body).unwrap();
        // Retained messages may overtake the SUBACK's reader; these tests retain none.
        assert_eq!(self.receive().unwrap().0 >> 4, 9, "expected a SUBACK");
    }

    /// Everything that the broker had for this client before it answered a PINGREQ: it serves one packet after
    /// another, so what is not among it was not delivered.
    pub(crate) fn delivered(&mut self) -> Vec<Delivered> {
        self.send(0xc0, &[]).unwrap();
        let mut found = Vec::new();
        loop {
            let (kind, body) = self.receive().unwrap();
            match kind >> 4 {
                13 => return found,
                3 => found.push(self.accept(kind, &body)),
                other => panic!("unexpected packet {other}"),
            }
        }
    }

    fn accept(&mut self, kind: u8, body: &[u8]) -> Delivered {
        let (topic, rest) = take_text(body);
        let rest = if kind & 0x06 == 0 {
            rest
        } else {
            let (id, rest) = rest.split_at(2);
            self.send(0x40, id).unwrap();
            rest
        };
        let (properties_len, rest) = take_varint(rest);
        (topic, rest[properties_len..].to_vec())
    }

    fn next_id(&mut self) -> [u8; 2] {
        self.packet_id += 1;
        self.packet_id.to_be_bytes()
    }

    fn send(&mut self, first: u8, body: &[u8]) -> std::io::Result<()> {
        let mut packet = vec![first];
        let mut left = body.len();
        loop {
            let digit = u8::try_from(left % 128).unwrap();
            left /= 128;
            packet.push(if left > 0 { digit | 0x80 } else { digit });
            if left == 0 {
                break;
            }
        }
        packet.extend_from_slice(body);
        self.stream.write_all(&packet)?;
        self.stream.flush()
    }

    fn receive(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let mut first = [0; 1];
        self.stream.read_exact(&mut first)?;
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let mut digit = [0; 1];
            self.stream.read_exact(&mut digit)?;
            length |= usize::from(digit[0] & 0x7f) << shift;
            if digit[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((first[0], body))
    }
}

fn config(authority_pem: &str, identity: Option<&Identity>) -> ClientConfig {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(authority_pem)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(own) => builder
            .with_client_auth_cert(
                vec![certificate(&own.certificate_pem)],
                PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap(),
            )
            .unwrap(),
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take_text(bytes: &[u8]) -> (String, &[u8]) {
    let (length, rest) = bytes.split_at(2);
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let (text, rest) = rest.split_at(length);
    (String::from_utf8(text.to_vec()).unwrap(), rest)
}

/// The property lengths met here have one digit.
fn take_varint(bytes: &[u8]) -> (usize, &[u8]) {
    (usize::from(bytes[0]), &bytes[1..])
}
