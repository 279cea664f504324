//! Documents printed once through crashes, beside `lp` and cupsd as the client of the same printers.

use anyhow::Context as _;
use loket_tests::matrix::{Character, Matrix, Rival};
use loket_tests::seed::Seeded;

use crate::section::{Row, Section};

/// Of our side; the rival's moments come from the same draws.
const SEED: u64 = 20_261_210;

/// Runs it with so many kills of each side before each printer.
pub(crate) async fn run(kills: u64, rival_kills: u64) -> anyhow::Result<Section> {
    let mut section = Section::default();
    for (number, character) in (0..).zip(Character::ALL) {
        let name = character.name();
        let seeded = || Seeded::new(SEED.wrapping_add(number));
        let mut matrix = Matrix::start(character, seeded()?).await?;
        let kept = matrix.run(kills).await;
        let ours = matrix.words();
        drop(matrix);
        let mut rival = Rival::start(character, seeded()?).await?;
        let fates = rival.run(rival_kills).await;
        let peer = fates.with_context(|| format!("run the rival before {name}"))?;
        let row = Row::new(name, ours).beside_words(peer);
        section.row(row.target("lost=0 double=0", kept.is_ok()));
        // The table says how far it came; the rest is for whoever looks into it.
        kept.with_context(|| format!("keep every promise before {name}"))?;
    }
    section.note(
        "One signed A4 document after the other, each through up to eight lives of its client: loketd is killed with -9 at \
         a stop of the print walk or at a random moment, cupsd at random moments, with what it started or without. In one \
         life of ten the printer loses its power, and before one of ten; in three of ten a connection is reset after a \
         random byte, in one of ten loketd's disk is full for a while (not cupsd's); in one of twenty loketd's wall clock is wrong.",
    );
    section.note(
        "Printers: simulated ones that remember their jobs, forget all and number from 1, forget and go on numbering, take \
         several documents for one job, take a job only with its document; Debian's ippeveprinter (forgets all); Debian's \
         cupsd as the printer (keeps its power).",
    );
    section.note(
        "*unknown*: an officer was asked to look into the tray; *excused*: of these where the printer had lost its power \
         meanwhile, or takes a job only with its document. *lost*: no sheet, and the client holds nothing more. *double*: sheets beyond the first. *stuck*: the client \
         holds the document and does nothing more about it.",
    );
    section.note(
        "Peer: `lp` through cupsd, a queue without filters, all its settings Debian's. It may write what it accepted to disk \
         30 s later (DirtyCleanInterval, as Debian leaves it).",
    );
    Ok(section)
}
