//! Encodings: text that is no UTF-8 becomes UTF-8 while it is read, so that nobody behind has to know.
//!
//! Offsets and line numbers are those of the decoded text; an input that is read again is decoded again and gives the same.

use crate::binary::without_runs;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

const BUFFER: usize = 64 * 1024;

/// How the text of a source is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charset {
    /// The encoding; `None` for UTF-8.
    encoding: Option<&'static Encoding>,
    /// Lines end in a lone carriage return, as on old Macs.
    returns: bool,
}

impl Charset {
    /// The encoding's name by the WHATWG's list, where it is not UTF-8.
    pub fn name(&self) -> Option<&'static str> {
        self.encoding.map(Encoding::name)
    }
}

/// What the user says of encodings: which, and for which paths.
#[derive(Clone, Debug)]
pub struct Told {
    encoding: &'static Encoding,
    pattern: Option<String>,
}

impl Told {
    /// `None` when nobody knows an encoding of this name. Names are those of the WHATWG's list (`windows-1252`, `latin1`,
    /// `gb18030`, `shift_jis`, `utf-16le`, ...). With a pattern it holds for these paths whatever they look like; without
    /// one, for every input that is not plainly something else.
    pub fn new(name: &str, pattern: Option<&str>) -> Option<Told> {
        Some(Told { encoding: Encoding::for_label(name.as_bytes())?, pattern: pattern.map(str::to_string) })
    }

    /// The encoding's name by the WHATWG's list.
    pub fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// The paths for which it was told, where it is not for all.
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }
}

/// Finds the encoding of a source by its first bytes and by what was told.
pub fn charset(path: &str, head: &[u8], told: &[Told]) -> Charset {
    let encoding = encoding(path, head, told).filter(|e| *e != UTF_8);
    let returns = match encoding {
        Some(e) if e == UTF_16LE || e == UTF_16BE => false,
        _ => memchr::memchr(b'\n', head).is_none() && memchr::memchr_iter(b'\r', head).count() >= 2 && !binary(head),
    };
    Charset { encoding, returns }
}

fn encoding(path: &str, head: &[u8], told: &[Told]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Some(encoding);
    }
    if let Some(by_path) = told.iter().find(|t| t.pattern.as_deref().is_some_and(|p| crate::reading::glob(p, path))) {
        return Some(by_path.encoding);
    }
    let text = without_runs(head);
    if let Some(wide) = wide(&text) {
        return Some(wide);
    }
    let (good, bad) = sequences(&text);
    let plain = bad == 0 && good > 0;
    if let Some(all) = told.iter().find(|t| t.pattern.is_none() && !plain && t.encoding.is_ascii_compatible()) {
        return Some(all.encoding);
    }
    if bad <= good || binary(&text) { None } else { guess(&text) }
}

fn binary(head: &[u8]) -> bool {
    crate::binary::controls(head)
}

/// UTF-16 without a mark: the blanks, digits and line ends that every log has make every other byte of many pairs zero.
fn wide(text: &[u8]) -> Option<&'static Encoding> {
    let pairs = text.len() / 2;
    if pairs < 8 {
        return None;
    }
    let zeros = |first: usize| text.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
    let (high_first, low_first) = (zeros(0), zeros(1));
    let encoding = match (high_first, low_first) {
        (a, b) if b * 8 >= pairs && a * 20 <= b => UTF_16LE,
        (a, b) if a * 8 >= pairs && b * 20 <= a => UTF_16BE,
        _ => return None,
    };
    // Halves of characters that stand alone are no text.
    let even = &text[..(text.len() & !1).saturating_sub(2)];
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(even)?;
    (!binary(decoded.as_bytes())).then_some(encoding)
}

/// How many characters beyond ASCII are well written in UTF-8, and how many bytes belong to none.
fn sequences(text: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for chunk in text.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += chunk.invalid().len();
    }
    // The head may end in the middle of a character.
    let cut = text.utf8_chunks().last().map_or(0, |last| last.invalid().len());
    (good, bad - if text.len() >= 1024 { cut } else { 0 })
}

/// Encodings that are taken where they are guessed; others are too much alike.
const GUESSED: &[&str] = &["windows-1252", "GBK", "gb18030", "Shift_JIS", "EUC-JP", "EUC-KR", "Big5", "windows-1251", "KOI8-R", "KOI8-U"];
/// So few bytes are no ground for a guess.
const LEAST: usize = 3;

/// The encoding of a text that is no UTF-8, where it is sure.
fn guess(text: &[u8]) -> Option<&'static Encoding> {
    // Whole lines: a character that the end of the head cuts is no sign of anything.
    let text = match memchr::memrchr(b'\n', text) {
        Some(end) if text.len() >= 1024 => &text[..end],
        _ => text,
    };
    let beyond = text.iter().filter(|b| **b >= 0x80).count();
    let lines = text.split(|b| *b == b'\n').filter(|l| !l.is_ascii()).count();
    if beyond < LEAST {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(text, true);
    let found = detector.guess(None, Utf8Detection::Deny);
    let found = if found.name() == "GBK" { encoding_rs::GB18030 } else { found };
    if !GUESSED.contains(&found.name()) {
        return None;
    }
    let decoded = found.decode_without_bom_handling_and_without_replacement(text)?;
    let letters = decoded.chars().filter(|c| !c.is_ascii() && (c.is_alphabetic() || "«»°§µ€“”„‘’–—…·×、。，：（）！".contains(*c))).count();
    let others = decoded.chars().filter(|c| !c.is_ascii()).count();
    let enough = if found.is_single_byte() { lines >= 2 } else { beyond >= 4 };
    (enough && letters * 10 >= others * 9).then_some(found)
}

/// The text of a stream in UTF-8, without a mark at its beginning.
pub fn decode<'a, R: Read + 'a>(reader: R, charset: &Charset) -> Decoding<R> {
    let marked = charset.encoding.unwrap_or(UTF_8);
    Decoding {
        reader,
        decoder: charset.encoding.map(|_| marked.new_decoder_with_bom_removal()),
        returns: charset.returns,
        started: false,
        ended: false,
        input: Vec::new(),
        output: Vec::new(),
        at: 0,
    }
}

/// See [`decode`].
pub struct Decoding<R> {
    reader: R,
    decoder: Option<Decoder>,
    returns: bool,
    started: bool,
    ended: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    at: usize,
}

impl<R: Read> Decoding<R> {
    fn ready(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.output.get(self.at..).map_or(Ok(0), |mut rest| rest.read(into))?;
        self.at += n;
        Ok(n)
    }

    /// The beginning, where a mark may stand.
    fn start(&mut self) -> io::Result<()> {
        self.output.clear();
        self.at = 0;
        while self.output.len() < 3 {
            let mut byte = [0; 3];
            let want = 3 - self.output.len();
            match self.reader.read(&mut byte[..want]) {
                Ok(0) => break,
                Ok(n) => self.output.extend_from_slice(&byte[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was read is given before the error, which comes again.
                Err(_) if !self.output.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        if self.output.starts_with(b"\xef\xbb\xbf") {
            self.output.clear();
        }
        self.started = true;
        Ok(())
    }

    /// Decodes the next piece.
    fn step(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        self.output.clear();
        self.at = 0;
        self.input.resize(BUFFER, 0);
        let n = match self.reader.read(&mut self.input) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        self.ended = n == 0;
        let mut from = 0;
        loop {
            let need = decoder.max_utf8_buffer_length(n - from).unwrap_or(4 * BUFFER);
            let have = self.output.len();
            self.output.resize(have + need, 0);
            let (result, read, written, _) = decoder.decode_to_utf8(&self.input[from..n], &mut self.output[have..], self.ended);
            self.output.truncate(have + written);
            from += read;
            if result == CoderResult::InputEmpty {
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if self.decoder.is_none() && !self.started {
                self.start()?;
            }
            let mut n = self.ready(into)?;
            if n == 0 && self.decoder.is_none() {
                n = self.reader.read(into)?;
                if n == 0 {
                    return Ok(0);
                }
            }
            if n > 0 {
                if self.returns {
                    into[..n].iter_mut().filter(|b| **b == b'\r').for_each(|b| *b = b'\n');
                }
                return Ok(n);
            }
            if self.ended {
                return Ok(0);
            }
            self.step()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time, so that every character is cut somewhere.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(1);
            self.0.read(&mut into[..most])
        }
    }

    fn read(bytes: &[u8], told: &[Told]) -> (Option<&'static str>, String) {
        let charset = charset("logs/app.log", bytes, told);
        let (mut text, mut again) = (Vec::new(), Vec::new());
        decode(Drops(bytes), &charset).read_to_end(&mut text).unwrap();
        decode(bytes, &charset).read_to_end(&mut again).unwrap();
        assert_eq!(text, again);
        (charset.name(), String::from_utf8_lossy(&text).into_owned())
    }

    fn written(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        match encoding.name() {
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => encoding.encode(text).0.into_owned(),
        }
    }

    const GERMAN: &str = "2026-11-20 20:31:07 ERROR Verbindung zum Server für Aufträge verweigert\n\
        2026-11-20 20:31:08 WARN  Gerät nicht verfügbar, nächster Versuch in 5 s\n";
    const CHINESE: &str = "2026-11-20 20:31:07 ERROR 数据库连接被拒绝\n2026-11-20 20:31:08 WARN 磁盘空间不足，请检查\n";
    const JAPANESE: &str =
        "2026-11-20 20:31:07 ERROR データベースに接続できません\n2026-11-20 20:31:08 WARN ディスクの空き容量が不足しています\n";

    #[test]
    fn encodings_are_found_by_their_text() {
        for (text, encoding) in [
            (GERMAN, encoding_rs::WINDOWS_1252),
            (CHINESE, encoding_rs::GB18030),
            (JAPANESE, encoding_rs::SHIFT_JIS),
            (GERMAN, UTF_16LE),
            (GERMAN, UTF_16BE),
            (CHINESE, UTF_16LE),
            (JAPANESE, UTF_16BE),
        ] {
            assert_eq!(read(&written(text, encoding), &[]), (Some(encoding.name()), text.to_string()));
        }
        for text in [GERMAN, CHINESE, JAPANESE, "", "\n", "plain\n"] {
            assert_eq!(read(text.as_bytes(), &[]), (None, text.to_string()));
        }
    }

    #[test]
    fn marks_are_no_text() {
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        assert_eq!(read(&marked(b"\xef\xbb\xbf", b"one\n".to_vec()), &[]), (None, "one\n".into()));
        assert_eq!(read(&marked(b"\xff\xfe", written("one\n", UTF_16LE)), &[]), (Some("UTF-16LE"), "one\n".into()));
        assert_eq!(read(&marked(b"\xfe\xff", written("one\n", UTF_16BE)), &[]), (Some("UTF-16BE"), "one\n".into()));
        for alone in [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"] {
            assert_eq!(read(alone, &[]).1, "");
        }
        assert_eq!(read(b"\xef\xbb", &[]).1, "\u{fffd}");
    }

    #[test]
    fn a_few_broken_bytes_are_no_other_encoding() {
        let charset_of = |bytes: &[u8]| charset("x", bytes, &[]).name();
        assert_eq!(charset_of(b"2026-11-21T10:00:00Z INFO caf\xe9 \xff\n"), None);
        let mut broken = GERMAN.as_bytes().to_vec();
        broken.extend(b"torn \xe4\xff\n");
        assert_eq!(charset_of(&broken), None);
        let noise: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(charset_of(&noise), None);
        let mut torn = b"2026-11-21T10:00:00Z INFO one\n".to_vec();
        torn.extend([0; 4096]);
        torn.extend(b"2026-11-21T10:00:00Z INFO two\n");
        assert_eq!(charset_of(&torn), None);
    }

    #[test]
    fn what_is_told_overrules() {
        let told = |name, pattern| [Told::new(name, pattern).unwrap()];
        let short = written("ü\n", encoding_rs::WINDOWS_1252);
        assert_eq!(read(&short, &[]).0, None);
        assert_eq!(read(&short, &told("latin1", None)), (Some("windows-1252"), "ü\n".into()));
        assert_eq!(read(GERMAN.as_bytes(), &told("latin1", None)).0, None, "plainly UTF-8");
        assert_eq!(read(GERMAN.as_bytes(), &told("latin1", Some("*.txt"))).0, None);
        assert_eq!(read(GERMAN.as_bytes(), &told("latin1", Some("*.log"))).0, Some("windows-1252"));
        assert!(Told::new("klingon", None).is_none());
    }

    #[test]
    fn lone_returns_end_lines() {
        assert_eq!(read(b"one\rtwo\rthree", &[]).1, "one\ntwo\nthree");
        assert_eq!(read(b"one\r\ntwo\r\n", &[]).1, "one\r\ntwo\r\n");
        assert_eq!(read(b" 10%\r 20%\r 30%\ndone\n", &[]).1, " 10%\r 20%\r 30%\ndone\n");
    }
}
