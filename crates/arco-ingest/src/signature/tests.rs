use super::*;

/// The worked example of the specification.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

/// Another secret: `echo whsec_$(openssl rand -base64 24)`.
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

fn headers(id: &str, timestamp: &str, signature: &str) -> Headers {
    [
        ("Webhook-Id", id),
        ("Webhook-Timestamp", timestamp),
        ("Webhook-Signature", signature),
    ]
    .into_iter()
    .collect()
}

fn checked(keys: &[Key], signature: &str) -> Result<String, BadSignature> {
    let headers = headers(ID, &TIMESTAMP.to_string(), signature);
    check(keys, &headers, BODY, TIMESTAMP + 1)
}

#[test]
fn the_example_of_the_specification_is_signed_and_taken() {
    assert_eq!(key(SECRET).sign(ID, TIMESTAMP, BODY), SIGNATURE);
    assert_eq!(checked(&[key(SECRET)], SIGNATURE).as_deref(), Ok(ID));
    let bare = SECRET.trim_start_matches("whsec_");
    assert_eq!(checked(&[key(bare)], SIGNATURE).as_deref(), Ok(ID));
}

#[test]
fn of_several_signatures_and_secrets_one_pair_is_enough() {
    let other = key(OTHER).sign(ID, TIMESTAMP, BODY);
    let both = format!("v1a,AAAA {other} {SIGNATURE}");
    for keys in [
        vec![key(SECRET)],
        vec![key(OTHER)],
        vec![key(OTHER), key(SECRET)],
    ] {
        assert_eq!(checked(&keys, &both).as_deref(), Ok(ID));
    }
    assert_eq!(
        checked(&[key(OTHER)], SIGNATURE),
        Err(BadSignature::Mismatch)
    );
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let keys = [key(SECRET)];
    let time = TIMESTAMP.to_string();
    let at = |headers: &Headers, body: &[u8]| check(&keys, headers, body, TIMESTAMP);
    let good = headers(ID, &time, SIGNATURE);
    assert!(at(&good, BODY).is_ok());
    let mismatch = Err(BadSignature::Mismatch);
    assert_eq!(at(&good, br#"{"test": 2432232315}"#), mismatch);
    assert_eq!(at(&headers("msg_2", &time, SIGNATURE), BODY), mismatch);
    assert_eq!(at(&headers(ID, "1614265331", SIGNATURE), BODY), mismatch);
    // Not v1, not base64, cut short, no signature at all.
    for signature in [
        SIGNATURE.trim_start_matches("v1,"),
        &SIGNATURE.replace("v1,", "v2,"),
        "v1,!!!",
        "v1,g0hM9SsE",
        "v1,",
    ] {
        assert_eq!(
            at(&headers(ID, &time, signature), BODY),
            mismatch,
            "{signature}"
        );
    }
}

#[test]
fn a_signature_counts_for_five_minutes_either_way() {
    let keys = [key(SECRET)];
    let headers = headers(ID, &TIMESTAMP.to_string(), SIGNATURE);
    for now in [TIMESTAMP - 300, TIMESTAMP, TIMESTAMP + 300] {
        assert!(check(&keys, &headers, BODY, now).is_ok());
    }
    let late = check(&keys, &headers, BODY, TIMESTAMP + 301);
    assert_eq!(
        late,
        Err(BadSignature::Time {
            seconds: 301,
            way: "ago"
        })
    );
    let early = check(&keys, &headers, BODY, TIMESTAMP - 301);
    assert_eq!(
        early,
        Err(BadSignature::Time {
            seconds: 301,
            way: "from now"
        })
    );
}

#[test]
fn a_missing_header_is_named() {
    let keys = [key(SECRET)];
    let of = |headers: Headers| check(&keys, &headers, BODY, TIMESTAMP);
    assert_eq!(
        of(Headers::default()),
        Err(BadSignature::Missing("webhook-id"))
    );
    let missing = headers(ID, "yesterday", SIGNATURE);
    // The time is signed as it was written, so that it is looked at before anything is computed.
    assert_eq!(of(missing), Err(BadSignature::Missing("webhook-timestamp")));
    let empty = headers(ID, "1614265330", "");
    assert_eq!(of(empty), Err(BadSignature::Missing("webhook-signature")));
}

#[test]
fn a_text_that_is_no_secret_is_refused_and_not_repeated() {
    assert_eq!(Key::parse("whsec_!!").err(), Some(BadKey::NotBase64));
    assert_eq!(Key::parse("whsec_YWJj").err(), Some(BadKey::Short(3)));
    assert_eq!(Key::parse("whsk_YWJj").err(), Some(BadKey::Asymmetric));
    assert_eq!(format!("{:?}", key(SECRET)), "Key");
}
