//! Tokens, roles, attempt tokens, and the tables of hosts and origins.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use arco_core::{AttemptId, Digest, RunId, Timestamp};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::origin::Names;
use super::{Access, AttemptSecret, AuthSettings, Role, TokenSetting};
use crate::codes::Code;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));

fn headers(list: &[(&str, &str)]) -> HeaderMap {
    list.iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn settings() -> AuthSettings {
    let token = |name: &str, role: Role, token: &str| TokenSetting {
        name: name.into(),
        role,
        token: Some(token.into()),
        token_sha256: None,
    };
    AuthSettings {
        tokens: vec![
            token("ci", Role::Client, "client-token-0123456789"),
            token("wall", Role::Viewer, "viewer-token-0123456789"),
            token(
                "flights",
                Role::Worker("flights".into()),
                "worker-token-0123456789",
            ),
            TokenSetting {
                name: "root".into(),
                role: Role::Admin,
                token: None,
                token_sha256: Some(Digest::of(b"admin-token-0123456789")),
            },
        ],
        hosts: vec!["Arco.Example.com".into()],
        origins: vec!["https://data.example.com".into()],
    }
}

#[test]
fn tokens_name_their_principal_and_role() {
    let access = Access::new(&settings()).unwrap();
    for (token, principal, reads, writes, works) in [
        ("client-token-0123456789", "client:ci", true, true, false),
        ("viewer-token-0123456789", "client:wall", true, false, false),
        (
            "worker-token-0123456789",
            "worker:flights",
            false,
            false,
            true,
        ),
        ("admin-token-0123456789", "client:root", true, true, false),
    ] {
        let auth = headers(&[("authorization", &format!("bearer {token}"))]);
        let who = access.identify(&auth, ELSEWHERE).unwrap();
        assert_eq!(who.principal, principal);
        assert_eq!(
            (who.may_read(), who.may_write(), who.is_worker()),
            (reads, writes, works),
            "{token}"
        );
        assert_eq!(who.serves("flights").is_ok(), works);
        assert!(who.serves("other").is_err());
    }
}

#[test]
fn a_missing_or_unknown_token_is_refused_even_on_loopback() {
    let access = Access::new(&settings()).unwrap();
    for auth in [
        headers(&[]),
        headers(&[("authorization", "Bearer nope")]),
        headers(&[("authorization", "Basic x")]),
    ] {
        assert_eq!(
            access
                .identify(&auth, LOOPBACK)
                .expect_err("unknown")
                .code(),
            Code::Unauthenticated
        );
    }
}

#[test]
fn without_tokens_this_machine_is_local_and_others_are_refused() {
    let access = Access::new(&AuthSettings::default()).unwrap();
    let who = access.identify(&headers(&[]), LOOPBACK).unwrap();
    assert_eq!(who.principal, "client:local");
    assert!(who.serves("anything").is_ok());
    let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
    assert!(access.identify(&headers(&[]), mapped).is_ok());
    assert!(access.identify(&headers(&[]), ELSEWHERE).is_err());
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    for (text, says) in [
        (
            r#"{"tokens":[{"name":"a","role":"boss","token":"0123456789abcdef"}]}"#,
            "`boss` is not a role",
        ),
        (
            r#"{"tokens":[{"name":"a","role":"client"}]}"#,
            "either `token` or `token_sha256`",
        ),
        (
            r#"{"tokens":[{"name":"a","role":"client","token":"short"}]}"#,
            "has 5 characters",
        ),
        (r#"{"token":[]}"#, "unknown field `token`"),
        (
            r#"{"tokens":[{"name":"a","role":"client","token":"0123456789abcdef"},{"name":"b","role":"viewer","token":"0123456789abcdef"}]}"#,
            "tokens `a` and `b` are the same",
        ),
    ] {
        let error = AuthSettings::from_json(text, "ARCO_AUTH")
            .expect_err(text)
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn settings_print_without_their_secrets() {
    assert!(!format!("{:?}", settings()).contains("0123456789"));
}

#[test]
fn hosts_that_are_ours_are_answered() {
    let listening: SocketAddr = "10.1.2.3:7000".parse().unwrap();
    let names = Names::new(&settings(), listening);
    for (host, ours) in [
        ("localhost:3000", true),
        ("LOCALHOST", true),
        ("ui.localhost", true),
        ("127.0.0.1:3000", true),
        ("127.9.9.9", true),
        ("[::1]:3000", true),
        ("arco.example.com", true),
        ("ARCO.example.com:443", true),
        ("10.1.2.3:7000", true),
        ("10.1.2.4:7000", false),
        ("evil.example.com", false),
        ("localhost.evil.com", false),
        ("notlocalhost", false),
        ("127.0.0.1.evil.com", false),
        ("user@evil.com", false),
        ("", false),
    ] {
        let asked = names.check(
            &Method::GET,
            &Uri::from_static("/health"),
            &headers(&[("host", host)]),
        );
        assert_eq!(asked.is_ok(), ours, "{host}");
        if let Err(refusal) = asked {
            assert_eq!(refusal.code(), Code::ForeignHost, "{host}");
        }
    }
}

#[test]
fn a_request_without_a_host_is_refused() {
    let names = Names::new(&settings(), "127.0.0.1:1".parse().unwrap());
    assert!(
        names
            .check(&Method::GET, &Uri::from_static("/health"), &headers(&[]))
            .is_err()
    );
}

#[test]
fn an_absolute_uri_cannot_name_another_host() {
    let names = Names::new(&settings(), "127.0.0.1:1".parse().unwrap());
    let uri = Uri::from_static("http://evil.example.com/health");
    assert!(
        names
            .check(&Method::GET, &uri, &headers(&[("host", "localhost")]))
            .is_err()
    );
}

#[test]
fn only_our_own_pages_may_ask() {
    let names = Names::new(&settings(), "127.0.0.1:3000".parse().unwrap());
    for (host, origin, allowed) in [
        ("localhost:3000", "http://localhost:3000", true),
        ("127.0.0.1:3000", "http://127.0.0.1:3000", true),
        ("arco.example.com", "https://arco.example.com", true),
        ("arco.example.com:443", "https://arco.example.com", true),
        ("localhost:3000", "https://data.example.com", true),
        ("localhost:3000", "http://localhost:5173", false),
        ("localhost:3000", "http://127.0.0.1:3000", false),
        ("localhost:3000", "https://evil.example.com", false),
        ("localhost:3000", "null", false),
        ("localhost:3000", "file://", false),
    ] {
        let list = headers(&[("host", host), ("origin", origin)]);
        for method in [Method::GET, Method::POST] {
            let asked = names.check(&method, &Uri::from_static("/x"), &list);
            assert_eq!(asked.is_ok(), allowed, "{host} {origin}");
        }
    }
}

#[test]
fn requests_without_an_origin_are_judged_by_fetch_metadata() {
    let names = Names::new(&settings(), "127.0.0.1:3000".parse().unwrap());
    for (method, site, mode, allowed) in [
        (Method::GET, "cross-site", "no-cors", false),
        (Method::GET, "same-site", "no-cors", false),
        (Method::GET, "cross-site", "navigate", true),
        (Method::POST, "cross-site", "navigate", false),
        (Method::GET, "same-origin", "cors", true),
        (Method::GET, "none", "navigate", true),
    ] {
        let list = headers(&[
            ("host", "localhost"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
        ]);
        let asked = names.check(&method, &Uri::from_static("/x"), &list);
        assert_eq!(asked.is_ok(), allowed, "{method} {site} {mode}");
    }
}

fn attempt(task: u32) -> AttemptId {
    AttemptId {
        run: RunId::from_parts(1, 2),
        task,
        number: 1,
    }
}

#[test]
fn an_attempt_token_is_good_for_its_attempt_until_it_expires() {
    let secret = AttemptSecret::random(1, 2);
    let leased = Timestamp(1_000);
    let token = secret.token(attempt(3), leased, Some(60_000));
    assert!(secret.check(&token, attempt(3), leased).is_ok());
    assert!(secret.check(&token, attempt(4), leased).is_err());
    assert!(
        AttemptSecret::random(1, 3)
            .check(&token, attempt(3), leased)
            .is_err()
    );
    let late = leased.plus_ms(60_000 + super::attempt_token::TAIL_MS + 1);
    let error = secret.check(&token, attempt(3), late).expect_err("expired");
    assert_eq!(error.code(), Code::BadAttemptToken);
    let (_, mac) = token.split_once('.').unwrap();
    let longer = format!("{}.{mac}", i64::MAX);
    assert!(
        secret.check(&longer, attempt(3), leased).is_err(),
        "the expiry is signed"
    );
    for bad in ["", ".", "1.", "x.y", &token[1..]] {
        assert!(secret.check(bad, attempt(3), leased).is_err(), "{bad}");
    }
}

#[test]
fn a_secret_in_a_file_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let first = AttemptSecret::load_or_create(&path, 1, 2).unwrap();
    let second = AttemptSecret::load_or_create(&path, 3, 4).unwrap();
    let token = first.token(attempt(0), Timestamp(0), None);
    assert!(second.check(&token, attempt(0), Timestamp(0)).is_ok());
    std::fs::write(&path, "short").unwrap();
    let error = AttemptSecret::load_or_create(&path, 1, 2)
        .expect_err("too short")
        .to_string();
    assert!(error.contains("has 5 bytes"), "{error}");
}
