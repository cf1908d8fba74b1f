//! How many reports a second the transformer reads: random models of the sizes that fit a report
//! pipeline, 350 tokens a report, 8 reports at a time.
//!
//! `RAYON_NUM_THREADS=1 cargo bench --bench encoder`, then `python benches/encoder_rivals.py 1`
//! for PyTorch and ONNX Runtime on the same weights: this bench leaves them under
//! target/encoder-bench, with its answer, which the rivals' must equal.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use shorei::encoder::{Encoder, Input};

const VOCABULARY: usize = 4000;
const TOKENS: usize = 350;
const REPORTS: usize = 8;
const LABELS: usize = 21;

/// Layers and hidden size.
const SIZES: [(usize, usize); 2] = [(2, 192), (4, 256)];

/// Numbers that look random and are the same on every run.
struct Numbers(u64);

impl Numbers {
    /// From −1 to 1.
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Writes a BERT token classifier as Hugging Face saves it.
fn model(layers: usize, hidden: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/encoder-bench/{layers}x{hidden}"));
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a writable target folder");
    let config = json!({
        "model_type": "bert", "architectures": ["BertForTokenClassification"], "hidden_act": "gelu",
        "vocab_size": VOCABULARY, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": hidden / 64, "intermediate_size": 4 * hidden,
        "max_position_embeddings": 512, "type_vocab_size": 16, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "id2label": (0..LABELS).map(|id| (id.to_string(), json!(format!("L{id}")))).collect::<serde_json::Map<_, _>>(),
    });
    write("config.json", config.to_string().as_bytes());
    let mut vocabulary = String::from("[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
    for id in 4..VOCABULARY {
        let _ = writeln!(vocabulary, "t{id}");
    }
    write("vocab.txt", vocabulary.as_bytes());
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        (
            "bert.embeddings.word_embeddings.weight".into(),
            vec![VOCABULARY, hidden],
        ),
        ("bert.embeddings.position_embeddings.weight".into(), vec![512, hidden]),
        ("bert.embeddings.token_type_embeddings.weight".into(), vec![16, hidden]),
    ];
    let mut linear = |name: String, rows: usize, columns: usize| {
        shapes.push((format!("{name}.weight"), vec![rows, columns]));
        shapes.push((format!("{name}.bias"), vec![rows]));
    };
    let mut norms = vec!["bert.embeddings".to_owned()];
    for layer in 0..layers {
        let base = format!("bert.encoder.layer.{layer}");
        for part in ["query", "key", "value"] {
            linear(format!("{base}.attention.self.{part}"), hidden, hidden);
        }
        linear(format!("{base}.attention.output.dense"), hidden, hidden);
        linear(format!("{base}.intermediate.dense"), 4 * hidden, hidden);
        linear(format!("{base}.output.dense"), hidden, 4 * hidden);
        norms.extend([format!("{base}.attention.output"), format!("{base}.output")]);
    }
    linear("classifier".into(), LABELS, hidden);
    for base in norms {
        shapes.push((format!("{base}.LayerNorm.weight"), vec![hidden]));
        shapes.push((format!("{base}.LayerNorm.bias"), vec![hidden]));
    }
    // The safetensors format: the header's length, the header, the numbers.
    let mut numbers = Numbers(layers as u64);
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in shapes {
        let start = data.len();
        let scale = if name.ends_with("LayerNorm.weight") { 0.1 } else { 0.08 };
        let centre = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
        for _ in 0..shape.iter().product::<usize>() {
            data.extend((centre + scale * numbers.next()).to_le_bytes());
        }
        header.insert(
            name,
            json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}),
        );
    }
    header.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut header = serde_json::Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    write("model.safetensors", &file);
    folder
}

/// Reports of one length, special tokens apart.
fn reports() -> Vec<Input> {
    let mut numbers = Numbers(7);
    (0..REPORTS)
        .map(|_| Input {
            ids: (0..TOKENS - 2)
                .map(|_| 4 + ((numbers.next() + 1.0) / 2.0 * (VOCABULARY - 5) as f32) as u32)
                .collect(),
            types: Vec::new(),
        })
        .collect()
}

fn bench(c: &mut Criterion) {
    let reports = reports();
    let mut group = c.benchmark_group("encoder");
    group
        .throughput(Throughput::Elements(REPORTS as u64))
        .sample_size(10)
        .measurement_time(Duration::from_secs(6));
    for (layers, hidden) in SIZES {
        let folder = model(layers, hidden);
        let encoder = Encoder::load(&folder).expect("the model just written");
        let together = encoder.run(&reports).expect("logits");
        let alone = encoder.run(&reports[3..4]).expect("logits");
        let (together, alone) = (&together[3].heads[0], &alone[0].heads[0]);
        assert_eq!((together.rows(), together.columns()), (TOKENS - 2, LABELS));
        for row in 0..together.rows() {
            for (a, b) in together.row(row).iter().zip(alone.row(row)) {
                assert!((a - b).abs() < 1e-4, "a report's answer depends on its batch: {a}, {b}");
            }
        }
        let answer = json!({
            "ids": reports.iter().map(|report| &report.ids).collect::<Vec<_>>(),
            "logits": (0..together.rows()).map(|row| together.row(row)).collect::<Vec<_>>(),
        });
        std::fs::write(folder.join("answer.json"), answer.to_string()).expect("a writable target folder");
        group.bench_function(format!("{layers}x{hidden}"), |b| {
            b.iter(|| encoder.run(black_box(&reports)).expect("logits"));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
