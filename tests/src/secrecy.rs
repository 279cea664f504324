//! Looks for what must stand nowhere in clear: plainly, and inside base64 inside JSON however deep.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use data_encoding::BASE64;

/// Frame, envelope and a text inside: three layers, and one to spare.
const MAX_DEPTH: u32 = 4;

/// The canaries: every NIK, KK number and name of the fixtures.
///
/// # Errors
/// When the list cannot be read or is empty.
pub fn canaries() -> anyhow::Result<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/canaries.txt");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    anyhow::ensure!(
        lines.len() > 5,
        "the list of canaries is too short to prove anything"
    );
    Ok(lines)
}

/// Which of `canaries` stand in `bytes`, however wrapped.
#[must_use]
pub fn found_in<'a>(bytes: &[u8], canaries: &'a [String]) -> Vec<&'a str> {
    let layers = layers(bytes, MAX_DEPTH);
    let stands = |canary: &&String| {
        layers
            .iter()
            .any(|layer| contains(layer, canary.as_bytes()))
    };
    canaries.iter().filter(stands).map(String::as_str).collect()
}

/// The bytes themselves and everything that their lines' JSON texts hold as base64, again and again.
fn layers(bytes: &[u8], depth: u32) -> Vec<Vec<u8>> {
    let mut all = vec![bytes.to_vec()];
    if depth == 0 {
        return all;
    }
    let whole = serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let lines = bytes.split(|byte| *byte == b'\n');
    let by_line = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    for value in whole.into_iter().chain(by_line) {
        for text in texts(&value) {
            if let Ok(inner) = BASE64.decode(text.as_bytes())
                && inner.len() > 8
            {
                all.extend(layers(&inner, depth - 1));
            }
        }
    }
    all
}

fn texts(value: &serde_json::Value) -> Vec<&str> {
    match value {
        serde_json::Value::String(text) => vec![text],
        serde_json::Value::Array(items) => items.iter().flat_map(texts).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(texts).collect(),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            Vec::new()
        }
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// Every file under `dir` in which a canary stands, but not under a path that has one of `outside` in it.
///
/// # Errors
/// When a folder cannot be read; a file that vanishes meanwhile is none.
pub fn files_with(
    dir: &Path,
    outside: &[&str],
    canaries: &[String],
) -> anyhow::Result<Vec<PathBuf>> {
    let mut caught = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?
        {
            let path = entry?.path();
            let name = path
                .strip_prefix(dir)
                .unwrap_or(&path)
                .display()
                .to_string();
            if outside.iter().any(|part| name.contains(part)) {
                continue;
            }
            let names_one = canaries.iter().any(|canary| name.contains(canary.as_str()));
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && (names_one || !found_in(&bytes, canaries).is_empty())
            {
                caught.push(path);
            }
        }
    }
    Ok(caught)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_however_deep() {
        let canaries = vec!["SITI".to_owned()];
        let inner = serde_json::json!({ "label": "KK SITI" }).to_string();
        let envelope = serde_json::json!({ "ct": BASE64.encode(inner.as_bytes()) }).to_string();
        let frame = serde_json::json!({ "v": 1, "body": BASE64.encode(envelope.as_bytes()) });
        assert_eq!(
            found_in(format!("topic\n{frame}\n").as_bytes(), &canaries),
            ["SITI"]
        );
        assert!(found_in(b"nothing", &canaries).is_empty());
    }
}
