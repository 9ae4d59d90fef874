//! The object that says what a folder is, so that a wrong path or a future layout is recognised
//! before anything is read or written.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Log;
use crate::error::LogError;

/// Layout of the folder. Raised when an old binary must not touch it.
const LAYOUT: u32 = 1;

/// No time and no name of a maker in it: whoever creates it writes the same bytes, so losing that
/// race is no event.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Format {
    arco: String,
    layout: u32,
    workspace: String,
}

impl Log {
    pub(super) async fn create_or_check_format(&self) -> Result<(), LogError> {
        let path = self.paths().format();
        if self.store().get(&path).await?.is_some() {
            return self.check_format().await;
        }
        self.refuse_orphans().await?;
        let mut text = serde_json::to_vec(&Format {
            arco: "log".into(),
            layout: LAYOUT,
            workspace: self.paths().name().to_owned(),
        })
        .expect("plain fields serialize");
        text.push(b'\n');
        match self.store().create_once(&path, Bytes::from(text)).await {
            Err(LogError::Conflict { .. }) => self.check_format().await,
            other => other,
        }
    }

    pub(super) async fn check_format(&self) -> Result<(), LogError> {
        let path = self.paths().format();
        let Some(text) = self.store().get(&path).await? else {
            self.refuse_orphans().await?;
            return Err(LogError::invalid(
                format!(
                    "there is no Arco log for `{}` in `{}`",
                    self.paths().name(),
                    self.store()
                ),
                "check the store and the workspace, or start one with `arco dev`",
            ));
        };
        let found: Format = serde_json::from_slice(&text)
            .map_err(|e| LogError::corrupt(&path, format!("it does not read: {e}")))?;
        if found.layout > LAYOUT {
            return Err(LogError::TooNew {
                object: path.to_string(),
                needs: found.layout,
                have: LAYOUT,
            });
        }
        if found.arco != "log" || found.workspace != self.paths().name() {
            return Err(LogError::corrupt(
                &path,
                format!(
                    "it says `{}` of workspace `{}`",
                    found.arco, found.workspace
                ),
            ));
        }
        Ok(())
    }
}
