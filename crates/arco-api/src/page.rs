//! Keyset pages: the token says where the last page ended, never how many rows to skip, so that rows
//! that come or go meanwhile neither repeat nor vanish.
//!
//! A token is base64url JSON of the list, the filter, the place and a version. A client that gives a
//! token need not repeat the filter; one that gives another filter is told, because half of one list
//! and half of another is no list.

#[cfg(test)]
mod tests;

use arco_wire::api::Page;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codes::Code;
use crate::limits;
use crate::problem::{Answer, Refusal};

/// Version of the tokens. A change of what a place means is a new version.
const VERSION: u32 = 1;

/// A page that was asked for: filter and place are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageAsked<F, K> {
    list: String,
    /// The filter: of the token when there is one.
    pub(crate) filter: F,
    /// Rows after this one.
    pub(crate) after: Option<K>,
    /// At most this many.
    pub(crate) limit: usize,
}

#[derive(Serialize, Deserialize)]
struct Token<F, K> {
    v: u32,
    l: String,
    f: F,
    a: K,
}

/// Only the version: a token of another one need not have the other fields.
#[derive(Deserialize)]
struct TokenVersion {
    v: u32,
}

impl<F, K> PageAsked<F, K>
where
    F: Serialize + DeserializeOwned + PartialEq + Default,
    K: Serialize + DeserializeOwned,
{
    /// Reads the query. `list` names the list and what it is a list of.
    pub(crate) fn read(
        list: impl Into<String>,
        filter: F,
        page_token: Option<&str>,
        limit: Option<u32>,
    ) -> Answer<Self> {
        let list = list.into();
        let limit = self::limit(limit, limits::PAGE_DEFAULT, limits::PAGE_MAX)?;
        let Some(text) = page_token else {
            return Ok(Self {
                list,
                filter,
                after: None,
                limit,
            });
        };
        let token: Token<F, K> = decode(text)?;
        if token.l != list {
            return Err(bad_token(format!(
                "the page token is of another list (`{}`, this is `{list}`); start from the first page",
                token.l
            )));
        }
        if filter != F::default() && filter != token.f {
            return Err(bad_token(
                "the page token carries another filter than the query; give one of the two",
            ));
        }
        Ok(Self {
            list,
            filter: token.f,
            after: Some(token.a),
            limit,
        })
    }

    /// The page; `next` is the place of its last row when there may be more.
    pub(crate) fn page<T>(self, items: Vec<T>, next: Option<K>) -> Page<T> {
        let token = |place| Token {
            v: VERSION,
            l: self.list,
            f: self.filter,
            a: place,
        };
        Page {
            items,
            next_page_token: next.map(token).map(|token| encode(&token)),
        }
    }
}

/// A bound on rows as it is asked for.
pub(crate) fn limit(asked: Option<u32>, default: usize, max: usize) -> Answer<usize> {
    let Some(asked) = asked else {
        return Ok(default);
    };
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    if asked == 0 || asked > max {
        return Err(Refusal::new(
            Code::InvalidQuery,
            format!("`limit` is {asked}; give 1 to {max}"),
        ));
    }
    Ok(asked)
}

fn encode<T: Serialize>(token: &T) -> String {
    let json = serde_json::to_vec(token).expect("tokens serialise: text and numbers");
    URL_SAFE_NO_PAD.encode(json)
}

fn decode<T: DeserializeOwned>(text: &str) -> Answer<T> {
    let unreadable = || {
        bad_token(
            "the page token cannot be read; give back `next_page_token` as it was, or start from the first page",
        )
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable())?;
    let version: TokenVersion = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    if version.v != VERSION {
        return Err(bad_token(
            "the page token was made by another version of the server; start from the first page",
        ));
    }
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

fn bad_token(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadPageToken, detail)
}
