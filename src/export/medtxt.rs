//! MedTxt (PRISM) XML: the report with flat inline tags, and its reader.
//!
//! Without its tags an article is the report, character by character. Characters that XML cannot
//! hold become U+FFFD, one for one, so that offsets in code points stay.
//!
//! The spans follow that guideline's habits, which differ from this crate's mentions: the longest
//! noun phrase is one `d`, and so are coordinated diseases of one certainty (発熱と咳嗽), a disease
//! with what it is said to come with or from (脳梗塞による片麻痺), and a test with the word for its
//! direction (CRPの上昇).

use std::path::Path;
use std::sync::LazyLock;

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer, XmlVersion};
use regex::Regex;

use crate::error::Error;
use crate::types::{Aspect, Case, Experiencer, Mention, MentionKind, Norm, Raw, Span, Status};

/// The tags of the guideline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `d`: disease, symptom or finding; with a certainty.
    Disease,
    /// `a`: body site.
    Anatomy,
    /// `f`: feature.
    Feature,
    /// `c`: change.
    Change,
    /// `t-test`: examination; with a state.
    Test,
    /// `t-key`: item of a test.
    TestKey,
    /// `t-val`: its value.
    TestValue,
    /// `m-key`: drug; with a state.
    MedicineKey,
    /// `m-val`: its dose.
    MedicineValue,
    /// `r`: remedy; with a state.
    Remedy,
    /// `cc`: clinical context; with a state.
    ClinicalContext,
    /// `p`: pending.
    Pending,
    /// `timex3`: time; with a type.
    Time,
}

impl Tag {
    const ALL: [Tag; 13] = [
        Tag::Disease,
        Tag::Anatomy,
        Tag::Feature,
        Tag::Change,
        Tag::Test,
        Tag::TestKey,
        Tag::TestValue,
        Tag::MedicineKey,
        Tag::MedicineValue,
        Tag::Remedy,
        Tag::ClinicalContext,
        Tag::Pending,
        Tag::Time,
    ];

    /// Its name in XML.
    pub const fn name(self) -> &'static str {
        match self {
            Tag::Disease => "d",
            Tag::Anatomy => "a",
            Tag::Feature => "f",
            Tag::Change => "c",
            Tag::Test => "t-test",
            Tag::TestKey => "t-key",
            Tag::TestValue => "t-val",
            Tag::MedicineKey => "m-key",
            Tag::MedicineValue => "m-val",
            Tag::Remedy => "r",
            Tag::ClinicalContext => "cc",
            Tag::Pending => "p",
            Tag::Time => "timex3",
        }
    }

    /// The attribute that it carries, if it carries one.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Tag::Disease => Some("certainty"),
            Tag::Time => Some("type"),
            Tag::Test | Tag::TestKey | Tag::MedicineKey | Tag::MedicineValue | Tag::Remedy | Tag::ClinicalContext => {
                Some("state")
            }
            Tag::Anatomy | Tag::Feature | Tag::Change | Tag::TestValue | Tag::Pending => None,
        }
    }

    /// The tag of this name, in capitals or not.
    pub fn from_name(name: &str) -> Option<Self> {
        Tag::ALL.into_iter().find(|tag| tag.name().eq_ignore_ascii_case(name))
    }

    /// The tag of a kind of mention.
    pub const fn of(kind: MentionKind) -> Self {
        match kind {
            MentionKind::Disease | MentionKind::Finding => Tag::Disease,
            MentionKind::Site => Tag::Anatomy,
            MentionKind::Exam => Tag::Test,
            MentionKind::TestItem => Tag::TestKey,
            MentionKind::TestValue => Tag::TestValue,
            MentionKind::Drug => Tag::MedicineKey,
            MentionKind::Dose => Tag::MedicineValue,
            MentionKind::Treatment => Tag::Remedy,
            MentionKind::Time => Tag::Time,
            MentionKind::Change => Tag::Change,
            MentionKind::Feature => Tag::Feature,
            MentionKind::Context => Tag::ClinicalContext,
        }
    }
}

/// A tagged span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its bytes in the article's text.
    pub span: Span<Raw>,
    /// What it is.
    pub tag: Tag,
    /// The value of its tag's attribute, in small letters: `positive`, `executed`, `date`.
    pub attribute: Option<String>,
}

/// A report with its tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Article {
    /// Its id.
    pub id: String,
    /// The report.
    pub text: String,
    /// What is tagged, in reading order, none within another.
    pub entities: Vec<Entity>,
}

impl Article {
    /// The case's report, tagged by the guideline's habits. O(mentions).
    pub fn of(case: &Case) -> Self {
        let mut text = String::with_capacity(case.text.raw().len());
        // An attribute holds one line; the text holds what XML can.
        let raw = case.text.raw();
        let mut entities = Vec::new();
        let mut end = 0;
        for phrase in phrases(case) {
            // One sign of the report may be several characters of the normalised text, in two mentions.
            if phrase.span.start >= end && !phrase.span.is_empty() {
                end = phrase.span.end;
                entities.push(phrase);
            }
        }
        // Replacing changes bytes, so that spans are counted anew.
        let mut at = 0;
        for entity in &mut entities {
            push_valid(&mut text, &raw[at..entity.span.start]);
            let start = text.len();
            push_valid(&mut text, entity.span.slice(raw));
            at = entity.span.end;
            entity.span = Span::new(start, text.len());
        }
        push_valid(&mut text, &raw[at..]);
        Article {
            id: case.id.clone(),
            text,
            entities,
        }
    }

    /// The strings of the diseases, symptoms and findings that the patient has: what MedTxt scores
    /// are counted on. In reading order, repetitions included.
    pub fn positive_diseases(&self) -> Vec<&str> {
        self.entities
            .iter()
            .filter(|entity| entity.tag == Tag::Disease && entity.attribute.as_deref() == Some("positive"))
            .map(|entity| entity.span.slice(&self.text))
            .collect()
    }

    /// The article as XML, one `<article>` element and a line break. Entities out of order or
    /// within another are left out.
    ///
    /// # Errors
    /// Never in practice: it writes into memory.
    pub fn to_xml(&self) -> std::io::Result<String> {
        let mut writer = Writer::new(Vec::new());
        let id = one_line(&self.id);
        writer.write_event(Event::Start(
            BytesStart::new("article").with_attributes([("id", id.as_str()), ("title", "")]),
        ))?;
        let mut at = 0;
        for entity in &self.entities {
            if entity.span.start < at || entity.span.end > self.text.len() {
                continue;
            }
            write_text(&mut writer, &self.text[at..entity.span.start])?;
            let mut start = BytesStart::new(entity.tag.name());
            if let (Some(name), Some(value)) = (entity.tag.attribute(), &entity.attribute) {
                start.push_attribute((name, value.as_str()));
            }
            writer.write_event(Event::Start(start))?;
            write_text(&mut writer, entity.span.slice(&self.text))?;
            writer.write_event(Event::End(BytesEnd::new(entity.tag.name())))?;
            at = entity.span.end;
        }
        write_text(&mut writer, &self.text[at..])?;
        writer.write_event(Event::End(BytesEnd::new("article")))?;
        let mut xml = String::from_utf8_lossy(&writer.into_inner()).into_owned();
        xml.push('\n');
        Ok(xml)
    }
}

/// What stands before the articles of a file.
///
/// # Errors
/// Never in practice: it writes into memory.
pub fn header() -> std::io::Result<String> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    write_text(&mut writer, "\n")?;
    writer.write_event(Event::Start(BytesStart::new("root")))?;
    writer.write_event(Event::Start(BytesStart::new("metadata")))?;
    for (name, value) in [
        ("name", "shorei"),
        ("language", "ja"),
        ("creator", "shorei"),
        ("version", env!("CARGO_PKG_VERSION")),
    ] {
        writer.create_element(name).write_text_content(BytesText::new(value))?;
    }
    writer.write_event(Event::End(BytesEnd::new("metadata")))?;
    write_text(&mut writer, "\n")?;
    writer.write_event(Event::Start(BytesStart::new("articles")))?;
    write_text(&mut writer, "\n")?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
}

/// What stands after them.
pub const FOOTER: &str = "</articles></root>\n";

/// The case as a whole file.
///
/// # Errors
/// Never in practice: it writes into memory.
pub fn to_medtxt(case: &Case) -> std::io::Result<String> {
    Ok(header()? + &Article::of(case).to_xml()? + FOOTER)
}

/// Reads a file of articles. Tags that are not the guideline's, and relations, are passed over;
/// their text counts.
///
/// # Errors
/// [`Error::Io`] and [`Error::NotUtf8`] for the file; [`Error::Record`] with its line for what is
/// no XML, and for an article without an id.
pub fn read(path: &Path) -> Result<Vec<Article>, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::Io {
        path: path.to_owned(),
        reason: format!("{error}; check that it exists and may be read"),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })?;
    parse(&text, &path.display().to_string())
}

/// As [`read`], from a text; `file` names it in errors.
///
/// # Errors
/// [`Error::Record`], as [`read`].
pub fn parse(xml: &str, file: &str) -> Result<Vec<Article>, Error> {
    let mut reader = Reader::from_str(xml);
    let mut articles = Vec::new();
    let mut current: Option<Article> = None;
    // Open entities; tags should be flat, but may not be.
    let mut open: Vec<(Tag, Option<String>, usize)> = Vec::new();
    loop {
        let fail = |reader: &Reader<&[u8]>, reason: String| Error::Record {
            file: file.to_owned(),
            line: line_at(xml, reader.error_position().max(reader.buffer_position())),
            reason,
        };
        let event = reader
            .read_event()
            .map_err(|error| fail(&reader, format!("not XML ({error}); MedTxt files are XML 1.0 in UTF-8")))?;
        match event {
            Event::Eof => break,
            Event::Start(start) if start.name().as_ref().eq_ignore_ascii_case("article") => {
                let id = attribute(&start, "id")
                    .map_err(|reason| fail(&reader, reason))?
                    .ok_or_else(|| fail(&reader, "an <article> without `id`; give it the report's id".into()))?;
                current = Some(Article {
                    id,
                    ..Article::default()
                });
                open.clear();
            }
            Event::End(end) if end.name().as_ref().eq_ignore_ascii_case("article") => articles.extend(current.take()),
            Event::Start(start) => {
                if let (Some(article), Some(tag)) = (&current, Tag::from_name(start.name().as_ref())) {
                    let value = match tag.attribute() {
                        None => None,
                        Some(name) => attribute(&start, name).map_err(|reason| fail(&reader, reason))?,
                    };
                    open.push((tag, value.map(|value| value.to_ascii_lowercase()), article.text.len()));
                }
            }
            Event::End(end) => {
                if let (Some(article), Some(tag)) = (&mut current, Tag::from_name(end.name().as_ref()))
                    && let Some((tag, attribute, start)) = open.pop().filter(|(opened, ..)| *opened == tag)
                {
                    let span = Span::new(start, article.text.len());
                    article.entities.push(Entity { span, tag, attribute });
                }
            }
            Event::Text(text) => {
                if let Some(article) = &mut current {
                    article.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(text) => {
                if let Some(article) = &mut current {
                    article.text.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(name) => {
                let character = match name.resolve_char_ref() {
                    Ok(Some(character)) => Some(character.to_string()),
                    _ => quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned),
                };
                let character = character.ok_or_else(|| {
                    fail(
                        &reader,
                        format!("`&{};` stands for nothing; write `&amp;` for &", &*name),
                    )
                })?;
                if let Some(article) = &mut current {
                    article.text.push_str(&character);
                }
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    if current.is_some() {
        return Err(Error::Record {
            file: file.to_owned(),
            line: line_at(xml, xml.len() as u64),
            reason: "the file ends within an <article>; it was cut off: copy it again".into(),
        });
    }
    Ok(articles)
}

/// A positive disease of the rules that the transformer gives less than this probability is none,
/// and one that it alone sees is one from the second on: chosen by cross-validation.
const DOUBTED: f32 = 0.4;
const SURE: f32 = 0.6;

/// The tagged phrases of a case, in reading order.
fn phrases(case: &Case) -> Vec<Entity> {
    let norm = case.text.norm();
    let mut mentions: Vec<&Mention> = case.mentions.iter().collect();
    mentions.sort_by_key(|mention| (mention.norm.start, std::cmp::Reverse(mention.norm.end)));
    /// A disease that may yet grow, or anything else.
    struct Phrase {
        norm: Span<Norm>,
        sentence: usize,
        tag: Tag,
        attribute: Option<String>,
    }
    let mut phrases: Vec<Phrase> = Vec::with_capacity(mentions.len());
    for mention in mentions {
        // What lies within another mention stays untagged: tags are flat.
        if phrases
            .last()
            .is_some_and(|before| mention.norm.start < before.norm.end)
        {
            continue;
        }
        let Some(norm_span) = tagged_span(mention) else {
            continue;
        };
        let mut phrase = Phrase {
            norm: norm_span,
            sentence: mention.sentence,
            tag: Tag::of(mention.kind),
            attribute: attribute_of(mention),
        };
        let between = |before: &Phrase| {
            norm.get(before.norm.end..mention.norm.start)
                .filter(|_| before.sentence == mention.sentence)
        };
        if mention.kind == MentionKind::TestValue
            && let Some(item) = phrases.last()
            && item.tag == Tag::TestKey
            && matches!(between(item), Some("" | "の"))
            && DIRECTION.is_match(mention.norm.slice(norm))
        {
            phrase.norm = item.norm.cover(&mention.norm);
            phrase.tag = Tag::Disease;
            phrase.attribute = Some(certainty(mention).to_owned());
            phrases.pop();
        }
        if phrase.tag == Tag::Disease
            && let Some(before) = phrases.last_mut()
            && before.tag == Tag::Disease
            && before.attribute == phrase.attribute
            && before.sentence == phrase.sentence
            && norm
                .get(before.norm.end..phrase.norm.start)
                .is_some_and(|between| JOINED.is_match(between))
        {
            before.norm = before.norm.cover(&phrase.norm);
            continue;
        }
        phrases.push(phrase);
    }
    // A transformer has learned the guideline's habits: what it doubts goes, what it alone sees, and
    // is sure of, comes.
    if let Some(reading) = &case.reading {
        let is_positive =
            |phrase: &Phrase| phrase.tag == Tag::Disease && phrase.attribute.as_deref() == Some("positive");
        phrases.retain(|phrase| !is_positive(phrase) || reading.mean(phrase.norm, Aspect::Positive) >= DOUBTED);
        for &norm in &reading.positives {
            let seen = phrases
                .iter()
                .any(|phrase| is_positive(phrase) && phrase.norm.overlaps(&norm));
            if !seen && reading.mean(norm, Aspect::Positive) >= SURE {
                phrases.retain(|phrase| !phrase.norm.overlaps(&norm));
                phrases.push(Phrase {
                    norm,
                    sentence: 0,
                    tag: Tag::Disease,
                    attribute: Some("positive".to_owned()),
                });
            }
        }
        phrases.sort_by_key(|phrase| phrase.norm.start);
    }
    phrases
        .into_iter()
        .map(|phrase| Entity {
            span: case.text.to_raw(phrase.norm),
            tag: phrase.tag,
            attribute: phrase.attribute,
        })
        .collect()
}

/// The words of a mention that the guideline tags: none for the code of a tumour's stage (N2), and of
/// what a clause tells of a noun (右肝静脈は狭窄) the last word alone, unless only both together say
/// something (階段昇降が困難).
fn tagged_span(mention: &Mention) -> Option<Span<Norm>> {
    let span = mention.norm;
    let Some(name) = mention
        .expansion
        .as_deref()
        .filter(|_| Tag::of(mention.kind) == Tag::Disease)
    else {
        return Some(span);
    };
    let text = mention.text.as_str();
    if text.is_ascii() {
        let is_code = text.contains(|c: char| c.is_ascii_digit()) && !name.is_ascii();
        return (!is_code).then_some(span);
    }
    let common: usize = text
        .chars()
        .rev()
        .zip(name.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let last = &text[text.len() - common..];
    let whole = common == 0 || ["困難", "不能", "不可能"].contains(&last);
    Some(if whole {
        span
    } else {
        Span::new(span.end - common, span.end)
    })
}

/// What may stand between the diseases of one noun phrase.
static JOINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:、|,|・|と|や|および|及び|ならびに|による|に伴う|を伴う)?\s*$").expect("a constant pattern")
});

/// Words for the direction of a test.
static DIRECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:上昇|低下|高値|低値|増加|減少|増多|亢進|異常|延長)$").expect("a constant pattern")
});

/// The value of the attribute of a mention's tag.
fn attribute_of(mention: &Mention) -> Option<String> {
    let value = match Tag::of(mention.kind).attribute()? {
        "certainty" => certainty(mention),
        "type" => time_type(&mention.text),
        _ => match mention.assertion.status {
            Status::Present => "executed",
            Status::Absent => "negated",
            Status::Planned => "scheduled",
            Status::Suspected | Status::General => "other",
        },
    };
    Some(value.to_owned())
}

fn certainty(mention: &Mention) -> &'static str {
    match (mention.assertion.experiencer, mention.assertion.status) {
        (Experiencer::Family | Experiencer::Other, _) | (_, Status::General) => "general",
        (_, Status::Present) => "positive",
        (_, Status::Absent) => "negative",
        (_, Status::Suspected | Status::Planned) => "suspicious",
    }
}

/// The type of a time expression, by its words.
fn time_type(text: &str) -> &'static str {
    static TYPES: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
        [
            (r"歳|才|月齢|生後|\d代$", "age"),
            (
                r"入院|退院|転院|初診|受診|来院|搬送|発症|術前|術後|術中|手術|病日|投与|治療",
                "med",
            ),
            (r"毎|ごと|おき|/日|回$", "set"),
            (r"[前後]$", "date"),
            (r"午前|午後|\d時|\d:\d|[朝夕夜昼]|分頃?$", "time"),
            (r"間$|間に$|以上$|以来$", "duration"),
            (r"[年月日週]|昨|翌|現在|今|当", "date"),
        ]
        .map(|(pattern, name)| (Regex::new(pattern).expect("a constant pattern"), name))
    });
    TYPES
        .iter()
        .find(|(pattern, _)| pattern.is_match(text))
        .map_or("misc", |(_, name)| name)
}

/// Text as character data. A carriage return is written by its number: a reader turns a bare one
/// into a line feed.
fn write_text(writer: &mut Writer<Vec<u8>>, text: &str) -> std::io::Result<()> {
    let escaped = quick_xml::escape::partial_escape(text).replace('\r', "&#13;");
    writer.write_event(Event::Text(BytesText::from_escaped(escaped)))
}

/// Appends what XML 1.0 can hold, and U+FFFD for each other character.
fn push_valid(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| match c {
        '\t' | '\n' | '\r' => c,
        '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    }));
}

/// An id as an attribute: a reader turns line breaks in attributes into blanks.
fn one_line(text: &str) -> String {
    let mut valid = String::with_capacity(text.len());
    push_valid(&mut valid, text);
    valid.replace(['\t', '\n', '\r'], " ")
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("a broken attribute: {error}"))?;
        if attribute.key.as_ref().eq_ignore_ascii_case(name) {
            return attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map(|value| Some(value.into_owned()))
                .map_err(|error| format!("a broken attribute `{name}`: {error}"));
        }
    }
    Ok(None)
}

fn line_at(text: &str, position: u64) -> usize {
    let position = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
    text.as_bytes()[..position]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::sample;

    fn one(xml: &str) -> Article {
        let mut articles = parse(xml, "test.xml").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(articles.len(), 1);
        articles.remove(0)
    }

    /// Tag, attribute, text of every entity.
    fn tagged(article: &Article) -> Vec<(Tag, &str, &str)> {
        article
            .entities
            .iter()
            .map(|entity| {
                let attribute = entity.attribute.as_deref().unwrap_or("");
                (entity.tag, attribute, entity.span.slice(&article.text))
            })
            .collect()
    }

    #[test]
    fn stripped_it_is_the_report() {
        let case = sample::case();
        let xml = to_medtxt(&case).expect("XML");
        let article = one(&xml);
        assert_eq!(article.text, sample::REPORT);
        assert_eq!(article.id, "症例<1>");
        assert_eq!(article, Article::of(&case));
        let found = tagged(&article);
        for expected in [
            (Tag::Disease, "positive", "2型糖尿病"),
            (Tag::Disease, "general", "心筋梗塞"),
            (Tag::Disease, "negative", "乳癌"),
            (Tag::Disease, "suspicious", "肺塞栓症"),
            (Tag::MedicineKey, "executed", "ドキソルビシン"),
            (Tag::TestKey, "executed", "ＢＮＰ"),
            (Tag::Test, "scheduled", "心臓MRI"),
            // Coordinated, of one certainty; one that comes from the other.
            (Tag::Disease, "negative", "発熱や胸痛"),
            (Tag::Disease, "positive", "ドキソルビシン心筋症による心不全"),
        ] {
            assert!(found.contains(&expected), "{expected:?} in {found:?}");
        }
        // Flat: what lies within a longer mention has no tag of its own.
        assert!(found.contains(&(Tag::Disease, "positive", "びまん性の左室壁運動低下")));
        assert!(!found.iter().any(|(tag, ..)| *tag == Tag::Anatomy));
        assert!(article.positive_diseases().contains(&"胸水貯留"));
        assert!(!article.positive_diseases().contains(&"乳癌"));
    }

    #[test]
    fn a_test_with_its_direction_is_a_disease() {
        let mut builder = sample::Builder::new("1", "CRPの上昇、肝障害を認め、血糖は高値。\n");
        builder.mention("CRP", "CRP", MentionKind::TestItem, None);
        builder.mention("CRP", "上昇", MentionKind::TestValue, None);
        builder.mention("肝", "肝障害", MentionKind::Disease, None);
        builder.mention("血糖", "血糖", MentionKind::TestItem, None);
        builder.mention("血糖", "高値", MentionKind::TestValue, None);
        let article = Article::of(&builder.case);
        assert_eq!(
            tagged(&article),
            [
                (Tag::Disease, "positive", "CRPの上昇、肝障害"),
                (Tag::TestKey, "executed", "血糖"),
                (Tag::TestValue, "", "高値"),
            ]
        );
    }

    #[test]
    fn times_have_types() {
        for (text, kind) in [
            ("72歳", "age"),
            ("入院3日目", "med"),
            ("術後", "med"),
            ("2001年4月", "date"),
            ("3日前", "date"),
            ("2週間", "duration"),
            ("1日3回", "set"),
            ("午前9時", "time"),
            ("翌日", "date"),
            ("その頃", "misc"),
        ] {
            assert_eq!(time_type(text), kind, "{text}");
        }
    }

    #[test]
    fn files_of_others_are_read() {
        let article = one(
            "<?xml version=\"1.0\"?>\n<root><metadata><name>x</name></metadata><articles>\n<article id=\"7\" title=\"t\">\
             <TIMEX3 TYPE=\"DATE\">昨日</TIMEX3>から<D certainty=\"positive\" tid=\"T1\">発熱 &amp; &#30171;</D><unknown>あり</unknown>\
             <![CDATA[<咳>]]><trel rid=\"R1\"/></article></articles></root>",
        );
        assert_eq!(article.text, "昨日から発熱 & 痛あり<咳>");
        assert_eq!(
            tagged(&article),
            [(Tag::Time, "date", "昨日"), (Tag::Disease, "positive", "発熱 & 痛")]
        );
    }

    #[test]
    fn broken_files_are_named() {
        for (xml, line, word) in [
            ("<root>\n<article title=\"x\">a</article></root>", 2, "without `id`"),
            ("<root>\n<article id=\"1\">\na &nbsp; b</article></root>", 3, "&nbsp;"),
            ("<root>\n<article id=\"1\">a</d></article></root>", 2, "not XML"),
            ("<article id=\"1\">\n\na", 3, "cut off"),
        ] {
            let error = parse(xml, "gold.xml").expect_err(word).to_string();
            assert!(
                error.starts_with(&format!("gold.xml:{line}: ")) && error.contains(word),
                "{error}"
            );
        }
    }

    /// Cuts a text at the given places into plain and tagged parts.
    fn article_of(id: String, text: String, cuts: Vec<(usize, usize, usize)>) -> Article {
        let mut valid = String::new();
        push_valid(&mut valid, &text);
        let places: Vec<usize> = valid.char_indices().map(|(at, _)| at).chain([valid.len()]).collect();
        let mut entities = Vec::new();
        let mut at = 0;
        for (gap, length, tag) in cuts {
            let start = at + gap;
            at = start + length;
            if at >= places.len() {
                break;
            }
            let tag = Tag::ALL[tag % Tag::ALL.len()];
            entities.push(Entity {
                span: Span::new(places[start], places[at]),
                tag,
                attribute: tag.attribute().map(|name| format!("{name}-{length}")),
            });
        }
        Article {
            id: one_line(&id),
            text: valid,
            entities,
        }
    }

    proptest! {
        /// Any text, markup and line breaks in it, and any flat tags come back as they were.
        #[test]
        fn articles_come_back(
            id in "\\PC{0,8}",
            text in "(?s)[\\PC\r\n\t<&>\"'\\]]{0,60}|.{0,40}",
            cuts in proptest::collection::vec((0usize..4, 1usize..5, 0usize..13), 0..8),
        ) {
            let article = article_of(id, text, cuts);
            let xml = header().expect("XML") + &article.to_xml().expect("XML") + FOOTER;
            let read = parse(&xml, "test.xml").expect("what was written");
            prop_assert_eq!(read, vec![article]);
        }
    }
}
