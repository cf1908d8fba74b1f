//! How fast an index answers three findings: prints the time of queries, the processor time that they
//! take, and the memory of the process.
//!
//!     cargo run --release --example search_scale -- cases.index [QUERIES]
//!
//! The queries are the same at every run: three findings of a case of the index, as `generate_cases`
//! names them, and three of the findings that physicians ask for most often, which most cases have.

use std::time::Instant;

use shorei::Pipeline;
use shorei::search::{CaseIndex, Query};

/// Frequent findings: long postings, the worst case of a scan.
const COMMON: [&str; 32] = [
    "発熱",
    "倦怠感",
    "腹痛",
    "頭痛",
    "呼吸困難",
    "咳嗽",
    "胸痛",
    "嘔吐",
    "下痢",
    "意識障害",
    "皮疹",
    "関節痛",
    "浮腫",
    "体重減少",
    "リンパ節腫脹",
    "黄疸",
    "血小板/低下",
    "白血球/上昇",
    "CRP/上昇",
    "Hb/低下",
    "AST/上昇",
    "LDH/上昇",
    "クレアチニン/上昇",
    "Na/低下",
    "K/上昇",
    "血糖/上昇",
    "血圧/低下",
    "貧血",
    "けいれん",
    "しびれ",
    "動悸",
    "血尿",
];

/// Three of [`COMMON`], by the number of the query.
fn common(number: u64) -> String {
    let count = COMMON.len() as u64;
    let first = number % count;
    let second = (first + 1 + number / count % (count - 1)) % count;
    let third = (first + second + 3 + number % 7) % count;
    let mut three = vec![first, second, third];
    // Where the third is one of the others, the next that is not.
    while three[2] == first || three[2] == second {
        three[2] = (three[2] + 1) % count;
    }
    let names: Vec<&str> = three.into_iter().map(|at| COMMON[at as usize]).collect();
    names.join(" ")
}

/// Processor time of this process so far, in seconds; 0 where it cannot be told.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; user and system time are the 12th and 13th after it.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks = after.split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Resident memory in MB: now, and of that what is the process's own and no file.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.unwrap_or_default() / 1024
    };
    (of("VmRSS:"), of("RssAnon:"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: search_scale INDEX [QUERIES]")?;
    let queries: u64 = arguments.next().map_or(Ok(200), |count| count.parse())?;
    let pipeline = Pipeline::load_default()?;
    let (_, before) = memory();
    let started = Instant::now();
    let index = CaseIndex::open(path.as_ref(), pipeline.shared_lexicon())?;
    let took = 1e3 * started.elapsed().as_secs_f64();
    let info = index.info()?;
    println!(
        "{} cases, {:.1} MB, {} segments, opened in {took:.0} ms",
        info.cases,
        info.bytes as f64 / 1e6,
        info.segments
    );
    let mut of_cases = Vec::new();
    for number in 0..queries {
        // Every so many cases of the index, as `generate_cases` names them.
        let id = format!("g{:07}", number * info.cases / queries);
        let Some(entry) = index.case(&id)? else { continue };
        let nodes = entry.map.nodes.iter().skip(1);
        let labels: Vec<String> = nodes.map(|node| node.label.to_string()).collect();
        let step = (labels.len() / 3).max(1);
        let three: Vec<&str> = labels.iter().step_by(step).take(3).map(String::as_str).collect();
        if three.len() == 3 {
            of_cases.push(Query::parse(&three.join(" "), &pipeline)?);
        }
    }
    let of_physicians = (0..queries)
        .map(|number| Query::parse(&common(number), &pipeline))
        .collect::<Result<Vec<_>, _>>()?;
    for (what, asked) in [("of a case", of_cases), ("common", of_physicians)] {
        for (name, cases) in [("diseases", false), ("cases", true)] {
            // The first round reads files into memory and works out the findings' likelihoods.
            for round in ["first", "again"] {
                let mut times = Vec::new();
                let mut found = 0;
                let processor = processor_seconds();
                for query in &asked {
                    let started = Instant::now();
                    found += if cases {
                        index.cases(query, 10)?.len()
                    } else {
                        index.diseases(query, 20)?.diseases.len()
                    };
                    times.push(1e3 * started.elapsed().as_secs_f64());
                }
                let processor = 1e3 * (processor_seconds() - processor) / times.len().max(1) as f64;
                times.sort_by(f64::total_cmp);
                let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied();
                println!(
                    "{name} by three findings, {what}, {round}: p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms, \
                     processor {processor:.1} ms; {} queries, {found} found",
                    at(0.5).unwrap_or_default(),
                    at(0.95).unwrap_or_default(),
                    times.last().copied().unwrap_or_default(),
                    times.len()
                );
            }
        }
    }
    let (resident, own) = memory();
    println!("resident {resident} MB, of it {own} MB own ({before} MB before the index was opened)");
    Ok(())
}
