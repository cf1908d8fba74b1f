//! Mentions → concepts: the dictionary's surfaces, abbreviations that the report itself defines,
//! compounds by their base term.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::extract::Draft;
use crate::lexicon::{Lexicon, Modifier, ModifierClass, ModifierKind};
use crate::types::{ConceptId, MentionKind, Norm, Span};

/// 「長い名前(ABC)」: a definition, or an abbreviation first and its meaning after.
static IN_PARENTHESES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s?\(\s?([A-Za-z][A-Za-z0-9\-/ ]{1,12})\s?[):,;、]").expect("a constant pattern"));

/// The abbreviations that a report defines, with what they stand for.
#[derive(Debug, Default)]
pub struct Definitions {
    by_form: HashMap<String, (Option<ConceptId>, Span<Norm>)>,
}

impl Definitions {
    /// Reads 「好酸球性多発血管炎性肉芽腫症(EGPA)」 after every condition, drug and treatment.
    /// O(drafts).
    pub fn read(text: &str, drafts: &[Draft]) -> Self {
        let mut definitions = Definitions::default();
        for draft in drafts {
            let defines = matches!(
                draft.kind,
                MentionKind::Disease
                    | MentionKind::Finding
                    | MentionKind::Drug
                    | MentionKind::Treatment
                    | MentionKind::Exam
            );
            if defines
                && let Some(captures) = IN_PARENTHESES.captures(&text[draft.span.end..])
                && let Some(form) = captures.get(1)
            {
                let form = form.as_str().trim();
                // A stage or a mere capital letter is no abbreviation.
                if form.len() >= 2 && form.chars().filter(char::is_ascii_uppercase).count() >= 2 {
                    definitions
                        .by_form
                        .entry(form.to_owned())
                        .or_insert((draft.concept, draft.span));
                }
            }
        }
        definitions
    }

    /// What a form stands for in this report.
    pub fn get(&self, form: &str) -> Option<(Option<ConceptId>, Span<Norm>)> {
        self.by_form.get(form).copied()
    }

    /// Every occurrence of a defined form that no draft covers yet, as a draft of its meaning's
    /// kind, or a correction of a draft that the dictionary read otherwise. O(text × forms).
    pub fn apply(&self, text: &str, drafts: &mut Vec<Draft>) {
        let mut added = Vec::new();
        for (form, &(concept, defined_at)) in &self.by_form {
            let Some(kind) = drafts
                .iter()
                .find(|draft| draft.span == defined_at)
                .map(|draft| draft.kind)
            else {
                continue;
            };
            for (start, _) in text.match_indices(form.as_str()) {
                let span = Span::new(start, start + form.len());
                let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                if word(text[..span.start].chars().next_back()) || word(text[span.end..].chars().next()) {
                    continue;
                }
                match drafts.iter_mut().find(|draft| draft.span.overlaps(&span)) {
                    Some(draft) if draft.span == span => {
                        draft.concept = concept;
                        draft.kind = kind;
                        draft.expansion = Some(defined_at.slice(text).to_owned());
                    }
                    Some(_) => {}
                    None => added.push(Draft {
                        expansion: Some(defined_at.slice(text).to_owned()),
                        ..Draft::new(span, kind, concept)
                    }),
                }
            }
        }
        drafts.extend(added);
        drafts.sort_by_key(|draft| (draft.span, draft.kind));
    }
}

/// The concept of a mention: its own, else that of its text, else that of its text without
/// modifiers, unless what stands behind makes something else of it (乾癬様, 胃切除後). O(length).
pub fn concept(text: &str, draft: &Draft, lexicon: &Lexicon) -> Option<ConceptId> {
    if draft.concept.is_some() || !matches!(draft.kind, MentionKind::Disease | MentionKind::Finding) {
        return draft.concept;
    }
    let is_other =
        |modifier: &Modifier<'_>| modifier.is_suffix && modifier.kind == ModifierKind::Class(ModifierClass::Concept);
    lexicon
        .take_apart(draft.span.slice(text))
        .filter(|term| !term.modifiers.iter().any(is_other))
        .map(|term| term.concept)
}

/// What modifies the concept in a mention's text; nothing where the text is a name of its own, or where
/// the concept is another than that of its base. O(length).
pub fn modifiers(text: &str, draft: &Draft, concept: Option<ConceptId>, lexicon: &Lexicon) -> Vec<String> {
    let (Some(concept), MentionKind::Disease | MentionKind::Finding) = (concept, draft.kind) else {
        return Vec::new();
    };
    let term = lexicon.take_apart(draft.span.slice(text));
    term.filter(|term| term.concept == concept)
        .into_iter()
        .flat_map(|term| term.modifiers)
        .map(|modifier| modifier.text.to_owned())
        .collect()
}
