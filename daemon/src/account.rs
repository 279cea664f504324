//! Accounts of this computer: whose a folder is, and by what name an account signs.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The account that this process acts as.
pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The account's name, or `uid-N` where this computer lists none. Blocks.
pub(crate) fn name_of(uid: u32) -> String {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&list, uid).unwrap_or_else(|| format!("uid-{uid}"))
}

/// # Source
/// passwd(5): name, password, uid, and more, between colons.
fn name_in(list: &str, uid: u32) -> Option<String> {
    let wanted = uid.to_string();
    let mut lines = list.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == wanted).then(|| name.to_owned())
    })
}

/// Whose the folder is, where it is there and somebody else's: what this process made in it, its owner could not open.
pub(crate) fn owner_unless_own(dir: &Path) -> Option<u32> {
    let owner = std::fs::metadata(dir).ok()?.uid();
    (owner != own_uid()).then_some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number_alone() {
        let list = "root:x:0:0:root:/root:/bin/sh\nwati:x:1000:1000::/home/wati:/bin/sh\nbroken\n";
        assert_eq!(name_in(list, 1000).as_deref(), Some("wati"));
        assert_eq!(name_in(list, 100), None);
        assert_eq!(name_in(list, 0).as_deref(), Some("root"));
    }

    #[test]
    fn a_folder_of_ones_own_has_no_other_owner() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(owner_unless_own(dir.path()), None);
        assert_eq!(owner_unless_own(&dir.path().join("absent")), None);
    }
}
