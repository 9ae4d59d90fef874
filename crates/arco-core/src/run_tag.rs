//! The keys that tags of runs may have.

use thiserror::Error;

/// Characters in each part of a key.
const PART_MAX: usize = 63;

/// A key that no tag of a run can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no key of a tag: a key is a name, or a prefix, `/` and a name, each of 1 to 63 of the characters \
     A-Z, a-z, 0-9, `_`, `.` and `-`"
)]
pub struct RunTagKeyError(String);

/// Checks the key of a tag of a run. Its value may be any text.
///
/// # Errors
/// [`RunTagKeyError`], which says what a key is.
pub fn check_key(key: &str) -> Result<(), RunTagKeyError> {
    let part = |text: &str| {
        (1..=PART_MAX).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let parts = match key.split_once('/') {
        Some((prefix, name)) => part(prefix) && part(name),
        None => part(key),
    };
    if parts {
        return Ok(());
    }
    let shown: String = key.chars().take(2 * PART_MAX + 1).collect();
    Err(RunTagKeyError(shown))
}

#[cfg(test)]
mod tests {
    use super::check_key;

    #[test]
    fn a_key_is_a_name_with_or_without_a_prefix() {
        let long = "x".repeat(63);
        for key in [
            "team",
            "dagster/priority",
            ".dagster/repository",
            "a.b-c_D/9",
            &long,
            &format!("{long}/{long}"),
        ] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
        for key in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "a b",
            "a:b",
            "größe",
            "a\n",
            &format!("{long}x"),
            &format!("a/{long}x"),
        ] {
            let said = check_key(key).expect_err(key).to_string();
            assert!(
                said.contains("is no key of a tag: a key is a name"),
                "{said}"
            );
            assert!(said.len() < 400, "{said}");
        }
    }
}
