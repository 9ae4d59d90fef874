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
