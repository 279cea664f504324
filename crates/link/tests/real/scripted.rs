//! A broker that does what a real one would only do on a bad day.

use loket_link::BrokerAddress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct ScriptedBroker {
    listener: TcpListener,
}

/// One packet from the client: its first byte and what follows the length.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) first: u8,
    pub(crate) body: Vec<u8>,
}

impl Packet {
    /// The kind, as MQTT 5 (2.1.2) numbers it.
    pub(crate) fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// The packet id of a PUBLISH with QoS 1.
    pub(crate) fn publish_id(&self) -> [u8; 2] {
        let topic_bytes = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        [self.body[2 + topic_bytes], self.body[3 + topic_bytes]]
    }
}

pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
pub(crate) const DISCONNECT: u8 = 14;

impl ScriptedBroker {
    pub(crate) async fn bind() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(crate) fn address(&self) -> BrokerAddress {
        let port = self.listener.local_addr().unwrap().port();
        BrokerAddress {
            host: "127.0.0.1".into(),
            port,
        }
    }

    /// Accepts a client and answers its CONNECT; `properties` are those of the CONNACK.
    pub(crate) async fn accept(&self, properties: &[u8]) -> Session {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut session = Session { stream };
        assert_eq!(
            session.read().await.unwrap().kind(),
            1,
            "CONNECT comes first"
        );
        let count = u8::try_from(properties.len()).unwrap();
        let mut connack = vec![0x20, 3 + count, 0, 0, count];
        connack.extend_from_slice(properties);
        session.write(&connack).await;
        session
    }
}

pub(crate) struct Session {
    stream: TcpStream,
}

impl Session {
    /// Reads a packet; `None` at the end of the stream.
    pub(crate) async fn read(&mut self) -> Option<Packet> {
        let first = self.stream.read_u8().await.ok()?;
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Packet { first, body })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads a SUBSCRIBE with one filter and grants it.
    pub(crate) async fn suback(&mut self) {
        let packet = self.read().await.unwrap();
        assert_eq!(packet.kind(), SUBSCRIBE);
        self.write(&[0x90, 4, packet.body[0], packet.body[1], 0, 1])
            .await;
    }

    pub(crate) async fn puback(&mut self, id: [u8; 2]) {
        self.write(&[0x40, 2, id[0], id[1]]).await;
    }
}
