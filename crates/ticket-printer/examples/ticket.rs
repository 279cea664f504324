//! Prints one sample ticket on a printer and says what became of it.
//!
//! ```text
//! cargo run -p loket-ticket-printer --example ticket -- 192.0.2.9:9100 80mm process-id native
//! cargo run -p loket-ticket-printer --example ticket -- usb://0519:0003/ 58mm nothing raster
//! ```

use std::error::Error;
use std::io::Write as _;

use loket_ticket_printer::{
    Answering, Labels, Number, Profile, QrBy, QrPayload, TcpTransport, Text, Ticket, TicketDetails,
    TicketPrinter, Transport, UsbTransport,
};
use loket_usb::{DeviceAddress, Quirks};

const USAGE: &str = "usage: ticket ADDRESS:PORT|usb://VENDOR:PRODUCT/ [58mm|80mm] \
                     [nothing|status|in-line|process-id] [native|raster|none] [copy]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or(USAGE)?;
    let mut profile = match arguments.next().as_deref() {
        None | Some("80mm") => Profile::plain_80mm(),
        Some("58mm") => Profile::plain_58mm(),
        Some(_) => return Err(USAGE.into()),
    };
    profile.answering = match arguments.next().as_deref() {
        Some("nothing") => Answering::Nothing,
        Some("status") => Answering::Status,
        None | Some("in-line") => Answering::InLine,
        Some("process-id") => Answering::ProcessId,
        Some(_) => return Err(USAGE.into()),
    };
    profile.qr = match arguments.next().as_deref() {
        Some("native") => QrBy::Native,
        None | Some("raster") => QrBy::Raster,
        Some("none") => QrBy::None,
        Some(_) => return Err(USAGE.into()),
    };
    let ticket = sample()?;
    let ticket = if arguments.next().is_some() {
        ticket.copy()
    } else {
        ticket
    };
    let transport: Box<dyn Transport> = if address.starts_with("usb:") {
        let device: DeviceAddress = address.parse()?;
        Box::new(UsbTransport::new(
            Box::new(device),
            Quirks::default(),
            &profile.waits,
        ))
    } else {
        Box::new(TcpTransport::new(address.parse()?))
    };
    let mut printer = TicketPrinter::new(transport, profile, 0)?;
    let mut out = std::io::stdout();
    writeln!(out, "status: {:?}", printer.status().await?)?;
    let outcome = printer.print(&ticket).await;
    writeln!(out, "outcome: {outcome:?}")?;
    writeln!(
        out,
        "confirm on the screen: {}",
        outcome.confirm_on_screen()
    )?;
    Ok(())
}

fn sample() -> Result<Ticket, Box<dyn Error>> {
    let notes = [
        "Formulir F-1.02 yang telah diisi lengkap",
        "KK yang rusak",
        "KTP-el",
    ];
    let details = TicketDetails {
        number: Number::new("A-17")?,
        service: Text::new("Penerbitan KK Karena Rusak")?,
        office: Text::new("Disdukcapil Kota Contoh")?,
        taken_on: Text::new("Jumat, 27 November 2026")?,
        taken_at: Text::new("08.41 WIB")?,
        waiting: Some(7),
        code: Some(QrPayload::new(
            "https://192.0.2.7:8443/t/01996a3c-7d52-7b1e-9d0c-2f6a5b1c4e90",
        )?),
        notes: notes.into_iter().map(Text::new).collect::<Result<_, _>>()?,
    };
    Ok(Ticket::new(details, Labels::indonesian()?))
}
