//! The nouns of a case's journey: a file each. Types only, no algorithms beyond parsing and
//! printing what they themselves are.

pub mod assertion;
pub mod candidate;
pub mod case;
pub mod casemap;
pub mod concept;
pub mod label;
pub mod mention;
pub mod reading;
pub mod relation;
pub mod section;
pub mod sentence;
pub mod span;
pub mod text;
pub mod token;

pub use assertion::{Assertion, Experiencer, Status, Temporality};
pub use candidate::{Candidate, Role};
pub use case::Case;
pub use casemap::{CaseMap, Edge, Node, NodeId, TreeParseError};
pub use concept::{Concept, ConceptId, ConceptKind};
pub use label::Label;
pub use mention::{Direction, Mention, MentionId, MentionKind, Value};
pub use reading::{Aspect, Reading};
pub use relation::{Evidence, Relation, RelationKind, Why};
pub use section::{Section, SectionKind};
pub use sentence::Sentence;
pub use span::{Norm, Raw, Span};
pub use text::NormalizedText;
pub use token::{PartOfSpeech, Token};
