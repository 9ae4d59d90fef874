//! Links of the pages: what they point to exists and may stand as proof.
//!
//! Normative is what this repository decides, holds or runs in continuous integration. Plans,
//! trackers and other products' pages prove nothing, so the pages do not link to them.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::render;
use super::tree::Tree;

/// The pages that are judged.
const JUDGED: &[&str] = &["docs/parity/", "docs/audits/"];

/// Where proof may lie.
pub(crate) const NORMATIVE: &[&str] = &[
    "docs/parity",
    "docs/adr",
    "docs/audits",
    "crates",
    "python",
    "xtask",
    ".github",
    "golden",
    "examples",
];

/// Whether what lies at `path` may stand as proof.
pub(crate) fn is_normative(path: &str) -> bool {
    NORMATIVE.iter().any(|folder| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Judges every link of every page. The page made from the matrix links to what rows name; where
/// that is not there (`told`), the row's own fault is the one to mend.
pub(crate) fn check(tree: &Tree, told: &BTreeSet<&str>, faults: &mut Vec<Fault>) {
    let pages = tree.paths().filter(|path| {
        path.ends_with(".md") && JUDGED.iter().any(|folder| path.starts_with(folder))
    });
    for page in pages {
        let text = tree.text(page).unwrap_or_default();
        // A page that links to the same place twice has one fault.
        let targets: BTreeSet<String> = targets(text).into_iter().collect();
        for target in targets {
            let is_told = page == render::MARKDOWN
                && absolute(page, &target).is_some_and(|path| told.contains(path.as_str()));
            if is_told {
                continue;
            }
            if let Err((rule, text)) = judge(tree, page, &target) {
                faults.push(Fault::new(page, rule, text));
            }
        }
    }
}

fn judge(tree: &Tree, page: &str, target: &str) -> Result<(), (&'static str, String)> {
    if target.contains("://") || target.starts_with("mailto:") {
        let text = format!("links to `{target}`; what lies outside the repository proves nothing");
        return Err(("link-http", text));
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = absolute(page, path) else {
        let text = format!("the link `{target}` leaves the repository; link to what is in it");
        return Err(("link-normative", text));
    };
    if !tree.has(&path) {
        let text = format!("links to `{path}`, which is not there; mend the link `{target}`");
        return Err(("link-exists", text));
    }
    if !is_normative(&path) {
        let text = format!(
            "links to `{path}`, which is not normative; proof lies in {}",
            NORMATIVE.join(", ")
        );
        return Err(("link-normative", text));
    }
    let linked = tree.text(&path).filter(|_| path.ends_with(".md"));
    if let Some(linked) = linked.filter(|_| !anchor.is_empty())
        && !anchors(linked).contains(anchor)
    {
        let text = format!("`{path}` has no heading `#{anchor}`; mend the link `{target}`");
        return Err(("link-exists", text));
    }
    Ok(())
}

/// The path below the root of a link in `page`; the page itself for an empty one.
fn absolute(page: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = if link.starts_with('/') {
        Vec::new()
    } else {
        page.split('/').collect()
    };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What the links of a page point to, code left out.
fn targets(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(page) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            // A title may follow the target.
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            found.push(rest[..end].trim_matches(['<', '>']).to_owned());
        }
        let reference = line
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]:"));
        if let Some((_, target)) = reference {
            found.extend(target.split_whitespace().next().map(str::to_owned));
        }
        for scheme in ["http://", "https://"] {
            for (at, _) in line.match_indices(scheme) {
                let end = line[at..].find([')', '>', ' ', ']', '|', '"']);
                let end = end.map_or(line.len(), |length| at + length);
                found.push(line[at..end].to_owned());
            }
        }
    }
    found
}

/// The lines outside fences, without what stands between backticks.
fn prose(page: &str) -> Vec<String> {
    let mut in_fence = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence {
            let parts = line.split('`').collect::<Vec<_>>();
            // With an odd number of backticks the last one opens nothing.
            let closed = parts.len() - usize::from(parts.len() % 2 == 0);
            let outside = parts.iter().enumerate();
            lines.push(
                outside
                    .filter(|(index, _)| index % 2 == 0 || *index >= closed)
                    .map(|(_, part)| *part)
                    .collect(),
            );
        }
    }
    lines
}

/// What the headings of a page can be linked by.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut in_fence = false;
    let mut found = BTreeSet::new();
    for line in page.lines() {
        if line.starts_with("```") {
            in_fence = !in_fence;
        } else if let Some(heading) = line.strip_prefix('#').filter(|_| !in_fence) {
            found.insert(slug(heading.trim_start_matches('#')));
        }
    }
    found
}

/// What a heading can be linked by, as the forges and most renderers make it.
pub(crate) fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => Some(character),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
