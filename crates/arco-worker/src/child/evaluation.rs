//! Carrying out one evaluation, from handing over the question to knowing what was said.
//!
//! A body has a lease and is judged by facts; an evaluation is one question and one answer. What was
//! said of the first things of a queue counts though the process dies at a later one: the child tells
//! how far it is after each.

use std::os::fd::AsFd;
use std::time::Duration;

use arco_wire::evaluation::{Ask, EvaluationAnswer, EvaluationQuestion, Said, Wanted};
use arco_wire::worker::ErrorInfo;
use bytes::Bytes;
use nix::sys::signal::Signal;

use super::evaluation_log::Log;
use super::stop::term;
use super::{Child, Command, Event, Next, Wear, signal_group};
use crate::clock::Boottime;
use crate::death;
use crate::frame::{self, FrameReader};
use crate::message::{Exit, FromChild, ToChild};

/// After SIGTERM, which shows in the traceback where the function was: time to tell it.
const GRACE_MS: u64 = 1_000;
/// For what was printed to come through the pipes after the answer; what the function started may
/// hold them open.
const LAST_WORDS_MS: u64 = 200;

/// One evaluation under way.
struct Asked {
    question: EvaluationQuestion,
    log: Log,
    began: Option<Boottime>,
    /// The function must be back, or have begun, by then.
    due: Boottime,
    /// It took too long; the process is killed by then.
    kill_at: Option<Boottime>,
    /// What counts of a queue so far.
    before: Option<Wanted>,
}

/// How it ended.
struct Ended {
    /// `None`: nobody wants to know.
    said: Option<Said>,
    took_ms: u64,
    alive: bool,
    /// The child may be asked again.
    sound: bool,
}

impl Child {
    pub(super) async fn evaluate(
        &mut self,
        question: EvaluationQuestion,
        reader: &mut FrameReader,
        wear: &mut Wear,
    ) -> Next {
        let id = question.id.clone();
        let (ended, log) = self.ask(question, reader).await;
        wear.tasks += 1;
        let reusable = ended.alive && ended.sound && !self.worn(wear);
        if ended.alive && ended.sound && !reusable {
            let _ = frame::send(&self.stream, &ToChild::Exit, &[]).await;
        }
        let answer = ended.said.map(|said| {
            Box::new(EvaluationAnswer {
                id,
                said,
                log,
                took_ms: ended.took_ms,
            })
        });
        self.tell(Event::Evaluated { answer, reusable }).await;
        match (ended.alive, reusable) {
            (false, _) => Next::Gone,
            (true, false) => Next::Leaving,
            (true, true) => Next::Idle,
        }
    }

    async fn ask(
        &mut self,
        question: EvaluationQuestion,
        reader: &mut FrameReader,
    ) -> (Ended, Vec<String>) {
        let now = Boottime::now();
        let (log, pipes) = match Log::begin() {
            Ok(begun) => begun,
            Err(error) => {
                let message = format!("cannot make pipes for the output of an evaluation: {error}");
                return (self.give_up("NeverBegan", message), Vec::new());
            }
        };
        let mut asked = Asked {
            due: now.plus_ms(self.shared.settings.start_ms_max),
            question,
            log,
            began: None,
            kill_at: None,
            before: None,
        };
        let fds = [pipes[0].as_fd(), pipes[1].as_fd()];
        let message = ToChild::Evaluation {
            question: &asked.question,
        };
        // A child that is gone shows by its exit.
        let _ = frame::send(&self.stream, &message, &fds).await;
        drop(pipes);
        let ended = self.attend(&mut asked, reader).await;
        let patience = Duration::from_millis(LAST_WORDS_MS);
        (ended, asked.log.take(patience).await)
    }

    async fn attend(&mut self, asked: &mut Asked, reader: &mut FrameReader) -> Ended {
        let mut torn = false;
        loop {
            let now = Boottime::now();
            self.keep_evaluation_time(asked, now);
            let next = asked.kill_at.unwrap_or(asked.due);
            tokio::select! {
                frame = reader.next(&self.stream), if !torn => match frame {
                    Ok(Some(frame)) => {
                        if let Some(ended) = self.heard(asked, &frame) {
                            return ended;
                        }
                    }
                    Ok(None) => torn = true,
                    Err(error) => return self.broke(&error.to_string()),
                },
                Some(command) = self.commands.recv() => if let Command::Stop(stop) = command {
                    // Whoever stops an evaluation has answered for it already.
                    tracing::debug!(pid = self.pid, ?stop, "an evaluation is stopped");
                    signal_group(self.pid, Signal::SIGKILL);
                    return Ended { said: None, took_ms: 0, alive: true, sound: false };
                },
                exit = &mut self.exited => {
                    return self.evaluator_died(asked, &exit.unwrap_or_default(), reader).await;
                }
                () = tokio::time::sleep(next.nap(now)) => {}
            }
        }
    }

    fn keep_evaluation_time(&self, asked: &mut Asked, now: Boottime) {
        match asked.kill_at {
            Some(kill_at) if now >= kill_at => {
                signal_group(self.pid, Signal::SIGKILL);
                asked.kill_at = Some(now.plus_ms(GRACE_MS));
            }
            None if now >= asked.due => {
                // To the process alone: in Python it raises where the function is.
                if asked.began.is_some() {
                    term(self.pid);
                } else {
                    signal_group(self.pid, Signal::SIGKILL);
                }
                asked.kill_at = Some(now.plus_ms(GRACE_MS));
            }
            _ => {}
        }
    }

    /// Handles one frame; an answer ends the evaluation.
    fn heard(&self, asked: &mut Asked, frame: &Bytes) -> Option<Ended> {
        match serde_json::from_slice(frame) {
            Ok(FromChild::Started) => {
                let now = Boottime::now();
                asked.began = Some(now);
                asked.due = now.plus_ms(asked.question.timeout_ms);
                None
            }
            Ok(FromChild::Log(record)) => {
                asked.log.line(&record);
                None
            }
            Ok(FromChild::Progress { wanted }) => {
                // The limit is that of one call of the function.
                asked.before = Some(wanted);
                if asked.kill_at.is_none() {
                    asked.due = Boottime::now().plus_ms(asked.question.timeout_ms);
                }
                None
            }
            Ok(FromChild::Evaluated { answer }) => {
                let late = asked.kill_at.is_some();
                let said = match answer.said {
                    said if !late => said,
                    Said::Raised { error, .. } => asked.overdue(error.traceback),
                    _ => asked.overdue(String::new()),
                };
                if late {
                    // It was interrupted, and is not trusted with another question.
                    signal_group(self.pid, Signal::SIGKILL);
                }
                Some(Ended {
                    said: Some(said),
                    took_ms: answer.took_ms,
                    alive: true,
                    sound: !late,
                })
            }
            Ok(other) => Some(self.broke(&format!("`{other:?}` is no word of an evaluation"))),
            Err(error) => Some(self.broke(&error.to_string())),
        }
    }

    /// The process speaks nonsense, or nothing can be asked of it: it is killed.
    fn broke(&self, what: &str) -> Ended {
        let message = format!("the process broke the worker protocol and was killed: {what}");
        self.give_up("ProtocolError", message)
    }

    fn give_up(&self, kind: &str, message: String) -> Ended {
        signal_group(self.pid, Signal::SIGKILL);
        Ended {
            said: Some(raised(kind, message, String::new(), None)),
            took_ms: 0,
            alive: true,
            sound: false,
        }
    }

    /// The process is gone. What it said before still counts, its answer above all.
    async fn evaluator_died(
        &self,
        asked: &mut Asked,
        exit: &Exit,
        reader: &mut FrameReader,
    ) -> Ended {
        while let Ok(Some(frame)) = reader.left_behind(&self.stream) {
            if let Some(ended) = self.heard(asked, &frame) {
                return Ended {
                    alive: false,
                    ..ended
                };
            }
        }
        let said = if asked.kill_at.is_some() {
            asked.overdue(String::new())
        } else {
            let patience = Duration::from_millis(LAST_WORDS_MS);
            let tail = asked.log.stderr_tail(patience).await;
            let (_, error) = death::explain(exit, &self.shared.memory, tail);
            Said::Raised {
                error,
                before: asked.before.take(),
            }
        };
        let took_ms = asked
            .began
            .map_or(0, |began| millis(Boottime::now().since(began)));
        Ended {
            said: Some(said),
            took_ms,
            alive: false,
            sound: false,
        }
    }
}

impl Asked {
    /// What is said of an evaluation that took too long.
    fn overdue(&mut self, traceback: String) -> Said {
        let keep = "do less at a time and keep the place in the cursor, or raise `timeout_seconds`";
        let (what, mend) = match &self.question.ask {
            Ask::Schedule { name, .. } => (format!("schedule `{name}`"), keep),
            Ask::Sensor { name, .. } => (format!("sensor `{name}`"), keep),
            Ask::Mapping {
                downstream,
                upstream,
                ..
            } => (
                format!("the mapping by which `{downstream}` reads `{upstream}`"),
                "say from what is at hand what a partition needs",
            ),
        };
        let seconds = Duration::from_millis(self.question.timeout_ms).as_secs_f64();
        let message = if self.began.is_some() {
            format!(
                "the function of {what} did not return within {seconds} seconds and was ended; {mend}"
            )
        } else {
            format!("the process did not begin the evaluation of {what} in time and was killed")
        };
        raised("EvaluationTimeout", message, traceback, self.before.take())
    }
}

fn raised(kind: &str, message: String, traceback: String, before: Option<Wanted>) -> Said {
    Said::Raised {
        error: ErrorInfo {
            kind: kind.into(),
            message,
            traceback,
        },
        before,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
