//! Laboratory values and vital signs: which test has which number, unit and direction.
//!
//! The dictionary says where test names stand ([`TestHit`]); this module reads what belongs to
//! each of them. It walks from the name over connectors (は, の, :, 著明な, 入院時 …) to a number
//! or a result word, and never over another test name or the end of a sentence. Whatever it does
//! not understand ends the walk: a missed value is better than a wrong one.

use crate::lexicon::Sex;
use crate::types::{ConceptId, Direction, Norm, Span, Value};
use regex::Regex;
use std::sync::LazyLock;

/// A test name found in the text by the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestHit {
    /// Where the name stands.
    pub span: Span<Norm>,
    /// The test that it names.
    pub concept: ConceptId,
}

/// What the reading of values needs to know of tests; the lexicon implements it.
pub trait TestFacts {
    /// The preferred name of the test: `Hb`.
    fn label(&self, test: ConceptId) -> &str;
    /// The unit that its reference ranges are kept in: `g/dL`; empty where it has none.
    fn main_unit(&self, test: ConceptId) -> &str;
    /// What a number in `unit` is multiplied by to be in the main unit; 1 for the main unit
    /// itself, `None` for a unit that is not known for the test.
    fn factor(&self, test: ConceptId, unit: &str) -> Option<f64>;
    /// Lower and upper bound of the reference range in the main unit, both inclusive.
    fn range(&self, test: ConceptId, sex: Option<Sex>, age_years: Option<f64>) -> Option<(Option<f64>, Option<f64>)>;
    /// The test that `name` means where the text speaks of a body fluid other than blood: `尿`,
    /// `髄液`, `胸水`, `腹水`, `関節液`, `骨髄` … (「尿所見:ケトン体(+)」 is urinary ketones).
    /// `None`, as by default, where the test is the same or unknown there; its values are then
    /// not judged by the ranges of blood.
    fn in_fluid(&self, name: &str, fluid: &str) -> Option<ConceptId> {
        let _ = (name, fluid);
        None
    }
    /// The reference range in another unit, for tests that have one of its own there
    /// (neutrophils in % and in /μL, PT in seconds and in %); `None`, as by default, where it has
    /// none.
    fn range_in(
        &self,
        test: ConceptId,
        unit: &str,
        sex: Option<Sex>,
        age_years: Option<f64>,
    ) -> Option<(Option<f64>, Option<f64>)> {
        let _ = (test, unit, sex, age_years);
        None
    }
    /// The test whose range judges the lower number of a blood pressure (132/96 mmHg); `None`, as
    /// by default, leaves it unjudged.
    fn diastolic(&self) -> Option<ConceptId> {
        None
    }
}

/// A test with the value that the report gives for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The test.
    pub test: ConceptId,
    /// Where its name stands.
    pub test_span: Span<Norm>,
    /// Where its value stands: number with unit, or result word. Tests that share one result word
    /// (「ASTとALTの上昇」) have the same span.
    pub value_span: Span<Norm>,
    /// The value.
    pub value: Value,
}

/// Reads the values of the tests that `hits` names within a part of the text.
///
/// `text` is the normalised report, `hits` the test names in reading order without overlaps; hits
/// outside `within` are ignored. `fluid_names` are names that mean a test only where the text speaks
/// of a body fluid (蛋白, 糖, 細胞数); elsewhere they are nothing. Sex and age choose the reference range. A test name without a
/// value or result gives no measurement. Never panics; cost is linear in the text and the hits.
///
/// The direction of a number comes from an attached word of state (高値), else from the printed
/// reference range, else from [`TestFacts::range`]; bounds count as normal. Words of change
/// (上昇, 低下) decide only where no range contradicts them, for a falling CRP may still be high.
pub fn measurements(
    text: &str,
    within: Span<Norm>,
    hits: &[TestHit],
    fluid_names: &[Span<Norm>],
    facts: &impl TestFacts,
    sex: Option<Sex>,
    age_years: Option<f64>,
) -> Vec<Measurement> {
    let differentials = differential_spans(text, within, hits, facts);
    let kept: Vec<TestHit> = hits
        .iter()
        .filter(|hit| within.contains(&hit.span) && !hit.span.is_empty())
        .filter(|hit| text.get(hit.span.range()).is_some())
        // A letter that goes on a list of immunoglobulins has been looked at already.
        .filter(|hit| facts.label(hit.concept).starts_with("Ig") || is_real_name(text, hit.span, &differentials))
        .copied()
        .collect();
    let kept: Vec<TestHit> = kept
        .iter()
        .map(|hit| TestHit {
            concept: other_fluid(text, within, &kept, *hit, facts)
                .and_then(|fluid| facts.in_fluid(hit.span.slice(text), fluid))
                .unwrap_or(hit.concept),
            ..*hit
        })
        .collect();
    let kept = with_fluid_names(text, within, kept, fluid_names, facts);
    let mut reader = Reader {
        text,
        within,
        hits: &kept,
        facts,
        sex,
        age_years,
        differentials: &differentials,
        digit_one_is_i: false,
    };
    reader.digit_one_is_i = reader.letter_i_is_printed_as_one();
    reader.read_all()
}

// ---------------------------------------------------------------------------------------------
// Vocabulary of the grammar: closed classes of function words, no medical terms.

/// The words of a list written as a text.
fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

/// What a result word says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// A state: it is high, low, positive … now.
    State(Direction),
    /// A change, which may end anywhere.
    Change(Direction),
    /// Below what the method detects: low where low exists, else negative.
    Undetectable,
    /// Better, stable: no direction.
    Nothing,
}

use Direction::{Equivocal, High, Low, Negative, Normal, Positive};
use Word::{Change, Nothing, State, Undetectable};

/// Result words; the longest that fits counts.
static WORDS: LazyLock<Vec<(&str, Word)>> = LazyLock::new(|| {
    let groups = [
        (State(Positive), "強陽性 弱陽性 陽性 陽転 陽転化"),
        (State(Equivocal), "擬陽性 疑陽性 偽陽性 判定保留"),
        (
            State(Negative),
            "陰性 陰性化 陰転 陰転化 検出せず 検出されず 検出されなかった",
        ),
        (
            Undetectable,
            concat!(
                "検出感度以下 測定感度以下 感度以下 感度未満 検出限界以下 検出限界未満 測定限界以下 ",
                "測定感度未満 検出感度未満",
            ),
        ),
        (
            State(High),
            concat!(
                "高値 異常高値 高め 高い 高く 高かった 増多 過多 亢進 促進 延長 開大 拡大 基準値以上 ",
                "正常上限を超え 基準値を超え 著増",
            ),
        ),
        (Change(High), "上昇 増加 増高 増大 増悪 急上昇 再上昇"),
        (
            State(Low),
            "低値 異常低値 低め 低い 低く 低かった 短縮 欠損 欠乏 著減 基準値以下",
        ),
        (Change(Low), "低下 低ド 減少 急減"),
        (
            State(Normal),
            concat!(
                "正常 正常値 正常範囲 正常範囲内 正常域 正常上限 正常下限 正常高値 正常低値 正常化 ",
                "正常内 基準範囲 基準範囲内 基準値内 基準値範囲内 基準内 基準値 異常なし 異常なく ",
                "著変なし 著変なく 問題なし 問題なく",
            ),
        ),
        (Nothing, "改善 軽快 安定"),
    ];
    groups
        .into_iter()
        .flat_map(|(word, texts)| words(texts).into_iter().map(move |text| (text, word)))
        .collect()
});

/// What directly after a result word shows that the word belongs to another term
/// (血小板減少症, CD20陽性細胞, 血圧低下作用).
static NOT_A_RESULT: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(concat!(
        "症 性 型 群 療法 薬 剤 作用 効果 率 細胞 例 者 患者 リンパ球 T細胞 B細胞 球菌 桿菌 菌 させ ",
        "不良 予防 目的 試験 リスク",
    ))
});

/// Between name and value: parts of the name, particles, hedges, adverbs of degree and course.
/// The longest that fits counts. NFKC makes … three full stops.
static CONNECTORS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(concat!(
        "数 値 量 濃度 活性 価 抗体価 比 率 比率 分画 レベル 定量 定性 検査 検査値 測定 測定値 反応 ",
        "絶対数 総数 分圧 成分 は が も の で に を では には にて とも ともに 共に など 等 のみ だけ ",
        ": ; = ... それぞれ 各々 いずれも ずれも すべて 全て は、 は, が、 が, も、 では、 では, には、 ",
        "で、 において については に関しては に関して ならびに 約 およそ ほぼ 推定 平均 最高 最大 ",
        "最低 最小 ピーク 計 概ね 最高で 最大で 最低で 最高値 最大値 最低値 入院時 来院時 初診時 ",
        "受診時 搬入時 搬送時 退院時 発症時 治療前 治療後 術前 術後 術直後 入院後 入院前 前医 前医で ",
        "今回 当初 再検 一時 その後 以後 現在 空腹時 随時 食後 早朝 安静時 夜間 右 左 1日 1日あたり ",
        "1分間 1時間値 1時間 1時間目 室内気 早朝空腹時 仰臥位 臥位 座位 立位 触診 腋窩 右上肢 左上肢 ",
        "右下肢 左下肢 上肢 下肢 右腕 左腕 右眼 左眼 両眼 両側 右側 左側 結果 の結果 スコア score ",
        "Score 指数 総点 合計 著明な 著明に 著明 著しい 著しく 軽度の 軽度に 軽度 軽度な 軽微な ",
        "中等度の 中等度 中等度に 高度の 高度に 高度な 高度 やや わずかに わずかな 僅かに 僅かな ",
        "若干の 若干 多少 緩徐に 緩徐な 緩やかに 緩やかな 徐々に 徐々な 次第に 漸次 急激に 急激な ",
        "急速に 急速な 急な 突然の 有意に 有意な 明らかに 明らかな 明瞭な さらに 更に さらなる 再び ",
        "再度 再度の 持続的な 持続的に 持続する 一過性の 一過性に 進行性の 進行性に 異常な 異常に ",
        "優位の 優位な 優位に 極めて きわめて 非常に 強い 強く 依然 依然として なお まだ 相対的 ",
        "相対的な 相対的に 経時的に 経時的な 速やかに 速やかな すでに 既に また 共通して",
    ))
});

/// How far between two names of a list: 「AST、ALTとLDH」.
static LIST_MARKS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        ", 、 ・ / と や および 及び ならびに 並びに かつ または あるいは も とともに と共に & + ) 〉 ] 値 数 濃度 活性 量 価",
    )
});

/// Abbreviations of the differential count. Elsewhere these letters mean other things.
static DIFFERENTIAL_LETTERS: LazyLock<Vec<&str>> =
    LazyLock::new(|| words("St ST Sg SG Seg Stab E Eo M Mo L Ly B Ba N Ne"));

/// Words that follow a number which counts something else (time, doses, patients).
static NOT_A_VALUE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(concat!(
        "年 月 日 歳 才 か月 ヶ月 カ月 ヵ月 ケ月 週 時 例 型 名 人 番 回 病日 本 錠 クール コース 剤 ",
        "次 期 項目 種 か所 ヶ所 カ所 箇所 群 度 世代 段階 者 つ 枝 分後 分前 分間 秒後 セット ,X 胎 ",
        "頻 遺伝 染色体",
    ))
});

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this module are constants, tested to compile")
}

/// Comparator, titre mark, sign, digits.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(<=|>=|[<>≦≧≤≥]) ?)?(?:([×xX]|1:) ?)?([-−])?([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)",
    )
});
/// 1.2万, 7万5000; ×10^4, ×104 (a superscript that NFKC flattened), 10の3乗.
static MYRIAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?(万|千|億)([0-9]{1,4})?"));
static POWER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^ ?(?:[×xX*✕] ?10 ?(?:\^|の|E|\*\*)? ?([0-9]{1,2}) ?乗?|10 ?(?:\^|の) ?([0-9]{1,2}) ?乗?)(?:$|[^0-9])")
});
/// A unit. The digit 1 for the letter l (mg/d1, /μ1) is a frequent fault of scanned reports.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    let over = concat!(
        r"/ ?(?:1 ?)?(?:m?g[ ・.]?(?:cre?|creatinine|クレアチニン)|d[l1]|m[l1]|[μu][l1]|f[l1]|cmm|mm ?\^?3|m2|hpf|lpf|強拡大視野|強拡大|視野|",
        r"1\.73 ?(?:m2)?|分|min|hrs?|h|時間|時|日|day|kg|",
        r"100 ?wbc|37°c|mg|μg|g|秒|sec|週|回|l|m|s|d|1)"
    );
    let top = concat!(
        r"(?:(?:log ?(?:10)? ?)?(?:copies|copy|cps|コピー)|log ?iu|mmhg|mmh2o|cmh2o|torr|kpa|hpa|meq|",
        r"mosm|(?:[mμunpk])?(?:mol|iu|u|eq)|mau|au|bu|eu|[mμunpfk]?g|[mμudfc]?l|msec|ms|sec|秒|分|",
        // King-Armstrong, Goldbarg-Rutenburg, Karmen, Wroblewski, Somogyi and their like.
        r"k\.?-?a\.?(?: ?u\.?|単位)?|g\.?r\.?u\.?|[kwsmb]\.u\.?|k\.u|somogyi ?(?:u|単位)?|bl?\.?u\.?|",
        r"dyn|db|hz|bpm|mets?|単位|個|コ|cells?|index|coi|s/co|ppb|ppm|mv|[mcμnk]?m[23]?|s)"
    );
    pattern(&format!(
        r"(?i)^(%|‰|°c|倍|sd|(?:回|拍)/ ?(?:1 ?)?(?:分|min|日)|{top}(?: ?{over})*|(?:{over})+)(?:$|[^a-z])"
    ))
});
/// Right after number and unit: a bound, or about.
static AFTER_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ ?(以上|以下|未満|超|台|前後|程度|[<>](?:$|[,、)\]。\s]))"));
/// From the first to the last value of a trend or an interval.
static TREND: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?(→|⇒|➡|->|から|より|~|-) ?(?:約|最高|最大)?"));
/// Results in signs: (+), (3+), 2+, (±), (-).
static SIGN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:([1-5]? ?\+{1,4}(?:~ ?[1-5]? ?\+{1,4})?)|(\+/-|±)|([-−]))"));
/// (十), (一), (ー): plus and minus as scanned.
static SCANNED_SIGN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\( ?(?:(十)|(一|ー)) ?\)"));
/// Flags of laboratory print-outs.
static FLAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?\(?(?:(H|↑+|高)|(L|↓+|低))\)?(?:$|[^A-Za-z0-9値下く])"));
/// Between a number and the word that judges it.
static BEFORE_JUDGEMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ ?(?:(まで|に|へ)(?:と)?|であり|で|の|も?と、?|は)? ?"));
/// A day of the course between name and number: 「CRPは第3病日に12.3」.
static DAY_OF_COURSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:第 ?[0-9]+ ?(?:病日|日)|(?:入院|術後|発症|治療)?(?:後|翌)?[0-9]+ ?(?:日目|日後|日前|週目|週後|週間後|か月後|ヶ月後|カ月後|ヵ月後|年後|年前|時間後|時間値|分後|分値|病日)|翌日|同日|[0-9] ?セット(?:中[0-9] ?セット)?)(?:に|の|は|で|とも|すべて)?(?:は|も|に)?",
    )
});
/// How it stained, between an antibody and its result: 「抗核抗体はspeckled patternで陽性」.
static PATTERN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:[A-Za-z][A-Za-z +,・&-]{2,40}|\p{Han}{2,4}) ?(?:patterns?|パターン|型)で"));
/// 「IgG・Mの上昇」, 「AST/ALTは高値」 where the dictionary lacks the second name.
static MORE_LETTERS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^((?:[・/][A-Za-z][A-Za-z0-9-]{0,7})+)(?:の|は|が|も|など|とも|上昇|低下|高値|低値)"));
/// A mark of lists, a short Latin name, and what goes on with the list's result.
static UNKNOWN_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^([,、・] ?[A-Za-zα-ω][A-Za-zα-ω.-]{0,7})(?:など|等|の|は|が|も|[,、・])"));
/// Coma scales: 「JCS II-20」, 「GCS E3V4M5」.
static COMA_GRADE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:I{1,3}|[1-3]) ?[-ー] ?([0-9]{1,3})(?:[RIA]+)?(?:$|[^0-9A-Za-z])"));
static COMA_SUM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^E ?([1-4]) ?V ?([1-5T]) ?M ?([1-6])"));
/// 「の上昇は認めず」 after a result word.
static NEGATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:所見|傾向|反応)?(?:など|等)?(?:は|を|も|が|には|では|とは|に|で|と)?",
        r"(?:も|は)?(?:明らかに?は?|特に|ほとんど|いずれも|全く|まったく)?(?:",
        r"認め(?:ず|ない|なか|なく|られず|られな)|みとめ(?:ず|な)|みられ(?:ず|な)|見られ(?:ず|な)|",
        r"な(?:し|く|い|かっ)|無(?:し|く|い|かっ)|せず|しな(?:い|か|く)|して(?:おらず|いな)|",
        r"示さ(?:ず|な)|示して(?:おらず|いな)|来さ(?:ず|な)|きたさ(?:ず|な)|伴わ(?:ず|な)|",
        r"呈さ(?:ず|な)|呈して(?:おらず|いな)|あらず|否定|検出され(?:ず|な)|指摘され(?:ず|な)|指摘な|",
        r"得られ(?:ず|な)|消失)"
    ))
});
/// 「異常を認めない」.
static NO_ABNORMALITY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^異常(?:所見|値)?(?:は|を|も)?(?:特に|明らかに)?(?:な[くいしか]|認め(?:ず|な|られ(?:ず|な))|みられ(?:ず|な)|見られ(?:ず|な)|指摘され(?:ず|な))",
    )
});
/// 「正常上限の3倍」.
static ABOVE_THE_LIMIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:正常|基準)(?:値)?(?:の)?上限の?約?[0-9.]+倍(?:以上)?"));
/// A printed reference range within its brackets.
static RANGE_BRACKETS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ ?[(\[〔〈]([^()\[\]〔〕〈〉。\n]{1,40})[)\]〕〉]"));
static RANGE_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)基準|正常|参考値|参考基準|カットオフ|cut ?-?off|対照|コントロール|control|normal|^ ?N ?[:=.]? ?[<0-9]",
    )
});
static RANGE_CONTROL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)対照|対象|コントロール|control"));
static RANGE_BOTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(-?[0-9][0-9,]*(?:\.[0-9]+)?) ?(万)?[^0-9~\-−<>]{0,12}[~\-−] ?(-?[0-9][0-9,]*(?:\.[0-9]+)?) ?(万)?")
});
static RANGE_ONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"([<>≦≧≤≥~]|<=|>=)? ?([0-9][0-9,]*(?:\.[0-9]+)?) ?(万)?[^0-9<>以未超]{0,12}(以下|未満|以上|超|~|[<>])?")
});
/// Brackets that hold nothing but a range, without a word for it.
static BARE_RANGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:[0-9][0-9,.]* ?万? ?[~\-−] ?[0-9][0-9,.]*|[<≦≤] ?[0-9][0-9,.]*|[0-9][0-9,.]* ?万?[^0-9]{0,8}(?:以下|未満))[^0-9]{0,10}$",
    )
});
/// A report's U/L values, for the fault that prints I as 1.
static UNITS_PER_LITRE: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9]+(?:\.[0-9]+)?)(I?U)/[lL1]"));
/// What makes an amount a dose.
static DOSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[^。、,\n]{0,8}(?:投与|内服|静注|静脈内|点滴|補充|輸血|輸注|注射|処方|負荷|摂取|制限|食)")
});
/// Body fluids other than blood, as headings or directly before a name.
static OTHER_FLUID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:髄液|胸水|腹水|関節液|心[嚢囊]液|心[嚢囊]水|[嚢囊]胞液|骨髄|穿刺液|気管支肺胞洗浄液?|BALF?|",
        r"胆汁|排液|羊水|喀痰)(?:検査|所見|中|穿刺|性状|一般|生化学|像|液|細胞診|塗抹|:|(?:の|は|では|も| )?$)|",
        r"髄液 |尿所見|尿検査|検尿|尿沈渣|沈渣|尿中|便中|尿一般|(?:尿|便)$"
    ))
});
static BLOOD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"血液|血清|血漿|末梢血|血算|採血|生化学|動脈血|静脈血|血中|免疫|凝固|腫瘍マーカー"));

// ---------------------------------------------------------------------------------------------

/// The longest entry of `list` that `text` starts with.
fn longest<'l>(text: &str, list: &[&'l str]) -> Option<&'l str> {
    list.iter()
        .filter(|entry| text.starts_with(**entry))
        .max_by_key(|entry| entry.len())
        .copied()
}

/// The largest character boundary of `text` that is at most `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `text[start..end]`, or nothing where these are no boundaries of it.
fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

fn parse_digits(digits: &str) -> Option<f64> {
    digits
        .replace(',', "")
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// Rounds off what scaling by powers of ten adds to the 12th digit.
fn tidy(number: f64) -> f64 {
    let rounded = number.round();
    if number != 0.0 && ((number - rounded) / number).abs() < 1e-12 {
        rounded
    } else {
        number
    }
}

/// The parentheses that hold the differential count of a white-cell count.
fn differential_spans(text: &str, within: Span<Norm>, hits: &[TestHit], facts: &impl TestFacts) -> Vec<Span<Norm>> {
    const LOOK_AHEAD_BYTES: usize = 60;
    const LONGEST_BYTES: usize = 400;
    let mut spans = Vec::new();
    for hit in hits {
        if !within.contains(&hit.span) || facts.label(hit.concept) != "白血球" {
            continue;
        }
        let mut from = hit.span.end;
        // Twice: the first brackets may hold the reference range.
        for _ in 0..2 {
            let ahead_end = floor_boundary(text, (from + LOOK_AHEAD_BYTES).min(within.end));
            let ahead = slice(text, from, ahead_end);
            let Some(open) = ahead.find(['(', '[', '〈']) else {
                break;
            };
            if ahead[..open].contains(['。', '\n', '、']) {
                break;
            }
            let start = from + open + 1;
            let end_limit = floor_boundary(text, (start + LONGEST_BYTES).min(within.end));
            let inner = slice(text, start, end_limit);
            let end = start + inner.find([')', ']', '〉', '。']).unwrap_or(inner.len());
            from = end;
            if !RANGE_WORD.is_match(slice(text, start, end)) {
                spans.push(Span::new(start, end));
                break;
            }
        }
    }
    spans
}

/// False for a hit that is part of a unit (g/gCr, /100WBC), or a letter of the differential count
/// outside of one.
fn is_real_name(text: &str, span: Span<Norm>, differentials: &[Span<Norm>]) -> bool {
    let before = slice(text, 0, span.start);
    if ["/g", "/g・", "/g ", "/g.", "/mg", "/mg・", "/100", "/100 "]
        .iter()
        .any(|tail| before.ends_with(tail))
    {
        return false;
    }
    // リン of インスリン or リンパ節.
    let is_katakana = |character: char| ('ァ'..='ヺ').contains(&character) || character == 'ー';
    let after = slice(text, span.end, text.len());
    if span.slice(text).chars().all(is_katakana) && (before.ends_with(is_katakana) || after.starts_with(is_katakana)) {
        return false;
    }
    if before.ends_with(['△', 'Δ', '∆']) {
        // A difference of the quantity, not the quantity.
        return false;
    }
    let name = span.slice(text);
    if name.len() == 1 {
        // A letter of a compound: Al-P, P-L, K-ras, K.A.U.
        let is_letter = |character: char| character.is_ascii_alphabetic();
        if before.ends_with(is_letter)
            || after.starts_with(is_letter)
            || before
                .strip_suffix('-')
                .is_some_and(|before| before.ends_with(is_letter))
            || after
                .strip_prefix(['-', '.'])
                .is_some_and(|after| after.starts_with(is_letter))
        {
            return false;
        }
    }
    if DIFFERENTIAL_LETTERS.contains(&name) {
        return !before.ends_with('/') && differentials.iter().any(|outer| outer.contains(&span));
    }
    true
}

/// Body fluids as the names of tests have them.
const FLUIDS: &[&str] = &[
    "尿",
    "髄液",
    "胸水",
    "腹水",
    "関節液",
    "骨髄",
    "便",
    "胆汁",
    "羊水",
    "喀痰",
    "BAL",
];

/// The body fluid other than blood that the sentence speaks of at a hit; `None` where it is blood
/// or where the test is one of that fluid already.
fn other_fluid(
    text: &str,
    within: Span<Norm>,
    hits: &[TestHit],
    hit: TestHit,
    facts: &impl TestFacts,
) -> Option<&'static str> {
    let label = facts.label(hit.concept);
    let is_of_blood = hit.span.slice(text).contains('血') && !label.contains("血球");
    if is_of_blood || FLUIDS.iter().any(|fluid| label.contains(fluid)) {
        return None;
    }
    fluid_before(text, within, hits, hit.span)
}

/// `hits` and what `names` mean in the fluid that the text speaks of, in reading order.
fn with_fluid_names(
    text: &str,
    within: Span<Norm>,
    hits: Vec<TestHit>,
    names: &[Span<Norm>],
    facts: &impl TestFacts,
) -> Vec<TestHit> {
    let found: Vec<TestHit> = names
        .iter()
        .filter(|span| within.contains(span) && !hits.iter().any(|hit| hit.span.overlaps(span)))
        .filter_map(|&span| {
            let fluid = fluid_before(text, within, &hits, span)?;
            let concept = facts.in_fluid(span.slice(text), fluid)?;
            Some(TestHit { span, concept })
        })
        .collect();
    if found.is_empty() {
        return hits;
    }
    let mut all = hits;
    all.extend(found);
    all.sort_by_key(|hit| hit.span);
    all
}

/// The body fluid other than blood that the sentence speaks of before a name.
fn fluid_before(text: &str, within: Span<Norm>, hits: &[TestHit], name: Span<Norm>) -> Option<&'static str> {
    // Far enough for a sentence, near enough to keep long texts without 。 linear.
    const LOOK_BACK_BYTES: usize = 900;
    let from = name.start.saturating_sub(LOOK_BACK_BYTES).max(within.start);
    let from = floor_boundary(text, from);
    let before = slice(text, from, name.start);
    let start = match before.rfind(['。', '\n', '】']) {
        Some(at) => from + at,
        // A heading may name it: 「尿検査:蛋白(3+)」.
        None if from == within.start => {
            let heading = slice(text, 0, from);
            heading.rfind(['。', '\n', '【']).unwrap_or(from)
        }
        None => from,
    };
    let before = slice(text, start, name.start);
    let in_a_name = |at: usize| {
        let at = start + at;
        let next = hits.partition_point(|hit| hit.span.end <= at);
        hits.get(next).is_some_and(|hit| hit.span.start <= at)
    };
    let last_of = |words: &Regex| words.find_iter(before).filter(|found| !in_a_name(found.start())).last();
    // 「骨髄芽球」 of a blood count is a cell's name.
    let other = last_of(&OTHER_FLUID).filter(|other| other.as_str() != "骨髄")?;
    if last_of(&BLOOD).is_some_and(|blood| blood.start() > other.start()) {
        return None;
    }
    let word = if other.as_str().contains("沈渣") {
        "尿"
    } else {
        other.as_str()
    };
    Some(
        FLUIDS
            .iter()
            .find(|fluid| word.contains(**fluid))
            .copied()
            .unwrap_or("穿刺液"),
    )
}

/// A number as printed, with all that belongs to it.
#[derive(Debug, Clone)]
struct Printed {
    number: f64,
    /// Less than, greater than: -1, 1; 0 for the number itself.
    bound: i8,
    /// The bound stands behind the number (`10<`), where usage differs.
    trailing_sign: bool,
    unit: String,
    /// Letters follow that are no known unit: the number cannot be judged.
    strange_unit: bool,
    start: usize,
    end: usize,
}

/// What was read for one name.
struct Reading {
    span: Span<Norm>,
    value: Value,
    /// A result word without a number: names of a list share it.
    word_only: bool,
    negated: bool,
    /// Where reading stopped.
    end: usize,
}

struct Reader<'t, F> {
    text: &'t str,
    within: Span<Norm>,
    hits: &'t [TestHit],
    facts: &'t F,
    sex: Option<Sex>,
    age_years: Option<f64>,
    differentials: &'t [Span<Norm>],
    digit_one_is_i: bool,
}

impl<F: TestFacts> Reader<'_, F> {
    fn read_all(&self) -> Vec<Measurement> {
        let mut found: Vec<(Measurement, Option<(usize, bool)>)> = Vec::new();
        // Names that wait for the result of their list.
        let mut waiting: Vec<usize> = Vec::new();
        for (index, hit) in self.hits.iter().enumerate() {
            let Some(reading) = self.read(index, waiting.len()) else {
                match self.hits.get(index + 1) {
                    // 「C反応性蛋白(CRP)」: the second name stands for both.
                    Some(next) if next.concept == hit.concept && self.is_bracket(hit.span.end, next.span.start) => {}
                    Some(next) if self.is_list_gap(hit.span.end, next.span.start) => {
                        waiting.push(index);
                    }
                    _ => waiting.clear(),
                }
                continue;
            };
            let mut reading = reading;
            let is_sign = !reading.span.slice(self.text).contains(is_kana_or_kanji);
            if reading.word_only
                && is_sign
                && !self.facts.main_unit(hit.concept).is_empty()
                && self.other_fluid(*hit).is_some()
            {
                // 「尿所見:白血球3+」 says nothing of the blood.
                reading.value.direction = None;
            }
            if reading.word_only {
                let end_and_negation = Some((reading.end, reading.negated));
                for &earlier in waiting.iter().chain([&index]) {
                    let hit = &self.hits[earlier];
                    found.push((
                        Measurement {
                            test: hit.concept,
                            test_span: hit.span,
                            value_span: reading.span,
                            value: reading.value.clone(),
                        },
                        end_and_negation,
                    ));
                }
            } else if let Some(values) = self.shared_numbers(&waiting, index, &reading) {
                found.extend(values.into_iter().map(|measurement| (measurement, None)));
            } else {
                found.push((
                    Measurement {
                        test: hit.concept,
                        test_span: hit.span,
                        value_span: reading.span,
                        value: reading.value,
                    },
                    None,
                ));
            }
            waiting.clear();
        }
        self.spread_negation(&mut found);
        found.into_iter().map(|(measurement, _)| measurement).collect()
    }

    /// 「CRPの上昇や白血球の増加を認めない」: the negation holds for the first as well.
    fn spread_negation(&self, found: &mut [(Measurement, Option<(usize, bool)>)]) {
        for index in (1..found.len()).rev() {
            let (Some((_, true)), Some((end, false))) = (found[index].1, found[index - 1].1) else {
                continue;
            };
            let gap = slice(self.text, end, found[index].0.test_span.start).trim();
            if matches!(
                gap,
                "や" | "および" | "及び" | "または" | "あるいは" | "・" | "も" | "と"
            ) {
                let (measurement, state) = &mut found[index - 1];
                measurement.value.direction = measurement.value.direction.map(negate);
                *state = Some((end, true));
            }
        }
    }

    fn is_bracket(&self, start: usize, end: usize) -> bool {
        matches!(slice(self.text, start, end).trim(), "(" | "[" | "〈" | "《")
    }

    /// True for what stands between two names of a list; a short name that the dictionary lacks
    /// may stand there too.
    fn is_list_gap(&self, start: usize, end: usize) -> bool {
        const LONGEST_UNKNOWN_CHARS: usize = 8;
        let gap = slice(self.text, start, end);
        if gap.is_empty() {
            return false;
        }
        let mut rest = gap;
        let mut unknown = 0;
        let mut marks = 0;
        while let Some(first) = rest.chars().next() {
            if first.is_whitespace() {
                rest = &rest[first.len_utf8()..];
                marks += 1;
                continue;
            }
            if let Some(mark) = longest(rest, &LIST_MARKS) {
                rest = &rest[mark.len()..];
                marks += 1;
                continue;
            }
            let is_hiragana = ('\u{3041}'..='\u{309f}').contains(&first);
            let hyphen = first == '-' && unknown > 0;
            if is_hiragana || first.is_ascii_digit() || !hyphen && "。:;=([→<>+-".contains(first) {
                return false;
            }
            unknown += 1;
            rest = &rest[first.len_utf8()..];
        }
        let has_word = WORDS.iter().any(|(word, _)| gap.contains(word));
        marks > 0 && !has_word && (unknown == 0 || (unknown <= LONGEST_UNKNOWN_CHARS && marks >= 2))
    }

    /// Where the words that may belong to a name end: at the next name or the end of the sentence.
    fn limit(&self, index: usize) -> usize {
        let start = self.hits[index].span.end;
        let end = self.hits.get(index + 1).map_or(self.within.end, |next| next.span.start);
        let end = floor_boundary(self.text, end.max(start));
        start + slice(self.text, start, end).find('。').unwrap_or(end - start)
    }

    fn read(&self, index: usize, waiting: usize) -> Option<Reading> {
        let hit = self.hits[index];
        let limit = self.limit(index);
        let mut at = self.skip_charge(hit, limit);
        let mut newlines = 0;
        let mut unit_before = None;
        loop {
            let rest = slice(self.text, at, limit);
            let next = rest.chars().next()?;
            if let Some(reading) = self.read_value(index, at, limit, unit_before.as_deref(), waiting) {
                return Some(reading);
            }
            if next == '\n' {
                newlines += 1;
                if newlines > 1 {
                    return None;
                }
            }
            if next.is_whitespace() || matches!(next, ')' | ']' | '〉' | '》') {
                at += next.len_utf8();
            } else if let Some(pattern) = PATTERN.find(rest) {
                at += pattern.end();
            } else if let Some(day) = DAY_OF_COURSE.find(rest) {
                at += day.end();
            } else if let Some(connector) = longest(rest, &CONNECTORS) {
                at += connector.len();
            } else if let Some(letters) = MORE_LETTERS.captures(rest).and_then(|all| all.get(1)) {
                at += letters.end();
            } else if let Some(brackets) = RANGE_BRACKETS.captures(rest) {
                // A remark before the value: 「血糖(空腹時)98」, or its unit: 「血糖(mg/dL)98」.
                let inner = brackets.get(1).map_or("", |inner| inner.as_str());
                unit_before = UNIT
                    .captures(inner)
                    .and_then(|unit| unit.get(1))
                    .filter(|unit| unit.end() == inner.len())
                    .map(|unit| clean_unit(unit.as_str()));
                at += brackets.get(0).map_or(1, |all| all.end().max(1));
            } else if let (true, Some(unknown)) = (waiting > 0, UNKNOWN_NAME.captures(rest).and_then(|all| all.get(1)))
            {
                // The last name of a list, which the dictionary lacks: 「TC,TG,P-Lなどが高値」.
                at += unknown.end();
            } else {
                return None;
            }
        }
    }

    /// 「K+ 3.2」, 「Cl- 100」, 「K+(mEq/L)」: the sign is the ion's, not a result.
    fn skip_charge(&self, hit: TestHit, limit: usize) -> usize {
        static CHARGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(2?[+-]|\+\+)(?:$|[^>])"));
        let rest = slice(self.text, hit.span.end, limit);
        let is_ion = matches!(self.facts.label(hit.concept), "Na" | "K" | "Cl" | "Ca" | "Mg" | "HCO3-");
        match CHARGE.captures(rest).and_then(|charge| charge.get(1)) {
            Some(charge) if is_ion => hit.span.end + charge.end(),
            _ => hit.span.end,
        }
    }

    /// Reads a value that starts exactly at `at`.
    fn read_value(
        &self,
        index: usize,
        at: usize,
        limit: usize,
        unit_before: Option<&str>,
        waiting: usize,
    ) -> Option<Reading> {
        let rest = slice(self.text, at, limit);
        if let Some(sign) = SCANNED_SIGN.captures(rest) {
            let direction = if sign.get(1).is_some() { Positive } else { Negative };
            let end = at + sign.get(0).map_or(0, |all| all.end());
            return Some(self.signed(at, end, direction));
        }
        if let Some(inner) = rest.strip_prefix(['(', '[']) {
            let inner_at = at + 1;
            let inner_at = inner_at + (inner.len() - inner.trim_start_matches(' ').len());
            if RANGE_WORD.is_match(inner.split([')', ']']).next().unwrap_or("")) {
                // 「(基準0.3以下)」 before any number is a remark.
                return None;
            }
            let mut reading = self.read_core(index, inner_at, limit, unit_before, waiting)?;
            let tail = slice(self.text, reading.end, limit);
            let close = tail.find([')', ']']).filter(|&close| close <= 60)?;
            reading.end += close + 1;
            if reading.word_only && reading.value.number.is_none() && close == 0 {
                reading.span = Span::new(at, reading.end);
            }
            return Some(reading);
        }
        self.read_core(index, at, limit, unit_before, waiting)
    }

    fn signed(&self, start: usize, end: usize, direction: Direction) -> Reading {
        Reading {
            span: Span::new(start, end),
            value: Value {
                direction: Some(direction),
                ..Value::default()
            },
            word_only: true,
            negated: false,
            end,
        }
    }

    fn read_core(
        &self,
        index: usize,
        at: usize,
        limit: usize,
        unit_before: Option<&str>,
        waiting: usize,
    ) -> Option<Reading> {
        self.read_coma(index, at, limit)
            .or_else(|| self.read_sign(at, limit))
            .or_else(|| self.read_number(index, at, limit, unit_before, waiting))
            .or_else(|| self.read_word(index, at, limit))
    }

    /// 「JCS II-20」 is 20, 「GCS E3V4M5」 is 12.
    fn read_coma(&self, index: usize, at: usize, limit: usize) -> Option<Reading> {
        let test = self.hits[index].concept;
        let label = self.facts.label(test);
        let rest = slice(self.text, at, limit);
        let (number, length) = if label.contains("JCS") {
            let grade = COMA_GRADE.captures(rest)?.get(1)?;
            (parse_digits(grade.as_str())?, grade.end())
        } else if label.contains("GCS") {
            let sum = COMA_SUM.captures(rest)?;
            let part = |group| sum.get(group).and_then(|part| parse_digits(part.as_str()));
            // T, intubated, counts as 1.
            (part(1)? + part(2).unwrap_or(1.0) + part(3)?, sum.get(0)?.end())
        } else {
            return None;
        };
        let printed = Printed {
            number,
            bound: 0,
            trailing_sign: false,
            unit: String::new(),
            strange_unit: false,
            start: at,
            end: at + length,
        };
        let mut value = Value {
            number: Some(number),
            ..Value::default()
        };
        value.direction = self.judge(test, self.hits[index].span, &printed, &value, None);
        let span = Span::new(at, at + length);
        Some(Reading {
            span,
            value,
            word_only: false,
            negated: false,
            end: span.end,
        })
    }

    /// (+), 3+, ±, -.
    fn read_sign(&self, at: usize, limit: usize) -> Option<Reading> {
        let rest = slice(self.text, at, limit);
        let sign = SIGN.captures(rest)?;
        let end = sign.get(0)?.end();
        // A bare sign must stand alone: not 「-5.2」, 「+2点」, 「-ANCA」.
        // Looked for beyond the limit: the next name may go on from the sign.
        let follower = slice(self.text, at + end, self.within.end).chars().next();
        let is_bracketed = follower.is_some_and(|next| matches!(next, ')' | ']'));
        if !is_bracketed
            && follower.is_some_and(|next| next.is_alphanumeric() && !is_kana_or_kanji(next))
            && (rest[..end].ends_with(['-', '−']) || rest[end..].starts_with(|c: char| c.is_ascii_digit()))
        {
            return None;
        }
        let is_minus = sign.get(3).is_some();
        if is_minus && follower.is_some_and(|next| next == '>' || is_kana_or_kanji(next)) {
            return None;
        }
        let direction = if is_minus {
            Negative
        } else if sign.get(2).is_some() {
            Equivocal
        } else {
            Positive
        };
        Some(self.signed(at, at + end, direction))
    }

    /// Digits with comparator, scale, unit; no judgement. `allow_sign` for tests that go below 0.
    fn printed(&self, at: usize, limit: usize, test: ConceptId) -> Option<Printed> {
        let rest = slice(self.text, at, limit);
        let found = NUMBER.captures(rest)?;
        let digits = found.get(4)?;
        let mut end = digits.end();
        let mut digits = digits.as_str();
        if rest[end..].starts_with(|next: char| next.is_ascii_digit()) {
            // 「14,2001」 is no thousands mark.
            let plain = digits.split(',').next()?;
            end -= digits.len() - plain.len();
            digits = plain;
        }
        let range = self.facts.range(test, self.sex, self.age_years);
        let mut number = parse_digits(digits)?;
        if found.get(3).is_some() {
            if range.is_none_or(|(low, _)| low.is_none_or(|low| low >= 0.0)) {
                return None;
            }
            number = -number;
        }
        let mut bound = match found.get(1).map(|sign| sign.as_str()) {
            Some("<" | "<=" | "≦" | "≤") => -1,
            Some(_) => 1,
            None => 0,
        };
        let mut unit = String::new();
        let mut strange_unit = false;
        if found.get(2).is_some() {
            unit = "倍".to_owned();
        }
        if let Some(scale) = MYRIAD.captures(&rest[end..]) {
            let factor = match scale.get(1).map(|mark| mark.as_str()) {
                Some("千") => 1e3,
                Some("億") => 1e8,
                _ => 1e4,
            };
            let tail = scale.get(2).and_then(|tail| parse_digits(tail.as_str())).unwrap_or(0.0);
            number = tidy(number * factor) + tail;
            end += scale.get(0)?.end();
        } else if let Some(power) = POWER.captures(&rest[end..]) {
            let exponent = power.get(1).or(power.get(2))?;
            number = tidy(number * 10f64.powi(exponent.as_str().parse().ok()?));
            end += exponent.end();
            end += ["乗", " 乗"]
                .iter()
                .find(|&mark| rest[end..].starts_with(mark))
                .map_or(0, |m| m.len());
        }
        // The unit, directly or after a blank, or in brackets.
        let after = &rest[end..];
        let blanks = after.len() - after.trim_start_matches([' ', '\u{3000}']).len();
        let opened = after[blanks..].starts_with('(');
        let unit_at = end + blanks + usize::from(opened);
        let label = self.facts.label(test);
        let main = self.facts.main_unit(test);
        if label == "体温" {
            let (more, length) = degrees(&rest[end..]);
            number += more;
            end += length;
            unit = "°C".to_owned();
        } else if unit.is_empty()
            && rest[end..].starts_with(['x', '×'])
            && !rest[end..]
                .chars()
                .nth(1)
                .is_some_and(|next| next.is_alphanumeric() || next == ' ')
            && (main == "倍" || label.ends_with("抗体"))
        {
            unit = "倍".to_owned();
            end += rest[end..].chars().next().map_or(0, char::len_utf8);
        } else if let Some(printed) = UNIT
            .captures(&rest[unit_at..])
            .and_then(|unit| unit.get(1))
            .filter(|unit| is_whole_unit(unit.as_str(), &rest[unit_at + unit.end()..], main))
        {
            let unit_end = unit_at + printed.end();
            let closed = rest[unit_end..].starts_with(')');
            let follows = &rest[unit_end..];
            let is_other = longest(&rest[unit_at..], &NOT_A_VALUE).is_some() && !printed.as_str().contains('/');
            if (!opened || closed) && !is_other && !is_time_or_order(printed.as_str(), follows) {
                let spelled = clean_unit(printed.as_str());
                // 「11000mm3」 for /mm3.
                let is_volume = matches!(spelled.as_str(), "mm3") && main.starts_with('/');
                unit = if is_volume { format!("/{spelled}") } else { spelled };
                end = unit_end + usize::from(opened);
            }
        }
        if unit.is_empty() {
            let after = rest[end..].trim_start_matches(' ');
            if longest(after, &NOT_A_VALUE).is_some() {
                return None;
            }
            let is_letter = |next: char| next.is_ascii_alphabetic() || next == 'μ';
            strange_unit = rest[end..].starts_with(is_letter) && FLAG.find(&rest[end..]).is_none();
        }
        let mut trailing_sign = false;
        if let Some(after) = AFTER_NUMBER.captures(&rest[end..]).and_then(|after| after.get(1)) {
            match after.as_str() {
                "以上" | "超" => bound = 1,
                "以下" | "未満" => bound = -1,
                "台" | "前後" | "程度" => {}
                sign => {
                    trailing_sign = true;
                    bound = if sign.starts_with('<') { -1 } else { 1 };
                }
            }
            end += after.start() + if trailing_sign { 1 } else { after.len() };
            // 「100以上/HPF」
            if unit.is_empty()
                && let Some(printed) = UNIT.captures(&rest[end..]).and_then(|unit| unit.get(1))
                && printed.as_str().starts_with(['/', '個'])
            {
                unit = clean_unit(printed.as_str());
                end += printed.end();
            }
        }
        if self.digit_one_is_i
            && matches!(unit.as_str(), "U/L" | "U/l")
            && rest[..end].contains("1U/")
            && digits.len() > 1
        {
            number = parse_digits(&digits[..digits.len() - 1])?;
            unit = format!("I{unit}");
        }
        Some(Printed {
            number,
            bound,
            trailing_sign,
            unit,
            strange_unit,
            start: at,
            end: at + end,
        })
    }

    fn read_number(
        &self,
        index: usize,
        at: usize,
        limit: usize,
        unit_before: Option<&str>,
        waiting: usize,
    ) -> Option<Reading> {
        let hit = self.hits[index];
        let test = hit.concept;
        let name = hit.span.slice(self.text);
        let label = self.facts.label(test);
        let main = self.facts.main_unit(test);
        let mut last = self.printed(at, limit, test)?;
        let mut second = None;
        let is_pressure = label.contains("血圧") || main == "mmHg" && last.unit.is_empty();
        let mut end = last.end;
        if let Some(pair) = slice(self.text, end, limit).strip_prefix('/')
            && last.unit.is_empty()
            && waiting == 0
            && pair.starts_with(|next: char| next.is_ascii_digit())
            && (is_pressure || main.starts_with("mm"))
            && let Some(lower) = self.printed(end + 1, limit, test)
        {
            second = Some(lower.number);
            last.unit = lower.unit;
            end = lower.end;
        }
        let is_pressure_pair = second.is_some() && label.contains("血圧");
        let mut is_trend = false;
        if second.is_none() {
            let first = last.number;
            while let Some(mark) = TREND.captures(slice(self.text, end, limit)) {
                let (Some(all), Some(kind)) = (mark.get(0), mark.get(1)) else {
                    break;
                };
                let Some(next) = self.printed(end + all.end(), limit, test) else {
                    break;
                };
                let interval = matches!(kind.as_str(), "~" | "-");
                if interval && (next.number <= last.number || is_trend) {
                    break;
                }
                if !last.unit.is_empty() && next.unit.is_empty() && !interval && kind.as_str() != "→" {
                    // 「12mg/dLから3…」 without a unit may count something else.
                    let tail = slice(self.text, next.end, limit);
                    if !tail.starts_with(['に', 'へ', 'ま', 'と', '、', ',', ')']) {
                        break;
                    }
                }
                is_trend |= !interval;
                let unit = if next.unit.is_empty() {
                    last.unit.clone()
                } else {
                    next.unit.clone()
                };
                end = next.end;
                last = Printed {
                    unit,
                    start: at,
                    ..next
                };
                second = Some(first);
            }
        }
        if last.unit.is_empty()
            && !last.strange_unit
            && let Some(unit) = unit_before
        {
            last.unit = unit.to_owned();
        }
        let in_differential = self.differentials.iter().any(|span| span.contains(&hit.span));
        if last.unit.is_empty() && in_differential {
            last.unit = "%".to_owned();
        }
        if self.is_something_else(name, test, &last, end, limit) {
            return None;
        }
        let range = self.printed_range(end, limit);
        let mut tail_at = end;
        let mut value = Value {
            number: Some(last.number),
            second,
            unit: last.unit.clone(),
            ..Value::default()
        };
        let mut control = None;
        if let Some((length, low, high, single)) = range {
            value.range_low = low;
            value.range_high = high;
            control = single;
            tail_at += length;
        }
        let mut judged = self.judge(test, hit.span, &last, &value, control);
        if is_pressure_pair
            && judged == Some(Direction::Normal)
            && self.is_above_range(self.facts.diastolic(), value.second)
        {
            judged = Some(Direction::High);
        }
        let rest = slice(self.text, tail_at, limit);
        let (direction, tail_end) = self.attached(index, rest, tail_at, limit, judged, is_trend);
        value.direction = direction;
        Some(Reading {
            span: Span::new(last.start, end),
            value,
            word_only: false,
            negated: false,
            end: tail_end.max(tail_at),
        })
    }

    /// True for a number in the test's main unit above its reference range.
    fn is_above_range(&self, test: Option<ConceptId>, number: Option<f64>) -> bool {
        let high = test
            .and_then(|test| self.facts.range(test, self.sex, self.age_years))
            .and_then(|range| range.1);
        number.zip(high).is_some_and(|(number, high)| number > high)
    }

    /// True for a number that is a p value, a dose, a flow or part of another name.
    fn is_something_else(&self, name: &str, test: ConceptId, printed: &Printed, end: usize, limit: usize) -> bool {
        let main = self.facts.main_unit(test);
        let digits = slice(self.text, printed.start, end);
        // 「CK7(+)」, 「CD20陽性」: markers of immunostaining, whose number is part of the name.
        static STAIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[0-9]{1,2} ?(?:\([0-9]?[+±-]+\)|陽性|陰性)"));
        if name.ends_with(|last: char| last.is_ascii_alphabetic())
            && slice(self.text, 0, printed.start).ends_with(name)
            && STAIN.is_match(slice(self.text, printed.start, self.within.end))
        {
            return true;
        }
        if name.len() == 1 {
            let is_p_value = name.eq_ignore_ascii_case("p") && printed.number < 0.2;
            let is_bare = printed.unit.is_empty() && !digits.contains('.');
            if is_p_value || is_bare {
                return true;
            }
        }
        if self.facts.factor(test, &printed.unit).is_some()
            || canonical_unit(&printed.unit) == canonical_unit(main)
            || printed.unit.is_empty()
            || main.is_empty()
        {
            let is_amount = matches!(canonical_unit(&printed.unit).as_str(), "g" | "mg" | "mL" | "L");
            return is_amount && DOSE.is_match(slice(self.text, end, limit));
        }
        // Sediment counts belong to urine, whatever the name.
        if printed.unit.ends_with("視野") || printed.unit.to_ascii_lowercase().ends_with("pf") {
            return true;
        }
        let unit = canonical_unit(&printed.unit);
        if unit == "単位" {
            return !main.contains('U') || DOSE.is_match(slice(self.text, end, limit));
        }
        // A day's excretion is a value of urine tests.
        if unit.ends_with("/日") && self.facts.label(test).contains('尿') {
            return false;
        }
        let is_amount = matches!(
            unit.as_str(),
            "mg" | "g"
                | "kg"
                | "μg"
                | "mL"
                | "L"
                | "L/分"
                | "cm"
                | "mm"
                | "m"
                | "mg/日"
                | "g/日"
                | "mg/kg"
                | "mL/kg"
                | "個"
                | "分"
                | "mL/日"
                | "mL/時"
                | "mL/h"
                | "μg/kg/分"
                | "mg/kg/日"
        );
        if !is_amount {
            return false;
        }
        // 「Hb 12.3g」 leaves out /dL; 「アルブミン25g」 is a dose.
        let is_shortened = main.starts_with(&format!("{unit}/"));
        let high = self
            .facts
            .range(test, self.sex, self.age_years)
            .and_then(|range| range.1);
        !is_shortened
            || DOSE.is_match(slice(self.text, end, limit))
            || high.is_some_and(|high| printed.number > 4.0 * high) && !unit.starts_with("mm")
    }

    /// The reference range in brackets at `at`: its length, bounds, and a single control value.
    #[allow(clippy::type_complexity)]
    fn printed_range(&self, at: usize, limit: usize) -> Option<(usize, Option<f64>, Option<f64>, Option<f64>)> {
        let rest = slice(self.text, at, limit);
        let brackets = RANGE_BRACKETS.captures(rest)?;
        let length = brackets.get(0)?.end();
        let mut inner = brackets.get(1)?.as_str();
        if !RANGE_WORD.is_match(inner) && !BARE_RANGE.is_match(inner) {
            return None;
        }
        // 「基準 男性:13~17、女性:12~15」
        let own = match self.sex {
            Some(Sex::Male) => inner.find('男'),
            Some(Sex::Female) => inner.find('女'),
            None => None,
        };
        if let Some(own) = own {
            inner = &inner[own..];
        }
        if let Some(both) = RANGE_BOTH.captures(inner) {
            let scale_low = if both.get(2).is_some() || both.get(4).is_some() {
                1e4
            } else {
                1.0
            };
            let scale_high = if both.get(4).is_some() { 1e4 } else { 1.0 };
            let low = parse_digits(both.get(1)?.as_str())? * scale_low;
            let high = parse_digits(both.get(3)?.as_str())? * scale_high;
            return Some((length, Some(low), Some(high), None));
        }
        let one = RANGE_ONE.captures(inner)?;
        let scale = if one.get(3).is_some() { 1e4 } else { 1.0 };
        let number = parse_digits(one.get(2)?.as_str())? * scale;
        let before = one.get(1).map(|sign| sign.as_str());
        let after = one.get(4).map(|sign| sign.as_str());
        Some(match (before, after) {
            (Some("<" | "<=" | "≦" | "≤" | "~"), _) | (_, Some("以下" | "未満" | ">")) => {
                (length, None, Some(number), None)
            }
            (Some(_), _) | (_, Some(_)) => (length, Some(number), None, None),
            _ if RANGE_CONTROL.is_match(inner) => (length, None, None, Some(number)),
            _ => (length, None, Some(number), None),
        })
    }

    /// Direction by printed range, control or reference range.
    fn judge(
        &self,
        test: ConceptId,
        name: Span<Norm>,
        printed: &Printed,
        value: &Value,
        control: Option<f64>,
    ) -> Option<Direction> {
        if let Some(control) = control {
            // Clotting tests are called abnormal a fifth beyond the day's control.
            let range = (Some(control * 0.8), Some(control * 1.2));
            return compare(printed, printed.number, range);
        }
        let direction = if value.range_low.is_some() || value.range_high.is_some() {
            compare(printed, printed.number, (value.range_low, value.range_high))
        } else {
            let hit = TestHit {
                span: name,
                concept: test,
            };
            if printed.strange_unit || self.other_fluid(hit).is_some() {
                return None;
            }
            let main = self.facts.main_unit(test);
            let unit = canonical_unit(&printed.unit);
            if !unit.is_empty()
                && unit != canonical_unit(main)
                && let Some(range) = [&printed.unit, &unit]
                    .into_iter()
                    .find_map(|unit| self.facts.range_in(test, unit, self.sex, self.age_years))
            {
                return self.in_words(test, printed, compare(printed, printed.number, range)?);
            }
            if matches!(main, "cm" | "kg") {
                // Height, weight, girth: a person's size is no finding.
                return None;
            }
            let range = self
                .facts
                .range(test, self.sex, self.age_years)
                .filter(|range| range.0.is_some() || range.1.is_some());
            let range = match range {
                Some(range) => range,
                // A titre without a known limit is printed because it is positive.
                None if printed.unit == "倍" && printed.bound >= 0 => return Some(Positive),
                None => return None,
            };
            let plausible = |number: f64| {
                range.0.is_none_or(|low| number >= low * 0.1) && range.1.is_none_or(|high| number <= high * 50.0)
            };
            let number = match self.factor(test, &printed.unit) {
                _ if printed.unit.is_empty() => printed.number * count_scale(printed.number, main, range),
                Some(factor) if plausible(printed.number * factor) || !plausible(printed.number) => {
                    printed.number * factor
                }
                // 「Hb 3.7mg/dL」: a slip of the unit, where the main unit makes sense.
                Some(_) => printed.number,
                None => return None,
            };
            compare(printed, number, range)
        }?;
        self.in_words(test, printed, direction)
    }

    /// High and normal of antibodies, antigens and titres are called positive and negative.
    fn in_words(&self, test: ConceptId, printed: &Printed, direction: Direction) -> Option<Direction> {
        let label = self.facts.label(test);
        let is_serology = printed.unit == "倍" || label.ends_with("抗体") || label.ends_with("抗原");
        Some(match direction {
            High if is_serology => Positive,
            Normal | Low if is_serology => Negative,
            other => other,
        })
    }

    /// The factor of a printed unit, trying the spellings that mean the same.
    fn factor(&self, test: ConceptId, unit: &str) -> Option<f64> {
        let main = self.facts.main_unit(test);
        let canonical = canonical_unit(unit);
        let main_canonical = canonical_unit(main);
        self.facts
            .factor(test, unit)
            .or_else(|| (canonical == main_canonical).then_some(1.0))
            .or_else(|| self.facts.factor(test, &canonical))
            // 「Hb 12.3g」, 「赤沈 80mm」
            .or_else(|| main_canonical.starts_with(&format!("{canonical}/")).then_some(1.0))
    }

    fn other_fluid(&self, hit: TestHit) -> Option<&'static str> {
        other_fluid(self.text, self.within, self.hits, hit, self.facts)
    }

    /// Flag or word that follows a number, joined with what its range says; and where it ends.
    fn attached(
        &self,
        index: usize,
        rest: &str,
        at: usize,
        limit: usize,
        judged: Option<Direction>,
        is_trend: bool,
    ) -> (Option<Direction>, usize) {
        if let Some(sign) = SCANNED_SIGN.captures(rest) {
            let direction = if sign.get(1).is_some() { Positive } else { Negative };
            return (Some(direction), at + sign.get(0).map_or(0, |all| all.end()));
        }
        if let Some(flag) = FLAG.captures(rest) {
            let direction = if flag.get(1).is_some() { High } else { Low };
            let end = flag.get(1).or(flag.get(2)).map_or(0, |flag| flag.end());
            return (Some(direction), at + end);
        }
        let bracket = rest.trim_start_matches(' ');
        if let Some(inner) = bracket.strip_prefix('(')
            && let Some(close) = inner.find(')')
            && let Some(sign) = self.read_sign(at + rest.len() - inner.len(), limit)
            && sign.end == at + rest.len() - inner.len() + close
        {
            return (sign.value.direction, sign.end + 1);
        }
        let before = BEFORE_JUDGEMENT.captures(rest);
        let goes_to = before.as_ref().is_some_and(|before| before.get(1).is_some());
        let mut word_at = at + before.and_then(|all| all.get(0)).map_or(0, |all| all.end());
        // 「12.3mg/dLと著明に上昇」; at most three adverbs, and no bare particle among them.
        for _ in 0..3 {
            match longest(slice(self.text, word_at, limit), &CONNECTORS) {
                Some(adverb) if adverb.chars().count() > 1 => word_at += adverb.len(),
                _ => break,
            }
        }
        let Some((word, word_end)) = self.word(word_at, limit) else {
            return (judged, at);
        };
        let said = match word {
            State(direction) => Some(direction),
            Change(direction) => Some(direction),
            Undetectable => Some(self.undetectable(index)),
            Nothing => None,
        };
        let negated = NEGATION.is_match(slice(self.text, word_end, self.within.end));
        let direction = match (word, judged) {
            (_, _) if negated => judged,
            (Nothing, _) => judged,
            (State(Normal), Some(known)) if goes_to => Some(known),
            (State(_) | Undetectable, _) => said,
            // A change to a number: the number's own range knows better where it ended.
            (Change(_), Some(known)) if is_trend || goes_to => Some(known),
            (Change(High), Some(Low)) | (Change(Low), Some(High)) => judged,
            (Change(_), Some(Positive | Negative)) => judged,
            (Change(_), _) => said,
        };
        (direction, word_end)
    }

    fn undetectable(&self, index: usize) -> Direction {
        let range = self.facts.range(self.hits[index].concept, self.sex, self.age_years);
        match range {
            Some((Some(low), _)) if low > 0.0 => Low,
            _ => Negative,
        }
    }

    /// The result word at `at` and its end.
    fn word(&self, at: usize, limit: usize) -> Option<(Word, usize)> {
        let rest = slice(self.text, at, limit);
        if let Some(above) = ABOVE_THE_LIMIT.find(rest) {
            return Some((State(High), at + above.end()));
        }
        if let Some(none) = NO_ABNORMALITY.find(rest) {
            return Some((State(Normal), at + none.end()));
        }
        let (text, word) = WORDS
            .iter()
            .filter(|(text, _)| rest.starts_with(text))
            .max_by_key(|(text, _)| text.len())?;
        // Beyond the limit too: the next name may be part of this term (「CD4陽性リンパ球」).
        let after = slice(self.text, at + text.len(), self.within.end);
        let is_other = longest(after, &NOT_A_RESULT).is_some();
        (!is_other).then_some((*word, at + text.len()))
    }

    /// A result word right after the name and its connectors.
    fn read_word(&self, index: usize, at: usize, limit: usize) -> Option<Reading> {
        let (word, end) = self.word(at, limit)?;
        let direction = match word {
            State(direction) | Change(direction) => direction,
            Undetectable => self.undetectable(index),
            Nothing => return None,
        };
        let rest = slice(self.text, end, self.within.end);
        let negated = NEGATION
            .find(rest)
            // 「低下ないし消失」: ないし is "or".
            .is_some_and(|found| !(found.as_str().ends_with("ない") && rest[found.end()..].starts_with('し')));
        if negated && direction == Normal {
            return None;
        }
        let mut value = Value {
            direction: Some(if negated { negate(direction) } else { direction }),
            ..Value::default()
        };
        let mut span = Span::new(at, end);
        let mut read_to = end;
        let mut word_only = true;
        // 「γ-GTP高値(79IU/L)」
        if let Some(inner) = slice(self.text, end, limit).strip_prefix(['(', '['])
            && !RANGE_WORD.is_match(inner.split([')', ']']).next().unwrap_or(""))
            && let Some(reading) = self.read_number(index, end + 1, limit, None, 0)
            && let Some(close) = slice(self.text, reading.end, limit).find([')', ']'])
        {
            let word_direction = value.direction;
            value = reading.value;
            value.direction = match (word, value.direction) {
                (Change(High), Some(Low)) | (Change(Low), Some(High)) => value.direction,
                _ => word_direction,
            };
            span = reading.span;
            read_to = reading.end + close + 1;
            word_only = false;
        }
        Some(Reading {
            span,
            value,
            word_only,
            negated,
            end: read_to,
        })
    }

    /// 「AST/ALT 45/60 U/L」: as many numbers as names.
    fn shared_numbers(&self, waiting: &[usize], index: usize, reading: &Reading) -> Option<Vec<Measurement>> {
        if waiting.is_empty() {
            return None;
        }
        let limit = self.limit(index);
        let names: Vec<&TestHit> = waiting.iter().chain([&index]).map(|&index| &self.hits[index]).collect();
        let mut numbers: Vec<Printed> = Vec::new();
        let mut at = reading.span.start;
        for (order, name) in names.iter().enumerate() {
            if order > 0 {
                let rest = slice(self.text, at, limit);
                let trimmed = rest.trim_start_matches([' ', '/', '・', ',', '、', 'と']);
                if trimmed.len() == rest.len() {
                    return None;
                }
                at += rest.len() - trimmed.len();
            }
            let number = self.printed(at, limit, name.concept)?;
            at = number.end;
            numbers.push(number);
        }
        let unit = numbers.last().map(|number| number.unit.clone())?;
        let measure = |(name, mut number): (&&TestHit, Printed)| {
            if number.unit.is_empty() {
                number.unit.clone_from(&unit);
            }
            let mut value = Value {
                number: Some(number.number),
                unit: number.unit.clone(),
                ..Value::default()
            };
            value.direction = self.judge(name.concept, name.span, &number, &value, None);
            Measurement {
                test: name.concept,
                test_span: name.span,
                value_span: Span::new(number.start, number.end),
                value,
            }
        };
        Some(names.iter().zip(numbers).map(measure).collect())
    }

    /// True for a report scanned with `IU/L` as `1U/L`: all its U/L values, two or more, end with
    /// the digit 1, and none is implausibly small without it.
    fn letter_i_is_printed_as_one(&self) -> bool {
        let mut count = 0;
        for found in UNITS_PER_LITRE.captures_iter(self.text) {
            let (Some(digits), Some(unit)) = (found.get(1), found.get(2)) else {
                continue;
            };
            if unit.as_str() != "U" {
                return false;
            }
            let Some(shorter) = digits.as_str().strip_suffix('1').and_then(parse_digits) else {
                return false;
            };
            let name = self.hits.partition_point(|hit| hit.span.end <= digits.start());
            let low = name
                .checked_sub(1)
                .and_then(|name| self.hits.get(name))
                .filter(|hit| slice(self.text, hit.span.end, digits.start()).trim().is_empty())
                .and_then(|hit| self.facts.range(hit.concept, self.sex, self.age_years))
                .and_then(|range| range.0);
            if low.is_some_and(|low| shorter < low / 2.0) {
                return false;
            }
            count += 1;
        }
        count >= 2
    }
}

fn is_kana_or_kanji(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '々')
}

fn negate(direction: Direction) -> Direction {
    match direction {
        Positive | Equivocal => Negative,
        Negative => Positive,
        High | Low | Normal => Normal,
    }
}

/// False for `/1` of 「60/100」, and for `L` where it flags a low value.
fn is_whole_unit(unit: &str, follows: &str, main: &str) -> bool {
    let cut = unit.ends_with('1') && follows.starts_with(|next: char| next.is_ascii_digit());
    let is_flag = unit == "L" && main != "L";
    !cut && !is_flag
}

/// 「分」 and 「日」 after a number are units only where no word of time goes on.
fn is_time_or_order(unit: &str, follows: &str) -> bool {
    matches!(unit, "分" | "秒" | "m" | "s" | "コ")
        && follows.starts_with(['間', '後', '前', '以', '目', '時', 'ー', '毎', 'ご'])
}

/// 「38度5分」, 「39°C」, 「39度」, 「39C」 after the digits: tenths to add, and the length.
fn degrees(after: &str) -> (f64, usize) {
    static DEGREES: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?(?:度([0-9])分|°C|℃|度|C(?:$|[^A-Za-z]))"));
    let Some(found) = DEGREES.captures(after) else {
        return (0.0, 0);
    };
    let tenths = found
        .get(1)
        .and_then(|tenths| parse_digits(tenths.as_str()))
        .unwrap_or(0.0);
    let whole = found.get(0).map_or("", |all| all.as_str());
    let length = match whole.find('C') {
        Some(at) => at + 1,
        None => whole.len(),
    };
    (tenths / 10.0, length)
}

/// The unit as printed, with scanning faults of l mended and blanks taken out.
fn clean_unit(unit: &str) -> String {
    let mut unit: String = unit.chars().filter(|character| !character.is_whitespace()).collect();
    for (fault, mended) in [("d1", "dl"), ("m1", "ml"), ("μ1", "μl"), ("u1", "ul")] {
        if unit.ends_with(fault) {
            unit.truncate(unit.len() - fault.len());
            unit.push_str(mended);
        }
    }
    if unit.ends_with("/1") {
        unit.truncate(unit.len() - 1);
        unit.push('l');
    }
    // K.A.U.
    if unit.contains('.') && unit.chars().all(|c| c == '.' || c.is_ascii_alphabetic()) {
        unit.retain(|c| c != '.');
    }
    unit
}

/// One spelling for units that mean the same, to compare them.
fn canonical_unit(unit: &str) -> String {
    let lower = unit.replace('µ', "μ").to_lowercase();
    let lower = lower.replace("iu", "u");
    let count = lower
        .trim_start_matches(['個', 'コ'])
        .trim_start_matches("cells")
        .trim_start_matches("cell");
    match count {
        "/mm3" | "/cmm" | "/μl" | "/ul" | "/mm^3" => return "/μL".to_owned(),
        "回/分" | "拍/分" | "/分" | "/min" | "bpm" | "回/min" | "拍/min" | "/1分" => {
            return "/分".to_owned();
        }
        "mm/h" | "mm/hr" | "mm/1h" | "mm/1hr" | "mm/時" | "mm/時間" | "mm/1時間" | "/h" | "/hr" | "/1h" | "/1hr"
        | "mm/1時" | "/時" | "/時間" => return "mm/h".to_owned(),
        "torr" => return "mmHg".to_owned(),
        "sec" | "s" => return "秒".to_owned(),
        _ => {}
    }
    let mut canonical = String::new();
    for (order, part) in lower.split('/').enumerate() {
        if order > 0 {
            canonical.push('/');
        }
        let part = match part {
            "dl" => "dL",
            "ml" => "mL",
            "μl" | "ul" => "μL",
            "l" => "L",
            "fl" => "fL",
            "u" => "U",
            "mu" => "mU",
            "μu" | "uu" => "μU",
            "ku" => "kU",
            "meq" => "mEq",
            "mosm" => "mOsm",
            "mmhg" => "mmHg",
            "ug" => "μg",
            "min" => "分",
            "day" | "d" => "日",
            "hr" | "h" => "時",
            "gcr" | "gcre" | "g・cr" | "g.cr" | "gクレアチニン" | "g・クレアチニン" => "gCr",
            "sec" | "s" => "秒",
            other => other,
        };
        canonical.push_str(part);
    }
    canonical
}

/// What an unprinted 10^3, 万 or 10^6 multiplies a cell count by: the reading nearest to the
/// reference range, tried only where the number itself is a hundred times below it.
fn count_scale(number: f64, main_unit: &str, range: (Option<f64>, Option<f64>)) -> f64 {
    let (Some(low), Some(high)) = range else {
        return 1.0;
    };
    if !main_unit.starts_with('/') || low < 1000.0 || number <= 0.0 || number >= low / 100.0 {
        return 1.0;
    }
    let middle = (low * high).sqrt();
    let distance = |scale: f64| (number * scale / middle).ln().abs();
    [1e3, 1e4, 1e6]
        .into_iter()
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(1.0)
}

/// Where a number, or a bound on it, lies with respect to a range; bounds of the range are normal.
fn compare(printed: &Printed, number: f64, range: (Option<f64>, Option<f64>)) -> Option<Direction> {
    let (low, high) = (range.0.filter(|&low| low != 0.0), range.1);
    let slack = number.abs() * 1e-9;
    let above = high.is_some_and(|high| number > high + slack);
    let below = low.is_some_and(|low| number < low - slack);
    match printed.bound {
        0 => Some(if above {
            High
        } else if below {
            Low
        } else {
            Normal
        }),
        // 「1500<」 says more than, 「10<」 of a titre less than: only the range can tell.
        _ if printed.trailing_sign => Some(if above { High } else { Normal }),
        bound if bound < 0 => {
            if low.is_some_and(|low| number <= low + slack) {
                Some(Low)
            } else {
                (!above).then_some(Normal)
            }
        }
        _ => {
            if high.is_some_and(|high| number >= high - slack) {
                Some(High)
            } else {
                (!below).then_some(Normal)
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------

/// The patient's sex and age in years, from the first statement of the patient: 「68歳、男性」,
/// 「生後2か月の女児」, `78 y.o. woman`. Each is `None` where it is not stated. 「60歳代」 is 65.
/// Never panics.
pub fn sex_and_age(text: &str) -> (Option<Sex>, Option<f64>) {
    static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?i)(?:([0-9]{1,3}) ?(歳代|代|歳|才|y\.? ?/?o\.?|-? ?years?[- ]old)",
            r"(?: ?([0-9]{1,2}) ?(?:か月|ヶ月|カ月|ヵ月))?",
            r"[ \u{3000},、.,・の\n:;()/-]{0,4}(?:[^。0-9\n男女]{0,8})?|",
            r"(?:生後|日齢|月齢)? ?([0-9]{1,3}) ?(か月|ヶ月|カ月|ヵ月|ケ月|週|日)齢?の?[ 、,]?)",
            r"(男|女|乳児|幼児|新生児|初?妊婦|初?産婦|経産婦|褥婦|\b(?:woman|man|female|male|girl|boy))"
        ))
    });
    static SEX_FIRST: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(男|女)(?:性|児|子)?[ \u{3000},、.・:;()]{1,3}([0-9]{1,3}) ?(歳代|代|歳|才|か月|ヶ月|カ月|ヵ月)")
    });
    static AGE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:(生後|日齢|月齢) ?)?([0-9]{1,3}) ?(歳代|歳|才|か月|ヶ月|カ月|ヵ月|日|週)?(時|頃|ごろ|から|より|で|以上|以下|未満|前)?",
        )
    });
    static SEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"(男性|男児|男子)|(女性|女児|女子|妊婦|産婦|褥婦)"));
    let sex_of = |word: &str| {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "男" | "man" | "male" | "boy" => Sex::Male,
            _ => Sex::Female,
        }
    };
    let years = |number: &str, unit: &str| -> Option<f64> {
        let number: f64 = number.parse().ok()?;
        Some(match unit.to_ascii_lowercase().as_str() {
            "歳代" | "代" => number + 5.0,
            "日" => number / 365.25,
            "週" => number / 52.18,
            unit if unit.ends_with('月') || unit.ends_with("月齢") => number / 12.0,
            _ => number,
        })
        .filter(|&age| age < 130.0)
    };
    let statement = STATEMENT.captures(text);
    let other_order = SEX_FIRST.captures(text);
    let start = |found: &Option<regex::Captures>| {
        found
            .as_ref()
            .and_then(|found| found.get(0))
            .map_or(usize::MAX, |all| all.start())
    };
    if start(&other_order) < start(&statement)
        && let Some(found) = other_order
        && let (Some(sex), Some(number), Some(unit)) = (found.get(1), found.get(2), found.get(3))
    {
        return (Some(sex_of(sex.as_str())), years(number.as_str(), unit.as_str()));
    }
    if let Some(found) = statement
        && let (Some(number), Some(unit), Some(sex)) = (
            found.get(1).or(found.get(4)),
            found.get(2).or(found.get(5)),
            found.get(6),
        )
    {
        let months = found
            .get(3)
            .and_then(|months| parse_digits(months.as_str()))
            .unwrap_or(0.0);
        let age = years(number.as_str(), unit.as_str()).map(|age| age + months / 12.0);
        let sex = (!sex.as_str().ends_with('児')).then(|| sex_of(sex.as_str()));
        return (sex, age);
    }
    let sex = SEX
        .captures(text)
        .map(|found| if found.get(1).is_some() { Sex::Male } else { Sex::Female });
    let age = AGE.captures_iter(text).find_map(|found| {
        let (prefix, number, unit) = (found.get(1), found.get(2)?, found.get(3));
        let unit = match (prefix.map(|prefix| prefix.as_str()), unit.map(|unit| unit.as_str())) {
            (Some("日齢"), _) => "日",
            (Some("月齢"), _) => "か月",
            (Some(_), Some(unit)) => unit,
            (None, Some(unit @ ("歳代" | "歳" | "才"))) if found.get(4).is_none() => unit,
            _ => return None,
        };
        years(number.as_str(), unit)
    });
    (sex, age)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// label, main unit, low, high
    const TESTS: &[(&str, &str, Option<f64>, Option<f64>)] = &[
        ("Hb", "g/dL", Some(13.7), Some(16.8)),
        ("白血球", "/μL", Some(3300.0), Some(8600.0)),
        ("血小板", "/μL", Some(158_000.0), Some(348_000.0)),
        ("CRP", "mg/dL", None, Some(0.14)),
        ("AST", "U/L", Some(13.0), Some(30.0)),
        ("ALT", "U/L", Some(10.0), Some(42.0)),
        ("LDH", "U/L", Some(124.0), Some(222.0)),
        ("BNP", "pg/mL", None, Some(18.4)),
        ("Na", "mEq/L", Some(138.0), Some(145.0)),
        ("K", "mEq/L", Some(3.6), Some(4.8)),
        ("P", "mg/dL", Some(2.7), Some(4.6)),
        ("体温", "°C", Some(35.0), Some(37.4)),
        ("血圧", "mmHg", Some(90.0), Some(139.0)),
        ("SpO2", "%", Some(95.0), None),
        ("身長", "cm", Some(150.0), Some(180.0)),
        ("抗核抗体", "倍", None, Some(40.0)),
        ("尿蛋白", "mg/dL", None, Some(15.0)),
        ("APTT", "秒", Some(25.0), Some(40.0)),
        ("好酸球", "%", Some(0.0), Some(6.0)),
        ("リンパ球", "%", Some(18.0), Some(50.0)),
        ("赤沈", "mm/時", Some(1.0), Some(10.0)),
        ("BE", "mEq/L", Some(-2.0), Some(2.0)),
        ("TSH", "μU/mL", Some(0.5), Some(5.0)),
        ("JCS", "", None, Some(0.0)),
        ("GCS", "", Some(15.0), None),
        ("尿沈渣白血球", "/HPF", None, Some(4.0)),
        ("拡張期血圧", "mmHg", Some(50.0), Some(89.0)),
    ];
    const NAMES: &[(&str, &str)] = &[
        ("WBC", "白血球"),
        ("E", "好酸球"),
        ("L", "リンパ球"),
        ("C反応性蛋白", "CRP"),
        ("BT", "体温"),
        ("BP", "血圧"),
        ("Plt", "血小板"),
        ("GOT", "AST"),
        ("GPT", "ALT"),
        ("血沈", "赤沈"),
    ];

    struct Facts;

    fn number_of(label: &str) -> u32 {
        TESTS
            .iter()
            .position(|test| test.0 == label)
            .expect("a test of the table") as u32
    }

    impl TestFacts for Facts {
        fn label(&self, test: ConceptId) -> &str {
            TESTS[test.0 as usize].0
        }
        fn main_unit(&self, test: ConceptId) -> &str {
            TESTS[test.0 as usize].1
        }
        fn factor(&self, test: ConceptId, unit: &str) -> Option<f64> {
            match (self.label(test), unit) {
                ("CRP", "mg/L") => Some(0.1),
                (_, unit) => (unit == self.main_unit(test)).then_some(1.0),
            }
        }
        fn range(
            &self,
            test: ConceptId,
            sex: Option<Sex>,
            _age_years: Option<f64>,
        ) -> Option<(Option<f64>, Option<f64>)> {
            if self.label(test) == "Hb" && sex == Some(Sex::Female) {
                return Some((Some(11.6), Some(14.8)));
            }
            let (_, _, low, high) = TESTS[test.0 as usize];
            Some((low, high))
        }
        fn in_fluid(&self, name: &str, fluid: &str) -> Option<ConceptId> {
            (name == "白血球" && fluid == "尿").then(|| ConceptId(number_of("尿沈渣白血球")))
        }
        fn range_in(
            &self,
            test: ConceptId,
            unit: &str,
            _sex: Option<Sex>,
            _age_years: Option<f64>,
        ) -> Option<(Option<f64>, Option<f64>)> {
            (self.label(test) == "好酸球" && unit == "/μL").then_some((None, Some(500.0)))
        }
        fn diastolic(&self) -> Option<ConceptId> {
            Some(ConceptId(number_of("拡張期血圧")))
        }
    }

    /// Longest names first come, leftmost.
    fn hits(text: &str) -> Vec<TestHit> {
        let names = TESTS.iter().map(|test| (test.0, test.0)).chain(NAMES.iter().copied());
        let names: Vec<_> = names.collect();
        let mut hits = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let found = names
                .iter()
                .filter(|(name, _)| text.get(at..).is_some_and(|rest| rest.starts_with(name)))
                .max_by_key(|(name, _)| name.len());
            match found {
                Some((name, label)) => {
                    let span = Span::new(at, at + name.len());
                    hits.push(TestHit {
                        span,
                        concept: ConceptId(number_of(label)),
                    });
                    at += name.len();
                }
                None => at += 1,
            }
        }
        hits
    }

    fn read_as(text: &str, sex: Option<Sex>) -> Vec<Measurement> {
        measurements(text, Span::new(0, text.len()), &hits(text), &[], &Facts, sex, None)
    }

    /// What was read, a value a string: `label number/second unit direction`.
    fn read(text: &str) -> Vec<String> {
        let line = |found: Measurement| {
            let mut line = Facts.label(found.test).to_owned();
            if let Some(number) = found.value.number {
                line += &format!(" {number}");
            }
            if let Some(second) = found.value.second {
                line += &format!("/{second}");
            }
            if !found.value.unit.is_empty() {
                line += &format!(" {}", found.value.unit);
            }
            line + " " + found.value.direction.map_or("?", Direction::label)
        };
        read_as(text, None).into_iter().map(line).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(read(text), expected, "{text}");
    }

    #[test]
    fn plain_values() {
        check("Hb 9.8g/dL、CRP:0.3", &["Hb 9.8 g/dL 低下", "CRP 0.3 上昇"]);
        check("白血球数は14,200/μLであった", &["白血球 14200 /μL 上昇"]);
        check("CRP値 3mg/L", &["CRP 3 mg/L 上昇"]);
        check("C反応性蛋白(CRP)0.1", &["CRP 0.1 正常"]);
        check("BNP\n742pg/ml", &["BNP 742 pg/ml 上昇"]);
        check("CRPは第3病日に12.3mg/dLまで上昇", &["CRP 12.3 mg/dL 上昇"]);
        check("身長160cm", &["身長 160 cm ?"]);
    }

    #[test]
    fn number_formats() {
        check("白血球1.2万", &["白血球 12000 上昇"]);
        check("血小板7万5000", &["血小板 75000 低下"]);
        check("Plt20.6×104/μl", &["血小板 206000 /μl 正常"]);
        check("Plt 1.5×10^4/μL", &["血小板 15000 /μL 低下"]);
        check("WBC 8.5×10の3乗/μL", &["白血球 8500 /μL 正常"]);
        check(
            "抗核抗体×160、抗核抗体1:320",
            &["抗核抗体 160 倍 陽性", "抗核抗体 320 倍 陽性"],
        );
        check("抗核抗体40倍未満", &["抗核抗体 40 倍 陰性"]);
        check("BE -5.2", &["BE -5.2 低下"]);
        check("K+ 3.2mEq/L", &["K 3.2 mEq/L 低下"]);
    }

    #[test]
    fn counts_without_a_unit_are_read_as_thousands_or_myriads() {
        check("WBC 8.5、Plt 15.2", &["白血球 8.5 正常", "血小板 15.2 低下"]);
        check("WBC 700", &["白血球 700 低下"]);
    }

    #[test]
    fn vital_signs() {
        check("血圧72/48、BP150/90mmHg", &["血圧 72/48 低下", "血圧 150/90 mmHg 上昇"]);
        check("血圧130/96mmHg", &["血圧 130/96 mmHg 上昇"]);
        check("BT39.2", &["体温 39.2 °C 上昇"]);
        check("体温39度台", &["体温 39 °C 上昇"]);
        check("体温38度5分", &["体温 38.5 °C 上昇"]);
        check("SpO2 92%(room air)", &["SpO2 92 % 低下"]);
        check("JCS II-20、GCS E3V4M5", &["JCS 20 上昇", "GCS 12 低下"]);
    }

    #[test]
    fn comparators() {
        check("BNP<5.8pg/mL", &["BNP 5.8 pg/mL 正常"]);
        check("BNP 2000pg/mL以上", &["BNP 2000 pg/mL 上昇"]);
        check("BNP 2000<", &["BNP 2000 上昇"]);
        check("TSHは感度以下", &["TSH 低下"]);
    }

    #[test]
    fn printed_ranges_come_before_the_table() {
        check("LDH 350U/L(基準176~353)", &["LDH 350 U/L 正常"]);
        check("AST 45 U/L (10~50)", &["AST 45 U/L 正常"]);
        check("CRP 0.3(基準<0.5)", &["CRP 0.3 正常"]);
        check("AST 36(基準35以下)", &["AST 36 上昇"]);
        check("APTT 48.2秒(基準対照32.2)", &["APTT 48.2 秒 上昇"]);
        check("血小板 20万(正常値:15-35万)", &["血小板 200000 正常"]);
        let found = read_as("LDH 350U/L(基準 176~353)", None);
        assert_eq!(found[0].value.range_low, Some(176.0));
        assert_eq!(found[0].value.range_high, Some(353.0));
    }

    #[test]
    fn result_words() {
        check("BNP高値、CRPの上昇を認めた", &["BNP 上昇", "CRP 上昇"]);
        check("著明な好酸球増多", &["好酸球 上昇"]);
        check("白血球は21400/μlと増加", &["白血球 21400 /μl 上昇"]);
        check(
            "尿蛋白(2+)、尿蛋白3+、尿蛋白(-)",
            &["尿蛋白 陽性", "尿蛋白 陽性", "尿蛋白 陰性"],
        );
        check("抗核抗体は弱陽性、抗核抗体(±)", &["抗核抗体 陽性", "抗核抗体 疑陽性"]);
        check("LDH正常範囲", &["LDH 正常"]);
        check("AST高値(79IU/L)", &["AST 79 IU/L 上昇"]);
        check("ASTは正常上限の3倍に上昇", &["AST 上昇"]);
        check(
            "CRP 5.2(H)、Na 128 L、K 5.9↑",
            &["CRP 5.2 上昇", "Na 128 低下", "K 5.9 上昇"],
        );
        // A change is not a state.
        check("BNP 80pg/mLに低下、CRPは改善", &["BNP 80 pg/mL 上昇"]);
    }

    #[test]
    fn negation_makes_normal() {
        check("CRPの上昇は認めず、LDH上昇なし", &["CRP 正常", "LDH 正常"]);
        check("CRPの上昇や白血球の増加を認めない", &["CRP 正常", "白血球 正常"]);
    }

    #[test]
    fn trends_hold_last_and_first() {
        check("BNP 696→320pg/mL", &["BNP 320/696 pg/mL 上昇"]);
        check("Hbは12.3から8.1に低下した", &["Hb 8.1/12.3 低下"]);
        check("CRP 12mg/dLから敗血症を疑い、3日後", &["CRP 12 mg/dL 上昇"]);
    }

    #[test]
    fn lists_share_their_result() {
        check("AST、ALTとLDHの上昇", &["AST 上昇", "ALT 上昇", "LDH 上昇"]);
        check("AST・ALTは高値", &["AST 上昇", "ALT 上昇"]);
        check("AST/ALT 45/20 U/L", &["AST 45 U/L 上昇", "ALT 20 U/L 正常"]);
        // Not over a sentence's end, and not to a name that has none.
        check("ASTを測定した。ALT上昇", &["ALT 上昇"]);
    }

    #[test]
    fn differential_count_in_brackets() {
        check(
            "WBC21400/μl(E7,L57%)",
            &["白血球 21400 /μl 上昇", "好酸球 7 % 上昇", "リンパ球 57 % 上昇"],
        );
        check("E 7%、好酸球 800/μL", &["好酸球 800 /μL 上昇"]);
    }

    #[test]
    fn one_read_for_the_letter_i() {
        check("GOT1911U/L,GPT2481U/L", &["AST 191 IU/L 上昇", "ALT 248 IU/L 上昇"]);
        check("GOT191U/L,GPT248U/L", &["AST 191 U/L 上昇", "ALT 248 U/L 上昇"]);
        // Without the last digit these would be too small to be true.
        check("GOT21U/L,GPT31U/L", &["AST 21 U/L 正常", "ALT 31 U/L 正常"]);
        check("CRP0.28mg/d1", &["CRP 0.28 mg/dl 上昇"]);
    }

    #[test]
    fn what_is_no_value() {
        for text in [
            "血小板減少症",
            "血小板10単位輸血",
            "p<0.05、P<0.05",
            "Hbは3日後に測定",
            "白血球5歳時",
            "ΔHb 2.1",
            "CRP",
            "好酸球増多症候群",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn other_fluids_are_not_judged_as_blood() {
        check("髄液所見:LDH 500U/L", &["LDH 500 U/L ?"]);
        check("尿所見:蛋白(-)、白血球10~19/HPF", &["尿沈渣白血球 19/10 /HPF 上昇"]);
        check("髄液検査後、血清LDH 500U/L", &["LDH 500 U/L 上昇"]);
    }

    #[test]
    fn sex_chooses_the_range() {
        let direction = |sex| read_as("Hb 12.5g/dL", sex)[0].value.direction;
        assert_eq!(direction(Some(Sex::Female)), Some(Normal));
        assert_eq!(direction(Some(Sex::Male)), Some(Low));
    }

    #[test]
    fn spans_cover_name_and_value() {
        let text = "血清CRPは12.3mg/dLと高値。";
        let found = read_as(text, None);
        assert_eq!(found[0].test_span.slice(text), "CRP");
        assert_eq!(found[0].value_span.slice(text), "12.3mg/dL");
    }

    #[test]
    fn sex_and_age_of_the_patient() {
        assert_eq!(sex_and_age("68歳、男性。"), (Some(Sex::Male), Some(68.0)));
        assert_eq!(sex_and_age("症例は60歳代女性"), (Some(Sex::Female), Some(65.0)));
        assert_eq!(sex_and_age("生後2か月の女児"), (Some(Sex::Female), Some(2.0 / 12.0)));
        assert_eq!(sex_and_age("3か月の乳児"), (None, Some(0.25)));
        assert_eq!(sex_and_age("A 78 y.o. woman"), (Some(Sex::Female), Some(78.0)));
        assert_eq!(sex_and_age("a 45-year-old man"), (Some(Sex::Male), Some(45.0)));
        assert_eq!(sex_and_age("患者:女性,45歳"), (Some(Sex::Female), Some(45.0)));
        assert_eq!(sex_and_age("34歳の初妊婦"), (Some(Sex::Female), Some(34.0)));
        assert_eq!(
            sex_and_age("3か月前から咳嗽。58歳、男性"),
            (Some(Sex::Male), Some(58.0))
        );
        assert_eq!(sex_and_age("発熱"), (None, None));
    }

    #[test]
    fn odd_input_gives_nothing_and_does_not_panic() {
        for text in [
            "",
            "Hb",
            "Hb(",
            "Hb 12,",
            "Hb→",
            "Hb 1e999",
            "Hb ×",
            "Hb 万",
            "白血球(((",
            "Hb\n\n12",
        ] {
            let _ = read(text);
        }
        let hit = TestHit {
            span: Span::new(1, 5),
            concept: ConceptId(0),
        };
        assert!(measurements("血圧は", Span::new(0, 9), &[hit], &[], &Facts, None, None).is_empty());
        let long = format!("Hb {}", "9".repeat(400));
        let _ = read(&long);
    }
}
