//! The kernel's own printer gadget as a ticket printer: a device that is not ours, behind a host controller that is not ours.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use loket_usb::{FunctionKind, Plugged, Quirks};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::task::spawn_blocking;

use crate::devices::{document, sha256};
use crate::value::{holds, same, until, until_told};

const GADGETS: &str = "/sys/kernel/config/usb_gadget/loket";

const CONTROLLER: &str = "dummy_udc.0";

/// Where the gadget gives what it got.
const READER: &str = "/dev/g_printer0";

const SERIAL: &str = "TICKET-1";

/// How long the printer may take nothing before a write to it is given up.
const QUIET_MS: u32 = 3_000;

/// The printer gadget, plugged into the dummy controller.
struct Gadget;

impl Gadget {
    async fn plug() -> anyhow::Result<(Self, Plugged)> {
        let made = spawn_blocking(make).await.context("make the gadget")?;
        made.context("make the gadget")?;
        let device = until_told("the gadget in the list", find).await?;
        Ok((Self, device))
    }

    async fn unplug(self) -> anyhow::Result<()> {
        let unmade = spawn_blocking(unmake)
            .await
            .context("take the gadget away")?;
        unmade.context("take the gadget away")?;
        until("no gadget", || (!Path::new(READER).exists()).then_some(())).await
    }
}

async fn find() -> anyhow::Result<Option<Plugged>> {
    let all = loket_usb::list().await.context("list the devices")?;
    let is_it = |it: &Plugged| it.identity.serial.as_deref() == Some(SERIAL);
    let found = all.into_iter().find(is_it);
    Ok(found.filter(|it| it.function(FunctionKind::RawPrinter).is_some()))
}

fn make() -> std::io::Result<()> {
    let root = PathBuf::from(GADGETS);
    if root.exists() {
        // A scenario that failed left it.
        unmake()?;
    }
    let function = root.join("functions/printer.0");
    let configuration = root.join("configs/c.1");
    std::fs::create_dir_all(root.join("strings/0x409"))?;
    let say = |file: &str, text: &str| std::fs::write(root.join(file), text);
    say("idVendor", "0x1209")?;
    say("idProduct", "0x0001")?;
    say("strings/0x409/serialnumber", SERIAL)?;
    say("strings/0x409/manufacturer", "Loket")?;
    say("strings/0x409/product", "Gadget")?;
    std::fs::create_dir(&function)?;
    std::fs::write(
        function.join("pnp_string"),
        "MFG:Loket;MDL:Gadget;CMD:ESC/POS;",
    )?;
    std::fs::create_dir(&configuration)?;
    std::os::unix::fs::symlink(&function, configuration.join("printer.0"))?;
    say("UDC", CONTROLLER)
}

fn unmake() -> std::io::Result<()> {
    let root = PathBuf::from(GADGETS);
    std::fs::write(root.join("UDC"), "\n")?;
    std::fs::remove_file(root.join("configs/c.1/printer.0"))?;
    std::fs::remove_dir(root.join("configs/c.1"))?;
    std::fs::remove_dir(root.join("functions/printer.0"))?;
    std::fs::remove_dir(root.join("strings/0x409"))?;
    std::fs::remove_dir(root)
}

async fn reader() -> anyhow::Result<File> {
    until(READER, || Path::new(READER).exists().then_some(())).await?;
    File::open(READER)
        .await
        .context("open the gadget's other end")
}

/// The bytes that were written are the bytes that came out.
pub(super) async fn counted() -> anyhow::Result<String> {
    let (gadget, device) = Gadget::plug().await?;
    let mut reader = reader().await?;
    let opened = loket_usb::open_raw(&device, Quirks::default()).await;
    let mut printer = opened.context("open the ticket printer")?;
    let id = printer.device_id().await.context("ask for its device id")?;
    same("the model", id.model(), Some("Gadget"))?;
    let status = printer
        .port_status()
        .await
        .context("ask for its port status")?;
    holds(
        "it is selected and has paper",
        status.is_selected() && !status.is_paper_empty(),
    )?;
    let bytes = ticket();
    let mut come = vec![0; bytes.len()];
    let (written, read) = tokio::join!(printer.write(&bytes), reader.read_exact(&mut come));
    written.context("write to it")?;
    read.context("read what came out")?;
    same("what came out", sha256(&come), sha256(&bytes))?;
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    same(
        "the bytes that it says it accepted",
        printer.accepted_bytes(),
        len,
    )?;
    printer.close().await;
    drop(reader);
    gadget.unplug().await?;
    Ok(format!("{len} bytes out of {READER}"))
}

/// A ticket printer out of paper: it takes what its memory holds, and how much that was is known to the byte.
pub(super) async fn stalled_reader() -> anyhow::Result<String> {
    let (gadget, device) = Gadget::plug().await?;
    let mut reader = reader().await?;
    let quirks = Quirks {
        send_quiet_ms: QUIET_MS,
        ..Quirks::default()
    };
    let opened = loket_usb::open_raw(&device, quirks).await;
    let mut printer = opened.context("open the ticket printer")?;
    // The gadget takes nothing before its other end was read once.
    let first = ticket();
    let mut come = vec![0; first.len()];
    let (written, read) = tokio::join!(printer.write(&first), reader.read_exact(&mut come));
    written.context("write to it")?;
    read.context("read what came out")?;
    let bytes = document(1024 * 1024);
    let Err(failed) = printer.write(&bytes).await else {
        bail!("a printer that reads nothing took {} bytes", bytes.len());
    };
    holds("some bytes were accepted", failed.accepted_bytes > 0)?;
    printer.close().await;
    let mut come = vec![0; failed.accepted_bytes];
    reader
        .read_exact(&mut come)
        .await
        .context("read what it had accepted")?;
    let expected = bytes.get(..failed.accepted_bytes).unwrap_or_default();
    same("what came out", sha256(&come), sha256(expected))?;
    drop(reader);
    gadget.unplug().await?;
    Ok(format!(
        "{} accepted, at most {}: {}",
        failed.accepted_bytes, failed.at_most_bytes, failed.error
    ))
}

/// ESC @, lines of a queue's ticket, and a cut, as often as fill more than one transfer.
fn ticket() -> Vec<u8> {
    let one = b"\x1b@ANTRIAN\n\x1b!\x30A-001\n\x1b!\x00Loket 2\n\n\n\x1dV\x42\x00";
    one.iter().copied().cycle().take(65_536).collect()
}
