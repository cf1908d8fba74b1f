//! Language phenomena as data: every `[[case]]` of `tests/cases/*.toml` is a short text of our own
//! with what the pipeline must make of it. All failures of all files are listed together.
//!
//! `pending.toml` holds cases that should hold and do not yet: they are run and counted, not
//! required. A case that starts to pass moves into the file of its phenomenon.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shorei::types::{Experiencer, Mention, MentionKind, Status, Temporality};
use shorei::{Case, Pipeline};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::load_default().expect("the embedded data loads"));

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Expectation>,
}

/// A text and what must come of it. What a case does not say is not checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// Unique over all files; failures are listed under it.
    name: String,
    /// The report.
    text: String,
    /// Mentions that must be found.
    #[serde(default)]
    mentions: Vec<ExpectedMention>,
    /// Labels of nodes that the map must have.
    #[serde(default)]
    nodes: Vec<String>,
    /// Labels of nodes that the map must not have.
    #[serde(default)]
    absent_nodes: Vec<String>,
    /// `[cause, effect]`: edges that the map must have, by exact labels.
    #[serde(default)]
    edges: Vec<(String, String)>,
    /// Label of the primary disease.
    primary: Option<String>,
}

/// A mention: its normalised text, and what must be so of one of the mentions of this text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedMention {
    text: String,
    kind: Option<String>,
    status: Option<String>,
    experiencer: Option<String>,
    time: Option<String>,
    /// Label of the dictionary entry; empty for none.
    concept: Option<String>,
    /// 上昇, 低下, 陽性, 陰性, 正常: the direction of its value.
    value: Option<String>,
}

impl ExpectedMention {
    fn matches(&self, mention: &Mention) -> bool {
        let concept = mention
            .concept
            .map_or("", |id| PIPELINE.lexicon().concept(id).label.as_str());
        let direction = mention.value.as_ref().and_then(|value| value.direction);
        let asserted = mention.assertion;
        mention.text == self.text
            && named::<MentionKind>(&self.kind).is_none_or(|kind| kind == mention.kind)
            && named::<Status>(&self.status).is_none_or(|status| status == asserted.status)
            && named::<Experiencer>(&self.experiencer).is_none_or(|who| who == asserted.experiencer)
            && named::<Temporality>(&self.time).is_none_or(|time| time == asserted.time)
            && self.concept.as_deref().is_none_or(|label| label == concept)
            && self
                .value
                .as_deref()
                .is_none_or(|label| direction.map(|direction| direction.label()) == Some(label))
    }

    fn describe(&self) -> String {
        let fields = [
            &self.kind,
            &self.status,
            &self.experiencer,
            &self.time,
            &self.concept,
            &self.value,
        ];
        let wanted: Vec<_> = fields.into_iter().flatten().map(String::as_str).collect();
        format!("「{}」 {}", self.text, wanted.join(" "))
    }
}

/// The value that a case names as JSON does: `present`, `test_item`, …
fn named<T: DeserializeOwned>(name: &Option<String>) -> Option<T> {
    let name = name.as_ref()?;
    match serde_json::from_value(serde_json::Value::String(name.clone())) {
        Ok(value) => Some(value),
        Err(error) => panic!("tests/cases: `{name}`: {error}"),
    }
}

/// What is wrong with a case; empty when all holds.
fn faults(expected: &Expectation) -> Vec<String> {
    let case = match PIPELINE.structure(&expected.name, &expected.text) {
        Ok(case) => case,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    for wanted in &expected.mentions {
        if !case.mentions.iter().any(|mention| wanted.matches(mention)) {
            let same: Vec<_> = case
                .mentions
                .iter()
                .filter(|mention| mention.text == wanted.text)
                .map(describe)
                .collect();
            let found = if same.is_empty() {
                case.mentions.iter().map(describe).collect()
            } else {
                same
            };
            faults.push(format!("mention {}; found {}", wanted.describe(), found.join(", ")));
        }
    }
    let labels: HashSet<String> = case.map.nodes.iter().map(|node| node.label.to_string()).collect();
    for label in &expected.nodes {
        if !labels.contains(label) {
            faults.push(format!("no node {label}"));
        }
    }
    for label in &expected.absent_nodes {
        if labels.contains(label) {
            faults.push(format!("node {label} should not be"));
        }
    }
    for (cause, effect) in &expected.edges {
        if !has_edge(&case, cause, effect) {
            faults.push(format!("no edge {cause} → {effect}"));
        }
    }
    if let Some(primary) = &expected.primary
        && *primary != case.primary()
    {
        faults.push(format!("primary is {}, not {primary}", case.primary()));
    }
    if !faults.is_empty() {
        faults.push(format!("tree\n{}", indented(&case.map.to_tree())));
    }
    faults
}

fn has_edge(case: &Case, cause: &str, effect: &str) -> bool {
    let label = |id| case.map.node(id).label.to_string();
    case.map
        .edges
        .iter()
        .any(|edge| label(edge.source) == cause && label(edge.target) == effect)
}

fn describe(mention: &Mention) -> String {
    format!("「{}」 {:?} {:?}", mention.text, mention.kind, mention.assertion)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}\n")).collect()
}

/// The files of cases, sorted, with their paths.
fn files() -> Vec<(PathBuf, File)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/cases is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, file)
    };
    paths.into_iter().map(read).collect()
}

fn is_pending(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "pending.toml")
}

#[test]
fn cases_hold() {
    let mut report = String::new();
    let (mut failed, mut total) = (0, 0);
    for (path, file) in files().iter().filter(|(path, _)| !is_pending(path)) {
        for expected in &file.case {
            total += 1;
            let faults = faults(expected);
            if !faults.is_empty() {
                failed += 1;
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let _ = writeln!(report, "{file}: {}\n    text: {}", expected.name, expected.text);
                for fault in faults {
                    let _ = writeln!(report, "    {fault}");
                }
            }
        }
    }
    assert!(total >= 80, "{total} cases; at least 80 are kept");
    assert!(failed == 0, "{failed} of {total} cases fail\n{report}");
}

/// Counts; `SHOREI_PENDING=1 cargo test --test cases -- --nocapture` lists what is wrong.
#[test]
fn pending_cases_are_counted() {
    let verbose = std::env::var_os("SHOREI_PENDING").is_some();
    for (_, file) in files().iter().filter(|(path, _)| is_pending(path)) {
        let mut passing = Vec::new();
        for expected in &file.case {
            let faults = faults(expected);
            if faults.is_empty() {
                passing.push(expected.name.as_str());
            } else if verbose {
                eprintln!(
                    "pending: {}\n    text: {}\n    {}",
                    expected.name,
                    expected.text,
                    faults.join("\n    ")
                );
            }
        }
        eprintln!(
            "pending cases: {} of {} pass: {}",
            passing.len(),
            file.case.len(),
            passing.join(", ")
        );
    }
}

#[test]
fn names_are_unique() {
    let mut seen = HashSet::new();
    for (path, file) in files() {
        for expected in file.case {
            assert!(
                seen.insert(expected.name.clone()),
                "{}: `{}` stands twice",
                path.display(),
                expected.name
            );
        }
    }
}
