//! The `shorei` program: what it prints, where, and with which exit code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const REPORT: &str = "【主訴】発熱【現病歴】2日前から発熱と咳嗽があった。胸痛はない。\
    【検査】CRP 12.3mg/dL。【診断】肺炎と診断した。\n";

/// Runs the program with `input` on its standard input.
fn shorei(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shorei"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input closes it early; that is no fault of the test.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("the program ends")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on standard output")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on standard error")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    folder
}

/// Writes a file and gives its path as text.
fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a writable target folder");
    path.to_str().expect("UTF-8 paths in tests").to_owned()
}

/// The JSON objects of the output, one a line.
fn json_lines(output: &Output) -> Vec<serde_json::Value> {
    out(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn structure_prints_the_tree_of_a_file() {
    let path = file(&folder("file"), "症例1.txt", REPORT);
    let output = shorei(&["structure", &path], b"");
    assert_eq!((code(&output), err(&output).as_str()), (Some(0), ""));
    let tree = out(&output);
    assert!(tree.contains("-肺炎\n"), "{tree}");
    assert!(tree.contains("  -発熱") && tree.contains("-CRP/上昇"), "{tree}");
    assert!(
        !tree.contains("胸痛") && !tree.contains('\u{1b}'),
        "no negated finding, no colour in a pipe: {tree}"
    );
}

#[test]
fn structure_reads_standard_input() {
    for args in [&["structure"][..], &["structure", "-"]] {
        let output = shorei(args, REPORT.as_bytes());
        assert_eq!(code(&output), Some(0), "{}", err(&output));
        assert!(out(&output).contains("-肺炎"), "{}", out(&output));
    }
    let output = shorei(
        &["structure", "--id", "症例9", "--format", "json", "-"],
        REPORT.as_bytes(),
    );
    assert_eq!(json_lines(&output)[0]["id"], "症例9");
}

#[test]
fn structure_prints_json() {
    let path = file(&folder("json"), "症例2.txt", REPORT);
    let output = shorei(&["structure", "--format", "json", &path], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let cases = json_lines(&output);
    assert_eq!(cases.len(), 1);
    assert_eq!(
        (&cases[0]["id"], &cases[0]["primary"]),
        (&"症例2".into(), &"肺炎".into())
    );
    let tree = cases[0]["causal_tree"].as_str().expect("the tree as a string");
    assert!(
        shorei::CaseMap::parse(tree).is_ok_and(|map| map.nodes.len() >= 3),
        "{tree}"
    );
    let mentions = cases[0]["mentions"].as_array().expect("mentions");
    let pain = mentions
        .iter()
        .find(|mention| mention["text"] == "胸痛")
        .expect("the negated mention is there");
    assert_eq!(pain["assertion"]["status"], "absent");
    // Offsets, where the output has them, count code points of the report.
    let chars: Vec<char> = REPORT.chars().collect();
    for mention in mentions {
        if let (Some(start), Some(end)) = (mention["start"].as_u64(), mention["end"].as_u64()) {
            let slice: String = chars[start as usize..end as usize].iter().collect();
            assert_eq!(mention["text"], slice);
        }
    }
}

#[test]
fn structure_prints_every_format() {
    let path = file(&folder("formats"), "症例.txt", REPORT);
    for format in ["tree", "json", "dot", "svg", "html"] {
        let output = shorei(&["structure", "--format", format, &path], b"");
        assert_eq!(code(&output), Some(0), "{format}: {}", err(&output));
    }
    let output = shorei(&["structure", "--format", "docx", &path], b"");
    assert_eq!(code(&output), Some(2));
    assert!(
        err(&output).contains("docx") && err(&output).contains("tree"),
        "{}",
        err(&output)
    );
}

#[test]
fn several_files_are_told_apart_and_one_that_lacks_does_not_stop_the_rest() {
    let folder = folder("several");
    let first = file(&folder, "一.txt", REPORT);
    let second = file(&folder, "二.txt", "胸痛で受診し、心筋梗塞と診断した。");
    let missing = folder.join("無い.txt").to_str().expect("UTF-8").to_owned();
    let output = shorei(&["structure", &first, &missing, &second], b"");
    assert_eq!(code(&output), Some(1), "{}", err(&output));
    let text = out(&output);
    assert!(
        text.contains("# 一\n") && text.contains("# 二\n") && text.contains("-心筋梗塞"),
        "{text}"
    );
    assert!(err(&output).contains("無い.txt"), "{}", err(&output));
}

#[test]
fn a_folder_is_named_in_the_message() {
    let folder = folder("a-folder");
    let output = shorei(&["structure", folder.to_str().expect("UTF-8")], b"");
    assert!(matches!(code(&output), Some(1 | 2)), "{:?}", output.status);
    assert!(
        err(&output).contains("a-folder") && err(&output).contains("folder"),
        "{}",
        err(&output)
    );
    assert_eq!(out(&output), "");
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_that_helps() {
    // 「発熱」 in CP932.
    let path = file(&folder("cp932"), "sjis.txt", [b'A', 0x94, 0xad, 0x94, 0x4d]);
    let output = shorei(&["structure", &path], b"");
    assert!(matches!(code(&output), Some(1 | 2)), "{:?}", output.status);
    let message = err(&output);
    assert!(
        message.contains("sjis.txt") && message.contains("byte 1") && message.contains("iconv"),
        "{message}"
    );
    let output = shorei(&["structure", "-"], &[0xff, 0xfe]);
    assert!(matches!(code(&output), Some(1 | 2)), "{:?}", output.status);
}

#[test]
fn a_report_that_is_too_long_is_an_error() {
    let path = file(
        &folder("long"),
        "長い.txt",
        "熱".repeat(shorei::pipeline::MAX_REPORT_BYTES / 3 + 1),
    );
    let output = shorei(&["structure", &path], b"");
    assert!(matches!(code(&output), Some(1 | 2)), "{:?}", output.status);
    assert!(
        err(&output).contains("長い") && err(&output).contains("at most"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_broken_line_of_jsonl_does_not_stop_the_others() {
    let record = |id: &str| serde_json::json!({ "id": id, "text": REPORT, "more": 1 }).to_string();
    let lines = format!("{}\n{{\"id\": \"b\", \"tex\n\n{}\n", record("a"), record("c"));
    let path = file(&folder("jsonl"), "reports.jsonl", lines);
    let output = shorei(&["structure", "--format", "json", &path], b"");
    assert_eq!(code(&output), Some(1), "{}", err(&output));
    let ids: Vec<_> = json_lines(&output).iter().map(|case| case["id"].clone()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert!(err(&output).contains("reports.jsonl:2"), "{}", err(&output));
}

#[test]
fn evaluate_scores_files() {
    let folder = folder("evaluate");
    let tree = "-肺炎\n  -発熱\n  -咳嗽\n";
    let gold = serde_json::json!({ "id": "a", "report": REPORT, "primary": "肺炎", "causal_tree": tree });
    let gold = file(&folder, "gold.jsonl", format!("{gold}\n"));
    let output = shorei(&["evaluate", &gold, &gold], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    assert!(out(&output).contains("1.000"), "{}", out(&output));
    let output = shorei(&["evaluate", "--json", &gold, &gold], b"");
    let scores: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(scores["trees"]["edge"]["micro"]["f1"], 1.0);
    // The program's own output is a prediction.
    let report = file(&folder, "a.txt", REPORT);
    let predicted = shorei(&["structure", "--format", "json", &report], b"");
    let predicted = file(&folder, "predicted.jsonl", &predicted.stdout);
    let output = shorei(&["evaluate", "--errors", &gold, &predicted], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    assert!(
        out(&output).contains("CRP/上昇"),
        "what is spurious is listed: {}",
        out(&output)
    );
}

#[test]
fn evaluate_names_file_and_line_of_a_broken_record() {
    let folder = folder("evaluate-broken");
    let gold = file(
        &folder,
        "gold.jsonl",
        "{\"id\": \"a\", \"causal_tree\": \"-肺炎\"}\n{\"id\": \"b\", \"causal_tree\": \"肺炎\"}\n",
    );
    let output = shorei(&["evaluate", &gold, &gold], b"");
    assert_eq!(code(&output), Some(2));
    assert!(err(&output).contains("gold.jsonl:2"), "{}", err(&output));
    let output = shorei(&["evaluate", "nowhere.jsonl", &gold], b"");
    assert_eq!(code(&output), Some(2));
    assert!(err(&output).contains("nowhere.jsonl"), "{}", err(&output));
}

#[test]
fn explain_shows_every_stage() {
    let output = shorei(&["explain", "-"], REPORT.as_bytes());
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let text = out(&output);
    for part in [
        "normalize",
        "segment",
        "tokenize",
        "extract",
        "relate",
        "case map",
        "主訴",
        "肺炎",
        "Absent",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn dictionary_looks_terms_up() {
    let output = shorei(&["dictionary", "lookup", "EGPA", "ＣＲＰ", "発熱"], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let text = out(&output);
    for part in [
        "好酸球性多発血管炎性肉芽腫症",
        "CRP",
        "R50.9",
        "HP:0001945",
        "comes from",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    // Of what may cause fever the likely ones, or all.
    assert!(text.contains("more (--all)"), "{text}");
    let output = shorei(&["dictionary", "lookup", "--all", "発熱"], b"");
    let all = out(&output);
    assert!(!all.contains("more (--all)") && all.len() > text.len(), "{all}");
    let output = shorei(&["dictionary", "lookup", "ありもしない病"], b"");
    assert_eq!(code(&output), Some(1));
    assert!(out(&output).contains("ありもしない病"), "{}", out(&output));
    let output = shorei(&["dictionary", "info"], b"");
    assert!(
        code(&output) == Some(0) && out(&output).contains("concepts"),
        "{}",
        out(&output)
    );
}

#[test]
fn help_and_version() {
    let output = shorei(&["--help"], b"");
    assert_eq!(code(&output), Some(0));
    for command in ["structure", "explain", "evaluate", "dictionary"] {
        assert!(out(&output).contains(command), "{}", out(&output));
        let help = shorei(&[command, "--help"], b"");
        assert_eq!(code(&help), Some(0));
        assert!(out(&help).contains("Usage"), "{}", out(&help));
    }
    let output = shorei(&["--version"], b"");
    assert!(out(&output).contains(env!("CARGO_PKG_VERSION")), "{}", out(&output));
    assert_eq!(code(&shorei(&["strukture"], b"")), Some(2));
}

/// `shorei structure … | head -1` ends without noise.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let path = file(&folder("pipe"), "症例.txt", REPORT);
    let mut child = Command::new(env!("CARGO_BIN_EXE_shorei"))
        .args(["structure", "--format", "json", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!((code(&output), err(&output).as_str()), (Some(0), ""));
}

/// Random weights: what the model names is of no use, but it is always the same.
fn random_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encoder/bert")
}

#[test]
fn a_model_joins_in() {
    let model = random_model();
    let model = model.to_str().expect("UTF-8 paths in tests");
    let output = shorei(
        &["structure", "--format", "json", "--model", model, "-"],
        REPORT.as_bytes(),
    );
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let case = &json_lines(&output)[0];
    let mentions = case["mentions"].as_array().expect("mentions");
    let characters: Vec<char> = REPORT.chars().collect();
    for mention in mentions {
        let at = |name: &str| mention[name].as_u64().expect("an offset") as usize;
        let slice: String = characters[at("start")..at("end")].iter().collect();
        assert_eq!(mention["text"], slice.as_str());
    }
    // Values are the dictionaries', whatever a model says.
    assert!(mentions.iter().any(|mention| mention["kind"] == "test_value"));
    let output = shorei(&["explain", "--model", model, "-"], REPORT.as_bytes());
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    assert!(out(&output).contains("model "), "{}", out(&output));
}

#[test]
fn labels_of_a_model_are_told() {
    let copy = folder("model");
    for entry in std::fs::read_dir(random_model()).expect("the fixture") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copy");
    }
    let config = std::fs::read_to_string(copy.join("config.json")).expect("config.json");
    let config = config
        .replace("d_positive", "Tumour")
        .replace("d_negative", "Ruled-out");
    let _ = file(&copy, "config.json", config);
    let model = copy.to_str().expect("UTF-8 paths in tests");
    let output = shorei(&["structure", "--model", model, "-"], REPORT.as_bytes());
    assert_eq!(code(&output), Some(2));
    assert!(
        err(&output).contains("B-Tumour") && err(&output).contains("--labels"),
        "{}",
        err(&output)
    );
    let table = "label\tkind\tstatus\nTumour\tdisease\tpresent\nruled-out\tdisease\tabsent\n";
    let labels = file(&copy, "labels.tsv", table);
    let output = shorei(
        &["structure", "--model", model, "--labels", &labels, "-"],
        REPORT.as_bytes(),
    );
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let labels = file(&copy, "labels.tsv", table.replace("absent", "gone"));
    let output = shorei(
        &["structure", "--model", model, "--labels", &labels, "-"],
        REPORT.as_bytes(),
    );
    assert_eq!(code(&output), Some(2));
    assert!(
        err(&output).contains("labels.tsv:3: ") && err(&output).contains("`gone`"),
        "{}",
        err(&output)
    );
}

#[test]
fn medtxt_is_scored_as_it_is_written() {
    let folder = folder("medtxt");
    let reports = file(
        &folder,
        "reports.jsonl",
        "{\"id\": \"1\", \"text\": \"【主訴】発熱、咳嗽。胸痛はない。\"}\n{\"id\": \"2\", \"text\": \"肺炎と診断した。\"}\n",
    );
    let output = shorei(&["structure", "--format", "medtxt", &reports], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let xml = out(&output);
    assert!(xml.contains("<d certainty=\"positive\">発熱、咳嗽</d>"), "{xml}");
    assert!(xml.contains("<d certainty=\"negative\">胸痛</d>"), "{xml}");
    let xml = file(&folder, "predicted.xml", xml);
    let output = shorei(&["structure", "--format", "json", &reports], b"");
    let cases = file(&folder, "cases.jsonl", out(&output));
    let scores = |extra: &[&str]| {
        let mut args = vec!["evaluate", &cases, &cases, "--mentions", &xml];
        args.extend(extra);
        let output = shorei(&args, b"");
        assert_eq!(code(&output), Some(0), "{}", err(&output));
        out(&output)
    };
    // Against itself, and the cases' own spans against it: 発熱 and 咳嗽 are two there.
    assert!(scores(&["--predicted-mentions", &xml]).contains("exact F1 1.000"));
    assert!(scores(&[]).contains("exact F1 0.400"));
}

/// Records of cases, `count` of them, ids from `first`.
fn records(first: usize, count: usize) -> String {
    (first..first + count)
        .map(|id| {
            let tree = "-ツツガムシ病\\n  -発熱\\n  -皮疹\\n  -血小板/低下\\n";
            format!("{{\"id\":\"c{id}\",\"primary\":\"ツツガムシ病\",\"causal_tree\":\"{tree}\"}}\n")
        })
        .collect()
}

/// Cases of an index, as `index info` counts them after it found every file sound.
fn indexed(index: &str) -> u64 {
    let output = shorei(&["index", "info", index, "--check", "--json"], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let info = &json_lines(&output)[0];
    assert_eq!(info["damaged"], serde_json::json!([]));
    info["cases"].as_u64().expect("a number")
}

#[test]
fn index_and_search() {
    let folder = folder("index");
    let index = folder.join("cases.index").to_str().expect("UTF-8").to_owned();
    let report = file(&folder, "症例1.txt", REPORT);
    let cases = file(&folder, "cases.jsonl", records(0, 3) + "{\"id\":\"broken\"}\n");
    let output = shorei(&["index", "build", &index, &report, &cases], b"");
    assert_eq!(code(&output), Some(1), "one record is broken: {}", err(&output));
    assert!(
        err(&output).contains("cases.jsonl:4") && err(&output).contains("causal_tree"),
        "{}",
        err(&output)
    );
    assert!(out(&output).contains("4 cases added"), "{}", out(&output));
    let output = shorei(&["index", "build", &index, &cases], b"");
    assert_eq!(code(&output), Some(2));
    assert!(err(&output).contains("shorei index add"), "{}", err(&output));

    let output = shorei(&["search", &index, "発熱 血小板低下 -腹痛"], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    let table = out(&output);
    let row = table
        .lines()
        .find(|line| line.contains("ツツガムシ病"))
        .expect("ranked");
    assert!(
        row.contains("3/3") && row.contains("感染症") && row.contains("血小板"),
        "{row}"
    );
    assert!(table.contains("absent:   腹痛") && !table.contains('\u{1b}'), "{table}");

    let output = shorei(&["search", &index, "発熱 血小板低下", "--json", "-n", "5"], b"");
    let found: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(found["diseases"].as_array().expect("a list").len(), 5);
    assert_eq!(found["cases"], 4);

    let output = shorei(&["search", &index, "--cases", "disease:肺炎"], b"");
    assert!(
        out(&output).contains("症例1") && out(&output).contains("-CRP/上昇"),
        "{}",
        out(&output)
    );
    let output = shorei(&["search", &index, "--like", "c0"], b"");
    assert!(
        out(&output).contains("c1") && out(&output).contains("ツツガムシ病>発熱"),
        "{}",
        out(&output)
    );
    // Absent findings first, and nothing but narrowing: no score, and no panic of the argument parser.
    let output = shorei(&["search", &index, "-腹痛 発熱", "-n", "3"], b"");
    assert!(
        out(&output).contains("absent:   腹痛"),
        "{}{}",
        out(&output),
        err(&output)
    );
    let output = shorei(&["search", &index, "disease:肺炎"], b"");
    assert_eq!(
        out(&output),
        "rank  disease  cases  specialty\n   1  肺炎         1  呼吸器\n1 disease ranked, 1 case searched\n"
    );
    let output = shorei(&["search", &index, "発熱 specialty:なし"], b"");
    assert!(
        out(&output).contains("no disease found") && out(&output).contains("膠原病・アレルギー"),
        "{}",
        out(&output)
    );
    let output = shorei(&["search", &index, "発熱", "-n", "0"], b"");
    assert_eq!(code(&output), Some(2));
    let output = shorei(&["search", &index, "colour:red"], b"");
    assert_eq!(code(&output), Some(2));
    assert!(
        err(&output).contains("colour:red") && err(&output).contains("specialty"),
        "{}",
        err(&output)
    );
    let output = shorei(&["search", &index, "--like", "nobody"], b"");
    assert_eq!(code(&output), Some(2));
    assert!(err(&output).contains("nobody"), "{}", err(&output));

    let output = shorei(&["knowledge", "aggregate", &index], b"");
    let table = out(&output);
    assert!(
        table.contains("ツツガムシ病\tmanifests_as\t発疹\tvery_frequent\tcases\t3\t3\t3"),
        "{table}"
    );
    let links = file(&folder, "links.tsv", &table);
    let output = shorei(&["search", &index, "発熱", "--knowledge", &links], b"");
    assert_eq!(code(&output), Some(0), "{}", err(&output));

    let output = shorei(&["index", "remove", &index, "c0", "nobody"], b"");
    assert_eq!(code(&output), Some(1), "one is not there");
    assert_eq!(indexed(&index), 3);
}

#[cfg(unix)]
#[test]
fn what_was_committed_outlives_kill_and_a_full_disk() {
    let folder = folder("index_crash");
    let index = folder.join("cases.index").to_str().expect("UTF-8").to_owned();
    let first = file(&folder, "first.jsonl", records(0, 20));
    let more = file(&folder, "more.jsonl", records(100, 30_000));
    assert_eq!(code(&shorei(&["index", "build", &index, &first], b"")), Some(0));
    // Killed at several moments of its work: all that it adds is there, or nothing.
    for wait in [150, 400, 900] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shorei"))
            .args(["index", "add", &index, &more])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = child.kill();
        let _ = child.wait();
        let cases = indexed(&index);
        assert!(cases == 20 || cases == 30_020, "{cases} after {wait} ms");
    }
    // A limit on the size of files is what a full disk is to the writer.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} index add {index} {more}",
        env!("CARGO_BIN_EXE_shorei")
    );
    let output = Command::new("bash").args(["-c", &limited]).output().expect("a shell");
    assert_eq!(code(&output), Some(2), "{}", err(&output));
    assert!(
        err(&output).contains("cases.index"),
        "names the index: {}",
        err(&output)
    );
    let cases = indexed(&index);
    assert!(cases == 20 || cases == 30_020, "{cases}");
    let output = shorei(&["index", "add", &index, &first], b"");
    assert_eq!(code(&output), Some(0), "it goes on: {}", err(&output));
    assert_eq!(indexed(&index), cases, "the same ids replaced");
}
