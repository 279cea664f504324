//! The rules that give printers on USB to the daemon.
//!
//! Debian 12's udevadm has no `verify` (it came with 254): where it is missing the rules are read here, as far as ours
//! go.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::stage::{Stage, output, source};
use crate::unit::Unit;

const RULES: &str = "udev/60-loket-usb.rules";

/// One `KEY{attribute}OPERATOR"value"` of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Token<'a> {
    key: &'a str,
    operator: &'a str,
    value: &'a str,
}

/// The tokens of one rule.
fn tokens(line: &str) -> Result<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (head, after) = rest.split_once('"').context("a value in quotes")?;
        let (value, after) = after.split_once('"').context("a closing quote")?;
        let name = head.trim_end_matches(['=', '!', '+', '-', ':']);
        let operator = head.strip_prefix(name).unwrap_or_default();
        let key = name.trim();
        let is_match = match key.split('{').next().unwrap_or_default() {
            "ACTION" | "SUBSYSTEM" => true,
            "ENV" => operator == "==" || operator == "!=",
            "GROUP" | "MODE" | "GOTO" | "LABEL" => false,
            _ => bail!("a key that these rules use: {key}"),
        };
        let allowed: &[&str] = if is_match { &["==", "!="] } else { &["="] };
        ensure!(allowed.contains(&operator), "an operator of {key}: {head}");
        ensure!(
            key.contains('{') == key.ends_with('}'),
            "closed braces: {key}"
        );
        ensure!(
            !key.starts_with("ENV") || key.contains('{'),
            "ENV names a property"
        );
        found.push(Token {
            key,
            operator,
            value,
        });
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => ensure!(rest.is_empty(), "a comma before {rest}"),
        }
    }
    Ok(found)
}

fn rules(text: &str) -> Result<Vec<Vec<Token<'_>>>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rules: Vec<_> = lines
        .filter(|line| !line.trim().is_empty())
        .map(tokens)
        .collect::<Result<_>>()?;
    let named = |key: &str| -> BTreeSet<&str> {
        let tokens = rules.iter().flatten().filter(|token| token.key == key);
        tokens.map(|token| token.value).collect()
    };
    ensure!(
        named("GOTO") == named("LABEL"),
        "each GOTO has its LABEL and the other way round"
    );
    Ok(rules)
}

#[test]
fn udev_understands_the_rules() -> Result<()> {
    let text = fs::read_to_string(source(RULES))?;
    rules(&text)?;
    let mut version = Command::new("udevadm");
    let version = output(version.arg("--version"), "udev")?;
    let version: u32 = String::from_utf8(version.stdout)?.trim().parse()?;
    if version >= 254 {
        let mut verify = Command::new("udevadm");
        verify.args(["verify", "--resolve-names=never"]);
        let verified = output(verify.arg(source(RULES)), "udev")?;
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "{said}");
    }
    Ok(())
}

#[test]
fn printers_on_usb_are_given_to_the_group_that_the_daemon_is_in() -> Result<()> {
    let text = fs::read_to_string(source(RULES))?;
    let rules = rules(&text)?;
    let giving: Vec<_> = rules
        .iter()
        .filter(|rule| rule.iter().any(|token| token.key == "GROUP"))
        .collect();
    let [rule] = giving.as_slice() else {
        bail!("find one rule that gives a group");
    };
    let values: Vec<_> = rule.iter().map(|it| (it.key, it.value)).collect();
    let unit = Unit::read("loketd.service")?;
    let group = unit.value("SupplementaryGroups")?;
    let expected = [
        ("SUBSYSTEM", "usb"),
        ("ENV{DEVTYPE}", "usb_device"),
        ("ENV{ID_USB_INTERFACES}", "*:0701??:*"),
        ("GROUP", group),
        ("MODE", "0660"),
    ];
    assert_eq!(values, expected);
    Stage::with_users()?.number("group", group)?;
    Ok(())
}

#[test]
fn a_rule_that_udev_would_pass_over_is_found() {
    let bad = [
        "GROUP==\"loket-usb\"",
        "SUBSYSTEM=\"usb\"",
        "SUBSYSTEM==\"usb\" GROUP=\"loket-usb\"",
        "SUBSYSTEM==\"usb",
        "ENV{DEVTYPE==\"usb_device\"",
        "ENV==\"usb_device\"",
        "GRUOP=\"loket-usb\"",
        "ACTION==\"remove\", GOTO=\"end\"",
    ];
    for rule in bad {
        assert!(rules(rule).is_err(), "{rule}");
    }
}
