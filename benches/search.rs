//! How long a question to an index of cases takes, and how long the same counts take by going
//! through the cases in memory.
//!
//! Every bench asserts its answer before it is timed: what the index counts is what the pass over all
//! cases counts. `cargo bench --bench search` does 10,000 cases, `SHOREI_BENCH_CASES=100000 cargo bench
//! --bench search` as many as are asked for.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use shorei::Pipeline;
use shorei::lexicon::{Key, Lexicon};
use shorei::search::{CaseIndex, Entry, FoundDiseases, Query};

#[allow(dead_code, reason = "an example, with a main of its own")]
#[path = "../examples/generate_cases.rs"]
mod generate_cases;

const SEED: u64 = 2026;
/// What is asked, as a physician would.
const QUERIES: [&str; 4] = [
    "発熱 血小板/低下 腹痛",
    "発熱 倦怠感 CRP/上昇",
    "意識障害 Na/低下 けいれん",
    "発熱 皮疹 -咳嗽",
];

/// A case as a program without an index keeps it.
struct Kept {
    disease: usize,
    /// What it has, as places in [`Rival::keys`].
    present: Vec<u32>,
}

/// The cases in memory, the labels of their diseases, and all that any of them has.
struct Rival {
    cases: Vec<Kept>,
    diseases: Vec<String>,
    keys: HashMap<Key, u32>,
}

/// What is counted of a disease: its cases, those with at least half of the findings, and those with
/// each finding.
type Counts = (u32, u32, Vec<u32>);

impl Rival {
    fn new(entries: &[Entry], lexicon: &Lexicon) -> Self {
        let mut rival = Rival {
            cases: Vec::with_capacity(entries.len()),
            diseases: Vec::new(),
            keys: HashMap::new(),
        };
        let mut known = HashMap::new();
        for entry in entries {
            let disease = *known.entry(entry.primary.as_str()).or_insert_with(|| {
                rival.diseases.push(entry.primary.clone());
                rival.diseases.len() - 1
            });
            let labels = entry.map.nodes.iter().map(|node| &node.label);
            let keys = labels.filter_map(|label| lexicon.key(label));
            let present = keys.map(|key| {
                let next = rival.keys.len() as u32;
                *rival.keys.entry(key).or_insert(next)
            });
            let present = present.collect();
            rival.cases.push(Kept { disease, present });
        }
        rival
    }

    /// By disease. O(cases × nodes).
    fn count(&self, findings: &[Vec<Key>], present: usize) -> Vec<Counts> {
        // By place: whether it is the finding or a kind of it.
        let is: Vec<Vec<bool>> = findings
            .iter()
            .map(|kinds| {
                let mut is = vec![false; self.keys.len()];
                let places = kinds.iter().filter_map(|key| self.keys.get(key));
                places.for_each(|&place| is[place as usize] = true);
                is
            })
            .collect();
        let mut counts = vec![(0, 0, vec![0; findings.len()]); self.diseases.len()];
        for case in &self.cases {
            let (cases, matching, with) = &mut counts[case.disease];
            *cases += 1;
            let mut matched = 0;
            for (at, is) in is.iter().enumerate() {
                if case.present.iter().any(|&place| is[place as usize]) {
                    with[at] += 1;
                    matched += usize::from(at < present);
                }
            }
            *matching += u32::from(2 * matched >= present.max(1));
        }
        counts
    }
}

/// Each finding with its kinds, as the index asks for them.
fn findings(query: &Query, lexicon: &Lexicon) -> (Vec<Vec<Key>>, usize) {
    let (present, absent) = query.keys();
    let kinds = |key: &Key| lexicon.specialised_key(*key).into_iter().map(|(_, key)| key).collect();
    (present.iter().chain(&absent).map(kinds).collect(), present.len())
}

/// What the index counts is what the pass over all cases counts.
fn assert_same(found: &FoundDiseases, rival: &Rival, counts: &[Counts]) {
    let mut seen = 0;
    for row in found.diseases.iter().filter(|row| row.cases > 0) {
        let at = rival.diseases.iter().position(|label| *label == row.label);
        let (cases, matching, with) = &counts[at.expect("a disease of the cases")];
        let reasons: Vec<u32> = row.reasons.iter().map(|reason| reason.cases).collect();
        assert_eq!(
            (row.cases, row.matching, &reasons),
            (*cases, *matching, with),
            "{}",
            row.label
        );
        seen += 1;
    }
    assert!(seen > 100, "only {seen} diseases were compared");
}

/// The least time of each in milliseconds, taken in turns, so that what else the machine does falls
/// on both.
fn in_turns(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let (mut a, mut b) = (Duration::MAX, Duration::MAX);
    for _ in 0..60 {
        let started = Instant::now();
        ours();
        a = a.min(started.elapsed());
        let started = Instant::now();
        theirs();
        b = b.min(started.elapsed());
    }
    (1e3 * a.as_secs_f64(), 1e3 * b.as_secs_f64())
}

fn search(c: &mut Criterion) {
    let count: u64 = match std::env::var("SHOREI_BENCH_CASES") {
        Ok(count) => count.parse().expect("SHOREI_BENCH_CASES is a number of cases"),
        Err(_) => 10_000,
    };
    let pipeline = Pipeline::load_default().expect("the embedded data loads");
    let lexicon = pipeline.lexicon();
    let entries: Vec<Entry> = generate_cases::records(lexicon, count, SEED)
        .map(|record| Entry::of_json(&record, lexicon).expect("a sound record"))
        .collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{count}.index"));
    let _ = std::fs::remove_dir_all(&folder);
    let index = CaseIndex::create(&folder, pipeline.shared_lexicon()).expect("a new index");
    let mut writer = index.writer().expect("the only writer");
    let started = Instant::now();
    entries.iter().for_each(|entry| writer.add(entry).expect("added"));
    assert_eq!(writer.commit().expect("committed") as u64, count);
    let info = index.info().expect("readable");
    assert_eq!(info.cases, count);
    println!(
        "search: {count} cases added in {:.1} s, {:.1} MB on disk",
        started.elapsed().as_secs_f64(),
        info.bytes as f64 / 1e6
    );
    let rival = Rival::new(&entries, lexicon);

    let mut group = c.benchmark_group(format!("search, {count} cases"));
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    for text in QUERIES {
        let query = Query::parse(text, &pipeline).expect("a sound query");
        let (kinds, present) = findings(&query, lexicon);
        let found = index.diseases(&query, usize::MAX).expect("readable");
        assert_eq!(found.cases, count);
        assert_same(&found, &rival, &rival.count(&kinds, present));
        let cases = index.cases(&query, 10).expect("readable");
        assert_eq!(
            cases[0].matched.len(),
            present,
            "{text}: a case has all: {:?}",
            cases[0]
        );

        let (ours, theirs) = in_turns(
            || drop(black_box(index.diseases(black_box(&query), 20))),
            || drop(black_box(rival.count(black_box(&kinds), present))),
        );
        println!(
            "search: {text}: the index, ranking included, {ours:.2} ms, the rival {theirs:.2} ms, {:.1} times as long",
            theirs / ours
        );
        group.bench_function(format!("diseases, ranked: {text}"), |b| {
            b.iter(|| index.diseases(black_box(&query), 20))
        });
        group.bench_function(format!("ten cases: {text}"), |b| {
            b.iter(|| index.cases(black_box(&query), 10))
        });
        group.bench_function(format!("rival, counts alone: {text}"), |b| {
            b.iter(|| rival.count(black_box(&kinds), present))
        });
    }
    group.finish();
    std::fs::remove_dir_all(&folder).expect("removable");
}

criterion_group!(benches, search);
criterion_main!(benches);
