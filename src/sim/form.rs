//! Forms as HTTP clients send files in them.

use bytes::Bytes;
use http::{HeaderMap, header};

/// One field.
pub(super) struct Field {
    pub(super) name: String,
    /// The name of its file, where it is one.
    #[allow(dead_code, reason = "not every kind asks for it")]
    pub(super) file: Option<String>,
    pub(super) bytes: Bytes,
}

/// The fields of a body; `None` where it is no form.
pub(super) fn of(headers: &HeaderMap, body: &Bytes) -> Option<Vec<Field>> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (_, boundary) = kind.strip_prefix("multipart/form-data")?.split_once("boundary=")?;
    Some(multipart(body, boundary.trim_matches('"')))
}

fn multipart(body: &Bytes, boundary: &str) -> Vec<Field> {
    let mark = format!("--{boundary}").into_bytes();
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = find(&body[at..], &mark) {
        starts.push(at + found);
        at += found + mark.len();
    }
    starts.windows(2).filter_map(|pair| field(body.slice(pair[0] + mark.len()..pair[1]))).collect()
}

/// One field: line break, head, empty line, bytes, line break.
fn field(part: Bytes) -> Option<Field> {
    let end = find(&part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..end]).into_owned();
    let bytes = part.slice(end + 4..part.len().checked_sub(2)?);
    let quoted = |key: &str| {
        let from = head.find(&format!("; {key}=\""))? + key.len() + 4;
        let length = head[from..].find('"')?;
        Some(head[from..from + length].to_owned())
    };
    Some(Field { name: quoted("name")?, file: quoted("filename"), bytes })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_its_fields_and_the_bytes_of_its_file() {
        let body = Bytes::from_static(
            b"--X\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\ntemp\r\n--X\r\nContent-Disposition: \
              form-data; name=\"image\"; filename=\"a b.png\"\r\nContent-Type: image/png\r\n\r\n\r\n\x00--\r\n--X--\r\n",
        );
        let fields = multipart(&body, "X");
        assert_eq!(fields[0].bytes, "temp");
        assert_eq!((fields[1].name.as_str(), fields[1].file.as_deref()), ("image", Some("a b.png")));
        assert_eq!(&fields[1].bytes[..], b"\r\n\x00--");
    }
}
