use super::*;

fn read(text: &str) -> Result<Consumers, ConsumersError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("consumers.toml");
    std::fs::write(&file, text).expect("written");
    Consumers::from_file(&file)
}

const NATS: &str = r#"
[[consumer]]
kind = "nats"
url = "nats://anna:secret@127.0.0.1:4222"
stream = "ORDERS"
durable = "arco"
sensor = "orders"
"#;

#[test]
fn a_file_says_queues_and_their_sensors() {
    let text = format!("{NATS}token_file = \"token\"\nsubject = \"orders.>\"\n");
    let read = read(&text).expect("consumers");
    let [consumer] = read.consumers.as_slice() else {
        panic!("one consumer");
    };
    assert_eq!(consumer.sensor(), "orders");
    assert_eq!(consumer.to_string(), "nats:ORDERS/arco");
    assert!(!format!("{consumer:?}").contains("secret"));
    let ConsumerSetting::Nats(nats) = consumer;
    assert_eq!(nats.ack_wait_seconds, 30);
    let token = nats.token_file.as_ref().expect("a file");
    assert!(
        token.is_absolute(),
        "meant from the folder of the file: {token:?}"
    );
}

#[test]
fn a_file_that_says_none_is_refused() {
    let cases = [
        ("", "no `[[consumer]]`"),
        ("[[consumer]]\nkind = \"rabbit\"\n", "rabbit"),
        (&NATS.replace("sensor", "sensors"), "sensors"),
        (&NATS.replace("stream = \"ORDERS\"\n", ""), "stream"),
        ("[[queue]]", "queue"),
    ];
    for (text, said) in cases {
        let refused = read(text).expect_err("refused").to_string();
        assert!(
            refused.contains("consumers.toml") && refused.contains(said),
            "{refused}"
        );
        assert!(!refused.contains("secret"), "{refused}");
    }
}
