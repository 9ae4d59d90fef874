use super::*;

fn attempt(text: &str) -> AttemptId {
    format!("run_01JD5Z6Q8G7V9K3W2M4N5P6R7S.{text}")
        .parse()
        .unwrap()
}

#[test]
fn followers_hear_of_their_run_and_leave_nothing_behind() {
    let news = LogNews::default();
    let (mine, run) = (attempt("0.1"), attempt("0.1").run);
    news.uploaded(mine, LogStream::Log, 0);
    let (mut first, mut second) = (news.follow(run), news.follow(run));
    news.uploaded(mine, LogStream::Log, 1);
    let heard = News::Uploaded(Uploaded {
        attempt: mine,
        stream: LogStream::Log,
        chunk: 1,
    });
    assert_eq!(first.ready(), Some(heard));
    assert_eq!(first.ready(), None);
    drop(first);
    assert_eq!(lock(&news.0).len(), 1);
    assert!(second.ready().is_some(), "each hears it");
    drop(second);
    assert_eq!(lock(&news.0).len(), 0, "nobody follows, nothing is held");
}

#[test]
fn who_does_not_listen_is_told_to_look() {
    let news = LogNews::default();
    let mine = attempt("0.1");
    let mut slow = news.follow(mine.run);
    for chunk in 0..=limits::UPLOADS_ANNOUNCED as u64 {
        news.uploaded(mine, LogStream::Stdout, chunk);
    }
    assert_eq!(slow.ready(), Some(News::Missed));
    let rest = std::iter::from_fn(|| slow.ready()).count();
    assert!(rest <= limits::UPLOADS_ANNOUNCED, "{rest}");
}
