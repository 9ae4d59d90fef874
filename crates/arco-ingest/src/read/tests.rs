use serde_json::json;

use super::*;
use crate::message::ID_CHARS_MAX;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().copied().collect()
}

fn reads(pairs: &[(&str, &str)], body: &str) -> Result<Message, BadMessage> {
    read(&headers(pairs), body.as_bytes(), &Asked::default())
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENT: (&str, &str) = (
    "content-type",
    "application/cloudevents+json; charset=UTF-8",
);

#[test]
fn a_plain_body_takes_its_id_from_where_it_is_asked_for() {
    let body = r#"{"order": {"id": 17, "lines": []}}"#;
    let of = |pairs: &[(&str, &str)], id: Option<&str>, id_at: Option<&str>| {
        let asked = Asked {
            id: id.map(str::to_owned),
            id_at: id_at.map(str::to_owned),
        };
        read(&headers(pairs), body.as_bytes(), &asked).map(|message| message.id)
    };
    let keyed = [JSON, ("Idempotency-Key", "k"), ("webhook-id", "w")];
    assert_eq!(
        of(&keyed, Some("q"), Some("/order/id")),
        Ok(Some("q".into()))
    );
    assert_eq!(of(&keyed, None, Some("/order/id")), Ok(Some("17".into())));
    assert_eq!(of(&keyed, None, None), Ok(Some("k".into())));
    assert_eq!(
        of(&[JSON, ("webhook-id", "w")], None, None),
        Ok(Some("w".into()))
    );
    assert_eq!(of(&[JSON], None, None), Ok(None));
    assert_eq!(of(&[], None, None), Ok(None), "without a type it is JSON");
    for pointer in ["/order/lines", "/order/number"] {
        let refused = of(&[JSON], None, Some(pointer)).expect_err("no id there");
        assert!(refused.to_string().contains(pointer), "{refused}");
    }
}

#[test]
fn of_the_headers_only_those_that_say_what_it_is_become_attributes() {
    let message = reads(
        &[
            JSON,
            ("Authorization", "Bearer secret"),
            ("X-Gitlab-Token", "secret"),
            ("webhook-signature", "v1,secret"),
            ("X-GitHub-Event", "push"),
            ("Arco-Attribute-Team", "core"),
        ],
        "[1, 2]",
    );
    let message = message.expect("a message");
    assert_eq!(message.data, json!([1, 2]));
    assert_eq!(
        message.attributes,
        attributes(&[("x-github-event", "push"), ("team", "core")])
    );
}

/// The examples of the CloudEvents specification 1.0.2: JSON format, section 3.2.
#[test]
fn structured_cloud_events_are_read() {
    let event = |extra: &str| {
        format!(
            r#"{{"specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext",
            "subject": null, "id": "C234-1234-1234", "time": "2018-04-05T17:31:00Z",
            "comexampleextension1": "value", "comexampleothervalue": 5{extra}}}"#
        )
    };
    let about = |extra: &[(&str, &str)]| {
        let mut all = attributes(&[
            ("specversion", "1.0"),
            ("type", "com.example.someevent"),
            ("source", "/mycontext"),
            ("id", "C234-1234-1234"),
            ("time", "2018-04-05T17:31:00Z"),
            ("comexampleextension1", "value"),
            ("comexampleothervalue", "5"),
        ]);
        all.extend(attributes(extra));
        all
    };
    let xml = "<much wow=\"xml\"/>";
    let cases = [
        (
            r#", "datacontenttype": "application/json", "data": {"appinfoA": "abc", "appinfoB": 123, "appinfoC": true}"#,
            json!({"appinfoA": "abc", "appinfoB": 123, "appinfoC": true}),
            about(&[("datacontenttype", "application/json")]),
        ),
        (
            r#", "datacontenttype": "application/xml", "data": "<much wow=\"xml\"/>""#,
            json!(xml),
            about(&[("datacontenttype", "application/xml")]),
        ),
        (
            r#", "datacontenttype": "application/vnd.apache.thrift.binary", "data_base64": "//79""#,
            json!("//79"),
            about(&[
                ("datacontenttype", "application/vnd.apache.thrift.binary"),
                ("data-encoding", "base64"),
            ]),
        ),
        (
            r#", "datacontenttype": "application/json", "data_base64": "eyJhIjogMX0=""#,
            json!({"a": 1}),
            about(&[("datacontenttype", "application/json")]),
        ),
        ("", Value::Null, about(&[])),
    ];
    for (extra, data, attributes) in cases {
        let message = reads(&[EVENT], &event(extra)).expect("an event");
        assert_eq!(message.id.as_deref(), Some("/mycontext|C234-1234-1234"));
        assert_eq!(message.data, data, "{extra}");
        assert_eq!(message.attributes, attributes, "{extra}");
        assert_eq!(message.form, Form::CloudEventsStructured);
    }
}

/// The example of the HTTP binding, section 3.1.4, and of header values, section 3.1.3.2.
#[test]
fn binary_cloud_events_are_read() {
    let about = [
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
        ("ce-name", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("ce-quoted", r#""a \"b\" %22c%22""#),
    ];
    let with = |content_type: &'static str, body: &[u8]| {
        let mut pairs = about.to_vec();
        pairs.push(("Content-Type", content_type));
        read(&headers(&pairs), body, &Asked::default())
    };
    let message = with("application/json; charset=utf-8", br#"{"a": 1}"#).expect("an event");
    assert_eq!(
        message.id.as_deref(),
        Some("/mycontext/subcontext|1234-1234-1234")
    );
    assert_eq!(message.data, json!({"a": 1}));
    assert_eq!(message.attributes["name"], "Euro € 😀");
    assert_eq!(message.attributes["quoted"], r#"a "b" "c""#);
    assert_eq!(
        message.attributes["datacontenttype"],
        "application/json; charset=utf-8"
    );
    assert_eq!(message.form, Form::CloudEventsBinary);
    let text = with("text/plain", b"hello").expect("an event");
    assert_eq!(text.data, json!("hello"));
    let bytes = with("application/avro", &[0xff, 0xfe, 0xfd]).expect("an event");
    assert_eq!(bytes.data, json!("//79"));
    assert_eq!(bytes.attributes["data-encoding"], "base64");
    assert_eq!(with("text/plain", b"").expect("an event").data, Value::Null);
    assert!(matches!(
        with("application/json", b"{"),
        Err(BadMessage::NotJson(_))
    ));
}

#[test]
fn what_is_no_cloud_event_is_refused_with_what_is_wrong() {
    let whole = json!({"specversion": "1.0", "type": "t", "source": "s", "id": "1"});
    assert!(reads(&[EVENT], &whole.to_string()).is_ok());
    for name in ["id", "source", "specversion", "type"] {
        let mut event = whole.clone();
        event.as_object_mut().expect("an object").remove(name);
        let refused = reads(&[EVENT], &event.to_string()).expect_err("it lacks one");
        assert!(
            refused.to_string().contains(&format!("`{name}`")),
            "{refused}"
        );
    }
    let wrong = [
        (json!({"specversion": "0.3"}), "0.3"),
        (json!({"source": "a|b"}), "source"),
        (json!({"time": {}}), "`time`"),
        (json!({"number": 1.5}), "`number`"),
        (json!({"With-Dash": "x"}), "`With-Dash`"),
        (json!({"data": 1, "data_base64": "AA=="}), "both"),
        (json!({"data_base64": "!"}), "base64"),
        (json!({"id": ""}), "`id`"),
    ];
    for (fields, named) in wrong {
        let mut event = whole.clone();
        for (name, value) in fields.as_object().expect("an object") {
            event[name] = value.clone();
        }
        let refused = reads(&[EVENT], &event.to_string()).expect_err("it is wrong");
        assert!(refused.to_string().contains(named), "{named}: {refused}");
    }
    let batch = reads(
        &[("content-type", "application/cloudevents-batch+json")],
        "[]",
    );
    assert!(
        batch
            .expect_err("a batch")
            .to_string()
            .contains("one by one")
    );
    assert!(reads(&[EVENT], "[]").is_err());
}

/// The example of Pub/Sub's documentation of push subscriptions.
#[test]
fn the_envelope_of_a_push_subscription_is_opened() {
    let body = json!({
        "message": {
            "attributes": {"key": "value"},
            "data": "SGVsbG8gQ2xvdWQgUHViL1N1YiEgSGVyZSBpcyBteSBtZXNzYWdlIQ==",
            "messageId": "2070443601311540",
            "message_id": "2070443601311540",
            "publishTime": "2021-02-26T19:13:55.749Z",
            "publish_time": "2021-02-26T19:13:55.749Z",
        },
        "subscription": "projects/myproject/subscriptions/mysubscription",
    });
    let message = reads(&[JSON], &body.to_string()).expect("a message");
    assert_eq!(message.form, Form::PubSub);
    assert_eq!(message.id.as_deref(), Some("2070443601311540"));
    assert_eq!(
        message.data,
        json!("Hello Cloud Pub/Sub! Here is my message!")
    );
    assert_eq!(
        message.attributes,
        attributes(&[
            ("key", "value"),
            ("goog-pubsub-publish-time", "2021-02-26T19:13:55.749Z"),
            (
                "goog-pubsub-subscription",
                "projects/myproject/subscriptions/mysubscription"
            ),
        ])
    );
    let mut other = body.clone();
    other["message"]["data"] = json!("eyJvcmRlciI6IDd9");
    let message = reads(&[JSON], &other.to_string()).expect("a message");
    assert_eq!(message.data, json!({"order": 7}), "JSON is read as such");
    other["message"]["data"] = json!("not base64");
    assert!(reads(&[JSON], &other.to_string()).is_err());
    let mut bare = body;
    bare["message"]
        .as_object_mut()
        .expect("an object")
        .remove("data");
    assert_eq!(
        reads(&[JSON], &bare.to_string()).expect("a message").data,
        Value::Null
    );
    let like = json!({"message": {"text": "hello"}, "subscription": "gold"});
    let message = reads(&[JSON], &like.to_string()).expect("a message");
    assert_eq!((message.form, message.data), (Form::Json, like));
}

#[test]
fn bounds_are_kept() {
    let long = "x".repeat(ID_CHARS_MAX + 1);
    for id in [long.as_str(), "", "a\nb"] {
        let asked = Asked {
            id: Some(id.into()),
            id_at: None,
        };
        let refused = read(&headers(&[JSON]), b"1", &asked);
        assert!(matches!(refused, Err(BadMessage::Bounds(_))), "{id:?}");
    }
    let big = format!("\"{}\"", "x".repeat(DATA_BYTES_MAX));
    assert!(matches!(reads(&[JSON], &big), Err(BadMessage::Bounds(_))));
    let value = "x".repeat(20_000);
    let attribute = reads(&[JSON, ("arco-attribute-a", &value)], "1");
    assert!(matches!(attribute, Err(BadMessage::Bounds(_))));
    let form = reads(
        &[("content-type", "application/x-www-form-urlencoded")],
        "a=1",
    );
    assert!(matches!(form, Err(BadMessage::MediaType(_))));
    assert!(matches!(
        reads(&[JSON], "{\"a\":"),
        Err(BadMessage::NotJson(_))
    ));
}
