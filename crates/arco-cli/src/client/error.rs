//! What can go wrong with a call, and what to try next.

use std::error::Error as _;

use arco_wire::problem::Problem;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nobody answered, or not in time.
    Unreachable {
        /// Address of the control plane.
        server: String,
        /// What the system said.
        cause: String,
    },
    /// The control plane refused.
    Refused(Box<Problem>),
    /// Something answered, and it was no Arco.
    Foreign {
        /// Address that was asked.
        url: String,
        /// What came.
        answer: String,
    },
}

impl CallError {
    pub(crate) fn unreachable(server: String, error: &reqwest::Error) -> Self {
        let mut cause = error.to_string();
        let mut next = error.source();
        // The last cause is the one that says something: "Connection refused (os error 111)".
        while let Some(source) = next {
            cause = source.to_string();
            next = source.source();
        }
        if error.is_timeout() {
            cause = "no answer in time".into();
        }
        Self::Unreachable { server, cause }
    }

    /// Whether the same call may help in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            // It says to start the server again: that takes a person.
            Self::Refused(problem) if problem.code == "read_only" => false,
            Self::Refused(problem) => matches!(problem.status, 429 | 502 | 503 | 504),
            Self::Foreign { .. } => false,
        }
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            _ => None,
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable { server, cause } => Self::new(cause)
                .context(format!("could not reach the control plane at {server}"))
                .hint(
                    "start one with `arco dev definitions.py`, or name another with `--server URL`",
                ),
            CallError::Refused(problem) => {
                let hints = match problem.status {
                    401 => vec![
                        "give a token with `--token-file FILE` or the variable ARCO_TOKEN"
                            .to_owned(),
                    ],
                    500 | 502 => vec![format!(
                        "the server's log tells more about request {}",
                        problem.request_id
                    )],
                    _ => Vec::new(),
                };
                Self::new(&problem.detail).hints(hints).hints(problem.hints)
            }
            CallError::Foreign { url, answer } => Self::new(format!(
                "the answer of {url} is not one of Arco: {answer}"
            ))
            .hint("is another program listening there? `--server URL` names the control plane"),
        }
    }
}
