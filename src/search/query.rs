//! What is asked: findings that are there and that are not, and what narrows the cases.

use std::collections::HashMap;

use super::entry::{Entry, drug};
use super::term;
use crate::error::Error;
use crate::export::CaseRecord;
use crate::lexicon::{Key, Lexicon, Patient, Sex};
use crate::pipeline::Pipeline;
use crate::types::{Assertion, Case, ConceptId, ConceptKind, Direction, Label, MentionKind, Status, Value};

/// Ages in years, both ends included; an end that is missing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgeRange {
    /// Least age.
    pub from: Option<u64>,
    /// Greatest age.
    pub to: Option<u64>,
}

/// A finding of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// As a person reads it.
    pub label: String,
    /// What the dictionaries know it as.
    pub key: Option<Key>,
    /// Its term in the index.
    pub term: String,
    /// The site where it is asked for.
    pub site: Option<ConceptId>,
}

impl Asked {
    fn of_label(label: &Label, lexicon: &Lexicon) -> Self {
        let modified = match label {
            Label::Condition(text) => lexicon.lookup_modified_condition(text),
            _ => None,
        };
        let key = lexicon
            .key(label)
            .or_else(|| modified.map(|id| lexicon.condition_key(id)));
        let sited = term::at_site(lexicon, label);
        Asked {
            label: label.to_string(),
            key,
            term: key.map_or_else(|| term::of_label(lexicon, label), |key| term::of_key(lexicon, key)),
            // 右下腹部痛 is a concept of its own; しびれ@左手 is one at a site.
            site: sited.map(|(_, site)| site),
        }
    }

    fn of_key(key: Key, lexicon: &Lexicon) -> Self {
        Asked {
            label: term::key_label(lexicon, key),
            key: Some(key),
            term: term::of_key(lexicon, key),
            site: None,
        }
    }
}

/// A question to a [`super::CaseIndex`].
///
/// The text of a query is either words of a report (「3日前からの発熱、血小板減少、腹痛はない」), which
/// the pipeline structures, or terms with spaces between them:
///
/// | term | what it asks |
/// | --- | --- |
/// | `発熱`, `血小板/低下`, `しびれ@左手` | the finding is there; a label of the notation |
/// | `-腹痛` | the finding is not there |
/// | `disease:肺炎` | only this disease and its kinds |
/// | `cause:喫煙`, `drug:メトホルミン` | only cases with this above the primary disease; with this drug |
/// | `specialty:血液`, `sex:女`, `age:60-`, `age:20-39` | only such diseases, such patients |
/// | `肺癌>SIADH` | only cases whose map has this edge |
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub(super) present: Vec<Asked>,
    pub(super) absent: Vec<Asked>,
    /// Only these diseases and their kinds.
    pub(super) diseases: Vec<Asked>,
    pub(super) causes: Vec<Asked>,
    pub(super) drugs: Vec<String>,
    pub(super) paths: Vec<(Asked, Asked)>,
    pub(super) specialty: Option<String>,
    pub(super) sex: Option<Sex>,
    pub(super) age: Option<AgeRange>,
    /// Whom the diseases are ranked for; narrows no cases.
    pub(super) patient: Patient,
    /// What no dictionary lists: looked for in the cases' words.
    pub(super) words: Vec<String>,
    /// The case whose like is asked for.
    pub(super) like: Option<Entry>,
}

impl Query {
    /// Reads a query, see [`Query`]. What names nothing is looked for in the reports' words, see
    /// [`Query::unknown`].
    ///
    /// # Errors
    /// [`Error::Query`] for an empty query, an unknown `name:`, an age or a sex that cannot be read, and
    /// a finding that is asked for as there and as not there; [`Error::TooLong`].
    ///
    /// ```
    /// use shorei::search::Query;
    /// let pipeline = shorei::Pipeline::load_default()?;
    /// let query = Query::parse("3日前からの発熱、血小板減少、腹痛はない", &pipeline)?;
    /// assert_eq!(query.present_labels(), ["発熱", "血小板/低下"]);
    /// assert_eq!(query.absent_labels(), ["腹痛"]);
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn parse(text: &str, pipeline: &Pipeline) -> Result<Self, Error> {
        let lexicon = pipeline.lexicon();
        let mut query = Query::default();
        let normal = narrow(text);
        let mut free: Vec<&str> = Vec::new();
        for part in normal.split_whitespace() {
            if let Some((name, value)) = part.split_once(':').filter(|(name, _)| *name != "H") {
                query.restrict(name, value, lexicon)?;
            } else if let Some(label) = part.strip_prefix('-').filter(|label| !label.is_empty()) {
                let asked = read(label, pipeline)?.ok_or_else(|| Error::Query {
                    value: label.to_owned(),
                    reason: "no dictionary lists what should be absent".into(),
                })?;
                query.absent.extend(asked.0);
            } else if let Some((cause, effect)) = part.split_once('>') {
                if cause.is_empty() || effect.is_empty() {
                    return Err(Error::Query {
                        value: part.to_owned(),
                        reason: "an edge needs a cause and an effect without spaces, e.g. `肺癌>SIADH`".into(),
                    });
                }
                let [cause, effect] = [cause, effect].map(|text| {
                    let Ok(label) = text.parse::<Label>();
                    Asked::of_label(&label, lexicon)
                });
                query.paths.push((cause, effect));
            } else {
                free.push(part);
            }
        }
        let terms: Vec<Option<Found>> = free.iter().map(|part| read(part, pipeline)).collect::<Result<_, _>>()?;
        if terms.iter().all(Option::is_some) {
            for (present, absent) in terms.into_iter().flatten() {
                query.present.extend(present);
                query.absent.extend(absent);
            }
        } else {
            // Words that hang together: 「腹痛 なし」.
            let text = free.join(" ");
            let (present, absent) = structured(&text, pipeline)?;
            if present.is_empty() && absent.is_empty() {
                query.words = pipeline.words(&text);
            }
            query.present.extend(present);
            query.absent.extend(absent);
        }
        let told = Pipeline::patient(text);
        query.patient = Patient {
            sex: query.sex.or(told.sex),
            age_years: told.age_years,
        };
        let is_present = |absent: &&Asked| {
            let same = |present: &Asked| (&present.term, present.site) == (&absent.term, absent.site);
            query.present.iter().any(same)
        };
        if let Some(both) = query.absent.iter().find(is_present) {
            return Err(Error::Query {
                value: both.label.clone(),
                reason: "is asked for as there and as not there; leave one of the two out".into(),
            });
        }
        query.tidy();
        if query.is_empty() {
            return Err(Error::Query {
                value: text.trim().to_owned(),
                reason: "names no finding and narrows nothing; ask for findings, e.g. `発熱 血小板/低下 -腹痛`".into(),
            });
        }
        Ok(query)
    }

    /// Asks for what a report tells: its findings, present and absent, of its patient.
    pub fn of_case(case: &Case, lexicon: &Lexicon) -> Self {
        let (present, absent) = findings(case, lexicon);
        Query {
            patient: Pipeline::patient(case.text.raw()),
            ..Query::of_keys(&present, &absent, lexicon)
        }
    }

    /// Asks for findings by their keys.
    pub fn of_keys(present: &[Key], absent: &[Key], lexicon: &Lexicon) -> Self {
        let asked = |keys: &[Key]| keys.iter().map(|&key| Asked::of_key(key, lexicon)).collect();
        let mut query = Query {
            present: asked(present),
            absent: asked(absent),
            ..Query::default()
        };
        query.tidy();
        query
    }

    /// Asks for the like of a case, which is itself left out of what is found: by its findings for
    /// diseases, by its whole map for cases. With `hide_primary` its primary disease says nothing.
    pub fn like(entry: &Entry, hide_primary: bool, lexicon: &Lexicon) -> Self {
        let hidden = entry.primary_term(lexicon).filter(|_| hide_primary);
        let mut query = Query::default();
        for (term, node) in entry.nodes.iter().zip(&entry.map.nodes) {
            let is_hidden = hide_primary && entry.map.primary == Some(node.id) || hidden.as_ref() == Some(term);
            if !is_hidden {
                query.present.push(Asked::of_label(&node.label, lexicon));
            }
        }
        let absent = entry.absent.iter().filter_map(|term| term::key(lexicon, term));
        query.absent.extend(absent.map(|key| Asked::of_key(key, lexicon)));
        query.patient = Patient {
            sex: entry.sex,
            age_years: entry.age_years,
        };
        query.like = Some(entry.clone());
        query.tidy();
        query
    }

    /// The findings that are asked for, as labels.
    pub fn present_labels(&self) -> Vec<&str> {
        self.present.iter().map(|asked| asked.label.as_str()).collect()
    }

    /// The findings that are said not to be there.
    pub fn absent_labels(&self) -> Vec<&str> {
        self.absent.iter().map(|asked| asked.label.as_str()).collect()
    }

    /// Whom the diseases are ranked for.
    pub fn patient(&self) -> Patient {
        self.patient
    }

    /// The keys of the findings that dictionaries list, present and absent ones.
    pub fn keys(&self) -> (Vec<Key>, Vec<Key>) {
        let keys = |asked: &[Asked]| asked.iter().filter_map(|asked| asked.key).collect();
        (keys(&self.present), keys(&self.absent))
    }

    /// What no dictionary lists: labels that only cases can have, and words that are looked for in
    /// the reports.
    pub fn unknown(&self) -> Vec<&str> {
        let narrowing = self.diseases.iter().chain(&self.causes);
        let narrowing = narrowing.chain(self.paths.iter().flat_map(|(cause, effect)| [cause, effect]));
        let findings = self.present.iter().chain(&self.absent);
        let labels = findings.chain(narrowing).filter(|asked| asked.key.is_none());
        let labels = labels.map(|asked| asked.label.as_str());
        labels.chain(self.words.iter().map(String::as_str)).collect()
    }

    /// The specialty that is asked for.
    pub fn specialty(&self) -> Option<&str> {
        self.specialty.as_deref()
    }

    /// True when nothing is known of what is asked but its words: the cases are then those whose
    /// reports have at least half of them.
    pub(super) fn by_words(&self) -> bool {
        self.present.is_empty() && self.absent.is_empty() && !self.words.is_empty()
    }

    /// True when the cases are narrowed by anything but findings.
    pub(super) fn narrows(&self) -> bool {
        !(self.diseases.is_empty()
            && !self.by_words()
            && self.causes.is_empty()
            && self.drugs.is_empty()
            && self.paths.is_empty()
            && self.specialty.is_none()
            && self.sex.is_none()
            && self.age.is_none())
    }

    fn is_empty(&self) -> bool {
        self.present.is_empty() && self.absent.is_empty() && self.words.is_empty() && !self.narrows()
    }

    /// One finding once; what is there is not absent.
    fn tidy(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.present
            .retain(|asked| seen.insert((asked.term.clone(), asked.site)));
        let mut absent = std::mem::take(&mut self.absent);
        absent.retain(|asked| seen.insert((asked.term.clone(), asked.site)));
        self.absent = absent;
    }

    fn restrict(&mut self, name: &str, value: &str, lexicon: &Lexicon) -> Result<(), Error> {
        let fail = |reason: &str| Error::Query {
            value: format!("{name}:{value}"),
            reason: reason.to_owned(),
        };
        if value.is_empty() {
            return Err(fail(
                "nothing stands after the colon; write it without a space, e.g. `age:60-`",
            ));
        }
        let Ok(label) = value.parse::<Label>();
        match name {
            "disease" | "病名" => self.diseases.push(Asked::of_label(&label, lexicon)),
            "cause" | "原因" => {
                let Ok(exposure) = format!("H:{value}").parse::<Label>();
                let named = Asked::of_label(&label, lexicon);
                self.causes.push(if named.key.is_some() {
                    named
                } else {
                    Asked::of_label(&exposure, lexicon)
                });
            }
            "drug" | "薬" => {
                let found = drug(lexicon, value).ok_or_else(|| fail("no dictionary lists this drug"))?;
                // A class: all its drugs, by whichever of the class's names they have (副腎皮質ステロイド).
                let mut is_class: HashMap<&str, bool> = HashMap::new();
                let of_class = lexicon
                    .concepts()
                    .iter()
                    .filter(|concept| concept.kind == ConceptKind::Drug && !concept.class.is_empty())
                    .filter(|concept| {
                        let class = concept.class.as_str();
                        let of = || drug(lexicon, class).as_ref() == Some(&found);
                        class == value || *is_class.entry(class).or_insert_with(of)
                    });
                self.drugs.extend(of_class.map(|concept| concept.id.clone()));
                self.drugs.push(found);
            }
            "specialty" | "診療科" => self.specialty = Some(specialty(value, lexicon).to_owned()),
            "sex" | "性別" => {
                self.sex = Some(match value {
                    "男" | "男性" | "M" | "m" => Sex::Male,
                    "女" | "女性" | "F" | "f" => Sex::Female,
                    _ => return Err(fail("expected 男, 女, M or F")),
                });
            }
            "age" | "年齢" => {
                let number = |text: &str| match text {
                    "" => Ok(None),
                    text => text
                        .parse()
                        .map(Some)
                        .map_err(|_| fail("expected years: 60-, -20, 20-39 or 65")),
                };
                let (from, to) = value.split_once('-').unwrap_or((value, value));
                let range = AgeRange {
                    from: number(from)?,
                    to: number(to)?,
                };
                let is_empty = matches!((range.from, range.to), (Some(from), Some(to)) if from > to);
                if range == AgeRange::default() || is_empty {
                    return Err(fail("expected years: 60-, -20, 20-39 or 65"));
                }
                self.age = Some(range);
            }
            _ => {
                return Err(fail(
                    "unknown name; expected disease, cause, drug, specialty, sex or age before the colon",
                ));
            }
        }
        Ok(())
    }
}

/// Findings that are there, and that are not.
type Found = (Vec<Asked>, Vec<Asked>);

/// The specialty as the dictionaries call it: 血液 for 血液内科. What they do not know stays as it is,
/// for cases can state specialties of their own.
fn specialty<'v>(value: &'v str, lexicon: &Lexicon) -> &'v str {
    let is_known = |name: &str| lexicon.specialties().any(|known| known == name);
    ["", "内科", "外科", "科"]
        .into_iter()
        .filter_map(|tail| value.strip_suffix(tail))
        .find(|name| is_known(name))
        .unwrap_or(value)
}

/// Full-width forms of the query's own signs.
fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '：' => ':',
        '＞' => '>',
        '／' => '/',
        '＠' => '@',
        '－' | '−' => '-',
        '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// The findings of one term; none where it names none.
fn read(part: &str, pipeline: &Pipeline) -> Result<Option<Found>, Error> {
    let Ok(label) = part.parse::<Label>();
    let asked = Asked::of_label(&label, pipeline.lexicon());
    let is_notation = !matches!(label, Label::Condition(_));
    if asked.key.is_some() || is_notation {
        return Ok(Some((vec![asked], Vec::new())));
    }
    let (present, absent) = structured(part, pipeline)?;
    // 「78歳女性」 names the patient and no finding.
    if present.is_empty() && absent.is_empty() && Pipeline::patient(part) != Patient::default() {
        return Ok(Some((present, absent)));
    }
    Ok((!present.is_empty() || !absent.is_empty()).then_some((present, absent)))
}

fn structured(text: &str, pipeline: &Pipeline) -> Result<Found, Error> {
    let lexicon = pipeline.lexicon();
    let case = pipeline.structure("query", text)?;
    let (present, absent) = findings(&case, lexicon);
    let asked = |keys: Vec<Key>| keys.into_iter().map(|key| Asked::of_key(key, lexicon)).collect();
    Ok((asked(present), asked(absent)))
}

/// How far past the reference range, as a part of its width, a value lies before it says something
/// of a disease: one healthy person in twenty lies outside by a little.
const MARKED: f64 = 0.1;

/// False for a value that lies only just outside its reference range.
fn is_marked(test: ConceptId, value: &Value, patient: Patient, lexicon: &Lexicon) -> bool {
    let printed = (value.range_low, value.range_high);
    let (number, range) = match (value.number, printed) {
        (Some(number), (None, None)) => {
            let range = lexicon.reference_range(test, patient.sex, patient.age_years);
            let factor = if value.unit.is_empty() {
                Some(1.0)
            } else {
                lexicon.unit_factor(test, &value.unit)
            };
            let (Some(range), Some(factor)) = (range, factor) else {
                return true;
            };
            (number * factor, (range.low, range.high))
        }
        (Some(number), printed) => (number, printed),
        (None, _) => return true,
    };
    let (Some(low), Some(high)) = range else { return true };
    let margin = MARKED * (high - low);
    match value.direction {
        // A unit that was left out may have made another number of it.
        Some(Direction::High) if number >= high => number > high + margin,
        Some(Direction::Low) if number <= low => number < low - margin,
        _ => true,
    }
}

/// The findings of a case, each once: what the patient has, and what is said not to be there. Values
/// just outside their reference range are left out. O(mentions).
pub fn findings(case: &Case, lexicon: &Lexicon) -> (Vec<Key>, Vec<Key>) {
    let mentions = case.mentions.iter().map(|mention| {
        (
            mention.kind,
            mention.concept,
            mention.value.as_ref(),
            &mention.assertion,
        )
    });
    collect(mentions, Pipeline::patient(case.text.raw()), lexicon)
}

/// As [`findings`], of a case's record.
pub fn findings_of_record(case: &CaseRecord, lexicon: &Lexicon) -> (Vec<Key>, Vec<Key>) {
    let mentions = case.mentions.iter().map(|mention| {
        let concept = mention.concept.as_ref().and_then(|concept| lexicon.by_id(&concept.id));
        (mention.kind, concept, mention.value.as_ref(), &mention.assertion)
    });
    collect(mentions, Pipeline::patient(&case.text), lexicon)
}

type Told<'c> = (MentionKind, Option<ConceptId>, Option<&'c Value>, &'c Assertion);

fn collect<'c>(mentions: impl Iterator<Item = Told<'c>>, patient: Patient, lexicon: &Lexicon) -> (Vec<Key>, Vec<Key>) {
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for (kind, concept, value, assertion) in mentions {
        let Some(concept) = concept else { continue };
        let key = match kind {
            MentionKind::Disease | MentionKind::Finding => lexicon.condition_key(concept),
            MentionKind::TestItem => match value {
                Some(value) if is_marked(concept, value, patient, lexicon) => match value.direction {
                    Some(direction) if direction.is_abnormal() => Key::Result(concept, direction),
                    _ => continue,
                },
                _ => continue,
            },
            _ => continue,
        };
        let list = match assertion.status {
            Status::Present if assertion.holds() => &mut present,
            Status::Absent => &mut absent,
            _ => continue,
        };
        if !list.contains(&key) {
            list.push(key);
        }
    }
    absent.retain(|key| !present.contains(key));
    (present, absent)
}
