//! The index of cases and its search, through the library: what is found, and what happens when
//! things go wrong.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use shorei::search::{CaseIndex, Entry, Query};
use shorei::{Error, Pipeline};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::load_default().expect("the built-in data loads"));

/// A folder of this test's own that does not exist yet.
fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search");
    std::fs::create_dir_all(&root).expect("a writable target folder");
    let folder = root.join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn record(id: &str, primary: &str, tree: &str, more: &str) -> Entry {
    let json = format!("{{\"id\":{id:?},\"primary\":{primary:?},\"causal_tree\":{tree:?}{more}}}");
    Entry::of_json(&json, PIPELINE.lexicon()).expect("a sound record")
}

/// Cases of three diseases.
fn cases() -> Vec<Entry> {
    let ttp = "-血栓性血小板減少性紫斑病\n  -発熱\n  -血小板/低下\n  -溶血性貧血\n    -Hb/低下\n  -意識障害\n";
    let tick = "-ツツガムシ病\n  -発熱\n  -皮疹\n  -刺し口\n  -血小板/低下\n";
    let appendix = "-虫垂炎\n  -発熱\n  -右下腹部痛\n  -WBC/上昇\n";
    vec![
        record(
            "t1",
            "血栓性血小板減少性紫斑病",
            ttp,
            ",\"sex\":\"F\",\"age\":45,\"absent\":[\"腹痛\"]",
        ),
        record("t2", "血栓性血小板減少性紫斑病", ttp, ",\"sex\":\"M\",\"age\":71"),
        record("r1", "ツツガムシ病", tick, ",\"sex\":\"M\",\"age\":66"),
        record(
            "a1",
            "虫垂炎",
            appendix,
            ",\"sex\":\"F\",\"age\":23,\"drugs\":[\"メトホルミン\"]",
        ),
    ]
}

fn index(name: &str, cases: &[Entry]) -> CaseIndex {
    let index = CaseIndex::create(&folder(name), PIPELINE.shared_lexicon()).expect("a new index");
    let mut writer = index.writer().expect("the only writer");
    for case in cases {
        writer.add(case).expect("added");
    }
    assert_eq!(writer.commit().expect("committed"), cases.len());
    index
}

fn query(text: &str) -> Query {
    Query::parse(text, &PIPELINE).expect("a sound query")
}

fn ids(index: &CaseIndex, text: &str) -> Vec<String> {
    let mut ids: Vec<String> = index
        .cases(&query(text), 10)
        .expect("an answer")
        .into_iter()
        .map(|row| row.id)
        .collect();
    ids.sort();
    ids
}

#[test]
fn diseases_are_ranked_by_knowledge_without_cases() {
    let index = index("none", &[]);
    let found = index.diseases(&query("発熱 皮疹 刺し口"), 10).expect("an answer");
    assert_eq!(found.cases, 0);
    let first: Vec<&str> = found.diseases.iter().map(|row| row.label.as_str()).collect();
    assert!(first[..3].contains(&"ツツガムシ病"), "{first:?}");
    assert!(found.diseases.windows(2).all(|rows| rows[0].score >= rows[1].score));
}

#[test]
fn cases_count_and_are_counted() {
    let index = index("counts", &cases());
    let found = index.diseases(&query("発熱 血小板/低下"), 3000).expect("an answer");
    assert_eq!(found.cases, 4);
    let row = |label: &str| found.diseases.iter().find(|row| row.label == label).expect("ranked");
    let ttp = row("血栓性血小板減少性紫斑病");
    assert_eq!((ttp.matching, ttp.cases, ttp.specialty.as_str()), (2, 2, "血液"));
    assert_eq!((row("虫垂炎").matching, row("虫垂炎").cases), (1, 1));
    let platelets = &ttp.reasons[1];
    assert_eq!((platelets.cases, platelets.known), (2, true));
    assert!(platelets.log_ratio > 0.0 && platelets.chance > platelets.background);
    // More cases with a finding make a disease likelier.
    let before = ttp.score;
    let more: Vec<Entry> = (0..40)
        .map(|number| {
            let tree = "-ツツガムシ病\n  -発熱\n  -血小板/低下\n";
            record(&format!("m{number}"), "ツツガムシ病", tree, "")
        })
        .collect();
    let mut writer = index.writer().expect("the lock is free again");
    more.iter().for_each(|case| writer.add(case).expect("added"));
    writer.commit().expect("committed");
    let found = index.diseases(&query("発熱 血小板/低下"), 3000).expect("an answer");
    let tick = found
        .diseases
        .iter()
        .find(|row| row.label == "ツツガムシ病")
        .expect("ranked");
    assert_eq!(tick.cases, 41);
    assert!(tick.score > before - 1.0 && tick.reasons[1].chance > 0.8, "{tick:?}");
}

#[test]
fn findings_are_expanded_by_what_they_are_a_kind_of() {
    let index = index("kinds", &cases());
    // The case says 右下腹部痛; a query for 腹痛 finds it as well, and the other way round nearly.
    let rows = index.cases(&query("腹痛"), 10).expect("an answer");
    assert_eq!((rows.len(), rows[0].id.as_str()), (1, "a1"));
    assert_eq!(rows[0].matched, ["腹痛"]);
    let line = rows[0].causal_tree.lines().position(|line| line.contains("右下腹部痛"));
    assert!(rows[0].marked[line.expect("in the tree")]);
    let general = [record("g", "虫垂炎", "-虫垂炎\n  -腹痛\n", "")];
    let index = self::index("general", &general);
    let rows = index.cases(&query("右下腹部痛"), 10).expect("an answer");
    assert_eq!((rows[0].matched.len(), rows[0].nearly.len()), (0, 1));
    assert!(rows[0].score < 1.0);
}

#[test]
fn sites_are_expanded_to_their_parts() {
    let cases = [
        record("hand", "頸椎症", "-頸椎症\n  -しびれ@手部\n", ""),
        record("foot", "糖尿病", "-糖尿病\n  -しびれ@足部\n", ""),
    ];
    let index = index("sites", &cases);
    let rows = index.cases(&query("しびれ@上肢"), 10).expect("an answer");
    assert_eq!(rows[0].id, "hand");
    assert_eq!((rows[0].matched.len(), rows[1].matched.len()), (1, 0));
}

#[test]
fn cases_are_narrowed() {
    let index = index("narrow", &cases());
    assert_eq!(ids(&index, "発熱 age:60-"), ["r1", "t2"]);
    assert_eq!(ids(&index, "発熱 age:-45 sex:女"), ["a1", "t1"]);
    assert_eq!(ids(&index, "発熱 specialty:血液"), ["t1", "t2"]);
    assert_eq!(ids(&index, "disease:ツツガムシ病"), ["r1"]);
    assert_eq!(ids(&index, "発熱 drug:メトホルミン"), ["a1"]);
    assert_eq!(ids(&index, "溶血性貧血>Hb/低下"), ["t1", "t2"]);
    let found = index.diseases(&query("発熱 specialty:血液"), 50).expect("an answer");
    assert!(!found.diseases.is_empty() && found.diseases.iter().all(|row| row.specialty == "血液"));
}

#[test]
fn what_is_absent_speaks_against() {
    let index = index("absent", &cases());
    let score = |text: &str| {
        let found = index.diseases(&query(text), 3000).expect("an answer");
        let row = found
            .diseases
            .into_iter()
            .find(|row| row.label == "虫垂炎")
            .expect("ranked");
        row.score
    };
    assert!(score("発熱 -腹痛") < score("発熱"));
    let rows = index.cases(&query("発熱 -腹痛"), 10).expect("an answer");
    let against = rows.iter().find(|row| row.id == "a1").expect("found");
    assert_eq!(against.against, ["腹痛"]);
    assert_eq!(rows.last().expect("four").id, "a1");
}

#[test]
fn the_like_of_a_case() {
    let index = index("like", &cases());
    let case = index.case("t1").expect("readable").expect("there");
    let rows = index
        .cases(&Query::like(&case, false, PIPELINE.lexicon()), 10)
        .expect("an answer");
    assert!(rows.iter().all(|row| row.id != "t1"), "not itself");
    assert_eq!(
        (rows[0].id.as_str(), rows[0].primary.as_str()),
        ("t2", "血栓性血小板減少性紫斑病")
    );
    assert!((rows[0].score - 1.0).abs() < 1e-9, "the same map: {}", rows[0].score);
    let path = ("溶血性貧血".to_owned(), "Hb/低下".to_owned());
    assert!(rows[0].shared_paths.contains(&path), "{:?}", rows[0].shared_paths);
    assert!(rows[1].score < 0.7);
}

/// Two cases with the same nodes: the one with the same paths is the nearer one.
#[test]
fn shared_paths_count_more_than_shared_nodes() {
    let own = record(
        "own",
        "肺癌",
        "-肺癌\n  -SIADH\n    -低ナトリウム血症\n      -意識障害\n",
        "",
    );
    let same = record(
        "same",
        "肺癌",
        "-肺癌\n  -SIADH\n    -低ナトリウム血症\n      -意識障害\n",
        "",
    );
    let flat = record("flat", "肺癌", "-肺癌\n-SIADH\n-低ナトリウム血症\n-意識障害\n", "");
    let index = index("paths", &[flat, same]);
    let rows = index
        .cases(&Query::like(&own, false, PIPELINE.lexicon()), 10)
        .expect("an answer");
    assert_eq!(rows[0].id, "same");
    assert!(rows[0].score > rows[1].score + 0.1);
}

#[test]
fn a_case_of_the_same_id_replaces() {
    let index = index("replace", &cases());
    let mut writer = index.writer().expect("a writer");
    writer
        .add(&record("t1", "虫垂炎", "-虫垂炎\n  -腹痛\n", ""))
        .expect("added");
    writer.commit().expect("committed");
    assert_eq!(index.info().expect("readable").cases, 4);
    assert_eq!(index.case("t1").expect("readable").expect("there").primary, "虫垂炎");
    let mut writer = index.writer().expect("a writer");
    writer.remove("t1");
    writer.commit().expect("committed");
    assert_eq!(index.info().expect("readable").cases, 3);
    assert!(index.case("t1").expect("readable").is_none());
}

#[test]
fn reports_are_indexed_with_their_words_and_patients() {
    let report = "68歳の男性。発熱と咳嗽があった。胸痛はない。スペイン旅行から帰国した後であった。肺炎と診断した。";
    let case = PIPELINE.structure("p1", report).expect("structured");
    let index = index("report", &[Entry::of_case(&case, &PIPELINE)]);
    assert_eq!(ids(&index, "咳嗽 age:60- sex:男"), ["p1"]);
    let entry = index.case("p1").expect("readable").expect("there");
    assert_eq!(entry.age_years, Some(68.0));
    assert!(entry.json.contains(report), "the case is kept whole");
    let rows = index.cases(&query("スペイン旅行"), 10).expect("an answer");
    assert_eq!(rows[0].id, "p1");
}

#[test]
fn queries_that_cannot_be_read_say_why() {
    for (text, part) in [
        ("", "names no finding"),
        ("age:old 発熱", "expected years"),
        ("age:60-20", "expected years"),
        ("sex:x", "男"),
        ("colour:red", "unknown"),
        ("drug:そのような薬はない", "no dictionary"),
    ] {
        let error = Query::parse(text, &PIPELINE).expect_err(text);
        assert_eq!(error.code(), "query");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn one_writer_at_a_time() {
    let index = index("writers", &cases());
    let first = index.writer().expect("the first");
    let error = index.writer().err().expect("no second");
    assert_eq!(error.code(), "index");
    assert!(error.to_string().contains("another process is writing"), "{error}");
    drop(first);
    assert!(index.writer().is_ok());
}

#[test]
fn what_was_not_committed_is_not_there() {
    let path = folder("dropped");
    let index = CaseIndex::create(&path, PIPELINE.shared_lexicon()).expect("a new index");
    let mut writer = index.writer().expect("a writer");
    cases().iter().for_each(|case| writer.add(case).expect("added"));
    drop(writer);
    let index = CaseIndex::open(&path, PIPELINE.shared_lexicon()).expect("sound");
    assert_eq!(index.info().expect("readable").cases, 0);
}

fn open(path: &Path) -> Result<CaseIndex, Error> {
    CaseIndex::open(path, Arc::clone(&PIPELINE.shared_lexicon()))
}

#[test]
fn other_folders_and_formats_are_refused() {
    let error = open(Path::new("no/such/index")).err().expect("none there");
    assert!(error.to_string().contains("shorei index build"), "{error}");
    index("format", &cases());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search/format");
    let error = CaseIndex::create(&path, PIPELINE.shared_lexicon())
        .err()
        .expect("it is there");
    assert!(error.to_string().contains("exists already"), "{error}");
    std::fs::write(path.join("shorei-index.json"), "{\"format\":99}").expect("writable");
    let error = open(&path).err().expect("of another format");
    assert!(error.to_string().contains("format 99"), "{error}");
}

/// Every file of an index cut short, one after the other: an error or, for what a search does not
/// need, a sound answer; never a panic, and `damaged` names it.
#[test]
fn truncated_files_are_told() {
    index("truncated", &cases());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search/truncated");
    let mut told = 0;
    for file in std::fs::read_dir(&path).expect("readable").flatten() {
        let content = std::fs::read(file.path()).expect("readable");
        if content.len() < 8 {
            continue;
        }
        std::fs::write(file.path(), &content[..content.len() / 2]).expect("writable");
        match open(&path) {
            Err(error) => {
                assert_eq!(error.code(), "index", "{error}");
                assert!(error.to_string().contains("truncated"), "names the folder: {error}");
                told += 1;
            }
            Ok(index) => {
                let answer = index.cases(&query("発熱"), 10);
                let damaged = index.damaged();
                let name = file.file_name();
                assert!(
                    answer.is_err()
                        || damaged.is_err()
                        || damaged.is_ok_and(|files| !files.is_empty())
                        || name == ".managed.json",
                    "{name:?} was cut and nobody noticed"
                );
            }
        }
        std::fs::write(file.path(), &content).expect("writable");
    }
    assert!(told >= 3, "{told} files");
    assert_eq!(open(&path).expect("sound again").info().expect("readable").cases, 4);
}

#[test]
fn maps_fold_into_one_graph() {
    let index = index("aggregate", &cases());
    let graph = index.aggregate(1, 5).expect("an answer");
    assert_eq!(graph.cases, 4);
    let link = graph
        .links
        .iter()
        .find(|link| link.cause == "血栓性血小板減少性紫斑病" && link.effect == "発熱")
        .expect("in two maps");
    assert_eq!((link.cases, link.cause_cases, link.effect_cases), (2, 2, 4));
    assert!((link.lift - 1.0).abs() < 1e-9, "2·4 / (2·4)");
    assert_eq!(link.support, ["t1", "t2"]);
    assert!(index.aggregate(2, 0).expect("an answer").links.len() < graph.links.len());
    // It serves as knowledge, and reads as what it says.
    let path = folder("links.tsv");
    std::fs::write(&path, graph.to_tsv()).expect("writable");
    let added = Pipeline::load_default()
        .expect("loads")
        .with_knowledge(&path)
        .expect("sound rows");
    assert!(added.lexicon().knowledge().len() >= PIPELINE.lexicon().knowledge().len());
    let csv = graph.to_csv().expect("in memory");
    assert_eq!(csv.lines().count(), graph.links.len() + 1);
    let graphml = graph.to_graphml();
    assert_eq!(graphml.matches("<edge ").count(), graph.links.len());
    assert!(graphml.contains("溶血性貧血"));
}

#[test]
fn knowledge_of_ones_own_is_checked() {
    let path = folder("broken.tsv");
    std::fs::write(
        &path,
        "cause\trelation\teffect\tfrequency\n肺炎\tmakes\t発熱\tfrequent\n",
    )
    .expect("writable");
    let error = Pipeline::load_default()
        .expect("loads")
        .with_knowledge(&path)
        .err()
        .expect("refused");
    let text = error.to_string();
    assert!(text.contains("broken.tsv:2") && text.contains("makes"), "{text}");
    std::fs::write(&path, "cause\teffect\n肺炎\t発熱\n").expect("writable");
    let error = Pipeline::load_default()
        .expect("loads")
        .with_knowledge(&path)
        .err()
        .expect("refused");
    assert!(error.to_string().contains("relation"), "{error}");
}

#[test]
fn an_index_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<CaseIndex>();
    shared::<Query>();
    shared::<Entry>();
}
