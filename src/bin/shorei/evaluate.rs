//! `shorei evaluate`.

use std::io::Write;
use std::path::Path;

use shorei::Pipeline;
use shorei::evaluate::{self, CaseEvaluation, MentionScores};
use shorei::export::medtxt;
use unicode_normalization::UnicodeNormalization;

use crate::args::EvaluateArgs;
use crate::input::Failure;

/// Prints the scores; 0 when both files were read.
pub fn run(args: &EvaluateArgs) -> Result<usize, Failure> {
    let pipeline = args.packs.over(Pipeline::load_default()?)?;
    let gold = evaluate::read_trees(&args.gold)?;
    let predicted = evaluate::read_trees(&args.predicted)?;
    let same = |a: &str, b: &str| pipeline.lexicon().same_concept(a, b);
    let evaluation = evaluate::evaluate(&gold, &predicted, &same);
    let mentions = args
        .mentions
        .as_deref()
        .map(|gold| mention_scores(gold, args.predicted_mentions.as_deref().unwrap_or(&args.predicted)))
        .transpose()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        let value = serde_json::json!({ "trees": evaluation, "mentions": mentions });
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        return Ok(0);
    }
    if args.errors {
        for case in &evaluation.cases {
            print_errors(&mut out, case)?;
        }
    }
    write!(out, "{evaluation}")?;
    if let Some(mentions) = mentions {
        writeln!(
            out,
            "mentions  exact F1 {:.3}  partial F1 {:.3} (recall {:.3}, precision {:.3})",
            mentions.exact.micro.f1,
            mentions.partial.micro.f1,
            mentions.partial.micro.recall,
            mentions.partial.micro.precision
        )?;
    }
    out.flush()?;
    Ok(0)
}

fn print_errors(out: &mut impl Write, case: &CaseEvaluation) -> std::io::Result<()> {
    writeln!(
        out,
        "## {}  node F1 {:.2}  edge F1 {:.2}",
        case.id, case.node.f1, case.edge.f1
    )?;
    if case.primary_matched != Some(true) {
        writeln!(
            out,
            "  primary: gold {}, predicted {}",
            case.primary_gold, case.primary_predicted
        )?;
    }
    for label in &case.missed {
        writeln!(out, "  missed    {label}")?;
    }
    for label in &case.spurious {
        writeln!(out, "  spurious  {label}")?;
    }
    for wrong in &case.wrong_parents {
        let name = |parent: &Option<String>| parent.clone().unwrap_or_else(|| "(root)".into());
        writeln!(
            out,
            "  parent    {}: gold {}, predicted {}",
            wrong.node,
            name(&wrong.gold),
            name(&wrong.predicted)
        )?;
    }
    writeln!(out)
}

/// Scores the present diseases and findings of the predicted cases against sets of strings. Either
/// file may be MedTxt XML.
fn mention_scores(gold: &Path, predicted: &Path) -> Result<MentionScores, Failure> {
    let gold = if is_xml(gold) {
        medtxt_sets(gold)?
    } else {
        evaluate::read_mention_sets(gold, &nfkc)?
    };
    if is_xml(predicted) {
        return Ok(evaluate::mention_scores(&gold, &medtxt_sets(predicted)?));
    }
    let text = std::fs::read_to_string(predicted)?;
    let mut sets = Vec::new();
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line)?;
        let mentions = case["mentions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let strings = mentions
            .iter()
            .filter(|mention| {
                matches!(mention["kind"].as_str(), Some("disease" | "finding"))
                    && mention["assertion"]["status"] == "present"
                    && mention["assertion"]["experiencer"] == "patient"
            })
            .filter_map(|mention| mention["text"].as_str().map(nfkc))
            .collect();
        sets.push((case["id"].as_str().unwrap_or_default().to_owned(), strings));
    }
    Ok(evaluate::mention_scores(&gold, &sets))
}

fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

fn is_xml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

/// The positive diseases of each article.
fn medtxt_sets(path: &Path) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let articles = medtxt::read(path)?;
    let sets = articles.into_iter().map(|article| {
        let strings = article.positive_diseases().into_iter().map(nfkc).collect();
        (article.id, strings)
    });
    Ok(sets.collect())
}
