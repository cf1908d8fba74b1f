//! How long a dictionary pack of 200,000 terms takes: to load, to lay over the built-in
//! dictionaries, to look terms up in, and to search a report with.
//!
//! Every bench asserts its answer before it is timed. `cargo bench --bench pack`.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use shorei::lexicon::Lexicon;
use shorei::lexicon::import::ImportedTerm;
use shorei::lexicon::pack::{Pack, build};
use shorei::{Pipeline, normalize};

/// What the project promises of loading, for [`TERMS`] terms.
const BUDGET: Duration = Duration::from_millis(50);
const TERMS: usize = 200_000;

const REPORT: &str = "【主訴】発熱、呼吸困難【現病歴】関節リウマチに対しメトトレキサートを内服していた。\
1週間前から38℃台の発熱と乾性咳嗽が出現し、3日前から労作時呼吸困難を自覚した。胸痛、血痰は認めなかった。\
近医で肺炎と診断され抗菌薬を投与されたが改善せず、当院に紹介入院となった。\
【検査所見】WBC 11,200/μL、LDH 512U/L、CRP 14.6mg/dL、KL-6 1,240U/mL、β-Dグルカン 86pg/mL。\
胸部CTでは両側びまん性にすりガラス影を認めた。【診断】ニューモシスチス肺炎と診断した。";

/// Terms as a large dictionary of diseases has them: sites, modifiers and heads in all
/// combinations, each with a code; every fourth is another name of the one before.
fn terms() -> Vec<ImportedTerm> {
    let sites = [
        "胸部",
        "腹部",
        "頭部",
        "頸部",
        "上肢",
        "下肢",
        "心",
        "肺",
        "肝",
        "腎",
        "膵",
        "脾",
        "胃",
        "小腸",
        "大腸",
        "直腸",
        "食道",
        "膀胱",
        "前立腺",
        "子宮",
        "卵巢",
        "甲状腺",
        "副腎",
        "下垂体",
        "脳",
        "脊髄",
        "末梢神経",
        "皮膚",
        "骨",
        "関節",
        "筋",
        "眼",
        "耳",
        "鼻",
        "咽頭",
        "喉頭",
        "気管",
        "気管支",
        "胸膜",
        "腹膜",
    ];
    let modifiers = [
        "急性",
        "慢性",
        "亜急性",
        "劇症",
        "再発性",
        "多発性",
        "続発性",
        "原発性",
        "転移性",
        "先天性",
        "家族性",
        "特発性",
        "感染性",
        "細菌性",
        "ウイルス性",
        "真菌性",
        "結核性",
        "薬剤性",
        "自己免疫性",
        "虚血性",
        "出血性",
        "壊死性",
        "化膿性",
        "肉芽腫性",
        "閉塞性",
    ];
    let heads = [
        "炎",
        "癌",
        "腫瘍",
        "肉腫",
        "腺腫",
        "嚢胞",
        "膿瘍",
        "梗塞",
        "出血",
        "狭窄",
        "閉塞",
        "拡張症",
        "線維症",
        "硬化症",
        "萎縮",
        "肥大",
        "結石",
        "損傷",
        "潰瘍",
        "ポリープ",
    ];
    let mut terms = Vec::with_capacity(TERMS);
    for number in 0..TERMS {
        let of = number - usize::from(number % 4 == 3);
        let name = |number: usize| {
            let (site, modifier) = (sites[number % sites.len()], modifiers[number / 40 % modifiers.len()]);
            let (head, type_) = (heads[number / 1000 % heads.len()], number / 20_000);
            if type_ == 0 {
                format!("{modifier}{site}{head}")
            } else {
                format!("{modifier}{site}{head}{type_}型")
            }
        };
        terms.push(ImportedTerm {
            icd10: format!(
                "{}{:02}.{}",
                char::from(b'A' + (of % 20) as u8),
                of / 20 % 100,
                of / 2000 % 10
            ),
            ..ImportedTerm::new(&name(number), &name(of))
        });
    }
    terms
}

/// The generated pack as a file, and one of its terms.
fn pack_file() -> (PathBuf, &'static str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.pack");
    let built = build("bench", terms()).expect("fits");
    assert_eq!(built.surfaces as usize, TERMS, "the terms are distinct");
    std::fs::write(&path, built.bytes).expect("a writable target folder");
    (path, "特発性腎線維症3型")
}

fn packs(c: &mut Criterion) {
    let (path, term) = pack_file();
    let pack = Pack::load(&path).expect("a sound pack");
    let surface = pack.find(term).expect("the term is there");
    assert_eq!(pack.written(surface), term);
    let lexicon = Lexicon::load_default().expect("the embedded data loads");
    let over = lexicon.clone().layered([pack.clone()]).expect("fits");
    let id = over.lookup(term)[0];
    assert_eq!(over.concept(id).label, term);
    let text = normalize::normalize(REPORT).norm().to_ascii_lowercase();
    assert!(over.find_all(&text).count() >= lexicon.find_all(&text).count());

    // The promise itself: the file to a lexicon that answers, the best of several tries.
    let best = (0..10)
        .map(|_| {
            let lexicon = lexicon.clone();
            let start = Instant::now();
            let over = lexicon
                .layered([Pack::load(&path).expect("a sound pack")])
                .expect("fits");
            let found = over.lookup(term).len();
            let took = start.elapsed();
            assert_eq!(found, 1);
            took
        })
        .min()
        .expect("ten tries");
    println!(
        "pack: {TERMS} terms, {} KiB; loaded, layered and asked in {:.1} ms",
        pack.bytes() / 1024,
        best.as_secs_f64() * 1e3
    );
    assert!(best <= BUDGET, "loading took {best:?}, more than {BUDGET:?}");

    let mut group = c.benchmark_group("pack");
    group.sample_size(20);
    group.bench_function("Pack::load", |b| b.iter(|| Pack::load(&path)));
    group.bench_function("Lexicon::layered", |b| {
        b.iter_batched(
            || (lexicon.clone(), pack.clone()),
            |(lexicon, pack)| lexicon.layered([pack]),
            BatchSize::LargeInput,
        )
    });
    group.bench_function("lookup", |b| b.iter(|| over.lookup(black_box(term))));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("find_all without packs", |b| {
        b.iter(|| lexicon.find_all(black_box(&text)).count())
    });
    group.bench_function("find_all with a pack", |b| {
        b.iter(|| over.find_all(black_box(&text)).count())
    });
    group.finish();

    let plain = Pipeline::load_default().expect("the embedded data loads");
    let layered = Pipeline::load_default()
        .and_then(|pipeline| pipeline.with_dictionaries([pack]))
        .expect("loads");
    for pipeline in [&plain, &layered] {
        let case = pipeline.structure("bench", REPORT).expect("a case");
        assert_eq!(case.primary(), "ニューモシスチス肺炎");
    }
    let mut group = c.benchmark_group("pack, whole journey");
    group.bench_function("without packs", |b| {
        b.iter(|| plain.structure("bench", black_box(REPORT)))
    });
    group.bench_function("with a pack", |b| {
        b.iter(|| layered.structure("bench", black_box(REPORT)))
    });
    group.finish();
}

criterion_group!(benches, packs);
criterion_main!(benches);
