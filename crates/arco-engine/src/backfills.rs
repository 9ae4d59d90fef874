//! Backfills: asked for, and steered (`docs/adr/0018-backfills.md`). What is to be made is worked out off the
//! loop; what the loop decides is small.

mod carry_on;
mod resolve;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use arco_core::backfill::{BackfillSelector, BackfillSettings, PartitionFilter};
use arco_core::definitions::BackfillPolicy;
use arco_core::event::{Position, Stored};
use arco_core::{BackfillId, Digest, Timestamp};
use arco_flow::Rejection;
use arco_flow::backfill::Outline;
use arco_flow::command::{Answer, BackfillRequest, BackfillSteer, Command};
use arco_flow::decide::known_backfill;
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use self::carry_on::watch;
use self::resolve::What;
use crate::runs::REPLANS_MAX;
use crate::{Engine, EngineError, View};

/// A backfill as a person asks for it.
#[derive(Debug, Clone, Default)]
pub struct BackfillAsk {
    /// Selection strings; their union.
    pub selection: Vec<String>,
    /// Which partitions of the partitioned ones.
    pub partitions: BackfillPartitions,
    /// Partitions a run makes, in place of what the assets say: `Some(None)` for all in one.
    pub partitions_per_run: Option<Option<NonZeroU32>>,
    /// Nothing is made when some partition cannot be, for want of a parent that does not exist.
    pub refuse_left_out: bool,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Tags of its runs.
    pub tags: BTreeMap<String, String>,
    /// Configuration of its runs.
    pub config: Value,
    /// How it goes on.
    pub settings: BackfillSettings,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
}

/// Which partitions a person asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BackfillPartitions {
    /// None was said: right when no selected asset is partitioned.
    #[default]
    None,
    /// All that exist.
    All,
    /// Keys and `FIRST...LAST` ranges.
    Keys(Vec<String>),
    /// Those like this.
    Filter(PartitionFilter),
}

/// A backfill that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillMade {
    /// The backfill.
    pub backfill: BackfillId,
    /// False when the same request had made it before.
    pub created: bool,
    /// Reads at this position see it.
    pub position: Position,
}

impl BackfillAsk {
    fn policy(&self) -> Option<BackfillPolicy> {
        let policy = |n| BackfillPolicy {
            max_partitions_per_run: n,
        };
        self.partitions_per_run.map(policy)
    }

    /// What makes two requests under one idempotency key the same.
    fn fingerprint(&self) -> Digest {
        let partitions = match &self.partitions {
            BackfillPartitions::None => Value::Null,
            BackfillPartitions::All => json!("all"),
            BackfillPartitions::Keys(keys) => json!(keys),
            BackfillPartitions::Filter(filter) => json!(filter),
        };
        let per_run = self.partitions_per_run.map(|n| n.map_or(0, u32::from));
        Digest::of_json(
            &json!({"selection": self.selection, "partitions": partitions,
            "partitions_per_run": per_run, "refuse_left_out": self.refuse_left_out,
            "title": self.title, "description": self.description, "tags": self.tags,
            "config": self.config, "settings": self.settings}),
        )
    }
}

impl Engine {
    /// Makes a backfill, or finds the one that the same request made before.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn create_backfill(
        &self,
        principal: &str,
        request_id: &str,
        ask: BackfillAsk,
    ) -> Result<BackfillMade, EngineError> {
        let request = BackfillRequest {
            backfill: self.new_backfill_id(),
            idempotency_key: ask.idempotency_key.clone(),
            selection: (!ask.selection.is_empty()).then(|| ask.selection.join(", ")),
            assets: Vec::new(),
            selector: BackfillSelector::All,
            title: ask.title.clone(),
            description: ask.description.clone(),
            tags: ask.tags.clone(),
            config: ask.config.clone(),
            settings: ask.settings,
            policy: ask.policy(),
            parent: None,
            frees_key: false,
            target: Arc::default(),
            target_blob: None,
            definitions: BTreeMap::new(),
            fingerprint: ask.fingerprint(),
        };
        let what = What::Asked(Arc::new(ask));
        self.make_backfill(principal, request_id, request, what)
            .await
    }

    /// Makes a backfill of what another left undone, or finds the one that was made before.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn retry_backfill(
        &self,
        principal: &str,
        request_id: &str,
        parent: BackfillId,
    ) -> Result<BackfillMade, EngineError> {
        let view = self.view();
        let Some(of) = view.state.backfills.get(&parent) else {
            return Err(Rejection::UnknownBackfill(parent).into());
        };
        let request = BackfillRequest {
            backfill: self.new_backfill_id(),
            // Its parent is its identity: asking twice is one retry.
            idempotency_key: None,
            selection: of.selection.clone(),
            assets: Vec::new(),
            selector: BackfillSelector::Undone(parent),
            title: of.title.clone(),
            description: of.description.clone(),
            tags: of.tags.clone(),
            config: (*of.config).clone(),
            settings: of.settings,
            policy: of.policy,
            parent: Some(parent),
            frees_key: false,
            target: Arc::default(),
            target_blob: None,
            definitions: BTreeMap::new(),
            fingerprint: Digest::of_json(&json!({"undone": parent})),
        };
        self.make_backfill(principal, request_id, request, What::Undone(parent))
            .await
    }

    async fn make_backfill(
        &self,
        principal: &str,
        request_id: &str,
        mut request: BackfillRequest,
        what: What,
    ) -> Result<BackfillMade, EngineError> {
        let mut tries = 0;
        loop {
            // Asking again must neither cost what the first time did nor fail for what happened since.
            let view = self.view();
            if let Some(backfill) = known_backfill(&view.state, &request)? {
                return Ok(BackfillMade {
                    backfill,
                    created: false,
                    position: view.position(),
                });
            }
            let resolved = self.off_loop(view, {
                let what = what.clone();
                move |view, now| what.resolve(&view.state, now)
            });
            let resolved = resolved.await??;
            let mut blobs = HashMap::new();
            let target = serde_json::to_vec(&resolved.target)
                .expect("targets serialise: lists of text and numbers");
            if target.len() > self.inner.settings.inline_plan_max {
                request.target_blob = Some(self.blob(target, &mut blobs).await?);
            }
            request.selector = match &what {
                What::Undone(parent) => BackfillSelector::Undone(*parent),
                What::Asked(ask) => self.selector(&ask.partitions, &mut blobs).await?,
            };
            request.assets = resolved.assets;
            request.target = Arc::new(resolved.target);
            request.definitions = resolved.definitions;
            let command = Command::CreateBackfill(Box::new(request.clone()));
            match self
                .submit_with(principal, request_id, command, blobs)
                .await
            {
                Ok(committed) => {
                    let Answer::Backfill { backfill, created } = committed.answer else {
                        unreachable!("a request for a backfill is answered by a backfill");
                    };
                    return Ok(BackfillMade {
                        backfill,
                        created,
                        position: committed.position,
                    });
                }
                Err(EngineError::Rejected(Rejection::Replan)) if tries < REPLANS_MAX => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// What the event says was asked: a long list is a blob.
    async fn selector(
        &self,
        partitions: &BackfillPartitions,
        blobs: &mut HashMap<Digest, Bytes>,
    ) -> Result<BackfillSelector, EngineError> {
        Ok(match partitions {
            BackfillPartitions::None | BackfillPartitions::All => BackfillSelector::All,
            BackfillPartitions::Filter(filter) => BackfillSelector::Filter(filter.clone()),
            BackfillPartitions::Keys(keys) => {
                if let [one] = keys.as_slice()
                    && let Some((from, to)) = one.split_once("...")
                {
                    return Ok(BackfillSelector::Range {
                        from: from.to_owned(),
                        to: to.to_owned(),
                    });
                }
                let text = serde_json::to_vec(keys).expect("keys serialise: they are text");
                BackfillSelector::Explicit(if text.len() > self.inner.settings.inline_plan_max {
                    Stored::Blob(self.blob(text, blobs).await?)
                } else {
                    Stored::Inline(keys.clone())
                })
            }
        })
    }

    async fn blob(
        &self,
        bytes: Vec<u8>,
        blobs: &mut HashMap<Digest, Bytes>,
    ) -> Result<Digest, EngineError> {
        let bytes = Bytes::from(bytes);
        let digest = self.inner.log.put_blob(bytes.clone()).await?;
        blobs.insert(digest, bytes);
        Ok(digest)
    }

    /// What a backfill would do, without making it.
    ///
    /// # Errors
    /// As [`Engine::create_backfill`].
    pub async fn preview_backfill(&self, ask: &BackfillAsk) -> Result<Outline, EngineError> {
        let what = What::Asked(Arc::new(ask.clone()));
        let outline = self.off_loop(self.view(), move |view, now| {
            let resolved = what.resolve(&view.state, now)?;
            Outline::of(resolved.target).map_err(EngineError::from)
        });
        outline.await?
    }

    /// Pauses, resumes, cancels or changes a backfill.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn steer_backfill(
        &self,
        principal: &str,
        request_id: &str,
        steer: BackfillSteer,
    ) -> Result<BackfillMade, EngineError> {
        let backfill = steer.backfill;
        let command = Command::SteerBackfill(steer);
        let committed = self.submit(principal, request_id, command).await?;
        Ok(BackfillMade {
            backfill,
            created: false,
            position: committed.position,
        })
    }

    fn new_backfill_id(&self) -> BackfillId {
        let time_ms = u64::try_from(self.now().0).unwrap_or(0);
        BackfillId::from_parts(time_ms, self.inner.ids.random())
    }

    /// A pure function of a view, where it does not hold up the loop.
    pub(crate) async fn off_loop<T: Send + 'static>(
        &self,
        view: Arc<View>,
        work: impl FnOnce(&View, Timestamp) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        let now = self.now().max(view.state.time);
        if !self.inner.settings.offload {
            return Ok(work(&view, now));
        }
        tokio::task::spawn_blocking(move || work(&view, now))
            .await
            .map_err(|_| EngineError::Stopped)
    }
}
