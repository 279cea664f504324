//! A device that others made: PAPPL's IPP over USB gadget, behind the kernel's functionfs and a host controller that is not
//! ours (`peer/pappl_printer.c`).

use std::path::Path;

use anyhow::Context;
use loket_ipp_printer::JobState;
use loket_usb::{FunctionKind, Plugged, Quirks};
use tokio::process::Command;
use tokio::task::spawn_blocking;

use crate::devices::{close, document, ipp, send, sha256};
use crate::scenario::exchange::not_polluted;
use crate::value::{holds, same, until_told};

const PROGRAM: &str = "/bin/pappl-printer";

const FOLDER: &str = "/tmp/pappl";

/// Where PAPPL tells the kernel which controller its gadget hangs on.
const CONTROLLER_OF_GADGET: &str = "/sys/kernel/config/usb_gadget/g1/UDC";

const SERIAL: &str = "PAPPL-1";

async fn find() -> anyhow::Result<Option<Plugged>> {
    let all = loket_usb::list().await.context("list the devices")?;
    let is_it = |it: &Plugged| it.identity.serial.as_deref() == Some(SERIAL);
    let found = all.into_iter().find(is_it);
    Ok(found.filter(|it| it.function(FunctionKind::IppUsb).is_some()))
}

/// Asked, given a job, asked side by side, and asked what it is by its raw interface.
pub(super) async fn prints() -> anyhow::Result<String> {
    let out = Path::new(FOLDER).join("out");
    tokio::fs::create_dir_all(&out)
        .await
        .context("make a folder for it")?;
    let mut peer = Command::new(PROGRAM)
        .arg(FOLDER)
        .kill_on_drop(true)
        .spawn()
        .context("start it")?;
    let device = until_told("it in the list", find)
        .await
        .with_context(told)?;

    let places = device.function(FunctionKind::IppUsb).map(|it| &it.places);
    same("its settings for IPP", places.map(Vec::len), Some(3))?;
    let raw = loket_usb::open_raw(&device, Quirks::default())
        .await
        .context("open its raw interface")?;
    let id = raw.device_id().await.context("ask for its device id")?;
    same("the model", id.model(), Some("Gadget"))?;
    raw.close().await;

    let pool = loket_usb::open_http(&device, Quirks::default())
        .await
        .context("open HTTP over USB")?;
    let (_way, client) = ipp(&pool)?;
    let said = client.printer_attributes().await.with_context(told)?;
    let model = said.make_and_model.as_deref();
    same("make and model", model, Some("Contoh Gadget"))?;
    holds(
        "it makes jobs before their documents",
        said.operations.create_job(),
    )?;

    let sent = document(300_000);
    let id = send(&client, "loket:usb:1", sent.clone())
        .await
        .with_context(told)?;
    let state = until_told("the end of the job", async || {
        let job = client.job_attributes(id).await.context("ask for the job")?;
        Ok(job.state.is_final().then_some(job.state))
    });
    same("how it ended", state.await?, JobState::Completed)?;
    let kept = tokio::fs::read(out.join(id.to_string())).await;
    let kept = kept.context("read what it got")?;
    same("what it got", sha256(&kept), sha256(&sent))?;

    let (one, two) = tokio::join!(not_polluted(&client), not_polluted(&client));
    one.and(two)?;
    close(&pool).await;
    peer.kill().await.context("end it")?;
    let unplugged = spawn_blocking(|| std::fs::write(CONTROLLER_OF_GADGET, "\n")).await;
    // The kernel takes the gadget away by itself where its program is gone: then there is nothing to write to.
    drop(unplugged.context("unplug it")?);
    until_told("it gone", async || {
        Ok(find().await?.is_none().then_some(()))
    })
    .await?;
    Ok(format!(
        "{} bytes as one job, 6 questions side by side",
        sent.len()
    ))
}

/// What it wrote itself, for whoever looks into a failure.
fn told() -> String {
    let log = std::fs::read_to_string(Path::new(FOLDER).join("log")).unwrap_or_default();
    format!("PAPPL says: {log}")
}
