//! `shorei batch` and `shorei::batch`: inputs, outputs, failures, and runs that are killed.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use shorei::Pipeline;
use shorei::batch::{Job, Summary, run};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::load_default().expect("the embedded data loads"));

const SYMPTOMS: [&str; 7] = ["発熱", "咳嗽", "呼吸困難", "腹痛", "頭痛", "下痢", "倦怠感"];
const DISEASES: [&str; 5] = ["肺炎", "急性膵炎", "細菌性髄膜炎", "潰瘍性大腸炎", "心不全"];

/// A report of an invented patient, another for every number.
fn report(number: usize) -> String {
    format!(
        "【主訴】{}【現病歴】{}日前から{}があった。{}はない。【診断】{}と診断した。",
        SYMPTOMS[number % 7],
        number % 30 + 1,
        SYMPTOMS[(number / 7) % 7],
        SYMPTOMS[(number / 3 + 1) % 7],
        DISEASES[number % 5],
    )
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("batch").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    folder
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a writable target folder");
    path
}

fn jsonl(reports: usize) -> String {
    let mut text = String::new();
    for number in 0..reports {
        let record = serde_json::json!({"id": format!("r{number:05}"), "text": report(number)});
        let _ = writeln!(text, "{record}");
    }
    text
}

fn go(job: &Job) -> Summary {
    run(&PIPELINE, job, &mut |_| ControlFlow::Continue(())).expect("the run ends well")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn ids(path: &Path) -> Vec<String> {
    let id = |record: &Value| record["id"].as_str().expect("an id").to_owned();
    lines(path).iter().map(id).collect()
}

/// Every file below a folder, by its path, with what is in it.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                files.push((name, std::fs::read(&path).expect("a readable file")));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn lines_come_out_in_the_order_of_the_input_whatever_the_threads() {
    let folder = folder("order");
    let input = write(&folder, "reports.jsonl", jsonl(1300));
    let one = Job {
        threads: Some(1),
        ..Job::new(&input, folder.join("one.jsonl"))
    };
    let four = Job {
        threads: Some(4),
        ..Job::new(&input, folder.join("four.jsonl"))
    };
    let summary = go(&one);
    assert_eq!((summary.reports, summary.failed, summary.stopped), (1300, 0, false));
    go(&four);
    let expected: Vec<String> = (0..1300).map(|number| format!("r{number:05}")).collect();
    assert_eq!(ids(&one.output), expected);
    assert_eq!(
        std::fs::read(&one.output).expect("written"),
        std::fs::read(&four.output).expect("written")
    );
    let case = PIPELINE.structure("r00007", &report(7)).expect("a case");
    let alone = shorei::export::to_json_line(&case, PIPELINE.lexicon());
    assert_eq!(
        lines(&one.output)[7].to_string(),
        serde_json::from_str::<Value>(&alone).expect("JSON").to_string()
    );
    // Nothing is left of the run itself.
    let names: Vec<_> = contents(&folder).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["four.jsonl", "one.jsonl", "reports.jsonl"].map(PathBuf::from));
}

#[test]
fn a_broken_report_does_not_stop_the_others() {
    let folder = folder("broken");
    let secret = "この本文は誰にも見せない";
    let mut text = String::from("\u{feff}");
    let _ = writeln!(text, "{}", serde_json::json!({"id": "a", "text": report(1)}));
    let _ = writeln!(text, "{{\"id\": \"b\", \"text\": \"{secret}");
    let _ = writeln!(text, "\n[1]");
    let _ = writeln!(text, "{}", serde_json::json!({"text": secret}));
    let _ = writeln!(text, "{}", serde_json::json!({"id": "d", "text": [secret]}));
    let _ = writeln!(text, "{}", serde_json::json!({"id": "e", "text": "あ".repeat(400_000)}));
    let _ = writeln!(text, "{}", serde_json::json!({"id": 7, "text": report(2)}));
    let mut bytes = text.into_bytes();
    bytes.extend(b"{\"id\": \"f\", \"text\": \"\xff\"}\n");
    bytes.extend(serde_json::json!({"id": "g", "text": ""}).to_string().as_bytes());
    let job = Job::new(write(&folder, "reports.jsonl", bytes), folder.join("cases.jsonl"));
    let summary = go(&job);
    assert_eq!((summary.reports, summary.failed), (9, 6));
    assert_eq!(ids(&job.output), ["a", "7", "g"]);
    let errors = lines(&job.errors_path());
    let told: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| (error["id"].as_str().unwrap_or(""), error["code"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ("", "record"),
            ("", "record"),
            ("", "record"),
            ("d", "record"),
            ("e", "too-long"),
            ("", "not-utf8")
        ]
    );
    assert!(
        errors[0]["place"]
            .as_str()
            .is_some_and(|place| place.ends_with("reports.jsonl:2"))
    );
    let text = std::fs::read_to_string(job.errors_path()).expect("written");
    assert!(
        !text.contains("本文は") && !text.contains("あああ"),
        "no text of a report: {text}"
    );
}

#[test]
fn csv_and_folders_are_read() {
    let folder = folder("csv");
    let csv = "\u{feff}番号,科,本文\n1,内科,\"【主訴】発熱\n【診断】肺炎と診断した。\"\n2,内科\n3,外科,【診断】急性膵炎と診断した。\n";
    let job = Job {
        id_field: "番号".into(),
        text_field: "本文".into(),
        ..Job::new(write(&folder, "reports.csv", csv), folder.join("csv.jsonl"))
    };
    let summary = go(&job);
    assert_eq!((summary.reports, summary.failed), (3, 1));
    let cases = lines(&job.output);
    assert_eq!(cases[0]["text"], "【主訴】発熱\n【診断】肺炎と診断した。");
    assert_eq!(
        (cases[1]["id"].as_str(), cases[1]["primary"].as_str()),
        (Some("3"), Some("急性膵炎"))
    );
    assert!(
        lines(&job.errors_path())[0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("2 cells"))
    );

    let error = run(&PIPELINE, &Job::new(&job.input, folder.join("x.jsonl")), &mut |_| {
        ControlFlow::Continue(())
    });
    let message = error.expect_err("no column id").to_string();
    assert!(
        message.contains("no column `id`") && message.contains("番号"),
        "{message}"
    );

    let texts = folder.join("texts");
    std::fs::create_dir_all(&texts).expect("a folder");
    for number in [2, 0, 1] {
        write(&texts, &format!("c{number}.txt"), report(number));
    }
    write(&texts, "bad.txt", b"\x82\xa0");
    write(&texts, "ignored.md", "x");
    let job = Job::new(&texts, folder.join("texts.jsonl"));
    let summary = go(&job);
    assert_eq!((summary.reports, summary.failed), (4, 1));
    assert_eq!(ids(&job.output), ["c0", "c1", "c2"]);
}

#[test]
fn what_cannot_begin_says_what_to_do() {
    let folder = folder("refused");
    let input = write(&folder, "reports.jsonl", jsonl(3));
    let refused = |job: &Job| {
        run(&PIPELINE, job, &mut |_| ControlFlow::Continue(()))
            .expect_err("an error")
            .to_string()
    };
    assert!(refused(&Job::new(folder.join("none.jsonl"), folder.join("o"))).contains("none.jsonl"));
    assert!(refused(&Job::new(write(&folder, "x.docx", ""), folder.join("o"))).contains("expected .jsonl"));
    let empty = folder.join("empty");
    std::fs::create_dir_all(&empty).expect("a folder");
    assert!(refused(&Job::new(&empty, folder.join("o"))).contains("no .txt file"));

    let job = Job::new(&input, folder.join("cases.jsonl"));
    go(&job);
    assert!(refused(&job).contains("exists already"));
    let again = Job {
        resume: true,
        ..job.clone()
    };
    let summary = go(&again);
    assert_eq!(
        (summary.reports, summary.before),
        (3, 3),
        "a finished run has nothing left to do"
    );
}

#[test]
fn two_runs_do_not_write_to_one_output() {
    let folder = folder("two");
    let input = write(&folder, "reports.jsonl", jsonl(3000));
    for output in ["cases.jsonl", "cases"] {
        let job = Job {
            threads: Some(1),
            ..Job::new(&input, folder.join(output))
        };
        let resume = Job {
            resume: true,
            // Another spelling of the same place.
            output: folder.join(".").join(output),
            ..job.clone()
        };
        let mut told = None;
        run(&PIPELINE, &job, &mut |_| {
            let second = run(&PIPELINE, &resume, &mut |_| ControlFlow::Continue(()));
            told.get_or_insert(second.map_err(|error| error.to_string()));
            ControlFlow::Continue(())
        })
        .expect("the first run is not disturbed");
        let told = told
            .expect("the observer was called")
            .expect_err("the second is refused");
        assert!(told.contains("another run is writing to it"), "{told}");
        assert_eq!(go(&resume).reports, 3000, "once it has ended, all is as it was");
    }
    // What a killed run leaves hinders nobody.
    write(&folder, "left.jsonl.lock", "");
    go(&Job::new(&input, folder.join("left.jsonl")));
    let locks = contents(&folder).into_iter().map(|(name, _)| name);
    assert_eq!(
        locks
            .filter(|name| name.extension().is_some_and(|end| end == "lock"))
            .count(),
        0
    );
}

#[test]
fn a_stopped_run_is_taken_up_only_as_it_began() {
    let folder = folder("stopped");
    let input = write(&folder, "reports.jsonl", jsonl(4000));
    // One thread: the work outlasts the first look of the observer.
    let job = Job {
        threads: Some(1),
        ..Job::new(&input, folder.join("cases.jsonl"))
    };
    let stopped = run(&PIPELINE, &job, &mut |_| ControlFlow::Break(())).expect("stopped, not failed");
    assert!(stopped.stopped && stopped.reports < 4000, "{stopped:?}");
    assert!(!job.output.exists(), "what is not finished has another name");
    let resume = Job {
        resume: true,
        ..job.clone()
    };
    let message = |job: &Job| {
        run(&PIPELINE, job, &mut |_| ControlFlow::Continue(()))
            .expect_err("an error")
            .to_string()
    };
    assert!(message(&job).contains("--resume"));
    let other = Job {
        settings: "another arranger".into(),
        ..resume.clone()
    };
    assert!(message(&other).contains("another arranger"));
    let summary = go(&resume);
    assert_eq!((summary.reports, summary.before), (4000, stopped.reports));
    let fresh = Job::new(&input, folder.join("fresh.jsonl"));
    go(&fresh);
    assert!(std::fs::read(&resume.output).expect("written") == std::fs::read(&fresh.output).expect("written"));

    let begun = Job {
        output: folder.join("changed.jsonl"),
        ..job
    };
    run(&PIPELINE, &begun, &mut |_| ControlFlow::Break(())).expect("stopped");
    std::fs::write(&input, jsonl(4001)).expect("writable");
    assert!(message(&Job { resume: true, ..begun }).contains("cannot be resumed"));
}

#[cfg(feature = "tables")]
#[test]
fn parquet_in_and_out() {
    use arrow_array::cast::AsArray;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let folder = folder("parquet");
    let first = Job::new(write(&folder, "reports.jsonl", jsonl(900)), folder.join("cases"));
    go(&first);
    let read = |path: PathBuf| -> Vec<arrow_array::RecordBatch> {
        let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .expect("Parquet")
            .build()
            .expect("Parquet");
        reader.collect::<Result<_, _>>().expect("rows")
    };
    let documents = read(first.output.join("documents/part-00000.parquet"));
    let texts: Vec<String> = documents
        .iter()
        .flat_map(|batch| {
            batch
                .column_by_name("text")
                .expect("a column")
                .as_string::<i32>()
                .iter()
                .flatten()
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(texts, (0..900).map(report).collect::<Vec<_>>());
    for table in ["mentions", "edges"] {
        let rows: usize = read(first.output.join(table).join("part-00000.parquet"))
            .iter()
            .map(arrow_array::RecordBatch::num_rows)
            .sum();
        assert!(rows > 900, "{table}: {rows}");
    }
    // Its documents are an input again, and say the same.
    let second = Job::new(first.output.join("documents/part-00000.parquet"), folder.join("again"));
    let summary = go(&second);
    assert_eq!((summary.reports, summary.failed), (900, 0));
    assert!(contents(&first.output) == contents(&second.output));
    let names: Vec<String> = contents(&first.output)
        .iter()
        .map(|(name, _)| name.display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "documents/part-00000.parquet",
            "edges/part-00000.parquet",
            "mentions/part-00000.parquet"
        ]
    );
    let error = run(
        &PIPELINE,
        &Job {
            text_field: "本文".into(),
            ..Job::new(&second.input, folder.join("none"))
        },
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(error.expect_err("no such column").to_string().contains("causal_tree"));
}

/// Runs the program and kills it, again and again, a little later each time; then lets it end.
/// How often it was killed at work.
fn kill_until_finished(input: &Path, output: &Path, delays: impl Iterator<Item = Duration>) -> usize {
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shorei"));
        command
            .args(["batch", "--threads", "1"])
            .args([input, output])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };
    let mut killed = 0;
    for (round, delay) in delays.enumerate() {
        let mut command = command();
        if round > 0 {
            command.arg("--resume");
        }
        let mut child = command.spawn().expect("the program starts");
        std::thread::sleep(delay);
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        // SIGKILL: the program cannot tidy up.
        child.kill().expect("killed");
        child.wait().expect("ended");
        killed += 1;
    }
    let last = command().arg("--resume").output().expect("the program runs");
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    killed
}

#[test]
fn killed_again_and_again_the_lines_are_the_same() {
    let folder = folder("killed-lines");
    let input = write(&folder, "reports.jsonl", jsonl(12_000));
    let whole = Job::new(&input, folder.join("whole.jsonl"));
    go(&whole);
    // From before the dictionaries are loaded to well into the work, at no rhythm of its own.
    let delays = (0..10).map(|round| Duration::from_millis(150 + (round * 7919) % 700));
    let output = folder.join("killed.jsonl");
    let killed = kill_until_finished(&input, &output, delays);
    assert!(
        killed >= 3,
        "killed {killed} times: the corpus is too small for this machine"
    );
    assert!(
        std::fs::read(&output).expect("written") == std::fs::read(&whole.output).expect("written"),
        "a killed and resumed run differs"
    );
    assert!(!folder.join("killed.jsonl.progress").exists());
}

#[cfg(feature = "tables")]
#[test]
fn killed_again_and_again_the_tables_are_the_same() {
    let folder = folder("killed-tables");
    let input = write(&folder, "reports.jsonl", jsonl(20_000));
    let whole = Job::new(&input, folder.join("whole"));
    go(&whole);
    let delays = (0..6).map(|round| Duration::from_millis(600 + (round * 7919) % 1500));
    let output = folder.join("killed");
    let killed = kill_until_finished(&input, &output, delays);
    assert!(killed >= 1, "never killed: the corpus is too small for this machine");
    let (killed, whole) = (contents(&output), contents(&whole.output));
    assert_eq!(whole.len(), 9, "three parts of three tables");
    assert!(killed == whole, "a killed and resumed run differs");
}
