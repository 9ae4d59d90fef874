//! A control plane that keeps everything in memory, tells what it saw, and fails on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arco_core::{AttemptId, Digest, HostId, RunId};
use arco_wire::evaluation::{
    Ask, EvaluationAnswer, EvaluationQuestion, Evaluations, EvaluationsGiven, QueuedItem,
};
use arco_wire::problem::Problem;
use arco_wire::worker::{
    Exchange, Exchanged, Fact, FailedLoad, Heartbeat, HeartbeatAnswer, Isolation, Lease, Outcome,
    Refused, RegisterHost, Registered, StepKind,
};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use tokio::sync::Notify;

pub(crate) const TOKEN: &str = "wk_test_0123456789abcdef";
const SLOW: Duration = Duration::from_secs(30);

/// What the plane knows of an attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempt {
    pub host: Option<HostId>,
    pub leased: u32,
    pub facts: Vec<Fact>,
    pub outcome: Option<Outcome>,
    /// How often it was given back; it is queued again each time.
    pub released: u32,
    lease: Option<Lease>,
}

#[derive(Debug, Default)]
struct Host {
    fenced: bool,
    seq: u64,
}

/// Everything the plane knows; tests look at it and turn its knobs.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    pub ttl_ms: u64,
    pub interval_ms: u64,
    pub queue: VecDeque<Lease>,
    pub attempts: BTreeMap<AttemptId, Attempt>,
    pub cancels: Vec<AttemptId>,
    pub logs: BTreeMap<(AttemptId, String), Vec<u8>>,
    pub log_calls: u32,
    pub log_tokens: Vec<String>,
    pub registrations: Vec<RegisterHost>,
    pub failed_loads: Vec<FailedLoad>,
    pub left: Vec<HostId>,
    pub refused: Vec<Refused>,
    pub exchanges: u64,
    pub repeats: u64,
    pub given_again: usize,
    /// Nobody is there: every call fails without effect.
    pub down: bool,
    /// It does not lead, and says who does.
    pub leader: Option<String>,
    /// So many exchanges have their effect and lose their answer.
    pub lose_answers: u32,
    /// Definitions are refused with this.
    pub refuse_definitions: Option<String>,
    /// Exchanges that tell a materialization of this attempt are refused.
    pub refuse_attempt: Option<AttemptId>,
    /// Questions that have no answer yet, by id.
    pub questions: BTreeMap<String, EvaluationQuestion>,
    /// Answers by id; how often each came is the length.
    pub said: BTreeMap<String, Vec<EvaluationAnswer>>,
    pub evaluation_calls: u64,
    /// Questions nobody waits for any more.
    pub dropped: Vec<String>,
    /// So many calls with answers have their effect and lose what comes back.
    pub lose_evaluations: u32,
    /// There is no call for evaluations: an older control plane.
    pub no_evaluations: bool,
    /// Answers to this question are refused.
    pub refuse_answer: Option<String>,
    /// `CLOCK_BOOTTIME` of the last call heard from a host, nanoseconds.
    pub heard_ns: u64,
    /// Attempts and questions so far: each has a number of its own.
    pub numbers: u128,
    hosts: BTreeMap<HostId, Host>,
}

/// A running plane.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    state: Arc<Shared>,
    pub url: String,
}

#[derive(Debug, Default)]
struct Shared {
    knowledge: Mutex<Knowledge>,
    changed: Notify,
}

#[derive(Debug)]
struct Refusal(Box<Response>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl Plane {
    pub(crate) async fn start(ttl_ms: u64, interval_ms: u64) -> Self {
        let state = Arc::new(Shared::default());
        {
            let mut knowledge = state.knowledge.lock().unwrap();
            knowledge.ttl_ms = ttl_ms;
            knowledge.interval_ms = interval_ms;
        }
        let base = "/api/v1/workspaces/default/worker";
        let app = Router::new()
            .route(&format!("{base}/hosts"), post(register))
            .route(&format!("{base}/hosts/{{host}}/exchange"), post(exchange))
            .route(&format!("{base}/hosts/{{host}}/heartbeat"), post(heartbeat))
            .route(
                &format!("{base}/hosts/{{host}}/evaluations"),
                post(evaluations),
            )
            .route(&format!("{base}/hosts/{{host}}/leave"), post(leave))
            .route(
                &format!("{base}/hosts/{{host}}/failed_load"),
                post(failed_load),
            )
            .route(
                &format!("{base}/attempts/{{attempt}}/logs/{{stream}}/{{chunk}}"),
                put(put_log),
            )
            .with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { state, url }
    }

    pub(crate) fn know(&self) -> MutexGuard<'_, Knowledge> {
        self.state.knowledge.lock().unwrap()
    }

    /// Changes something and wakes calls that wait.
    pub(crate) fn turn<T>(&self, change: impl FnOnce(&mut Knowledge) -> T) -> T {
        let result = change(&mut self.know());
        self.state.changed.notify_waiters();
        result
    }

    /// Waits until something is so.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        mut so: impl FnMut(&Knowledge) -> Option<T>,
    ) -> T {
        let waiting = async {
            loop {
                let changed = self.state.changed.notified();
                if let Some(found) = so(&self.know()) {
                    return found;
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changed).await;
            }
        };
        match tokio::time::timeout(SLOW, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("never seen: {what}; {:#?}", self.know().attempts),
        }
    }

    /// Queues a task.
    pub(crate) fn submit(&self, step: &str, change: impl FnOnce(&mut Lease)) -> AttemptId {
        self.turn(|known| known.queue_up(step, change))
    }

    /// Queues two tasks that are leased together if there is room.
    pub(crate) fn submit_both(&self, first: &str, second: &str) -> (AttemptId, AttemptId) {
        self.turn(|known| {
            (
                known.queue_up(first, |_| {}),
                known.queue_up(second, |_| {}),
            )
        })
    }

    pub(crate) async fn outcome(&self, attempt: AttemptId) -> Outcome {
        let what = format!("the end of {attempt}");
        self.until(&what, |known| known.attempts.get(&attempt)?.outcome.clone())
            .await
    }

    /// Asks a sensor what to run.
    pub(crate) fn ask(&self, sensor: &str, timeout_ms: u64) -> String {
        self.ask_about(sensor, timeout_ms, Vec::new())
    }

    /// Asks a sensor what to run for what lies before it.
    pub(crate) fn ask_about(
        &self,
        sensor: &str,
        timeout_ms: u64,
        queue: Vec<QueuedItem>,
    ) -> String {
        let ask = Ask::Sensor {
            name: sensor.into(),
            cursor: None,
            last_evaluated: None,
            last_run_key: None,
            queue,
        };
        self.put_question(timeout_ms, ask)
    }

    pub(crate) fn put_question(&self, timeout_ms: u64, ask: Ask) -> String {
        self.turn(|known| {
            known.numbers += 1;
            let id = format!("q{}", known.numbers);
            let question = EvaluationQuestion {
                id: id.clone(),
                timeout_ms,
                ask,
            };
            known.questions.insert(id.clone(), question);
            id
        })
    }

    /// Waits for the answer to a question.
    pub(crate) async fn said(&self, question: &str) -> EvaluationAnswer {
        let what = format!("the answer to {question}");
        self.until(&what, |known| known.said.get(question)?.first().cloned())
            .await
    }

    pub(crate) async fn started(&self, attempt: AttemptId) {
        let begun = |known: &Knowledge| {
            let facts = &known.attempts.get(&attempt)?.facts;
            facts
                .iter()
                .any(|fact| matches!(fact, Fact::Started))
                .then_some(())
        };
        self.until(&format!("the start of {attempt}"), begun).await;
    }

    pub(crate) async fn log(&self, attempt: AttemptId, stream: &str, holds: &str) -> String {
        let key = (attempt, stream.to_owned());
        self.until(&format!("`{holds}` in {stream}"), |known| {
            let text = String::from_utf8_lossy(known.logs.get(&key)?).into_owned();
            text.contains(holds).then_some(text)
        })
        .await
    }

    /// The control plane judges that the host is lost.
    pub(crate) fn fence(&self, host: HostId) {
        self.turn(|known| known.hosts.entry(host).or_default().fenced = true);
    }

    /// The control plane restarts and has forgotten who was there.
    pub(crate) fn forget_hosts(&self) {
        self.turn(|known| known.hosts.clear());
    }
}

pub(crate) fn boottime_ns() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).unwrap();
    u64::try_from(now.tv_sec()).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec()).unwrap()
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Refusal {
    let problem = Problem {
        type_url: format!("https://arco.dev/errors/{code}"),
        title: code.into(),
        status: status.as_u16(),
        detail: detail.into(),
        code: code.into(),
        request_id: String::new(),
        hints: Vec::new(),
    };
    Refusal(Box::new((status, Json(problem)).into_response()))
}

fn away() -> Refusal {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "nobody is there",
    )
}

impl Knowledge {
    fn queue_up(&mut self, step: &str, change: impl FnOnce(&mut Lease)) -> AttemptId {
        self.numbers += 1;
        let run = RunId::from_parts(0, self.numbers);
        let mut lease = Lease {
            attempt: AttemptId {
                run,
                task: 0,
                number: 1,
            },
            run,
            task: 0,
            number: 1,
            retry_number: 0,
            step: step.into(),
            kind: StepKind::Asset,
            outputs: vec![arco_core::AssetKey::parse(step).unwrap()],
            checks: Vec::new(),
            partitions: None,
            inputs: Vec::new(),
            op_inputs: Vec::new(),
            mapping_key: None,
            config: serde_json::json!({}),
            tags: BTreeMap::new(),
            isolation: Isolation::Reuse,
            timeout_ms: None,
            memory_limit_bytes: None,
            token: format!("attempt-token-{}", self.numbers),
            time: 0,
        };
        change(&mut lease);
        let attempt = lease.attempt;
        self.queue.push_back(lease);
        attempt
    }

    fn is_there(&self) -> Result<(), Refusal> {
        if self.down {
            return Err(away());
        }
        let Some(leader) = &self.leader else {
            return Ok(());
        };
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let mut refusal = problem(unavailable, "not_leader", "another replica leads");
        let url = leader.parse().expect("a header");
        refusal.0.headers_mut().insert("arco-leader", url);
        Err(refusal)
    }

    fn admit(&mut self, headers: &HeaderMap, host: Option<HostId>) -> Result<(), Refusal> {
        self.is_there()?;
        let token = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        if token.as_deref() != Some(&format!("Bearer {TOKEN}")) {
            return Err(problem(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "wrong token",
            ));
        }
        self.heard_ns = boottime_ns();
        let Some(host) = host else { return Ok(()) };
        match self.hosts.get(&host) {
            None => Err(problem(
                StatusCode::NOT_FOUND,
                "unknown_host",
                "who are you",
            )),
            Some(host) if host.fenced => Err(problem(StatusCode::CONFLICT, "fenced", "too late")),
            Some(_) => Ok(()),
        }
    }

    fn mine(&self, host: HostId, attempt: AttemptId) -> bool {
        let known = self.attempts.get(&attempt);
        known.is_some_and(|known| known.host == Some(host) && known.outcome.is_none())
    }

    fn answer(&mut self, host: HostId, body: &Exchange) -> Result<Exchanged, Refusal> {
        if let Some(bad) = self.refuse_attempt
            && body
                .reports
                .iter()
                .any(|report| report.attempt == bad && matches!(report.fact, Fact::Materialized(_)))
        {
            let detail = "metadata `x` is not to our liking";
            return Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
                detail,
            ));
        }
        let refused = self.report(host, body);
        self.exchanges += 1;
        Ok(Exchanged {
            leases: self.lease(host, body),
            cancels: self.cancels(host),
            refused,
            lease_ttl_ms: self.ttl_ms,
        })
    }

    /// Reports count once for each number.
    fn report(&mut self, host: HostId, body: &Exchange) -> Vec<Refused> {
        let mut refused = Vec::new();
        if !body.reports.is_empty() {
            let this = self.hosts.get_mut(&host).unwrap();
            if body.seq <= this.seq {
                self.repeats += 1;
                return refused;
            }
            this.seq = body.seq;
        }
        for report in &body.reports {
            if !self.mine(host, report.attempt) {
                let reason = "not yours".to_owned();
                refused.push(Refused {
                    attempt: report.attempt,
                    reason,
                });
                continue;
            }
            let attempt = self.attempts.get_mut(&report.attempt).unwrap();
            attempt.facts.push(report.fact.clone());
            match &report.fact {
                Fact::Finished {
                    outcome: Outcome::Released,
                } => {
                    attempt.host = None;
                    attempt.released += 1;
                    self.queue.extend(attempt.lease.clone());
                }
                Fact::Finished { outcome } => attempt.outcome = Some(outcome.clone()),
                _ => {}
            }
        }
        self.refused.extend(refused.clone());
        refused
    }

    /// What the host holds and does not speak of is given again, then new work.
    fn lease(&mut self, host: HostId, body: &Exchange) -> Vec<Lease> {
        let lost = |id: &AttemptId| self.mine(host, *id) && !body.live.contains(id);
        let again = self.attempts.iter().filter(|(id, _)| lost(id));
        let mut leases: Vec<_> = again.filter_map(|(_, known)| known.lease.clone()).collect();
        self.given_again += leases.len();
        let room = (body.want as usize)
            .saturating_sub(leases.len())
            .min(self.queue.len());
        for lease in self.queue.drain(..room) {
            let attempt = self.attempts.entry(lease.attempt).or_default();
            attempt.host = Some(host);
            attempt.leased += 1;
            attempt.lease = Some(lease.clone());
            leases.push(lease);
        }
        leases
    }

    fn evaluated(&mut self, body: &Evaluations) -> EvaluationsGiven {
        for answer in &body.answers {
            self.questions.remove(&answer.id);
            let said = self.said.entry(answer.id.clone()).or_default();
            said.push(answer.clone());
        }
        let open = self.questions.values();
        let new = open.filter(|question| !body.busy.contains(&question.id));
        EvaluationsGiven {
            questions: new.take(body.want as usize).cloned().collect(),
            dropped: (self.dropped.iter())
                .filter(|id| body.busy.contains(id))
                .cloned()
                .collect(),
        }
    }

    fn has_undelivered(&self, host: HostId, body: &Exchange) -> bool {
        self.attempts
            .keys()
            .any(|id| self.mine(host, *id) && !body.live.contains(id))
    }

    fn cancels(&self, host: HostId) -> Vec<AttemptId> {
        self.cancels
            .iter()
            .copied()
            .filter(|attempt| self.mine(host, *attempt))
            .collect()
    }
}

async fn register(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<RegisterHost>,
) -> Result<Json<Registered>, Refusal> {
    let mut known = state.knowledge.lock().unwrap();
    known.admit(&headers, None)?;
    if known.hosts.get(&body.host).is_some_and(|host| host.fenced) {
        return Err(problem(StatusCode::CONFLICT, "fenced", "too late"));
    }
    if let Some(detail) = known.refuse_definitions.clone() {
        known.registrations.push(body);
        state.changed.notify_waiters();
        return Err(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_definitions",
            &detail,
        ));
    }
    known.hosts.entry(body.host).or_default();
    let (kept, killed) = body
        .attempts
        .iter()
        .copied()
        .partition(|attempt| known.mine(body.host, *attempt));
    let answer = Registered {
        lease_ttl_ms: known.ttl_ms,
        heartbeat_interval_ms: known.interval_ms,
        definitions_version: Digest::of_json(&body.manifest),
        kept,
        killed,
    };
    known.registrations.push(body);
    state.changed.notify_waiters();
    Ok(Json(answer))
}

async fn exchange(
    State(state): State<Arc<Shared>>,
    Path(host): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Exchange>,
) -> Result<Json<Exchanged>, Refusal> {
    let host: HostId = host.parse().unwrap();
    let waited = tokio::time::sleep(Duration::from_millis(body.wait_ms));
    tokio::pin!(waited);
    let mut may_wait = body.wait_ms > 0 && body.reports.is_empty();
    loop {
        let changed = state.changed.notified();
        {
            let mut known = state.knowledge.lock().unwrap();
            known.admit(&headers, Some(host))?;
            let work = !known.queue.is_empty() && body.want > 0;
            let news =
                work || !known.cancels(host).is_empty() || known.has_undelivered(host, &body);
            if !may_wait || news {
                let answer = known.answer(host, &body)?;
                state.changed.notify_waiters();
                if known.lose_answers > 0 {
                    known.lose_answers -= 1;
                    return Err(away());
                }
                return Ok(Json(answer));
            }
        }
        tokio::select! {
            () = changed => {}
            () = &mut waited => may_wait = false,
        }
    }
}

/// Questions are given again until the host names them as busy or answers them.
async fn evaluations(
    State(state): State<Arc<Shared>>,
    Path(host): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Evaluations>,
) -> Result<Json<EvaluationsGiven>, Refusal> {
    let host: HostId = host.parse().unwrap();
    let waited = tokio::time::sleep(Duration::from_millis(body.wait_ms));
    tokio::pin!(waited);
    let mut may_wait = body.wait_ms > 0;
    state.knowledge.lock().unwrap().evaluation_calls += 1;
    loop {
        let changed = state.changed.notified();
        {
            let mut known = state.knowledge.lock().unwrap();
            known.admit(&headers, Some(host))?;
            if known.no_evaluations {
                return Err(problem(StatusCode::NOT_FOUND, "not_found", "no such path"));
            }
            let refused = known.refuse_answer.clone();
            if body
                .answers
                .iter()
                .any(|one| Some(&one.id) == refused.as_ref())
            {
                known.refuse_answer = None;
                let detail = "metadata `x` is not to our liking";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return Err(problem(status, "invalid_body", detail));
            }
            let given = known.evaluated(&body);
            if !may_wait || !given.questions.is_empty() || !given.dropped.is_empty() {
                if !body.answers.is_empty() {
                    state.changed.notify_waiters();
                }
                if known.lose_evaluations > 0 && !body.answers.is_empty() {
                    known.lose_evaluations -= 1;
                    return Err(away());
                }
                return Ok(Json(given));
            }
        }
        tokio::select! {
            () = changed => {}
            () = &mut waited => may_wait = false,
        }
    }
}

async fn heartbeat(
    State(state): State<Arc<Shared>>,
    Path(host): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, Refusal> {
    let host: HostId = host.parse().unwrap();
    let mut known = state.knowledge.lock().unwrap();
    known.admit(&headers, Some(host))?;
    let unknown = body
        .live
        .iter()
        .copied()
        .filter(|attempt| !known.mine(host, *attempt))
        .collect();
    Ok(Json(HeartbeatAnswer {
        cancels: known.cancels(host),
        unknown,
        lease_ttl_ms: known.ttl_ms,
    }))
}

async fn leave(
    State(state): State<Arc<Shared>>,
    Path(host): Path<String>,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let host: HostId = host.parse().unwrap();
    let mut known = state.knowledge.lock().unwrap();
    known.admit(&headers, Some(host))?;
    known.left.push(host);
    Ok(())
}

async fn failed_load(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<FailedLoad>,
) -> Result<(), Refusal> {
    let mut known = state.knowledge.lock().unwrap();
    known.admit(&headers, None)?;
    known.failed_loads.push(body);
    state.changed.notify_waiters();
    Ok(())
}

async fn put_log(
    State(state): State<Arc<Shared>>,
    Path((attempt, stream, chunk)): Path<(String, String, u32)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Refusal> {
    let attempt: AttemptId = attempt.parse().unwrap();
    let mut known = state.knowledge.lock().unwrap();
    known.is_there()?;
    assert!(
        !body.is_empty() && body.len() <= 1024 * 1024,
        "chunk {chunk} has {}",
        body.len()
    );
    known
        .log_tokens
        .push(headers["authorization"].to_str().unwrap().to_owned());
    known.log_calls += 1;
    known
        .logs
        .entry((attempt, stream))
        .or_default()
        .extend_from_slice(&body);
    state.changed.notify_waiters();
    Ok(())
}
