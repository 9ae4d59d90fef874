//! Which replica of the control plane is called.
//!
//! Only the leader takes the calls of hosts. A replica that does not lead says who does (`arco-leader`); a host
//! follows that word, and goes back to the server it was given when nobody answers there.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Response, StatusCode, Url};

/// Header that says where the leader is.
const LEADER_HEADER: &str = "arco-leader";

/// The server that is called now.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    given: Arc<str>,
    now: Arc<Mutex<Arc<str>>>,
}

impl Servers {
    pub(crate) fn new(given: &str) -> Self {
        let given: Arc<str> = given.trim_end_matches('/').into();
        Self {
            now: Arc::new(Mutex::new(Arc::clone(&given))),
            given,
        }
    }

    /// The server to call.
    pub(crate) fn now(&self) -> Arc<str> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, server: Arc<str>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// A server answered that it is not available: when it says who leads, that one is called from here on.
    pub(crate) fn heard(&self, asked: &str, response: &Response) {
        let leader = response.headers().get(LEADER_HEADER);
        let leader = leader.and_then(|url| url.to_str().ok());
        match leader.and_then(|leader| followed(asked, leader)) {
            Some(leader) => {
                if *self.now() == *asked {
                    tracing::warn!(server = asked, %leader, "another replica leads; calling that from here on");
                    self.set(leader.into());
                }
            }
            None if response.status() == StatusCode::SERVICE_UNAVAILABLE => self.lost(asked),
            None => {}
        }
    }

    /// Nobody answered at a server that another one had named.
    pub(crate) fn lost(&self, asked: &str) {
        if *self.now() == *asked && asked != &*self.given {
            tracing::warn!(leader = asked, server = %self.given, "the leader does not answer; calling the server that was given");
            self.set(Arc::clone(&self.given));
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
        servers.set("http://b:2".into());
        servers.lost("http://c:3");
        assert_eq!(&*servers.now(), "http://b:2", "another call's news");
        servers.lost("http://b:2");
        assert_eq!(&*servers.now(), "http://a:1");
    }
}
