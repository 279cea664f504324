//! What was doubtful and is let through, with its reason in docs/adr/0046: were it refused, honest files would be.

use crate::asn1::{inner, open};
use crate::doc::Doc;
use crate::edit::{Edit, Edits};
use crate::update::Update;

/// A packet as archives write it.
const PACKET: &[u8] = b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'/><?xpacket end='w'?>";

/// Updates behind a signature after which it is what it was.
pub(crate) fn updates(doc: &Doc) -> Vec<Edit> {
    let mut edits = Edits::default();
    let catalog = doc.catalog().with("/Version", "/2.0");
    let update = Update::new().object(doc.root, catalog.text());
    edits.add("catalog", "version that rises", update);
    let catalog = doc
        .catalog()
        .with("/Metadata", &format!("{} 0 R", doc.next));
    let update = Update::new()
        .stream(doc.next, "/Type /Metadata /Subtype /XML", PACKET)
        .object(doc.root, catalog.text());
    edits.add("catalog", "packet of metadata", update);
    let (_, form) = doc.form();
    if form.get("/SigFlags") == Some("1") {
        let (number, body) = doc.with_form(&form.with("/SigFlags", "3"));
        edits.add(
            "form",
            "flags that rise",
            Update::new().object(number, body),
        );
    }
    edits.0
}

/// A container whose outer layers have no lengths, as Bouncy Castle writes it: with all of its ends, or with some of them
/// left to the zeros behind it, which say the same.
pub(crate) fn without_lengths(container: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let parts = inner(container);
    let data = open(parts[1]).0;
    let fields = open(data).0;
    let head = [
        &[0x30, 0x80][..],
        parts[0],
        &[0xa0, 0x80, 0x30, 0x80],
        fields,
    ]
    .concat();
    let with = |ends: usize| [head.as_slice(), &vec![0; ends]].concat();
    vec![
        ("without lengths", with(6)),
        ("without lengths, last end is padding", with(4)),
        ("without lengths, all ends are padding", with(0)),
        (
            "without a length outside",
            [&[0x30, 0x80][..], parts[0], parts[1], &[0, 0]].concat(),
        ),
    ]
}

/// The same with something in it that nobody vouches for, or that ends in two ways.
pub(crate) fn bent_without_lengths(container: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let parts = inner(container);
    let fields = inner(open(parts[1]).0);
    let (info, before) = fields.split_last().unwrap();
    let signer = inner(info)[0];
    let half = open(signer).0.split_at(open(signer).0.len() / 2).0;
    let all = fields.concat();
    let made = |rest: &[&[u8]]| {
        let head = [&[0x30, 0x80][..], parts[0], &[0xa0, 0x80, 0x30, 0x80]];
        [head.concat(), rest.concat()].concat()
    };
    let content = [
        &[0x30, 0x80][..],
        open(fields[2]).0,
        &[0xa0, 0x80, 0x24, 0x80, 4, 4],
        b"lain",
        &[0; 6],
    ];
    let (first, last) = (fields[..2].concat(), fields[3..].concat());
    let signers = [&before.concat()[..], &[0x31, 0x80]].concat();
    vec![
        (
            "without lengths, something behind its end",
            made(&[&all, &[0; 6], &[4, 1, 7]]),
        ),
        (
            "without lengths, something between its ends",
            made(&[&all, &[0, 0, 4, 1, 7, 0, 0, 0, 0]]),
        ),
        (
            "without lengths, another signer behind",
            made(&[&all, info, &[0; 6]]),
        ),
        (
            "without lengths, signer twice",
            made(&[&signers, signer, signer, &[0; 8]]),
        ),
        (
            "without lengths, signer cut",
            made(&[&signers, &[0x30, 0x80], half]),
        ),
        (
            "without lengths, content inside",
            made(&[&first, &content.concat(), &last, &[0; 6]]),
        ),
    ]
}
