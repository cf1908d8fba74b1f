//! Dictionaries that users bring: every format in, a pack out, and the pack over the built-in
//! dictionaries; by the library and by the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use encoding_rs::SHIFT_JIS;
use proptest::prelude::*;
use shorei::lexicon::import::{self, Format, Import, ImportedTerm, Options};
use shorei::lexicon::pack::{KindCertainty, Pack, build};
use shorei::lexicon::{Lexicon, ProblemKind};
use shorei::types::ConceptKind;
use shorei::{Error, Pipeline};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packs").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    folder
}

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a writable target folder");
    path
}

fn shift_jis(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = SHIFT_JIS.encode(text);
    assert!(!lossy, "{text}");
    bytes.into_owned()
}

fn normalized(text: &str) -> String {
    shorei::normalize::normalize(text).norm().to_owned()
}

fn read(format: Format, paths: &[PathBuf], kind: Option<ConceptKind>, strict: bool) -> Result<Import, Error> {
    let options = Options {
        normalize: &normalized,
        kind,
        strict,
    };
    import::read(format, paths, &options)
}

/// Reads rows in UTF-8 and in Shift_JIS, which must give the same.
fn terms(format: Format, test: &str, files: &[(&str, &str)]) -> Import {
    let write = |encoding: &str, encode: &dyn Fn(&str) -> Vec<u8>| {
        let folder = folder(&format!("{test}-{encoding}"));
        let paths: Vec<_> = files
            .iter()
            .map(|(name, text)| file(&folder, name, encode(text)))
            .collect();
        read(format, &paths, None, false).expect("the file is of this format")
    };
    let utf8 = write("utf8", &|text| text.as_bytes().to_vec());
    let sjis = write("sjis", &shift_jis);
    assert_eq!(utf8.terms, sjis.terms);
    assert_eq!(utf8.faults.len(), sjis.faults.len());
    assert!(utf8.files.iter().all(|file| file.encoding == "UTF-8"));
    assert!(
        sjis.files.iter().all(|file| file.encoding == "Shift_JIS"),
        "{:?}",
        sjis.files
    );
    utf8
}

fn pack(name: &str, terms: Vec<ImportedTerm>) -> Pack {
    let built = build(name, terms).expect("fits");
    Pack::from_bytes(Path::new("test.pack"), built.bytes).expect("a sound pack")
}

fn over(packs: impl IntoIterator<Item = Pack>) -> Lexicon {
    Lexicon::load_default()
        .and_then(|lexicon| lexicon.layered(packs))
        .expect("loads")
}

/// Line and value of each fault.
fn faults(import: &Import) -> Vec<(usize, String)> {
    import
        .faults
        .iter()
        .map(|fault| match fault {
            Error::Dictionary {
                line, value, reason, ..
            } => {
                assert!(reason.contains(' '), "a sentence, not a word: {reason}");
                (*line, value.clone())
            }
            other => panic!("{other}"),
        })
        .collect()
}

#[test]
fn manbyo_in_its_three_forms() {
    let text = "出現形,出現形よみ,ICD10コード,標準病名,信頼度LEVEL,頻度LEVEL\n\
        ＡＭＩ,えーえむあい,I219,急性心筋梗塞,S,高\n\
        熱っぽさ,ねつっぽさ,R509,発熱,A,中\n\
        二つの符号,ふたつのふごう,I50;J81,謎の鬱血症,B,低\n\
        符号なし病,ふごうなしびょう,-1,-1,C,低\n\
        壊れた符号,こわれたふごう,心臓,謎病,C,低\n\
        足りない,たりない,I10\n\
        ,なまえなし,I10,高血圧症,C,低\n";
    let import = terms(Format::Manbyo, "manbyo", &[("MANBYO.csv", text)]);
    assert_eq!(
        faults(&import),
        [(6, "心臓".into()), (7, "足りない".into()), (8, String::new())]
    );
    let [ami, fever, two, none] = import.terms.as_slice() else {
        panic!("{:?}", import.terms)
    };
    assert_eq!(
        (ami.surface.as_str(), ami.label.as_str(), ami.icd10.as_str(), ami.kind),
        ("AMI", "急性心筋梗塞", "I21.9", ConceptKind::Disease)
    );
    assert_eq!(
        (ami.reading.as_str(), ami.source.as_str()),
        ("えーえむあい", "MANBYO.csv")
    );
    assert_eq!(
        (fever.kind, fever.certainty),
        (ConceptKind::Symptom, KindCertainty::Family)
    );
    assert_eq!(two.icd10, "I50");
    assert!(two.codes.contains(&("ICD-10".into(), "J81".into())), "{:?}", two.codes);
    assert_eq!((none.label.as_str(), none.icd10.as_str()), ("符号なし病", ""));

    let text = "心カテ後血栓,しんかてごけっせん;icd=T817;lv=B/freq=低;術後血栓症\n痛風腎,つうふうじん;icd=-1;lv=S/freq=高;-1\n";
    let import = terms(Format::Manbyo, "medner-j", &[("dict.csv", text)]);
    let rows: Vec<_> = import
        .terms
        .iter()
        .map(|term| (term.label.as_str(), term.icd10.as_str()))
        .collect();
    assert_eq!(rows, [("術後血栓症", "T81.7"), ("痛風腎", "")]);
    assert_eq!(import.terms[0].reading, "しんかてごけっせん");

    let import = terms(
        Format::Manbyo,
        "mednern",
        &[("norm.tsv", "心筋こうそく\t心筋梗塞\n甲状腺機能亢進\t-1\n")],
    );
    let labels: Vec<_> = import.terms.iter().map(|term| term.label.as_str()).collect();
    assert_eq!(labels, ["心筋梗塞", "甲状腺機能亢進"]);
}

#[test]
fn medis_joined_on_the_exchange_code() {
    let nmain = "0,20050001,架空性心筋炎,カクウセイシンキンエン,1,ZZ01,I409,x\n\
        0,20050002,架空性熱,カクウセイネツ,1,ZZ02,R509,x\n\
        0,20050003,符号の無い病,フゴウノナイヤマイ,1,ZZ,I10,x\n";
    let index = "架空筋炎,ZZ01,0\n架空熱,ZZ02,0\n架空の,M001,1\n迷子,ZZ99,0\n";
    let mdfy = "0,30000001,架空の,カクウノ,M001,1,1\n";
    let files = [("nmain510.txt", nmain), ("index510.txt", index), ("mdfy510.txt", mdfy)];
    let import = terms(Format::Medis, "medis", &files);
    assert_eq!(faults(&import), [(3, "ZZ".into()), (4, "ZZ99".into())]);
    let rows: Vec<_> = import
        .terms
        .iter()
        .map(|term| {
            (
                term.surface.as_str(),
                term.label.as_str(),
                term.icd10.as_str(),
                term.kind,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("架空性心筋炎", "架空性心筋炎", "I40.9", ConceptKind::Disease),
            ("架空性熱", "架空性熱", "R50.9", ConceptKind::Symptom),
            ("架空筋炎", "架空性心筋炎", "I40.9", ConceptKind::Disease),
            ("架空熱", "架空性熱", "R50.9", ConceptKind::Symptom),
        ]
    );
    assert!(import.terms[2].codes.contains(&("MEDIS".into(), "ZZ01".into())));

    let folder = folder("medis-alone");
    let alone = file(&folder, "index510.txt", index);
    let error = read(Format::Medis, &[alone], None, false).expect_err("index alone");
    assert!(error.to_string().contains("nmain"), "{error}");
}

#[test]
fn mecab_csv() {
    let text = "アーガイル架空瞳孔,-1,-1,1000,名詞,一般,*,*,*,*,アーガイル架空瞳孔,アーガイルカクウドウコウ,アーガイルカクウドーコー,ComeJisyo\n\
        \"1,25-架空ビタミンD\",,,5000,名詞,一般,*,*,*,*,*,*,*\n\
        歩く,1,1,100,動詞,自立,*,*,*,*,歩く,アルク,アルク\n\
        架空の,別称,-1,-1,1000,名詞,一般,*,*,*,*,x\n\
        短い行,1,1\n\
        \"開いた引用,1,1,1,名詞,一般\n\
        架空略称,-1,-1,1000,名詞,一般,*,*,*,*,架空性大病,カクウ,カクー\n";
    let import = terms(Format::Mecab, "mecab", &[("ComeJisyo.csv", text)]);
    assert_eq!(import.files[0].left_out, 1);
    assert_eq!(
        faults(&import).into_iter().map(|(line, _)| line).collect::<Vec<_>>(),
        [4, 5, 6]
    );
    let rows: Vec<_> = import
        .terms
        .iter()
        .map(|term| (term.surface.as_str(), term.label.as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            ("アーガイル架空瞳孔", "アーガイル架空瞳孔"),
            ("1,25-架空ビタミンD", "1,25-架空ビタミンD"),
            ("架空略称", "架空性大病")
        ]
    );
    assert_eq!(import.terms[0].reading, "アーガイルカクウドウコウ");
    let path = file(&folder("mecab-kind"), "drugs.csv", text);
    let drugs = read(Format::Mecab, &[path], Some(ConceptKind::Drug), false).expect("reads");
    assert!(
        drugs
            .terms
            .iter()
            .all(|term| (term.kind, term.certainty) == (ConceptKind::Drug, KindCertainty::Stated))
    );
}

#[test]
fn generic_tables_by_their_header() {
    let text = "label\tsurface\tkind\ticd10\thpo\tsynonyms\tparent\tmedis\t備考\n\
        架空病\t架空\tdisease\tA01.0\t\t架空症|架空症候群\t感染症\tZZ01\tx\n\
        架空徴候\t\tsign\t\tHP:0001945\t\t\t\tx\n\
        架空薬\t\tくすり\t\t\t\t\t\tx\n\
        架空徴候2\t\tsign\t\tHP:19\t\t\t\tx\n\
        短い\tx\n\
        7\t\tdisease\t\t\t\t\t\tx\n";
    let import = terms(Format::Generic, "generic", &[("own.tsv", text)]);
    assert_eq!(
        faults(&import),
        [
            (1, "備考".into()),
            (4, "くすり".into()),
            (5, "HP:19".into()),
            (6, "短い".into()),
            (7, "7".into())
        ]
    );
    let [disease, sign] = import.terms.as_slice() else {
        panic!("{:?}", import.terms)
    };
    assert_eq!((disease.surface.as_str(), disease.synonyms.len()), ("架空", 2));
    assert_eq!(
        (disease.parent.as_str(), disease.certainty),
        ("感染症", KindCertainty::Stated)
    );
    assert_eq!(disease.codes, [("MEDIS".to_owned(), "ZZ01".to_owned())]);
    assert_eq!((sign.surface.as_str(), sign.hpo.as_str()), ("架空徴候", "HP:0001945"));

    let path = file(
        &folder("generic-strict"),
        "own.csv",
        "surface,kind\n架空薬,drug\n架空病,びょうき\n",
    );
    let error = read(Format::Generic, std::slice::from_ref(&path), None, true).expect_err("strict");
    let message = error.to_string();
    assert!(
        message.contains("own.csv:3") && message.contains("びょうき"),
        "{message}"
    );
    let path = file(&folder("generic-header"), "own.csv", "名前,種類\n架空病,disease\n");
    let error = read(Format::Generic, &[path], None, false).expect_err("no header");
    assert!(error.to_string().contains("surface"), "{error}");
}

#[test]
fn babelon_takes_what_is_official() {
    let text = "source_language\ttranslation_language\tsubject_id\tpredicate_id\tsource_value\ttranslation_value\ttranslation_status\n\
        en\tja\tHP:0000001\trdfs:label\tAll\tNA\tNOT_TRANSLATED\n\
        en\tja\tHP:0000002\trdfs:label\tInvented sign\t架空の徴候\tOFFICIAL\n\
        en\tja\tHP:0000002\toboInOwl:hasExactSynonym\tMade-up sign\t虚構の徴候\tOFFICIAL\n\
        en\tja\tHP:0000003\trdfs:label\tLost\t?瘡\tOFFICIAL\n\
        en\tja\tHP:3\trdfs:label\tBad id\t架空\tOFFICIAL\n\
        en\tja\tHP:0000004\trdfs:label\tCandidate\t候補\tCANDIDATE\n";
    let import = terms(Format::Babelon, "babelon", &[("hp-ja.babelon.tsv", text)]);
    assert_eq!(faults(&import), [(5, "?瘡".into()), (6, "HP:3".into())]);
    assert_eq!(import.files[0].left_out, 2);
    let rows: Vec<_> = import
        .terms
        .iter()
        .map(|term| {
            (
                term.surface.as_str(),
                term.label.as_str(),
                term.english.as_str(),
                term.hpo.as_str(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("架空の徴候", "架空の徴候", "Invented sign", "HP:0000002"),
            ("虚構の徴候", "架空の徴候", "", "HP:0000002")
        ]
    );
}

/// The translation as its project publishes it: `../shared/data`, which is no part of this project.
#[test]
fn the_real_hpo_translation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hpo-ja/hp-ja.babelon.tsv");
    if !path.exists() {
        eprintln!(
            "skipped: no {}; the test needs the Japanese HPO translation there",
            path.display()
        );
        return;
    }
    let import = read(Format::Babelon, &[path], None, false).expect("the real file reads");
    assert_eq!(
        (import.files[0].taken + import.faults.len(), import.files[0].left_out),
        (17_649, 219)
    );
    assert!(import.faults.len() < 10, "{:?}", import.faults);
    let surfaces: Vec<String> = import.terms.iter().map(|term| term.surface.clone()).collect();
    let lexicon = over([pack("hpo", import.terms)]);
    for surface in &surfaces {
        assert!(!lexicon.lookup(surface).is_empty(), "{surface}");
    }
    let id = lexicon.lookup("女性内性器異常")[0];
    assert_eq!(lexicon.concept(id).hpo, "HP:0000008");
    // What the built-in dictionaries know keeps its knowledge.
    let fever = lexicon.lookup_condition("発熱").expect("発熱");
    assert!(lexicon.knowledge().causes(lexicon.condition_key(fever)).count() > 10);
}

#[test]
fn damaged_packs_are_refused() {
    let terms = vec![
        ImportedTerm::new("架空病", "架空病"),
        ImportedTerm::new("KAKU", "架空病"),
    ];
    let good = build("a", terms).expect("fits").bytes;
    let reason = |bytes: Vec<u8>| match Pack::from_bytes(Path::new("x.pack"), bytes) {
        Err(error) => {
            assert_eq!(error.code(), "pack");
            error.to_string()
        }
        Ok(_) => panic!("taken for sound"),
    };
    assert!(Pack::from_bytes(Path::new("x.pack"), good.clone()).is_ok());
    assert!(reason(b"surface,label\n".to_vec()).contains("not a dictionary pack"));
    assert!(reason(Vec::new()).contains("not a dictionary pack"));
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        bytes
    };
    assert!(reason(changed(8)).contains("version"));
    assert!(reason(good[..20].to_vec()).contains("cut short"));
    assert!(reason(good[..good.len() - 1].to_vec()).contains("cut short"));
    assert!(reason([good.as_slice(), b"x"].concat()).contains("damaged"));
    for at in 12..good.len() {
        let message = reason(changed(at));
        assert!(
            message.contains("damaged") || message.contains("cut short"),
            "{at}: {message}"
        );
    }
    // A pack whose checksum agrees but whose content does not: no panic, whatever it answers.
    for at in 16..good.len() {
        for value in [0u8, 1, 0x7f, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let checksum = crc32fast::hash(&bytes[16..]).to_le_bytes();
            bytes[12..16].copy_from_slice(&checksum);
            if let Ok(pack) = Pack::from_bytes(Path::new("x.pack"), bytes) {
                let text = "架空病とkakuと架空";
                for (start, end, surface) in pack.find_all(text) {
                    assert!(text.get(start..end).is_some(), "{at}: {surface}");
                }
                for concept in 0..pack.concepts_len() {
                    let _ = pack.concept(concept);
                }
            }
        }
    }
}

#[test]
fn packs_lie_over_the_built_in_dictionaries() {
    let built_in = Lexicon::load_default().expect("loads");
    let stated = |surface: &str, label: &str, kind: ConceptKind| ImportedTerm {
        kind,
        certainty: KindCertainty::Stated,
        ..ImportedTerm::new(surface, label)
    };
    let first = pack(
        "first",
        vec![
            // Another name of what is known; a new concept under a known one; a name that means
            // something else here.
            ImportedTerm::new("院内熱", "発熱"),
            ImportedTerm {
                parent: "肺炎".into(),
                icd10: "J18.9".into(),
                ..stated("架空肺炎", "架空肺炎", ConceptKind::Disease)
            },
            stated("CRP", "架空レチノパチー", ConceptKind::Disease),
        ],
    );
    let second = pack("second", vec![stated("架空肺炎", "架空性肺臓炎", ConceptKind::Disease)]);
    let lexicon = over([first, second]);
    assert_eq!(lexicon.lookup("院内熱"), built_in.lookup("発熱"));
    assert_eq!(lexicon.lookup("発熱"), built_in.lookup("発熱"));
    assert_eq!(lexicon.origins(lexicon.lookup("発熱")[0])[0].pack, "first");

    let new = lexicon.by_id("first:disease:架空肺炎").expect("the id is there");
    assert!(new.0 as usize >= built_in.concepts().len());
    assert_eq!(lexicon.concept(new).icd10, "J18.9");
    let pneumonia = built_in.lookup_condition("肺炎").expect("肺炎");
    assert!(lexicon.is_a(new, pneumonia));

    let label = |surface: &str| lexicon.concept(lexicon.lookup(surface)[0]).label.clone();
    assert_eq!(label("CRP"), "架空レチノパチー");
    assert_eq!(label("架空肺炎"), "架空性肺臓炎");
    let conflicts: Vec<_> = lexicon
        .conflicts()
        .iter()
        .map(|conflict| {
            (
                conflict.pack.as_str(),
                conflict.surface.as_str(),
                conflict.later.as_str(),
            )
        })
        .collect();
    assert_eq!(
        conflicts,
        [
            ("first", "CRP", "架空レチノパチー (disease)"),
            ("second", "架空肺炎", "架空性肺臓炎 (disease)")
        ]
    );
    let text = "crpと架空肺炎と院内熱";
    let mut found: Vec<_> = lexicon
        .find_all(text)
        .map(|found| {
            (
                &text[found.start..found.end],
                lexicon.surface(found.surface).concepts.clone(),
            )
        })
        .collect();
    found.retain(|(form, _)| ["crp", "架空肺炎", "院内熱"].contains(form));
    assert_eq!(found.len(), 3, "one meaning each: {found:?}");
    assert!(
        found
            .iter()
            .all(|(form, concepts)| lexicon.lookup(form) == concepts.as_slice())
    );
    assert_eq!(
        lexicon.ids().count(),
        lexicon.ids().collect::<std::collections::HashSet<_>>().len()
    );
}

#[test]
fn a_kind_that_is_not_stated_overrides_nothing() {
    let lexicon = over([pack(
        "guess",
        vec![ImportedTerm::new("CRP", "CRP"), ImportedTerm::new("発熱", "発熱")],
    )]);
    assert_eq!(lexicon.concept(lexicon.lookup("CRP")[0]).kind, ConceptKind::Test);
    assert_eq!(lexicon.concept(lexicon.lookup("発熱")[0]).kind, ConceptKind::Symptom);
    assert!(lexicon.conflicts().is_empty(), "{:?}", lexicon.conflicts());
    // A stated one does, and the concept keeps what is known of it.
    let stated = ImportedTerm {
        kind: ConceptKind::Sign,
        certainty: KindCertainty::Stated,
        icd10: "R50.0".into(),
        ..ImportedTerm::new("発熱", "発熱")
    };
    let lexicon = over([pack("own", vec![stated])]);
    let fever = lexicon.concept(lexicon.lookup("発熱")[0]);
    assert_eq!(
        (fever.kind, fever.icd10.as_str(), fever.hpo.as_str()),
        (ConceptKind::Sign, "R50.0", "HP:0001945")
    );
    assert_eq!(lexicon.conflicts().len(), 2, "{:?}", lexicon.conflicts());
}

/// 虹彩炎 is a synonym of ぶどう膜炎 in the built-in dictionaries, and a code of its own in HPO.
#[test]
fn a_synonym_with_another_code_is_a_concept_under_the_known_one() {
    let built_in = Lexicon::load_default().expect("loads");
    let (known, synonym) = built_in
        .concepts()
        .iter()
        .find_map(|concept| {
            let synonym = concept.synonyms.iter().find(|form| built_in.lookup(form).len() == 1)?;
            (!concept.hpo.is_empty() && concept.kind.is_condition()).then_some((concept, synonym))
        })
        .expect("one of thousands");
    let term = |hpo: &str| ImportedTerm {
        hpo: hpo.into(),
        certainty: KindCertainty::Family,
        ..ImportedTerm::new(synonym, synonym)
    };
    let same = over([pack("own", vec![term(&known.hpo)])]);
    assert_eq!(same.lookup(synonym), built_in.lookup(synonym));
    let other = over([pack("own", vec![term("HP:9999999")])]);
    let id = other.lookup(synonym)[0];
    assert_eq!(
        (other.concept(id).hpo.as_str(), other.concept(id).kind),
        ("HP:9999999", known.kind)
    );
    assert!(other.is_a(id, built_in.by_id(&known.id).expect("known")));
    assert_eq!(other.conflicts().len(), 1);
}

#[test]
fn checks_find_unknown_parents_and_cycles() {
    let child = |label: &str, parent: &str| ImportedTerm {
        parent: parent.into(),
        ..ImportedTerm::new(label, label)
    };
    let terms = vec![
        child("架空甲", "架空乙"),
        child("架空乙", "架空甲"),
        child("架空丙", "無い病"),
        child("架空丁", "架空丁"),
    ];
    let lexicon = over([pack("own", terms)]);
    let problems: Vec<_> = lexicon
        .check()
        .into_iter()
        .filter(|problem| problem.id.starts_with("own:"))
        .map(|problem| (problem.kind, problem.label))
        .collect();
    assert_eq!(
        problems,
        [
            (ProblemKind::UnknownParent, "架空丙".into()),
            (ProblemKind::Cycle, "架空丁".into()),
            (ProblemKind::Cycle, "架空乙".into()),
            (ProblemKind::Cycle, "架空甲".into()),
        ]
    );
}

#[test]
fn a_pipeline_finds_what_a_pack_adds() {
    let report = "【現病歴】2日前から発熱があった。【診断】蝦蟇口病と診断した。";
    let pipeline = Pipeline::load_default().expect("loads");
    let concept = |pipeline: &Pipeline| {
        let case = pipeline.structure("症例", report).expect("a case");
        let mention = case.mentions.iter().find(|mention| mention.text == "蝦蟇口病");
        mention
            .and_then(|mention| mention.concept)
            .map(|id| pipeline.lexicon().concept(id).icd10.clone())
    };
    assert_eq!(concept(&pipeline), None);
    let term = ImportedTerm {
        icd10: "Z99.9".into(),
        ..ImportedTerm::new("蝦蟇口病", "蝦蟇口病")
    };
    let pipeline = pipeline.with_dictionaries([pack("own", vec![term])]).expect("layers");
    assert_eq!(concept(&pipeline).as_deref(), Some("Z99.9"));
    assert_eq!(
        pipeline.structure("症例", report).expect("a case").primary(),
        "蝦蟇口病"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Build, load: every surface is there, with its label, by lookup and by scanning.
    #[test]
    fn what_is_built_is_found(
        terms in prop::collection::vec(("[甲乙丙丁ア-オa-cA-C]{1,6}", "[甲乙丙丁ア-オa-cA-C]{1,6}"), 1..60),
        text in "[甲乙丙丁ア-オa-c、]{0,80}",
    ) {
        let rows: Vec<_> = terms.iter().map(|(surface, label)| ImportedTerm::new(surface, label)).collect();
        let built = build("prop", rows.clone()).expect("fits");
        prop_assert_eq!(&built.bytes, &build("prop", rows).expect("fits").bytes);
        let pack = Pack::from_bytes(Path::new("prop.pack"), built.bytes).expect("sound");
        for (surface, label) in &terms {
            for form in [surface, label] {
                let found = pack.find(&form.to_ascii_lowercase()).expect("every form is there");
                prop_assert!(pack.meanings(found).any(|concept| pack.label(concept) == label));
            }
        }
        let mut found: Vec<_> = pack.find_all(&text).collect();
        found.sort_unstable();
        let mut expected = Vec::new();
        for surface in 0..pack.surfaces_len() {
            let key = pack.key(surface);
            for (start, _) in text.char_indices() {
                if text[start..].starts_with(key) {
                    expected.push((start, start + key.len(), surface));
                }
            }
        }
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    /// Any bytes: an error or a pack, never a panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let framed = [b"shoreipk\x01\0\0\0".as_slice(), &bytes].concat();
        for bytes in [bytes, framed] {
            if let Err(error) = Pack::from_bytes(Path::new("x"), bytes) {
                prop_assert_eq!(error.code(), "pack");
            }
        }
    }
}

fn shorei(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shorei"))
        .args(args)
        .output()
        .expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_program_builds_and_uses_packs() {
    let folder = folder("program");
    let text = |path: &Path| path.to_str().expect("UTF-8 paths in tests").to_owned();
    let table = "出現形,出現形よみ,ICD10コード,標準病名,信頼度LEVEL,頻度LEVEL\n蝦蟇口病,がまぐちびょう,I509,蝦蟇口病,S,高\n壊れた行\n";
    let source = text(&file(&folder, "万病.csv", shift_jis(table)));
    let pack = text(&folder.join("own.pack"));

    let strict = shorei(&[
        "dictionary",
        "build",
        "--from",
        "manbyo",
        "--strict",
        &source,
        "-o",
        &pack,
    ]);
    assert_eq!(strict.status.code(), Some(2), "{}", out(&strict));
    assert!(!Path::new(&pack).exists(), "strict writes nothing");
    let built = shorei(&["dictionary", "build", "--from", "manbyo", &source, "-o", &pack]);
    assert_eq!(built.status.code(), Some(1), "one row is broken: {}", err(&built));
    assert!(
        err(&built).contains("万病.csv:3") && err(&built).contains("壊れた行"),
        "{}",
        err(&built)
    );
    assert!(
        out(&built).contains("Shift_JIS") && out(&built).contains("1 concepts"),
        "{}",
        out(&built)
    );

    let found = shorei(&["dictionary", "lookup", "--dictionary", &pack, "蝦蟇口病"]);
    assert_eq!(found.status.code(), Some(0), "{}", err(&found));
    for part in [
        "own:disease:蝦蟇口病",
        "I50.9",
        "がまぐちびょう",
        "万病.csv",
        "MANBYO-LV S",
    ] {
        assert!(out(&found).contains(part), "no {part} in {}", out(&found));
    }
    let info = shorei(&["dictionary", "info", "--dictionary", &pack]);
    assert!(
        out(&info).contains("own.pack") && out(&info).contains("0  conflicts"),
        "{}",
        out(&info)
    );
    let check = shorei(&["dictionary", "check", "--dictionary", &pack]);
    assert_eq!(check.status.code(), Some(0), "{}", out(&check));

    let report = text(&file(&folder, "症例.txt", "【診断】蝦蟇口病と診断した。"));
    for command in ["structure", "explain"] {
        let output = shorei(&[command, "--dictionary", &pack, &report]);
        assert!(
            output.status.success() && out(&output).contains("蝦蟇口病"),
            "{}",
            err(&output)
        );
    }
    let json = shorei(&["structure", "--dictionary", &pack, "--format", "json", &report]);
    assert!(out(&json).contains("own:disease:蝦蟇口病"), "{}", out(&json));
    for (args, code, part) in [
        (
            &["dictionary", "info", "--dictionary", source.as_str()][..],
            2,
            "not a dictionary pack",
        ),
        (&["dictionary", "info", "--dictionary", "無い.pack"], 2, "無い.pack"),
        (
            &[
                "dictionary",
                "build",
                "--from",
                "babelon",
                source.as_str(),
                "-o",
                pack.as_str(),
            ],
            2,
            "Babelon",
        ),
        (
            &[
                "dictionary",
                "build",
                "--from",
                "docx",
                source.as_str(),
                "-o",
                pack.as_str(),
            ],
            2,
            "manbyo",
        ),
    ] {
        let output = shorei(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(part), "{args:?}: {}", err(&output));
    }

    let lines = ["一", "二"].map(|id| {
        serde_json::json!({ "id": id, "text": "【現病歴】発熱と蝦蟇口病と天狗羽団扇症を認めた。" }).to_string()
    });
    let corpus = text(&file(&folder, "reports.jsonl", lines.join("\n")));
    let without = shorei(&["dictionary", "coverage", &corpus]);
    assert_eq!(without.status.code(), Some(0), "{}", err(&without));
    let first = out(&without).lines().next().unwrap_or_default().to_owned();
    assert!(first.starts_with("2\t2\t"), "{}", out(&without));
    assert!(
        out(&without).contains("天狗羽団扇症") && out(&without).contains("蝦蟇口病"),
        "{}",
        out(&without)
    );
    let with = shorei(&["dictionary", "coverage", "--dictionary", &pack, &corpus]);
    assert!(
        out(&with).contains("天狗羽団扇症") && !out(&with).contains("蝦蟇口病"),
        "{}",
        out(&with)
    );
}
