//! `shorei dictionary`.

pub mod build;
pub mod coverage;

use shorei::lexicon::{Fact, Key, Lexicon, Modifier, ModifierClass, ModifierKind};
use shorei::types::{Concept, ConceptKind};
use unicode_normalization::UnicodeNormalization;

use crate::args::{DictionaryArgs, DictionaryCommand};
use crate::input::Failure;

/// Prints what was asked for; the number of terms that the dictionary lacks, or of faults.
pub fn run(args: &DictionaryArgs) -> Result<usize, Failure> {
    match &args.command {
        DictionaryCommand::Info { packs } => {
            info(&packs.lexicon()?);
            Ok(0)
        }
        DictionaryCommand::Lookup { terms, all, packs } => {
            let lexicon = packs.lexicon()?;
            let most = if *all { usize::MAX } else { LINKS_SHOWN };
            Ok(terms.iter().filter(|term| !lookup(&lexicon, term, most)).count())
        }
        DictionaryCommand::Build(args) => build::run(args),
        DictionaryCommand::Check { packs } => Ok(check(&packs.lexicon()?)),
        DictionaryCommand::Coverage(args) => coverage::run(args),
    }
}

fn info(lexicon: &Lexicon) {
    for (table, rows) in lexicon.counts() {
        anstream::println!("{rows:>7}  {table}");
    }
    anstream::println!("{:>7}  concepts", lexicon.concepts().len());
    anstream::println!("{:>7}  surface forms", lexicon.surfaces().len());
    anstream::println!("{:>7}  causal links between listed concepts", lexicon.knowledge().len());
    if lexicon.packs().next().is_none() {
        return;
    }
    for pack in lexicon.packs() {
        anstream::println!(
            "{}: {} (version {}, checksum {:08x}): {} concepts, {} surface forms, {} KiB",
            pack.path().display(),
            pack.name(),
            pack.version(),
            pack.checksum(),
            pack.concepts_len(),
            pack.surfaces_len(),
            pack.bytes() / 1024
        );
    }
    let new = lexicon.ids().count() - lexicon.concepts().len();
    let all: usize = lexicon.packs().map(|pack| pack.concepts_len() as usize).sum();
    anstream::println!("{new:>7}  concepts that the packs add");
    anstream::println!("{:>7}  concepts of the packs that were known before", all - new);
    anstream::println!(
        "{:>7}  conflicts; the later dictionary stands",
        lexicon.conflicts().len()
    );
    for conflict in lexicon.conflicts() {
        anstream::println!(
            "  {}: {}: {} → {}",
            conflict.pack,
            conflict.surface,
            conflict.earlier,
            conflict.later
        );
    }
}

/// Prints the faults of the packs, or of the built-in dictionaries where there is no pack.
fn check(lexicon: &Lexicon) -> usize {
    let of_packs = lexicon.packs().next().is_some();
    let is_meant = |id: &str| !of_packs || lexicon.packs().any(|pack| id.starts_with(&format!("{}:", pack.name())));
    let problems: Vec<_> = lexicon
        .check()
        .into_iter()
        .filter(|problem| is_meant(&problem.id))
        .collect();
    for problem in &problems {
        anstream::println!(
            "{}: {} [{}]: {}",
            problem.kind.name(),
            problem.label,
            problem.id,
            problem.detail
        );
    }
    let checked = lexicon.ids().count() - if of_packs { lexicon.concepts().len() } else { 0 };
    anstream::println!("{checked} concepts, {} problems", problems.len());
    problems.len()
}

/// How many links of a kind `lookup` prints unless it is asked for all.
const LINKS_SHOWN: usize = 25;

/// Prints what the dictionaries know of `term`; of each kind of link the `most` likely ones. False
/// where they lack it.
fn lookup(lexicon: &Lexicon, term: &str, most: usize) -> bool {
    let term: String = term.nfkc().collect();
    let mut concepts = lexicon.lookup(&term).to_vec();
    if concepts.is_empty() {
        concepts = lexicon.lookup_reading(&term);
    }
    if concepts.is_empty()
        && let Some(modified) = lexicon.take_apart(&term)
    {
        let modifiers: Vec<String> = modified
            .modifiers
            .iter()
            .map(|modifier| said(lexicon, modifier))
            .collect();
        anstream::println!("{term}: {} with {}", modified.base, modifiers.join(", "));
        return lookup(lexicon, modified.base, most);
    }
    if concepts.is_empty() {
        anstream::println!("{term}: not in the dictionaries");
        return false;
    }
    for id in concepts {
        let concept = lexicon.concept(id);
        anstream::println!(
            "{term}: {} [{}] {:?}, {}",
            concept.label,
            concept.id,
            concept.kind,
            codes(concept)
        );
        list("reading", &concept.reading);
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
        for origin in lexicon.origins(id) {
            let known = [origin.source, origin.reading, origin.codes].map(str::to_owned);
            list(
                origin.pack,
                &known
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("; "),
            );
        }
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
        links("leads to", most, lexicon.knowledge().effects(key), |fact| &fact.effect);
        links("comes from", most, lexicon.knowledge().causes(key), |fact| &fact.cause);
        links("treated by", most, lexicon.knowledge().treatments(key), |fact| {
            &fact.effect
        });
    }
    true
}

/// A modifier and what it says: 「難治性 (course)」.
fn said(lexicon: &Lexicon, modifier: &Modifier<'_>) -> String {
    let kind = match modifier.kind {
        ModifierKind::Class(ModifierClass::Concept) => "kind",
        ModifierKind::Class(ModifierClass::Degree) => "degree",
        ModifierKind::Class(ModifierClass::Course) => "course",
        ModifierKind::Site(site) => return format!("{} (site {})", modifier.text, lexicon.concept(site).id),
    };
    format!("{} ({kind})", modifier.text)
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

fn links<'l>(name: &str, most: usize, facts: impl Iterator<Item = (Key, &'l Fact)>, end: impl Fn(&Fact) -> &String) {
    let mut facts: Vec<&Fact> = facts.map(|(_, fact)| fact).collect();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.frequency));
    let mut text = facts
        .iter()
        .take(most)
        .map(|fact| format!("{} ({})", end(fact), fact.frequency.name()))
        .collect::<Vec<_>>()
        .join(", ");
    if facts.len() > most {
        text += &format!(" … and {} more (--all)", facts.len() - most);
    }
    list(name, &text);
}
