//! How long a report takes: the whole journey, each stage apart, start-up, the tokenizer; and the
//! surface matcher beside a rival in the same harness.
//!
//! Every bench asserts its answer before it is timed. `cargo bench`; figures with machine, commit
//! and date are kept in BENCHMARKS.md.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};
use shorei::tokenize::Tokenizer;
use shorei::types::{Candidate, Section, Sentence, Span, Token};
use shorei::{Pipeline, arrange, extract, link, normalize, qualify, relate, segment};

/// The allocator of the `shorei` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A report of our own, of about 600 characters, in the form that most reports have.
const REPORT: &str = "【症例】68歳、男性。【主訴】発熱、呼吸困難。【既往歴】高血圧、2型糖尿病、関節リウマチ。\
【家族歴】父が胃癌。【生活歴】喫煙20本/日を40年間。【現病歴】関節リウマチに対しメトトレキサートを内服していた。\
1週間前から38℃台の発熱と乾性咳嗽が出現し、3日前から労作時呼吸困難を自覚した。胸痛、血痰は認めなかった。\
近医で肺炎と診断され抗菌薬を投与されたが改善せず、当院に紹介入院となった。\
【入院時現症】体温38.9℃、血圧118/64mmHg、脈拍112回/分、呼吸数28回/分、SpO2 86%（室内気）。\
眼瞼結膜に貧血なく、眼球結膜に黄疸を認めない。両側下肺野で捻髪音を聴取した。心雑音なし。腹部は平坦、軟。下腿浮腫なし。\
【検査所見】WBC 11,200/μL、Hb 12.1g/dL、Plt 21.3万/μL、AST 42U/L、ALT 38U/L、LDH 512U/L、BUN 24mg/dL、Cr 0.9mg/dL、\
CRP 14.6mg/dL、KL-6 1,240U/mL、β-Dグルカン 86pg/mL。血液培養は陰性であった。\
胸部X線で両側下肺野に浸潤影を認めた。胸部CTでは両側びまん性にすりガラス影を認めた。気管支肺胞洗浄液でPneumocystis jiroveciiのPCRが陽性であった。\
【診断】ニューモシスチス肺炎と診断した。【経過】ST合剤とプレドニゾロンを開始し、呼吸状態は速やかに改善した。第28病日に退院した。";

/// The reports that are timed: `examples/reports/*.txt`, and ours where there are none.
fn reports() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/reports");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let mut reports: Vec<String> = paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    if reports.is_empty() {
        reports.push(REPORT.to_owned());
    }
    reports
}

fn pipeline() -> Pipeline {
    Pipeline::load_default().expect("the embedded data loads")
}

fn whole(c: &mut Criterion) {
    let pipeline = pipeline();
    let case = pipeline.structure("bench", REPORT).expect("a case");
    assert_eq!(case.primary(), "ニューモシスチス肺炎");
    let tree = case.map.to_tree();
    assert!(
        tree.contains("CRP/上昇") && !tree.contains("血痰") && !tree.contains("胃癌"),
        "{tree}"
    );
    let mut group = c.benchmark_group("structure");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("own report, chars", REPORT.chars().count()), |b| {
        b.iter(|| pipeline.structure("bench", black_box(REPORT)))
    });
    let reports = reports();
    for report in &reports {
        assert!(
            !pipeline
                .structure("bench", report)
                .expect("a case")
                .map
                .nodes
                .is_empty()
        );
    }
    let chars: usize = reports.iter().map(|report| report.chars().count()).sum();
    group.throughput(Throughput::Elements(reports.len() as u64));
    group.bench_function(
        BenchmarkId::new("example reports, chars each", chars / reports.len()),
        |b| {
            b.iter(|| {
                reports
                    .iter()
                    .map(|report| {
                        pipeline
                            .structure("bench", black_box(report))
                            .map_or(0, |case| case.map.nodes.len())
                    })
                    .sum::<usize>()
            })
        },
    );
    // Ten reports in one text: the time should be about ten times that of one.
    let long = REPORT.repeat(10);
    group.throughput(Throughput::Elements(10));
    group.bench_function("ten reports in one text", |b| {
        b.iter(|| pipeline.structure("bench", black_box(&long)))
    });
    group.finish();
}

fn tokens(worker: &mut shorei::tokenize::Worker, text: &str, sentences: &[Sentence]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for sentence in sentences {
        let offset = sentence.span.start;
        let shift = |token: Token| Token {
            span: Span::new(token.span.start + offset, token.span.end + offset),
            pos: token.pos,
        };
        tokens.extend(worker.tokens(sentence.span.slice(text)).into_iter().map(shift));
    }
    tokens
}

/// Each stage on the output of those before it.
fn stages(c: &mut Criterion) {
    let pipeline = pipeline();
    let lexicon = pipeline.lexicon();
    let mut worker = Tokenizer::load().expect("the embedded dictionary loads").worker();
    let text = normalize::normalize(REPORT);
    let sections: Vec<Section> = segment::sections(text.norm());
    let sentences = segment::sentences(text.norm(), &sections);
    let tokens_found = tokens(&mut worker, text.norm(), &sentences);
    let drafts = extract::mentions(&text, &sections, &tokens_found, Vec::new(), lexicon);
    let explanation = pipeline.explain("bench", REPORT).expect("a case");
    let (case, candidates): (_, &[Candidate]) = (&explanation.case, &explanation.candidates);
    // The stages apart are the stages of the pipeline.
    assert_eq!(case.sections, sections);
    assert_eq!(case.sentences, sentences);
    assert_eq!(explanation.tokens, tokens_found);
    assert!(
        sections.len() >= 9 && drafts.len() >= 50,
        "{} sections, {} drafts",
        sections.len(),
        drafts.len()
    );
    let assertions = qualify::assertions(text.norm(), &sections, &sentences, &explanation.drafts, lexicon);
    assert!(
        assertions
            .iter()
            .zip(&case.mentions)
            .all(|(assertion, mention)| *assertion == mention.assertion)
    );

    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Bytes(REPORT.len() as u64));
    group.bench_function("normalize", |b| b.iter(|| normalize::normalize(black_box(REPORT))));
    group.bench_function("segment", |b| {
        b.iter(|| segment::sentences(black_box(text.norm()), &segment::sections(black_box(text.norm()))))
    });
    group.bench_function("tokenize", |b| {
        b.iter(|| tokens(&mut worker, black_box(text.norm()), &sentences))
    });
    group.bench_function("extract", |b| {
        b.iter(|| extract::mentions(black_box(&text), &sections, &tokens_found, Vec::new(), lexicon))
    });
    group.bench_function("link", |b| {
        b.iter(|| {
            let mut drafts = drafts.clone();
            link::Definitions::read(text.norm(), &drafts).apply(text.norm(), &mut drafts);
            drafts
                .iter()
                .filter_map(|draft| link::concept(text.norm(), draft, lexicon))
                .count()
        })
    });
    group.bench_function("qualify", |b| {
        b.iter(|| {
            qualify::assertions(
                text.norm(),
                &sections,
                &sentences,
                black_box(&explanation.drafts),
                lexicon,
            )
        })
    });
    group.bench_function("fold", |b| {
        b.iter(|| arrange::fold(&text, &sections, &sentences, black_box(&case.mentions), lexicon))
    });
    group.bench_function("relate", |b| {
        b.iter(|| relate::relations(&text, &sentences, &case.mentions, black_box(candidates), lexicon))
    });
    let relations = relate::relations(&text, &sentences, &case.mentions, candidates, lexicon);
    let arranger = arrange::Arranger::load_default(lexicon, false).expect("the embedded classifiers load");
    let source = arrange::Source {
        text: &text,
        sections: &sections,
        sentences: &sentences,
        mentions: &case.mentions,
        candidates,
        relations: &relations,
        lexicon,
        affinity: pipeline.affinity(),
        reading: None,
    };
    assert_eq!(arranger.arrange(source).0, case.map);
    group.bench_function("arrange", |b| b.iter(|| arranger.arrange(black_box(source))));
    group.finish();
}

fn start_up(c: &mut Criterion) {
    let loaded = pipeline();
    assert!(loaded.lexicon().concepts().len() > 5_000);
    let mut group = c.benchmark_group("start-up");
    group.sample_size(10);
    group.bench_function("Pipeline::load_default", |b| b.iter(pipeline));
    group.bench_function("Tokenizer::load and a worker", |b| {
        b.iter(|| Tokenizer::load().expect("the embedded dictionary loads").worker())
    });
    // What a command line call costs: load, one report.
    group.bench_function("load and one report", |b| {
        b.iter(|| pipeline().structure("bench", black_box(REPORT)))
    });
    group.finish();
}

/// Leftmost-longest matches by daachorse, which the lexicon uses, and by the aho-corasick crate,
/// over the same surfaces: what is ours and what a simpler choice would give.
fn matchers(c: &mut Criterion) {
    let pipeline = pipeline();
    let surfaces: Vec<String> = pipeline
        .lexicon()
        .surfaces()
        .iter()
        .map(|surface| surface.text.to_ascii_lowercase())
        .collect();
    let text = normalize::normalize(REPORT).norm().to_ascii_lowercase();
    let charwise: CharwiseDoubleArrayAhoCorasick<u32> = CharwiseDoubleArrayAhoCorasickBuilder::new()
        .match_kind(MatchKind::LeftmostLongest)
        .build(&surfaces)
        .expect("surfaces are distinct");
    let rival = AhoCorasick::builder()
        .match_kind(aho_corasick::MatchKind::LeftmostLongest)
        .build(&surfaces)
        .expect("the automaton fits");
    let ours = || {
        charwise
            .leftmost_find_iter(&text)
            .map(|found| (found.start(), found.end()))
            .collect::<Vec<_>>()
    };
    let theirs = || {
        rival
            .find_iter(&text)
            .map(|found| (found.start(), found.end()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ours(), theirs(), "both find the same");
    assert!(ours().len() > 50);

    let mut group = c.benchmark_group("matchers");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("daachorse leftmost-longest", |b| b.iter(ours));
    group.bench_function("aho-corasick leftmost-longest", |b| b.iter(theirs));
    group.bench_function("Lexicon::find_all, overlapping", |b| {
        b.iter(|| pipeline.lexicon().find_all(black_box(&text)).count())
    });
    group.finish();
    // The ratio, measured in turns so that the machine's load falls on both alike.
    let (mut own, mut other) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..2_000 {
        let start = Instant::now();
        black_box(ours());
        let middle = Instant::now();
        black_box(theirs());
        own += middle - start;
        other += middle.elapsed();
    }
    println!(
        "matchers: {} surfaces, {} bytes of text; aho-corasick / daachorse = {:.2} in time, {:.2} in memory",
        surfaces.len(),
        text.len(),
        other.as_secs_f64() / own.as_secs_f64(),
        rival.memory_usage() as f64 / charwise.heap_bytes() as f64
    );
}

criterion_group!(benches, whole, stages, start_up, matchers);
criterion_main!(benches);
