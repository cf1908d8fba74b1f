//! Expressions of time: dates, times of day, durations, frequencies, ages and clinical time points.
//!
//! A date is made absolute where the text or the anchor says enough; it is then written as ISO
//! 8601 with the precision that is known: `2001`, `2001-04` or `2001-04-05`.

use crate::types::{Norm, Span};
use regex::{Captures, Regex, RegexSet, RegexSetBuilder};
use std::sync::LazyLock;

/// Kinds of time expressions, as MedTxt's TIMEX3 tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeKind {
    /// A calendar date, or a time relative to one: 10月初旬, 2週間前, 翌日.
    Date,
    /// A time of day: 午前9時, 夕方.
    Time,
    /// How long: 5日間.
    Duration,
    /// How often: 1日3回, 毎食後.
    Set,
    /// An age: 68歳, 生後3か月.
    Age,
    /// A time of the clinical course: 第3病日, 術後5日, 入院時.
    Med,
}

/// An expression of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeExpression {
    /// Where it stands.
    pub span: Span<Norm>,
    /// What kind it is.
    pub kind: TimeKind,
    /// The absolute date in ISO 8601 (`2001-04`), where it can be told.
    pub date: Option<String>,
}

/// What a pattern's match means for the date.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    /// Year and perhaps month and day, Western or of a Japanese era.
    Absolute,
    /// A year of the era that the text named last: 同58年, 昭和51年から53年.
    SameEra,
    /// A year that the text hides: X年3月.
    Hidden,
    /// Month and perhaps day, without a year.
    MonthDay,
    /// A day that a word relates to the last date: 翌日, 同日, 3日後.
    FromLast,
    /// Relative to the anchor: 2週間前, 昨年.
    FromAnchor,
    /// No date.
    None,
}

/// A calendar date, as precise as it is known. Year 0 and before do not occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
}

impl Day {
    fn iso(self) -> String {
        match (self.month, self.day) {
            (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => format!("{:04}-{month:02}", self.year),
            _ => format!("{:04}", self.year),
        }
    }

    /// The date, where month and day exist and the year is one that a report can mean.
    fn checked(year: i32, month: Option<u32>, day: Option<u32>) -> Option<Day> {
        let month_fits = month.is_none_or(|month| (1..=12).contains(&month));
        let day_fits = match (month, day) {
            (_, None) => true,
            (Some(month), Some(day)) => month_fits && (1..=days_in(year, month)).contains(&day),
            (None, Some(_)) => false,
        };
        (month_fits && day_fits && (1800..=2200).contains(&year)).then_some(Day { year, month, day })
    }

    /// The day `days` later; only for dates known to the day.
    fn plus_days(self, days: i64) -> Option<Day> {
        let (month, day) = (self.month?, self.day?);
        let (year, month, day) = civil(serial(self.year, month, day) + days);
        Day::checked(year, Some(month), Some(day))
    }

    /// The month `months` later; only for dates known to the month.
    fn plus_months(self, months: i64) -> Option<Day> {
        let month = i64::from(self.month?);
        let count = i64::from(self.year) * 12 + month - 1 + months;
        let year = i32::try_from(count.div_euclid(12)).ok()?;
        let month = u32::try_from(count.rem_euclid(12) + 1).ok()?;
        Day::checked(year, Some(month), None)
    }

    fn plus_years(self, years: i64) -> Option<Day> {
        let year = i32::try_from(i64::from(self.year) + years).ok()?;
        Day::checked(year, None, None)
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && year % 100 != 0 || year % 400 == 0
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (the usual 400-year arithmetic, with years
/// that start in March so that the leap day comes last).
fn serial(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`serial`].
fn civil(serial: i64) -> (i32, u32, u32) {
    let days = serial + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (
        i32::try_from(year).unwrap_or(0),
        u32::try_from(month).unwrap_or(1),
        u32::try_from(day).unwrap_or(1),
    )
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this module are constants, tested to compile")
}

/// The first year of an era less one.
fn era_start(name: &str) -> Option<i32> {
    Some(match name {
        "明治" | "明" | "M" => 1867,
        "大正" | "大" | "T" => 1911,
        "昭和" | "昭" | "S" => 1925,
        "平成" | "平" | "H" => 1988,
        "令和" | "令" | "R" => 2018,
        _ => return None,
    })
}

/// All patterns. At one place the longest match wins, at equal length the first pattern.
static PATTERNS: LazyLock<Vec<(Regex, TimeKind, Meaning)>> = LazyLock::new(|| {
    use TimeKind::{Age, Date, Duration, Med, Set, Time};
    // Vague words that a number of time may carry.
    const ABOUT: &str = "(?:約|およそ|ほぼ)? ?";
    const COUNT: &str = "(?:[0-9]+(?:[.,][0-9]+)?(?: ?[~-] ?[0-9]+)?|数|何|半|[一二三四五六七八九十]+)";
    const MONTHS: &str = "(?:か|ヶ|カ|ヵ|ケ|箇)月";
    const PART: &str = "(?:初旬|上旬|中旬|下旬|初め|始め|はじめ|半ば|なかば|末|頃|ごろ|前半|後半)*";
    let unit = format!("(?:年|{MONTHS}|週間|週|日|時間|分|秒)");
    let list: Vec<(String, TimeKind, Meaning)> = vec![
        // Western year, perhaps with month and day.
        (
            format!(
                "(?P<year>1[89][0-9]{{2}}|20[0-9]{{2}}) ?年(?:度)?(?: ?(?P<month>[0-9]{{1,2}}) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?)?{PART}"
            ),
            Date,
            Meaning::Absolute,
        ),
        (
            r"(?P<year>1[89][0-9]{2}|20[0-9]{2})(?:/|-|\. ?)(?P<month>[0-9]{1,2})(?:/|-|\. ?)(?P<day>[0-9]{1,2})".into(),
            Date,
            Meaning::Absolute,
        ),
        (r"(?P<year>19[0-9]{2}|20[0-9]{2})/(?P<month>[0-9]{1,2})".into(), Date, Meaning::Absolute),
        (
            format!("(?P<year>1[89][0-9]{{2}}|20[0-9]{{2}}) ?年? ?(?:春|夏|秋|冬){PART}"),
            Date,
            Meaning::Absolute,
        ),
        // Era years.
        (
            format!(
                "(?P<era>明治|大正|昭和|平成|令和|昭|平|令|[MTSHR]) ?(?P<eray>元|[0-9]{{1,2}}) ?年(?:度)?(?: ?(?P<month>[0-9]{{1,2}}) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?)?{PART}"
            ),
            Date,
            Meaning::Absolute,
        ),
        (
            r"(?P<era>明治|大正|昭和|平成|令和|[SHR]) ?(?P<eray>元|[0-9]{1,2})[./] ?(?P<month>[0-9]{1,2})[./] ?(?P<day>[0-9]{1,2})".into(),
            Date,
            Meaning::Absolute,
        ),
        // Anonymised years: X年3月, 20XX-1年12月, 201X+1年1月22日.
        (
            format!(
                "(?:[12][0-9]{{0,2}})?[XxYy]{{1,4}}(?: ?[-+] ?[0-9]{{1,2}})? ?年(?:度)?(?: ?(?:[0-9]{{1,2}}|[XYZ]) ?月(?: ?(?:[0-9]{{1,2}}|[XYZ]) ?日)?)?{PART}"
            ),
            Date,
            Meaning::Hidden,
        ),
        (
            format!(
                "同 ?(?P<eray>[0-9]{{1,2}}) ?年(?: ?(?P<month>[0-9]{{1,2}}) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?)?{PART}"
            ),
            Date,
            Meaning::SameEra,
        ),
        (
            format!(
                "(?P<eray>[1-9][0-9]?) ?年(?: ?(?P<month>[0-9]{{1,2}}) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?)?{PART}"
            ),
            Date,
            Meaning::SameEra,
        ),
        // Month and day.
        (
            format!("(?P<month>1[0-2]|0?[1-9]) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?{PART}"),
            Date,
            Meaning::MonthDay,
        ),
        (
            format!("(?P<same>同|翌|前)(?P<number>年)(?: ?(?P<month>[0-9]{{1,2}}) ?月(?: ?(?P<day>[0-9]{{1,2}}) ?日)?)?{PART}"),
            Date,
            Meaning::FromLast,
        ),
        (
            format!("(?P<same>同|翌|前)(?P<number>月)(?: ?(?P<day>[0-9]{{1,2}}) ?日)?{PART}"),
            Date,
            Meaning::FromLast,
        ),
        (r"(?P<same>同|翌々|翌|前)(?P<number>日|朝)".into(), Date, Meaning::FromLast),
        (r"(?P<same>翌) ?(?P<day>[0-9]{1,2}) ?日".into(), Date, Meaning::FromLast),
        (r"翌(?:週|晩|朝)|同(?:時期|夜)|前(?:夜|週)|当日|当時".into(), Date, Meaning::None),
        // 2週間前, 3日後.
        (
            format!("{ABOUT}(?P<count>{COUNT}) ?(?P<unit>年|{MONTHS}|週間|週|日|時間|分)半?(?:ほど|程度|程|くらい|ぐらい)?以?前(?:頃|ごろ)?"),
            Date,
            Meaning::FromAnchor,
        ),
        (
            format!("{ABOUT}(?P<count>{COUNT}) ?(?P<unit>年|{MONTHS}|週間|週|日|時間|分)半?(?:ほど|程度|程|くらい|ぐらい)?以?後(?:頃|ごろ)?"),
            Date,
            Meaning::FromLast,
        ),
        (format!("{ABOUT}半(?:年|月|日)(?:ほど|程度|くらい)?(?:前|後)(?:頃|ごろ)?"), Date, Meaning::None),
        (
            r"(?P<word>一昨年|昨年|去年|今年|本年|来年|先月|今月|来月|一昨日|昨日|本日|今日|明日|今朝|昨夜|昨晩|今回)".into(),
            Date,
            Meaning::FromAnchor,
        ),
        (
            format!("(?:先週|今週|来週|幼少期|幼少時|幼児期|小児期|学童期|思春期|青年期|壮年期|乳児期|新生児期|若年時|{COUNT} ?年来|数年来|以前|最近|近年)(?:頃|ごろ)?"),
            Date,
            Meaning::None,
        ),
        // Times of day.
        (
            r"(?:午前|午後|AM|PM|am|pm|朝|夜|深夜|未明)? ?[0-9]{1,2} ?(?::[0-9]{2}|時(?:[0-9]{1,2} ?分|半)?)(?:頃|ごろ)?".into(),
            Time,
            Meaning::None,
        ),
        (
            r"午前中?|午後|早朝|明け方|未明|夕方|夕刻|夜間|深夜|日中|正午|就寝前|就寝時|起床時|朝食後|昼食後|夕食後|朝食前|昼食前|夕食前".into(),
            Time,
            Meaning::None,
        ),
        // Durations.
        (
            format!("{ABOUT}(?:{COUNT}) ?(?:年|{MONTHS}|週|日|時間|分|秒) ?(?:半)?(?:ほど|程度|程)?(?:間)(?:以上|以内|程度|ほど)?"),
            Duration,
            Meaning::None,
        ),
        (
            format!("{ABOUT}(?:{COUNT}) ?(?:年|{MONTHS}|週間|時間|分)(?:半)?(?:以上|以内|未満|程度|ほど|くらい)?"),
            Duration,
            Meaning::None,
        ),
        ("半年(?:間)?|長年|長期間|短期間|終日|一晩".into(), Duration, Meaning::None),
        // Frequencies.
        (
            format!("(?:毎|1|一) ?(?:日|週|月|年|回)?(?:間)?(?:に|あたり|当たり)? ?(?:{COUNT}) ?回(?:程度|ほど)?"),
            Set,
            Meaning::None,
        ),
        (format!("(?:週|月|年|日) ?(?:に)? ?(?:{COUNT}) ?(?:回|日)(?:程度|ほど)?"), Set, Meaning::None),
        (
            format!("(?:{COUNT}) ?(?:年|{MONTHS}|週間|週|日|時間|分)(?:毎|ごと|おき)(?:に)?"),
            Set,
            Meaning::None,
        ),
        ("毎(?:日|朝|晩|夕|週|月|年|食後|食前|食)|隔日|隔週|連日|分[1-4](?:食後|食前)?|頓用".into(), Set, Meaning::None),
        // Ages.
        (
            format!("{ABOUT}[0-9]{{1,3}}(?: ?[~-] ?[0-9]{{1,3}})? ?(?:歳|才)(?: ?[0-9]{{1,2}} ?{MONTHS})?(?:代|台|時|頃|ごろ|以上|以下|未満)*"),
            Age,
            Meaning::None,
        ),
        ("[1-9]0 ?代(?:前半|後半)?".into(), Age, Meaning::None),
        (format!("生後 ?(?:{COUNT}) ?{unit}"), Age, Meaning::None),
        ("(?:日齢|月齢) ?[0-9]{1,3}".into(), Age, Meaning::None),
        (format!("[0-9]{{1,2}} ?{MONTHS}(?:時|児|齢)"), Age, Meaning::None),
        // The clinical course.
        ("第? ?[0-9]{1,4} ?病日(?:目)?".into(), Med, Meaning::None),
        ("第 ?[0-9]{1,4} ?(?:日|週)(?:目)?".into(), Med, Meaning::None),
        (
            format!("(?:入院|術|手術|治療|投与|発症|移植|退院|受診|化学療法|投与開始|治療開始|内服開始|入院加療|分娩|産|受傷|発病|来院|初診|診断|再発|抗菌薬開始)(?:後|前|から)? ?(?:第)? ?(?:約)?(?:{COUNT}) ?{unit}(?:目|後|前|間)*"),
            Med,
            Meaning::None,
        ),
        (
            "(?:入院|来院|初診|受診|再診|搬送|搬入|救急搬送|退院|発症|診断|手術|転院|再発|出生|分娩|紹介|受傷|再入院|当科初診|死亡|介入)(?:当日|時|後|前|日)|術(?:前|後|中)|周術期|(?:妊娠|在胎) ?[0-9]{1,2} ?週(?: ?[0-9] ?日)?|POD ?[0-9]{1,3}|[Dd]ay ?[0-9]{1,3}".into(),
            Med,
            Meaning::None,
        ),
        (format!("(?:{COUNT}) ?(?:日|週|{MONTHS}|年|時間|クール|コース)目"), Med, Meaning::None),
    ];
    list.into_iter()
        .map(|(source, kind, meaning)| (pattern(&source), kind, meaning))
        .collect()
});

/// All patterns at once: most parts of a text match none or few of them.
static ANY_PATTERN: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSetBuilder::new(PATTERNS.iter().map(|(regex, ..)| regex.as_str()))
        // With the default of 2 MiB the automaton's states do not fit and are made again and again.
        .dfa_size_limit(16 << 20)
        .build()
        .expect("the patterns of this module are constants, tested to compile")
});

/// Finds the expressions of time within a part of the text, in reading order, not overlapping.
///
/// `text` is the normalised report. `anchor` is the date, as (year, month, day), that the report
/// is written from (admission, visit): 「2週間前」 and 「5月2日」 are counted from it. Without one
/// only what the text itself says is made absolute. Never panics; cost is linear in the text, times
/// the number of patterns.
pub fn time_expressions(text: &str, within: Span<Norm>, anchor: Option<(i32, u32, u32)>) -> Vec<TimeExpression> {
    let part = within.slice(text);
    let anchor = anchor.and_then(|(year, month, day)| Day::checked(year, Some(month), Some(day)));
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for number in ANY_PATTERN.matches(part) {
        let Some((regex, ..)) = PATTERNS.get(number) else {
            continue;
        };
        found.extend(
            regex
                .find_iter(part)
                .filter(|found| is_time(part, found.start(), found.end()))
                .map(|found| (found.start(), found.end(), number)),
        );
    }
    // Leftmost, then longest, then the earlier pattern.
    found.sort_by_key(|&(start, end, number)| (start, usize::MAX - end, number));
    let mut expressions = Vec::new();
    let mut free_from = 0;
    let mut known = Known {
        last: None,
        era: None,
        anchor,
    };
    for (start, end, number) in found {
        if start < free_from {
            continue;
        }
        let Some((regex, kind, meaning)) = PATTERNS.get(number) else {
            continue;
        };
        let Some(captures) = part.get(start..end).and_then(|matched| regex.captures(matched)) else {
            continue;
        };
        if matches!(meaning, Meaning::SameEra) {
            // Without 同, only as the end of an interval that began in an era: 昭和51年から53年.
            let gap = part.get(free_from..start).unwrap_or("");
            let goes_on = matches!(gap.trim(), "から" | "より" | "~" | "-" | "、" | "・" | "と");
            let is_same = captures.get(0).is_some_and(|all| all.as_str().starts_with('同'));
            if known.era.is_none() || !is_same && (!goes_on || expressions.is_empty()) {
                continue;
            }
        }
        free_from = end;
        let day = date_of(&captures, *meaning, &known);
        match meaning {
            Meaning::Absolute | Meaning::SameEra => {
                known.last = day.or(known.last);
                if let Some(era) = captures.name("era") {
                    known.era = era_start(era.as_str());
                }
            }
            Meaning::MonthDay | Meaning::FromLast => known.last = day.or(known.last),
            // What follows is of a hidden year too.
            Meaning::Hidden => {
                known = Known {
                    last: None,
                    era: None,
                    anchor: None,
                }
            }
            Meaning::FromAnchor | Meaning::None => {}
        }
        expressions.push(TimeExpression {
            span: Span::new(within.start + start, within.start + end),
            kind: *kind,
            date: day.map(Day::iso),
        });
    }
    expressions
}

/// What the text has told of dates so far.
struct Known {
    /// The last date made absolute.
    last: Option<Day>,
    /// The first year less one of the era named last.
    era: Option<i32>,
    /// The caller's date, as long as the text does not hide its years.
    anchor: Option<Day>,
}

/// False for digits that go on to the left or right, and for words that only look like time.
fn is_time(part: &str, start: usize, end: usize) -> bool {
    let matched = part.get(start..end).unwrap_or("");
    let before = part.get(..start).and_then(|before| before.chars().next_back());
    let after = part.get(end..).unwrap_or("");
    let starts_with_digit = matched.starts_with(|first: char| first.is_ascii_digit());
    let mut left = part.get(..start).unwrap_or("").chars().rev();
    if starts_with_digit {
        match left.next() {
            Some(last) if last.is_ascii_digit() || last == '^' => return false,
            // 「7.5日」, 「1,000日」; but not 「、5日」 after a word.
            Some('.' | ',' | '/') if left.next().is_some_and(|c| c.is_ascii_digit()) => {
                return false;
            }
            _ => {}
        }
    }
    let first_is_letter = matched.starts_with(|first: char| first.is_ascii_alphabetic());
    if first_is_letter && before.is_some_and(|last| last.is_ascii_alphanumeric()) {
        return false;
    }
    let ends_with_digit = matched.ends_with(|last: char| last.is_ascii_digit());
    if ends_with_digit && after.starts_with(|next: char| next.is_ascii_digit()) {
        return false;
    }
    if matched.ends_with('時') && after.starts_with('間') {
        return false;
    }
    // 2分の1, 1時間値, 5分類, 3年生, 1日量, 12時方向, 半年 of 上半年.
    const NOT_TIME: &[&str] = &[
        "の1", "値", "類", "生存", "率", "量", "方向", "節", "葉", "画", "裂", "割", "枝", "半球",
    ];
    !NOT_TIME.iter().any(|word| after.starts_with(word))
}

fn number_of(captures: &Captures<'_>, name: &str) -> Option<u32> {
    captures.name(name)?.as_str().trim().parse().ok()
}

/// The absolute date of a match.
fn date_of(captures: &Captures<'_>, meaning: Meaning, known: &Known) -> Option<Day> {
    let Known { last, anchor, .. } = *known;
    let month = number_of(captures, "month");
    let day = number_of(captures, "day");
    match meaning {
        Meaning::None | Meaning::Hidden => None,
        Meaning::SameEra => {
            let of_era = i32::try_from(number_of(captures, "eray")?).ok()?;
            Day::checked(known.era? + of_era, month, day)
        }
        Meaning::Absolute => {
            let year = match captures.name("era") {
                Some(era) => {
                    let of_era = captures.name("eray")?.as_str();
                    let of_era = if of_era == "元" {
                        1
                    } else {
                        of_era.parse::<i32>().ok()?
                    };
                    era_start(era.as_str())? + of_era
                }
                None => i32::try_from(number_of(captures, "year")?).ok()?,
            };
            Day::checked(year, month, day)
        }
        Meaning::MonthDay => {
            let month = month?;
            let year = match (last, anchor) {
                (Some(last), _) => year_after(last, month)?,
                // The latest such month that is not after the anchor.
                (None, Some(anchor)) => {
                    let later = (Some(month), day.or(Some(1))) > (anchor.month, anchor.day);
                    anchor.year - i32::from(later)
                }
                (None, None) => return None,
            };
            Day::checked(year, Some(month), day)
        }
        Meaning::FromLast => {
            if captures.name("count").is_some() {
                return shifted(captures, last?, 1);
            }
            let last = last?;
            let step: i64 = match captures.name("same")?.as_str() {
                "同" => 0,
                "前" => -1,
                "翌々" => 2,
                _ => 1,
            };
            match captures.name("number").map(|unit| unit.as_str()) {
                Some("年") => {
                    let year = last.plus_years(step)?.year;
                    Day::checked(year, month, day)
                }
                Some("月") => {
                    let month = last.plus_months(step)?;
                    Day::checked(month.year, month.month, day)
                }
                Some(_) => last.plus_days(step),
                // 「翌8日」
                None => last.plus_days(1).filter(|next| next.day == day),
            }
        }
        Meaning::FromAnchor => {
            let anchor = anchor?;
            if captures.name("count").is_some() {
                return shifted(captures, anchor, -1);
            }
            match captures.name("word")?.as_str() {
                "一昨年" => anchor.plus_years(-2),
                "昨年" | "去年" => anchor.plus_years(-1),
                "今年" | "本年" => anchor.plus_years(0),
                "来年" => anchor.plus_years(1),
                "先月" => anchor.plus_months(-1),
                "今月" => anchor.plus_months(0),
                "来月" => anchor.plus_months(1),
                "一昨日" => anchor.plus_days(-2),
                "昨日" | "昨夜" | "昨晩" => anchor.plus_days(-1),
                "本日" | "今日" | "今朝" => Some(anchor),
                "明日" => anchor.plus_days(1),
                _ => None,
            }
        }
    }
}

/// The year of a month named after a date: the same, or the next one where the year has turned.
/// Reports tell in order, but not strictly: a month somewhat earlier is left undecided.
fn year_after(last: Day, month: u32) -> Option<i32> {
    let last_month = last.month.unwrap_or(1);
    if month >= last_month {
        Some(last.year)
    } else if last_month >= 9 && month <= 4 {
        Some(last.year + 1)
    } else {
        None
    }
}

/// 「2週間前」, 「3日後」: `from` moved by what the match counts, in the direction of `sign`. Half
/// units, vague counts (数日) and intervals (2~3日) give nothing.
fn shifted(captures: &Captures<'_>, from: Day, sign: i64) -> Option<Day> {
    let count: i64 = match captures.name("count")?.as_str() {
        "一" => 1,
        "二" => 2,
        "三" => 3,
        digits => digits.parse().ok().filter(|count| (0..2000).contains(count))?,
    };
    let count = count * sign;
    if captures.get(0)?.as_str().contains('半') {
        return None;
    }
    match captures.name("unit")?.as_str() {
        "年" => from.plus_years(count),
        "週間" | "週" => from.plus_days(7 * count),
        "日" => from.plus_days(count),
        "時間" | "分" => None,
        _ => from.plus_months(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, anchor: Option<(i32, u32, u32)>) -> Vec<(&str, TimeKind, Option<String>)> {
        time_expressions(text, Span::new(0, text.len()), anchor)
            .into_iter()
            .map(|found| (&text[found.span.range()], found.kind, found.date))
            .collect()
    }

    fn one(text: &str, anchor: Option<(i32, u32, u32)>) -> (&str, TimeKind, Option<String>) {
        let found = read(text, anchor);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0].clone()
    }

    #[test]
    fn absolute_dates() {
        for (text, date) in [
            ("2001年1月に", "2001-01"),
            ("2014年10月3日", "2014-10-03"),
            ("平成13年4月", "2001-04"),
            ("H13年4月", "2001-04"),
            ("令和元年5月3日", "2019-05-03"),
            ("昭62年1月", "1987-01"),
            ("2009年12月中旬より", "2009-12"),
            ("1998年、", "1998"),
            ("2019/05/03", "2019-05-03"),
        ] {
            let (_, kind, found) = one(text, None);
            assert_eq!((kind, found.as_deref()), (TimeKind::Date, Some(date)), "{text}");
        }
    }

    #[test]
    fn dates_that_do_not_exist_have_no_iso_form() {
        assert_eq!(one("2001年2月30日", None).2, None);
        assert_eq!(one("2001年13月", None).2, None);
    }

    #[test]
    fn relative_dates() {
        let anchor = Some((2001, 5, 24));
        for (text, date) in [
            ("2週間前から", "2001-05-10"),
            ("3年前に", "1998"),
            ("6か月前より", "2000-11"),
            ("昨年", "2000"),
            ("前日の5月2日", "2001-05-02"),
            ("12月に", "2000-12"),
        ] {
            let found = read(text, anchor);
            assert_eq!(found.last().and_then(|found| found.2.as_deref()), Some(date), "{text}");
        }
        assert_eq!(one("2週間前から", None), ("2週間前", TimeKind::Date, None));
        assert_eq!(one("数日前から", anchor).2, None);
    }

    #[test]
    fn dates_follow_the_text() {
        let dates: Vec<_> = read(
            "2001年1月に発症。5月2日に服用、翌日発熱。同年6月4日入院、3日後に軽快。翌年治癒",
            None,
        )
        .into_iter()
        .map(|found| found.2.unwrap_or_default())
        .collect();
        assert_eq!(
            dates,
            [
                "2001-01",
                "2001-05-02",
                "2001-05-03",
                "2001-06-04",
                "2001-06-07",
                "2002"
            ]
        );
        let dates: Vec<_> = read("昭和51年から53年まで治療。同58年に再発", None)
            .into_iter()
            .map(|found| found.2.unwrap_or_default())
            .collect();
        assert_eq!(dates, ["1976", "1978", "1983"]);
    }

    #[test]
    fn hidden_years_stay_hidden() {
        let found = read("X-1年12月に指摘、20XX年2月下旬に入院。3月に退院", Some((2001, 5, 24)));
        let texts: Vec<_> = found.iter().map(|found| found.0).collect();
        assert_eq!(texts, ["X-1年12月", "20XX年2月下旬", "3月"]);
        assert!(found.iter().all(|found| found.2.is_none()));
    }

    #[test]
    fn kinds() {
        for (text, span, kind) in [
            ("第3病日に", "第3病日", TimeKind::Med),
            ("入院3日目", "入院3日目", TimeKind::Med),
            ("術後5日", "術後5日", TimeKind::Med),
            ("68歳、", "68歳", TimeKind::Age),
            ("60歳代の", "60歳代", TimeKind::Age),
            ("生後3か月の", "生後3か月", TimeKind::Age),
            ("5日間投与", "5日間", TimeKind::Duration),
            ("1日3回", "1日3回", TimeKind::Set),
            ("午前9時に", "午前9時", TimeKind::Time),
            ("10月初旬から", "10月初旬", TimeKind::Date),
            ("同日入院", "同日", TimeKind::Date),
        ] {
            let (found, found_kind, _) = one(text, None);
            assert_eq!((found, found_kind), (span, kind), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_time() {
        for text in ["7.5mg/日", "WBC 12,000", "1時間値", "血圧120/80", "5時方向に"] {
            let found = read(text, None);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn spans_of_a_part_are_of_the_whole_text() {
        let text = "体温。翌日に軽快。";
        let found = time_expressions(text, Span::new("体温。".len(), text.len()), None);
        assert_eq!(found[0].span.slice(text), "翌日");
        // Boundaries inside a character give nothing.
        assert!(time_expressions(text, Span::new(1, text.len()), None).is_empty());
    }

    #[test]
    fn calendar_arithmetic() {
        assert_eq!(serial(1970, 1, 1), 0);
        assert_eq!(civil(serial(2000, 2, 29) + 1), (2000, 3, 1));
        assert_eq!(civil(serial(1999, 12, 31) + 1), (2000, 1, 1));
        assert_eq!(civil(serial(1900, 2, 28) + 1), (1900, 3, 1));
    }
}
