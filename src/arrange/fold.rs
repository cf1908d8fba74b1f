//! Mentions → candidate nodes: labels in the notation, one concept one node.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::lexicon::{Lexicon, ModifierClass, adjectival_rest};
use crate::types::{
    Candidate, ConceptId, ConceptKind, Direction, Experiencer, Label, Mention, MentionKind, Norm, NormalizedText, Role,
    Section, SectionKind, Sentence, Span, Status, Temporality, Value,
};

/// Sites that a symptom or lesion hangs on through these words: 「四肢のしびれ」「下腿に浮腫」.
static SITE_LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:(?:の|に|には|にも|は|では|から|より|で|を中心に|を主体に|全体に|、|・)(?:に|、)?",
        // 「膵頭部に造影効果の乏しい腫瘤」, 「体幹に広範囲に紅斑」, 「右副腎に45 mm大の腫瘤」
        r"(?:[^、。,に]{1,14}(?:な|の|に|い|する|した|って|いる)|高度|軽度|著明|多数",
        r"|(?:約|径|長径|直径|最大)*[0-9][0-9.,×x~-]*\s?(?:cm|mm|横指|%)(?:大|径)?の?)?)?$",
    ))
    .expect("a constant pattern")
});

/// A size that a finding's name opens with: 「4cm大の腫瘤」, 「最大21mmの結節」, 「径5mmの瘻孔」, and the unit that is left
/// where the number stands outside the name.
static SIZE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:最大径|最大|直径|長径|径|約)*[0-9.,×x~-]*\s?(?:cm|mm|横指)(?:大|径|長|以下|以上|前後|程度)?の?([^H/A-Za-z0-9].*)$")
        .expect("a constant pattern")
});

/// A size that ends what stands before a finding: 「右副腎に45 mm大の」.
static SIZE_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:最大径|最大|直径|長径|径|約)*[0-9][0-9.,×x~-]*\s?(?:cm|mm|横指)(?:大|径|長|以下|以上|前後|程度)?の?$",
    )
    .expect("a constant pattern")
});

/// The images of a series, between a site and what they show there: 「前頭葉にT2強調像およびFLAIRで」.
static SERIES: LazyLock<Regex> = LazyLock::new(|| {
    let image = r"(?:(?:拡散|T[12]\*?)強調(?:画像|像)?|FLAIR(?:画像|像)?|DWI|ADC(?:マップ|画像|map)?|T[12]\*?WI|STIR(?:画像|像)?)";
    let more = r"(?:[・、,と/]|および|及び|ならびに) ?";
    let end = r"(?:にて|では|で|上|において|および|及び|と|・|、)?$";
    Regex::new(&format!("{image}(?:{more}{image})*{end}")).expect("a constant pattern")
});

/// What describes most of a finding, without being a part of its name: 「リンパ球主体の炎症細胞浸潤」, 「胆道系酵素優位の肝障害」.
static FOREMOST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[^の]{1,10}(?:優位|主体|優勢)の(.{2,})$").expect("a constant pattern"));

/// A change that an organ's name stands behind: 「腫大した虫垂」.
static CHANGED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([\p{Han}ー]{2,6})(?:した|していた|する)(.{1,8})$").expect("a constant pattern"));

/// A tumour's macroscopic type: 「Type2の腫瘍」.
static TUMOUR_TYPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\btype ?([0-5])の?(\p{Han})").expect("a constant pattern"));

/// The words before a drug or treatment's effect.
static EXPOSURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:の)?(?:大量|長期|少量|外用|静注|投与|使用|内服|服用|摂取|曝露|治療|施行|併用|点滴|開始|療法|を|が|\s)*(?:に(?:よる|より|よって|起因|伴う|伴い|続発)|後|中(?:に|の|止)?|開始|歴|が原因|を契機|を誘因|誘発)")
        .expect("a constant pattern")
});

/// A verb of showing after an exam's finding.
static SHOWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\([^()]{1,30}\))?(?:の所見|像|の像|の組織像)?(?:を|が|と|で|も|の所見を|の診断|であった|に一致)")
        .expect("a constant pattern")
});

/// What stands between exams that show the same.
const EXAM_JOINTS: [&str; 9] = ["・", "、", ",", "と", "や", "および", "及び", "ならびに", "、および"];

const IMAGING_SECTIONS: [SectionKind; 2] = [SectionKind::Imaging, SectionKind::Pathology];

/// Makes candidate nodes of the mentions that hold for the patient. O(mentions²) in the worst
/// case, with mentions in the tens.
pub fn fold(
    text: &NormalizedText,
    sections: &[Section],
    sentences: &[Sentence],
    mentions: &[Mention],
    lexicon: &Lexicon,
) -> Vec<Candidate> {
    let folder = Folder {
        text: text.norm(),
        sections,
        sentences,
        mentions,
        lexicon,
    };
    let mut nodes = Nodes {
        lexicon,
        candidates: Vec::new(),
        by_label: HashMap::new(),
    };
    for index in 0..mentions.len() {
        folder.add(index, &mut nodes);
    }
    folder.primacy(&mut nodes.candidates);
    nodes.candidates
}

struct Folder<'t> {
    text: &'t str,
    sections: &'t [Section],
    sentences: &'t [Sentence],
    mentions: &'t [Mention],
    lexicon: &'t Lexicon,
}

struct Nodes<'t> {
    lexicon: &'t Lexicon,
    candidates: Vec<Candidate>,
    by_label: HashMap<String, usize>,
}

impl Folder<'_> {
    fn section(&self, mention: &Mention) -> SectionKind {
        self.sections
            .get(mention.section)
            .map_or(SectionKind::Other, |section| section.kind)
    }

    /// The words of the mention's sentence after it, eighty characters at most.
    fn after(&self, mention: &Mention) -> &str {
        let Some(sentence) = self.sentences.get(mention.sentence) else {
            return "";
        };
        // Enough for every pattern here; the whole of an endless sentence would cost its square.
        let after = self.text.get(mention.norm.end..sentence.span.end).unwrap_or_default();
        after.char_indices().nth(80).map_or(after, |(at, _)| &after[..at])
    }

    fn add(&self, index: usize, nodes: &mut Nodes<'_>) {
        let mention = &self.mentions[index];
        if mention.assertion.experiencer != Experiencer::Patient {
            return;
        }
        match mention.kind {
            MentionKind::Disease | MentionKind::Finding => self.add_condition(index, nodes),
            MentionKind::TestItem => self.add_result(mention, nodes),
            MentionKind::Drug | MentionKind::Treatment => self.add_exposure(mention, nodes),
            MentionKind::Feature => self.add_organism(index, nodes),
            _ => {}
        }
    }

    fn add_condition(&self, index: usize, nodes: &mut Nodes<'_>) {
        let mention = &self.mentions[index];
        let section = self.section(mention);
        // What is suspected may be there all the same (「腸閉塞が疑われ緊急手術」): the arranger decides.
        // Only an unlisted finding is not worth the doubt.
        match mention.assertion.status {
            Status::Present => {}
            Status::Suspected if mention.concept.is_some() => {}
            _ => return,
        }
        let kind = mention.concept.map(|id| self.lexicon.concept(id).kind);
        let words = self.lexicon.standard_characters(&self.clean_label(mention));
        if words.is_empty() || self.lexicon.is_generic(&words) && !self.is_verdict(index) {
            return;
        }
        // A comorbidity, like a past disease, is in the map for what it causes.
        let past = mention.assertion.time == Temporality::Past || section == SectionKind::Comorbidity;
        // Fluid in a cavity has its site in its name, whatever stands beside it in a list.
        let fluid = words.ends_with("腹水") || words.ends_with("胸水") || words.ends_with("心嚢液");
        let site = if fluid { None } else { self.site_of(index) };
        let site = site.as_deref();
        // 「尿潜血陽性」, 「シルマー試験陽性」 is the test and its result, whatever the dictionary calls it.
        if let Some((test, direction)) = self.split_direction(&words)
            && let Some(id) = self
                .lexicon
                .lookup_kind(test, |kind| matches!(kind, ConceptKind::Test | ConceptKind::Exam))
            && !matches!(kind, Some(ConceptKind::Symptom | ConceptKind::Disease))
        {
            let label = Label::Result {
                test: test.to_owned(),
                result: direction.label().to_owned(),
            };
            nodes.insert(label, mention, Some(id), Role::Result, past);
            return;
        }
        // What only an examination shows hangs on an exam of the sentences before as well.
        let unlisted = kind.is_none() && mention.kind == MentionKind::Finding;
        let only_shown = unlisted || kind == Some(ConceptKind::ExamFinding);
        let exams = self.exams_of(index, if only_shown { 3 } else { 0 });
        let shown = only_shown || matches!(kind, Some(ConceptKind::Sign | ConceptKind::Pathology));
        if shown && !exams.is_empty() {
            // ly1, tub2: pathologists' codes are written out.
            let words = match mention.concept.map(|id| &self.lexicon.concept(id).label) {
                Some(label) if words.is_ascii() && words.len() <= 5 => label.clone(),
                _ => words.clone(),
            };
            let finding = match (self.words_before(mention), site) {
                (Some(before), _) if kind != Some(ConceptKind::Disease) && !words.contains(before) => {
                    format!("{before}{words}")
                }
                (_, Some(site)) if !words.contains(site) => format!("{site}{words}"),
                _ => words,
            };
            for exam in &exams {
                let label = Label::ExamFinding {
                    exam: exam.clone(),
                    finding: finding.clone(),
                };
                nodes.insert(label, mention, mention.concept, Role::ExamFinding, past);
            }
            // 「CTで腹水を認め」 is the exam's finding and the patient's ascites: the arranger keeps
            // one of them, or both.
            if only_shown {
                return;
            }
        }
        let role = match kind {
            Some(ConceptKind::Disease) => Role::Disease,
            Some(ConceptKind::Pathology | ConceptKind::LabState) => Role::Pathology,
            Some(_) => Role::Symptom,
            None if mention.kind == MentionKind::Disease => Role::Disease,
            None => Role::Symptom,
        };
        // A state that its words give as a test's direction is that result: 好酸球増多.
        if let Some(id) = mention.concept
            && let Some((test, direction)) = self.lexicon.state_result(id)
            && kind == Some(ConceptKind::LabState)
            && self.says_direction(&words)
        {
            let test_label = self.lexicon.concept(test).label.clone();
            let label = Label::Result {
                test: test_label,
                result: direction.label().to_owned(),
            };
            nodes.insert(label, mention, Some(test), Role::Result, past);
            return;
        }
        // An umbrella for results (炎症反応上昇) is a result of its own, and a leaf.
        if kind == Some(ConceptKind::LabState)
            && let Some((test, direction)) = self.split_direction(&words)
        {
            let label = Label::Result {
                test: test.to_owned(),
                result: direction.label().to_owned(),
            };
            nodes.insert(label, mention, mention.concept, Role::Result, past);
            return;
        }
        // A disease that an examination showed: the disease, and under it what the exam showed.
        if role == Role::Disease && SHOWN.is_match(self.after(mention)) {
            for exam in &exams {
                let label = Label::ExamFinding {
                    exam: exam.clone(),
                    finding: words.clone(),
                };
                nodes.insert(label, mention, mention.concept, Role::ExamFinding, past);
            }
        }
        let label = match site {
            _ if role == Role::Symptom
                && let Some((site, condition)) = self.split_site(&mention.text) =>
            {
                Label::AtSite {
                    condition: condition.to_owned(),
                    site: site.to_owned(),
                }
            }
            Some(site) if role == Role::Symptom && !words.contains(site) => Label::AtSite {
                condition: words,
                site: site.to_owned(),
            },
            _ => Label::Condition(words),
        };
        nodes.insert(label, mention, mention.concept, role, past);
    }

    /// An organism that an examination of its sentence found: 「血液培養2セットからMSSAが検出された」.
    fn add_organism(&self, index: usize, nodes: &mut Nodes<'_>) {
        static GROWN: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(concat!(
                r"^(?:\([^()]{1,30}\))?(?:の(?:発育|増殖|コロニー))?(?:(?:[、,・]|と|および|及び)[^、。]{1,24})?",
                r"(?:が|を|も|の)?(?:有意に|多数|複数回)?(?:検出(?:し|さ|$|。)|陽性|同定|分離|証明し|証明さ|発育|培養され|認め(?:た|ら|$|、|。)|であった|と判明|と同定|、|。|,|$)",
            ))
            .expect("a constant pattern")
        });
        const FINDERS: [&str; 10] = [
            "培養",
            "PCR",
            "染色",
            "塗抹",
            "鏡検",
            "同定",
            "LAMP",
            "シークエンス",
            "穿刺",
            "生検",
        ];
        let mention = &self.mentions[index];
        let Some(id) = mention
            .concept
            .filter(|&id| self.lexicon.concept(id).kind == ConceptKind::Organism)
        else {
            return;
        };
        if mention.assertion.status != Status::Present || !GROWN.is_match(self.after(mention)) {
            return;
        }
        for exam in self.exams_of(index, 0) {
            if FINDERS.iter().any(|finder| exam.contains(finder)) {
                let label = Label::ExamFinding {
                    exam,
                    finding: mention.text.clone(),
                };
                nodes.insert(label, mention, Some(id), Role::ExamFinding, false);
            }
        }
    }

    /// True for what an examination came to, directly behind it: 「細胞診で悪性」.
    fn is_verdict(&self, index: usize) -> bool {
        let mention = &self.mentions[index];
        let exam = index.checked_sub(1).map(|before| &self.mentions[before]);
        matches!(mention.text.as_str(), "悪性" | "良性")
            && exam.is_some_and(|exam| {
                exam.kind == MentionKind::Exam
                    && exam.sentence == mention.sentence
                    && self
                        .text
                        .get(exam.norm.end..mention.norm.start)
                        .is_some_and(|between| between.chars().count() <= 8)
            })
    }

    /// The noun that の joins to an examination's finding: 「B6の拡張」, 「肝細胞周囲の線維化」; without
    /// degree. None where another condition or an exam stands there.
    fn words_before(&self, mention: &Mention) -> Option<&str> {
        const MAX_CHARS: usize = 14;
        let sentence = self.sentences.get(mention.sentence)?;
        let free = self.mentions[..mention.id.0 as usize]
            .iter()
            .rev()
            .find(|before| {
                let is_series = before.kind == MentionKind::Exam && SERIES.is_match(&before.text);
                !is_series
                    && !matches!(
                        before.kind,
                        MentionKind::Site | MentionKind::Feature | MentionKind::Change
                    )
            })
            .map_or(0, |before| before.norm.end);
        let from = free.max(sentence.span.start);
        let mut before = self.text.get(from..mention.norm.start)?;
        if let Some(series) = SERIES.find(before).filter(|series| series.start() > 0) {
            before = &before[..series.start()];
        }
        if let Some(size) = SIZE_BEFORE.find(before) {
            before = &before[..size.start()];
        }
        // 「肝細胞周囲の軽度の線維化」
        before = before
            .strip_suffix(['は', 'も'])
            .filter(|before| before.ends_with('に'))
            .unwrap_or(before)
            .strip_suffix(['の', 'に'])?;
        if let Some(rest) = before.strip_suffix("軽度").or_else(|| before.strip_suffix("著明")) {
            before = rest.strip_suffix('の').unwrap_or(rest);
        }
        let start = before
            .char_indices()
            .rev()
            .take_while(|&(_, c)| !('\u{3041}'..='\u{309f}').contains(&c) && (c.is_alphanumeric() || c == '-'))
            .last()?
            .0;
        let words = &before[start..];
        (2..=MAX_CHARS)
            .contains(&words.chars().count())
            .then_some(words)
            .filter(|words| !self.lexicon.is_frame_word(words))
    }

    /// True when a name ends in a word that says high or low.
    fn says_direction(&self, words: &str) -> bool {
        self.split_direction(words).is_some()
    }

    /// 「炎症反応上昇」 → 炎症反応, high.
    fn split_direction<'w>(&self, words: &'w str) -> Option<(&'w str, Direction)> {
        words.char_indices().skip(1).find_map(|(at, _)| {
            let direction = self.lexicon.result_word(&words[at..])?;
            direction
                .is_abnormal()
                .then(|| (words[..at].trim_end_matches('の'), direction))
        })
    }

    fn add_result(&self, mention: &Mention, nodes: &mut Nodes<'_>) {
        let Some(value) = &mention.value else { return };
        let Some(direction) = value.direction else { return };
        // A negative result stays out unless the diagnosis rests on it: the arranger decides.
        if direction == Direction::Negative {
            let name = mention
                .concept
                .map_or_else(|| full_name(mention), |id| &self.lexicon.concept(id).label);
            let label = Label::Result {
                test: name.to_owned(),
                result: direction.label().to_owned(),
            };
            nodes.insert(label, mention, mention.concept, Role::Result, false);
            return;
        }
        if !direction.is_abnormal() || mention.assertion.status != Status::Present {
            return;
        }
        let Some(test) = mention.concept else {
            let label = Label::Result {
                test: full_name(mention).to_owned(),
                result: direction.label().to_owned(),
            };
            nodes.insert(label, mention, None, Role::Result, false);
            return;
        };
        if self.is_recovery(test, mention, value) {
            return;
        }
        // A vital sign out of range is the symptom of that name: 体温39℃ is 発熱.
        if let Some(state) = self.lexicon.result_state(test, direction)
            && matches!(
                self.lexicon.concept(state).kind,
                ConceptKind::Symptom | ConceptKind::Sign
            )
            && self.lexicon.concept(test).class == "生体"
        {
            let label = Label::Condition(self.lexicon.concept(state).label.clone());
            nodes.insert(label, mention, Some(state), Role::Symptom, false);
            return;
        }
        let test_label = self.lexicon.concept(test).label.clone();
        let label = Label::Result {
            test: test_label,
            result: direction.label().to_owned(),
        };
        let past = mention.assertion.time == Temporality::Past;
        nodes.insert(label, mention, Some(test), Role::Result, past);
    }

    /// 「CRPは低下して」 tells of recovery: without a number, a fall to a low that the test hardly
    /// has. 「フェリチン低値」 and 「感度以下」 tell of a state.
    fn is_recovery(&self, test: ConceptId, mention: &Mention, value: &Value) -> bool {
        const STATES: [&str; 6] = ["低値", "低い", "低く", "以下", "未満", "欠"];
        let rest = self.text.get(mention.norm.end..).unwrap_or_default();
        let clause = rest.split(['、', '。', ',', '\n']).next().unwrap_or_default();
        value.number.is_none()
            && value.direction == Some(Direction::Low)
            && !STATES.iter().any(|state| clause.contains(state))
            && self.lexicon.reference_range(test, None, None).is_some_and(|range| {
                // 赤沈 2-10: what matters of such a test is the upper bound.
                range
                    .low
                    .is_none_or(|low| range.high.is_some_and(|high| low <= high * 0.3))
            })
    }

    fn add_exposure(&self, mention: &Mention, nodes: &mut Nodes<'_>) {
        if mention.assertion.status != Status::Present {
            return;
        }
        let label = match mention.kind {
            // 飲酒 and 喫煙 stand as they are.
            MentionKind::Drug
                if mention
                    .concept
                    .is_none_or(|id| self.lexicon.concept(id).class != "毒物") =>
            {
                // An English name is written as the dictionaries write the drug.
                let name = mention
                    .concept
                    .map(|id| self.lexicon.concept(id))
                    .filter(|concept| concept.english.eq_ignore_ascii_case(&mention.text))
                    .map_or(mention.text.as_str(), |concept| &concept.label);
                format!("{name}使用")
            }
            // 「喫煙歴」 says that there was 喫煙.
            _ => match mention.text.strip_suffix('歴') {
                Some(exposure) if !exposure.is_empty() => exposure.to_owned(),
                _ => full_name(mention).to_owned(),
            },
        };
        if mention.concept.is_some_and(|id| {
            matches!(
                self.lexicon.concept(id).class.as_str(),
                "supportive" | "other" | "rehabilitation"
            )
        }) {
            return;
        }
        nodes.insert(Label::History(label), mention, mention.concept, Role::Exposure, true);
        let after = self.after(mention);
        if EXPOSURE.is_match(after)
            && let Some(node) = nodes.of(mention)
        {
            // Words say that it is a cause; relate reads how strongly.
            nodes.candidates[node].primacy += 0.1;
        }
    }

    /// The mention's words without degree, course and size, and without what only its sentence needs.
    fn clean_label(&self, mention: &Mention) -> String {
        let listed = |words: &str| {
            mention
                .concept
                .is_some_and(|id| self.lexicon.concept(id).label == words)
        };
        let mut words = self.without_degree(full_name(mention)).trim();
        // 「四肢近位筋優位の筋力低下」 says where.
        let is_place = words.split_once("優位").is_some_and(|(place, _)| self.site_ends(place));
        if !listed(words) && !is_place {
            for pattern in [&SIZE, &FOREMOST] {
                words = pattern
                    .captures(words)
                    .and_then(|found| found.get(1))
                    .map_or(words, |rest| self.without_degree(rest.as_str()));
            }
        }
        // 「心窩部に圧痛」, 「38°C台の発熱」: a phrase for which the dictionary has a name.
        if let Some(id) = mention.concept
            && words.contains(|c: char| c.is_ascii_digit() || matches!(c, 'に' | 'を' | 'が'))
            && self.lexicon.lookup(words).contains(&id)
        {
            return self.lexicon.concept(id).label.clone();
        }
        if let Some(changed) = CHANGED.captures(words)
            && self
                .lexicon
                .lookup_kind(&changed[2], |kind| kind == ConceptKind::Site)
                .is_some()
        {
            return format!("{}{}", &changed[2], &changed[1]);
        }
        // 「膠原線維の軽度増加」 → 膠原線維増加: の goes, and with it degree inside the name.
        let words = match words.split_once('の') {
            Some((first, rest)) if !rest.is_empty() && first != "も" && !listed(words) => {
                format!("{first}{}", self.without_degree(rest))
            }
            _ => words.to_owned(),
        };
        TUMOUR_TYPE.replace(&words, "${1}型$2").into_owned()
    }

    /// True for words that end in a site's name.
    fn site_ends(&self, words: &str) -> bool {
        let is_site = |at: usize| self.lexicon.lookup_kind(&words[at..], |kind| kind == ConceptKind::Site);
        words.ends_with('筋') || words.char_indices().any(|(at, _)| is_site(at).is_some())
    }

    /// `words` without the modifiers of degree and course that they open with.
    fn without_degree<'w>(&self, words: &'w str) -> &'w str {
        let mut words = words;
        while let Some((modifier, class)) = self.lexicon.modifier_prefix(words) {
            if class == ModifierClass::Concept {
                break;
            }
            words = words[modifier.len()..].trim_start_matches(['な', 'の']);
            // 「全周性狭窄」: the modifier goes with its suffix.
            if let Some(rest) = adjectival_rest(words)
                && rest.chars().count() > 1
            {
                words = rest.trim_start_matches(['な', 'の']);
            }
        }
        words
    }

    /// 「四肢の脱力」 → 四肢, 脱力.
    fn split_site<'w>(&self, words: &'w str) -> Option<(&'w str, &'w str)> {
        let (site, condition) = words.split_once('の')?;
        let bare = site.trim_start_matches(['左', '右', '両', '側']);
        let is_site = |text: &str| {
            self.lexicon
                .lookup_kind(text, |kind| kind == ConceptKind::Site)
                .is_some()
        };
        (!condition.is_empty() && (is_site(site) || is_site(bare))).then_some((site, condition))
    }

    /// The site that a symptom or lesion stands at: directly before it in its clause, or after it
    /// in 「紅斑が前胸部に出現」.
    fn site_of(&self, index: usize) -> Option<String> {
        let mention = &self.mentions[index];
        // 「紅斑、水疱、びらんが前胸部に出現」: the last of the row has the site.
        let mut last = index;
        while let Some(next) = self.mentions.get(last + 1)
            && next.sentence == mention.sentence
            && matches!(next.kind, MentionKind::Disease | MentionKind::Finding)
            && matches!(
                self.text.get(self.mentions[last].norm.end..next.norm.start),
                Some("、" | "," | "と" | "や" | "・")
            )
        {
            last += 1;
        }
        if let Some(site) = self.mentions.get(last + 1)
            && site.kind == MentionKind::Site
            && site.sentence == mention.sentence
            && matches!(
                self.text.get(self.mentions[last].norm.end..site.norm.start),
                Some("が" | "は" | "を" | "も")
            )
            && self.text[site.norm.end..].starts_with('に')
        {
            return Some(site.text.clone());
        }
        // Through coordinated findings back to the site: 「下腿に浮腫、紫斑を認めた」.
        let mut at = index;
        while at > 0 {
            let before = &self.mentions[at - 1];
            if before.sentence != mention.sentence || before.norm.end > self.mentions[at].norm.start {
                return None;
            }
            let between = self.text.get(before.norm.end..self.mentions[at].norm.start)?;
            match before.kind {
                MentionKind::Site => {
                    return SITE_LINK.is_match(between).then(|| self.site_phrase(at - 1));
                }
                MentionKind::Feature | MentionKind::Time => return None,
                MentionKind::Disease | MentionKind::Finding
                    if matches!(
                        between,
                        "、" | "と" | "や" | "・" | "," | "および" | "及び" | "を伴う" | "を伴った"
                    ) && !self.opens_with_site(&mention.text) =>
                {
                    if let Some((site, _)) = self.split_site(&before.text) {
                        return Some(site.to_owned());
                    }
                    if at != index {
                        return None;
                    }
                }
                _ => return None,
            }
            at -= 1;
        }
        None
    }

    /// True for a name that opens with a region of the body (顔面紅斑), so that it takes no other from its
    /// neighbours (「四肢の関節痛と顔面紅斑」). Tissues are everywhere: 関節痛.
    fn opens_with_site(&self, name: &str) -> bool {
        const TISSUES: [&str; 9] = ["関節", "皮下", "皮膚", "粘膜", "筋肉", "血管", "骨", "リンパ節", "神経"];
        let starts: Vec<usize> = name.char_indices().map(|(at, _)| at).skip(1).take(4).collect();
        starts.into_iter().map(|at| &name[..at]).any(|site| {
            !TISSUES.contains(&site)
                && self
                    .lexicon
                    .lookup_kind(site, |kind| kind == ConceptKind::Site)
                    .is_some()
        })
    }

    /// The site with the sites before it that belong to it: 左|下腿; 体幹・四肢.
    fn site_phrase(&self, index: usize) -> String {
        let site = &self.mentions[index];
        let mut start = site.norm.start;
        for before in self.mentions[..index].iter().rev() {
            let between = self.text.get(before.norm.end..start).unwrap_or("。");
            if before.kind == MentionKind::Site
                && matches!(
                    between,
                    "" | "、" | "," | "・" | "と" | "や" | "および" | "及び" | "から" | "ならびに"
                )
            {
                start = before.norm.start;
            } else {
                break;
            }
        }
        // A side that the tokens left outside.
        for side in ["両側", "左右", "右", "左", "両"] {
            if self.text[..start].ends_with(side) {
                start -= side.len();
                break;
            }
        }
        let phrase = Span::<Norm>::new(start, site.norm.end).slice(self.text);
        phrase
            .replace(['、', ',', 'と', 'や'], "・")
            .replace("および", "・")
            .replace("及び", "・")
            .replace("ならびに", "・")
    }

    /// The examinations that show a finding: the last exam before it in its sentence or in so many
    /// sentences before it, with those that are coordinated with it (「CT・腹部エコー上」), else what
    /// its section is about.
    fn exams_of(&self, index: usize, sentences_back: usize) -> Vec<String> {
        let mention = &self.mentions[index];
        let wide = IMAGING_SECTIONS.contains(&self.section(mention));
        let reach = if wide { 4 } else { sentences_back };
        for (at, before) in self.mentions[..index].iter().enumerate().rev() {
            let same_section = before.section == mention.section;
            if !same_section {
                break;
            }
            if before.kind == MentionKind::Exam && self.shows_findings(before) {
                if mention.sentence - before.sentence > reach {
                    break;
                }
                // 「頭部MRIで…に拡散強調像で高信号」: the examination, not its series.
                let before = self.whole_exam(at).unwrap_or(before);
                let mut exams = vec![self.exam_label(before, mention)];
                let mut next = before;
                for other in self.mentions[..at].iter().rev() {
                    let between = self.text.get(other.norm.end..next.norm.start);
                    let joined = between.is_some_and(|between| EXAM_JOINTS.contains(&between.trim()));
                    if !joined || other.kind != MentionKind::Exam || !self.shows_findings(other) {
                        break;
                    }
                    exams.push(self.exam_label(other, mention));
                    next = other;
                }
                return exams;
            }
        }
        (self.section(mention) == SectionKind::Pathology)
            .then(|| self.histology_of(mention))
            .into_iter()
            .collect()
    }

    /// The examination in the same sentence that a series of images belongs to.
    fn whole_exam(&self, series: usize) -> Option<&Mention> {
        let series_mention = &self.mentions[series];
        let is_series = SERIES
            .find(&series_mention.text)
            .is_some_and(|found| found.start() == 0);
        let mut before = self.mentions[..series].iter().rev();
        is_series.then(|| {
            before.find(|exam| {
                exam.kind == MentionKind::Exam
                    && exam.sentence == series_mention.sentence
                    && exam.text.contains("MR")
                    && self.shows_findings(exam)
            })
        })?
    }

    /// An exam as labels write it: as the report does, but 「組織学的に」 by the organ whose tissue
    /// is described, an abbreviation written out (CF), and without 検査 after an exam's name.
    fn exam_label(&self, exam: &Mention, finding: &Mention) -> String {
        let mut rest = exam.text.as_str();
        while let Some(shorter) = [
            "病理", "組織", "生検", "学的", "所見", "像", "診断", "検査", "標本", "切除", "結果", "検索",
        ]
        .iter()
        .find_map(|word| rest.strip_prefix(word))
        {
            rest = shorter;
        }
        if rest.is_empty() {
            let histology = self.histology_of(finding);
            let unsaid = histology == SectionKind::Pathology.name();
            return if unsaid && exam.text.starts_with("生検") {
                "生検".to_owned()
            } else {
                histology
            };
        }
        // 「肝組織」 is the liver biopsy; but 「腹部造影CT」 stays what it is.
        match exam.concept.map(|id| self.lexicon.concept(id)) {
            Some(concept) if concept.class == "biopsy" => concept.label.clone(),
            Some(concept) if concept.abbreviations.contains(&exam.text) => concept.label.clone(),
            _ => self.exam_name(&exam.text).to_owned(),
        }
    }

    /// 「腹部CT検査」, 「CTスキャン」 without the last word, where what stands before it ends in an
    /// exam's name.
    fn exam_name<'w>(&self, words: &'w str) -> &'w str {
        let is_exam = |name: &str| {
            self.lexicon
                .lookup_kind(name, |kind| kind == ConceptKind::Exam)
                .is_some()
        };
        ["検査", "スキャン"]
            .iter()
            .find_map(|tail| words.strip_suffix(tail))
            .map(str::trim_end)
            .filter(|name| name.char_indices().any(|(at, _)| is_exam(&name[at..])))
            .unwrap_or(words)
    }

    /// Which tissue a histological finding is of: by the words of its sentence, else by the only
    /// biopsy of the report, else unsaid.
    fn histology_of(&self, finding: &Mention) -> String {
        let words = self
            .sentences
            .get(finding.sentence)
            .map_or("", |sentence| sentence.span.slice(self.text));
        if let Some(biopsy) = self.lexicon.biopsy_of_tissue(words) {
            return biopsy.to_owned();
        }
        let mut biopsies: Vec<&str> = self
            .mentions
            .iter()
            .filter(|mention| mention.kind == MentionKind::Exam)
            .filter_map(|mention| mention.concept.map(|id| self.lexicon.concept(id)))
            .filter(|concept| concept.class == "biopsy" && concept.label.ends_with("生検") && concept.label != "生検")
            .map(|concept| concept.label.as_str())
            .collect();
        biopsies.dedup();
        match biopsies[..] {
            [only] => only.to_owned(),
            _ => SectionKind::Pathology.name().to_owned(),
        }
    }

    /// False for examinations at the bedside: what they find is a plain sign.
    fn shows_findings(&self, exam: &Mention) -> bool {
        exam.concept
            .is_none_or(|id| self.lexicon.concept(id).class != "bedside")
    }

    /// How much the report says that a candidate is its subject.
    fn primacy(&self, candidates: &mut [Candidate]) {
        let mut general: HashMap<ConceptId, f64> = HashMap::new();
        for mention in self.mentions {
            // A background that speaks of a disease in general says what the report is about.
            if let (Some(id), Status::General | Status::Suspected) = (mention.concept, mention.assertion.status)
                && matches!(
                    self.section(mention),
                    SectionKind::Background | SectionKind::Discussion | SectionKind::Conclusion
                )
            {
                *general.entry(id).or_default() += 0.4;
            }
        }
        // What the words after a mention say of its part in the report (cues/standing.tsv).
        let number = |name: &str| self.lexicon.standing_cues().iter().position(|cue| cue.name == name);
        let [complicates, about_cue, diagnosed_cue, formerly] =
            ["complicates", "about", "diagnosed", "formerly"].map(number);
        let mut last_diagnosed: Option<(usize, usize)> = None;
        for (index, candidate) in candidates.iter_mut().enumerate() {
            candidate.primacy += match candidate.role {
                Role::Disease => 1.0,
                Role::Pathology => -0.5,
                Role::Symptom => -1.5,
                _ => -100.0,
            };
            if candidate.needs_effect {
                candidate.primacy -= 1.5;
            }
            if let Some(id) = candidate.concept {
                candidate.primacy += general.get(&id).copied().unwrap_or_default().min(1.6);
            }
            candidate.primacy += if is_metastasis(candidate, self.lexicon) {
                METASTASIS
            } else {
                0.0
            };
            candidate.primacy += 0.25 * (candidate.mentions.len() as f64 - 1.0).min(4.0);
            let mut about = false;
            let mut diagnosed = false;
            for &id in &candidate.mentions {
                let mention = &self.mentions[id.0 as usize];
                let after = self.after(mention);
                let standing: Vec<usize> = self.lexicon.standing_cues_after(after).collect();
                let stands = |cue: Option<usize>| cue.is_some_and(|cue| standing.contains(&cue));
                candidate.is_complication |= stands(complicates);
                about |= stands(about_cue);
                if stands(diagnosed_cue) && !stands(formerly) {
                    diagnosed = true;
                    if candidate.role == Role::Disease
                        && last_diagnosed.is_none_or(|(start, _)| start < mention.norm.start)
                    {
                        last_diagnosed = Some((mention.norm.start, index));
                    }
                }
                candidate.primacy += match self.section(mention) {
                    SectionKind::Title => 3.0,
                    SectionKind::Diagnosis => 1.5,
                    SectionKind::Conclusion => 0.8,
                    SectionKind::Background => 0.8,
                    SectionKind::Discussion => 0.4,
                    SectionKind::ChiefComplaint | SectionKind::SocialHistory | SectionKind::Medication => -0.5,
                    SectionKind::PastHistory | SectionKind::Comorbidity => -1.0,
                    _ => 0.0,
                };
            }
            candidate.primacy += if about { 3.0 } else { 0.0 } + if diagnosed { 1.5 } else { 0.0 };
        }
        // Of several diagnoses on the way the last is the report's own.
        if let Some((_, index)) = last_diagnosed {
            candidates[index].primacy += 0.5;
        }
    }
}

impl Nodes<'_> {
    fn of(&self, mention: &Mention) -> Option<usize> {
        self.candidates
            .iter()
            .position(|candidate| candidate.mentions.contains(&mention.id))
    }

    /// Adds a mention to the candidate of its label or concept, or makes one.
    fn insert(&mut self, label: Label, mention: &Mention, concept: Option<ConceptId>, role: Role, needs_effect: bool) {
        let text = label.to_string();
        let existing = self
            .by_label
            .get(&text)
            .copied()
            .or_else(|| self.same(&label, concept, role))
            .or_else(|| self.same_words(&label, role));
        if let Some(index) = existing {
            let candidate = &mut self.candidates[index];
            candidate.mentions.push(mention.id);
            candidate.needs_effect &= needs_effect;
            // The more specific label names the node: 細菌性肺炎 rather than 肺炎.
            if self.more_specific(&label, concept, index) {
                self.candidates[index].label = label;
                self.candidates[index].concept = concept;
            }
            self.by_label.insert(text, index);
            return;
        }
        self.by_label.insert(text, self.candidates.len());
        self.candidates.push(Candidate {
            label,
            concept,
            role,
            mentions: vec![mention.id],
            inferred: false,
            needs_effect,
            is_complication: false,
            primacy: 0.0,
        });
    }

    /// A disease of the same words in another order: 胃癌多発皮膚転移, 多発性胃癌皮膚転移.
    fn same_words(&self, label: &Label, role: Role) -> Option<usize> {
        /// Of shorter names the order says more: 肝胆, 胆肝.
        const LEAST_CHARS: usize = 6;
        let letters = |label: &Label| match label {
            Label::Condition(words) if words.chars().count() >= LEAST_CHARS => {
                let mut letters: Vec<char> = words.chars().filter(|c| !matches!(c, '性' | 'の' | '・')).collect();
                letters.sort_unstable();
                Some(letters)
            }
            _ => None,
        };
        let own = letters(label).filter(|_| matches!(role, Role::Disease | Role::Pathology))?;
        self.candidates
            .iter()
            .position(|candidate| candidate.role == role && letters(&candidate.label).as_ref() == Some(&own))
    }

    /// A candidate of the same concept, or of one that is a kind of the other.
    fn same(&self, label: &Label, concept: Option<ConceptId>, role: Role) -> Option<usize> {
        let concept = concept?;
        self.candidates.iter().position(|candidate| {
            let Some(other) = candidate.concept else { return false };

            match (&candidate.label, label) {
                (Label::Condition(a), Label::Condition(b)) => {
                    (other == concept && (a.contains(b.as_str()) || b.contains(a.as_str()) || self.is_name(a, b)))
                        || role == candidate.role
                            && (self.lexicon.is_a(concept, other) || self.lexicon.is_a(other, concept))
                            && (role == Role::Symptom || a.ends_with(b.as_str()) || b.ends_with(a.as_str()))
                }
                (Label::AtSite { .. }, Label::Condition(_)) | (Label::Condition(_), Label::AtSite { .. }) => {
                    other == concept
                }
                (Label::AtSite { site: a, .. }, Label::AtSite { site: b, .. }) => {
                    other == concept
                        && (a.contains(b.as_str())
                            || b.contains(a.as_str())
                            || self.is_part(a, b)
                            || self.is_part(b, a))
                }
                (Label::Result { result: a, .. }, Label::Result { result: b, .. }) => other == concept && a == b,
                (Label::ExamFinding { exam: a, .. }, Label::ExamFinding { exam: b, .. }) => other == concept && a == b,
                (Label::History(_), Label::History(_)) => {
                    other == concept || self.is_class_of(other, concept) || self.is_class_of(concept, other)
                }
                _ => false,
            }
        })
    }

    /// True when `class` is the drug class of `drug`: アントラサイクリン系薬剤 of ドキソルビシン.
    fn is_class_of(&self, class: ConceptId, drug: ConceptId) -> bool {
        let name = &self.lexicon.concept(class).label;
        let stem = [
            "系薬剤",
            "系抗菌薬",
            "系抗癌薬",
            "系抗がん薬",
            "系薬",
            "製剤",
            "薬剤",
            "薬",
        ]
        .iter()
        .find_map(|tail| name.strip_suffix(tail));
        stem.is_some_and(|stem| stem.chars().count() >= 3 && self.lexicon.concept(drug).class.contains(stem))
    }

    /// True when one site is part of the other: 右下肢 of 四肢.
    fn is_part(&self, part: &str, whole: &str) -> bool {
        let site = |text: &str| self.lexicon.lookup_kind(text, |kind| kind == ConceptKind::Site);
        matches!((site(part), site(whole)), (Some(part), Some(whole)) if self.lexicon.is_a(part, whole))
    }

    /// True when both are plain names of one concept, so that neither says more.
    fn is_name(&self, a: &str, b: &str) -> bool {
        !self.lexicon.lookup(a).is_empty() && !self.lexicon.lookup(b).is_empty()
    }

    fn more_specific(&self, label: &Label, concept: Option<ConceptId>, index: usize) -> bool {
        let candidate = &self.candidates[index];
        match (label, &candidate.label) {
            (Label::AtSite { .. }, Label::Condition(_)) => candidate.role == Role::Symptom,
            (Label::Condition(new), Label::Condition(old)) => match (concept, candidate.concept) {
                (Some(new_id), Some(old_id)) if new_id != old_id => self.lexicon.is_a(new_id, old_id),
                // A Latin abbreviation gives way to the name that the report writes out.
                _ => old.is_ascii() && !new.is_ascii() || new.ends_with(old.as_str()) && new.len() > old.len(),
            },
            _ => false,
        }
    }
}

/// A mention's words, completed where its report completes them.
fn full_name(mention: &Mention) -> &str {
    mention.expansion.as_deref().unwrap_or(&mention.text)
}

/// What being a metastasis or recurrence takes from a candidate's primacy: the cancer is meant.
const METASTASIS: f64 = -0.6;

fn is_metastasis(candidate: &Candidate, lexicon: &Lexicon) -> bool {
    let code = candidate.concept.map_or("", |id| lexicon.concept(id).icd10.as_str());
    ("C77".."C80").contains(&code)
}
