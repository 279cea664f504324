//! What holds and where it came from: each effective value with its origin.

/// Writes each value of `effective` as a line, with whether `file` gives it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every value that is no table is written as it is"
)]
pub(super) fn explain_table(
    lines: &mut String,
    prefix: &str,
    effective: &toml::Table,
    file: Option<&toml::Table>,
) {
    for (key, value) in effective {
        let given = file.and_then(|table| table.get(key));
        match value {
            toml::Value::Table(inner) => {
                let file = given.and_then(toml::Value::as_table);
                explain_table(lines, &format!("{prefix}{key}."), inner, file);
            }
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                for (at, item) in items.iter().enumerate() {
                    let file = given
                        .and_then(|array| array.get(at))
                        .and_then(toml::Value::as_table);
                    let inner = item.as_table().cloned().unwrap_or_default();
                    explain_table(lines, &format!("{prefix}{key}[{at}]."), &inner, file);
                }
            }
            plain => {
                let origin = if given.is_some() { "file" } else { "default" };
                lines.push_str(&format!("{prefix}{key} = {plain}  # {origin}\n"));
            }
        }
    }
}
