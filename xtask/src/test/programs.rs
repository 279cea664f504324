//! Builds the programs twice and proves that those to be shipped hold no door for tests.
//!
//! ```text
//! target/loket-bin/plain/   as shipped, but unoptimised
//! target/loket-bin/hooks/   the programs with the feature `test-hooks`
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{cargo, finish, programs_folder};
use crate::metadata::{Metadata, Package};

/// The feature behind which doors for tests stand.
const HOOKS: &str = "test-hooks";

/// How the name of every variable of ours begins; a door for tests is opened by one.
const BEGINNING: &[u8] = b"LOKET_";

/// Variables that a program as shipped reads: every other is a door.
///
/// A name here must not begin the name of a door: in a program's file no byte says where a name ends.
const SHIPPED: &[&str] = &["LOKET_BOOT_ID", "LOKET_DEMO_TIED", "LOKET_LOG"];

/// Every door there is (`test_doors.rs` of each program, the table of CONTRIBUTING.md). Each must be found where it is,
/// since a search that finds nothing would pass without this control; any other is one that nobody wrote down.
pub(crate) const KNOWN_DOORS: &[&str] = &[
    "LOKET_CENTRAL_STOP_AT",
    "LOKET_HOLD_AT",
    "LOKET_STOP_AT",
    "LOKET_UNSEALED",
];

/// Packages whose programs are for us alone.
const NOT_SHIPPED: &[&str] = &["xtask", "loket-usb-guest"];

/// The word of the processors that we build for.
const PIECE_BYTES: usize = 8;

/// What is built: the whole workspace, so that both builds share every library of others.
///
/// The program that runs this is left out: it is not shipped.
const BUILD: &str = "build --workspace --exclude xtask --bins";

/// Builds plain programs, then those with hooks, and compares them.
pub(super) fn build(root: &Path) -> anyhow::Result<()> {
    let metadata = Metadata::of_members(root)?;
    let shipped = shipped(&metadata);
    if shipped.is_empty() {
        println!("no package has a program");
        return Ok(());
    }
    let folder = programs_folder(&metadata);
    let built = metadata.target_directory.join("debug");
    finish(cargo(root, BUILD))?;
    copy(&shipped, &built, &folder.join("plain"))?;

    let hooked = hooked(&shipped);
    if !hooked.is_empty() {
        finish(cargo(root, &with_hooks(BUILD, &hooked)))?;
        // Those without doors as well: a program finds beside it what it starts.
        copy(&shipped, &built, &folder.join("hooks"))?;
        // Whoever starts a program from target/debug gets the plain one again.
        finish(cargo(root, BUILD))?;
    }
    compare(&shipped, &hooked, &folder)
}

/// Builds both kinds for long runs, quicker to run and slower to build; gives their folder. Which doors there are is proved of
/// the others.
pub(crate) fn quick(root: &Path) -> anyhow::Result<PathBuf> {
    let metadata = Metadata::of_members(root)?;
    let shipped = shipped(&metadata);
    let folder = metadata.target_directory.join("loket-bin-quick");
    let built = metadata.target_directory.join("crash");
    let build = format!("{BUILD} --profile crash");
    finish(cargo(root, &build))?;
    copy(&shipped, &built, &folder.join("plain"))?;
    finish(cargo(root, &with_hooks(&build, &hooked(&shipped))))?;
    copy(&shipped, &built, &folder.join("hooks"))?;
    Ok(folder)
}

/// Those that have doors for tests.
fn hooked<'a>(shipped: &[&'a Package]) -> Vec<&'a Package> {
    let all = shipped.iter().copied();
    all.filter(|it| it.features.contains_key(HOOKS)).collect()
}

/// The build with their doors.
fn with_hooks(build: &str, hooked: &[&Package]) -> String {
    let features: Vec<String> = hooked
        .iter()
        .map(|package| format!("{}/{HOOKS}", package.name))
        .collect();
    format!("{build} --features {}", features.join(","))
}

/// Proves that the optimised programs in `folder` hold no door for tests.
///
/// An optimised program may compare a name eight bytes at a time and hold it in such pieces, with code between them:
/// only its first piece is looked at, and unknown doors are left to the programs that are not optimised.
pub(crate) fn check_shut(metadata: &Metadata, folder: &Path) -> anyhow::Result<()> {
    are_shut(&shipped(metadata), folder, |name| {
        let piece = name.get(..PIECE_BYTES).unwrap_or(name);
        KNOWN_DOORS.iter().any(|door| door.starts_with(piece))
    })
}

fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let packages = metadata.packages.iter();
    let packages = packages.filter(|it| !NOT_SHIPPED.contains(&it.name.as_str()));
    packages
        .filter(|it| it.programs().next().is_some())
        .collect()
}

fn are_shut(
    shipped: &[&Package],
    folder: &Path,
    is_door: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    for name in shipped.iter().flat_map(|package| package.programs()) {
        let mut markers = markers_in(&folder.join(name))?;
        markers.retain(|marker| is_door(marker));
        if !markers.is_empty() {
            bail!(
                "keep doors for tests out of {name}: it holds {}",
                markers.join(", ")
            );
        }
    }
    Ok(())
}

fn copy(packages: &[&Package], from: &Path, to: &Path) -> anyhow::Result<()> {
    // Emptied first: a program that was renamed must not be found under its old name.
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("empty {}", to.display()))?;
    }
    std::fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for name in packages.iter().flat_map(|package| package.programs()) {
        std::fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("copy {name} to {}", to.display()))?;
    }
    Ok(())
}

fn compare(shipped: &[&Package], hooked: &[&Package], folder: &Path) -> anyhow::Result<()> {
    are_shut(shipped, &folder.join("plain"), |_any| true)?;
    let mut seen = Vec::new();
    for package in hooked {
        let mut held = Vec::new();
        for name in package.programs() {
            held.extend(markers_in(&folder.join("hooks").join(name))?);
        }
        if held.is_empty() {
            bail!(
                "find a door for tests in {} with {HOOKS}: it holds none",
                package.name
            );
        }
        println!(
            "{}: with hooks {}, as shipped none",
            package.name,
            held.join(", ")
        );
        seen.extend(held);
    }
    if hooked.is_empty() {
        return Ok(());
    }
    // Behind a name in a program's file may stand anything, the next name too.
    let is_lost = |door: &&&str| !seen.iter().any(|held: &String| held.starts_with(**door));
    if let Some(lost) = KNOWN_DOORS.iter().find(is_lost) {
        bail!("find {lost} in any program with {HOOKS}: is it still called so?");
    }
    let is_known = |held: &&String| KNOWN_DOORS.iter().any(|door| held.starts_with(door));
    if let Some(unknown) = seen.iter().find(|held| !is_known(held)) {
        bail!("know the door {unknown}: list it in KNOWN_DOORS, CONTRIBUTING.md and test_doors.rs");
    }
    Ok(())
}

/// Every name of a variable of ours in a program that is not among those that are shipped.
fn markers_in(program: &Path) -> anyhow::Result<Vec<String>> {
    let bytes = std::fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let mut found = names_in(&bytes);
    found.retain(|name| !SHIPPED.iter().any(|shipped| name.starts_with(shipped)));
    Ok(found.into_iter().collect())
}

fn names_in(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut ahead = bytes;
    while let Some(at) = ahead
        .iter()
        .position(|byte| Some(byte) == BEGINNING.first())
    {
        ahead = ahead.get(at..).unwrap_or_default();
        if ahead.starts_with(BEGINNING) {
            let name = ahead
                .iter()
                .copied()
                .take_while(|byte| byte.is_ascii_uppercase() || *byte == b'_');
            found.insert(name.map(char::from).collect());
        }
        ahead = ahead.get(1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, programs: &[&str]) -> Package {
        let targets: Vec<_> = programs
            .iter()
            .map(|name| serde_json::json!({ "name": name, "kind": ["bin"] }))
            .collect();
        let json = serde_json::json!({
            "id": name, "name": name, "license": null, "features": {}, "targets": targets,
        });
        serde_json::from_value(json).unwrap()
    }

    fn all_doors() -> String {
        KNOWN_DOORS.join("\0")
    }

    fn check(plain: &str, hooks: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        for (kind, text) in [("plain", plain), ("hooks", hooks)] {
            std::fs::create_dir(folder.path().join(kind)).unwrap();
            std::fs::write(folder.path().join(kind).join("loketd"), text).unwrap();
        }
        let daemon = package("loket-daemon", &["loketd"]);
        let refusal = compare(&[&daemon], &[&daemon], folder.path()).err();
        refusal.map(|error| error.to_string())
    }

    /// A workspace of one package with one program.
    fn plant(root: &Path, program: &str) {
        let manifest = "[package]\nname = \"a\"\nedition = \"2024\"\n\
            [features]\ntest-hooks = []\n[workspace]\n";
        std::fs::write(root.join("Cargo.toml"), manifest).unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        std::fs::write(root.join("src/main.rs"), program).unwrap();
    }

    #[test]
    fn programs_are_built_without_and_with_their_doors() {
        let folder = tempfile::tempdir().unwrap();
        let program = "fn main() {\n    #[cfg(feature = \"test-hooks\")]\n    \
            for door in [\"LOKET_CENTRAL_STOP_AT\", \"LOKET_HOLD_AT\", \"LOKET_STOP_AT\", \
            \"LOKET_UNSEALED\"] {\n        println!(\"{:?}\", std::env::var(door));\n    }\n}\n";
        plant(folder.path(), program);
        build(folder.path()).unwrap();
        let programs = folder.path().join("target/loket-bin");
        let plain = std::fs::read(programs.join("plain/a")).unwrap();
        assert_ne!(plain, std::fs::read(programs.join("hooks/a")).unwrap());
        // Who starts what cargo left behind gets the plain one.
        assert_eq!(
            plain,
            std::fs::read(folder.path().join("target/debug/a")).unwrap()
        );
    }

    #[test]
    fn a_program_whose_door_stands_open_fails_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let program = "fn main() { println!(\"{:?}\", std::env::var(\"LOKET_UNSEALED\")); }\n";
        plant(folder.path(), program);
        let error = build(folder.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            "keep doors for tests out of a: it holds LOKET_UNSEALED"
        );
    }

    #[test]
    fn a_door_that_nobody_listed_is_found_too() {
        let error = check("\0LOKET_LOG\0LOKET_NEW_DOOR\0", &all_doors()).unwrap();
        assert_eq!(
            error,
            "keep doors for tests out of loketd: it holds LOKET_NEW_DOOR"
        );
    }

    #[test]
    fn what_is_shipped_is_no_door_whatever_stands_behind_it() {
        assert_eq!(check("LOKET_LOGLOKET_BOOT_IDEND\0", &all_doors()), None);
    }

    #[test]
    fn doors_behind_the_feature_alone_pass() {
        assert_eq!(check("\0code\0", &all_doors()), None);
        assert_eq!(check("\0code\0", &KNOWN_DOORS.concat()), None);
    }

    #[test]
    fn each_door_in_a_shipped_program_is_found() {
        for door in KNOWN_DOORS {
            let error = check(&format!("\0L{door}"), &all_doors()).unwrap();
            assert_eq!(
                error,
                format!("keep doors for tests out of loketd: it holds {door}")
            );
        }
    }

    #[test]
    fn a_door_that_is_gone_and_one_that_nobody_wrote_down_are_found() {
        for door in KNOWN_DOORS {
            let error = check("\0code\0", &all_doors().replace(door, "gone")).unwrap();
            assert!(error.contains(&format!("find {door} ")), "{error}");
        }
        let more = format!("{}\0LOKET_BACK_DOOR\0", all_doors());
        let error = check("\0code\0", &more).unwrap();
        assert!(
            error.starts_with("know the door LOKET_BACK_DOOR"),
            "{error}"
        );
    }

    #[test]
    fn each_door_stands_in_the_table_for_people_and_in_the_one_of_its_program() {
        let root = crate::root();
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let rows = read("CONTRIBUTING.md");
        let tables = read("daemon/src/test_doors.rs") + &read("central/src/test_doors.rs");
        for door in KNOWN_DOORS {
            assert!(rows.contains(&format!("| `{door}` |")), "{door}");
            assert!(tables.contains(&format!("\"{door}\"")), "{door}");
        }
    }

    #[test]
    fn a_door_in_an_optimised_program_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = package("loket-daemon", &["loketd"]);
        let own = package("xtask", &["xtask"]);
        let mut metadata = Metadata::planted(&[], &[]);
        metadata.packages = vec![daemon, own];
        let program = folder.path().join("loketd");
        std::fs::write(&program, "\0LOKET_UNSEALED").unwrap();
        let error = check_shut(&metadata, folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("it holds LOKET_UNSEALED"));
        // A name in pieces, as code holds it: the next byte is the next instruction's.
        std::fs::write(&program, "\0LOKET_STH\0OP_AT").unwrap();
        check_shut(&metadata, folder.path()).unwrap_err();
        for text in ["\0code", "\0LOKET_LOH\0"] {
            std::fs::write(&program, text).unwrap();
            check_shut(&metadata, folder.path()).unwrap();
        }
    }

    #[test]
    fn a_search_that_finds_nothing_anywhere_is_found() {
        assert!(
            check("\0code\0", "\0LOKET_LOG\0")
                .unwrap()
                .contains("holds none")
        );
    }
}
