//! All maps of an index in one graph: what led to what, in how many cases.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocId, DocSet as _, TERMINATED, TantivyDocument};

use super::store::CaseIndex;
use super::term;
use crate::error::Error;
use crate::lexicon::{Frequency, Key};
use crate::types::{Label, RelationKind};

/// A cause → effect link that maps of the index have.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AggregatedLink {
    /// The cause's label.
    pub cause: String,
    /// The effect's label.
    pub effect: String,
    /// What kind of relation it is, by what cause and effect are.
    pub relation: RelationKind,
    /// Cases whose map has the link.
    pub cases: u64,
    /// Cases that have the cause.
    pub cause_cases: u64,
    /// Cases that have the effect.
    pub effect_cases: u64,
    /// How many times as often as by chance both come linked: P(link) / (P(cause) P(effect)).
    pub lift: f64,
    /// Ids of cases that have it, some of them.
    pub support: Vec<String>,
}

/// All links of an index.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct AggregatedGraph {
    /// Cases of the index.
    pub cases: u64,
    /// The links, those of most cases first.
    pub links: Vec<AggregatedLink>,
}

impl CaseIndex {
    /// Folds the maps of all cases into one graph of the links that at least `min_cases` have, each
    /// with at most `support` ids of cases. O(links of all maps).
    ///
    /// # Errors
    /// [`Error::Index`] for damaged files.
    pub fn aggregate(&self, min_cases: u64, support: usize) -> Result<AggregatedGraph, Error> {
        self.guarded(|| self.fold(min_cases, support))
    }

    fn fold(&self, min_cases: u64, support: usize) -> Result<AggregatedGraph, Error> {
        let snapshot = self.snapshot();
        let paths = self.count(self.fields.path, support)?;
        let terms = self.count(self.fields.present, 0)?;
        let with = |term: &str| terms.get(term).map_or(0, |found| found.0);
        let mut links = Vec::new();
        for (path, (cases, examples)) in &paths {
            let Some((cause, effect)) = path.split_once('>').filter(|_| *cases >= min_cases.max(1)) else {
                continue;
            };
            let (cause_cases, effect_cases) = (with(cause), with(effect));
            let by_chance = cause_cases as f64 * effect_cases as f64;
            let mut ids = Vec::with_capacity(examples.len());
            for &address in examples {
                let document: TantivyDocument = snapshot.searcher.doc(address).map_err(|error| self.explain(error))?;
                let id = document.get_first(self.fields.id).and_then(|value| value.as_str());
                ids.extend(id.map(str::to_owned));
            }
            // Segments end in any order.
            ids.sort();
            links.push(AggregatedLink {
                cause: self.written(cause),
                effect: self.written(effect),
                relation: self.relation(effect),
                cases: *cases,
                cause_cases,
                effect_cases,
                lift: *cases as f64 * snapshot.cases as f64 / by_chance.max(1.0),
                support: ids,
            });
        }
        links.sort_by(|a, b| {
            b.cases
                .cmp(&a.cases)
                .then_with(|| (&a.cause, &a.effect).cmp(&(&b.cause, &b.effect)))
        });
        Ok(AggregatedGraph {
            cases: snapshot.cases,
            links,
        })
    }

    /// Living documents of every term of a field, with the first few of them.
    fn count(
        &self,
        field: tantivy::schema::Field,
        examples: usize,
    ) -> Result<BTreeMap<String, (u64, Vec<DocAddress>)>, Error> {
        let snapshot = self.snapshot();
        let io = |error: std::io::Error| self.explain(error.into());
        let mut counts: BTreeMap<String, (u64, Vec<DocAddress>)> = BTreeMap::new();
        for (ordinal, segment) in snapshot.searcher.segment_readers().iter().enumerate() {
            let inverted = segment.inverted_index(field).map_err(|error| self.explain(error))?;
            let mut stream = inverted.terms().stream().map_err(io)?;
            while stream.advance() {
                let mut living: u64 = u64::from(stream.value().doc_freq);
                let mut first: Vec<DocId> = Vec::new();
                if segment.has_deletes() || examples > 0 {
                    let mut postings = inverted
                        .read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)
                        .map_err(io)?;
                    let mut found = 0;
                    while postings.doc() != TERMINATED && (segment.has_deletes() || first.len() < examples) {
                        if !segment.is_deleted(postings.doc()) {
                            found += 1;
                            if first.len() < examples {
                                first.push(postings.doc());
                            }
                        }
                        postings.advance();
                    }
                    if segment.has_deletes() {
                        living = found;
                    }
                }
                if living == 0 {
                    continue;
                }
                let name = String::from_utf8_lossy(stream.key()).into_owned();
                let entry = counts.entry(name).or_default();
                entry.0 += living;
                let room = examples.saturating_sub(entry.1.len());
                let addresses = first.into_iter().take(room);
                entry
                    .1
                    .extend(addresses.map(|doc| DocAddress::new(ordinal as u32, doc)));
            }
        }
        Ok(counts)
    }

    /// A term as a label that reads back as the same key; exposures as exposures.
    fn written(&self, term: &str) -> String {
        let label = term::label(&self.lexicon, term);
        let is_exposure = match term::key(&self.lexicon, term) {
            Some(Key::Concept(id)) => self.lexicon.get(id).is_some_and(|concept| !concept.kind.is_condition()),
            _ => false,
        };
        if is_exposure { format!("H:{label}") } else { label }
    }

    fn relation(&self, effect: &str) -> RelationKind {
        let kind = term::concept(&self.lexicon, effect)
            .and_then(|id| self.lexicon.get(id))
            .map(|concept| concept.kind);
        let Ok(label) = term::label(&self.lexicon, effect).parse::<Label>();
        match (label, kind) {
            (Label::Result { .. } | Label::ExamFinding { .. }, _) => RelationKind::EvidencedBy,
            (_, Some(kind)) if kind.is_disease() => RelationKind::Causes,
            _ => RelationKind::ManifestsAs,
        }
    }
}

impl AggregatedLink {
    /// How often the cause has the effect.
    pub fn frequency(&self) -> Frequency {
        let share = self.cases as f64 / self.cause_cases.max(1) as f64;
        let bands = [
            (0.8, Frequency::VeryFrequent),
            (0.3, Frequency::Frequent),
            (0.05, Frequency::Occasional),
        ];
        let band = bands.into_iter().find(|&(least, _)| share >= least);
        band.map_or(Frequency::VeryRare, |(_, frequency)| frequency)
    }
}

/// A cell of a table: no tabs and no line breaks.
fn cell(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// Text in XML.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

impl AggregatedGraph {
    /// Tab-separated with the columns of `dictionaries/knowledge`, so that it serves as
    /// `--knowledge`, and the counts beside them.
    pub fn to_tsv(&self) -> String {
        let mut text = String::from(
            "cause\trelation\teffect\tfrequency\tbasis\tcases\tcause_cases\teffect_cases\tlift\tsupport\n",
        );
        for link in &self.links {
            let _ = writeln!(
                text,
                "{}\t{}\t{}\t{}\tcases\t{}\t{}\t{}\t{:.3}\t{}",
                cell(&link.cause),
                link.relation.name(),
                cell(&link.effect),
                link.frequency().name(),
                link.cases,
                link.cause_cases,
                link.effect_cases,
                link.lift,
                cell(&link.support.join("|"))
            );
        }
        text
    }

    /// Comma-separated, with the same columns.
    ///
    /// # Errors
    /// Never: it is written to memory.
    pub fn to_csv(&self) -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let tsv = self.to_tsv();
        for line in tsv.lines() {
            writer.write_record(line.split('\t'))?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// GraphML, which Gephi, Cytoscape, networkx and yEd read: a node a concept, an edge a link.
    pub fn to_graphml(&self) -> String {
        let mut text = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
             <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
             <key id=\"cases\" for=\"all\" attr.name=\"cases\" attr.type=\"long\"/>\n\
             <key id=\"relation\" for=\"edge\" attr.name=\"relation\" attr.type=\"string\"/>\n\
             <key id=\"lift\" for=\"edge\" attr.name=\"lift\" attr.type=\"double\"/>\n\
             <key id=\"support\" for=\"edge\" attr.name=\"support\" attr.type=\"string\"/>\n\
             <graph id=\"cases\" edgedefault=\"directed\">\n",
        );
        let mut nodes: HashMap<&str, usize> = HashMap::new();
        let mut edges = String::new();
        for link in &self.links {
            let ends = [(&link.cause, link.cause_cases), (&link.effect, link.effect_cases)];
            let [source, target] = ends.map(|(label, cases)| {
                let next = nodes.len();
                *nodes.entry(label).or_insert_with(|| {
                    let _ = writeln!(
                        text,
                        "<node id=\"n{next}\"><data key=\"label\">{}</data><data key=\"cases\">{cases}</data></node>",
                        xml(label)
                    );
                    next
                })
            });
            let _ = writeln!(
                edges,
                "<edge source=\"n{source}\" target=\"n{target}\"><data key=\"relation\">{}</data>\
                 <data key=\"cases\">{}</data><data key=\"lift\">{:.3}</data><data key=\"support\">{}</data></edge>",
                link.relation.name(),
                link.cases,
                link.lift,
                xml(&link.support.join(" "))
            );
        }
        text + &edges + "</graph>\n</graphml>\n"
    }
}
