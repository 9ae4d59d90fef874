//! Path and query parameters.

use axum::extract::{FromRequestParts, Path as AxumPath, Query as AxumQuery};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// Parameters of the path, without the workspace.
pub(crate) struct Path<T>(pub(crate) T);

/// Parameters of the query. Unknown ones are refused by the types (`deny_unknown_fields`): a
/// misspelt filter must not silently list everything.
pub(crate) struct Query<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match AxumPath::<T>::from_request_parts(parts, state).await {
            Ok(AxumPath(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text
                    .rsplit_once("URL: ")
                    .map_or(text.as_str(), |(_, reason)| reason);
                Err(Refusal::new(
                    Code::InvalidPath,
                    format!("the path cannot be read: {reason}"),
                ))
            }
        }
    }
}

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match AxumQuery::<T>::from_request_parts(parts, state).await {
            Ok(AxumQuery(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text
                    .rsplit_once("query string: ")
                    .map_or(text.as_str(), |(_, r)| r);
                let reason = number(reason);
                Err(Refusal::new(
                    Code::InvalidQuery,
                    format!("the query cannot be read: {reason}"),
                ))
            }
        }
    }
}

/// What the reader of numbers says, in words for people: `limit: a whole number is wanted`.
fn number(reason: &str) -> String {
    let wanted = [
        ("invalid digit found in string", "a whole number is wanted"),
        (
            "cannot parse integer from empty string",
            "a whole number is wanted",
        ),
        (
            "number too large to fit in target type",
            "the number is too large",
        ),
    ];
    for (theirs, ours) in wanted {
        if let Some(field) = reason.strip_suffix(theirs) {
            return format!("{field}{ours}");
        }
    }
    reason.to_owned()
}
