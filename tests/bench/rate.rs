//! How many of all, and between which bounds that lies.

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "what is counted is far below 2^52"
)]
const fn number(count: usize) -> f64 {
    count as f64
}

/// Of all, in per cent.
pub(crate) fn rate(count: usize, all: usize) -> f64 {
    100.0 * number(count) / number(all.max(1))
}

/// A rate with its bounds, by Wilson's score at 95 %.
pub(crate) fn told(count: usize, all: usize) -> String {
    const Z: f64 = 1.96;
    let (n, share) = (number(all.max(1)), number(count) / number(all.max(1)));
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    let (low, high) = ((middle - half) / whole, (middle + half) / whole);
    format!(
        "{:.1} % ({count} of {all}; {:.1} to {:.1} %)",
        rate(count, all),
        100.0 * low.max(0.0),
        100.0 * high.min(1.0)
    )
}
