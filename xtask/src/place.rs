//! Where each crate stands in the house, and which way an arrow between two of them may point.

use crate::workspace::Kind;

/// A layer of the house, or a place beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Types and messages; names nothing of ours.
    Words,
    /// Pure logic; names words alone.
    Core,
    /// One outside thing each.
    Hand,
    /// Wires cores to hands.
    Program,
    /// What stands in for the outside in tests: simulated devices, bytes that are nearly right.
    Simulator,
    /// What needs more than one crate.
    Tests,
    /// The project's own commands.
    Task,
}

/// Every crate that the design knows; a new one is added here with its place.
const PLACES: &[(&str, Place)] = &[
    ("loket-wire", Place::Words),
    ("loket-domain", Place::Core),
    ("loket-verify", Place::Core),
    ("loket-paper", Place::Core),
    ("loket-qr", Place::Core),
    ("loket-device-profile", Place::Core),
    ("loket-journal", Place::Hand),
    ("loket-store", Place::Hand),
    ("loket-spool", Place::Hand),
    ("loket-trust-folder", Place::Hand),
    ("loket-link", Place::Hand),
    (INSPECTION, Place::Hand),
    (USB, Place::Hand),
    ("loket-dns-sd", Place::Hand),
    ("loket-ipp-printer", Place::Hand),
    ("loket-escl-scanner", Place::Hand),
    ("loket-sane-scanner", Place::Hand),
    ("loket-ticket-printer", Place::Hand),
    ("loket-inspector", Place::Program),
    (DAEMON, Place::Program),
    ("loket-central", Place::Program),
    (PROVISIONING, Place::Program),
    (KIOSK_UI, Place::Program),
    (DEMO, Place::Program),
    (SIM, Place::Simulator),
    (FUZZ, Place::Simulator),
    (EXAMPLE_SETTINGS, Place::Simulator),
    ("loket-tests", Place::Tests),
    ("loket-usb-guest", Place::Tests),
    ("xtask", Place::Task),
];

/// Its questions and answers are words, which pages show; that it asks a process makes it a hand.
const INSPECTION: &str = "loket-inspection";
const USB: &str = "loket-usb";
const DAEMON: &str = "loket-daemon";
const PROVISIONING: &str = "loket-provisioning";
const KIOSK_UI: &str = "loket-kiosk-ui";
const DEMO: &str = "loket-demo";
const SIM: &str = "loket-sim";
const FUZZ: &str = "loket-fuzz";
const EXAMPLE_SETTINGS: &str = "loket-example-settings";

/// Hands that reach their device through `loket-usb`.
const ON_USB: &[&str] = &[
    "loket-ipp-printer",
    "loket-escl-scanner",
    "loket-ticket-printer",
];

/// Hands whose one outside thing is made of what a core is about.
const HANDS_ON_CORES: &[(&str, &str)] = &[
    ("loket-store", "loket-domain"),
    ("loket-trust-folder", "loket-verify"),
    (INSPECTION, "loket-verify"),
];

/// Where the crate `name` stands, if the design knows it.
pub(crate) fn place(name: &str) -> Option<Place> {
    PLACES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, place)| *place)
}

/// Why `from` may not depend on `to`, or nothing where it may.
pub(crate) fn refusal(from: &str, to: &str, kind: Kind) -> Option<&'static str> {
    let (Some(upper), Some(lower)) = (place(from), place(to)) else {
        return Some("a crate without a layer has no arrows: add it to the table of places");
    };
    if [from, to].contains(&DAEMON) && [from, to].contains(&SIM) {
        return Some("daemon and sim know each other only through demo and tests");
    }
    if to == DAEMON && from != DEMO && upper != Place::Tests {
        return Some("nothing imports daemon but demo and tests");
    }
    if kind == Kind::Dev && dev_only(upper, to) {
        return None;
    }
    let free = match upper {
        Place::Words => false,
        Place::Core => lower == Place::Words,
        Place::Hand => hand_may(from, to, lower),
        Place::Program => return program_refusal(from, to, lower),
        Place::Simulator => lower == Place::Words || lower == Place::Core,
        Place::Tests => lower != Place::Task,
        Place::Task => false,
    };
    if free { None } else { Some(reason(upper)) }
}

/// Tests of any layer may drive a simulator and fuzz their readers, those of programs may make keys and hold their
/// example settings to what they know.
fn dev_only(upper: Place, to: &str) -> bool {
    to == SIM
        || to == FUZZ
        || (upper == Place::Program && [PROVISIONING, EXAMPLE_SETTINGS].contains(&to))
}

fn hand_may(from: &str, to: &str, lower: Place) -> bool {
    match lower {
        Place::Words => true,
        Place::Core => HANDS_ON_CORES.contains(&(from, to)),
        Place::Hand => to == USB && ON_USB.contains(&from),
        Place::Program | Place::Simulator | Place::Tests | Place::Task => false,
    }
}

fn program_refusal(from: &str, to: &str, lower: Place) -> Option<&'static str> {
    match lower {
        Place::Words | Place::Core => None,
        Place::Hand => (from == KIOSK_UI && to != INSPECTION)
            .then_some("kiosk-ui names no hand: daemon implements its ports"),
        Place::Program => (from != DEMO && !(from == DAEMON && to == KIOSK_UI))
            .then_some("programs meet over files and the link, only demo joins them"),
        Place::Simulator => {
            (from != DEMO).then_some("simulators are for demo and tests, never in a program")
        }
        Place::Tests | Place::Task => Some("tests and tasks stand above everything"),
    }
}

fn reason(upper: Place) -> &'static str {
    match upper {
        Place::Words => "words stand at the bottom and name nothing of ours",
        Place::Core => "a core names words alone: what it needs comes in as an argument",
        Place::Hand => "a hand holds one outside thing and knows words, no other hand",
        Place::Simulator => "a simulator that shared a hand would hide that hand's mistakes",
        Place::Program | Place::Tests | Place::Task => "arrows point down only",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, kind: Kind, allowed: bool) {
        let refusal = refusal(from, to, kind);
        assert_eq!(refusal.is_none(), allowed, "{from} → {to}: {refusal:?}");
    }

    #[test]
    fn arrows_point_down_only() {
        check("loket-domain", "loket-wire", Kind::Normal, true);
        check("loket-wire", "loket-domain", Kind::Normal, false);
        check("loket-domain", "loket-verify", Kind::Normal, false);
        check("loket-link", "loket-wire", Kind::Normal, true);
        check("loket-link", "loket-domain", Kind::Normal, false);
        check("loket-store", "loket-domain", Kind::Normal, true);
        check("loket-daemon", "loket-journal", Kind::Normal, true);
        check("loket-nobody", "loket-wire", Kind::Normal, false);
    }

    #[test]
    fn hands_meet_only_at_usb() {
        check("loket-link", "loket-spool", Kind::Normal, false);
        check("loket-ipp-printer", "loket-usb", Kind::Normal, true);
        check("loket-link", "loket-usb", Kind::Normal, false);
        check("loket-kiosk-ui", "loket-link", Kind::Normal, false);
    }

    #[test]
    fn daemon_stands_alone() {
        check("loket-central", "loket-daemon", Kind::Dev, false);
        check("loket-demo", "loket-daemon", Kind::Normal, true);
        check("loket-tests", "loket-daemon", Kind::Dev, true);
        check("loket-usb-guest", "loket-daemon", Kind::Normal, true);
        check("loket-daemon", "loket-sim", Kind::Dev, false);
        check("loket-sim", "loket-daemon", Kind::Dev, false);
        check("loket-daemon", "loket-central", Kind::Normal, false);
    }

    #[test]
    fn simulators_and_keys_are_for_tests_of_others() {
        check("loket-ipp-printer", "loket-sim", Kind::Normal, false);
        check("loket-ipp-printer", "loket-sim", Kind::Dev, true);
        check("loket-wire", "loket-fuzz", Kind::Dev, true);
        check("loket-central", "loket-fuzz", Kind::Normal, false);
        check("loket-daemon", "loket-example-settings", Kind::Dev, true);
        check(
            "loket-daemon",
            "loket-example-settings",
            Kind::Normal,
            false,
        );
        check("loket-central", "loket-provisioning", Kind::Dev, true);
        check("loket-central", "loket-provisioning", Kind::Normal, false);
    }
}
