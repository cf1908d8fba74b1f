//! Every table under `dictionaries/`: its columns, its cells, its ids and labels, its references;
//! and that the dictionaries are as large as the README says.
//!
//! All faults of a check are listed together, each with its file and line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use shorei::lexicon::Lexicon;
use shorei::types::ConceptId;
use unicode_normalization::UnicodeNormalization;

/// (folder, file stem or `*`) → the columns, in order.
const COLUMNS: &[(&str, &str, &[&str])] = &[
    ("diseases", "*", CONDITION),
    ("findings", "*", CONDITION),
    (
        "drugs",
        "*",
        &["id", "label", "english", "synonyms", "abbreviations", "atc", "class"],
    ),
    (
        "exams",
        "*",
        &[
            "id",
            "label",
            "english",
            "synonyms",
            "abbreviations",
            "modality",
            "parent",
        ],
    ),
    (
        "organisms",
        "*",
        &[
            "id",
            "label",
            "english",
            "synonyms",
            "abbreviations",
            "group",
            "disease",
        ],
    ),
    ("sites", "*", &["id", "label", "english", "synonyms", "parent"]),
    (
        "treatments",
        "*",
        &["id", "label", "english", "synonyms", "abbreviations", "class"],
    ),
    (
        "tests",
        "tests",
        &[
            "id",
            "label",
            "english",
            "synonyms",
            "abbreviations",
            "specimen",
            "unit",
            "loinc",
            "low_label",
            "high_label",
            "positive_label",
        ],
    ),
    (
        "tests",
        "ranges",
        &["test", "sex", "age_min", "age_max", "low", "high", "unit"],
    ),
    ("tests", "units", &["test", "unit", "factor"]),
    ("tests", "qualitative", &["surface", "result"]),
    ("modifiers", "heads", &["suffix", "kind", "change"]),
    ("modifiers", "modifiers", &["label", "position", "class"]),
    ("modifiers", "variants", &["standard", "variant"]),
    ("modifiers", "misprints", &["standard", "misprint"]),
    ("modifiers", "frame", &["word", "use"]),
    ("modifiers", "generic", &["word"]),
    ("cues", "family", &["word"]),
    ("cues", "relation", &["pattern", "direction", "relation", "weight"]),
    ("cues", "status", &["pattern", "side", "status"]),
    ("cues", "found", &["pattern"]),
    ("cues", "fluid", &["name"]),
    ("cues", "standing", &["cue", "pattern"]),
    ("cues", "tissue", &["word", "exam"]),
    ("cues", "predicate", &["word", "use", "except"]),
    ("cues", "staging", &["pattern", "label"]),
    ("cues", "substance", &["surface", "test"]),
    (
        "demographics",
        "*",
        &["disease", "female", "youngest", "oldest", "prevalence"],
    ),
    ("specialties", "specialties", &["domain", "icd10", "specialty"]),
    ("knowledge", "*", &["cause", "relation", "effect", "frequency", "basis"]),
];

const CONDITION: &[&str] = &[
    "id",
    "label",
    "reading",
    "english",
    "kind",
    "synonyms",
    "abbreviations",
    "icd10",
    "hpo",
    "parent",
];

/// Folder of concepts → what its ids begin with.
const PREFIXES: &[(&str, char)] = &[
    ("diseases", 'D'),
    ("findings", 'F'),
    ("drugs", 'M'),
    ("exams", 'E'),
    ("organisms", 'O'),
    ("sites", 'S'),
    ("tests", 'T'),
    ("treatments", 'R'),
];

/// (folder, column) → the values that it may have.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("diseases", "kind", &["disease", "syndrome", "pathology"]),
    (
        "findings",
        "kind",
        &[
            "symptom",
            "sign",
            "lab_state",
            "imaging",
            "ecg",
            "endoscopy",
            "pathology_finding",
            "physiology",
            "pathology",
        ],
    ),
    ("knowledge", "relation", RELATIONS),
    (
        "knowledge",
        "frequency",
        &["obligate", "very_frequent", "frequent", "occasional", "very_rare"],
    ),
    ("modifiers", "kind", &["disease", "finding"]),
    ("modifiers", "use", &["outside", "alone"]),
    ("modifiers", "class", &["concept", "degree", "course"]),
    ("modifiers", "position", &["prefix", "suffix"]),
    ("tests", "sex", &["", "M", "F"]),
    ("tests", "result", &["上昇", "低下", "陽性", "陰性", "正常", "疑陽性"]),
    (
        "cues",
        "relation",
        &[
            "causes",
            "manifests_as",
            "evidenced_by",
            "complicates",
            "predisposes",
            "none",
        ],
    ),
    ("cues", "direction", &["forward", "subject", "backward", "neutral"]),
    ("cues", "side", &["before", "after"]),
    (
        "cues",
        "status",
        &["absent", "suspected", "planned", "general", "neutral"],
    ),
];

const RELATIONS: &[&str] = &[
    "causes",
    "manifests_as",
    "evidenced_by",
    "complicates",
    "predisposes",
    "treated_by",
];

/// Column → the form of what it holds, where it holds something.
const FORMS: &[(&str, &str)] = &[
    ("icd10", r"^[A-Z]\d\d(\.\d)?$"),
    ("hpo", r"^HP:\d{7}$"),
    ("atc", r"^[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?$"),
    ("loinc", r"^\d{1,5}-\d$"),
    ("id", r"^[A-Z]\d{5}$"),
];

/// Infections that organisms name and no dictionary lists yet. Write the disease, then drop it here.
const UNLISTED: &[&str] = &["ロタウイルス胃腸炎"];

/// HPO ids whose concept is HPO's in other words.
const HPO_WORDING: &[(&str, &str)] = &[
    ("HP:0004467", "先天性耳瘻孔"),
    ("HP:0011097", "点頭発作"),
    ("HP:0006461", "大腿骨頭すべり症"),
    ("HP:0010677", "夜尿症"),
    ("HP:0001133", "求心性視野狭窄"),
    ("HP:0001102", "網膜色素線条"),
    ("HP:0010815", "脂腺母斑"),
];

/// A table as it is written.
struct Table {
    folder: String,
    stem: String,
    header: Vec<String>,
    /// Line, from 1, and cells.
    rows: Vec<(usize, Vec<String>)>,
    raw: String,
}

impl Table {
    fn name(&self) -> String {
        format!("dictionaries/{}/{}.tsv", self.folder, self.stem)
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.name())
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The cells of a column, with their lines; none where the table has no such column.
    fn cells(&self, name: &str) -> impl Iterator<Item = (usize, &str)> {
        let column = self.column(name);
        self.rows
            .iter()
            .filter_map(move |(line, cells)| Some((*line, cells.get(column?)?.as_str())))
    }
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let mut tables = Vec::new();
    for folder in folders() {
        let name = folder
            .file_name()
            .expect("a named folder")
            .to_string_lossy()
            .into_owned();
        let mut paths: Vec<PathBuf> = entries(&folder);
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "tsv"));
        for path in paths {
            let raw = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut lines = raw.lines().enumerate();
            let split = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
            let header = lines.next().map(|(_, line)| split(line)).unwrap_or_default();
            let rows = lines.map(|(index, line)| (index + 1, split(line))).collect();
            let stem = path.file_stem().expect("a named file").to_string_lossy().into_owned();
            tables.push(Table {
                folder: name.clone(),
                stem,
                header,
                rows,
                raw,
            });
        }
    }
    tables
});

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::load_default().expect("the embedded tables load"));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths
}

fn folders() -> Vec<PathBuf> {
    entries(&root()).into_iter().filter(|path| path.is_dir()).collect()
}

fn tables_of(folder: &str) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(move |table| table.folder == folder)
}

/// Fails with every fault, or the first fifty.
#[track_caller]
fn none(faults: Vec<String>) {
    let shown: Vec<_> = faults.iter().take(50).map(String::as_str).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), shown.join("\n"));
}

#[test]
fn columns_are_known() {
    let mut faults = Vec::new();
    for table in TABLES.iter() {
        let known = COLUMNS
            .iter()
            .find(|(folder, stem, _)| *folder == table.folder && (*stem == "*" || *stem == table.stem));
        match known {
            None => faults.push(format!("{}: no row in COLUMNS; add one", table.name())),
            Some((_, _, columns)) if table.header != *columns => {
                faults.push(format!(
                    "{}: columns {:?}, expected {columns:?}",
                    table.at(1),
                    table.header
                ));
            }
            _ => {}
        }
        for (line, cells) in &table.rows {
            if cells.len() != table.header.len() {
                faults.push(format!(
                    "{}: {} cells, the header has {}",
                    table.at(*line),
                    cells.len(),
                    table.header.len()
                ));
            }
        }
    }
    none(faults);
}

#[test]
fn cells_are_clean() {
    let mut faults = Vec::new();
    for table in TABLES.iter() {
        if table.raw.contains('\r') || table.raw.starts_with('\u{feff}') || !table.raw.ends_with('\n') {
            faults.push(format!(
                "{}: line ends must be \\n, the last line's too, and no byte order mark",
                table.name()
            ));
        }
        for (line, cells) in &table.rows {
            for (cell, column) in cells.iter().zip(&table.header) {
                let at = table.at(*line);
                // Patterns match normalised text but may name what they shield in full width.
                if column != "pattern" && cell.nfkc().collect::<String>() != *cell {
                    faults.push(format!("{at}: {column} is not NFKC: `{cell}`"));
                }
                if cell.contains('"') || cell.chars().any(char::is_control) {
                    faults.push(format!("{at}: {column} holds a quote or control character: `{cell}`"));
                }
                if cell.trim() != cell {
                    faults.push(format!("{at}: {column} has space at an end: `{cell}`"));
                }
            }
        }
        for list in ["synonyms", "abbreviations"] {
            for (line, cell) in table.cells(list) {
                if !cell.is_empty() && cell.split('|').any(|value| value.trim() != value || value.is_empty()) {
                    faults.push(format!(
                        "{}: {list} has an empty or padded value: `{cell}`",
                        table.at(line)
                    ));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn ids_are_unique_and_labels_within_a_folder() {
    let mut faults = Vec::new();
    let mut ids: HashMap<&str, String> = HashMap::new();
    for (folder, prefix) in PREFIXES {
        let mut labels: HashMap<&str, String> = HashMap::new();
        for table in tables_of(folder).filter(|table| table.column("id").is_some()) {
            for (line, id) in table.cells("id") {
                if !id.starts_with(*prefix) {
                    faults.push(format!("{}: `{id}` should begin with {prefix}", table.at(line)));
                }
                if let Some(first) = ids.insert(id, table.at(line)) {
                    faults.push(format!("{}: id `{id}` stands at {first} too", table.at(line)));
                }
            }
            for (line, label) in table.cells("label") {
                if label.is_empty() {
                    faults.push(format!("{}: no label", table.at(line)));
                }
                if let Some(first) = labels.insert(label, table.at(line)) {
                    faults.push(format!("{}: label `{label}` stands at {first} too", table.at(line)));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn values_are_known() {
    let mut faults = Vec::new();
    for (folder, column, values) in VALUES {
        for table in tables_of(folder) {
            for (line, cell) in table.cells(column) {
                if !values.contains(&cell) {
                    faults.push(format!(
                        "{}: {column} `{cell}`, expected one of {values:?}",
                        table.at(line)
                    ));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn codes_have_their_form() {
    let mut faults = Vec::new();
    for (column, form) in FORMS {
        let form = Regex::new(form).expect("a constant pattern");
        // Specialties have ranges of categories; the lexicon checks them when it reads them.
        for table in TABLES.iter().filter(|table| table.folder != "specialties") {
            for (line, cell) in table.cells(column) {
                let may_lack = *column != "id" && cell.is_empty();
                if !may_lack && !form.is_match(cell) {
                    faults.push(format!(
                        "{}: {column} `{cell}` is not of the form {form}",
                        table.at(line)
                    ));
                }
            }
        }
    }
    none(faults);
}

/// The lexicon checks each row of demographics when it reads it; that no disease has two is left.
#[test]
fn a_disease_befalls_once() {
    let mut faults = Vec::new();
    let mut seen: HashMap<ConceptId, &str> = HashMap::new();
    for table in TABLES.iter().filter(|table| table.folder == "demographics") {
        for (line, label) in table.cells("disease") {
            match LEXICON.lookup_condition(label) {
                None => faults.push(format!("{}: `{label}` is in no table", table.at(line))),
                Some(id) => {
                    if let Some(other) = seen.insert(id, label) {
                        faults.push(format!("{}: `{label}` stands already, as `{other}`", table.at(line)));
                    }
                }
            }
        }
    }
    none(faults);
}

#[test]
fn numbers_are_numbers() {
    let mut faults = Vec::new();
    for table in TABLES.iter() {
        for column in [
            "low", "high", "age_min", "age_max", "factor", "weight", "female", "youngest", "oldest",
        ] {
            for (line, cell) in table.cells(column) {
                if !cell.is_empty() && !cell.parse::<f64>().is_ok_and(f64::is_finite) {
                    faults.push(format!("{}: {column} `{cell}` is not a number", table.at(line)));
                }
            }
        }
        let bound = |column| table.cells(column).map(|(line, cell)| (line, cell.parse::<f64>().ok()));
        for (low, high) in [("low", "high"), ("age_min", "age_max")] {
            for ((line, low), (_, high)) in bound(low).zip(bound(high)) {
                if let (Some(low), Some(high)) = (low, high)
                    && low > high
                {
                    faults.push(format!("{}: {low} above {high}", table.at(line)));
                }
            }
        }
    }
    none(faults);
}

/// Parents are labels: of the same folder, conditions also of the other one of the two.
#[test]
fn parents_exist_and_have_no_cycle() {
    let mut faults = Vec::new();
    for folders in [&["diseases", "findings"][..], &["exams"], &["sites"]] {
        let tables = || folders.iter().flat_map(|folder| tables_of(folder));
        let labels: HashSet<&str> = tables()
            .flat_map(|table| table.cells("label"))
            .map(|(_, label)| label)
            .collect();
        let mut parents: HashMap<&str, &str> = HashMap::new();
        for table in tables() {
            for ((line, label), (_, parent)) in table.cells("label").zip(table.cells("parent")) {
                if parent.is_empty() {
                    continue;
                }
                if !labels.contains(parent) {
                    faults.push(format!(
                        "{}: parent `{parent}` of `{label}` is no label",
                        table.at(line)
                    ));
                }
                parents.insert(label, parent);
            }
        }
        for label in parents.keys() {
            let mut seen = vec![*label];
            let mut at = *label;
            while let Some(&parent) = parents.get(at) {
                if seen.contains(&parent) {
                    seen.push(parent);
                    faults.push(format!("dictionaries/{}: a cycle {}", folders[0], seen.join(" < ")));
                    break;
                }
                seen.push(parent);
                at = parent;
            }
        }
    }
    none(faults);
}

/// The groups within which a surface names one concept. Across them the kind decides: a mention's
/// place in its sentence tells a test from the finding of the same name.
const GROUPS: &[&[&str]] = &[
    &["diseases", "findings"],
    &["tests"],
    &["exams"],
    &["drugs"],
    &["sites"],
    &["organisms"],
    &["treatments"],
];

/// Within a group one form must not speak of two concepts: neither as good a name of both, nor the
/// label of one and the synonym of another, which would make the second a duplicate of the first.
#[test]
fn a_surface_names_one_concept_of_its_group() {
    let mut faults = Vec::new();
    for group in GROUPS {
        let mut named: HashMap<String, (&str, String)> = HashMap::new();
        for table in group.iter().flat_map(|folder| tables_of(folder)) {
            let Some(label) = table.column("label") else { continue };
            if table.column("id").is_none() {
                continue;
            }
            for (line, cells) in &table.rows {
                let columns = ["label", "synonyms", "abbreviations"];
                let forms = columns.iter().filter_map(|column| cells.get(table.column(column)?));
                for form in forms.flat_map(|cell| cell.split('|')).filter(|form| !form.is_empty()) {
                    let entry = named.entry(form.to_ascii_lowercase());
                    let (first, at) = entry.or_insert_with(|| (cells[label].as_str(), table.at(*line)));
                    if *first != cells[label] {
                        faults.push(format!(
                            "{}: `{form}` names {} here and {first} at {at}; keep one, or make one concept of them",
                            table.at(*line),
                            cells[label]
                        ));
                    }
                }
            }
        }
    }
    none(faults);
}

/// HPO ids of the tables are HPO's, and their names there are the concept's English name or one of
/// its Japanese names, but for what [`HPO_WORDING`] lists. Needs HPO's Japanese table, which lies beside
/// the project's checkout; where it does not, the form of the ids is all that is checked.
#[test]
fn hpo_ids_agree_with_hpo() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hpo-ja/hp-ja.babelon.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}; HPO ids are not compared", path.display());
        return;
    };
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| *column == name)
            .expect("a Babelon column")
    };
    let [id, predicate, source, translation] =
        ["subject_id", "predicate_id", "source_value", "translation_value"].map(column);
    let mut hpo: HashMap<&str, (&str, &str)> = HashMap::new();
    for cells in lines.map(|line| line.split('\t').collect::<Vec<_>>()) {
        if cells.get(predicate) == Some(&"rdfs:label") {
            hpo.insert(cells[id], (cells[source], cells[translation]));
        }
    }
    assert!(hpo.len() > 10_000, "{} labels of HPO", hpo.len());
    let mut faults = Vec::new();
    let mut compared = 0;
    for table in TABLES.iter().filter(|table| table.column("hpo").is_some()) {
        let cell = |cells: &'static [String], name: &str| table.column(name).map_or("", |at| cells[at].as_str());
        for (line, cells) in &table.rows {
            let (id, label) = (cell(cells, "hpo"), cell(cells, "label"));
            if id.is_empty() {
                continue;
            }
            compared += 1;
            let Some(&(english, japanese)) = hpo.get(id) else {
                faults.push(format!("{}: {label}: HPO has no {id}", table.at(*line)));
                continue;
            };
            let names = cell(cells, "synonyms").split('|').chain([label]);
            let agrees = cell(cells, "english").eq_ignore_ascii_case(english)
                || names.into_iter().any(|name| name == japanese)
                || HPO_WORDING.contains(&(id, label));
            if !agrees {
                faults.push(format!(
                    "{}: {label} ({}) is {id} here, which HPO calls {english} ({japanese})",
                    table.at(*line),
                    cell(cells, "english")
                ));
            }
        }
    }
    assert!(compared > 1_000, "{compared} HPO ids");
    none(faults);
}

/// Ranges, units and infections name what there is.
#[test]
fn references_are_found() {
    let mut faults = Vec::new();
    let tests: HashSet<&str> = tables_of("tests")
        .filter(|table| table.stem == "tests")
        .flat_map(|table| {
            ["label", "synonyms", "abbreviations"]
                .into_iter()
                .flat_map(|column| table.cells(column).collect::<Vec<_>>())
        })
        .flat_map(|(_, cell)| cell.split('|'))
        .collect();
    for table in tables_of("tests").filter(|table| table.stem != "tests") {
        for (line, test) in table.cells("test") {
            if test != "*" && !tests.contains(test) {
                faults.push(format!("{}: `{test}` is no test of tests.tsv", table.at(line)));
            }
        }
    }
    for table in tables_of("organisms") {
        for (line, disease) in table.cells("disease") {
            if !disease.is_empty() && !UNLISTED.contains(&disease) && LEXICON.lookup_condition(disease).is_none() {
                faults.push(format!("{}: `{disease}` is in no dictionary", table.at(line)));
            }
        }
    }
    none(faults);
}

/// How many names of a test's states (低ナトリウム血症 for Na, low) are conditions of a dictionary;
/// one that is none yet is no fault, its result keeps the form `test/result`.
#[test]
fn states_of_tests_are_counted() {
    let columns = ["low_label", "high_label", "positive_label"];
    let states: Vec<&str> = tables_of("tests")
        .flat_map(|table| columns.iter().flat_map(|column| table.cells(column)))
        .map(|(_, state)| state)
        .filter(|state| !state.is_empty())
        .collect();
    let known = states
        .iter()
        .filter(|state| LEXICON.lookup_condition(state).is_some())
        .count();
    eprintln!(
        "states of tests: {known} of {} are conditions of a dictionary",
        states.len()
    );
    assert!(known >= 300, "{known} states are known");
}

#[test]
fn knowledge_rows_are_unique() {
    let mut faults = Vec::new();
    let mut seen: HashMap<(&str, &str, &str), String> = HashMap::new();
    for table in tables_of("knowledge") {
        let ends = table
            .cells("cause")
            .zip(table.cells("relation"))
            .zip(table.cells("effect"));
        for (((line, cause), (_, relation)), (_, effect)) in ends {
            if cause.is_empty() || effect.is_empty() || cause == effect {
                faults.push(format!("{}: `{cause}` → `{effect}` says nothing", table.at(line)));
            }
            if let Some(first) = seen.insert((cause, relation, effect), table.at(line)) {
                faults.push(format!(
                    "{}: {cause} {relation} {effect} stands at {first} too",
                    table.at(line)
                ));
            }
        }
    }
    none(faults);
}

#[test]
fn every_folder_has_its_source() {
    let mut faults = Vec::new();
    for folder in folders() {
        let path = folder.join("SOURCE.toml");
        let source = match std::fs::read_to_string(&path) {
            Ok(text) => text.parse::<toml::Table>(),
            Err(error) => {
                faults.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let source = match source {
            Ok(source) => source,
            Err(error) => {
                faults.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        for key in ["name", "origin", "licence", "version"] {
            let value = source.get(key).and_then(toml::Value::as_str);
            if value.is_none_or(|value| value.trim().is_empty()) {
                faults.push(format!("{}: `{key}` must be a text", path.display()));
            }
        }
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let counted: usize = tables_of(&folder).map(|table| table.rows.len()).sum();
        let rows = source.get("rows").and_then(toml::Value::as_integer);
        // IPADIC lies there compressed: its rows cannot be counted here.
        let holds = if folder == "ipadic" {
            rows.is_some()
        } else {
            rows == i64::try_from(counted).ok()
        };
        if !holds {
            faults.push(format!(
                "{}: rows {rows:?}, counted {counted}; run dictionaries/count.py",
                path.display()
            ));
        }
    }
    none(faults);
}

#[test]
fn dictionaries_are_large_enough() {
    let rows = |folder: &str| {
        tables_of(folder)
            .filter(|table| table.column("id").is_some())
            .map(|table| table.rows.len())
            .sum()
    };
    let coded = tables_of("diseases")
        .flat_map(|table| table.cells("icd10"))
        .filter(|(_, code)| !code.is_empty())
        .count();
    let linked = LEXICON.knowledge().len();
    let counts: BTreeMap<&str, (usize, usize)> = BTreeMap::from([
        ("diseases with ICD-10", (coded, 1_500)),
        ("findings", (rows("findings"), 1_000)),
        ("tests", (rows("tests"), 300)),
        ("drugs", (rows("drugs"), 500)),
        ("sites", (rows("sites"), 200)),
        ("links that link", (linked, 3_000)),
    ]);
    let short = counts.iter().filter(|(_, (count, least))| count < least);
    none(
        short
            .map(|(what, (count, least))| format!("{count} {what}, at least {least} expected"))
            .collect(),
    );
}

/// What is embedded is compiled from the files: a build that did not see a change would hide it.
#[test]
fn the_embedded_tables_are_the_files() {
    let counts: HashMap<&str, usize> = LEXICON
        .counts()
        .iter()
        .map(|(name, rows)| (name.as_str(), *rows))
        .collect();
    let mut faults = Vec::new();
    for table in TABLES.iter() {
        let name = format!("{}/{}", table.folder, table.stem);
        if counts.get(name.as_str()) != Some(&table.rows.len()) {
            faults.push(format!(
                "{name}: embedded {:?}, in the file {}",
                counts.get(name.as_str()),
                table.rows.len()
            ));
        }
    }
    none(faults);
}
