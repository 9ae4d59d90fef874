//! The jobs of continuous integration and what they run.
//!
//! A scan of the file's own style (two spaces a level, `run:` lines), not a YAML parser: a job that
//! the scan cannot see is a fault, so a change of style is noticed.

use std::collections::BTreeMap;

use super::test_name::{Stage, Target, Test};

/// Where the jobs are written.
pub(crate) const FILE: &str = ".github/workflows/ci.yml";

/// The jobs by their keys.
#[derive(Debug, Default)]
pub(crate) struct Workflow {
    jobs: BTreeMap<String, Job>,
}

/// One job.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// Simple commands, split at `&&`, `;` and line ends.
    commands: Vec<String>,
    /// Never runs, or its failure does not count.
    is_idle: bool,
}

impl Workflow {
    /// Reads the workflow.
    pub(crate) fn parse(text: &str) -> Self {
        let mut workflow = Self::default();
        let mut lines = text.lines().peekable();
        let mut in_jobs = false;
        let mut key = String::new();
        while let Some(line) = lines.next() {
            let body = line.trim();
            if body.is_empty() || body.starts_with('#') {
                continue;
            }
            match indent(line) {
                0 => in_jobs = body == "jobs:",
                2 if in_jobs => {
                    body.trim_end_matches(':').clone_into(&mut key);
                    workflow.jobs.insert(key.clone(), Job::default());
                }
                deep if in_jobs => {
                    let Some(job) = workflow.jobs.get_mut(&key) else {
                        continue;
                    };
                    if deep == 4 && is_idle(body) {
                        job.is_idle = true;
                    }
                    let item = body.strip_prefix("- ").unwrap_or(body);
                    let Some(value) = item.strip_prefix("run:") else {
                        continue;
                    };
                    // The lines of a block stand deeper than its key.
                    let key_at = indent(line) + body.len() - item.len();
                    let mut script = value.trim().to_owned();
                    if script.starts_with(['|', '>']) {
                        script.clear();
                        while let Some(next) =
                            lines.next_if(|next| next.trim().is_empty() || indent(next) > key_at)
                        {
                            script.push_str(next.trim());
                            script.push('\n');
                        }
                    }
                    job.commands.extend(commands(&script));
                }
                _ => {}
            }
        }
        workflow
    }

    pub(crate) fn job(&self, key: &str) -> Option<&Job> {
        self.jobs.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.jobs.keys().map(String::as_str)
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_idle(line: &str) -> bool {
    let words = line.replace(['$', '{', '}', ' '], "");
    matches!(words.as_str(), "if:false" | "continue-on-error:true")
}

fn commands(script: &str) -> Vec<String> {
    script
        .replace("\\\n", " ")
        .replace("&&", "\n")
        .replace(';', "\n")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

impl Job {
    /// Whether a failure of the test fails the job.
    pub(crate) fn runs(&self, test: &Test) -> bool {
        !self.is_idle
            && self.commands.iter().any(|command| {
                // `… || true` cannot fail.
                !command.contains("||")
                    && (runs_stage(command, test.stage()) || runs_binary(command, test))
            })
    }
}

/// `.ci/run a b`, `cargo xtask test a b`; without a stage named, all run.
fn runs_stage(command: &str, stage: Stage) -> bool {
    let Some(rest) = ["./.ci/run", ".ci/run", "cargo xtask test"]
        .iter()
        .find_map(|begin| command.strip_prefix(begin))
    else {
        return false;
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return false;
    }
    let mut stages = rest.split_whitespace().peekable();
    stages.peek().is_none() || stages.any(|word| word == stage.to_string())
}

/// `cargo test -p arco-api --test NAME`, with no filter that leaves tests out.
fn runs_binary(command: &str, test: &Test) -> bool {
    let Test::Rust {
        package, target, ..
    } = test
    else {
        return false;
    };
    let Target::Integration(binary) = target else {
        return false;
    };
    let Some(rest) = ["cargo test ", "cargo nextest run "]
        .iter()
        .find_map(|begin| command.strip_prefix(begin))
    else {
        return false;
    };
    let (mut packages, mut binaries) = (Vec::new(), Vec::new());
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        match name {
            "-p" | "--package" => packages.extend(value.or_else(|| words.next())),
            "--test" => binaries.extend(value.or_else(|| words.next())),
            "-j" | "--jobs" | "--profile" | "--features" | "--retries" => {
                if value.is_none() {
                    words.next();
                }
            }
            "--skip" | "-E" | "--filter-expr" | "--no-run" | "--ignored" => return false,
            _ if name.starts_with('-') => {}
            // A filter.
            _ => return false,
        }
    }
    binaries.contains(&binary.as_str())
        && (packages.is_empty() || packages.contains(&package.as_str()))
}

#[cfg(test)]
mod tests;
