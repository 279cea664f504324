//! A name server that never answers: printers with names are away, and nothing else is.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, ensure};
use loket_demo::child::Program;
use loket_demo::site::text;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, World};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

const ID: &str = "desa-contoh-1";

/// Where this test alone serves names. The port is the one that resolvers ask at.
const NAME_SERVER: &str = "127.83.0.1";

/// The resolver would wait for minutes: nothing here ends because it gave up.
const RESOLVER: &str = "nameserver 127.83.0.1\noptions timeout:30 attempts:5\n";

/// Gives a program another resolv.conf, in a namespace of its own that ends with it.
const WITH_RESOLVER: &str = r#"mount --bind "$0" /etc/resolv.conf && exec "$@""#;

const NAMED: [&str; 3] = ["printer-a.contoh", "printer-b.contoh", "printer-c.contoh"];

/// The name that a question is about (RFC 1035 section 4.1.2).
fn name_in(question: &[u8]) -> String {
    let mut rest = question.get(12..).unwrap_or_default();
    let mut labels = Vec::new();
    while let Some((length, behind)) = rest.split_first() {
        let length = usize::from(*length);
        if length == 0 || length > behind.len() {
            break;
        }
        let (label, more) = behind.split_at(length);
        labels.push(String::from_utf8_lossy(label).into_owned());
        rest = more;
    }
    labels.join(".")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_name_server_is_a_reason_at_central_and_holds_up_neither_a_sheet_nor_the_stop()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut settings = std::fs::read_to_string(station.machine.config())?;
    for (number, host) in NAMED.iter().enumerate() {
        settings.push_str(&format!(
            "[[printer]]\nname = \"n{number}\"\nuri = \"ipp://{host}/ipp/print\"\n"
        ));
    }
    std::fs::write(station.machine.config(), settings)?;

    let server = UdpSocket::bind((NAME_SERVER, 53)).await;
    let server = server.context("serve names as root: run the test as root")?;
    let (asked, mut questions) = tokio::sync::watch::channel(BTreeSet::<String>::new());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, _from)) = server.recv_from(&mut question).await {
            let name = name_in(question.get(..length).unwrap_or_default());
            asked.send_modify(|names| {
                names.insert(name);
            });
        }
    });
    let file = world.dir().join("resolv.conf");
    std::fs::write(&file, RESOLVER)?;
    let mut site = world.site.clone();
    let apart = Program::at(Path::new("/usr/bin/unshare"));
    let file = text(&file);
    let words = ["--mount", "/bin/sh", "-c", WITH_RESOLVER, &file];
    site.programs.loketd = apart.running(&words, &world.site.programs.loketd);
    let mut daemon = site.start_machine(&station.machine)?;

    let is_asked = |names: &BTreeSet<String>| NAMED.iter().all(|it| names.contains(*it));
    tokio::time::timeout(DEADLINE, questions.wait_for(is_asked))
        .await
        .context("see each name asked for")??;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    until("each named printer away at central", DEADLINE, async || {
        let machine = world.machine(ID).await?;
        let devices = machine["devices"].as_array().cloned().unwrap_or_default();
        let away = devices.iter().filter(|device| {
            device["state"] == "unreachable" && device["reasons"][0] == "timed-out"
        });
        Ok((away.count() == NAMED.len()).then_some(()))
    })
    .await?;
    let status = tokio::time::timeout(DEADLINE, daemon.stop())
        .await
        .context("see it stop while names are asked for")??;
    ensure!(status.code() == Some(0), "it ended with {status}");
    // That looks which give up do not pile questions up is shown beside the lookup itself, in `ipp-printer`.
    Ok(())
}
