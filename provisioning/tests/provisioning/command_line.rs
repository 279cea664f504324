//! The program as it is typed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use loket_wire::enrolment::InstallBundle;
use rcgen::KeyPair;
use tempfile::TempDir;

use crate::site::request;

/// Runs the program in `dir` with the words of `line`.
fn typed(dir: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loket-provision"))
        .current_dir(dir)
        .args(line.split_whitespace())
        .output()
        .unwrap()
}

fn ends(dir: &Path, line: &str, code: i32) -> String {
    let output = typed(dir, line);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}\n{text}");
    text
}

const INIT: &str =
    "init --dir authority --broker broker.contoh.id:8883 --documents central.contoh.id:8443";

#[test]
fn a_regency_is_set_up_by_typing() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path();
    ends(dir, INIT, 0);
    ends(dir, INIT, 78);
    for kind in ["broker", "central"] {
        let ask = format!(
            "request --kind {kind} --out {kind}.csr --key {kind}.key --name {kind}.contoh.id"
        );
        ends(dir, &ask, 0);
        // A key is never overwritten.
        ends(dir, &ask, 73);
        ends(
            dir,
            &format!("enrol {kind}.csr --dir authority --kind {kind} --out {kind}.crt"),
            0,
        );
        let pem = fs::read_to_string(dir.join(format!("{kind}.crt"))).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }
    let key = KeyPair::generate().unwrap();
    let asked = serde_json::to_string(&request("desa-a-1", "desa-a-1", &key)).unwrap();
    fs::write(dir.join("request.json"), &asked).unwrap();
    let line =
        "enrol request.json --dir authority --kind machine --office desa-a --out install.json";
    ends(dir, line, 0);
    let bundle = fs::read(dir.join("install.json")).unwrap();
    let bundle: InstallBundle = serde_json::from_slice(&bundle).unwrap();
    assert_eq!(bundle.brokers[0].host, "broker.contoh.id");
    let printed = typed(dir, line.split(" --out").next().unwrap());
    assert_eq!(
        serde_json::from_slice::<InstallBundle>(&printed.stdout).unwrap(),
        bundle
    );

    // The way to central is said: on the terminal, and beside an answer that goes into a pipe.
    let told = typed(dir, line.split(" --out").next().unwrap());
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.contains("Copy authority/machines/desa-a-1.json"),
        "{told}"
    );
    let folder = dir.join("authority/machines");
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "another user carries the records");

    let told = ends(dir, "broker-config --dir authority --out mosquitto", 0);
    assert!(told.contains("list is good until 20"), "{told}");
    assert!(told.contains("mosquitto.conf"), "{told}");
    let config = fs::read_to_string(dir.join("mosquitto/mosquitto.conf")).unwrap();
    let acl = dir.join("mosquitto/acl");
    assert!(
        config.contains(&format!("acl_file {}", acl.display())),
        "{config}"
    );
    let told = ends(dir, "revoke desa-a-1 --dir authority", 0);
    assert!(told.contains("NOT IN FORCE YET"), "{told}");
    assert!(told.contains("At central delete desa-a-1.json"), "{told}");
    assert!(told.contains("list is good until 20"), "{told}");
    assert!(fs::read_to_string(acl).unwrap().contains("user desa-a-1"));

    // A machine that calls itself central is refused before anything is signed.
    fs::write(
        dir.join("request.json"),
        asked.replace("desa-a-1", "central"),
    )
    .unwrap();
    let told = ends(
        dir,
        "enrol request.json --dir authority --kind machine --office desa-a",
        65,
    );
    assert!(told.contains("[E-101]"), "{told}");
}

#[test]
fn what_cannot_be_done_ends_with_the_documented_code() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path();
    for (line, code) in [
        ("", 64),
        ("unknown", 64),
        ("init", 64),
        (
            "init --dir authority --broker nowhere --documents central.contoh.id:1",
            64,
        ),
        ("enrol r.csr --dir authority --kind machine", 64),
        (
            "enrol r.csr --dir authority --kind broker --office desa-a",
            64,
        ),
        (
            "enrol r.csr --dir authority --kind machine --office desa-a --name x",
            64,
        ),
        (
            "enrol r.csr --dir authority --kind machine --office desa-a --pid 1",
            64,
        ),
        ("revoke central --dir authority", 64),
        ("revoke --dir authority", 64),
        ("revoke desa-a-1 --serial 00 --dir authority", 64),
        ("enrol r.csr --dir authority --kind broker", 78),
        ("--help", 0),
        ("--version", 0),
    ] {
        ends(dir, line, code);
    }
    ends(dir, INIT, 0);
    for (line, code) in [
        ("enrol absent.csr --dir authority --kind broker", 66),
        ("revoke desa-a-1 --dir authority", 65),
        ("revoke --serial 00 --dir authority", 65),
        ("probe --dir authority --broker 127.0.0.1:1", 69),
        (
            "request --kind broker --out r.csr --key r.key --name *.contoh.id",
            65,
        ),
    ] {
        let told = ends(dir, line, code);
        assert!(told.starts_with("loket-provision: failed to "), "{told}");
    }
    fs::write(
        dir.join("authority/authority.toml"),
        "version = 1\nunknown = 2\n",
    )
    .unwrap();
    ends(dir, "revoke desa-a-1 --dir authority", 78);
}
