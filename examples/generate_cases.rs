//! Writes structured cases without text, made of the knowledge: to try an index at scale.
//!
//!     cargo run --release --example generate_cases -- COUNT [SEED] > cases.jsonl
//!
//! A case takes a disease by a Zipf law (a few diseases make most cases), each of its links with the
//! link's frequency, the effects of an abnormal state that was taken under that state, sometimes an
//! unrelated finding, and says of some frequent links that were not taken that they are absent.
//! The same count and seed give the same cases.

use std::fmt::Write as _;
use std::io::Write as _;

use shorei::lexicon::{Key, Lexicon};
use shorei::types::{ConceptId, ConceptKind, RelationKind};

/// Diseases with fewer links make cases of nothing.
const MIN_LINKS: usize = 5;
/// No case has more nodes.
const MAX_NODES: usize = 24;

/// SplitMix64: cases need no better randomness, and no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().ok_or("usage: generate_cases COUNT [SEED]")?.parse()?;
    let seed: u64 = arguments.next().map_or(Ok(2026), |seed| seed.parse())?;
    let lexicon = Lexicon::load_default()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for record in records(&lexicon, count, seed) {
        writeln!(out, "{record}")?;
    }
    out.flush()?;
    Ok(())
}

/// The records of `count` cases as JSON, ids `g0000000` and on.
pub fn records(lexicon: &Lexicon, count: u64, seed: u64) -> impl Iterator<Item = String> {
    let mut random = Random(seed);
    let mut diseases: Vec<ConceptId> = lexicon
        .ids()
        .filter(|&id| {
            let links = lexicon.knowledge().effects(lexicon.condition_key(id)).take(MIN_LINKS);
            lexicon.concept(id).kind == ConceptKind::Disease && links.count() == MIN_LINKS
        })
        .collect();
    // Which diseases are frequent is drawn as well.
    for index in (1..diseases.len()).rev() {
        diseases.swap(index, random.below(index + 1));
    }
    let findings: Vec<ConceptId> = lexicon
        .ids()
        .filter(|&id| lexicon.concept(id).kind == ConceptKind::Symptom)
        .collect();
    let mut sum = 0.0;
    let cumulated: Vec<f64> = (1..=diseases.len())
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    (0..count).map(move |number| {
        let drawn = random.unit() * sum;
        let disease = diseases[cumulated.partition_point(|&end| end < drawn).min(diseases.len() - 1)];
        case(lexicon, number, disease, &findings, &mut random)
    })
}

fn case(lexicon: &Lexicon, number: u64, disease: ConceptId, findings: &[ConceptId], random: &mut Random) -> String {
    let label = &lexicon.concept(disease).label;
    let mut tree = format!("-{label}\n");
    let mut absent = Vec::new();
    let mut seen = vec![lexicon.condition_key(disease)];
    grow(
        lexicon,
        lexicon.condition_key(disease),
        1,
        &mut tree,
        &mut seen,
        &mut absent,
        random,
    );
    if random.unit() < 0.3 && !findings.is_empty() {
        let finding = findings[random.below(findings.len())];
        let _ = writeln!(tree, "  -{}", lexicon.concept(finding).label);
    }
    let (sex, age) = (if random.unit() < 0.5 { "M" } else { "F" }, 18 + random.below(75));
    serde_json::json!({
        "id": format!("g{number:07}"),
        "primary": label,
        "causal_tree": tree,
        "absent": absent,
        "sex": sex,
        "age": age,
    })
    .to_string()
}

/// Writes the effects of a cause that this case has, each abnormal state with its own below it.
fn grow(
    lexicon: &Lexicon,
    cause: Key,
    depth: usize,
    tree: &mut String,
    seen: &mut Vec<Key>,
    absent: &mut Vec<String>,
    random: &mut Random,
) {
    for (effect, fact) in lexicon.knowledge().effects(cause) {
        if seen.len() >= MAX_NODES || seen.contains(&effect) {
            continue;
        }
        let frequency = fact.frequency.probability();
        // A case names the remarkable, not all that is there.
        if random.unit() >= 0.6 * frequency {
            if frequency > 0.5 && absent.len() < 3 && random.unit() < 0.1 {
                absent.push(name(lexicon, effect));
            }
            continue;
        }
        seen.push(effect);
        let _ = writeln!(tree, "{:indent$}-{}", "", name(lexicon, effect), indent = depth * 2);
        if depth < 3 && fact.relation != RelationKind::EvidencedBy {
            grow(lexicon, effect, depth + 1, tree, seen, absent, random);
        }
    }
}

fn name(lexicon: &Lexicon, key: Key) -> String {
    match key {
        Key::Concept(id) => lexicon.concept(id).label.clone(),
        Key::Result(test, direction) => format!("{}/{}", lexicon.concept(test).label, direction.label()),
    }
}
