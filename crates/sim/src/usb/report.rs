//! What a virtual USB device saw.

/// What a device saw since it was plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsbReport {
    /// The host has configured it.
    pub is_configured: bool,
    /// The cable is out, by either side.
    pub is_unplugged: bool,
    /// How often the host set its configuration: a reset of the device does that again.
    pub configurations: u64,
    /// Requests that the host took back before they were answered.
    pub unlinked: u64,
    /// Requests for `GET_DEVICE_ID`.
    pub device_id_requests: u64,
    /// Each interface, by its number.
    pub interfaces: Vec<InterfaceReport>,
}

/// What an interface saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceReport {
    /// Its alternate setting.
    pub alternate: u8,
    /// Bytes that it took.
    pub received_bytes: u64,
    /// Bytes that it gave.
    pub sent_bytes: u64,
    /// Empty packets that it took.
    pub zero_packets: u64,
    /// How often the host cleared a halt of one of its endpoints.
    pub halts_cleared: u64,
    /// How often it began anew: `SOFT_RESET`, `SET_INTERFACE`, `SET_CONFIGURATION`.
    pub restarts: u64,
    /// Requests for `SOFT_RESET`.
    pub soft_resets: u64,
    /// Requests that wait for an answer, in either direction.
    pub open_requests: usize,
    /// Triggers that fired.
    pub faults_fired: u64,
}
