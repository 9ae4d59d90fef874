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
            let [first, second] = contents.clone();
            let answers = futures::future::join(
                self.store().create(&path, first),
                self.store().create(&path, second),
            )
            .await;
            let [a, b] = &contents;
            let (winner, loser) = match answers {
                (Ok(()), Ok(())) => return Err(self.ignores_conditions(&path).await),
                (Ok(()), Err(unsure)) => (Some((a, b)), unsure),
                (Err(unsure), Ok(())) => (Some((b, a)), unsure),
                (Err(unsure), Err(_)) => (None, unsure),
            };
            if let Some((kept, refused)) = winner
                && loser.claims_existing()
            {
                let found = self.store().get(&path).await?;
                if found.as_ref() == Some(kept) {
                    self.clean(&path).await;
                    return Ok(());
                }
                // It said no and did it. Anything else that is found is a stumble: ask again.
                if found.as_ref() == Some(refused) {
                    return Err(self.ignores_conditions(&path).await);
                }
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
