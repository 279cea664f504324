//! Kills before printers of every character, with printers that lose their power and connections that are reset.
//!
//! A test run makes a few of them; `cargo xtask crash --kills N` as many as are asked for.

use anyhow::Context as _;
use loket_tests::matrix::{Character, Matrix};
use loket_tests::seed::Seeded;

/// Names how many kills each printer shall see.
const KILLS_VARIABLE: &str = "LOKET_KILLS";

/// Of a test run: some four documents.
const KILLS_OF_A_TEST_RUN: u64 = 10;

async fn before(character: Character, usual_seed: u64) -> anyhow::Result<()> {
    let kills = match std::env::var(KILLS_VARIABLE) {
        Ok(text) => text
            .parse()
            .with_context(|| format!("read {KILLS_VARIABLE}={text}"))?,
        Err(_unset) => KILLS_OF_A_TEST_RUN,
    };
    let seeded = Seeded::new(usual_seed)?;
    let name = seeded.name();
    let mut matrix = Matrix::start(character, seeded).await?;
    matrix.run(kills).await.context(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_printer_that_remembers_each_document_is_one_sheet() -> anyhow::Result<()> {
    before(Character::Remembers, 20_261_201).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_printer_that_forgets_all_each_document_is_one_sheet_or_a_question()
-> anyhow::Result<()> {
    before(Character::ForgetsAll, 20_261_202).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_printer_that_forgets_and_goes_on_numbering_each_document_is_one_sheet_or_a_question()
-> anyhow::Result<()> {
    before(Character::ForgetsButNumbers, 20_261_203).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_printer_that_takes_several_documents_each_is_one_sheet() -> anyhow::Result<()> {
    before(Character::TakesSeveral, 20_261_204).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_printer_that_takes_jobs_only_with_documents_each_is_one_sheet_or_a_question()
-> anyhow::Result<()> {
    before(Character::TakesWhole, 20_261_207).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_ippeveprinter_each_document_is_one_sheet_or_a_question() -> anyhow::Result<()> {
    before(Character::Ippeveprinter, 20_261_205).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_cupsd_as_a_printer_each_document_is_one_sheet() -> anyhow::Result<()> {
    before(Character::Cupsd, 20_261_206).await
}
