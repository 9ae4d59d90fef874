//! Does this store keep conditions? Two creates of one key, at once: exactly one may win.
//!
//! Some servers ignore `If-None-Match` without a word, and then every writer wins every race and the
//! log is silently overwritten. No documentation can be trusted with that, so each start asks.

use bytes::Bytes;

use super::Log;
use crate::error::LogError;
use crate::store::Backoff;

/// A busy store may answer neither yes nor no; five rounds take two seconds.
const ROUNDS: u32 = 5;

impl Log {
    pub(super) async fn probe(&self) -> Result<(), LogError> {
        let mut backoff = Backoff::new();
        let mut round = 0;
        loop {
            round += 1;
            let path = self.paths().probe(&format!("{}-{round}", self.writer()));
            let contents = ["a", "b"].map(|side| Bytes::from(format!("{}{side}", self.writer())));
            let [a, b] = contents.clone();
            let answers =
                futures::future::join(self.store().create(&path, a), self.store().create(&path, b))
                    .await;
            let (winner, loser) = match answers {
                (Ok(()), Ok(())) => return Err(self.ignores_conditions(&path).await),
                (Ok(()), Err(loser)) => (Some(&contents[0]), loser),
                (Err(loser), Ok(())) => (Some(&contents[1]), loser),
                (Err(loser), Err(_)) => (None, loser),
            };
            if let Some(winner) = winner
                && loser.claims_existing()
            {
                if self.store().get(&path).await?.as_ref() != Some(winner) {
                    return Err(self.ignores_conditions(&path).await);
                }
                self.clean(&path).await;
                return Ok(());
            }
            self.clean(&path).await;
            if loser.unsupported() {
                return Err(LogError::Refused {
                    store: self.store().to_string(),
                    problem: "it has no conditional put".into(),
                    mend: "use a folder, S3, GCS or Azure Blob".into(),
                });
            }
            if round == ROUNDS {
                return Err(LogError::unavailable("probe", path, loser));
            }
            backoff.wait().await;
        }
    }

    async fn ignores_conditions(&self, path: &object_store::path::Path) -> LogError {
        self.clean(path).await;
        LogError::Refused {
            store: self.store().to_string(),
            problem: "it ignores conditions: two creates of one object were both taken".into(),
            mend: "use a store that honours `If-None-Match: *`, or configure this one to".into(),
        }
    }

    async fn clean(&self, path: &object_store::path::Path) {
        if let Err(error) = self.store().delete(path).await {
            tracing::debug!(%path, %error, "probe object left behind");
        }
    }
}
