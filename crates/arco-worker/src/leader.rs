//! Which replica of the control plane is called.
//!
//! Only the leader takes the calls of hosts. A replica that does not lead says who does (`arco-leader`); a host
//! follows that word, and goes back to the server it was given when nobody answers there. Then it keeps calling
//! that one for a while, whatever it says: that hosts keep calling is how a replica learns that there is a lead
//! to take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Response, StatusCode, Url};

use crate::clock::Boottime;

/// Header that says where the leader is.
const LEADER_HEADER: &str = "arco-leader";

/// A leader that did not answer is not gone to again for so long.
const LOST_FOR: Duration = Duration::from_secs(30);

/// The server that is called now.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    given: Arc<str>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug)]
struct Known {
    now: Arc<str>,
    /// The leader that did not answer last, and when.
    lost: Option<(Arc<str>, Boottime)>,
}

impl Servers {
    pub(crate) fn new(given: &str) -> Self {
        let given: Arc<str> = given.trim_end_matches('/').into();
        let known = Known {
            now: Arc::clone(&given),
            lost: None,
        };
        Self {
            given,
            known: Arc::new(Mutex::new(known)),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server to call.
    pub(crate) fn now(&self) -> Arc<str> {
        Arc::clone(&self.known().now)
    }

    /// A server answered that it is not available: when it says who leads, that one is called from here on.
    pub(crate) fn heard(&self, asked: &str, response: &Response) {
        let leader = response.headers().get(LEADER_HEADER);
        let leader = leader.and_then(|url| url.to_str().ok());
        match leader.and_then(|leader| followed(asked, leader)) {
            Some(leader) => self.follow(asked, &leader),
            None if response.status() == StatusCode::SERVICE_UNAVAILABLE => self.lost(asked),
            None => {}
        }
    }

    fn follow(&self, asked: &str, leader: &str) {
        let mut known = self.known();
        let (lost, now) = (known.lost.as_ref(), Boottime::now());
        let is_lost = lost.is_some_and(|(url, at)| **url == *leader && now.since(*at) < LOST_FOR);
        if *known.now == *asked && !is_lost {
            tracing::warn!(server = asked, %leader, "another replica leads; calling that from here on");
            known.now = leader.into();
        }
    }

    /// Nobody answered at a server that another one had named.
    pub(crate) fn lost(&self, asked: &str) {
        let mut known = self.known();
        if *known.now == *asked && *asked != *self.given {
            tracing::warn!(leader = asked, server = %self.given, "the leader does not answer; calling the server that was given");
            known.lost = Some((Arc::clone(&known.now), Boottime::now()));
            known.now = Arc::clone(&self.given);
        }
    }
}

/// The server that a leader's word means: another one, and none that gives a token away which was sent encrypted.
fn followed(asked: &str, leader: &str) -> Option<String> {
    let url = Url::parse(leader).ok()?;
    let is_open = url.scheme() == "http" && !asked.starts_with("https:");
    let leader = leader.trim_end_matches('/');
    let is_other = leader != asked && url.has_host();
    (is_other && (url.scheme() == "https" || is_open)).then(|| leader.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_is_followed_when_it_is_another_and_no_secret_is_given_away() {
        let rows = [
            ("http://a:1", "http://b:2/", Some("http://b:2")),
            ("http://a:1", "https://b", Some("https://b")),
            ("https://a", "https://b", Some("https://b")),
            ("https://a", "http://b", None),
            ("http://a:1", "http://a:1/", None),
            ("http://a:1", "", None),
            ("http://a:1", "b:2", None),
            ("http://a:1", "file:///etc/passwd", None),
        ];
        for (asked, leader, expected) in rows {
            let found = followed(asked, leader);
            assert_eq!(found.as_deref(), expected, "{asked} {leader}");
        }
    }

    #[test]
    fn a_leader_that_is_lost_leads_back_to_the_server_that_was_given() {
        let servers = Servers::new("http://a:1/");
        assert_eq!(&*servers.now(), "http://a:1");
        servers.follow("http://c:3", "http://b:2");
        assert_eq!(&*servers.now(), "http://a:1", "another call's news");
        servers.follow("http://a:1", "http://b:2");
        assert_eq!(&*servers.now(), "http://b:2");
        servers.lost("http://c:3");
        assert_eq!(&*servers.now(), "http://b:2", "another call's news");
        servers.lost("http://b:2");
        assert_eq!(&*servers.now(), "http://a:1");
        servers.follow("http://a:1", "http://b:2");
        assert_eq!(
            &*servers.now(),
            "http://a:1",
            "it did not answer a moment ago"
        );
        servers.follow("http://a:1", "http://d:4");
        assert_eq!(&*servers.now(), "http://d:4", "another one leads");
    }
}
