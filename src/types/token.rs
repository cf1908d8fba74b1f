//! Tokens.

use super::{Norm, Span};

/// The parts of speech that later stages tell apart (IPADIC's, coarsened).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartOfSpeech {
    /// 名詞: common, proper, adverbial, adjectival stems.
    Noun,
    /// 名詞,サ変接続: 上昇, 貯留, 狭窄.
    VerbalNoun,
    /// 名詞,接尾: 性, 症, 側, 歳.
    Suffix,
    /// 接頭詞: 両, 左, 多.
    Prefix,
    /// 名詞,数.
    Number,
    /// 名詞,非自立 and 代名詞: こと, ため, これ.
    DependentNoun,
    /// A term of the medical dictionaries.
    MedicalTerm,
    /// 動詞.
    Verb,
    /// 形容詞.
    Adjective,
    /// 助詞.
    Particle,
    /// 助動詞.
    Auxiliary,
    /// 副詞, 連体詞, 接続詞, 感動詞, フィラー.
    Adverb,
    /// 記号 and anything else.
    Symbol,
}

impl PartOfSpeech {
    /// True for what can stand inside a noun compound.
    pub const fn is_nominal(self) -> bool {
        matches!(
            self,
            PartOfSpeech::Noun
                | PartOfSpeech::VerbalNoun
                | PartOfSpeech::Suffix
                | PartOfSpeech::Prefix
                | PartOfSpeech::MedicalTerm
        )
    }
}

/// A morpheme with its part of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub span: Span<Norm>,
    /// What it is.
    pub pos: PartOfSpeech,
}
