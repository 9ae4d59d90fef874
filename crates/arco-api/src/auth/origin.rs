//! Where a request comes from: `Host`, `Origin`, `Sec-Fetch-Site`.
//!
//! A server on loopback is reachable by every web page its user visits. Two attacks, two checks:
//!
//! - *Rebinding*: a page's own name is pointed at 127.0.0.1, so that the browser takes our answers
//!   for its own. Its requests carry its name in `Host`; only names that are ours are answered.
//! - *Cross-site requests*: a page asks us under our own name. Its requests carry its `Origin`, or,
//!   where none is sent (pictures, scripts), `Sec-Fetch-Site: cross-site`.
//!
//! Following a link to us (`Sec-Fetch-Mode: navigate`, GET) is no attack: the other page sees nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Method, Uri, header, uri::Authority};

use super::AuthSettings;
use crate::codes::Code;
use crate::problem::{Answer, Refusal};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The names a server goes by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
    /// The address it listens on, when that is one address and not all of them.
    bound: Option<IpAddr>,
}

impl Names {
    pub(crate) fn new(settings: &AuthSettings, listening: SocketAddr) -> Self {
        let ip = listening.ip();
        Self {
            hosts: settings
                .hosts
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            origins: settings
                .origins
                .iter()
                .map(|text| normal_origin(text))
                .collect(),
            bound: (!ip.is_unspecified()).then_some(ip),
        }
    }

    /// Refuses a request that another site's page may have sent.
    pub(crate) fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Answer<()> {
        let host = self.check_host(uri, headers)?;
        match headers.get(header::ORIGIN) {
            Some(origin) => self.check_origin(origin.to_str().unwrap_or("?"), &host),
            None => check_fetch_site(method, headers, &host),
        }
    }

    /// The host the request names, lower case, with its port.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Answer<String> {
        let named = headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok());
        let absolute = uri.authority().map(Authority::as_str);
        let Some(first) = named.or(absolute) else {
            return Err(Refusal::new(
                Code::ForeignHost,
                "the request has no `host` header; HTTP/1.1 clients send one",
            ));
        };
        for text in [named, absolute].into_iter().flatten() {
            if !self.is_ours(text) {
                return Err(Refusal::new(
                    Code::ForeignHost,
                    format!("the request names host `{text}`, which is not this server"),
                )
                .hint("call it as `localhost` or `127.0.0.1`")
                .hint("when it is reached under another name, add the name to `hosts` of the server's auth settings"));
            }
        }
        Ok(first.to_ascii_lowercase())
    }

    fn is_ours(&self, text: &str) -> bool {
        let Ok(authority) = text.parse::<Authority>() else {
            return false;
        };
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        match address {
            Ok(ip) => {
                let ip = ip.to_canonical();
                ip.is_loopback() || self.bound == Some(ip) || self.hosts.contains(&name)
            }
            Err(_) => {
                name == "localhost" || name.ends_with(".localhost") || self.hosts.contains(&name)
            }
        }
    }

    fn check_origin(&self, origin: &str, host: &str) -> Answer<()> {
        let origin = normal_origin(origin);
        let same = |scheme: &str| {
            let place = origin.strip_prefix(scheme);
            place.is_some_and(|place| {
                without_port_of(scheme, place) == without_port_of(scheme, host)
            })
        };
        // Behind a proxy that ends TLS the page's scheme is not ours to know.
        if same("http://") || same("https://") || self.origins.contains(&origin) {
            return Ok(());
        }
        Err(foreign(&format!("a page of `{origin}` asks"), host))
    }
}

fn check_fetch_site(method: &Method, headers: &HeaderMap, host: &str) -> Answer<()> {
    let value = |name| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    let foreign_page = matches!(value(SEC_FETCH_SITE), "cross-site" | "same-site");
    let navigation = value(SEC_FETCH_MODE) == "navigate" && method == Method::GET;
    if foreign_page && !navigation {
        return Err(foreign("a page of another site asks", host));
    }
    Ok(())
}

fn foreign(who: &str, host: &str) -> Refusal {
    Refusal::new(
        Code::ForeignOrigin,
        format!("{who}, and only pages of this server may; open it at http://{host}"),
    )
    .hint("when the page is yours, add its origin to `origins` of the server's auth settings")
    .hint("programs that are no browser send no `origin` header")
}

fn normal_origin(text: &str) -> String {
    text.trim().trim_end_matches('/').to_ascii_lowercase()
}

/// Browsers leave the scheme's own port out of `Origin` and `Host`; proxies may put it in.
fn without_port_of<'a>(scheme: &str, place: &'a str) -> &'a str {
    let port = if scheme == "https://" { ":443" } else { ":80" };
    place.strip_suffix(port).unwrap_or(place)
}
