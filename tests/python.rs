//! The Python package: built as a wheel, installed into a virtual environment of its own, and tested
//! there: pytest (docstrings and notebooks are among its tests), stubtest and mypy.
//!
//! It needs `python3` (3.10 or later) with `venv`, and PyPI the first time. The environment is kept
//! under `target/python` and made anew when the requirements change. Where there is no python3 the
//! test says so and passes: the library does not need it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> Output {
    let begun = Instant::now();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    eprintln!("{:6.1} s  {command:?}", begun.elapsed().as_secs_f64());
    output
}

/// Runs a command that has to succeed.
fn pass(command: &mut Command) {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A python3 that is new enough, or what is wrong.
fn python() -> Result<PathBuf, String> {
    let probe = "import sys, venv, ensurepip; print(sys.executable); sys.exit(sys.version_info < (3, 10))";
    match Command::new("python3").args(["-c", probe]).output() {
        Err(_) => Err("there is no python3".into()),
        Ok(output) if !output.status.success() => Err(format!(
            "python3 is older than 3.10 or lacks venv: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).trim().into()),
    }
}

/// The environment's python, with the requirements installed.
fn environment(python: &Path, folder: &Path) -> PathBuf {
    let needed = root().join("python-bindings/requirements-test.txt");
    let clusters = root().join("python-bindings/requirements-clusters.txt");
    let read = |path: &Path| std::fs::read_to_string(path).expect("the requirements are there");
    let wanted = read(&needed) + &read(&clusters);
    let stamp = folder.join("installed.txt");
    let bin = folder.join("venv/bin/python");
    if !bin.exists() || std::fs::read_to_string(&stamp).ok().as_deref() != Some(wanted.as_str()) {
        pass(
            Command::new(python)
                .args(["-m", "venv", "--clear"])
                .arg(folder.join("venv")),
        );
        let install = |requirements: &Path| {
            let mut command = Command::new(&bin);
            command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            command.arg("--requirement").arg(requirements);
            command
        };
        pass(&mut install(&needed));
        // Large, and not to be had for every Python: their tests skip without them.
        if !install(&clusters).status().is_ok_and(|status| status.success()) {
            eprintln!("PySpark or Ray cannot be installed here; the tests of shorei.spark and shorei.ray are skipped");
        }
        std::fs::write(&stamp, wanted).expect("a writable target folder");
    }
    bin
}

#[test]
fn the_package_passes_its_tests() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            eprintln!("skipped: the Python package is not tested, as {reason}");
            return;
        }
    };
    // Beside the builds, so that it shares them and is cleaned with them.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let folder = target.join("python");
    std::fs::create_dir_all(&folder).expect("a writable target folder");
    let python = environment(&python, &folder);
    let package = root().join("python-bindings");
    let wheels = folder.join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);

    pass(
        Command::new(&python)
            .args([
                "-m",
                "maturin",
                "build",
                "--release",
                "--locked",
                "--quiet",
                "--interpreter",
            ])
            .arg(&python)
            .arg("--out")
            .arg(&wheels)
            .env("CARGO_TARGET_DIR", target)
            .current_dir(&package),
    );
    let wheel = std::fs::read_dir(&wheels)
        .expect("a folder of wheels")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .expect("a wheel");
    let megabytes = wheel.metadata().expect("a file").len() as f64 / 1e6;
    eprintln!("{}: {megabytes:.1} MB", wheel.display());
    assert!(megabytes < 60.0, "the wheel has {megabytes:.1} MB");
    assert!(
        wheel.to_string_lossy().contains("abi3"),
        "one wheel for all versions of Python"
    );

    pass(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--force-reinstall",
            ])
            .arg(&wheel),
    );
    let work = folder.join("work");
    std::fs::create_dir_all(&work).expect("a writable target folder");
    pass(
        Command::new(&python)
            .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
            .arg("--rootdir")
            .arg(&package)
            .arg(package.join("tests"))
            .current_dir(&work),
    );
    pass(
        Command::new(&python)
            .args(["-m", "mypy.stubtest", "shorei", "--mypy-config-file"])
            .arg(package.join("pyproject.toml"))
            .arg("--allowlist")
            .arg(package.join("stubtest-allowlist.txt"))
            .current_dir(&work),
    );
    pass(
        Command::new(&python)
            .args(["-m", "mypy", "--config-file"])
            .arg(package.join("pyproject.toml"))
            .arg(package.join("python/shorei"))
            .current_dir(&work),
    );
}
