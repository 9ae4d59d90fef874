//! "Did you mean": the nearest of some names.

/// How many names are looked at: a hint in an error is not worth a second among a million keys.
const LOOKED_AT: usize = 10_000;

#[cfg(test)]
mod tests;

/// The name nearest to `wanted`, when one is near enough to be worth saying: at most a third of the
/// letters differ, the case of letters aside; neighbours that are swapped differ once. Of one or two letters
/// none differs, though the two may be swapped. Of equally near names the first; of very many only the first
/// 10,000 are looked at.
#[must_use]
pub fn nearest<N: AsRef<str>>(wanted: &str, names: impl Iterator<Item = N>) -> Option<N> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    // Longer texts are no slips of the keyboard, and comparing is quadratic in their length.
    if letters > 200 {
        return None;
    }
    let limit = letters / 3;
    let mut best: Option<(usize, N)> = None;
    for name in names.take(LOOKED_AT) {
        let text = name.as_ref();
        if text.chars().count().abs_diff(letters) > limit {
            continue;
        }
        let text = text.to_lowercase();
        let distance = strsim::osa_distance(&wanted, &text);
        let is_swap = letters == 2 && text.chars().eq(wanted.chars().rev());
        let is_near = distance <= limit || is_swap;
        if is_near && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}
