//! The encoder against PyTorch: the folders under tests/encoder are small random models, with the
//! logits that PyTorch computes for some inputs. `tests/encoder/make.py` made them.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use shorei::encoder::{Encoder, Input, TokenizerFile};
use shorei::types::Span;

const TOLERANCE: f32 = 1e-4;

/// A text and what PyTorch says of it: head, token, label.
#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    types: Vec<u32>,
    heads: Vec<Vec<Vec<f32>>>,
}

impl Expected {
    fn input(&self) -> Input {
        Input {
            ids: self.ids.clone(),
            types: self.types.clone(),
        }
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encoder").join(name)
}

fn load(name: &str) -> Encoder {
    Encoder::load(&folder(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn json<T: for<'de> Deserialize<'de>>(name: &str, file: &str) -> T {
    let text = std::fs::read_to_string(folder(name).join(file)).expect("a file of the fixture");
    serde_json::from_str(&text).expect("JSON of make.py")
}

fn assert_close(ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < TOLERANCE, "{ours:?}, {theirs:?}");
    }
}

fn assert_parity(name: &str, heads: usize) {
    let encoder = load(name);
    let expected: Vec<Expected> = json(name, "expected.json");
    let inputs: Vec<Input> = expected.iter().map(Expected::input).collect();
    let outputs = encoder.run(&inputs).expect("an answer");
    assert_eq!(encoder.heads().len(), heads);
    assert_eq!(outputs.len(), expected.len());
    for (output, expected) in outputs.iter().zip(&expected) {
        assert_eq!(output.heads.len(), heads);
        for (head, (matrix, expected)) in output.heads.iter().zip(&expected.heads).enumerate() {
            assert_eq!(matrix.rows(), expected.len());
            assert_eq!(matrix.columns(), encoder.labels(head).len());
            for (row, expected) in expected.iter().enumerate() {
                for (ours, theirs) in matrix.row(row).iter().zip(expected) {
                    assert!(
                        (ours - theirs).abs() < TOLERANCE,
                        "{name}, head {head}, token {row}: {ours}, PyTorch {theirs}"
                    );
                }
            }
        }
    }
    // What stands beside a text in its batch does not change its answer.
    let alone = encoder.run(&inputs[2..3]).expect("an answer");
    assert_close(alone[0].heads[0].row(3), outputs[2].heads[0].row(3));
}

#[test]
fn bert_is_pytorchs() {
    assert_parity("bert", 1);
    let encoder = load("bert");
    assert_eq!(encoder.head("classifier"), Some(0));
    assert_eq!(encoder.labels(0)[3], "B-d_negative");
}

/// bf16 weights; positions start after the padding's.
#[test]
fn roberta_is_pytorchs() {
    assert_parity("roberta", 1);
}

/// fp16 weights. One folder has what DeBERTa-v2 added, the other what it kept of DeBERTa:
/// projections of positions of their own, absolute positions, token types.
#[test]
fn deberta_is_pytorchs() {
    assert_parity("deberta", 1);
    assert_parity("deberta-own", 1);
}

/// pytorch_model.bin, token types, further heads.
#[test]
fn heads_share_a_forward() {
    assert_parity("character", 3);
    let encoder = load("character");
    assert_eq!((encoder.head("cause"), encoder.head("time")), (Some(1), Some(2)));
    assert_eq!(encoder.labels(1), ["cause0", "cause1", "cause2"]);
    assert_eq!(encoder.labels(9), [""; 0]);
    assert_eq!(encoder.types(), 7);
}

#[test]
fn parts_are_the_folder() {
    let read = |file: &str| std::fs::read(folder("bert").join(file)).expect("a file of the fixture");
    let vocabulary = String::from_utf8(read("vocab.txt")).expect("UTF-8");
    let config = read("tokenizer_config.json");
    let tokenizer = TokenizerFile::Vocabulary {
        text: &vocabulary,
        config: Some(&config),
    };
    let parts = Encoder::from_parts("embedded", &read("config.json"), tokenizer, &read("model.safetensors"))
        .expect("an encoder");
    let input = [Input {
        ids: vec![9, 12, 30],
        types: vec![],
    }];
    assert_eq!(
        parts.run(&input).expect("logits"),
        load("bert").run(&input).expect("logits")
    );
    assert_eq!(parts.name(), "embedded");
}

/// 40 positions, 38 of them for the text: 200 tokens are seven windows of 37.
#[test]
fn long_texts_are_read_in_windows() {
    let encoder = load("bert");
    let ids: Vec<u32> = (0..200).map(|i| 5 + (i * i * 7 + i) % 50).collect();
    let input = |ids: &[u32]| Input {
        ids: ids.to_vec(),
        types: vec![],
    };
    let long = encoder.run(&[input(&ids)]).expect("logits");
    assert_eq!(long[0].heads[0].rows(), 200);
    // No window but the first sees the first tokens, none but the last the last.
    let ends = encoder.run(&[input(&ids[..37]), input(&ids[163..])]).expect("logits");
    let row = |of: usize, at: usize| ends[of].heads[0].row(at);
    for at in 0..5 {
        assert_close(long[0].heads[0].row(at), row(0, at));
        assert_close(long[0].heads[0].row(199 - at), row(1, 36 - at));
    }
    // The second window starts at 27. Token 30 is seen by the first, as its last but six, and by
    // the second, as its fourth.
    let second = encoder.run(&[input(&ids[27..64])]).expect("logits");
    let between: Vec<f32> = row(0, 30)
        .iter()
        .zip(second[0].heads[0].row(3))
        .map(|(first, second)| (first * 7.0 + second * 4.0) / 11.0)
        .collect();
    assert_close(long[0].heads[0].row(30), &between);
    assert!(encoder.run(&[]).expect("nothing").is_empty());
    assert_eq!(encoder.run(&[input(&[])]).expect("no tokens")[0].heads[0].rows(), 0);
}

#[test]
fn probabilities_sum_to_one() {
    let matrix = load("bert").run(&[Input {
        ids: vec![6, 7],
        types: vec![],
    }]);
    let matrix = matrix.expect("logits").remove(0).heads.remove(0).softmax();
    for row in 0..2 {
        assert!((matrix.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}

/// What tests/encoder/*/words.json holds for a vocab.txt: each word's pieces.
#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
    ids: Vec<Vec<u32>>,
}

#[test]
fn words_are_cut_as_transformers_does() {
    for name in ["bert", "character"] {
        let words: Words = json(name, "words.json");
        let encoder = load(name);
        assert!(encoder.vocabulary().needs_words());
        let text = words.words.concat();
        let mut start = 0;
        let mut spans = Vec::new();
        for word in &words.words {
            spans.push(Span::new(start, start + word.len()));
            start += word.len();
        }
        let pieces = encoder.vocabulary().encode(&text, &spans).expect("pieces");
        for ((word, span), ids) in words.words.iter().zip(&spans).zip(&words.ids) {
            let of_word: Vec<_> = pieces.iter().filter(|piece| span.contains(&piece.span)).collect();
            // A blank has no piece here.
            let expected: &[u32] = if word.trim().is_empty() { &[] } else { ids };
            let found: Vec<u32> = of_word.iter().map(|piece| piece.id).collect();
            assert_eq!(found, expected, "{name}: {word}");
            if let (Some(first), Some(last)) = (of_word.first(), of_word.last()) {
                assert_eq!(
                    (first.span.start, last.span.end),
                    (span.start, span.end),
                    "{name}: {word}"
                );
            }
            for piece in of_word {
                assert!(!piece.span.slice(&text).is_empty(), "{name}: {word}: {piece:?}");
            }
        }
    }
}

/// The same for a tokenizer.json: a text's pieces and their code points.
#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
}

#[test]
fn tokenizer_json_is_used_as_it_is() {
    for name in ["roberta", "deberta"] {
        let expected: Text = json(name, "words.json");
        let encoder = load(name);
        assert!(!encoder.vocabulary().needs_words());
        let pieces = encoder.vocabulary().encode(&expected.text, &[]).expect("pieces");
        let found: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
        assert_eq!(found, expected.ids, "{name}");
        for (piece, offsets) in pieces.iter().zip(&expected.offsets) {
            let before = expected.text[..piece.span.start].chars().count();
            let length = piece.span.slice(&expected.text).chars().count();
            assert_eq!((before, before + length), *offsets, "{name}");
        }
    }
}

#[test]
fn characters_have_ids() {
    let encoder = load("character");
    let vocabulary = encoder.vocabulary();
    assert_eq!(vocabulary.id("肺"), Some(5));
    assert_eq!(vocabulary.id("龘"), None);
    assert_eq!(vocabulary.unknown(), 1);
    assert_eq!(vocabulary.len(), 43);
    assert!(!vocabulary.is_empty());
}

#[test]
fn bad_input_is_named() {
    let encoder = load("character");
    let message = |ids: Vec<u32>, types: Vec<u32>| {
        let error = encoder.run(&[Input { ids, types }]).expect_err("refused");
        assert_eq!(error.code(), "encoder");
        error.to_string()
    };
    assert!(message(vec![5, 4000], vec![]).contains("token id 4000"));
    assert!(message(vec![5, 6], vec![0, 7]).contains("token type 7"));
    assert!(message(vec![5, 6], vec![0]).contains("2 ids, 1 token types"));
}

#[test]
fn bad_folders_are_named() {
    let message = |folder: &Path| {
        Encoder::load(folder)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(message(Path::new("no-such-folder")).contains("config.json"));
    let copy = tempfile("bad-folder");
    for entry in std::fs::read_dir(folder("bert")).expect("the fixture") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copy");
    }
    assert_eq!(message(&copy), "", "the copy is whole");
    let config = std::fs::read_to_string(copy.join("config.json")).expect("config.json");
    let write = |text: &str| std::fs::write(copy.join("config.json"), text).expect("written");
    write(&config.replace("\"intermediate_size\": 48", "\"intermediate_size\": 50"));
    let error = message(&copy);
    assert!(
        error.contains("output.dense.weight") && error.contains("[24, 48]"),
        "{error}"
    );
    write(&config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"));
    assert!(message(&copy).contains("no tensor `bert.encoder.layer.2"));
    write(&config);
    std::fs::write(copy.join("model.safetensors"), b"not weights").expect("written");
    assert!(message(&copy).contains("model.safetensors: cannot be read as weights"));
    std::fs::remove_file(copy.join("model.safetensors")).expect("removed");
    assert!(message(&copy).contains("model.safetensors"));
    std::fs::remove_file(copy.join("vocab.txt")).expect("removed");
    assert!(message(&copy).contains("vocab.txt"));
    std::fs::remove_dir_all(copy).expect("removed");
}

/// An empty folder of this test's own.
fn tempfile(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

#[test]
fn encoders_are_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Encoder>();
    let encoder = load("bert");
    let input = [Input {
        ids: vec![8; 12],
        types: vec![],
    }];
    let alone = encoder.run(&input).expect("logits");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(encoder.run(&input).expect("logits"), alone));
        }
    });
}
