//! The text of `mosquitto.conf` and of the access rules.

use loket_wire::MachineId;
use loket_wire::frame::MAX_PAYLOAD_BYTES;
use loket_wire::topic::{CENTRAL_STATE, PREFIX};

use super::{BrokerFiles, BrokerOptions};
use crate::authority::CANARY;

/// Topic and properties around a payload: topics have at most 80 bytes and ours few properties, so a well-formed
/// message never meets this bound, and an overlong one meets the bound on payloads first.
const PACKET_HEADROOM_BYTES: usize = 4_096;

/// Messages on their way to one client at a time: central must not wait a round trip for each report of a morning.
const MAX_INFLIGHT: u32 = 100;

/// Messages waiting for one client. Central's are reports, which machines keep until central itself acknowledges
/// them; a machine's are orders, which central offers again. So what is dropped here is sent again.
const MAX_QUEUED: u32 = 1_000;

/// Bytes waiting for one client: 500 machines at this bound fit a small server's memory.
const MAX_QUEUED_BYTES: u32 = 4 << 20;

/// Connections at a time: 500 sites with four machines each. Needs `LimitNOFILE` above it.
const MAX_CONNECTIONS: u32 = 2_048;

/// The longest keep-alive a client may ask for: twice the machines' own 300 s, so that a dead link is seen.
const MAX_KEEPALIVE_S: u32 = 600;

/// Seconds between snapshots where they are wanted: a snapshot stops the broker while it is written.
const AUTOSAVE_S: u32 = 300;

pub(super) fn configuration(options: &BrokerOptions, files: &BrokerFiles) -> String {
    let max_packet = MAX_PAYLOAD_BYTES + PACKET_HEADROOM_BYTES;
    let (host, port) = (&options.listen.host, options.listen.port);
    let user = match &options.user {
        Some(user) => format!("user {user}\n"),
        None => String::new(),
    };
    format!(
        "\
# Written by loket-provision broker-config; changes are lost when it is run again.
# Needs mosquitto 2.0. After a change of acl, crl.pem or broker.crt: SIGHUP. After a change of this file or of
# authority.crt: restart.
{user}per_listener_settings false

# Who: whoever bears a certificate of the authority; its common name is user name and client id, so that no machine
# takes another's session.
listener {port} {host}
cafile {authority}
certfile {certificate}
keyfile {key}
crlfile {crl}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.3
allow_anonymous false
max_connections {MAX_CONNECTIONS}

# What: topics by name; denied machines stand at the end of the file.
acl_file {acl}

# How much.
message_size_limit {MAX_PAYLOAD_BYTES}
max_packet_size {max_packet}
max_inflight_messages {MAX_INFLIGHT}
max_queued_messages {MAX_QUEUED}
max_queued_bytes {MAX_QUEUED_BYTES}
max_keepalive {MAX_KEEPALIVE_S}
set_tcp_nodelay true

{persistence}
# Names of clients and topics, never payloads.
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
connection_messages true
",
        authority = files.authority.display(),
        certificate = files.certificate.display(),
        key = files.key.display(),
        crl = files.crl.display(),
        acl = files.acl.display(),
        persistence = persistence(options),
    )
}

fn persistence(options: &BrokerOptions) -> String {
    match &options.persistence {
        None => "\
# The broker is disposable: machines and central keep what matters on their own disks and say it again on each
# connect. A broker without a disk has nothing to lose, to leak or to stop for.
persistence false
"
        .to_owned(),
        Some(folder) => format!(
            "\
# A snapshot spares a planned restart some repetition; nothing depends on it. It stops the broker while it is
# written, so it is seldom, and never made at each change.
persistence true
persistence_location {}/
autosave_interval {AUTOSAVE_S}
autosave_on_changes false
",
            folder.display()
        ),
    }
}

/// `+` rather than `#` holds the protocol's fixed depth. Rules of a user come before patterns, so a denied machine
/// loses its own topics too, at once and on its open session.
pub(super) fn access_rules(denied: &[MachineId]) -> String {
    let mut rules = format!(
        "\
# Written by loket-provision; changes are lost at the next revocation.
# A machine (%u is the common name of its certificate) says its own state and reads its own orders.
pattern write {PREFIX}/%u/state
pattern write {PREFIX}/%u/hb
pattern write {PREFIX}/%u/evt/+
pattern write {PREFIX}/%u/sync
pattern read {PREFIX}/%u/cmd/+
pattern read {PREFIX}/%u/ack
pattern read {CENTRAL_STATE}

user central
topic readwrite loket/#

# Never to be seen: the canary's certificate is on the revocation list.
user {CANARY}
topic deny #
"
    );
    for machine in denied {
        rules.push_str(&format!("\nuser {machine}\ntopic deny #\n"));
    }
    rules
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use loket_wire::enrolment::Endpoint;

    use super::*;

    fn options() -> BrokerOptions {
        let listen = Endpoint {
            host: "10.0.0.5".to_owned(),
            port: 8883,
        };
        let installed = PathBuf::from("/etc/mosquitto/loket");
        BrokerOptions::new(listen, PathBuf::from("out"), installed)
    }

    #[test]
    fn the_configuration_names_the_files_where_the_broker_runs() {
        let mut options = options();
        let files = BrokerFiles::within(Path::new("/etc/mosquitto/loket"));
        let text = configuration(&options, &files);
        for line in [
            "listener 8883 10.0.0.5",
            "keyfile /etc/mosquitto/loket/broker.key",
            "crlfile /etc/mosquitto/loket/crl.pem",
            "require_certificate true",
            "use_identity_as_username true",
            "use_username_as_clientid true",
            "allow_anonymous false",
            "message_size_limit 32768",
            "persistence false",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("\nuser "));
        options.user = Some("mosquitto".to_owned());
        options.persistence = Some(PathBuf::from("/var/lib/mosquitto"));
        let text = configuration(&options, &files);
        for line in [
            "user mosquitto",
            "persistence true",
            "persistence_location /var/lib/mosquitto/",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn an_option_cannot_smuggle_in_a_line() {
        let mut bent = options();
        bent.user = Some("mosquitto\nallow_anonymous true".to_owned());
        assert!(bent.check().is_err());
        let mut bent = options();
        bent.installed_at = PathBuf::from("/etc\n/x");
        assert!(bent.check().is_err());
        assert!(options().check().is_ok());
    }

    #[test]
    fn a_denied_machine_stands_as_a_user_of_its_own() {
        let machine: MachineId = "desa-contoh-1".parse().unwrap();
        let rules = access_rules(&[machine]);
        assert!(rules.ends_with("\nuser desa-contoh-1\ntopic deny #\n"));
        assert!(!access_rules(&[]).contains("desa-contoh-1"));
    }
}
