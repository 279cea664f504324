//! What the house asks of every unit and systemd itself does not.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::stage::source;
use crate::unit::{UNITS, Unit};

/// The shortest pause before a restart: below it a broken disk makes a spinning computer.
const RESTART_MIN: Duration = Duration::from_secs(2);

/// Lines whose service would look guarded on Debian 12 and is not: its systemd is built without what they need.
const SILENTLY_IGNORED: &[&str] = &[
    "SocketBindDeny",
    "SocketBindAllow",
    "RestrictFileSystems",
    "RestrictNetworkInterfaces",
];

/// Lines of `unit` without a reason above.
fn unreasoned(unit: &Unit) -> Vec<String> {
    let bare = unit.directives.iter().filter(|it| it.reason.is_none());
    bare.map(|it| format!("{}:{}: {}=", unit.name, it.line_no, it.key))
        .collect()
}

#[test]
fn every_line_of_every_unit_has_its_reason_above() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        assert!(unit.directives.len() > 40, "{name} is not read");
        assert_eq!(unreasoned(&unit), Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn a_line_without_a_reason_is_found() -> Result<()> {
    let text = "[Service]\n# why\nUser=a\nGroup=a\n# of another\n\nUMask=0077\n#\nNice=1\n";
    let found = unreasoned(&Unit::parse("a.service", text)?);
    let keys = ["4: Group=", "7: UMask=", "9: Nice="];
    assert_eq!(found, keys.map(|key| format!("a.service:{key}")));
    Ok(())
}

#[test]
fn no_crash_loop_leaves_a_unit_failed_for_ever() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        assert_eq!(unit.value("StartLimitIntervalSec")?, "0", "{name}");
        let mut limits = unit.directives.iter();
        let limit = limits.find(|it| it.key == "StartLimitIntervalSec");
        // In [Service] it would be passed over with a warning that nobody reads.
        assert_eq!(limit.map(|it| it.section.as_str()), Some("Unit"), "{name}");
        assert_eq!(unit.value("Restart")?, "always", "{name}");
        assert!(unit.span("RestartSec")? >= RESTART_MIN, "{name}");
        // Only a wrong command line: anything else may heal at a site where nobody restarts a service.
        assert_eq!(unit.value("RestartPreventExitStatus")?, "64", "{name}");
    }
    Ok(())
}

#[test]
fn the_watchdog_guards_the_programs_that_feed_it() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        assert_eq!(unit.value("Type")?, "notify", "{name}");
        let limit = unit.span("WatchdogSec")?;
        assert!(limit >= Duration::from_secs(10), "{name}");
    }
    Ok(())
}

#[test]
fn no_line_claims_what_debian_12_ignores() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        for key in SILENTLY_IGNORED {
            assert_eq!(unit.values(key).count(), 0, "{name}: {key}");
        }
    }
    Ok(())
}

#[test]
fn memory_that_holds_documents_reaches_no_disk() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        assert_eq!(unit.value("LimitCORE")?, "1", "{name}");
        assert_eq!(unit.value("MemorySwapMax")?, "0", "{name}");
    }
    Ok(())
}

/// The default of a setting as its example shows it: `#drain_s = 20`.
fn shown_default(example: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(source(&format!("etc/loket/{example}")))?;
    let mut lines = text.lines().filter_map(|line| line.split_once(" = "));
    let (_, value) = lines
        .find(|(name, _)| name.trim_start_matches('#') == key)
        .with_context(|| format!("find {key} in {example}"))?;
    value.parse().with_context(|| format!("read {key}"))
}

#[test]
fn a_drain_ends_before_systemd_kills() -> Result<()> {
    // Past the deadline a second is given to a stuck disk, and the journal is closed.
    let margin = Duration::from_secs(5);
    let drain = Duration::from_secs(shown_default("loket.toml", "drain_s")?);
    assert!(Unit::read("loketd.service")?.span("TimeoutStopSec")? >= drain + margin);
    let drain = Duration::from_millis(shown_default("central.toml", "drain_ms")?);
    let parts = Duration::from_secs(8);
    let central = Unit::read("loket-central.service")?;
    assert!(central.span("TimeoutStopSec")? >= drain + parts + margin);
    Ok(())
}
