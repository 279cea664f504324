//! GLOSSARY.md names the words on screen: those of a job's states are compared with what screens say.

use loket_wire::JobState;

/// The rows of one section: word and word on screen.
fn rows(section: &str) -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../GLOSSARY.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_before, section) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with("| "));
    let cell = |row: &str, at: usize| row.split('|').nth(at).unwrap().trim().to_owned();
    table
        .skip(1)
        .map(|row| (cell(row, 1), cell(row, 2)))
        .collect()
}

#[test]
fn the_glossary_has_the_states_as_screens_say_them() {
    let written: Vec<_> = rows("States of a job")
        .into_iter()
        // No state, but what some of them are.
        .filter(|(word, _on_screen)| word != "end")
        .collect();
    let said: Vec<_> = JobState::ALL
        .iter()
        .map(|state| {
            let keyword = serde_json::to_value(state).unwrap();
            let keyword = keyword.as_str().unwrap().to_owned();
            (keyword, state.in_words().to_owned())
        })
        .collect();
    assert_eq!(written, said);
}
