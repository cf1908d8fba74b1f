//! The index on disk: made, opened, added to, read.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use fixedbitset::FixedBitSet;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{
    DocAddress, DocId, DocSet as _, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentReader, TERMINATED,
    TantivyDocument, TantivyError, Term,
};

use super::entry::Entry;
use super::schema::{FORMAT, Fields, schema};
use super::term;
use crate::error::Error;
use crate::lexicon::{Lexicon, Sex};
use crate::types::{ConceptId, Label};

/// The file that says what the folder is.
const MARK: &str = "shorei-index.json";
/// Memory that a writer may use before it writes a segment, in bytes, of all its threads.
const WRITER_MEMORY: usize = 128 << 20;
/// After so many cases a writer commits by itself, so that no more than these are lost with it.
const COMMIT_EVERY: usize = 50_000;
/// What to do about damaged files.
const DAMAGED: &str = "build the index anew, or copy it back from where it is sound";
/// No primary disease.
pub(super) const NO_DISEASE: u32 = u32::MAX;

/// An index of cases in a folder. Any number of readers and one writer may have it open at a time.
pub struct CaseIndex {
    path: PathBuf,
    index: Index,
    reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) lexicon: Arc<Lexicon>,
    snapshot: RwLock<Arc<Snapshot>>,
}

/// What [`CaseIndex::info`] tells.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct IndexInfo {
    /// Version of the index's format.
    pub format: u32,
    /// Cases that can be found.
    pub cases: u64,
    /// Different primary diseases of theirs.
    pub diseases: usize,
    /// Cases without a primary disease.
    pub without_primary: u64,
    /// Parts that the index consists of.
    pub segments: usize,
    /// Size on disk in bytes.
    pub bytes: u64,
}

/// A primary disease of indexed cases.
pub(super) struct Disease {
    pub term: String,
    pub concept: Option<ConceptId>,
    /// Its cases.
    pub cases: u32,
}

/// The index as it was at one commit, with each document's disease at hand.
pub(super) struct Snapshot {
    pub searcher: Searcher,
    /// By segment, by document: index into `diseases`, or [`NO_DISEASE`].
    pub disease_of: Vec<Vec<u32>>,
    pub diseases: Vec<Disease>,
    pub cases: u64,
    without_primary: u64,
}

impl CaseIndex {
    /// Makes an empty index. The folder appears complete or not at all.
    ///
    /// # Errors
    /// [`Error::Index`] when the folder exists or cannot be made.
    pub fn create(path: &Path, lexicon: Arc<Lexicon>) -> Result<Self, Error> {
        if path.exists() {
            return Err(fault(
                path,
                "exists already; add to it with `shorei index add`, or remove it first",
            ));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".making-{}", std::process::id()));
        let making = path.with_file_name(name);
        let made = Self::make(&making, path).and_then(|()| {
            std::fs::rename(&making, path).map_err(|error| fault(path, &format!("cannot be made: {error}")))
        });
        if let Err(error) = made {
            // What was begun serves nothing; that it cannot be removed either adds nothing to the fault.
            let _ = std::fs::remove_dir_all(&making);
            return Err(error);
        }
        Self::open(path, lexicon)
    }

    /// Makes the folder under another name; `path` is the one that errors tell.
    fn make(making: &Path, path: &Path) -> Result<(), Error> {
        let io = |error: std::io::Error| fault(path, &format!("cannot be made: {error}"));
        std::fs::create_dir_all(making).map_err(io)?;
        let (schema, _) = schema();
        Index::create_in_dir(making, schema).map_err(|error| match is_full(&error) {
            true => fault(path, "cannot be made: the disk is full"),
            false => explain(path, error),
        })?;
        let mark = serde_json::json!({ "format": FORMAT, "shorei": env!("CARGO_PKG_VERSION") });
        std::fs::write(making.join(MARK), format!("{mark}\n")).map_err(io)
    }

    /// Opens an index. O(cases): a pass over their primary diseases.
    ///
    /// # Errors
    /// [`Error::Index`] for what is no index, an index of another format, and damaged files.
    pub fn open(path: &Path, lexicon: Arc<Lexicon>) -> Result<Self, Error> {
        let mark = std::fs::read_to_string(path.join(MARK)).map_err(|error| {
            fault(
                path,
                &format!("is no case index ({MARK}: {error}); make one with `shorei index build`"),
            )
        })?;
        let mark: serde_json::Value = serde_json::from_str(&mark)
            .map_err(|error| fault(path, &format!("{MARK} is damaged ({error}); build the index anew")))?;
        if mark["format"] != FORMAT {
            let reason = format!(
                "is of format {}, this program reads format {FORMAT}; build the index anew",
                mark["format"]
            );
            return Err(fault(path, &reason));
        }
        guarded(path, || Self::open_files(path, lexicon))
    }

    fn open_files(path: &Path, lexicon: Arc<Lexicon>) -> Result<Self, Error> {
        let index = engine(path)?;
        let (expected, fields) = schema();
        if index.schema() != expected {
            return Err(fault(
                path,
                "has other fields than this program's; build the index anew",
            ));
        }
        let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = TryInto::<IndexReader>::try_into(builder).map_err(|error| explain(path, error))?;
        let snapshot = Snapshot::new(path, &reader, &lexicon)?;
        Ok(CaseIndex {
            path: path.to_owned(),
            index,
            reader,
            fields,
            lexicon,
            snapshot: RwLock::new(Arc::new(snapshot)),
        })
    }

    /// A writer; it holds the index's lock until it is dropped.
    ///
    /// # Errors
    /// [`Error::Index`] when another writer has the lock, or the folder cannot be written.
    pub fn writer(&self) -> Result<Writer<'_>, Error> {
        let writer = self
            .index
            .writer(WRITER_MEMORY)
            .map_err(|error| explain(&self.path, error))?;
        // What a writer left that was killed takes room; that it cannot be removed is no fault.
        let _ = writer.garbage_collect_files().wait();
        Ok(Writer {
            index: self,
            writer,
            pending: 0,
            written: 0,
        })
    }

    /// Sees what writers committed since this index was opened.
    ///
    /// # Errors
    /// [`Error::Index`] for damaged files.
    pub fn refresh(&self) -> Result<(), Error> {
        let snapshot = self.guarded(|| {
            self.reader.reload().map_err(|error| explain(&self.path, error))?;
            Ok(Arc::new(Snapshot::new(&self.path, &self.reader, &self.lexicon)?))
        })?;
        *self.snapshot.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = snapshot;
        Ok(())
    }

    /// How many cases it has, and how large it is. Reads no case.
    ///
    /// # Errors
    /// [`Error::Index`] for a folder that cannot be read.
    pub fn info(&self) -> Result<IndexInfo, Error> {
        let io = |error: std::io::Error| fault(&self.path, &error.to_string());
        let mut bytes = 0;
        for file in std::fs::read_dir(&self.path).map_err(io)? {
            bytes += file.and_then(|file| file.metadata()).map_err(io)?.len();
        }
        let snapshot = self.snapshot();
        Ok(IndexInfo {
            format: FORMAT,
            cases: snapshot.cases,
            diseases: snapshot.diseases.iter().filter(|disease| disease.cases > 0).count(),
            without_primary: snapshot.without_primary,
            segments: snapshot.disease_of.len(),
            bytes,
        })
    }

    /// Reads every file and compares its checksum: the names of damaged files. O(size on disk).
    ///
    /// # Errors
    /// [`Error::Index`] for files that cannot be read.
    pub fn damaged(&self) -> Result<Vec<PathBuf>, Error> {
        damaged(&self.path, &self.index)
    }

    /// Runs what reads the index's files, see [`guarded`].
    pub(super) fn guarded<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        guarded(&self.path, read)
    }

    /// A case by its id; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Index`] for damaged files.
    pub fn case(&self, id: &str) -> Result<Option<Entry>, Error> {
        self.guarded(|| match self.find(id)? {
            Some(address) => self.entry(&self.snapshot(), address).map(Some),
            None => Ok(None),
        })
    }

    pub(super) fn find(&self, id: &str) -> Result<Option<DocAddress>, Error> {
        let snapshot = self.snapshot();
        let wanted = Term::from_field_text(self.fields.id, id);
        for (ordinal, segment) in snapshot.searcher.segment_readers().iter().enumerate() {
            let inverted = segment
                .inverted_index(wanted.field())
                .map_err(|error| self.explain(error))?;
            let postings = inverted
                .read_postings(&wanted, IndexRecordOption::Basic)
                .map_err(|error| self.explain(error.into()))?;
            let Some(mut postings) = postings else { continue };
            while postings.doc() != TERMINATED && segment.is_deleted(postings.doc()) {
                postings.advance();
            }
            if postings.doc() != TERMINATED {
                return Ok(Some(DocAddress::new(ordinal as u32, postings.doc())));
            }
        }
        Ok(None)
    }

    /// Adds the documents of a term in one segment to `documents`, deleted ones as well: a block of
    /// the postings at a time.
    pub(super) fn collect(
        &self,
        segment: &SegmentReader,
        wanted: &Term,
        documents: &mut FixedBitSet,
    ) -> Result<(), Error> {
        let inverted = segment
            .inverted_index(wanted.field())
            .map_err(|error| self.explain(error))?;
        let postings = inverted
            .read_block_postings(wanted, IndexRecordOption::Basic)
            .map_err(|error| self.explain(error.into()))?;
        let Some(mut postings) = postings else { return Ok(()) };
        while !postings.docs().is_empty() {
            postings.docs().iter().for_each(|&doc| documents.insert(doc as usize));
            postings.advance();
        }
        Ok(())
    }

    /// The stored case.
    pub(super) fn entry(&self, snapshot: &Snapshot, address: DocAddress) -> Result<Entry, Error> {
        let document: TantivyDocument = snapshot
            .searcher
            .doc(address)
            .map_err(|error| explain(&self.path, error))?;
        let json = document
            .get_first(self.fields.case)
            .and_then(|value| value.as_str())
            .ok_or_else(|| fault(&self.path, "has a case without its record; build the index anew"))?;
        let mut entry = Entry::of_json(json, &self.lexicon).map_err(|reason| {
            fault(
                &self.path,
                &format!("has a damaged case ({reason}); build the index anew"),
            )
        })?;
        let segment = &snapshot.searcher.segment_readers()[address.segment_ord as usize];
        self.restore(segment, address.doc_id, &mut entry)?;
        Ok(entry)
    }

    /// What was read of the report when the case was added, and does not stand in its record.
    fn restore(&self, segment: &SegmentReader, doc: DocId, entry: &mut Entry) -> Result<(), Error> {
        let columns = segment.fast_fields();
        if entry.age_years.is_none() {
            let ages = columns
                .column_opt::<u64>("age")
                .map_err(|error| explain(&self.path, error))?;
            entry.age_years = ages.and_then(|ages| ages.first(doc)).map(|age| age as f64);
        }
        if entry.sex.is_none() {
            let sexes = columns.str("sex").map_err(|error| explain(&self.path, error))?;
            let mut sex = String::new();
            if let Some(sexes) = sexes
                && let Some(ordinal) = sexes.ords().first(doc)
            {
                sexes
                    .ord_to_str(ordinal, &mut sex)
                    .map_err(|error| explain(&self.path, error.into()))?;
            }
            entry.sex = sex_of(&sex);
        }
        Ok(())
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    pub(super) fn explain(&self, error: TantivyError) -> Error {
        explain(&self.path, error)
    }
}

/// Adds cases to an index. What was not committed when it is dropped is as if it had never been.
pub struct Writer<'i> {
    index: &'i CaseIndex,
    writer: IndexWriter,
    pending: usize,
    written: usize,
}

impl Writer<'_> {
    /// Adds a case, in place of one with the same id. Commits by itself every 50,000 cases.
    ///
    /// # Errors
    /// [`Error::Index`] for an empty id, and when the index cannot be written; what was committed
    /// before stays.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.id.is_empty() {
            return Err(fault(
                &self.index.path,
                "a case without an id; every case needs one of its own",
            ));
        }
        let fields = self.index.fields;
        let lexicon = &self.index.lexicon;
        let mut document = TantivyDocument::default();
        document.add_text(fields.id, &entry.id);
        for (field, terms) in [
            (fields.present, &entry.present),
            (fields.absent, &entry.absent),
            (fields.suspected, &entry.suspected),
            (fields.drug, &entry.drugs),
            (fields.word, &entry.words),
        ] {
            terms.iter().for_each(|term| document.add_text(field, term));
        }
        let parents = entry.map.parents();
        let mut above_primary = vec![false; entry.nodes.len()];
        let mut above = entry.map.primary.and_then(|primary| parents[primary.0 as usize]);
        while let Some(cause) = above {
            above_primary[cause.0 as usize] = true;
            above = parents[cause.0 as usize];
        }
        for (index, node) in entry.map.nodes.iter().enumerate() {
            let term = &entry.nodes[index];
            match parents[index] {
                Some(parent) => {
                    document.add_text(fields.path, format!("{}>{term}", entry.nodes[parent.0 as usize]));
                }
                None => document.add_text(fields.root, term),
            }
            let field = match node.label {
                _ if entry.map.primary == Some(node.id) => continue,
                _ if above_primary[index] => fields.cause,
                Label::Result { .. } | Label::ExamFinding { .. } => fields.evidence,
                _ => fields.finding,
            };
            document.add_text(field, term);
        }
        let primary = entry.primary_term(lexicon);
        let of_disease = primary.as_ref().and_then(|term| term::concept(lexicon, term));
        let specialty = match (entry.specialty.as_str(), of_disease) {
            ("", Some(disease)) => lexicon.specialty(disease),
            (stated, _) => stated,
        };
        if !specialty.is_empty() {
            document.add_text(fields.specialty, specialty);
        }
        if let Some(primary) = primary {
            document.add_text(fields.primary, primary);
        }
        if let Some(sex) = entry.sex {
            document.add_text(fields.sex, sex_name(sex));
        }
        if let Some(age) = entry.age_years {
            document.add_u64(fields.age, age as u64);
        }
        document.add_text(fields.case, &entry.json);
        self.remove(&entry.id);
        if let Err(error) = self.writer.add_document(document) {
            return Err(self.failed(error));
        }
        self.pending += 1;
        if self.pending >= COMMIT_EVERY {
            self.flush()?;
        }
        Ok(())
    }

    /// Removes the case of this id, if there is one.
    pub fn remove(&mut self, id: &str) {
        self.writer.delete_term(Term::from_field_text(self.index.fields.id, id));
    }

    fn flush(&mut self) -> Result<(), Error> {
        if let Err(error) = self.writer.commit() {
            return Err(self.failed(error));
        }
        self.written += self.pending;
        self.pending = 0;
        Ok(())
    }

    /// Goes back to the last commit, and removes what was written since, for it takes room: the
    /// error as it is told.
    fn failed(&mut self, error: TantivyError) -> Error {
        // A thread that ended early says why only when it is waited for.
        let cause = match error {
            TantivyError::ErrorInThread(_) => self.writer.prepare_commit().map(drop).err(),
            _ => None,
        };
        self.pending = 0;
        // The first error is the one to tell.
        if self.writer.rollback().is_ok() {
            let _ = self.writer.garbage_collect_files().wait();
        }
        explain(&self.index.path, cause.unwrap_or(error))
    }

    /// How many cases were added and committed.
    pub fn committed(&self) -> usize {
        self.written
    }

    /// Makes all that was added and removed durable, in one step: after a crash the index has all
    /// of it or none. Waits for the merging of small parts. The number of cases that were added.
    ///
    /// # Errors
    /// [`Error::Index`] when the index cannot be written; what was committed before stays.
    pub fn commit(mut self) -> Result<usize, Error> {
        self.flush()?;
        let index = self.index;
        self.writer
            .wait_merging_threads()
            .map_err(|error| explain(&index.path, error))?;
        index.refresh()?;
        Ok(self.written)
    }
}

impl Snapshot {
    fn new(path: &Path, reader: &IndexReader, lexicon: &Lexicon) -> Result<Self, Error> {
        let searcher = reader.searcher();
        let mut snapshot = Snapshot {
            disease_of: Vec::new(),
            diseases: Vec::new(),
            cases: 0,
            without_primary: 0,
            searcher,
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        for segment in snapshot.searcher.segment_readers() {
            let column = segment
                .fast_fields()
                .str("primary")
                .map_err(|error| explain(path, error))?;
            let mut of_ordinal: Vec<u32> = Vec::new();
            if let Some(column) = &column {
                let mut stream = column
                    .dictionary()
                    .stream()
                    .map_err(|error| explain(path, error.into()))?;
                while stream.advance() {
                    let term = String::from_utf8_lossy(stream.key()).into_owned();
                    let next = snapshot.diseases.len() as u32;
                    let index = *known.entry(term.clone()).or_insert(next);
                    if index == next {
                        snapshot.diseases.push(Disease {
                            concept: term::concept(lexicon, &term),
                            term,
                            cases: 0,
                        });
                    }
                    of_ordinal.push(index);
                }
            }
            let mut disease_of = vec![NO_DISEASE; segment.max_doc() as usize];
            for (doc, disease) in disease_of.iter_mut().enumerate() {
                let ordinal = column.as_ref().and_then(|column| column.ords().first(doc as DocId));
                if let Some(&index) = ordinal.and_then(|ordinal| of_ordinal.get(ordinal as usize)) {
                    *disease = index;
                }
                if segment.is_deleted(doc as DocId) {
                    continue;
                }
                snapshot.cases += 1;
                match snapshot.diseases.get_mut(*disease as usize) {
                    Some(disease) => disease.cases += 1,
                    None => snapshot.without_primary += 1,
                }
            }
            snapshot.disease_of.push(disease_of);
        }
        Ok(snapshot)
    }
}

pub(super) const fn sex_name(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "M",
        Sex::Female => "F",
    }
}

fn sex_of(name: &str) -> Option<Sex> {
    [Sex::Male, Sex::Female].into_iter().find(|&sex| sex_name(sex) == name)
}

fn fault(path: &Path, reason: &str) -> Error {
    Error::Index {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The engine over the files of a folder.
fn engine(path: &Path) -> Result<Index, Error> {
    let directory = MmapDirectory::open(path).map_err(|error| explain(path, error.into()))?;
    Index::open(directory).map_err(|error| explain(path, error))
}

/// The files whose checksums are not those that they were written with.
fn damaged(path: &Path, index: &Index) -> Result<Vec<PathBuf>, Error> {
    let damaged = index.validate_checksum().map_err(|error| explain(path, error))?;
    let mut damaged: Vec<PathBuf> = damaged.into_iter().collect();
    damaged.sort();
    Ok(damaged)
}

/// Runs what reads an index's files. The engine checks their checksums only when asked, since that
/// reads all of them, and where bytes were changed it may panic: then the checksums tell which file
/// it is. A panic over sound files is a fault of the program, and goes on.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let files = damaged(path, &engine(path)?)?;
        if files.is_empty() {
            resume_unwind(panic);
        }
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        Err(fault(path, &format!("is damaged ({}); {DAMAGED}", names.join(", "))))
    })
}

/// The engine's error with what to do about it.
fn explain(path: &Path, error: TantivyError) -> Error {
    let reason = match &error {
        TantivyError::LockFailure(LockError::LockBusy, _) => {
            "another process is writing to it; wait until it has ended".to_owned()
        }
        full if is_full(full) => "the disk is full; the cases that were committed before are still there".to_owned(),
        TantivyError::DataCorruption(_) | TantivyError::OpenReadError(_) | TantivyError::IncompatibleIndex(_) => {
            format!("is damaged ({error}); {DAMAGED}")
        }
        TantivyError::IoError(cause) if matches!(cause.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            format!("is damaged ({cause}); {DAMAGED}")
        }
        other => other.to_string(),
    };
    fault(path, &reason)
}

/// True where the cause of an error, or what the engine says of an error in a thread of its own, is a
/// disk without room.
fn is_full(error: &TantivyError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    let text = error.to_string();
    ["StorageFull", "No space left", "QuotaExceeded"]
        .iter()
        .any(|sign| text.contains(sign))
}
