//! Frames of USB/IP: what a host controller without wires asks, and how it is answered.
//!
//! ```text
//! CMD_SUBMIT  1  command seq devid direction endpoint | flags length start packets interval setup[8] | OUT: data
//! CMD_UNLINK  2  command seq devid direction endpoint | seq of the request taken back, 24 bytes of nothing
//! RET_SUBMIT  3  command seq 0 0 0                    | status actual start packets errors, 8 of nothing | IN: data
//! RET_UNLINK  4  command seq 0 0 0                    | status, 24 bytes of nothing
//! ```
//!
//! All fields are 32 bits wide with their high byte first.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Each frame begins with so many bytes.
const HEADER_BYTES: usize = 48;

/// The kernel's usbfs has 16 MiB of buffers for all of its users (`usbfs_memory_mb`); one request cannot be larger.
const MAX_TRANSFER_BYTES: usize = 16 * 1024 * 1024;

const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;

/// `URB_ZERO_PACKET` of the kernel: a transfer of whole packets ends with an empty one.
const FLAG_ZERO_PACKET: u32 = 0x40;

/// `number_of_packets` of a request that is not isochronous, besides 0.
const NOT_ISOCHRONOUS: u32 = u32::MAX;

/// Endpoint numbers have four bits (USB 2.0 section 8.3.2.2).
const MAX_ENDPOINT: u32 = 15;

/// What a host controller asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To move bytes.
    Submit(Submit),
    /// To take a request back.
    Unlink {
        /// The number of this command.
        seq: u32,
        /// The number of the request that is taken back.
        of: u32,
    },
}

/// A request to move bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// Its number.
    pub seq: u32,
    /// The endpoint's number, 0 to 15, without the bit of its direction.
    pub endpoint: u8,
    /// From the device to the host.
    pub is_in: bool,
    /// How many bytes it asks for, or brings.
    pub len: usize,
    /// A transfer of whole packets ends with an empty one.
    pub ends_with_zero_packet: bool,
    /// For endpoint 0.
    pub setup: Setup,
    /// What it brings; empty where it asks.
    pub data: Bytes,
}

/// The eight bytes that begin a control transfer.
///
/// # Source
/// USB 2.0 section 9.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Setup {
    /// `bmRequestType`.
    pub kind: u8,
    /// `bRequest`.
    pub request: u8,
    /// `wValue`.
    pub value: u16,
    /// `wIndex`.
    pub index: u16,
    /// `wLength`.
    pub length: u16,
}

/// Says why no further frame can be read from a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A command of another version, or no USB/IP.
    #[error("read a USB/IP command: {0} is none")]
    Command(u32),
    /// An isochronous request: no device here has such an endpoint.
    #[error("read a USB/IP request: it is isochronous")]
    Isochronous,
    /// More than a kernel can ask.
    #[error("read a USB/IP request: it is of {0} bytes")]
    Length(u32),
    /// An endpoint that no device can have.
    #[error("read a USB/IP request: it is for endpoint {0}")]
    Endpoint(u32),
}

/// Takes the next command off the beginning of what has come; none while it is not whole.
///
/// # Errors
/// [`Refused`]: the stream is out of step, and what follows means nothing.
pub fn read_command(come: &mut BytesMut) -> Result<Option<Command>, Refused> {
    let Some(mut header) = come.get(..HEADER_BYTES) else {
        return Ok(None);
    };
    let command = header.get_u32();
    let seq = header.get_u32();
    let _devid = header.get_u32();
    let is_in = header.get_u32() == 1;
    let endpoint = header.get_u32();
    match command {
        CMD_UNLINK => {
            let of = header.get_u32();
            come.advance(HEADER_BYTES);
            return Ok(Some(Command::Unlink { seq, of }));
        }
        CMD_SUBMIT => {}
        other => return Err(Refused::Command(other)),
    }
    let flags = header.get_u32();
    let told = header.get_u32();
    let _start_frame = header.get_u32();
    let packets = header.get_u32();
    let _interval = header.get_u32();
    let setup = Setup::read(&mut header);
    if packets != 0 && packets != NOT_ISOCHRONOUS {
        return Err(Refused::Isochronous);
    }
    let len = usize::try_from(told).ok();
    let len = len.filter(|len| *len <= MAX_TRANSFER_BYTES);
    let len = len.ok_or(Refused::Length(told))?;
    let small = u8::try_from(endpoint).ok();
    let endpoint = small
        .filter(|_| endpoint <= MAX_ENDPOINT)
        .ok_or(Refused::Endpoint(endpoint))?;
    let brought = if is_in { 0 } else { len };
    if come.len() < HEADER_BYTES.saturating_add(brought) {
        return Ok(None);
    }
    come.advance(HEADER_BYTES);
    Ok(Some(Command::Submit(Submit {
        seq,
        endpoint,
        is_in,
        len,
        ends_with_zero_packet: flags & FLAG_ZERO_PACKET != 0,
        setup,
        data: come.split_to(brought).freeze(),
    })))
}

impl Setup {
    /// The fields, whose low byte comes first.
    fn read(bytes: &mut impl Buf) -> Self {
        Self {
            kind: bytes.get_u8(),
            request: bytes.get_u8(),
            value: bytes.get_u16_le(),
            index: bytes.get_u16_le(),
            length: bytes.get_u16_le(),
        }
    }
}

/// How a request ends, as the kernel counts: 0, or a negative error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    /// `EPIPE`: the endpoint is halted, or refuses a control request.
    Stall,
    /// `EOVERFLOW`: the device sent more than was asked for.
    Babble,
    /// `ECONNRESET`: taken back.
    Unlinked,
}

impl Status {
    fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::Stall => -32,
            Self::Babble => -75,
            Self::Unlinked => -104,
        }
    }
}

/// The answer to a request: `moved` bytes in either direction, and those that go to the host.
pub(crate) fn ret_submit(seq: u32, status: Status, moved: usize, data: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER_BYTES.saturating_add(data.len()));
    begin(&mut frame, RET_SUBMIT, seq);
    frame.put_i32(status.code());
    frame.put_u32(u32::try_from(moved).unwrap_or(u32::MAX));
    frame.put_bytes(0, 20);
    frame.put_slice(data);
    frame.freeze()
}

/// The answer to a request taken back: success where it had been answered before.
pub(crate) fn ret_unlink(seq: u32, status: Status) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER_BYTES);
    begin(&mut frame, RET_UNLINK, seq);
    frame.put_i32(status.code());
    frame.put_bytes(0, 24);
    frame.freeze()
}

fn begin(frame: &mut BytesMut, command: u32, seq: u32) {
    frame.put_u32(command);
    frame.put_u32(seq);
    // Device, direction and endpoint mean nothing in an answer.
    frame.put_bytes(0, 12);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request as the kernel sends it.
    pub(crate) fn submit(seq: u32, endpoint: u32, is_in: bool, len: u32, data: &[u8]) -> BytesMut {
        let mut frame = BytesMut::new();
        for field in [
            CMD_SUBMIT,
            seq,
            1,
            u32::from(is_in),
            endpoint,
            0,
            len,
            0,
            0,
            0,
        ] {
            frame.put_u32(field);
        }
        frame.put_slice(&[0x80, 6, 0, 1, 0, 0, 18, 0]);
        frame.put_slice(data);
        frame
    }

    fn unlink(seq: u32, of: u32) -> BytesMut {
        let mut frame = BytesMut::new();
        for field in [CMD_UNLINK, seq, 1, 0, 0, of] {
            frame.put_u32(field);
        }
        frame.put_bytes(0, 24);
        frame
    }

    #[test]
    fn frames_are_read_one_after_the_other_however_they_come() {
        let mut all = submit(7, 1, false, 3, b"abc");
        all.extend_from_slice(&unlink(8, 7));
        let mut come = BytesMut::new();
        let mut read = Vec::new();
        for byte in all {
            come.put_u8(byte);
            read.extend(read_command(&mut come).unwrap());
        }
        let [Command::Submit(first), second] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!((first.seq, first.endpoint, first.is_in), (7, 1, false));
        assert_eq!(first.data, "abc");
        let setup = Setup {
            kind: 0x80,
            request: 6,
            value: 0x100,
            index: 0,
            length: 18,
        };
        assert_eq!(first.setup, setup);
        assert_eq!(*second, Command::Unlink { seq: 8, of: 7 });
        assert!(come.is_empty());
    }

    #[test]
    fn what_no_kernel_asks_is_refused() {
        let read = |mut frame: BytesMut| read_command(&mut frame);
        let huge = submit(1, 1, true, 0x4000_0000, b"");
        assert_eq!(read(huge), Err(Refused::Length(0x4000_0000)));
        assert_eq!(
            read(submit(1, 16, true, 0, b"")),
            Err(Refused::Endpoint(16))
        );
        let mut isochronous = submit(1, 1, true, 0, b"");
        isochronous[35] = 2;
        assert_eq!(read(isochronous), Err(Refused::Isochronous));
        let mut other = submit(1, 1, true, 0, b"");
        other[3] = 5;
        assert_eq!(read(other), Err(Refused::Command(5)));
    }

    #[test]
    fn an_answer_has_its_number_its_status_and_its_bytes() {
        let frame = ret_submit(9, Status::Stall, 2, b"ab");
        assert_eq!(frame.len(), HEADER_BYTES + 2);
        assert_eq!(frame[..8], [0, 0, 0, 3, 0, 0, 0, 9]);
        assert_eq!(frame[20..28], [0xff, 0xff, 0xff, 0xe0, 0, 0, 0, 2]);
        assert_eq!(ret_unlink(9, Status::Unlinked).len(), HEADER_BYTES);
    }
}
