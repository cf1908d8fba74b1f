//! No UTF-8 text makes the pipeline panic or fail below its length limit, every mention slices the
//! report exactly, and every map is a forest.

use std::sync::LazyLock;

use proptest::prelude::*;
use shorei::pipeline::MAX_REPORT_BYTES;
use shorei::{Case, Error, Pipeline};
use unicode_normalization::UnicodeNormalization;

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::load_default().expect("the embedded data loads"));

/// A short report of our own, to be repeated and cut.
const REPORT: &str = "【症例】62歳、男性。【主訴】発熱、呼吸困難。【現病歴】3日前から発熱と咳嗽があった。胸痛はない。\
    【検査】WBC 15,300/μL、CRP 12.3mg/dL、SpO2 88%。胸部CTで両側すりガラス影を認めた。\
    【診断】肺炎による敗血症と診断した。【経過】抗菌薬を投与し、改善した。\n";

/// Structures a text and checks what must hold of every case.
fn structure(text: &str) -> Case {
    let case = PIPELINE
        .structure("試験", text)
        .expect("a text below the limit gives a case");
    check(&case, text);
    case
}

fn check(case: &Case, text: &str) {
    assert_eq!(case.text.raw(), text, "the report is kept as given");
    let norm = case.text.norm();
    for mention in &case.mentions {
        let (span, norm_span) = (mention.span, mention.norm);
        let slice = text.get(span.range());
        assert!(
            slice.is_some(),
            "{span:?} of 「{}」 is not on character boundaries",
            mention.text
        );
        assert!(!span.is_empty(), "「{}」 has an empty span", mention.text);
        assert_eq!(
            norm.get(norm_span.range()),
            Some(mention.text.as_str()),
            "the normalised span slices its text"
        );
        let slice: String = slice.unwrap_or_default().nfkc().collect();
        // Normalisation may also fold case, dashes and spaces: what remains the same are the
        // letters that NFKC leaves alone.
        assert!(!slice.is_empty(), "{span:?} slices nothing");
        assert!(
            mention.sentence < case.sentences.len(),
            "mention outside of every sentence"
        );
        assert!(
            mention.section < case.sections.len(),
            "mention outside of every section"
        );
    }
    for section in &case.sections {
        assert!(
            norm.get(section.span.range()).is_some(),
            "a section is not on character boundaries"
        );
    }
    for sentence in &case.sentences {
        assert!(
            norm.get(sentence.span.range()).is_some(),
            "a sentence is not on character boundaries"
        );
    }
    check_forest(case);
}

/// No node has two parents, no cycle, ids are indices, and the tree prints every node once.
fn check_forest(case: &Case) {
    let map = &case.map;
    let nodes = map.nodes.len();
    let mut parent = vec![None; nodes];
    for edge in &map.edges {
        let (source, target) = (edge.source.0 as usize, edge.target.0 as usize);
        assert!(source < nodes && target < nodes, "an edge leads out of the map");
        assert!(parent[target].is_none(), "{} has two parents", map.nodes[target].label);
        parent[target] = Some(source);
    }
    for (index, node) in map.nodes.iter().enumerate() {
        assert_eq!(node.id.0 as usize, index, "a node's id is its index");
        let mut steps = 0;
        let mut at = index;
        while let Some(up) = parent[at] {
            at = up;
            steps += 1;
            assert!(steps <= nodes, "a cycle through {}", node.label);
        }
        assert!(
            node.inferred || !node.mentions.is_empty(),
            "{} has no mention and is not inferred",
            node.label
        );
        for mention in &node.mentions {
            assert!(
                (mention.0 as usize) < case.mentions.len(),
                "{} names a mention that is not",
                node.label
            );
        }
    }
    assert_eq!(map.preorder().len(), nodes, "the tree prints every node once");
    assert!(
        map.primary.is_none_or(|id| (id.0 as usize) < nodes),
        "the primary disease is not in the map"
    );
    let tree = shorei::CaseMap::parse(&map.to_tree()).expect("a printed tree reads");
    assert_eq!(
        tree.nodes.len(),
        nodes,
        "a printed tree reads as the same nodes:\n{}",
        map.to_tree()
    );
}

#[test]
fn a_pipeline_is_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Pipeline>();
    shared::<Case>();
    shared::<Error>();
    let expected = structure(REPORT).map.to_tree();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(structure(REPORT).map.to_tree(), expected));
        }
    });
}

#[test]
fn empty_text() {
    for text in ["", " ", "\n", "\u{feff}", "　　\r\n\r\n"] {
        let case = structure(text);
        assert!(case.map.nodes.is_empty(), "{text:?}");
        assert_eq!(case.primary(), "");
    }
}

#[test]
fn only_symbols() {
    for text in [
        "。。。、、、",
        "!?!?…‥・/\\|",
        "@@==//H:-",
        "（）【】「」＜＞",
        "→↑↓±≧≦％℃",
        "😀🏥👩‍⚕️",
    ] {
        assert!(structure(text).map.nodes.is_empty(), "{text}");
    }
}

#[test]
fn notation_characters_in_the_text_do_not_break_the_tree() {
    structure("-発熱\n  -咳嗽@胸=部/上昇 H:肺炎と診断した。肺炎@右=左/上昇。");
    structure("発熱\u{2028}咳嗽\u{2029}肺炎\u{85}腹痛\u{b}頭痛と診断した。");
}

#[test]
fn many_open_brackets() {
    for bracket in ["(", "（", "【", "「", "<", "＜", "〔", "[", "{"] {
        structure(&bracket.repeat(100_000));
        structure(&format!("発熱{}肺炎と診断した", bracket.repeat(20_000)));
    }
}

#[test]
fn chinese_text() {
    structure(
        "患者男，65岁，因发热、咳嗽3天入院。胸部CT示右肺下叶感染，诊断为社区获得性肺炎，给予头孢曲松治疗后好转。",
    );
    structure("病人自訴頭痛已兩週，無發燒，無噁心嘔吐，腦部斷層掃描顯示硬腦膜下血腫。");
}

#[test]
fn control_characters() {
    structure("発\0熱と\0咳嗽\0");
    let control: String = (0u8..32).map(char::from).collect();
    structure(&format!("発熱{control}肺炎{control}と診断した。\u{7f}\u{80}\u{9f}"));
    structure("発熱\r咳嗽\r\n腹痛\t血圧\t120/80\r");
    structure("\u{202e}発熱\u{202c}\u{200b}咳\u{200d}嗽\u{2060}、\u{ad}肺炎\u{fe0f}と診断した。");
}

#[test]
fn combining_marks() {
    // か + combining voiced mark is one character of the normalised text.
    let case = structure("か\u{3099}んと診断した。肺癌のか\u{3099}ん性胸膜炎。");
    assert!(!case.text.norm().contains('\u{3099}'));
    structure("\u{3099}\u{309a}\u{301}\u{302}");
    structure("\u{3099}発熱\u{3099}、ハ\u{309a}ーキンソン病。");
    structure("ﾊﾟｰｷﾝｿﾝ病、ｶﾞﾝ、㎎㏄㍑㍻①Ⅳ℃ﬁ");
    structure(&format!("発熱{}", "\u{301}".repeat(5_000)));
    structure("\u{1100}\u{1161}\u{11a8}\u{fdfa}\u{1f1ef}\u{1f1f5}𠮷野家");
}

#[test]
fn a_very_long_line() {
    let line = "発熱と咳嗽を認めず、CRP 12.3mg/dL、".repeat(2_000);
    structure(&line);
    structure(&"肺炎".repeat(500));
    structure(&"A".repeat(100_000));
    structure(&"1".repeat(100_000));
    structure(&"ー".repeat(30_000));
}

/// A report of OCR or of speech has no 。 at all: work that grows with the square of a sentence's
/// length would not end within a test's patience. The times are in benches/pipeline.rs.
#[test]
fn a_sentence_without_end() {
    for piece in [
        "発熱と咳嗽を認め",
        "肺炎(ABC)、",
        "プレドニゾロン60mg/日、",
        "肺炎による",
        "発熱、",
    ] {
        structure(&piece.repeat(4_000));
    }
}

#[test]
fn a_text_below_the_limit() {
    let text: String = REPORT.repeat(900_000 / REPORT.len());
    assert!(text.len() > 880_000 && text.len() < MAX_REPORT_BYTES);
    let case = structure(&text);
    assert!(
        case.map.nodes.iter().any(|node| node.label.to_string() == "敗血症"),
        "{}",
        case.map.to_tree()
    );
}

#[test]
fn a_text_above_the_limit_is_an_error_that_says_so() {
    let text = "熱".repeat(MAX_REPORT_BYTES / 3 + 1);
    let error = PIPELINE.structure("長い報告", &text).expect_err("above the limit");
    assert_eq!(error.code(), "too-long");
    let message = error.to_string();
    assert!(
        message.contains("長い報告") && message.contains(&MAX_REPORT_BYTES.to_string()),
        "{message}"
    );
}

/// Every cut of a report on a character boundary is a report.
#[test]
fn every_prefix_of_a_report() {
    for (at, _) in REPORT.char_indices() {
        structure(&REPORT[..at]);
        structure(&REPORT[at..]);
    }
}

/// Pieces that texts are made of: language, notation, numbers, and what is hard to normalise.
fn fragment() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "発熱",
        "咳嗽",
        "肺炎",
        "敗血症",
        "を認めた",
        "は認めず",
        "疑い",
        "による",
        "に伴う",
        "と診断した",
        "。",
        "、",
        "\n",
        "【主訴】",
        "【既往歴】",
        "＜現症＞",
        "家族歴：",
        "母が",
        "糖尿病",
        "（",
        "）",
        "(",
        ")",
        "CRP",
        " 12.3",
        "mg/dL",
        "ＢＮＰ",
        "６９６",
        "pg/mL",
        "39.2℃",
        "℃",
        "以上",
        "39度",
        "↑",
        "→",
        "(+)",
        "（－）",
        "3+",
        "万/μL",
        "1,234",
        "1.2×10",
        "胸部CT",
        "で",
        "両側",
        "すりガラス影",
        "四肢の",
        "しびれ",
        "右",
        "左",
        "EGPA",
        "（EGPA）",
        "ﾊﾟｰｷﾝｿﾝ病",
        "か\u{3099}",
        "\u{3099}",
        "①",
        "㎎",
        "Ⅳ",
        "𠮷",
        "😀",
        "\0",
        "\u{200b}",
        "H:",
        "@",
        "=",
        "/",
        "-",
        "2023年4月1日",
        "3日前",
        "67歳",
        "男性",
        "女性",
        "ドキソルビシン",
        "投与後",
        "60mg/日",
        "心電図",
        "S:",
        "A:",
        "Dr. ",
        ".",
        "が、",
        "なし",
        "ない",
        "アレルギー",
        "ー",
        "に",
        "の",
        "と",
    ];
    prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| text.chars().take(6).collect()),
        1 => prop::char::range('\u{3041}', '\u{9fff}').prop_map(String::from),
        1 => prop::char::range('\u{ff01}', '\u{ffef}').prop_map(String::from),
        1 => "[0-9]{1,4}[.,/~-]?[0-9]{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture(pieces in prop::collection::vec(fragment(), 0..60)) {
        structure(&pieces.concat());
    }

    #[test]
    fn any_string(text in any::<String>()) {
        structure(&text);
    }

    #[test]
    fn the_same_text_gives_the_same_case(pieces in prop::collection::vec(fragment(), 0..30)) {
        let text = pieces.concat();
        prop_assert_eq!(structure(&text), structure(&text));
    }
}
