//! A dictionary's file: its encoding, its rows.

use std::borrow::Cow;
use std::path::Path;

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};

use super::Broken;
use crate::error::Error;

/// The largest file that is read, in bytes: far beyond any dictionary, so that a wrong file does
/// not fill the memory.
const MAX_BYTES: u64 = 1 << 30;

/// A file in memory, decoded.
pub(super) struct File {
    pub path: String,
    pub encoding: &'static str,
    text: String,
}

/// A row's cells.
pub(super) struct Row<'f> {
    cells: Vec<Cow<'f, str>>,
}

impl Row<'_> {
    /// A cell without the white space around it; empty where the row is too short.
    pub fn get(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", |cell| cell.trim())
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| cell.trim())
    }
}

impl File {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io_error = |reason: String| Error::Io {
            path: path.to_owned(),
            reason,
        };
        let size = std::fs::metadata(path)
            .map_err(|error| io_error(error.to_string()))?
            .len();
        if size > MAX_BYTES {
            return Err(io_error(format!(
                "{size} bytes; a dictionary may have at most {MAX_BYTES}: split it"
            )));
        }
        let bytes = std::fs::read(path).map_err(|error| io_error(error.to_string()))?;
        let Some((text, encoding)) = decode(bytes) else {
            return Err(io_error(
                "neither UTF-8 nor a Japanese encoding; convert it first, e.g. `iconv -f CP932 -t UTF-8`".into(),
            ));
        };
        Ok(File {
            path: path.display().to_string(),
            encoding: encoding.name(),
            text,
        })
    }

    /// The file's name without its folder.
    pub fn name(&self) -> &str {
        self.path.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    pub fn error(&self, line: usize, broken: Broken) -> Error {
        Error::Dictionary {
            file: self.path.clone(),
            line,
            value: broken.value,
            reason: broken.reason,
        }
    }

    /// The first line that is not empty, split.
    pub fn header(&self, delimiter: char) -> Option<Row<'_>> {
        self.rows(delimiter).find_map(|(_, row)| row.ok())
    }

    /// Tab or comma: what the first line has more of.
    pub fn delimiter(&self) -> char {
        let line = self.lines().next().map_or("", |(_, line)| line);
        if line.matches('\t').count() >= line.matches(',').count().max(1) {
            '\t'
        } else {
            ','
        }
    }

    /// The rows with their lines, from 1; empty lines are none. A row is a line: a quote that is
    /// left open breaks its own row and no other.
    pub fn rows(&self, delimiter: char) -> impl Iterator<Item = (usize, Result<Row<'_>, Broken>)> {
        self.lines().map(move |(line, text)| (line, split(text, delimiter)))
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(index, text)| (index + 1, text))
    }
}

fn split(line: &str, delimiter: char) -> Result<Row<'_>, Broken> {
    if line.contains('\u{fffd}') {
        let start: String = line.chars().take(40).collect();
        return Err(Broken::new(
            &start,
            "bytes that are no text in the file's encoding; save it as UTF-8",
        ));
    }
    // TSV has no quotes. Of CSV, only few rows have any.
    if delimiter == '\t' || !line.contains('"') {
        let cells = line.split(delimiter).map(Cow::Borrowed).collect();
        return Ok(Row { cells });
    }
    let start = || line.chars().take(40).collect::<String>();
    if line.matches('"').count() % 2 == 1 {
        return Err(Broken::new(&start(), "a quote is left open; close it"));
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 10)
        .from_reader(line.as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => Ok(Row {
            cells: record.iter().map(|cell| Cow::Owned(cell.to_owned())).collect(),
        }),
        _ => Err(Broken::new(&start(), "no CSV row; correct its quotes")),
    }
}

/// The text and the encoding that it was in; `None` for what is no Japanese text. Bytes that the
/// encoding does not have become U+FFFD, which breaks their rows only.
fn decode(bytes: Vec<u8>) -> Option<(String, &'static Encoding)> {
    if let Some((encoding, length)) = Encoding::for_bom(&bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[length..]);
        return Some((text.into_owned(), encoding));
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Some((text, UTF_8)),
        Err(error) => error.into_bytes(),
    };
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(&bytes, true);
    let guess = detector.guess(Some(b"jp"), chardetng::Utf8Detection::Allow);
    // Few rows can look like anything: then what Japanese dictionaries are in stands.
    let encoding = if [SHIFT_JIS, EUC_JP, ISO_2022_JP, UTF_8].contains(&guess) {
        guess
    } else {
        SHIFT_JIS
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(&bytes);
    let lost = text.chars().filter(|&c| c == '\u{fffd}').count();
    // A few broken rows are named one by one; a file of them is another kind of file.
    (!has_errors || lost * 20 <= text.chars().count()).then(|| (text.into_owned(), encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told() {
        let text = "出現形,ICD10\nうっ血性心不全,I500\n急性心筋梗塞,I219\n";
        for encoding in [UTF_8, SHIFT_JIS, EUC_JP] {
            let (bytes, _, _) = encoding.encode(text);
            assert_eq!(
                decode(bytes.into_owned()).map(|(text, encoding)| (text, encoding.name())),
                Some((text.to_owned(), encoding.name()))
            );
        }
        let with_bom = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        assert_eq!(decode(with_bom).map(|(text, _)| text).as_deref(), Some(text));
        let noise: Vec<u8> = (0..4000u32).map(|i| (i * 7919 % 251) as u8).collect();
        assert!(decode(noise).is_none());
    }

    #[test]
    fn quotes_break_their_own_row_only() {
        let cells = |line: &str| {
            let cells = split(line, ',').map(|row| row.cells().map(str::to_owned).collect::<Vec<_>>());
            cells.map_err(|broken| broken.reason).unwrap_or_default()
        };
        assert_eq!(cells("a, b ,c"), ["a", "b", "c"]);
        assert_eq!(
            cells("\"1,25-(OH)2D\",\"い\"\"ろ\"\"は\""),
            ["1,25-(OH)2D", "い\"ろ\"は"]
        );
        assert!(split("\"a,b", ',').is_err());
        assert_eq!(split("\"a\tb", '\t').ok().map(|row| row.len()), Some(2));
    }
}
