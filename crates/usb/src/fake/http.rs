//! Just enough of HTTP for a device in memory; written apart from what the crate itself reads with, so that one judges
//! the other.

/// True where `bytes` are one whole request, by its Content-Length or its last chunk.
#[must_use]
pub fn whole_request(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let body_bytes = bytes.len().saturating_sub(head.len().saturating_add(4));
    let mut length = 0_usize;
    for line in head.lines() {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(usize::MAX);
        }
        if lower.starts_with("transfer-encoding:") {
            return bytes.ends_with(b"\r\n0\r\n\r\n");
        }
    }
    body_bytes >= length
}

/// An answer with status 200 and this body.
#[must_use]
pub fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}
