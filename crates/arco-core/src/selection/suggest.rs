//! "Did you mean": the nearest of some names.

/// How many names are looked at: a hint in an error is not worth a second among a million keys.
const LOOKED_AT: usize = 10_000;

/// The name nearest to `wanted`, when one is near enough to be worth saying: at most a third of the
/// letters differ. Of equally near names the first; of very many only the first 10,000 are looked at.
#[must_use]
pub fn nearest<N: AsRef<str>>(wanted: &str, names: impl Iterator<Item = N>) -> Option<String> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    // Longer texts are no slips of the keyboard, and comparing is quadratic in their length.
    if wanted.len() > 200 {
        return None;
    }
    let limit = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, N)> = None;
    for name in names.take(LOOKED_AT) {
        let text = name.as_ref();
        if text.chars().count().abs_diff(wanted.len()) > limit {
            continue;
        }
        let distance = distance(&wanted, &text.to_lowercase());
        if distance <= limit && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name.as_ref().into())
}

/// Insertions, deletions and replacements from one to the other (Levenshtein).
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, cb) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, ca) in a.iter().enumerate() {
            let replaced = diagonal + usize::from(*ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[a.len()]
}
