//! Runs in the guest of `cargo xtask usb`: plugs virtual devices into a real kernel and says what became of each scenario.
//!
//! ```text
//! loket-usb scenario NAME ok|failed MILLISECONDS what was seen, or why it failed
//! loket-usb figure NAME VALUE UNIT
//! ```
#![expect(
    clippy::print_stdout,
    reason = "the console is how a guest tells its host what it saw"
)]

mod devices;
mod machine;
mod scenario;
mod udev;
mod value;
mod vhci;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use scenario::{SCENARIOS, Scenario};

/// Ends a scenario that hangs: an emulated processor on a busy machine is some fifty times slower than a real one, and the
/// longest scenario, of some hundred exchanges, takes a minute on a busy one.
const DEADLINE: Duration = Duration::from_secs(240);

/// Who drives a device blocks threads in the kernel, which waits for that device: four of them are enough for two pools.
const DRIVING_THREADS: usize = 4;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(DRIVING_THREADS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("loket-usb trouble: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let [word, socket] = words.as_slice()
        && word == scenario::ALONE
    {
        return ended(runtime.block_on(scenario::alone(socket)));
    }
    // In one word, with commas: the kernel bounds how many words it hands on.
    let named: Vec<&str> = words.iter().flat_map(|it| it.split(',')).collect();
    let chosen = SCENARIOS
        .iter()
        .filter(|it| named.is_empty() || named.contains(&it.name));
    let mut failed = false;
    for scenario in chosen {
        failed |= !runtime.block_on(tell(scenario));
    }
    // A scenario that hung may have left a thread in the kernel: the machine is switched off anyway.
    runtime.shutdown_background();
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What a part that runs in a process of its own tells its parent.
fn ended(told: anyhow::Result<String>) -> ExitCode {
    match told {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one scenario and says what became of it; true where it is well.
async fn tell(scenario: &Scenario) -> bool {
    let start = Instant::now();
    // A task, as whatever drives devices in a daemon is one: how it is woken is in what is measured.
    let mut running = JoinSet::new();
    running.spawn((scenario.run)());
    let outcome = match timeout(DEADLINE, running.join_next()).await {
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(panic))) => Err(panic.into()),
        Ok(None) => Err(anyhow::anyhow!("it was not begun")),
        Err(_late) => Err(anyhow::anyhow!("it hangs: not done in {DEADLINE:?}")),
    };
    let (word, detail) = match &outcome {
        Ok(detail) => ("ok", detail.clone()),
        Err(error) => ("failed", format!("{error:#}")),
    };
    let detail = detail.replace('\n', " ");
    let name = scenario.name;
    let took_ms = start.elapsed().as_millis();
    println!("loket-usb scenario {name} {word} {took_ms} {detail}");
    outcome.is_ok()
}

/// Says a figure.
fn figure(name: &str, value: impl std::fmt::Display, unit: &str) {
    println!("loket-usb figure {name} {value} {unit}");
}
