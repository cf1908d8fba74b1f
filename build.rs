//! Compiles what the program embeds: the vendored IPADIC and the medical terms with lindera's own
//! builders, and the dictionaries with the library's own reader. Reads only files of this
//! repository; never the network.

// The library's sources, of which the build needs a part.
#![allow(dead_code, unused_imports)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use lindera_dictionary::builder::DictionaryBuilder;
use lindera_dictionary::builder::user_dictionary::build_user_dictionary;
use lindera_dictionary::dictionary::metadata::Metadata;

#[path = "src/error.rs"]
mod error;
#[path = "src/lexicon/mod.rs"]
mod lexicon;
#[path = "src/types/mod.rs"]
mod types;

/// Stands for src/embedded.rs, which embeds what is made here.
mod embedded {
    pub(crate) static LEXICON: &[u8] = &[];
}

/// Context id of 名詞,一般 in IPADIC, left and right.
const COMMON_NOUN: &str = "1285";
/// Folders whose terms become user-dictionary entries, and so single tokens.
const TERM_FOLDERS: [&str; 8] = [
    "diseases",
    "findings",
    "tests",
    "exams",
    "drugs",
    "sites",
    "organisms",
    "treatments",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("dictionaries");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", root.display());

    let base = out.join("lindera-ipadic");
    compile_base(&root.join("ipadic/source.tar.zst"), &out, &base)?;
    // The macro of lindera-dictionary that embeds a built dictionary looks it up here.
    println!("cargo:rustc-env=LINDERA_WORKDIR={}", out.display());

    let files = tsv_files(&root)?;
    let terms = user_terms(&files)?;
    let builder = DictionaryBuilder::new(Metadata::default());
    let user = builder.build_user_dict_from_reader(terms.as_slice())?;
    build_user_dictionary(user, &out.join("medical.bin"))?;

    let mut tables = Vec::new();
    for (folder, path) in &files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        tables.push((folder.as_str(), stem, fs::read_to_string(path)?));
    }
    let tables = tables
        .iter()
        .map(|(folder, stem, text)| (*folder, stem.as_str(), text.as_str()));
    // A broken row stops the build: its message names file, line and value.
    let lexicon = lexicon::Lexicon::from_tables(tables).map_err(|error| error.to_string())?;
    fs::write(out.join("lexicon.bin"), lexicon.compile()?)?;
    Ok(())
}

/// Unpacks IPADIC's source and compiles it, unless a former build did for the same archive.
fn compile_base(archive: &Path, out: &Path, base: &Path) -> Result<(), Box<dyn Error>> {
    let stamp = out.join("ipadic.stamp");
    let size = fs::metadata(archive)?.len().to_string();
    if fs::read_to_string(&stamp).is_ok_and(|old| old == size) && base.join("dict.trie").exists() {
        return Ok(());
    }
    let source = out.join("ipadic-source");
    let reader = zstd::stream::read::Decoder::new(fs::File::open(archive)?)?;
    tar::Archive::new(reader).unpack(&source)?;
    DictionaryBuilder::new(Metadata {
        name: "IPADIC".into(),
        ..Metadata::default()
    })
    .build_dictionary(&source, base)?;
    fs::remove_dir_all(&source)?;
    fs::write(stamp, size)?;
    Ok(())
}

/// All `dictionaries/FOLDER/*.tsv`, sorted, so that builds are reproducible.
fn tsv_files(root: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut files = Vec::new();
    for folder in fs::read_dir(root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            if file.extension().is_some_and(|extension| extension == "tsv") {
                files.push((name.clone(), file));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The medical terms as detailed rows of a lindera user dictionary. Detailed rows, because simple
/// ones get context 0, which skews how their neighbours are read.
fn user_terms(files: &[(String, PathBuf)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut terms = BTreeSet::new();
    for (folder, path) in files {
        if !TERM_FOLDERS.contains(&folder.as_str()) {
            continue;
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b'\t')
            .quoting(false)
            .from_path(path)?;
        let headers = reader.headers()?.clone();
        let columns: Vec<usize> = ["label", "synonyms", "abbreviations"]
            .iter()
            .filter_map(|name| headers.iter().position(|header| header == *name))
            .collect();
        for record in reader.records() {
            let record = record.map_err(|error| format!("{}: {error}", path.display()))?;
            for &column in &columns {
                for term in record.get(column).unwrap_or_default().split('|') {
                    // Short kana and Latin terms would cut everyday words apart.
                    let chars = term.chars().count();
                    let ideographs = term.chars().filter(|&c| ('\u{4e00}'..='\u{9fff}').contains(&c)).count();
                    if chars >= 4 || (chars >= 2 && ideographs == chars) {
                        terms.insert(term.to_owned());
                    }
                }
            }
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for term in &terms {
        // Long terms must win over their parts; short ones only against unknown readings.
        let cost = (6000 - 2000 * term.chars().count() as i32).max(-12000).to_string();
        writer.write_record([
            term,
            COMMON_NOUN,
            COMMON_NOUN,
            cost.as_str(),
            "名詞",
            "医学用語",
            "*",
            "*",
            "*",
            "*",
            term,
            "*",
            "*",
        ])?;
    }
    if terms.is_empty() {
        writer.write_record([
            "医学用語",
            COMMON_NOUN,
            COMMON_NOUN,
            "0",
            "名詞",
            "医学用語",
            "*",
            "*",
            "*",
            "*",
            "*",
            "*",
            "*",
        ])?;
    }
    Ok(writer.into_inner()?)
}
