//! A case as one page: the report with its mentions marked, and the case map beside it.
//!
//! The page needs nothing from outside, runs no scripts (and forbids them), and everything that
//! comes from the case is escaped. A mention that a node folds in is a link to the node, and a
//! node is a link to its first mention.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{ConceptSource, assertion_words, concept_words, mention_kind_name, push_escaped, svg, value_words};
use crate::types::{Case, Experiencer, Mention, MentionKind, NodeId, Status, Temporality};

/// Colours on light ground.
const LIGHT: &str = "\
--bg:#f4f5f7;--card:#fff;--ink:#1f2328;--soft:#59636e;--rule:#d5d9df;
--red:#b42318;--red-bg:#fdeceb;--amber:#8f4e00;--amber-bg:#fff0d2;--blue:#1d5fbf;--blue-bg:#e6f0fd;
--teal:#0f766e;--teal-bg:#dff3f0;--violet:#6d3fc0;--violet-bg:#efe7fb;--grey:#6b7280;--grey-bg:#eceef1;--green:#3f7020;--green-bg:#e9f3e0";

/// Colours on dark ground.
const DARK: &str = "\
--bg:#0d0f12;--card:#15181d;--ink:#e6e8eb;--soft:#a0a8b3;--rule:#333a44;
--red:#f59a91;--red-bg:#45201d;--amber:#efbd6c;--amber-bg:#40300f;--blue:#8dbbf8;--blue-bg:#182f4d;
--teal:#66cfc0;--teal-bg:#113833;--violet:#c4a8f5;--violet-bg:#33244f;--grey:#98a1ad;--grey-bg:#272c34;--green:#a5d083;--green-bg:#24361a";

/// The page around report and map.
const PAGE_STYLE: &str = "\
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 'Hiragino Sans','Noto Sans CJK JP','Noto Sans JP','Yu Gothic UI','Meiryo',sans-serif}
header{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;align-items:baseline;padding:.9rem 1.2rem;background:var(--card);border-bottom:1px solid var(--rule)}
h1{margin:0;font-size:1.15rem;overflow-wrap:anywhere}
.main-disease{color:var(--red);font-weight:700}
.count{color:var(--soft);font-size:.85rem}
main{display:grid;grid-template-columns:minmax(20rem,2fr) 3fr;gap:1rem;padding:1rem 1.2rem;align-items:start}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.8rem 1rem 1rem;min-width:0}
h2{margin:0 0 .6rem;font-size:.85rem;font-weight:600;color:var(--soft)}
.map{position:sticky;top:1rem;max-height:calc(100vh - 2rem);overflow-y:auto}
footer{padding:0 1.2rem 1rem;font-size:.75rem;color:var(--soft)}
@media (max-width:60rem){main{grid-template-columns:minmax(0,1fr)}.map{position:static;max-height:none}}
@media print{body{background:#fff}main{display:block}section{break-inside:auto;border:0}.map{position:static;max-height:none}.scroll svg{min-width:0!important}}
";

/// The marked report, its legend and the map.
const CASE_STYLE: &str = "\
.report{white-space:pre-wrap;overflow-wrap:anywhere;line-height:2.1}
.scroll{overflow-x:auto}
.scroll svg{display:block;max-width:100%;height:auto}
.m{color:inherit;text-decoration:none;border-radius:3px;padding:.12em .1em;background:var(--grey-bg);border-bottom:2px solid var(--grey)}
.m .m{padding-top:0;padding-bottom:0}
a.m{cursor:pointer}
a.m,.node{scroll-margin:5rem}
a.m:hover,.m:target{outline:2px solid var(--ink)}
.m.disease{background:var(--red-bg);border-color:var(--red)}
.m.finding{background:var(--amber-bg);border-color:var(--amber)}
.m.test{background:var(--blue-bg);border-color:var(--blue)}
.m.exam{background:var(--teal-bg);border-color:var(--teal)}
.m.drug{background:var(--violet-bg);border-color:var(--violet)}
.m.site{background:var(--green-bg);border-color:var(--green)}
.m.other{background:var(--grey-bg);border-color:var(--grey)}
.m.absent{color:var(--grey);background:none;border-bottom-color:transparent;text-decoration:line-through}
.m.suspected{border:2px dotted;border-color:inherit}
.suspected.disease{border-color:var(--red)}.suspected.finding{border-color:var(--amber)}.suspected.test{border-color:var(--blue)}.suspected.exam{border-color:var(--teal)}.suspected.drug{border-color:var(--violet)}.suspected.site{border-color:var(--green)}.suspected.other{border-color:var(--grey)}
.m.planned{border-bottom-style:dashed;background:none}
.m.general{background:none;border-bottom-color:transparent;color:var(--soft);font-style:italic}
.m.past{background:none;border-bottom-style:double;border-bottom-width:4px}
.m.family,.m.someone{background:repeating-linear-gradient(-45deg,var(--grey-bg) 0 4px,transparent 4px 8px);border-bottom-color:var(--grey);color:var(--soft)}
.past::before,.family::before,.someone::before{font-size:.62em;font-weight:700;vertical-align:.25em;margin-right:.25em;padding:.05em .3em;border-radius:3px;background:var(--grey);color:var(--card);display:inline-block;line-height:1.3;text-decoration:none}
.past::before{content:'既往'}
.family::before{content:'家族'}
.someone::before{content:'他者'}
.past.family::before{content:'家族・既往'}
.past.someone::before{content:'他者・既往'}
ul.legend{display:flex;flex-wrap:wrap;gap:.45rem .8rem;margin:1rem 0 0;padding:.8rem 0 0;border-top:1px solid var(--rule);list-style:none;font-size:.8rem}
details{margin-top:.8rem;font-size:.85rem;color:var(--soft)}
pre{margin:.4rem 0 0;white-space:pre;overflow-x:auto;color:var(--ink);font:inherit;line-height:1.6}
";

/// The case as a self-contained page.
///
/// Mentions that overlap another without standing within it are marked up to its end. O(n log n)
/// in the mentions.
pub fn to_html(case: &Case, concepts: &dyn ConceptSource) -> String {
    let (report, marked) = report(case, concepts, true);
    let primary = case.primary();
    let mut html = String::from(
        "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>",
    );
    let id = if case.id.is_empty() { "症例" } else { &case.id };
    push_escaped(&mut html, id);
    if !primary.is_empty() {
        html.push_str(" – ");
        push_escaped(&mut html, &primary);
    }
    let _ = write!(
        html,
        "</title>\n<style>\n:root{{color-scheme:light dark;{LIGHT}}}\n\
         @media (prefers-color-scheme:dark){{:root{{{DARK}}}}}\n{PAGE_STYLE}{CASE_STYLE}</style>\n</head>\n<body>\n<header><h1>"
    );
    push_escaped(&mut html, id);
    html.push_str("</h1>");
    if !primary.is_empty() {
        html.push_str("<span>主病名: <span class=\"main-disease\">");
        push_escaped(&mut html, &primary);
        html.push_str("</span></span>");
    }
    let _ = write!(
        html,
        "<span class=\"count\">言及 {} · 節点 {} · 関係 {}</span></header>\n\
         <main>\n<section><h2>症例報告</h2>\n<div class=\"report\">{report}</div>\n",
        case.mentions.len(),
        case.map.nodes.len(),
        case.map.edges.len(),
    );
    push_legend(&mut html, case);
    html.push_str(
        "</section>\n<section class=\"map\"><h2>因果マップ (左が原因、右が結果)</h2>\n<div class=\"scroll\">\n",
    );
    html.push_str(&svg::render(case, concepts, svg::Place::Page(&marked)));
    html.push_str("</div>\n<details><summary>テキスト表記</summary><pre>\n");
    push_escaped(&mut html, &case.map.to_tree());
    html.push_str(
        "</pre></details>\n</section>\n</main>\n\
         <footer>shorei による自動解析です。診療上の判断には原文を確認してください。</footer>\n</body>\n</html>\n",
    );
    html
}

/// Styles of a case among others in a page, nested in the class `shorei`.
const FRAGMENT_STYLE: &str = "\
color:var(--ink);background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.6rem .9rem .8rem;
font:14px/1.5 'Hiragino Sans','Noto Sans CJK JP','Noto Sans JP','Yu Gothic UI','Meiryo',sans-serif;
.head{display:flex;flex-wrap:wrap;gap:.1rem 1rem;align-items:baseline;margin-bottom:.5rem}
.main-disease{color:var(--red);font-weight:700}
.count{color:var(--soft);font-size:.85em}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:.6rem 1.2rem;align-items:start}
.columns>div{min-width:0;max-height:46rem;overflow-y:auto}
";

/// The ancestors by which notebooks and editors say that they are dark, and those where the
/// system's setting decides.
const DARK_GROUND: &str =
    ":is([data-jp-theme-light=\"false\"],.vscode-dark,.vscode-high-contrast,[theme=\"dark\"],[data-theme=\"dark\"])";
const UNTOLD_GROUND: &str = "body:not([data-jp-theme-light],.vscode-light,.vscode-high-contrast-light,[theme=\"light\"] *,[data-theme=\"light\"] *)";

/// The case as a part of a page, for notebooks: the marked report beside, or where there is no room
/// above, the drawn tree.
///
/// It brings its styles and touches no others, runs no script, and follows the page's light or dark
/// theme (JupyterLab, VS Code, Colab, nbconvert), or the system's. Evidence is in the tooltips of
/// mentions, nodes and edges. O(n log n) in the mentions.
pub fn to_html_fragment(case: &Case, concepts: &dyn ConceptSource) -> String {
    fragment(case, concepts, true)
}

/// The drawn tree alone, as [`to_html_fragment`] has it.
pub fn to_map_fragment(case: &Case, concepts: &dyn ConceptSource) -> String {
    fragment(case, concepts, false)
}

/// The style element of a part of a page that stands in an element of the class `shorei`, for what
/// else is shown in notebooks: frame, fonts, and colours as variables (`--ink`, `--soft`, `--rule`,
/// `--red`, `--red-bg`, …) that follow the page's light or dark theme. `rules` are nested in the class;
/// `dark_rules` come after them where it is dark.
pub fn fragment_style(rules: &str, dark_rules: &str) -> String {
    format!(
        "<style>\n.shorei{{color-scheme:light;{LIGHT};\n{FRAGMENT_STYLE}{rules}}}\n\
         {DARK_GROUND} .shorei{{color-scheme:dark;{DARK};\n{dark_rules}}}\n\
         @media (prefers-color-scheme:dark){{{UNTOLD_GROUND} .shorei{{color-scheme:dark;{DARK};\n{dark_rules}}}}}\n\
         </style>\n"
    )
}

fn fragment(case: &Case, concepts: &dyn ConceptSource, with_report: bool) -> String {
    let mut hasher = DefaultHasher::new();
    (&case.id, case.text.raw(), case.map.to_tree()).hash(&mut hasher);
    let name = format!("{:016x}", hasher.finish());
    let style = fragment_style(&format!("{CASE_STYLE}{}", svg::STYLE), svg::DARK_STYLE);
    let mut html = format!("<div class=\"shorei\" lang=\"ja\">\n{style}<div class=\"head\"><strong>");
    push_escaped(&mut html, if case.id.is_empty() { "症例" } else { &case.id });
    html.push_str("</strong>");
    let primary = case.primary();
    if !primary.is_empty() {
        html.push_str("<span>主病名: <span class=\"main-disease\">");
        push_escaped(&mut html, &primary);
        html.push_str("</span></span>");
    }
    let _ = write!(
        html,
        "<span class=\"count\">言及 {} · 節点 {} · 関係 {}</span></div>\n<div class=\"columns\">\n",
        case.mentions.len(),
        case.map.nodes.len(),
        case.map.edges.len(),
    );
    if with_report && !case.text.raw().is_empty() {
        let (report, _) = report(case, concepts, false);
        let _ = writeln!(html, "<div><div class=\"report\">{report}</div>");
        push_legend(&mut html, case);
        html.push_str("</div>\n");
    }
    html.push_str("<div class=\"scroll\">\n");
    html.push_str(&svg::render(case, concepts, svg::Place::Fragment(&name)));
    html.push_str("</div>\n</div>\n</div>\n");
    html
}

/// The report with its mentions marked, and which mentions are, by number; in a page of its own
/// (`linked`) with links to the nodes.
fn report(case: &Case, concepts: &dyn ConceptSource, linked: bool) -> (String, Vec<bool>) {
    let raw = case.text.raw();
    let mut node_of: Vec<Option<NodeId>> = vec![None; case.mentions.len()];
    for node in &case.map.nodes {
        for id in &node.mentions {
            if let Some(slot) = node_of.get_mut(id.0 as usize) {
                slot.get_or_insert(node.id);
            }
        }
    }
    let mut mentions: Vec<&Mention> = case
        .mentions
        .iter()
        .filter(|mention| !mention.span.slice(raw).is_empty())
        .collect();
    // The outer before the inner.
    mentions.sort_by_key(|mention| (mention.span.start, std::cmp::Reverse(mention.span.end)));

    let mut out = String::with_capacity(raw.len() * 2);
    let mut marked = vec![false; case.mentions.len()];
    // The marks that are open: where each ends, and whether it is a link.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut at = 0;
    for mention in mentions {
        close(&mut out, raw, &mut at, &mut open, mention.span.start);
        push_text(&mut out, raw, &mut at, mention.span.start);
        let end = open
            .last()
            .map_or(mention.span.end, |(end, _)| mention.span.end.min(*end));
        let node = node_of.get(mention.id.0 as usize).copied().flatten();
        // Links do not nest.
        let link = linked && node.is_some() && open.iter().all(|(_, link)| !link);
        match node.filter(|_| link) {
            Some(node) => {
                let _ = write!(out, "<a href=\"#n{}\"", node.0);
            }
            None => out.push_str("<span"),
        }
        // Numbers may repeat in a case made by hand; ids of a page may not.
        if let Some(slot) = marked.get_mut(mention.id.0 as usize)
            && !std::mem::replace(slot, true)
            && linked
        {
            let _ = write!(out, " id=\"m{}\"", mention.id.0);
        }
        let _ = write!(out, " class=\"{}\" title=\"", classes(mention));
        push_escaped(&mut out, &tooltip(mention, concepts));
        out.push_str("\">");
        open.push((end, link));
    }
    close(&mut out, raw, &mut at, &mut open, raw.len());
    push_text(&mut out, raw, &mut at, raw.len());
    (out, marked)
}

/// Closes the marks that end at or before `until`, with the text up to their ends.
fn close(out: &mut String, raw: &str, at: &mut usize, open: &mut Vec<(usize, bool)>, until: usize) {
    while let Some(&(end, link)) = open.last() {
        if end > until {
            break;
        }
        push_text(out, raw, at, end);
        out.push_str(if link { "</a>" } else { "</span>" });
        open.pop();
    }
}

fn push_text(out: &mut String, raw: &str, at: &mut usize, until: usize) {
    if let Some(text) = raw.get(*at..until) {
        push_escaped(out, text);
        *at = until;
    }
}

const fn kind_class(kind: MentionKind) -> &'static str {
    match kind {
        MentionKind::Disease => "disease",
        MentionKind::Finding => "finding",
        MentionKind::TestItem | MentionKind::TestValue => "test",
        MentionKind::Exam => "exam",
        MentionKind::Drug | MentionKind::Dose | MentionKind::Treatment => "drug",
        MentionKind::Site => "site",
        MentionKind::Time | MentionKind::Change | MentionKind::Feature | MentionKind::Context => "other",
    }
}

fn classes(mention: &Mention) -> String {
    let mut classes = format!("m {}", kind_class(mention.kind));
    classes.push_str(match mention.assertion.status {
        Status::Present => "",
        Status::Absent => " absent",
        Status::Suspected => " suspected",
        Status::Planned => " planned",
        Status::General => " general",
    });
    classes.push_str(match mention.assertion.experiencer {
        Experiencer::Patient => "",
        Experiencer::Family => " family",
        Experiencer::Other => " someone",
    });
    if mention.assertion.time == Temporality::Past {
        classes.push_str(" past");
    }
    classes
}

fn tooltip(mention: &Mention, concepts: &dyn ConceptSource) -> String {
    let mut lines = vec![format!(
        "{} ({})",
        mention_kind_name(mention.kind),
        assertion_words(&mention.assertion)
    )];
    if let Some(concept) = mention.concept.and_then(|id| concepts.concept(id)) {
        lines.push(format!("概念: {}", concept_words(concept)));
    }
    if let Some(value) = &mention.value {
        let words = value_words(value);
        if !words.is_empty() {
            lines.push(format!("値: {words}"));
        }
    }
    lines.join("\n")
}

/// The classes and names of what the report's marks can mean, those that the case has.
fn push_legend(html: &mut String, case: &Case) {
    const LEGEND: [(&str, &str); 14] = [
        ("disease", "疾患・症状"),
        ("finding", "所見"),
        ("test", "検査項目・値"),
        ("exam", "検査"),
        ("drug", "薬剤・用量・治療"),
        ("site", "部位"),
        ("other", "時間・変化・性状・経過"),
        ("absent", "否定"),
        ("suspected", "疑い"),
        ("planned", "予定"),
        ("general", "一般論"),
        ("past", "病名"),
        ("family", "病名"),
        ("someone", "病名"),
    ];
    let used: Vec<String> = case.mentions.iter().map(classes).collect();
    let has = |class: &str| used.iter().any(|classes| classes.split(' ').any(|one| one == class));
    if !LEGEND.iter().any(|(class, _)| has(class)) {
        return;
    }
    html.push_str("<ul class=\"legend\" aria-label=\"凡例\">");
    for (nth, (class, name)) in LEGEND.into_iter().enumerate() {
        if has(class) {
            // The statuses are shown on a disease.
            let kind = if nth < 7 { "" } else { "disease " };
            let _ = write!(html, "<li><span class=\"m {kind}{class}\">{name}</span></li>");
        }
    }
    html.push_str("</ul>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;
    use crate::types::{Assertion, MentionId, Span};

    /// The text of markup: tags dropped, entities read.
    fn text_of(markup: &str) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        for c in markup.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                c if !in_tag => text.push(c),
                _ => {}
            }
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    #[test]
    fn the_report_is_there_to_the_letter() {
        let case = sample::case();
        let (markup, marked) = report(&case, &sample::concepts(), true);
        assert_eq!(text_of(&markup), sample::REPORT);
        assert!(marked.iter().all(|marked| *marked));
        assert_eq!(markup.matches("<a ").count(), markup.matches("</a>").count());
        assert_eq!(markup.matches("<span").count(), markup.matches("</span>").count());
    }

    #[test]
    fn marks_tell_status_and_concept() {
        let (markup, _) = report(&sample::case(), &sample::concepts(), true);
        assert!(markup.contains("class=\"m disease absent\" title=\"疾患・症状 (否定)\">胸痛</span>"));
        assert!(markup.contains("class=\"m disease family\""));
        assert!(markup.contains("class=\"m disease past\""));
        assert!(markup.contains("class=\"m disease suspected\""));
        assert!(markup.contains("値: 696 pg/mL (基準 18.4 以下) 上昇"));
        assert!(markup.contains("概念: 心不全 (D2, ICD-10 I50.9, HP:0001635)"));
        assert!(markup.contains("<a href=\"#n8\" id=\"m0\""));
    }

    #[test]
    fn overlaps_and_broken_spans_keep_the_markup_sound() {
        let mut builder = sample::Builder::new("x", "胸部大動脈瘤破裂の疑い");
        for (start, end) in [(0, 18), (6, 24), (6, 18), (3, 9), (9, 9), (1, 5), (24, 99), (18, 24)] {
            builder.case.mentions.push(Mention {
                id: MentionId(builder.case.mentions.len() as u32),
                span: Span::new(start, end),
                norm: Span::new(start, end),
                text: String::new(),
                kind: MentionKind::Disease,
                assertion: Assertion::default(),
                concept: None,
                modifiers: Vec::new(),
                expansion: None,
                value: None,
                sentence: 9,
                section: 9,
            });
        }
        let (markup, marked) = report(&builder.case, &Vec::new(), true);
        assert_eq!(text_of(&markup), "胸部大動脈瘤破裂の疑い");
        assert_eq!(marked, [true, true, true, true, false, false, false, true]);
        assert_eq!(markup.matches("<span").count(), markup.matches("</span>").count());
    }

    #[test]
    fn nothing_of_the_case_is_markup() {
        let mut builder = sample::Builder::new(
            "<script>alert(1)</script>",
            "<img src=x onerror=\"y\">&amp;\r\n\u{0}  終",
        );
        builder.mention("<img", "<img src=x", MentionKind::Disease, None);
        builder.case.map = crate::types::CaseMap::parse("-<b>\"'&\n").expect("a tree");
        let html = to_html(&builder.case, &Vec::new());
        for bad in ["<script", "<img", "<b>"] {
            assert!(!html.contains(bad), "{bad} is markup");
        }
        assert!(html.contains("&amp;amp;\r\n\u{fffd}  終"));
    }

    #[test]
    fn a_fragment_keeps_to_itself() {
        let case = sample::case();
        let html = to_html_fragment(&case, &sample::concepts());
        assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
        assert_eq!(html.matches("<span").count(), html.matches("</span>").count());
        assert!(html.contains("class=\"m disease absent\"") && html.contains("本文の手がかり「による」"));
        // Two of them in one page share no id, and none links into the other.
        for outside in ["<a ", "id=\"m", "id=\"n", "<script", "<body", ":root", "<html"] {
            assert!(!html.contains(outside), "{outside}");
        }
        let mut other = case;
        other.id = "another".into();
        let other = to_html_fragment(&other, &sample::concepts());
        let head = |html: &str| html.split("<marker id=\"").nth(1).map(|rest| rest[..30].to_owned());
        assert!(head(&html).is_some() && head(&html) != head(&other));
        let empty = to_html_fragment(&sample::empty(), &Vec::new());
        assert!(empty.contains("因果関係の節点はありません") && !empty.contains("class=\"report\""));
    }

    #[test]
    fn a_page_of_nothing() {
        let html = to_html(&sample::empty(), &Vec::new());
        assert!(html.contains("<h1>症例</h1>") && html.ends_with("</html>\n"));
        assert!(!html.contains("<ul"));
    }

    #[test]
    fn the_page_holds_map_and_links() {
        let html = to_html(&sample::case(), &sample::concepts());
        assert!(html.contains("<g id=\"n8\"") && html.contains("<a href=\"#m0\">"));
        assert!(html.contains("主病名: <span class=\"main-disease\">ドキソルビシン心筋症</span>"));
        assert_eq!(html.matches("<svg").count(), 1);
        for outside in ["https://", "src=", "@import", "url(h"] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
