//! `shorei dictionary`.

use shorei::Pipeline;
use shorei::lexicon::{Fact, Key, Lexicon};
use shorei::types::{Concept, ConceptKind};
use unicode_normalization::UnicodeNormalization;

use crate::args::{DictionaryArgs, DictionaryCommand};
use crate::input::Failure;

/// Prints what was asked for; the number of terms that the dictionary lacks.
pub fn run(args: &DictionaryArgs) -> Result<usize, Failure> {
    let pipeline = Pipeline::load_default()?;
    let lexicon = pipeline.lexicon();
    match &args.command {
        DictionaryCommand::Info => {
            for (table, rows) in lexicon.counts() {
                anstream::println!("{rows:>7}  {table}");
            }
            anstream::println!("{:>7}  concepts", lexicon.concepts().len());
            anstream::println!("{:>7}  surface forms", lexicon.surfaces().len());
            anstream::println!("{:>7}  causal links between listed concepts", lexicon.knowledge().len());
            Ok(0)
        }
        DictionaryCommand::Lookup { terms } => Ok(terms.iter().filter(|term| !lookup(lexicon, term)).count()),
    }
}

fn lookup(lexicon: &Lexicon, term: &str) -> bool {
    let term: String = term.nfkc().collect();
    let concepts = lexicon.lookup(&term);
    if concepts.is_empty() {
        anstream::println!("{term}: not in the dictionaries");
        return false;
    }
    for &id in concepts {
        let concept = lexicon.concept(id);
        anstream::println!(
            "{term}: {} [{}] {:?}, {}",
            concept.label,
            concept.id,
            concept.kind,
            codes(concept)
        );
        let parents: Vec<_> = lexicon
            .ancestry(id)
            .skip(1)
            .map(|id| lexicon.concept(id).label.as_str())
            .collect();
        list("is a", &parents.join(" < "));
        list(
            "also",
            &[concept.synonyms.join(", "), concept.abbreviations.join(", ")].join("; "),
        );
        if concept.kind == ConceptKind::Test {
            let range = lexicon.reference_range(id, None, None);
            let bound = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            list(
                "range",
                &range.map_or(String::new(), |range| {
                    format!("{}-{} {}", bound(range.low), bound(range.high), lexicon.main_unit(id))
                }),
            );
        }
        let key = if concept.kind.is_condition() {
            lexicon.condition_key(id)
        } else {
            Key::Concept(id)
        };
        links("leads to", lexicon.knowledge().effects(key), |fact| &fact.effect);
        links("comes from", lexicon.knowledge().causes(key), |fact| &fact.cause);
    }
    true
}

fn codes(concept: &Concept) -> String {
    [
        ("ICD-10", &concept.icd10),
        ("HPO", &concept.hpo),
        ("ATC", &concept.atc),
        ("LOINC", &concept.loinc),
    ]
    .into_iter()
    .filter(|(_, code)| !code.is_empty())
    .map(|(system, code)| format!("{system} {code}"))
    .chain((!concept.english.is_empty()).then(|| concept.english.clone()))
    .collect::<Vec<_>>()
    .join(", ")
}

fn list(name: &str, text: &str) {
    if !text.trim_matches([';', ' ']).is_empty() {
        anstream::println!("  {name}: {}", text.trim_matches([';', ' ']));
    }
}

fn links<'l>(name: &str, facts: impl Iterator<Item = (Key, &'l Fact)>, end: impl Fn(&Fact) -> &String) {
    let mut facts: Vec<&Fact> = facts.map(|(_, fact)| fact).collect();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.frequency));
    let texts: Vec<_> = facts
        .iter()
        .map(|fact| format!("{} ({})", end(fact), fact.frequency.name()))
        .collect();
    list(name, &texts.join(", "));
}
