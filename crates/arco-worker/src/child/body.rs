//! Running one body, from handing over the lease to knowing how it ended.

use std::os::fd::AsFd;
use std::time::Duration;

use arco_wire::worker::{ErrorInfo, Fact, FailureClass, Lease, Outcome};
use bytes::Bytes;

use super::stop::{Reason, Stopping, failed};
use super::{Child, Command, Ended, Event, Stop, memory, without_token};
use crate::clock::Boottime;
use crate::death;
use crate::frame::{self, FrameReader};
use crate::logs::Capture;
use crate::message::{BodyFailure, Exit, FromChild, TaskResult, ToChild};

/// For the last words of a crashed process to come through the pipe.
const LAST_WORDS_MS: u64 = 200;
/// A process whose control socket has ended is about to end itself.
const TORN_MS_MAX: u64 = 2_000;

/// One body under way.
struct Body {
    began: Option<Boottime>,
    /// No word is expected before this; then it never began.
    begin_by: Boottime,
    timeout_ms: Option<u64>,
    memory: Option<MemoryLimit>,
    stopping: Option<Stopping>,
    /// The control socket is unusable; the process must end by then.
    torn_until: Option<Boottime>,
    /// What the process did wrong, when it broke the protocol.
    fault: Option<String>,
}

impl Child {
    pub(super) async fn execute(&mut self, lease: Lease, reader: &mut FrameReader) -> Ended {
        let (attempt, token, lease) = without_token(lease);
        let settings = self.shared.settings.clone();
        let now = Boottime::now();
        let mut body = Body {
            began: None,
            begin_by: now.plus_ms(settings.start_ms_max),
            timeout_ms: lease.timeout_ms,
            memory: lease.memory_limit_bytes.map(|limit| MemoryLimit {
                limit,
                look_at: now,
            }),
            stopping: None,
            torn_until: None,
            fault: None,
        };
        let (capture, pipes) = match Capture::begin(&self.shared.uploads, attempt, token) {
            Ok(begun) => begun,
            Err(error) => return never_ran(format!("cannot make pipes for its output: {error}")),
        };
        let fds = [pipes[0].as_fd(), pipes[1].as_fd()];
        if frame::send(&self.stream, &ToChild::Task { lease: &lease }, &fds)
            .await
            .is_err()
        {
            body.torn_until = Some(now.plus_ms(TORN_MS_MAX));
        }
        drop(pipes);
        loop {
            let now = Boottime::now();
            self.keep_time(&mut body, now);
            tokio::select! {
                frame = reader.next(&self.stream), if body.torn_until.is_none() => match frame {
                    Ok(Some(first)) => {
                        if let Some(result) = self.hear(&mut body, first, reader, &capture).await {
                            return finished(&body, result);
                        }
                    }
                    Ok(None) => body.torn_until = Some(now.plus_ms(TORN_MS_MAX)),
                    Err(error) => self.fault(&mut body, &error.to_string(), now),
                },
                Some(command) = self.commands.recv() => self.obey(&mut body, &command, now),
                exit = &mut self.exited => {
                    let exit = exit.unwrap_or_default();
                    return self.bury(body, exit, reader, &capture).await;
                }
                () = tokio::time::sleep(body.next_moment(settings.start_ms_max, now).nap(now)) => {}
            }
        }
    }

    /// Timeout, grace, and the patience with a process that does not begin or does not end.
    fn keep_time(&self, body: &mut Body, now: Boottime) {
        let grace_ms = self.shared.settings.grace_ms;
        if let Some(stopping) = &mut body.stopping {
            if !stopping.killed && now >= stopping.kill_at {
                stopping.kill(self.pid);
            }
        } else if let Some(reason) = body
            .overdue(self.shared.settings.start_ms_max, now)
            .or_else(|| body.too_big(self.pid, now))
        {
            body.stopping = Some(Stopping::begin(self.pid, reason, grace_ms, now));
        }
        if body.torn_until.is_some_and(|until| now >= until) {
            super::signal_group(self.pid, nix::sys::signal::Signal::SIGKILL);
            body.torn_until = Some(now.plus_ms(TORN_MS_MAX));
        }
    }

    fn obey(&self, body: &mut Body, command: &Command, now: Boottime) {
        let Command::Stop(stop) = *command else {
            return;
        };
        match &mut body.stopping {
            Some(stopping) if stop == Stop::Kill => {
                stopping.reason = Reason::Told(stop);
                stopping.kill(self.pid);
            }
            Some(_) => {}
            None => {
                let grace_ms = self.shared.settings.grace_ms;
                let reason = Reason::Told(stop);
                body.stopping = Some(Stopping::begin(self.pid, reason, grace_ms, now));
            }
        }
    }

    /// Handles a frame and those that have arrived with it; facts go on together.
    async fn hear(
        &self,
        body: &mut Body,
        first: Bytes,
        reader: &mut FrameReader,
        capture: &Capture,
    ) -> Option<TaskResult> {
        let mut facts = Vec::new();
        let mut result = None;
        let mut next = Some(first);
        while let Some(frame) = next {
            match serde_json::from_slice(&frame) {
                Ok(FromChild::Log(record)) => capture.record(&record),
                Ok(FromChild::Result(said)) => {
                    result = Some(said);
                    break;
                }
                Ok(said) => {
                    if matches!(said, FromChild::Started) {
                        body.began = Some(Boottime::now());
                    }
                    facts.extend(said.into_fact());
                }
                Err(error) => {
                    self.fault(body, &error.to_string(), Boottime::now());
                    break;
                }
            }
            next = reader.buffered().unwrap_or_default();
        }
        self.tell_facts(facts, body).await;
        result
    }

    async fn tell_facts(&self, facts: Vec<Fact>, body: &Body) {
        let unwanted = matches!(
            body.stopping,
            Some(Stopping {
                reason: Reason::Told(Stop::Kill),
                ..
            })
        );
        if !facts.is_empty() && !unwanted {
            self.tell(Event::Facts(facts)).await;
        }
    }

    /// The process speaks nonsense: it is killed, and the task fails with the reason.
    fn fault(&self, body: &mut Body, what: &str, now: Boottime) {
        body.fault.get_or_insert_with(|| what.to_owned());
        body.torn_until = Some(now.plus_ms(TORN_MS_MAX));
        super::signal_group(self.pid, nix::sys::signal::Signal::SIGKILL);
    }

    /// The process is gone. What it said before still counts, its result above all.
    async fn bury(
        &self,
        mut body: Body,
        exit: Exit,
        reader: &mut FrameReader,
        capture: &Capture,
    ) -> Ended {
        while body.fault.is_none() {
            let Ok(Some(frame)) = reader.left_behind(&self.stream) else {
                break;
            };
            if let Some(result) = self.hear(&mut body, frame, reader, capture).await {
                return Ended {
                    alive: false,
                    ..finished(&body, result)
                };
            }
        }
        let outcome = match (&body.stopping, &body.fault) {
            (Some(stopping), _) => stopping.reason.outcome(),
            (None, Some(fault)) => Some(failed(
                FailureClass::Crashed,
                "ProtocolError",
                format!("the process broke the worker protocol and was killed: {fault}"),
            )),
            (None, None) => {
                let tail = capture
                    .stderr_tail(Duration::from_millis(LAST_WORDS_MS))
                    .await;
                let (class, error) = death::explain(&exit, &self.shared.memory, tail);
                Some(Outcome::Failed {
                    class,
                    error,
                    allow_retries: true,
                    retry_after_ms: None,
                    max_retries: None,
                })
            }
        };
        Ended {
            outcome,
            body: body.took(),
            alive: false,
            stopped: true,
        }
    }
}

/// How much memory a body may use, and when to look next.
struct MemoryLimit {
    limit: u64,
    look_at: Boottime,
}

impl Body {
    /// Looks at the memory of a body that has a limit, when it is time to.
    fn too_big(&mut self, pid: i32, now: Boottime) -> Option<Reason> {
        let memory = self.memory.as_mut()?;
        if now < memory.look_at {
            return None;
        }
        memory.look_at = now.plus_ms(u64::try_from(memory::LOOK.as_millis()).unwrap_or(u64::MAX));
        let used = memory::used_bytes(pid);
        (used > memory.limit).then_some(Reason::Memory {
            used,
            limit: memory.limit,
        })
    }

    fn took(&self) -> Duration {
        self.began
            .map_or(Duration::ZERO, |began| Boottime::now().since(began))
    }

    /// Whether the body has to be stopped for time.
    fn overdue(&self, start_ms_max: u64, now: Boottime) -> Option<Reason> {
        match (self.began, self.timeout_ms) {
            (None, _) => (now >= self.begin_by).then_some(Reason::NeverBegan(start_ms_max)),
            (Some(began), Some(limit)) => {
                (now >= began.plus_ms(limit)).then_some(Reason::Timeout(limit))
            }
            (Some(_), None) => None,
        }
    }

    /// When there is something to do though nobody says anything.
    fn next_moment(&self, start_ms_max: u64, now: Boottime) -> Boottime {
        let limit = match (&self.stopping, self.began, self.timeout_ms) {
            (Some(stopping), _, _) if !stopping.killed => Some(stopping.kill_at),
            (Some(_), _, _) => None,
            (None, None, _) => Some(self.begin_by),
            (None, Some(began), Some(limit)) => Some(began.plus_ms(limit)),
            (None, Some(_), None) => None,
        };
        let far = now.plus_ms(start_ms_max);
        let look = self.memory.as_ref().filter(|_| self.stopping.is_none());
        [limit, self.torn_until, look.map(|memory| memory.look_at)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(far)
    }
}

/// How a body ended that said so itself.
fn finished(body: &Body, result: TaskResult) -> Ended {
    let took = body.took();
    let ended = |outcome| Ended {
        outcome,
        body: took,
        alive: true,
        stopped: body.stopping.is_some(),
    };
    if let Some(stopping) = &body.stopping {
        // A body that finished just before the signal reached it has done its work, and says so.
        // One that was interrupted has not, even if it swallowed the exception and returned.
        let interrupted = result.interrupted || result.class == Some(BodyFailure::Cancelled);
        if interrupted || stopping.reason == Reason::Told(Stop::Kill) {
            return ended(stopping.reason.outcome());
        }
    }
    if result.ok {
        return ended(Some(Outcome::Succeeded));
    }
    let class = result.class.unwrap_or(BodyFailure::UserCode).class();
    let error = result.error.unwrap_or_else(|| ErrorInfo {
        kind: "Error".into(),
        message: "the body failed without saying why".into(),
        traceback: String::new(),
    });
    ended(Some(Outcome::Failed {
        class,
        error,
        allow_retries: result.allow_retries,
        retry_after_ms: result.retry_after_ms,
        max_retries: result.max_retries,
    }))
}

fn never_ran(message: String) -> Ended {
    let outcome = Some(failed(FailureClass::Infrastructure, "NeverBegan", message));
    Ended {
        outcome,
        body: Duration::ZERO,
        alive: true,
        stopped: true,
    }
}
