//! Settings that are nearly right: taken whole, or refused.

use loket_daemon::Config;

/// Some ten seconds without optimisation.
const CASES: u64 = 15_000;

const GOOD: &str = r#"
machine = "desa-contoh-1"
state_dir = "state"
runtime_dir = "run"
trust_dir = "trust"
idle_poll_ms = 2000
[office_hours]
open = "07:00"
zone = "Asia/Jakarta"
working_days = ["mon", "tue"]
[link]
republish_after_ms = 60000
[[printer]]
name = "a4"
uri = "ipp://127.0.0.1:8631/ipp/print"
"#;

fn read(text: &str) -> Option<Config> {
    let config: Config = toml::from_str(text).ok()?;
    config.check().is_ok().then_some(config)
}

#[test]
fn fuzz_settings_of_loketd() {
    assert!(read(GOOD).is_some(), "control");
    let mut taken = 0_u64;
    loket_fuzz::fuzz("settings-of-loketd", CASES, &[GOOD.as_bytes()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Some(config) = read(&text) else { return };
        taken += 1;
        assert!(!config.hash().is_empty());
        if let Ok(file) = toml::from_str(&text) {
            assert!(config.explain(&file).contains("machine = "));
        }
    });
    assert!(taken > 0, "control: some are still taken");
}
