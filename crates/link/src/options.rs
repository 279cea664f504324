//! What rumqttc is told of one connection.

use std::time::Duration;

use rumqttc::Transport;
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, LastWill, LastWillProperties};

use crate::config::{LinkConfig, Publication, whole_seconds};
use crate::outbound::mqtt_qos;

/// The options of the connection with this generation; `address` is that of its local socket.
pub(crate) fn mqtt_options(config: &LinkConfig, address: &str, generation: u64) -> MqttOptions {
    let mut options = MqttOptions::new(config.client_id.as_str(), address, 0);
    let properties = ConnectProperties {
        session_expiry_interval: Some(whole_seconds(config.session_expiry)),
        receive_maximum: Some(config.receive_maximum),
        max_packet_size: Some(config.max_packet_bytes),
        ..ConnectProperties::new()
    };
    options
        .set_transport(Transport::Unix)
        .set_keep_alive(config.keep_alive)
        .set_connection_timeout(config.connect_timeout.as_secs())
        .set_clean_start(config.clean_start)
        .set_connect_properties(properties)
        .set_manual_acks(true)
        .set_outgoing_inflight_upper_limit(config.inflight_limit);
    if let Some(will) = config.will.as_ref().and_then(|will| will.of(generation)) {
        options.set_last_will(last_will(&will, config.will_delay));
    }
    options
}

fn last_will(will: &Publication, delay: Duration) -> LastWill {
    let properties = LastWillProperties {
        delay_interval: (!delay.is_zero()).then(|| whole_seconds(delay)),
        message_expiry_interval: will.expiry.map(whole_seconds),
        payload_format_indicator: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    let topic = will.topic.as_str();
    LastWill::new(
        topic,
        will.payload.clone(),
        mqtt_qos(will.qos),
        will.retain,
        Some(properties),
    )
}
