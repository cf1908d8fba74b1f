//! Cues: the words that negate, doubt or connect, as data under dictionaries/cues.

use std::sync::OnceLock;

use regex::{Match, Regex, RegexSet, RegexSetBuilder, SetMatches};
use serde::{Deserialize, Serialize};

use super::table::{Row, Table};
use crate::error::Error;
use crate::types::{RelationKind, Status};

/// A pattern of a table, checked when the table is read and compiled when it is first asked: a
/// hundred patterns take as long to compile as all tables to take up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    source: String,
    regex: OnceLock<Regex>,
}

impl Pattern {
    fn regex(&self) -> &Regex {
        self.regex
            .get_or_init(|| Regex::new(&self.source).expect("a pattern that was checked when its table was read"))
    }

    /// The leftmost match in `text`.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.regex().find(text)
    }

    /// True when it matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex().is_match(text)
    }
}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Pattern {
            source,
            regex: OnceLock::new(),
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.source
    }
}

/// A word that tells a finding of a noun: 「右肝静脈は狭窄」, 「階段昇降が困難」.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// The word.
    pub word: String,
    /// True for what befalls organs, so that it may stand before one as well: 「腫大した虫垂」.
    pub of_organ: bool,
    /// True for the level of a test, which the noun then is: 「尿中LTE4は著増」.
    pub is_level: bool,
    /// Ends of nouns of which it tells no finding: 手術 of 「手術は困難」.
    pub except: Vec<String>,
}

pub(super) fn read_predicates(table: &Table<'_>) -> Result<Vec<Predicate>, Error> {
    let mut predicates = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let (of_organ, is_level) = match row.get("use") {
            "organ" => (true, false),
            "any" => (false, false),
            "level" => (false, true),
            other => return Err(table.error(row, other, "expected organ, any or level")),
        };
        predicates.push(Predicate {
            word: row.get("word").to_owned(),
            of_organ,
            is_level,
            except: row.list("except"),
        });
    }
    predicates.sort_by_key(|predicate| std::cmp::Reverse(predicate.word.len()));
    Ok(predicates)
}

pub(super) fn read_stages(table: &Table<'_>) -> Result<Vec<(Pattern, String)>, Error> {
    let read = |row: &Row<'_>| Ok((pattern(table, row, row.get("pattern"))?, row.get("label").to_owned()));
    table.rows.iter().map(read).collect()
}

/// Most that the automaton of a set of patterns takes, for every thread that asks.
const AUTOMATON_BYTES: usize = 16 << 20;

/// Patterns that are asked together: one pass over a text tells which of them match, so that only
/// those are asked where. Most texts match none.
#[derive(Debug, Clone, Default)]
pub(super) struct PatternSet {
    set: OnceLock<RegexSet>,
}

impl PatternSet {
    /// The numbers of the patterns that match `text`. `patterns` are the same in every call.
    pub fn matches<'p>(&self, patterns: impl Iterator<Item = &'p Pattern>, text: &str) -> SetMatches {
        let set = self.set.get_or_init(|| {
            RegexSetBuilder::new(patterns.map(|pattern| &pattern.source))
                // With the default the automaton's states do not fit and are made again and again.
                .dfa_size_limit(AUTOMATON_BYTES)
                .build()
                .expect("patterns that were checked when their table was read")
        });
        set.matches(text)
    }
}

/// What a status cue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusCueKind {
    /// It gives this status.
    Status(Status),
    /// It only looks like a cue and shields its words from others.
    Neutral,
}

/// A cue of negation, suspicion, generality.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusCue {
    /// Pattern, anchored where the mention ends (`after`) or at the text's end (`before`).
    pub pattern: Pattern,
    /// True when it stands after what it speaks of.
    pub after: bool,
    /// What it says.
    pub kind: StatusCueKind,
}

/// A cue after a mention that tells what part it plays in the report: 「と診断した」, 「の1例」.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandingCue {
    /// Its name.
    pub name: String,
    /// Pattern, anchored where the mention ends.
    pub pattern: Pattern,
}

/// Which way a relation cue points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CueDirection {
    /// What stands before the cue causes what stands after it (AによるB).
    Forward,
    /// The object before the cue is caused by the sentence's topic (Aは、Bを呈し).
    Subject,
    /// What stands before the cue is caused by what stands directly after it (Aを合併したB).
    Backward,
    /// It only looks like a cue (を契機に診断された) and shields its words from others.
    Neutral,
}

/// A cue between a cause and an effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RelationCue {
    /// Pattern of the cue.
    pub pattern: Pattern,
    /// Which way it points.
    pub direction: CueDirection,
    /// The relation that it means.
    pub relation: RelationKind,
    /// How strong it is, 0 to 1.
    pub weight: f64,
}

/// A pattern anchored at the start: cues stand directly after what they speak of, and a search
/// through the rest of a long sentence for every mention would be quadratic.
fn anchored(table: &Table<'_>, row: &Row<'_>, text: &str) -> Result<Pattern, Error> {
    pattern(table, row, &format!("^(?:{text})"))
}

fn pattern(table: &Table<'_>, row: &Row<'_>, text: &str) -> Result<Pattern, Error> {
    let regex =
        Regex::new(text).map_err(|error| table.error(row, row.get("pattern"), &format!("not a pattern: {error}")))?;
    Ok(Pattern {
        source: text.to_owned(),
        regex: regex.into(),
    })
}

pub(super) fn read_status(table: &Table<'_>) -> Result<Vec<StatusCue>, Error> {
    let mut cues = Vec::new();
    for row in &table.rows {
        let after = row.get("side") == "after";
        let kind = match row.get("status") {
            "absent" => StatusCueKind::Status(Status::Absent),
            "suspected" => StatusCueKind::Status(Status::Suspected),
            "planned" => StatusCueKind::Status(Status::Planned),
            "general" => StatusCueKind::Status(Status::General),
            "neutral" => StatusCueKind::Neutral,
            other => return Err(table.error(row, other, "expected absent, suspected, planned, general or neutral")),
        };
        let text = row.get("pattern");
        let pattern = if after {
            anchored(table, row, text)
        } else {
            pattern(table, row, text)
        }?;
        cues.push(StatusCue { pattern, after, kind });
    }
    Ok(cues)
}

pub(super) fn read_relation(table: &Table<'_>) -> Result<Vec<RelationCue>, Error> {
    let mut cues = Vec::new();
    for row in &table.rows {
        let direction = match row.get("direction") {
            "forward" => CueDirection::Forward,
            "subject" => CueDirection::Subject,
            "backward" => CueDirection::Backward,
            "neutral" => {
                let pattern = anchored(table, row, row.get("pattern"))?;
                // The relation of a shield is never read.
                cues.push(RelationCue {
                    pattern,
                    direction: CueDirection::Neutral,
                    relation: RelationKind::Causes,
                    weight: 0.0,
                });
                continue;
            }
            other => return Err(table.error(row, other, "expected forward, backward, subject or neutral")),
        };
        let relation = row.get("relation");
        let Some(relation) = RelationKind::from_name(relation) else {
            return Err(table.error(row, relation, "unknown relation"));
        };
        let weight = table.number(row, "weight")?.unwrap_or(0.5);
        cues.push(RelationCue {
            pattern: anchored(table, row, row.get("pattern"))?,
            direction,
            relation,
            weight,
        });
    }
    Ok(cues)
}

pub(super) fn read_standing(table: &Table<'_>) -> Result<Vec<StandingCue>, Error> {
    let cue = |row: &Row<'_>| {
        Ok(StandingCue {
            name: row.get("cue").to_owned(),
            pattern: anchored(table, row, row.get("pattern"))?,
        })
    };
    table.rows.iter().map(cue).collect()
}

pub(super) fn read_found(table: &Table<'_>) -> Result<Vec<Pattern>, Error> {
    table
        .rows
        .iter()
        .map(|row| anchored(table, row, row.get("pattern")))
        .collect()
}
