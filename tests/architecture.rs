//! The layers of the library, as a table: which module may import which. The journey's stages are
//! verbs that know types and resources and never another stage; so each can be read, tested and
//! replaced alone.
//!
//! Checked by reading `src/**`: every `crate::name` and `use crate::{…}` outside comments, strings
//! and unit tests, and the names of the outside crates that one module alone may name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// Module → what it may import from the crate. A new module needs a row.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    // Resources: loaded once, then read only.
    ("error", &["types", "lexicon", "encoder"]),
    ("embedded", &[]),
    ("lexicon", &["types", "error", "embedded", "encoder"]),
    ("encoder", &["types", "error", "lexicon"]),
    ("affinity", &["types", "error", "lexicon"]),
    // The journey. No row may name another stage; for the one exception see SHARED_DRAFT.
    ("normalize", STAGE),
    ("segment", STAGE),
    ("tokenize", STAGE),
    ("extract", STAGE),
    ("qualify", STAGE),
    ("link", STAGE),
    ("relate", STAGE),
    ("arrange", STAGE),
    // What comes after knows cases, not how they are made.
    ("evaluate", STAGE),
    ("export", STAGE),
    ("search", &["types", "error", "lexicon", "pipeline", "export"]),
    ("batch", &["types", "error", "lexicon", "pipeline", "export"]),
];

/// What a stage may import.
const STAGE: &[&str] = &["types", "error", "lexicon", "encoder", "affinity"];

/// The stages; only the pipeline, which is their order, imports them.
const STAGES: &[&str] = &[
    "normalize",
    "segment",
    "tokenize",
    "extract",
    "qualify",
    "link",
    "relate",
    "arrange",
];

/// Modules that may import everything: the order of the stages, and the front door.
const UNBOUND: &[&str] = &["pipeline", "lib"];

/// A draft is a mention on its way: extract makes it, qualify and link add to it. It is of no use
/// to anyone else and is never serialised, so it stands with its maker instead of under types; the
/// two stages that complete it may name exactly this one item.
const SHARED_DRAFT: (&[&str], &str) = (&["qualify", "link"], "extract::Draft");

/// The types that lib.rs exports again at the root, and where they come from.
const REEXPORTED: &[(&str, &str)] = &[
    ("Case", "types"),
    ("CaseMap", "types"),
    ("Error", "error"),
    ("Pipeline", "pipeline"),
];

/// Outside crate (as a prefix of its name in code) → the one module that names it. What the rest
/// sees are our own types, so that a crate can be replaced in one place.
const ALONE: &[(&str, &str)] = &[
    ("lindera", "tokenize"),
    ("petgraph", "arrange"),
    ("candle", "encoder"),
    ("daachorse", "lexicon"),
    ("tokenizers", "encoder"),
    ("rten", "encoder"),
    ("quick_xml", "export"),
    ("tantivy", "search"),
    ("fixedbitset", "search"),
];

/// Outside crates that types may name.
const TYPES_MAY_NAME: &[&str] = &["std", "core", "serde", "super", "self", "crate"];

/// A source file of the library.
struct Source {
    /// Its path under src/.
    path: PathBuf,
    /// Its top module: `extract` for src/extract/time.rs.
    module: String,
    /// Its text without comments, strings and unit tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.strip_prefix(&root).expect("under src").to_owned();
        let first = path.components().next().expect("a file").as_os_str().to_string_lossy();
        Source {
            module: first.trim_end_matches(".rs").to_owned(),
            code: code(&text),
            path,
        }
    };
    // The binary is a user of the library; it sees the public items only.
    paths
        .into_iter()
        .map(source)
        .filter(|source| source.module != "bin")
        .collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src is there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// The text without comments, string literals and what follows `#[cfg(test)]`: unit tests stand
/// last in a file and may go through other stages to build their input.
fn code(text: &str) -> String {
    static DROPPED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r##"(?x) //[^\n]* | r\#"(?s:.*?)"\# | r"[^"]*" | "(?:[^"\\]|\\(?s:.))*" | '(?:[^'\\\n]|\\[^\n]{1,8}?)' "##,
        )
        .expect("a constant pattern")
    });
    let text = DROPPED.replace_all(text, " ");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The paths that a source names below the crate root: `lexicon::Lexicon`, `extract`; the groups
/// of `use crate::{…}` are read name by name.
fn imports(code: &str) -> Vec<String> {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bcrate\s*::\s*((?:\w+)(?:\s*::\s*\w+)*|\{)").expect("a constant pattern"));
    let mut found = Vec::new();
    for captures in PATH.captures_iter(code) {
        let path = captures.get(1).expect("the pattern's group");
        if path.as_str() != "{" {
            found.push(path.as_str().split_whitespace().collect::<String>());
            // `use crate::extract::{Draft, dictionary}`: each name of the group.
            let rest = code[path.end()..].trim_start();
            if let Some(rest) = rest
                .strip_prefix("::")
                .map(str::trim_start)
                .and_then(|rest| rest.strip_prefix('{'))
            {
                let prefix = found.pop().expect("just pushed");
                found.extend(group(rest).into_iter().map(|name| format!("{prefix}::{name}")));
            }
        } else {
            found.extend(group(&code[path.end()..]));
        }
    }
    found
}

/// The names of a group up to its closing brace, nested groups joined to their prefix.
fn group(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut name = String::new();
    let mut emit = |prefixes: &[String], name: &mut String| {
        let trimmed = name.split(" as ").next().unwrap_or_default().trim().to_owned();
        if !trimmed.is_empty() {
            names.push(prefixes.concat() + &trimmed);
        }
        name.clear();
    };
    for c in text.chars() {
        match c {
            '{' => prefixes.push(std::mem::take(&mut name).trim().to_owned()),
            ',' => emit(&prefixes, &mut name),
            '}' => {
                emit(&prefixes, &mut name);
                if prefixes.pop().is_none() {
                    break;
                }
            }
            c => name.push(c),
        }
    }
    names
}

/// The top module that a path leads to, with the root's re-exports resolved.
fn top(path: &str) -> &str {
    let first = path.split("::").next().unwrap_or_default();
    REEXPORTED
        .iter()
        .find(|(name, _)| *name == first)
        .map_or(first, |(_, module)| module)
}

#[test]
fn modules_import_what_the_table_allows() {
    let mut faults = String::new();
    for source in sources() {
        if UNBOUND.contains(&source.module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(module, _)| *module == source.module) else {
            let _ = writeln!(faults, "src/{}: no row in ALLOWED; add one", source.path.display());
            continue;
        };
        for path in imports(&source.code) {
            let module = top(&path);
            let draft = SHARED_DRAFT.0.contains(&source.module.as_str()) && path == SHARED_DRAFT.1;
            if module != source.module && !allowed.contains(&module) && !draft {
                let _ = writeln!(faults, "src/{}: imports crate::{path}", source.path.display());
            }
        }
    }
    assert!(faults.is_empty(), "imports that the layers do not allow:\n{faults}");
}

/// `super::` out of a module would be a way around the table.
#[test]
fn super_stays_within_a_module() {
    static SUPERS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bsuper(?:\s*::\s*super)*\b").expect("a constant pattern"));
    static INLINE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bmod\s+\w+\s*\{").expect("a constant pattern"));
    for source in sources() {
        let file = source
            .path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // src/extract/time.rs lies one below its module's root, src/extract/mod.rs none.
        let depth = source.path.components().count() - 1 - usize::from(file == "mod");
        for found in SUPERS.find_iter(&source.code) {
            // Inside of `mod name { … }` of a file, super is that file.
            let inline = usize::from(INLINE.is_match(&source.code[..found.start()]));
            let supers = found.as_str().matches("super").count();
            assert!(
                supers <= depth + inline,
                "src/{}: `{}` leaves the module",
                source.path.display(),
                found.as_str()
            );
        }
    }
}

#[test]
fn outside_crates_are_named_by_one_module() {
    for source in sources() {
        for (name, module) in ALONE {
            let pattern =
                Regex::new(&format!(r"\b{name}\w*\s*::|\bextern\s+crate\s+{name}")).expect("a constant pattern");
            if let Some(found) = pattern.find(&source.code) {
                assert!(
                    source.module == *module,
                    "src/{}: names `{}`; only src/{module} may",
                    source.path.display(),
                    found.as_str()
                );
            }
        }
    }
}

#[test]
fn types_use_std_and_serde_only() {
    let pattern = Regex::new(r"(?m)^\s*(?:pub\s+)?use\s+(?:::)?(\w+)").expect("a constant pattern");
    let own = [
        "assertion",
        "candidate",
        "case",
        "casemap",
        "concept",
        "label",
        "mention",
        "reading",
        "relation",
        "section",
        "sentence",
        "span",
        "text",
        "token",
    ];
    for source in sources().iter().filter(|source| source.module == "types") {
        for captures in pattern.captures_iter(&source.code) {
            let name = &captures[1];
            assert!(
                TYPES_MAY_NAME.contains(&name) || source.path.ends_with("types/mod.rs") && own.contains(&name),
                "src/{}: use {name}; types know std and serde only",
                source.path.display()
            );
        }
    }
}

#[test]
fn the_pipeline_alone_imports_all_stages() {
    let imported = |source: &Source| -> Vec<&str> {
        let paths = imports(&source.code);
        STAGES
            .iter()
            .copied()
            .filter(|stage| paths.iter().any(|path| top(path) == *stage))
            .collect()
    };
    let sources = sources();
    let pipeline = sources
        .iter()
        .find(|source| source.module == "pipeline")
        .expect("src/pipeline.rs is there");
    assert_eq!(imported(pipeline), STAGES, "the pipeline is the order of all stages");
    for source in sources.iter().filter(|source| source.module != "pipeline") {
        let others: Vec<_> = imported(source)
            .into_iter()
            .filter(|stage| *stage != source.module)
            .collect();
        assert!(
            others.len() <= 1,
            "src/{}: imports the stages {others:?}",
            source.path.display()
        );
    }
}

/// The reader of imports itself.
#[test]
fn imports_are_read() {
    let text = "use crate::lexicon::{Key, Lexicon as L, table::{Row, Table}};\n\
                use crate::{arrange, types::{Span, Norm}};\n// crate::comment\nlet s = \"crate::string\";\n\
                fn f(x: &crate::Case) -> crate :: error :: Error { crate::segment::sections() }\n\
                #[cfg(test)] mod tests { use crate::pipeline; }";
    assert_eq!(
        imports(&code(text)),
        [
            "lexicon::Key",
            "lexicon::Lexicon",
            "lexicon::table::Row",
            "lexicon::table::Table",
            "arrange",
            "types::Span",
            "types::Norm",
            "Case",
            "error::Error",
            "segment::sections",
        ]
    );
    assert_eq!(top("Case"), "types");
}
