//! Files, SQLite and cryptography off the async threads.

/// Runs blocking work off the async threads; `None` when it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            // Its text is that of the panic, which may be the document's.
            let is_panic = error.is_panic();
            tracing::error!(is_panic, "blocking work ended without an answer");
            None
        }
    }
}
