//! The built-in transformer: it loads, reads whole reports, and breaks on no text.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use shorei::export::medtxt::Article;
use shorei::types::{Aspect, Case, Status};
use shorei::{Error, Pipeline};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
    let pipeline = Pipeline::builder().built_in_model().load();
    pipeline.expect("the embedded model loads")
});

fn report() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/reports/siadh.txt");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sound(case: &Case) {
    let raw = case.text.raw();
    for mention in &case.mentions {
        assert!(raw.get(mention.span.start..mention.span.end).is_some(), "{mention:?}");
    }
    for relation in &case.relations {
        assert!((relation.source.0 as usize) < case.map.nodes.len());
        assert!((relation.target.0 as usize) < case.map.nodes.len());
    }
}

#[test]
fn a_report_is_read() {
    let case = PIPELINE.structure("siadh", &report()).expect("a case");
    sound(&case);
    let reading = case.reading.as_ref().expect("a reading");
    let mean = |words: &str, aspect| {
        let mention = case.mentions.iter().find(|mention| mention.text == words);
        let mention = mention.unwrap_or_else(|| panic!("no mention of {words}"));
        reading.mean(mention.norm, aspect)
    };
    assert!(mean("小細胞肺癌", Aspect::Node) > 0.5);
    assert!(mean("小細胞肺癌", Aspect::Present) > 0.5);
    assert!(!case.primary().is_empty());
    let article = Article::of(&case);
    assert_eq!(article.text, case.text.raw());
    assert!(
        article
            .positive_diseases()
            .iter()
            .any(|words| words.contains("小細胞肺癌"))
    );
}

#[test]
fn a_cue_outweighs_all_but_the_surest_reading() {
    let case = PIPELINE
        .structure("1", "【主訴】咳嗽。【現症】発熱、胸痛は認めない。")
        .expect("a case");
    let fever = case
        .mentions
        .iter()
        .find(|mention| mention.text == "発熱")
        .expect("発熱");
    assert_eq!(fever.assertion.status, Status::Absent);
}

#[test]
fn without_it_there_is_no_reading() {
    let case = Pipeline::load_default()
        .and_then(|pipeline| pipeline.structure("1", "発熱を認めた。"))
        .expect("a case");
    assert!(case.reading.is_none());
}

#[test]
fn a_folder_of_other_marks_is_refused() {
    // The fixture is a plain token classifier; said to be one of training/model, it lacks the marks.
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encoder/bert");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-marks");
    std::fs::create_dir_all(&folder).expect("a writable folder");
    for entry in std::fs::read_dir(fixture).expect("the fixture") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    std::fs::write(folder.join("transitions.json"), "{}").expect("a writable folder");
    match Pipeline::builder().model(&folder).load() {
        Err(Error::Encoder { reason, .. }) => assert!(reason.contains("training/README.md"), "{reason}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a model without the marks was taken"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_it(text in "[発熱肺炎癌の。、\\n 0-9a-zＡ()【】既往歴CRP+-]{0,300}") {
        sound(&PIPELINE.structure("1", &text).expect("a case"));
    }
}
