//! A case to what others read: a file each format.
//!
//! What a picture of a case has in common — the look of a node, the Japanese names of kinds, the
//! words for a piece of evidence, escaping — stands here.

pub mod dot;
pub mod html;
pub mod json;
pub mod medtxt;
pub mod svg;
#[cfg(feature = "tables")]
pub mod table;
pub mod tree;

pub use dot::to_dot;
pub use html::{to_html, to_html_fragment, to_map_fragment};
pub use json::{CaseRecord, from_json, to_json_line, to_value};
pub use medtxt::to_medtxt;
pub use svg::to_svg;
pub use tree::to_tree_annotated;

use crate::types::{
    Assertion, Case, Concept, ConceptId, ConceptKind, Experiencer, Label, Mention, MentionKind, Node, NodeId,
    RelationKind, Status, Temporality, Value, Why,
};

/// Where the entries of a case's concepts are: the lexicon, or a table of one's own.
pub trait ConceptSource {
    /// The entry of a concept; `None` for an id of another lexicon.
    fn concept(&self, id: ConceptId) -> Option<&Concept>;
}

impl ConceptSource for crate::lexicon::Lexicon {
    fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.get(id)
    }
}

/// Entries by index.
impl ConceptSource for Vec<Concept> {
    fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.get(id.0 as usize)
    }
}

/// How a node is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Look {
    /// A disease or pathology.
    Disease,
    /// A symptom, sign or other state.
    Finding,
    /// A test and its result.
    Result,
    /// An examination and its finding.
    Exam,
    /// A history of exposure.
    History,
}

impl Look {
    const ALL: [Look; 5] = [Look::Disease, Look::Finding, Look::Result, Look::Exam, Look::History];

    /// Its class in style sheets.
    const fn class(self) -> &'static str {
        match self {
            Look::Disease => "disease",
            Look::Finding => "finding",
            Look::Result => "result",
            Look::Exam => "exam",
            Look::History => "history",
        }
    }

    /// Its name in legends.
    const fn name(self) -> &'static str {
        match self {
            Look::Disease => "疾患・病態",
            Look::Finding => "症状・徴候",
            Look::Result => "検査値",
            Look::Exam => "検査所見",
            Look::History => "曝露・既往",
        }
    }
}

/// How each node of the map is drawn, by index.
fn looks(case: &Case, concepts: &dyn ConceptSource) -> Vec<Look> {
    let mut has_effect = vec![false; case.map.nodes.len()];
    for edge in &case.map.edges {
        if let Some(slot) = has_effect.get_mut(edge.source.0 as usize) {
            *slot = true;
        }
    }
    case.map
        .nodes
        .iter()
        .zip(has_effect)
        .map(|(node, has_effect)| look(case, concepts, node, has_effect))
        .collect()
}

fn look(case: &Case, concepts: &dyn ConceptSource, node: &Node, has_effect: bool) -> Look {
    match &node.label {
        Label::Result { .. } => return Look::Result,
        Label::ExamFinding { .. } => return Look::Exam,
        Label::History(_) => return Look::History,
        Label::AtSite { .. } | Label::Condition(_) => {}
    }
    if case.map.primary == Some(node.id) {
        return Look::Disease;
    }
    match node
        .concept
        .and_then(|id| concepts.concept(id))
        .map(|concept| concept.kind)
    {
        Some(ConceptKind::Disease | ConceptKind::Pathology) => Look::Disease,
        Some(ConceptKind::Drug | ConceptKind::Treatment | ConceptKind::Organism) => Look::History,
        Some(_) => Look::Finding,
        // Not in the dictionary: what explains something is drawn as a disease.
        None if has_effect => Look::Disease,
        None => Look::Finding,
    }
}

/// The kinds of relations, as legends list them.
const RELATION_KINDS: [RelationKind; 6] = [
    RelationKind::Causes,
    RelationKind::ManifestsAs,
    RelationKind::EvidencedBy,
    RelationKind::Complicates,
    RelationKind::Predisposes,
    RelationKind::TreatedBy,
];

const fn relation_name(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Causes => "原因",
        RelationKind::ManifestsAs => "症状・徴候",
        RelationKind::EvidencedBy => "検査による裏付け",
        RelationKind::Complicates => "合併",
        RelationKind::Predisposes => "素因・背景",
        RelationKind::TreatedBy => "治療",
    }
}

const fn mention_kind_name(kind: MentionKind) -> &'static str {
    match kind {
        MentionKind::Disease => "疾患・症状",
        MentionKind::Finding => "所見",
        MentionKind::Site => "部位",
        MentionKind::Exam => "検査",
        MentionKind::TestItem => "検査項目",
        MentionKind::TestValue => "検査値",
        MentionKind::Drug => "薬剤",
        MentionKind::Dose => "用量",
        MentionKind::Treatment => "治療",
        MentionKind::Time => "時間",
        MentionKind::Change => "変化",
        MentionKind::Feature => "性状・程度",
        MentionKind::Context => "診療の経過",
    }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Present => "あり",
        Status::Absent => "否定",
        Status::Suspected => "疑い",
        Status::Planned => "予定",
        Status::General => "一般論",
    }
}

/// What is asserted, in words: 「否定」, 「あり・家族」.
fn assertion_words(assertion: &Assertion) -> String {
    let mut words = String::from(status_name(assertion.status));
    match assertion.experiencer {
        Experiencer::Patient => {}
        Experiencer::Family => words.push_str("・家族"),
        Experiencer::Other => words.push_str("・患者以外"),
    }
    if assertion.time == Temporality::Past {
        words.push_str("・既往");
    }
    words
}

/// A concept's label and codes: `心筋障害 (D00123, ICD-10 I51.8)`.
fn concept_words(concept: &Concept) -> String {
    let mut codes: Vec<String> = Vec::new();
    if !concept.id.is_empty() {
        codes.push(concept.id.clone());
    }
    for (system, code) in [
        ("ICD-10 ", &concept.icd10),
        // HPO ids carry their prefix.
        ("", &concept.hpo),
        ("ATC ", &concept.atc),
        ("LOINC ", &concept.loinc),
    ] {
        if !code.is_empty() {
            codes.push(format!("{system}{code}"));
        }
    }
    if codes.is_empty() {
        concept.label.clone()
    } else {
        format!("{} ({})", concept.label, codes.join(", "))
    }
}

/// A value in words: `696 pg/mL (基準 18.4 以下) 上昇`.
fn value_words(value: &Value) -> String {
    let mut words = match (value.second, value.number) {
        // A pressure or a trend; which of them, the value does not say.
        (Some(second), Some(number)) => format!("{number} (第2値 {second})"),
        (None, Some(number)) => number.to_string(),
        (Some(second), None) => second.to_string(),
        (None, None) => String::new(),
    };
    let mut add = |part: &str| {
        if !part.is_empty() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(part);
        }
    };
    add(&value.unit);
    match (value.range_low, value.range_high) {
        (Some(low), Some(high)) => add(&format!("(基準 {low}–{high})")),
        (Some(low), None) => add(&format!("(基準 {low} 以上)")),
        (None, Some(high)) => add(&format!("(基準 {high} 以下)")),
        (None, None) => {}
    }
    add(value.direction.map_or("", |direction| direction.label()));
    words
}

/// A piece of evidence in words.
fn why_words(why: &Why) -> String {
    match why {
        Why::Cue { text, .. } => format!("本文の手がかり「{text}」"),
        Why::Knowledge { cause, effect } => format!("医学知識: {cause} → {effect}"),
        Why::Structure { reason } => format!("文章の構造: {reason}"),
        Why::Primary => "より強い根拠がなく、主病名の下に配置".to_owned(),
    }
}

/// The most characters of a snippet in a tooltip.
const SNIPPET_CHARS: usize = 60;
/// The most mentions that a node's tooltip quotes.
const QUOTED_MENTIONS: usize = 4;

/// The sentence of a mention, shortened to its surroundings: `…を認め、BNP 696pg/mLと高値…`.
fn snippet(case: &Case, mention: &Mention) -> String {
    let norm = case.text.norm();
    let sentence = case.sentences.get(mention.sentence).map(|sentence| sentence.span);
    let Some(sentence) = sentence.filter(|sentence| sentence.contains(&mention.norm)) else {
        return mention.text.clone();
    };
    let (Some(before), Some(inside), Some(after)) = (
        norm.get(sentence.start..mention.norm.start),
        norm.get(mention.norm.range()),
        norm.get(mention.norm.end..sentence.end),
    ) else {
        return mention.text.clone();
    };
    let room = SNIPPET_CHARS.saturating_sub(inside.chars().count()) / 2;
    let skipped = before.chars().count().saturating_sub(room);
    let mut text = String::new();
    if skipped > 0 {
        text.push('…');
    }
    text.extend(before.chars().skip(skipped));
    text.push_str(inside);
    text.extend(after.chars().take(room));
    if after.chars().count() > room {
        text.push('…');
    }
    // A tooltip's lines are its items.
    text.replace(['\n', '\r', '\t'], " ")
}

/// A node's tooltip: label, concept and codes, the sentences that name it.
fn node_tooltip(case: &Case, concepts: &dyn ConceptSource, node: &Node) -> String {
    let mut lines = vec![node.label.to_string()];
    if case.map.primary == Some(node.id) {
        lines.push("主病名".into());
    }
    if let Some(concept) = node.concept.and_then(|id| concepts.concept(id)) {
        lines.push(format!("概念: {}", concept_words(concept)));
    }
    if node.inferred {
        lines.push("推定 (本文に記載はなく、医学知識から補った)".into());
    }
    let mentions: Vec<&Mention> = node.mentions.iter().filter_map(|id| mention_of(case, *id)).collect();
    for mention in mentions.iter().take(QUOTED_MENTIONS) {
        lines.push(format!("本文: {}", snippet(case, mention)));
    }
    if mentions.len() > QUOTED_MENTIONS {
        lines.push(format!("ほか {} か所", mentions.len() - QUOTED_MENTIONS));
    }
    lines.join("\n")
}

/// An edge's tooltip: its ends, kind and evidence.
fn edge_tooltip(case: &Case, source: NodeId, target: NodeId, kind: RelationKind, why: &[Why]) -> String {
    let label = |id: NodeId| {
        case.map
            .nodes
            .get(id.0 as usize)
            .map_or_else(String::new, |node| node.label.to_string())
    };
    let mut lines = vec![
        format!("{} → {}", label(source), label(target)),
        relation_name(kind).to_owned(),
    ];
    lines.extend(why.iter().map(why_words));
    lines.join("\n")
}

/// A mention of the case by its number.
fn mention_of(case: &Case, id: crate::types::MentionId) -> Option<&Mention> {
    // A mention's number is its index, where the case was made by the pipeline.
    case.mentions
        .get(id.0 as usize)
        .filter(|mention| mention.id == id)
        .or_else(|| case.mentions.iter().find(|mention| mention.id == id))
}

/// Appends text as XML or HTML character data, fit for attributes in double quotes as well.
/// Characters that XML does not allow become U+FFFD.
pub fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

/// A hand-made case for the tests of the formats.
#[cfg(test)]
pub(crate) mod sample {
    use crate::types::*;

    /// A report with what makes formats stumble: full-width letters, markup, line breaks, an
    /// astral character.
    pub(crate) const REPORT: &str = "【症例】７２歳、男性。\n【主訴】呼吸困難<労作時>\n【既往歴】2型糖尿病。父に心筋梗塞。\n\
        【現病歴】乳癌ではなく悪性リンパ腫に対しドキソルビシンを使用後、労作時の呼吸困難と下腿浮腫が出現し、\
        両側の胸水貯留を認めた。発熱や胸痛はない。肺塞栓症も疑われた。\n  【検査】ＢＮＰ ６９６pg/mL（基準 18.4以下）、\
        トロポニンT陽性 & CK正常。心エコーでびまん性の左室壁運動低下を認め、EF 32%。𠮟\n\
        【診断】ドキソルビシン心筋症による心不全と診断した。心臓MRIを予定した。\n";

    /// NFKC as far as the sample needs it, with the origin of each byte.
    pub(crate) fn normalized(raw: &str) -> NormalizedText {
        let mut norm = String::new();
        let mut origin = Vec::new();
        for (at, c) in raw.char_indices() {
            let narrow = match u32::from(c) {
                code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
                _ => c,
            };
            norm.push(narrow);
            let end = (at + c.len_utf8()) as u32;
            origin.extend(std::iter::repeat_n((at as u32, end), narrow.len_utf8()));
        }
        NormalizedText::new(raw.into(), norm, origin)
    }

    fn concept(id: &str, kind: ConceptKind, label: &str, icd10: &str, hpo: &str) -> Concept {
        Concept {
            id: id.into(),
            kind,
            label: label.into(),
            reading: String::new(),
            english: String::new(),
            synonyms: Vec::new(),
            abbreviations: Vec::new(),
            icd10: icd10.into(),
            hpo: hpo.into(),
            atc: String::new(),
            loinc: String::new(),
            parent: String::new(),
            class: String::new(),
            domain: "test".into(),
        }
    }

    pub(crate) fn concepts() -> Vec<Concept> {
        vec![
            concept("D1", ConceptKind::Disease, "ドキソルビシン心筋症", "I42.7", ""),
            concept("D2", ConceptKind::Disease, "心不全", "I50.9", "HP:0001635"),
            concept("S1", ConceptKind::Symptom, "呼吸困難", "R06.0", "HP:0002094"),
            concept("T1", ConceptKind::Test, "BNP", "", ""),
            concept("D3", ConceptKind::Disease, "悪性リンパ腫", "C85.9", ""),
            concept("S2", ConceptKind::Sign, "浮腫@下腿", "", "HP:0000969"),
            concept("P1", ConceptKind::Pathology, "心筋障害", "I51.8", ""),
        ]
    }

    /// Builds a case from pieces of its text.
    pub(crate) struct Builder {
        pub(crate) case: Case,
    }

    impl Builder {
        pub(crate) fn new(id: &str, report: &str) -> Self {
            let text = normalized(report);
            let mut sentences = Vec::new();
            let mut start = 0;
            for (at, c) in text.norm().char_indices() {
                if matches!(c, '。' | '\n') {
                    let end = at + c.len_utf8();
                    sentences.push(Sentence {
                        span: Span::new(start, end),
                        section: 0,
                    });
                    start = end;
                }
            }
            let sections = vec![Section {
                kind: SectionKind::Case,
                heading: None,
                span: Span::new(0, text.norm().len()),
            }];
            Builder {
                case: Case {
                    reading: None,
                    id: id.into(),
                    text,
                    sections,
                    sentences,
                    mentions: Vec::new(),
                    relations: Vec::new(),
                    map: CaseMap::default(),
                },
            }
        }

        /// Adds a mention of the first `text` after `after`.
        pub(crate) fn mention(
            &mut self,
            after: &str,
            text: &str,
            kind: MentionKind,
            concept: Option<u32>,
        ) -> &mut Mention {
            let norm = self.case.text.norm();
            let from = norm.find(after).expect("the anchor stands in the text");
            let start = from + norm[from..].find(text).expect("the mention stands in the text");
            let span = Span::new(start, start + text.len());
            let sentence = self
                .case
                .sentences
                .iter()
                .position(|s| s.span.contains(&span))
                .unwrap_or(0);
            let mention = Mention {
                id: MentionId(self.case.mentions.len() as u32),
                span: self.case.text.to_raw(span),
                norm: span,
                text: text.into(),
                kind,
                assertion: Assertion::default(),
                concept: concept.map(ConceptId),
                modifiers: Vec::new(),
                expansion: None,
                value: None,
                sentence,
                section: 0,
            };
            self.case.mentions.push(mention);
            self.case.mentions.last_mut().expect("just pushed")
        }
    }

    /// The sample: a map of three levels with every look and kind of edge.
    pub(crate) fn case() -> Case {
        use MentionKind as K;
        let mut b = Builder::new("症例<1>", REPORT);
        b.mention("【主訴】", "呼吸困難", K::Disease, Some(2));
        b.mention("【既往歴】", "2型糖尿病", K::Disease, None).assertion.time = Temporality::Past;
        b.mention("父に", "心筋梗塞", K::Disease, None).assertion.experiencer = Experiencer::Family;
        b.mention("乳癌", "乳癌", K::Disease, None).assertion.status = Status::Absent;
        b.mention("悪性", "悪性リンパ腫", K::Disease, Some(4)).assertion.time = Temporality::Past;
        b.mention("に対し", "ドキソルビシン", K::Drug, None).assertion.time = Temporality::Past;
        b.mention("使用後", "労作時の呼吸困難", K::Disease, Some(2));
        b.mention("使用後", "呼吸困難", K::Disease, Some(2));
        b.mention("使用後", "下腿浮腫", K::Finding, Some(5));
        b.mention("両側", "両側", K::Feature, None);
        b.mention("両側", "胸水貯留", K::Finding, None);
        b.mention("発熱", "発熱", K::Disease, None).assertion.status = Status::Absent;
        b.mention("発熱", "胸痛", K::Disease, None).assertion.status = Status::Absent;
        b.mention("肺塞栓", "肺塞栓症", K::Disease, None).assertion.status = Status::Suspected;
        b.mention("BNP", "BNP", K::TestItem, Some(3));
        b.mention("BNP", "696pg/mL", K::TestValue, None).value = Some(Value {
            number: Some(696.0),
            unit: "pg/mL".into(),
            range_high: Some(18.4),
            direction: Some(Direction::High),
            ..Value::default()
        });
        b.mention("トロポニン", "トロポニンT", K::TestItem, None);
        b.mention("トロポニン", "陽性", K::TestValue, None);
        b.mention("心エコー", "心エコー", K::Exam, None);
        b.mention("心エコー", "びまん性の左室壁運動低下", K::Finding, None);
        b.mention("心エコー", "左室", K::Site, None);
        b.mention("【診断】", "ドキソルビシン心筋症", K::Disease, Some(0));
        b.mention("【診断】", "心不全", K::Disease, Some(1));
        b.mention("【診断】", "心臓MRI", K::Exam, None).assertion.status = Status::Planned;
        let mut case = b.case;
        case.map = CaseMap::parse(
            "-悪性リンパ腫\n  -H:ドキソルビシン使用\n    -ドキソルビシン心筋症\n      -心筋障害\n        -BNP/上昇\n        \
             -トロポニンT/陽性\n        -心エコー=びまん性の左室壁運動低下\n      -心不全\n        -呼吸困難\n        \
             -浮腫@下腿\n        -胸水貯留\n",
        )
        .expect("the tree of the sample");
        let ids: [(Option<u32>, &[u32]); 11] = [
            (Some(4), &[4]),
            (None, &[5]),
            (Some(0), &[21]),
            (Some(6), &[]),
            (Some(3), &[14, 15]),
            (None, &[16, 17]),
            (None, &[18, 19]),
            (Some(1), &[22]),
            (Some(2), &[0, 6, 7]),
            (Some(5), &[8]),
            (None, &[10]),
        ];
        for (node, (concept, mentions)) in case.map.nodes.iter_mut().zip(ids) {
            node.concept = concept.map(ConceptId);
            node.mentions = mentions.iter().copied().map(MentionId).collect();
            node.inferred = mentions.is_empty();
        }
        case.map.primary = Some(NodeId(2));
        let kinds = [
            RelationKind::Predisposes,
            RelationKind::Causes,
            RelationKind::Causes,
            RelationKind::EvidencedBy,
            RelationKind::EvidencedBy,
            RelationKind::EvidencedBy,
            RelationKind::Complicates,
            RelationKind::ManifestsAs,
            RelationKind::ManifestsAs,
            RelationKind::ManifestsAs,
        ];
        let cue = case.text.norm().find("による").expect("the cue stands in the text");
        for (index, (edge, kind)) in case.map.edges.iter_mut().zip(kinds).enumerate() {
            edge.kind = kind;
            edge.score = 1.5 - index as f64 / 10.0;
            edge.why = match index {
                0 => vec![Why::Structure {
                    reason: "exposure of a treatment".into(),
                }],
                6 => vec![Why::Cue {
                    span: Span::new(cue, cue + "による".len()),
                    text: "による".into(),
                }],
                9 => vec![Why::Primary],
                _ => vec![Why::Knowledge {
                    cause: "心筋障害".into(),
                    effect: "BNP/上昇".into(),
                }],
            };
        }
        case.relations = case
            .map
            .edges
            .iter()
            .map(|edge| Relation {
                source: edge.source,
                target: edge.target,
                kind: edge.kind,
                score: edge.score,
                why: edge.why.clone(),
                evidence: Default::default(),
            })
            .collect();
        case
    }

    /// A case without mentions and map.
    pub(crate) fn empty() -> Case {
        Builder::new("", "").case
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Direction;

    #[test]
    fn looks_follow_label_and_concept() {
        let case = sample::case();
        let looks = looks(&case, &sample::concepts());
        assert_eq!(looks[..4], [Look::Disease, Look::History, Look::Disease, Look::Disease]);
        assert_eq!(looks[4..7], [Look::Result, Look::Result, Look::Exam]);
        assert_eq!(looks[7..], [Look::Disease, Look::Finding, Look::Finding, Look::Finding]);
        // Without a lexicon, what has effects is a disease.
        let looks = super::looks(&case, &Vec::new());
        assert_eq!((looks[7], looks[8]), (Look::Disease, Look::Finding));
    }

    #[test]
    fn escaping_leaves_no_markup_and_no_control() {
        let mut out = String::new();
        push_escaped(&mut out, "<a b=\"c\">&'\u{0}\u{1b}\n");
        assert_eq!(out, "&lt;a b=&quot;c&quot;&gt;&amp;&#39;\u{fffd}\u{fffd}\n");
    }

    #[test]
    fn words_of_values_and_assertions() {
        let value = Value {
            number: Some(7.2),
            unit: "g/dL".into(),
            range_low: Some(13.5),
            range_high: Some(17.0),
            direction: Some(Direction::Low),
            ..Value::default()
        };
        assert_eq!(value_words(&value), "7.2 g/dL (基準 13.5–17) 低下");
        assert_eq!(value_words(&Value::default()), "");
        let family = Assertion {
            experiencer: Experiencer::Family,
            ..Assertion::default()
        };
        assert_eq!(assertion_words(&family), "あり・家族");
    }

    #[test]
    fn snippets_stay_within_the_sentence() {
        let case = sample::case();
        let line = snippet(&case, &case.mentions[11]);
        assert_eq!(line, "発熱や胸痛はない。");
        let tooltip = node_tooltip(&case, &sample::concepts(), &case.map.nodes[8]);
        assert!(tooltip.starts_with("呼吸困難\n概念: 呼吸困難 (S1, ICD-10 R06.0, HP:0002094)\n本文: "));
        assert_eq!(tooltip.lines().count(), 5);
    }
}
