//! Names under which officers' words stand in the history.

use loket_domain::print::Actor;

/// The longest name an officer signs with.
pub(super) const MAX_NAME_CHARS: usize = 40;

/// Who signs with this name; `None` where it is none that may stand in the history.
pub(crate) fn officer(name: &str) -> Option<Actor> {
    officer_name(name).map(Actor::Officer)
}

/// The same as a name alone.
pub(crate) fn officer_name(name: &str) -> Option<String> {
    let good = (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && !loket_wire::ids::has_long_number(name);
    good.then(|| name.to_owned())
}

/// Who signs with the account of this number, by its name where that may stand in the history.
pub(crate) fn account(uid: Option<u32>) -> Option<Actor> {
    let uid = uid?;
    officer(&crate::account::name_of(uid)).or_else(|| officer(&format!("uid-{uid}")))
}
