//! Answers that were not asked for, in the wrong place, or none at all.

use loket_ticket_printer::Refusal;

use super::*;

/// Fits no kind of answer.
const NOISE: u8 = 0xff;

fn is_noise(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::NotPrinted(Refusal::Garbage(Garbage::Noise))
            | Outcome::Unclear {
                why: Doubt::Garbage(Garbage::Noise),
                ..
            }
    )
}

/// Its answer comes a second time: with a word of its own the ticket has another.
#[tokio::test(start_paused = true)]
async fn the_word_before_a_ticket_does_not_print_it() {
    let scripted = Scripted::new(|asked, told| match asked {
        Asked::State => now(WELL),
        Asked::InLine { is_behind: false } => [word(told), word(told)].concat(),
        Asked::InLine { is_behind: true } => Vec::new(),
    });
    let outcome = printed(&scripted, Answering::ProcessId).await;
    assert!(is_silent(&outcome), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_answers_with_words_is_heard_by_its_words() {
    let scripted = Scripted::new(|asked, told| match asked {
        Asked::State => now(WELL),
        // An answer of the other kind, to somebody who asked before.
        Asked::InLine { is_behind: false } => [now(DONE), word(told)].concat(),
        Asked::InLine { is_behind: true } => word(told),
    });
    let mut printer = scripted.printer(Answering::ProcessId);
    for number in ["A-007", "A-008"] {
        let outcome = printer.print(&ticket(number)).await;
        assert!(matches!(outcome, Outcome::Printed { .. }), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_always_says_one_too_many_is_sent_nothing() {
    let mut asked_states = 0;
    let scripted = Scripted::new(move |asked, _word| match asked {
        Asked::State => {
            asked_states += 1;
            let too_many = usize::from(asked_states % 4 == 0);
            vec![(0, vec![WELL; 1 + too_many])]
        }
        Asked::InLine { .. } => now(DONE),
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    let is_refused = matches!(
        outcome,
        Outcome::NotPrinted(Refusal::Garbage(Garbage::OutOfStep))
    );
    assert!(is_refused, "{outcome:?}");
    let written = scripted.0.lock().unwrap().written.concat();
    assert!(!has(&written, b"A-007"));
}

/// After a silence it is asked anew: an answer that came late before excuses none that is too many afterwards.
#[tokio::test(start_paused = true)]
async fn an_answer_too_many_behind_a_new_beginning_is_told() {
    let (mut is_behind_ticket, mut is_late, mut asked_anew) = (false, false, 0);
    let scripted = Scripted::new(move |asked, _word| match asked {
        Asked::InLine { is_behind: false } => now(DONE),
        Asked::InLine { is_behind: true } => {
            is_behind_ticket = true;
            Vec::new()
        }
        Asked::State if is_behind_ticket && !is_late => {
            is_late = true;
            vec![(1_200, vec![DONE]), (0, vec![DONE])]
        }
        Asked::State if is_late => {
            asked_anew += 1;
            vec![(0, vec![WELL; if asked_anew == 4 { 2 } else { 1 }])]
        }
        Asked::State => now(WELL),
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    let is_told = matches!(
        outcome,
        Outcome::Unclear {
            why: Doubt::Garbage(Garbage::OutOfStep),
            ..
        }
    );
    assert!(is_told, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn noise_with_the_answer_of_a_ticket_leaves_it_unclear() {
    let scripted = Scripted::new(|asked, _word| match asked {
        Asked::State => now(WELL),
        Asked::InLine { is_behind: false } => now(DONE),
        Asked::InLine { is_behind: true } => vec![(0, vec![NOISE, DONE])],
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    assert!(is_noise(&outcome), "{outcome:?}");
    assert!(matches!(outcome, Outcome::Unclear { .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_little_noise_before_a_ticket_is_passed_over_and_much_is_not() {
    for (noise, is_much) in [(1, false), (30, false), (65, true), (300, true)] {
        let mut is_first = true;
        let scripted = Scripted::new(move |asked, _word| match asked {
            Asked::State if std::mem::take(&mut is_first) => {
                let mut says = vec![(0, vec![NOISE]); noise];
                says.push((0, vec![WELL]));
                says
            }
            Asked::State => now(WELL),
            Asked::InLine { .. } => now(DONE),
        });
        let outcome = printed(&scripted, Answering::InLine).await;
        let is_printed = matches!(outcome, Outcome::Printed { .. });
        assert_eq!(
            (is_noise(&outcome), is_printed),
            (is_much, !is_much),
            "{noise}: {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_answers_without_end_is_sent_nothing() {
    let scripted = Scripted::new(|asked, _word| match asked {
        Asked::State => {
            let mut says = vec![(0, vec![DONE; 50]); 3];
            says.push((0, vec![WELL]));
            says
        }
        Asked::InLine { .. } => now(DONE),
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    assert!(is_noise(&outcome), "{outcome:?}");
    let written = scripted.0.lock().unwrap().written.concat();
    assert!(!has(&written, b"A-007"));
}
