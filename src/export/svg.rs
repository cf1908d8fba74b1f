//! Case maps as pictures, laid out here: causes on the left, effects to their right.
//!
//! Every subtree has a horizontal band of its own, so that boxes and edges of different subtrees
//! never cross. Styles are within the file, light and dark; there are no scripts and no links to
//! anything outside.

use std::fmt::Write as _;

use super::{ConceptSource, Look, RELATION_KINDS, edge_tooltip, looks, node_tooltip, push_escaped, relation_name};
use crate::types::{Case, Node, NodeId};

/// Size of the letters, in px: 1 em.
const EM: f64 = 13.0;
const LINE_HEIGHT: f64 = 18.0;
/// The widest line of a label, in em; longer labels are folded.
const LINE_EM: f64 = 14.0;
/// The most lines of a label; what is left is in the tooltip.
const MAX_LINES: usize = 5;
const PADDING_X: f64 = 11.0;
const PADDING_Y: f64 = 6.0;
/// Between two columns, where the edges curve.
const COLUMN_GAP: f64 = 38.0;
/// Between two boxes of one parent.
const ROW_GAP: f64 = 10.0;
const MARGIN: f64 = 14.0;
/// The least scale of a picture in a page; below that it scrolls.
const LEAST_SCALE: f64 = 0.78;

/// The style sheet. Plain rules rather than variables, for viewers other than browsers.
pub(super) const STYLE: &str = "\
.case-map{font-family:'Hiragino Sans','Noto Sans CJK JP','Noto Sans JP','Yu Gothic UI','Meiryo',sans-serif;font-size:13px}
.case-map .paper{fill:#fff}
.case-map text{fill:#1f2328}
.case-map a{cursor:pointer}
.case-map .box{stroke-width:1.3}
.case-map .disease .box{fill:#fdeceb;stroke:#b42318}
.case-map .finding .box{fill:#fff4df;stroke:#b06000}
.case-map .result .box{fill:#e8f1fd;stroke:#1d5fbf}
.case-map .exam .box{fill:#e4f5f2;stroke:#0f766e}
.case-map .history .box{fill:#f1ebfb;stroke:#6d3fc0}
.case-map .primary .box{fill:#b42318;stroke:#7a1610;stroke-width:2.6}
.case-map .primary text{fill:#fff;font-weight:700}
.case-map .inferred .box{stroke-dasharray:5 3.5}
.case-map .inferred text{font-style:italic}
.case-map .edge path{fill:none;stroke:#6b7280;stroke-width:1.5}
.case-map .edge path.hit{stroke:transparent;stroke-width:12}
.case-map .edge:hover path.line{stroke:#111827;stroke-width:2.6}
.case-map .node:hover .box,.case-map .node:target .box{stroke-width:3}
.case-map .edge.causes path.line{stroke-width:2.6}
.case-map .edge.evidenced_by path.line{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:2}
.case-map .edge.complicates path.line{stroke-dasharray:9 3 2 3}
.case-map .edge.predisposes path.line,.case-map .edge.treated_by path.line{stroke-dasharray:7 4}
.case-map .head{fill:#6b7280}
.case-map .legend text{font-size:11px;fill:#4b5563;font-weight:400;font-style:normal}
.case-map .rule{stroke:#d1d5db}
";

/// The rules on top of [`STYLE`] on dark ground.
pub(super) const DARK_STYLE: &str = "\
.case-map .paper{fill:#15181d}
.case-map text{fill:#e6e8eb}
.case-map .disease .box{fill:#3b1a18;stroke:#f08a80}
.case-map .finding .box{fill:#37290f;stroke:#e5ad54}
.case-map .result .box{fill:#15273f;stroke:#7db0f5}
.case-map .exam .box{fill:#0f2f2b;stroke:#5cc7b8}
.case-map .history .box{fill:#291d40;stroke:#b99af0}
.case-map .primary .box{fill:#e0685c;stroke:#ffd9d4}
.case-map .primary text{fill:#190504}
.case-map .edge path:not(.hit){stroke:#8b93a1}
.case-map .edge:hover path.line{stroke:#fff}
.case-map .head{fill:#8b93a1}
.case-map .legend text{fill:#aab1bd}
.case-map .rule{stroke:#3a404a}
";

/// The case map as a self-contained SVG file with a legend.
///
/// Tooltips (`<title>`) carry concepts, codes and evidence. O(n) in the length of the labels and
/// the number of edges.
pub fn to_svg(case: &Case, concepts: &dyn ConceptSource) -> String {
    let mut svg = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    svg.push_str(&render(case, concepts, Place::File));
    svg
}

/// Where a picture stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    /// In a file of its own.
    File,
    /// In a page that marks mentions as `#m0`, `#m1`, …, which of them by number: nodes are links
    /// to the first of theirs.
    Page(&'p [bool]),
    /// In a page with others of its kind, which brings [`STYLE`] and [`DARK_STYLE`]; the text sets
    /// its ids apart.
    Fragment(&'p str),
}

/// The picture alone.
pub(super) fn render(case: &Case, concepts: &dyn ConceptSource, place: Place<'_>) -> String {
    let marked = match place {
        Place::Page(marked) => Some(marked),
        Place::File | Place::Fragment(_) => None,
    };
    let head = match place {
        Place::File | Place::Page(_) => "case-map-head".to_owned(),
        Place::Fragment(name) => format!("case-map-head-{name}"),
    };
    let layout = Layout::of(case);
    let looks = looks(case, concepts);
    let legend = Legend::of(case, &looks, layout.width);
    let (width, height) = (layout.width.max(legend.width), layout.height + legend.height);

    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"case-map\" role=\"img\" lang=\"ja\" \
         width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\""
    );
    if !matches!(place, Place::File) {
        // A page shrinks the picture to its column, as far as the letters stay readable.
        let _ = write!(svg, " style=\"min-width:{:.0}px\"", width * LEAST_SCALE);
    }
    svg.push_str(">\n<title>");
    push_escaped(&mut svg, &title(case));
    svg.push_str("</title>\n");
    if !matches!(place, Place::Fragment(_)) {
        let _ = writeln!(
            svg,
            "<style>{STYLE}@media (prefers-color-scheme:dark){{\n{DARK_STYLE}}}\n</style>"
        );
    }
    let _ = write!(
        svg,
        "<defs><marker id=\"{head}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
         <path class=\"head\" d=\"M0 0.5 8 4 0 7.5z\"/></marker></defs>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
    );
    if layout.boxes.is_empty() {
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{:.1}\">因果関係の節点はありません</text>",
            MARGIN + EM
        );
    }
    for edge in &case.map.edges {
        let (Some(from), Some(to)) = (layout.find(edge.source), layout.find(edge.target)) else {
            continue;
        };
        let _ = write!(svg, "<g class=\"edge {}\"><title>", edge.kind.name());
        push_escaped(
            &mut svg,
            &edge_tooltip(case, edge.source, edge.target, edge.kind, &edge.why),
        );
        let path = edge_path(from, to, layout.column_end(from));
        let _ = writeln!(
            svg,
            "</title><path class=\"hit\" d=\"{path}\"/>\
             <path class=\"line\" d=\"{path}\" marker-end=\"url(#{head})\"/></g>"
        );
    }
    for shape in &layout.boxes {
        let node = case.map.node(shape.id);
        svg.push_str("<g");
        if marked.is_some() || matches!(place, Place::File) {
            let _ = write!(svg, " id=\"n{}\"", shape.id.0);
        }
        let _ = write!(svg, " class=\"node {}", looks[shape.id.0 as usize].class());
        if case.map.primary == Some(shape.id) {
            svg.push_str(" primary");
        }
        if node.inferred {
            svg.push_str(" inferred");
        }
        svg.push_str("\"><title>");
        push_escaped(&mut svg, &node_tooltip(case, concepts, node));
        svg.push_str("</title>");
        let target = marked.and_then(|marked| first_marked(node, marked));
        if let Some(mention) = target {
            let _ = write!(svg, "<a href=\"#m{mention}\">");
        }
        push_box(&mut svg, shape);
        if target.is_some() {
            svg.push_str("</a>");
        }
        svg.push_str("</g>\n");
    }
    legend.push(&mut svg, layout.height, width, &head);
    svg.push_str("</svg>\n");
    svg
}

fn title(case: &Case) -> String {
    let primary = case.primary();
    match (case.id.is_empty(), primary.is_empty()) {
        (true, true) => "症例の因果マップ".to_owned(),
        (true, false) => format!("因果マップ: {primary}"),
        (false, true) => format!("{} の因果マップ", case.id),
        (false, false) => format!("{} の因果マップ: {primary}", case.id),
    }
}

/// The mention that a node is linked to.
fn first_marked(node: &Node, marked: &[bool]) -> Option<u32> {
    node.mentions
        .iter()
        .map(|id| id.0)
        .find(|&id| marked.get(id as usize).copied().unwrap_or(false))
}

/// A node's box, in px; `y` is its middle.
struct Shape {
    id: NodeId,
    depth: usize,
    lines: Vec<String>,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

struct Layout {
    /// In the order of the tree.
    boxes: Vec<Shape>,
    /// Index into `boxes` by node.
    index: Vec<Option<usize>>,
    columns: Vec<Column>,
    width: f64,
    height: f64,
}

#[derive(Clone, Copy, Default)]
struct Column {
    x: f64,
    width: f64,
}

impl Layout {
    fn of(case: &Case) -> Self {
        let map = &case.map;
        let mut index = vec![None; map.nodes.len()];
        let mut boxes: Vec<Shape> = Vec::with_capacity(map.nodes.len());
        for (id, depth) in map.preorder() {
            let slot = &mut index[id.0 as usize];
            // A node with two parents is no case map: it is drawn once.
            if slot.is_some() {
                continue;
            }
            *slot = Some(boxes.len());
            let lines = fold(&map.node(id).label.to_string());
            let widest = lines.iter().map(|line| width_em(line)).fold(2.0, f64::max);
            boxes.push(Shape {
                id,
                depth,
                width: widest * EM + 2.0 * PADDING_X,
                height: lines.len() as f64 * LINE_HEIGHT + 2.0 * PADDING_Y,
                lines,
                x: 0.0,
                y: 0.0,
            });
        }

        let mut columns: Vec<Column> = Vec::new();
        for shape in &boxes {
            if columns.len() <= shape.depth {
                columns.resize(shape.depth + 1, Column::default());
            }
            let column = &mut columns[shape.depth];
            column.width = column.width.max(shape.width);
        }
        let mut x = MARGIN;
        for column in &mut columns {
            column.x = x;
            x += column.width + COLUMN_GAP;
        }
        for shape in &mut boxes {
            shape.x = columns[shape.depth].x;
        }

        // In the order of the tree, the parent is the last box before that is one level up.
        let mut parents: Vec<Option<usize>> = Vec::with_capacity(boxes.len());
        let mut path: Vec<usize> = Vec::new();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); boxes.len()];
        for (at, shape) in boxes.iter().enumerate() {
            path.truncate(shape.depth);
            let parent = path.last().copied();
            parents.push(parent);
            if let Some(parent) = parent {
                children[parent].push(at);
            }
            path.push(at);
        }

        // Bands: bottom up their heights, top down their tops, bottom up the middles of the boxes.
        let gap = |children: &[Vec<usize>], above: usize, below: usize| {
            // Subtrees stand further apart than leaves.
            let leaves = children[above].is_empty() && children[below].is_empty();
            if leaves { ROW_GAP } else { 1.8 * ROW_GAP }
        };
        let stacked = |children: &[Vec<usize>], bands: &[f64], items: &[usize]| -> f64 {
            let heights: f64 = items.iter().map(|&item| bands[item]).sum();
            let gaps: f64 = items.windows(2).map(|pair| gap(children, pair[0], pair[1])).sum();
            heights + gaps
        };
        let mut bands = vec![0.0_f64; boxes.len()];
        for at in (0..boxes.len()).rev() {
            bands[at] = boxes[at].height.max(stacked(&children, &bands, &children[at]));
        }
        let roots: Vec<usize> = (0..boxes.len()).filter(|&at| parents[at].is_none()).collect();
        let mut tops = vec![0.0_f64; boxes.len()];
        let place = |tops: &mut [f64], items: &[usize], mut top: f64| {
            for (nth, &item) in items.iter().enumerate() {
                if nth > 0 {
                    top += gap(&children, items[nth - 1], item);
                }
                tops[item] = top;
                top += bands[item];
            }
        };
        place(&mut tops, &roots, MARGIN);
        for at in 0..boxes.len() {
            let slack = bands[at] - stacked(&children, &bands, &children[at]);
            let top = tops[at] + slack / 2.0;
            place(&mut tops, &children[at], top);
        }
        for at in (0..boxes.len()).rev() {
            let middle = match (children[at].first(), children[at].last()) {
                (Some(&first), Some(&last)) => (boxes[first].y + boxes[last].y) / 2.0,
                _ => tops[at] + bands[at] / 2.0,
            };
            let half = boxes[at].height / 2.0;
            // Never outside the band: a box higher than its subtree has the band for itself.
            boxes[at].y = middle.min(tops[at] + bands[at] - half).max(tops[at] + half);
        }

        let height = if roots.is_empty() {
            2.0 * MARGIN + LINE_HEIGHT
        } else {
            stacked(&children, &bands, &roots) + 2.0 * MARGIN
        };
        let width = columns.last().map_or(240.0, |column| column.x + column.width + MARGIN);
        Layout {
            boxes,
            index,
            columns,
            width,
            height,
        }
    }

    fn find(&self, id: NodeId) -> Option<&Shape> {
        let at = (*self.index.get(id.0 as usize)?)?;
        self.boxes.get(at)
    }

    /// Where the column of a box ends, in px.
    fn column_end(&self, shape: &Shape) -> f64 {
        let column = self.columns[shape.depth];
        column.x + column.width
    }
}

/// A line from the right of the cause to the left of the effect: straight to the end of the
/// cause's column, then a curve, so that it passes no box of that column.
fn edge_path(from: &Shape, to: &Shape, column_end: f64) -> String {
    let (start, end) = (from.x + from.width, to.x);
    let middle = (column_end + end) / 2.0;
    format!(
        "M{start:.1} {y0:.1}H{column_end:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {end:.1} {y1:.1}",
        y0 = from.y,
        y1 = to.y
    )
}

fn push_box(svg: &mut String, shape: &Shape) {
    let top = shape.y - shape.height / 2.0;
    let _ = write!(
        svg,
        "<rect class=\"box\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"7\"/><text>",
        shape.x, shape.width, shape.height
    );
    for (nth, line) in shape.lines.iter().enumerate() {
        // 0.37 em below the middle of the line is where the foot of CJK letters stands.
        let y = top + PADDING_Y + (nth as f64 + 0.5) * LINE_HEIGHT + 0.37 * EM;
        let _ = write!(svg, "<tspan x=\"{:.1}\" y=\"{y:.1}\">", shape.x + PADDING_X);
        push_escaped(svg, line);
        svg.push_str("</tspan>");
    }
    svg.push_str("</text>");
}

/// Width of a character in em: full-width 1, half-width 0.55, combining marks none.
fn char_em(c: char) -> f64 {
    match u32::from(c) {
        0x0300..=0x036f | 0x3099..=0x309a | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0.0,
        // Half-width katakana, half-width symbols.
        0xff61..=0xffdc | 0xffe8..=0xffee => 0.55,
        0x0000..=0x10ff | 0x1e00..=0x2013 | 0x2070..=0x20ff => 0.55,
        _ => 1.0,
    }
}

/// Width of a text in em. Bold and capitals are a little wider than half-width letters on
/// average; the padding of the box takes that up.
fn width_em(text: &str) -> f64 {
    text.chars().map(char_em).sum()
}

/// Marks that do not start a line.
fn hangs(c: char) -> bool {
    "、。，．,.:;)）]］」』】〉》〕ー〜々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%％/=@".contains(c)
}

/// Folds a label into lines of at most [`LINE_EM`], about equally long: after the `=` or `@` of
/// the notation, and between full-width characters and words.
fn fold(label: &str) -> Vec<String> {
    if width_em(label) <= LINE_EM {
        return vec![label.to_owned()];
    }
    let parts = match label.find(['=', '@']) {
        Some(at) => [&label[..=at], &label[at + 1..]],
        None => [label, ""],
    };
    let mut lines: Vec<String> = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .flat_map(fold_part)
        .collect();
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

fn fold_part(part: &str) -> Vec<String> {
    let pieces = pieces(part);
    let loose = fill(&pieces, LINE_EM);
    // As few lines as can be, then as short as they can be.
    let mut limit = (width_em(part) / loose.len() as f64).ceil();
    while limit < LINE_EM {
        let even = fill(&pieces, limit);
        if even.len() <= loose.len() {
            return even;
        }
        limit += 1.0;
    }
    loose
}

fn fill(pieces: &[String], limit: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut line_em = 0.0;
    for piece in pieces {
        let piece_em = width_em(piece);
        if line_em > 0.0 && line_em + piece_em > limit {
            lines.push(String::new());
            line_em = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(piece);
        }
        line_em += piece_em;
    }
    lines
}

/// What a line is not broken within: half-width words, and a character with the marks after it.
fn pieces(label: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in label.chars() {
        let narrow = char_em(c) < 1.0 && !c.is_whitespace();
        let joins = (narrow && in_word) || hangs(c) || char_em(c) == 0.0;
        match pieces.last_mut() {
            // A word longer than a line is broken all the same.
            Some(piece) if joins && width_em(piece) + 1.0 <= LINE_EM => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        in_word = narrow && !matches!(c, '/' | '=' | '@');
    }
    pieces
}

const LEGEND_EM: f64 = 11.0;
const LEGEND_ROW: f64 = 22.0;

/// What the colours and lines mean, of those that the map has.
struct Legend {
    /// `(x, row, what)`.
    items: Vec<(f64, usize, Sample)>,
    width: f64,
    height: f64,
}

enum Sample {
    Box { classes: String, name: &'static str },
    Line { class: &'static str, name: &'static str },
}

impl Sample {
    fn name(&self) -> &'static str {
        match self {
            Sample::Box { name, .. } | Sample::Line { name, .. } => name,
        }
    }

    /// Width of the sample before its name, in px.
    fn picture(&self) -> f64 {
        match self {
            Sample::Box { .. } => 20.0,
            Sample::Line { .. } => 34.0,
        }
    }
}

impl Legend {
    fn of(case: &Case, looks: &[Look], map_width: f64) -> Self {
        let room = map_width.max(460.0) - MARGIN;
        let mut boxes = Vec::new();
        if case.map.primary.is_some() {
            boxes.push(Sample::Box {
                classes: "disease primary".into(),
                name: "主病名",
            });
        }
        for look in Look::ALL {
            if looks.contains(&look) {
                boxes.push(Sample::Box {
                    classes: look.class().into(),
                    name: look.name(),
                });
            }
        }
        if let Some(node) = case.map.nodes.iter().find(|node| node.inferred) {
            let classes = format!("{} inferred", looks[node.id.0 as usize].class());
            boxes.push(Sample::Box {
                classes, name: "推定"
            });
        }
        let lines: Vec<Sample> = RELATION_KINDS
            .into_iter()
            .filter(|&kind| case.map.edges.iter().any(|edge| edge.kind == kind))
            .map(|kind| Sample::Line {
                class: kind.name(),
                name: relation_name(kind),
            })
            .collect();

        let mut items = Vec::new();
        let mut rows = 0;
        let mut width = 0.0_f64;
        for group in [boxes, lines] {
            let mut x = MARGIN;
            let starts = items.len();
            for sample in group {
                let sample_width = sample.picture() + 6.0 + width_em(sample.name()) * LEGEND_EM + 16.0;
                if x > MARGIN && x + sample_width > room {
                    x = MARGIN;
                    rows += 1;
                }
                items.push((x, rows, sample));
                x += sample_width;
                width = width.max(x);
            }
            if items.len() > starts {
                rows += 1;
            }
        }
        let height = if rows == 0 {
            0.0
        } else {
            rows as f64 * LEGEND_ROW + MARGIN
        };
        Legend { items, width, height }
    }

    fn push(&self, svg: &mut String, top: f64, width: f64, head: &str) {
        if self.items.is_empty() {
            return;
        }
        let _ = writeln!(
            svg,
            "<g class=\"legend\"><path class=\"rule\" d=\"M{MARGIN} {top:.1}H{:.1}\"/>",
            width - MARGIN
        );
        for (x, row, sample) in &self.items {
            let middle = top + 4.0 + (*row as f64 + 0.5) * LEGEND_ROW;
            match sample {
                Sample::Box { classes, .. } => {
                    let _ = write!(
                        svg,
                        "<g class=\"{classes}\"><rect class=\"box\" x=\"{x:.1}\" y=\"{:.1}\" \
                         width=\"20\" height=\"12\" rx=\"4\"/></g>",
                        middle - 6.0
                    );
                }
                Sample::Line { class, .. } => {
                    let _ = write!(
                        svg,
                        "<g class=\"edge {class}\"><path class=\"line\" d=\"M{x:.1} {middle:.1}h33\" \
                         marker-end=\"url(#{head})\"/></g>"
                    );
                }
            }
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + sample.picture() + 6.0,
                middle + 4.0,
                sample.name()
            );
        }
        svg.push_str("</g>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;
    use crate::types::CaseMap;

    fn layout(tree: &str) -> Layout {
        let mut case = sample::empty();
        case.map = CaseMap::parse(tree).expect("a tree of the test");
        Layout::of(&case)
    }

    fn assert_apart(layout: &Layout) {
        for (nth, a) in layout.boxes.iter().enumerate() {
            assert!(a.x >= 0.0 && a.x + a.width <= layout.width);
            assert!(a.y - a.height / 2.0 >= 0.0 && a.y + a.height / 2.0 <= layout.height);
            for b in &layout.boxes[nth + 1..] {
                let beside = a.x + a.width <= b.x || b.x + b.width <= a.x;
                let over = (a.y - b.y).abs() * 2.0 >= a.height + b.height;
                assert!(beside || over, "{:?} and {:?} overlap", a.lines, b.lines);
            }
        }
    }

    #[test]
    fn boxes_never_overlap() {
        assert_apart(&Layout::of(&sample::case()));
        let long = "非常に長い所見の記載".repeat(9);
        assert_apart(&layout(&format!(
            "-{long}\n  -咳\n-肺炎\n  -{long}\n  -発熱\n    -悪寒\n      -{long}\n-痰\n"
        )));
        assert_apart(&layout(""));
    }

    #[test]
    fn a_deep_tree_is_no_trouble() {
        let tree: String = (0..500)
            .map(|depth| format!("{:indent$}-熱\n", "", indent = depth * 2))
            .collect();
        let layout = layout(&tree);
        assert_eq!(layout.boxes.len(), 500);
        assert!(
            layout
                .boxes
                .iter()
                .all(|shape| (shape.y - layout.boxes[0].y).abs() < 1e-6)
        );
    }

    #[test]
    fn labels_fold_without_loss() {
        for label in [
            "胸部造影CT=両側下葉背側優位のすりガラス影と網状影",
            "抗好中球細胞質ミエロペルオキシダーゼ抗体/陽性",
            "aVeryLongLatinWordThatHasNoPlaceToBreakAtAll=x",
            "CT=肺門部リンパ節腫大(両側)、縦隔リンパ節腫大、",
        ] {
            let lines = fold(label);
            assert_eq!(lines.concat(), label);
            assert!(lines.iter().all(|line| width_em(line) <= LINE_EM + 2.0), "{lines:?}");
            assert!(
                lines.iter().skip(1).all(|line| !line.starts_with(['、', ')', '/'])),
                "{lines:?}"
            );
        }
        let cut = fold(&"浮腫".repeat(100));
        assert_eq!(cut.len(), MAX_LINES);
        assert!(cut[MAX_LINES - 1].ends_with('…'));
        assert_eq!(fold(""), [""]);
    }

    #[test]
    fn widths() {
        assert_eq!(width_em("浮腫"), 2.0);
        assert!((width_em("BNP") - 1.65).abs() < 1e-9);
        assert_eq!(width_em("か\u{3099}"), 1.0);
    }

    #[test]
    fn the_sample_has_every_part() {
        let svg = to_svg(&sample::case(), &sample::concepts());
        assert_eq!(svg.matches("class=\"node ").count(), 11);
        assert_eq!(svg.matches("class=\"hit\"").count(), 10);
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        assert!(svg.contains("class=\"node disease primary\""));
        assert!(svg.contains("class=\"node disease inferred\""));
        assert!(svg.contains("症例&lt;1&gt;"));
        assert!(svg.contains("本文の手がかり「による」"));
        assert!(!svg.contains("<script") && !svg.contains("NaN"));
        assert!(!svg.contains("<a "), "a file by itself has nothing to link to");
        assert!(to_svg(&sample::empty(), &Vec::new()).contains("因果関係の節点はありません"));
    }
}
