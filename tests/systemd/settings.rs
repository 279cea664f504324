//! The examples under `systemd/etc`: the programs take them as they stand.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::stage::{Stage, finish, source};
use crate::unit::Unit;

/// Which program reads which example.
const EXAMPLES: &[(&str, &str)] = &[("loketd", "loket.toml"), ("loket-central", "central.toml")];

/// What `check-config` says of settings. Trust is read as at a start, so its folder is one of the stage.
fn check(stage: &Stage, program: &str, settings: &Path) -> Result<String> {
    let trust = stage.path("trust");
    fs::create_dir_all(&trust)?;
    let text = fs::read_to_string(settings)?;
    let staged = stage.path(&format!("{program}-checked.toml"));
    let trust = trust.display().to_string();
    fs::write(&staged, text.replace("/etc/loket/trust", &trust))?;
    let mut command = Command::new(stage.program(program));
    command.arg("check-config").arg("--config").arg(&staged);
    Ok(String::from_utf8(finish(&mut command, "loket")?.stdout)?)
}

#[test]
fn the_programs_take_the_examples() -> Result<()> {
    let stage = Stage::with_programs()?;
    for (program, example) in EXAMPLES {
        check(&stage, program, &source(&format!("etc/loket/{example}")))?;
    }
    Ok(())
}

/// Tables that switch something on: without them there are no such values.
const OFF: [&str; 2] = ["pages.", "ticket_printer."];

#[test]
fn each_default_that_an_example_shows_is_the_programs_own() -> Result<()> {
    let stage = Stage::with_programs()?;
    for (program, example) in EXAMPLES {
        let path = source(&format!("etc/loket/{example}"));
        let text = fs::read_to_string(&path)?;
        let lines = text.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            Some(_) | None => line,
        });
        let written: Vec<&str> = lines.collect();
        let written = written.join("\n");
        ensure!(written != text.trim_end(), "{example} shows no default");
        let copy = stage.path(example);
        fs::write(&copy, &written)?;
        let values = |shown: String| -> Vec<String> {
            let values = shown.lines().map(|line| match line.split_once("  # ") {
                Some((value, _origin)) => value.to_owned(),
                None => line.to_owned(),
            });
            values.collect()
        };
        let by_default = values(check(&stage, program, &path)?);
        let mut by_file = values(check(&stage, program, &copy)?);
        by_file.retain(|value| !OFF.iter().any(|table| value.starts_with(table)));
        assert_eq!(by_default, by_file, "{example}");
    }
    Ok(())
}

#[test]
fn units_and_examples_name_the_same_places() -> Result<()> {
    for (unit, program, example) in [
        ("loketd.service", "loketd", "loket.toml"),
        ("loket-central.service", "loket-central", "central.toml"),
    ] {
        let unit = Unit::read(unit)?;
        let start = format!("/usr/bin/{program} run --config /etc/loket/{example}");
        assert_eq!(unit.value("ExecStart")?, start);
        let text = fs::read_to_string(source(&format!("etc/loket/{example}")))?;
        let state = format!("state_dir = \"/var/lib/{}\"", unit.value("StateDirectory")?);
        assert!(text.contains(&state), "{example}: {state}");
        for folder in unit.values("ReadWritePaths") {
            assert!(
                text.contains(&format!("\"{folder}\"")),
                "{example}: {folder}"
            );
        }
        for credential in unit.values("LoadCredential") {
            let id = credential.split(':').next().unwrap_or_default();
            let path = format!("\"/run/credentials/{}/{id}\"", unit.name);
            assert!(text.contains(&path), "{example}: {path}");
        }
    }
    Ok(())
}
