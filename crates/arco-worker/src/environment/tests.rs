use super::*;
use crate::settings::Token;

fn kept(settings: &Settings, inherited: &[(&str, &str)]) -> Vec<(String, String)> {
    let inherited = inherited
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    let text = |part: OsString| part.to_string_lossy().into_owned();
    for_python(settings, inherited)
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[test]
fn credentials_are_dropped_by_name_by_list_and_by_value() {
    let settings = Settings {
        token: Token::new("wk_0123456789"),
        scrub: vec!["AWS_SECRET_ACCESS_KEY".into()],
        ..Settings::default()
    };
    let rows = [
        // name, value, stays
        ("PATH", "/bin", true),
        ("ARCO_TOKEN", "x", false),
        ("ARCO_WORKSPACE_SECRET_FILE", "x", false),
        ("arco_api_key", "x", false),
        ("ARCO_LOG", "debug", true),
        ("CI_TOKEN", "wk_0123456789", false),
        ("CURL_ARGS", "-H Bearer:wk_0123456789", false),
        ("AWS_SECRET_ACCESS_KEY", "x", false),
        ("GITHUB_TOKEN", "the user's own", true),
    ];
    for (name, value, stays) in rows {
        assert_eq!(
            kept(&settings, &[(name, value)]).len(),
            usize::from(stays),
            "{name}"
        );
    }
}

#[test]
fn settings_win_over_what_is_inherited() {
    let settings = Settings {
        storage: Some("s3://bucket/x".into()),
        environment: [("A".to_owned(), "new".to_owned())].into(),
        ..Settings::default()
    };
    let found = kept(&settings, &[("A", "old"), ("ARCO_STORAGE", "old")]);
    let expected = [("A", "new"), ("ARCO_STORAGE", "s3://bucket/x")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(found, expected);
}
