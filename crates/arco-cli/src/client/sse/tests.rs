use super::{Message, Parser};

fn messages(chunks: &[&[u8]]) -> Vec<Message> {
    let mut parser = Parser::default();
    let mut found = Vec::new();
    for chunk in chunks {
        parser.feed(chunk);
        while let Some(message) = parser.take() {
            found.push(message);
        }
    }
    found
}

fn message(id: &str, event: &str, data: &str) -> Message {
    Message {
        id: id.into(),
        event: event.into(),
        data: data.into(),
    }
}

const STREAM: &[u8] = b": hello\n\nid: 7.0\nevent: run.requested\ndata: {\"a\":1}\n\nid: 7.1\r\ndata: one\r\ndata: two\r\n\r\nid: 7.2\ndata: never ended";

#[test]
fn messages_end_with_an_empty_line() {
    let expected = [
        message("7.0", "run.requested", "{\"a\":1}"),
        message("7.1", "", "one\ntwo"),
    ];
    assert_eq!(messages(&[STREAM]), expected);
}

#[test]
fn any_cut_gives_the_same_messages() {
    let whole = messages(&[STREAM]);
    for at in 0..STREAM.len() {
        let (first, second) = STREAM.split_at(at);
        assert_eq!(messages(&[first, second]), whole, "cut at {at}");
    }
}

#[test]
fn comments_alone_are_no_message() {
    assert!(messages(&[b": ping\n\n: ping\n\n"]).is_empty());
}
