//! What a panic says: where, and nothing of the report.

use std::process::Command;

/// Begins what must not be seen.
const SECRET: &str = "秘密の本文";

#[test]
#[ignore = "the other test runs it, in a process of its own"]
fn a_fault_that_quotes_the_report() {
    shorei::error::hide_panic_messages();
    let report = std::hint::black_box(SECRET.repeat(10));
    // Within a character: the message that the standard library makes of this quotes the string.
    let _ = std::hint::black_box(&report[1..]);
}

#[test]
fn a_panic_says_where_and_not_what() {
    let itself = std::env::current_exe().expect("a test has a file");
    let run = |variable: &str| {
        Command::new(&itself)
            .args(["--ignored", "--exact", "a_fault_that_quotes_the_report", "--nocapture"])
            .env("RUST_BACKTRACE", variable)
            .output()
            .expect("the test starts")
    };
    for variable in ["0", "1"] {
        let output = run(variable);
        assert!(!output.status.success(), "it panics");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("tests/panics.rs:"), "{told}");
        assert!(!told.contains('秘'), "{told}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains('秘'));
    }
}
