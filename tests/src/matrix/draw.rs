//! What a life meets, drawn from a seed.

use crate::seed::Seeded;
use crate::way::Direction;

/// Of a hundred lives, so many end at a stop of the walk, the others after some looks at central.
const AT_A_STOP: u64 = 65;

/// A stop is passed several times in one life.
const MAX_PASSAGE: u64 = 3;

/// Looks before a kill, at most: about as long as a job takes from its order to its sheet.
pub(super) const MAX_LOOKS: u64 = 120;

/// A document is of some 45,000 bytes; what is asked besides, of a few thousand.
const MAX_TO_PRINTER: u64 = 60_000;

/// Answers of a printer while one job runs.
const MAX_FROM_PRINTER: u64 = 30_000;

/// Wrong clocks: the battery is dead, or somebody set it.
const CLOCKS: [&str; 3] = ["-4000d", "-2d", "+3d"];

/// One life of loketd and what happens around it.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) ending: Ending,
    pub(super) trouble: Trouble,
    /// The printer is off and on again before the next life.
    pub(super) power_goes_between: bool,
    /// How far the wall clock is off in this life.
    pub(super) clock: Option<&'static str>,
}

/// How a life ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// By its own SIGKILL at a stop, `word:n`, if it comes there.
    Stop(String),
    /// By SIGKILL after so many looks.
    Moment(u64),
}

/// What happens to the printer meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    PowerCut {
        after_looks: u64,
    },
    /// The machine's disk is full for a while, from before its start or from some looks after it.
    FullDisk {
        from_start: bool,
        after_looks: u64,
        for_looks: u64,
    },
    Reset {
        direction: Direction,
        bytes: u64,
    },
}

pub(super) fn life(seeded: &mut Seeded, stops: &[String]) -> Life {
    let ending = if seeded.below(100) < AT_A_STOP {
        let word = stops
            .get(seeded.place(stops.len()))
            .cloned()
            .unwrap_or_default();
        Ending::Stop(format!("{word}:{}", seeded.below(MAX_PASSAGE) + 1))
    } else {
        Ending::Moment(seeded.below(MAX_LOOKS))
    };
    let trouble = match seeded.below(10) {
        0 => Trouble::PowerCut {
            after_looks: seeded.below(MAX_LOOKS),
        },
        1 | 2 => Trouble::Reset {
            direction: Direction::ToPrinter,
            bytes: seeded.below(MAX_TO_PRINTER),
        },
        3 => Trouble::Reset {
            direction: Direction::FromPrinter,
            bytes: seeded.below(MAX_FROM_PRINTER),
        },
        4 => Trouble::FullDisk {
            from_start: seeded.below(3) == 0,
            after_looks: seeded.below(MAX_LOOKS),
            for_looks: seeded.below(MAX_LOOKS),
        },
        _quiet => Trouble::None,
    };
    Life {
        ending,
        trouble,
        power_goes_between: seeded.below(10) == 0,
        clock: (seeded.below(20) == 0)
            .then(|| seeded.pick(&CLOCKS))
            .flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_lives_and_every_fault_is_drawn() {
        let stops = ["one".to_owned(), "two".to_owned()];
        let draw = || {
            let mut seeded = Seeded::from(11);
            (0..500)
                .map(|_| life(&mut seeded, &stops))
                .collect::<Vec<_>>()
        };
        let lives = draw();
        assert_eq!(format!("{lives:?}"), format!("{:?}", draw()));
        let any = |wanted: fn(&Life) -> bool| lives.iter().any(wanted);
        assert!(any(|it| it.ending == Ending::Stop("two:3".to_owned())));
        assert!(any(|it| matches!(it.ending, Ending::Moment(_))));
        assert!(any(|it| it.power_goes_between));
        assert!(any(|it| matches!(it.trouble, Trouble::PowerCut { .. })));
        for wanted in [true, false] {
            let has = |it: &Life| matches!(it.trouble, Trouble::FullDisk { from_start, .. } if from_start == wanted);
            assert!(lives.iter().any(has), "{wanted}");
        }
        for wanted in [Direction::ToPrinter, Direction::FromPrinter] {
            let has = |it: &Life| matches!(it.trouble, Trouble::Reset { direction, .. } if direction == wanted);
            assert!(lives.iter().any(has), "{wanted:?}");
        }
        assert!(
            CLOCKS
                .iter()
                .all(|clock| lives.iter().any(|it| it.clock == Some(clock)))
        );
        assert!(any(|it| !it.power_goes_between
            && it.trouble == Trouble::None
            && it.clock.is_none()));
    }
}
