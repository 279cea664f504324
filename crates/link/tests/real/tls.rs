//! Mutual TLS with P-256 certificates against mosquitto.

use std::sync::Arc;

use loket_link::{BrokerAddress, DownReason, LinkConfig};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error};

use crate::broker::Broker;
use crate::link::{Running, config, message};
use crate::pki::Authority;

async fn secured_broker(authority: &Authority) -> Broker {
    let identity = authority.issue("broker", &["127.0.0.1", "localhost"]);
    Broker::start_with(|folder| authority.broker_settings(folder, &identity)).await
}

fn secured(id: &str, broker: BrokerAddress, tls: Arc<ClientConfig>, topics: &[&str]) -> LinkConfig {
    LinkConfig {
        tls: Some(tls),
        ..config(id, broker, topics)
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_opens_the_link_and_its_bytes_are_counted() {
    let authority = Authority::new();
    let broker = secured_broker(&authority).await;
    let tls = authority.client(Some(&authority.issue("kiosk", &[])));
    let mut kiosk = Running::start(secured("kiosk", broker.address(), tls, &["evt/+"]));
    kiosk.next_up().await;
    let before = kiosk.handle.bytes();
    // A handshake with certificates alone is more than this.
    assert!(
        before.sent_bytes > 500 && before.received_bytes > 500,
        "{before:?}"
    );
    kiosk.publish(message("evt/job", vec![b'x'; 10_000])).await;
    assert_eq!(kiosk.next_text().await.len(), 10_000);
    let after = kiosk.handle.bytes();
    for passed in [
        after.sent_bytes - before.sent_bytes,
        after.received_bytes - before.received_bytes,
    ] {
        assert!(
            (10_000..10_500).contains(&passed),
            "{passed} bytes for 10,000 of payload"
        );
    }
    kiosk.stop().await;
}

#[tokio::test]
async fn without_a_certificate_the_reason_is_told() {
    let authority = Authority::new();
    let broker = secured_broker(&authority).await;
    let mut kiosk = Running::start(secured(
        "kiosk",
        broker.address(),
        authority.client(None),
        &[],
    ));
    let required = Error::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(kiosk.next_down().await, DownReason::Tls { error: required });
}

#[tokio::test]
async fn a_broker_of_another_authority_is_not_trusted() {
    let authority = Authority::new();
    let broker = secured_broker(&Authority::new()).await;
    let tls = authority.client(Some(&authority.issue("kiosk", &[])));
    let mut kiosk = Running::start(secured("kiosk", broker.address(), tls, &[]));
    let DownReason::Tls {
        error: Error::InvalidCertificate(reason),
    } = kiosk.next_down().await
    else {
        panic!("the certificate is refused");
    };
    assert!(matches!(
        reason,
        CertificateError::UnknownIssuer | CertificateError::BadSignature
    ));
}

#[tokio::test]
async fn a_broker_under_another_name_is_not_trusted() {
    let authority = Authority::new();
    let identity = authority.issue("broker", &["elsewhere.example"]);
    let broker = Broker::start_with(|folder| authority.broker_settings(folder, &identity)).await;
    let tls = authority.client(Some(&authority.issue("kiosk", &[])));
    let mut kiosk = Running::start(secured("kiosk", broker.address(), tls, &[]));
    let reason = kiosk.next_down().await;
    assert!(
        matches!(
            reason,
            DownReason::Tls {
                error: Error::InvalidCertificate(_)
            }
        ),
        "{reason:?}"
    );
}
