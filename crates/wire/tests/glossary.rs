//! GLOSSARY.md names the words on screen: those of a job's states are compared with what screens say.

use loket_wire::JobState;

/// The rows of one section: word and word on screen.
fn rows(section: &str) -> Vec<(String, String)> {
    let text = include_str!("../../../GLOSSARY.md");
    let head = format!("{section}\n");
    let sections = text.split("\n## ");
    let section = sections
        .filter_map(|each| each.strip_prefix(head.as_str()))
        .next()
        .unwrap_or_default();
    let table = section.lines().filter(|line| line.starts_with("| "));
    let cell = |row: &str, at: usize| row.split('|').nth(at).unwrap_or_default().trim().to_owned();
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
