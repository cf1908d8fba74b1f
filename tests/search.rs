//! The index of cases and its search, through the library: what is found, and what happens when
//! things go wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

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
        ("disease: 肺炎", "without a space"),
        ("発熱 腹痛 -発熱", "there and as not there"),
        ("肺癌> SIADH", "cause and an effect"),
    ] {
        let error = Query::parse(text, &PIPELINE).expect_err(text);
        assert_eq!(error.code(), "query");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn names_of_specialties_and_drugs_are_read_as_people_write_them() {
    let mut cases = cases();
    cases.push(record(
        "p1",
        "肺炎",
        "-肺炎\n  -発熱\n",
        ",\"drugs\":[\"プレドニゾロン\"]",
    ));
    cases.push(record(
        "p2",
        "肺炎",
        "-肺炎\n  -発熱\n",
        ",\"specialty\":\"当院総合診療部\"",
    ));
    let index = index("names", &cases);
    assert_eq!(ids(&index, "発熱 specialty:血液内科"), ["t1", "t2"]);
    assert_eq!(
        ids(&index, "発熱 specialty:当院総合診療部"),
        ["p2"],
        "one of the case's own"
    );
    for class in ["ステロイド", "副腎皮質ステロイド"] {
        assert_eq!(ids(&index, &format!("drug:{class}")), ["p1"]);
    }
    let unknown = query("disease:そんな病気");
    assert_eq!(unknown.unknown(), ["そんな病気"]);
    assert!(index.diseases(&unknown, 10).expect("an answer").diseases.is_empty());
}

/// What nobody knows but the reports' own words narrows to the cases that have them.
#[test]
fn words_alone_narrow() {
    let reports = [
        (
            "p1",
            "68歳の男性。スペイン旅行から帰国した後に発熱した。肺炎と診断した。",
        ),
        ("p2", "54歳の女性。発熱があった。肺炎と診断した。"),
    ];
    let entries =
        reports.map(|(id, report)| Entry::of_case(&PIPELINE.structure(id, report).expect("a case"), &PIPELINE));
    let index = index("words", &entries);
    let found = index.diseases(&query("スペイン旅行"), 10).expect("an answer");
    assert_eq!((found.cases, found.diseases.len(), found.diseases[0].cases), (1, 1, 1));
}

#[test]
fn one_writer_at_a_time() {
    let index = index("writers", &cases());
    let first = index.writer().expect("the first");
    let error = index.writer().err().expect("no second");
    assert_eq!(error.code(), "index");
    assert!(error.to_string().contains("another process is writing"), "{error}");
    // Nor from another process, and readers do not mind.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search/writers");
    let added = folder("writers.jsonl");
    std::fs::write(
        &added,
        "{\"id\":\"x\",\"primary\":\"肺炎\",\"causal_tree\":\"-肺炎\\n\"}\n",
    )
    .expect("writable");
    let add = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shorei"));
        command
            .args(["index", "add"])
            .args([&path, &added])
            .output()
            .expect("it starts")
    };
    let output = add();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("another process is writing"), "{error}");
    assert_eq!(open(&path).expect("readable").info().expect("readable").cases, 4);
    drop(first);
    assert!(index.writer().is_ok());
    assert_eq!(add().status.code(), Some(0));
    index.refresh().expect("readable");
    assert_eq!(index.info().expect("readable").cases, 5);
}

/// A writer that commits by itself on its way, killed: what it committed is all there, and nothing of
/// the rest.
#[cfg(unix)]
#[test]
fn what_was_committed_outlives_kill() {
    let (path, all) = (folder("killed"), folder("killed.jsonl"));
    let records: String = (0..120_000)
        .map(|id| format!("{{\"id\":\"k{id}\",\"primary\":\"肺炎\",\"causal_tree\":\"-肺炎\\n  -発熱\\n\"}}\n"))
        .collect();
    std::fs::write(&all, records).expect("writable");
    CaseIndex::create(&path, PIPELINE.shared_lexicon()).expect("a new index");
    let mut child = Command::new(env!("CARGO_BIN_EXE_shorei"))
        .args(["index", "add"])
        .args([&path, &all])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let cases = || open(&path).expect("sound").info().expect("readable").cases;
    while cases() == 0 && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = cases();
    child.kill().expect("kill -9");
    child.wait().expect("it ended");
    let index = open(&path).expect("sound");
    let after = index.info().expect("readable").cases;
    assert!(
        after >= before && [50_000, 100_000, 120_000].contains(&after),
        "{before}, then {after}"
    );
    assert_eq!(index.damaged().expect("readable"), Vec::<PathBuf>::new());
    for id in (0..after).step_by(997).chain([after - 1]) {
        assert!(
            index.case(&format!("k{id}")).expect("readable").is_some(),
            "k{id} of {after}"
        );
    }
    assert!(index.case(&format!("k{after}")).expect("readable").is_none());
    let found = index.diseases(&query("発熱"), 3000).expect("an answer");
    let row = found.diseases.iter().find(|row| row.label == "肺炎").expect("ranked");
    assert_eq!((u64::from(row.cases), u64::from(row.matching)), (after, after));
    // The lock went with the process.
    let mut writer = index.writer().expect("the lock is free");
    writer.add(&record("k0", "虫垂炎", "-虫垂炎\n", "")).expect("added");
    writer.commit().expect("committed");
    assert_eq!(index.info().expect("readable").cases, after, "k0 was replaced");
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
    for (mark, part) in [
        ("{\"format\":99}", "format 99"),
        ("{\"format\":\"one\"}", "format \"one\""),
        ("{}", "format null"),
        ("{\"format\":1", "is damaged"),
        ("", "is damaged"),
    ] {
        std::fs::write(path.join("shorei-index.json"), mark).expect("writable");
        let error = open(&path).err().expect("of another format");
        let text = error.to_string();
        assert!(
            text.contains(part) && text.contains("build the index anew"),
            "{mark}: {text}"
        );
    }
    std::fs::write(path.join("shorei-index.json"), [0xff, 0xfe]).expect("writable");
    assert!(open(&path).is_err(), "not UTF-8");
}

/// Every file of an index with other bytes at some place: an error or an answer, never a panic, and
/// `damaged` names the file.
#[test]
fn changed_bytes_are_told() {
    let path = folder("changed");
    let mut many = Vec::new();
    for round in 0..300 {
        for (at, mut case) in cases().into_iter().enumerate() {
            case.id = format!("{at}-{round}");
            many.push(case);
        }
    }
    let index = CaseIndex::create(&path, PIPELINE.shared_lexicon()).expect("a new index");
    let mut writer = index.writer().expect("the only writer");
    many.iter().for_each(|case| writer.add(case).expect("added"));
    writer.commit().expect("committed");
    let like = Query::like(&many[0], false, PIPELINE.lexicon());
    drop(index);
    let mut told = 0;
    for file in std::fs::read_dir(&path).expect("readable").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(file.path()).expect("readable");
        // The engine's own list of segments has no checksum; cut short it is told (see above).
        if content.is_empty() || name.ends_with(".json") {
            continue;
        }
        for place in 0..12 {
            let mut changed = content.clone();
            let at = content.len() * place / 12;
            let end = (at + 16).min(content.len());
            changed[at..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
            std::fs::write(file.path(), &changed).expect("writable");
            let index = match open(&path) {
                Ok(index) => index,
                Err(error) => {
                    assert_eq!(error.code(), "index", "{error}");
                    told += 1;
                    continue;
                }
            };
            for query in [&query("発熱 血小板/低下 -腹痛"), &query("発熱 sex:女 age:30-"), &like] {
                if let Err(error) = index
                    .diseases(query, 10)
                    .map(drop)
                    .and(index.cases(query, 10).map(drop))
                {
                    assert_eq!(error.code(), "index", "{error}");
                }
            }
            let _ = index.aggregate(1, 2);
            let damaged = index.damaged();
            assert!(
                damaged.is_err() || damaged.is_ok_and(|files| files.iter().any(|file| file == Path::new(&name))),
                "{name} was changed at {at} and nobody noticed"
            );
        }
        std::fs::write(file.path(), &content).expect("writable");
    }
    eprintln!("{told} changes were told when the index was opened");
    assert_eq!(open(&path).expect("sound again").info().expect("readable").cases, 1200);
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

#[test]
fn a_patient_beside_terms_takes_no_term_away() {
    let asked = query("78歳女性 呼吸困難 BNP/上昇 -発熱");
    assert_eq!(asked.present_labels(), ["呼吸困難", "BNP/上昇"]);
    assert_eq!(asked.absent_labels(), ["発熱"]);
    assert_eq!(asked.patient().age_years, Some(78.0));
    let child = query("2歳男児 発熱 発疹");
    let adult = query("70歳男性 発熱 発疹");
    let index = index("patients", &[]);
    let rank = |query: &Query| {
        let found = index.diseases(query, 500).expect("an answer").diseases;
        found
            .iter()
            .position(|row| row.label == "川崎病")
            .expect("川崎病 has both")
    };
    assert!(rank(&child) < rank(&adult));
}
