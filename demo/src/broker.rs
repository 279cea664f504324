//! The embedded broker: mutual TLS on loopback, nothing kept on disk. It has no access rules, so it serves the demo
//! and no office; an office runs mosquitto with the rules that `loket-provision broker-config` writes.

use std::path::Path;

use anyhow::Context as _;

/// Payloads are at most 32 KiB; the rest is room for topic and properties.
const MAX_PACKET_BYTES: usize = 40 * 1024;

/// Runs the broker until its process ends.
///
/// # Errors
/// When its files cannot be used or its port is taken.
pub fn run(dir: &Path, port: u16) -> anyhow::Result<()> {
    let file = |name: &str| dir.join(name).display().to_string();
    let settings = format!(
        r#"
id = 0
[router]
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {MAX_PACKET_BYTES}
max_inflight_count = 100
dynamic_filters = true
[v5.1.tls]
capath = {ca:?}
certpath = {certificate:?}
keypath = {key:?}
"#,
        ca = file("authority.crt"),
        certificate = file("broker.crt"),
        key = file("broker.key"),
    );
    let config: rumqttd::Config =
        toml::from_str(&settings).context("write the broker's settings")?;
    rumqttd::Broker::new(config)
        .start()
        .context("run the embedded broker")
}
