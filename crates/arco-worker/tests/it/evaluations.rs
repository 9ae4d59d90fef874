//! Evaluations of schedules and sensors: beside tasks, each for itself, each answered.

use std::time::Duration;

use arco_wire::evaluation::{Ask, EvaluationAnswer, QueuedItem, Said, Wanted};
use arco_wire::worker::{ErrorInfo, Outcome};

use crate::harness::{Bench, DEFINITIONS, is_alive, until_dead};

const SENSORS: &str = include_str!("sensors.py");
/// Longer than any test.
const LONG_MS: u64 = 600_000;

async fn bench() -> Bench {
    let bench = Bench::start_with(&format!("{DEFINITIONS}{SENSORS}"), |settings| {
        settings.slots = 1;
    })
    .await;
    bench
        .plane
        .until("a registration", |known| {
            known.registrations.first().map(drop)
        })
        .await;
    bench
}

fn returned(answer: &EvaluationAnswer) -> &Wanted {
    match &answer.said {
        Said::Returned(wanted) => wanted,
        other => panic!("{other:?}"),
    }
}

fn raised(answer: &EvaluationAnswer) -> (&ErrorInfo, Option<&Wanted>) {
    match &answer.said {
        Said::Raised { error, before } => (error, before.as_ref()),
        other => panic!("{other:?}"),
    }
}

fn message(id: &str, data: &str) -> QueuedItem {
    QueuedItem::Message {
        id: id.into(),
        time: 0,
        data: data.into(),
        attributes: std::collections::BTreeMap::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_asked_while_every_slot_is_taken() {
    let bench = bench().await;
    let task = bench.plane.submit("tidy", |_| {});
    bench.plane.started(task).await;
    let first = bench.plane.said(&bench.plane.ask("quick", LONG_MS)).await;
    let wanted = returned(&first);
    assert_eq!(wanted.cursor.as_deref(), Some("c1"));
    assert_eq!(wanted.run_requests[0].run_key.as_deref(), Some("k"));
    let mut log = first.log.clone();
    log.sort();
    assert_eq!(
        log,
        ["INFO arco.evaluation: found 2", "careful", "looked around"]
    );
    // The same child is asked again, and what it printed before is not said again.
    let second = bench.plane.said(&bench.plane.ask("quick", LONG_MS)).await;
    assert_eq!(
        returned(&second).run_requests[0].tags,
        wanted.run_requests[0].tags
    );
    assert_eq!(second.log.len(), 3);
    let ask = Ask::Schedule {
        name: "noon".into(),
        instant: "2026-07-01T10:00:00Z".into(),
    };
    let tick = bench
        .plane
        .said(&bench.plane.put_question(LONG_MS, ask))
        .await;
    assert_eq!(
        returned(&tick).run_requests[0].run_key.as_deref(),
        Some("2026-07-01T12:00:00+02:00")
    );
    let failed = bench.plane.said(&bench.plane.ask("raises", LONG_MS)).await;
    let (error, _) = raised(&failed);
    assert_eq!(
        (error.kind.as_str(), error.message.as_str()),
        ("ValueError", "no such folder")
    );
    assert!(error.traceback.contains("in raises"), "{}", error.traceback);
    bench.plane.turn(|known| known.cancels.push(task));
    assert!(matches!(
        bench.plane.outcome(task).await,
        Outcome::Cancelled
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_delays_no_other_until_nobody_waits_for_it() {
    let bench = bench().await;
    let hanging = bench.plane.ask("hangs", LONG_MS);
    let pid = bench.line("hangs_pid").await;
    for _ in 0..3 {
        let answer = bench.plane.said(&bench.plane.ask("quick", LONG_MS)).await;
        returned(&answer);
    }
    assert!(is_alive(&pid));
    bench.plane.turn(|known| {
        known.questions.remove(&hanging);
        known.dropped.push(hanging.clone());
    });
    until_dead(&pid).await;
    assert!(!bench.plane.know().said.contains_key(&hanging));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_are_asked_at_once_as_may_be_and_then_they_leave_room() {
    const AT_ONCE: usize = 32;
    let bench = bench().await;
    let questions: Vec<_> = (0..AT_ONCE + 3)
        .map(|_| bench.plane.ask("waits", LONG_MS))
        .collect();
    let pids = || bench.read("waits_pids").lines().count();
    for _ in 0..3_000 {
        if pids() == AT_ONCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(pids(), AT_ONCE);
    std::fs::write(bench.path("go"), "").unwrap();
    for question in &questions {
        returned(&bench.plane.said(question).await);
    }
    assert!(bench.plane.know().said.values().all(|said| said.len() == 1));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_too_long_is_ended_and_says_where_it_was() {
    let bench = bench().await;
    let slow = bench.plane.ask("hangs", 300);
    let deaf = bench.plane.ask("stubborn", 1_500);
    let answer = bench.plane.said(&slow).await;
    let (error, _) = raised(&answer);
    assert_eq!(error.kind, "EvaluationTimeout");
    let said = "the function of sensor `hangs` did not return within 0.3 seconds and was ended";
    assert!(error.message.starts_with(said), "{}", error.message);
    assert!(error.message.contains("raise `timeout_seconds`"));
    assert!(error.traceback.contains("in hangs"), "{}", error.traceback);
    until_dead(&bench.line("hangs_pid").await).await;
    // One that does not let itself be interrupted is killed.
    let answer = bench.plane.said(&deaf).await;
    let (error, _) = raised(&answer);
    assert!(
        error.message.contains("within 1.5 seconds"),
        "{}",
        error.message
    );
    assert_eq!(bench.read("refused_evaluation"), "1\n");
    until_dead(&bench.line("stubborn_evaluator_pid").await).await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_fails_one_evaluation_and_says_its_cause() {
    let bench = bench().await;
    let asked = bench.plane.ask("hangs", LONG_MS);
    let pid = bench.line("hangs_pid").await;
    let killed = nix::unistd::Pid::from_raw(pid.parse().unwrap());
    nix::sys::signal::kill(killed, nix::sys::signal::Signal::SIGKILL).unwrap();
    let answer = bench.plane.said(&asked).await;
    let (error, _) = raised(&answer);
    let cause = "killed by SIGKILL, not by the worker host";
    assert!(error.message.contains(cause), "{}", error.message);
    let answer = bench.plane.said(&bench.plane.ask("dies", LONG_MS)).await;
    let (error, _) = raised(&answer);
    assert!(error.message.contains("SIGSEGV"), "{}", error.message);
    assert!(
        error.traceback.contains("last words"),
        "{}",
        error.traceback
    );
    returned(&bench.plane.said(&bench.plane.ask("quick", LONG_MS)).await);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_queue_what_came_before_a_death_or_a_hang_counts() {
    let bench = bench().await;
    for (bad, kind) in [("die", "ProcessKilled"), ("hang", "EvaluationTimeout")] {
        let queue = vec![message("m1", ""), message("m2", ""), message("m3", bad)];
        let answer = bench
            .plane
            .said(&bench.plane.ask_about("takes", 2_000, queue))
            .await;
        let (error, before) = raised(&answer);
        assert_eq!(error.kind, kind, "{}", error.message);
        let before = before.unwrap();
        assert_eq!((before.taken, before.cursor.as_deref()), (2, Some("m2")));
        let keys: Vec<_> = before
            .run_requests
            .iter()
            .map(|request| (request.run_key.as_deref().unwrap(), request.answers))
            .collect();
        assert_eq!(keys, [("m1", Some(0)), ("m2", Some(1))]);
    }
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_without_end_is_cut_and_holds_nothing_up() {
    let bench = bench().await;
    let answer = bench
        .plane
        .said(&bench.plane.ask("chatters", LONG_MS))
        .await;
    returned(&answer);
    let bytes: usize = answer.log.iter().map(|line| line.len() + 1).sum();
    assert!((64_000..66_000).contains(&bytes), "{bytes}");
    let last = answer.log.last().unwrap();
    assert!(last.contains("more bytes were left out"), "{last}");
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_lets_what_runs_end_and_answers_what_comes_then() {
    let bench = bench().await;
    let old = bench.plane.ask("waits", LONG_MS);
    let pid = bench.line("waits_pids").await;
    let more = "\n\n@dg.sensor\ndef fresh():\n    return dg.SkipReason('new')\n";
    let code = format!("{DEFINITIONS}{SENSORS}{more}");
    std::fs::write(bench.path("definitions.py"), code).unwrap();
    bench.handle.reload();
    bench
        .plane
        .until("a new registration", |known| {
            known.registrations.get(1).map(drop)
        })
        .await;
    // The host may hear of the question before it hears that its registration was taken, and gives it back.
    let mut fresh = bench.plane.said(&bench.plane.ask("fresh", LONG_MS)).await;
    for _ in 0..50 {
        if !matches!(fresh.said, Said::NotAsked) {
            break;
        }
        fresh = bench.plane.said(&bench.plane.ask("fresh", LONG_MS)).await;
    }
    assert_eq!(returned(&fresh).skip_reason.as_deref(), Some("new"));
    assert!(is_alive(&pid));
    let zygote = crate::deaths::parent(&pid);
    std::fs::write(bench.path("go"), "").unwrap();
    returned(&bench.plane.said(&old).await);
    until_dead(&zygote).await;
    // What the code does not have is not asked.
    let gone = bench.plane.said(&bench.plane.ask("gone", LONG_MS)).await;
    assert!(matches!(gone.said, Said::NotAsked));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_gives_questions_back_at_once() {
    let bench = bench().await;
    let asked = bench.plane.ask("hangs", LONG_MS);
    let pid = bench.line("hangs_pid").await;
    let plane = bench.plane.clone();
    bench.stop().await.unwrap();
    assert!(!is_alive(&pid));
    let known = plane.know();
    assert!(matches!(known.said[&asked][0].said, Said::NotAsked));
    assert_eq!(known.left.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_said_again() {
    let bench = bench().await;
    bench.plane.turn(|known| known.lose_evaluations = 2);
    let asked = bench.plane.ask("quick", LONG_MS);
    let thrice = bench
        .plane
        .until("three tries", |known| {
            known
                .said
                .get(&asked)
                .filter(|said| said.len() == 3)
                .cloned()
        })
        .await;
    assert!(
        thrice
            .iter()
            .all(|said| returned(said) == returned(&thrice[0]))
    );
    bench.plane.turn(|known| known.down = true);
    let asked = bench.plane.ask("quick", LONG_MS);
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.plane.turn(|known| known.down = false);
    returned(&bench.plane.said(&asked).await);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_refused_costs_no_other() {
    let bench = bench().await;
    let bad = bench.plane.ask("quick", LONG_MS);
    bench
        .plane
        .turn(|known| known.refuse_answer = Some(bad.clone()));
    let answer = bench.plane.said(&bad).await;
    let (error, _) = raised(&answer);
    assert_eq!(error.kind, "AnswerRefused");
    assert!(error.message.contains("metadata `x` is not to our liking"));
    returned(&bench.plane.said(&bench.plane.ask("quick", LONG_MS)).await);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_control_plane_is_asked_once() {
    let bench = Bench::start_with(&format!("{DEFINITIONS}{SENSORS}"), |_| {}).await;
    bench.plane.turn(|known| known.no_evaluations = true);
    bench
        .plane
        .until("the call", |known| {
            (known.evaluation_calls > 0).then_some(())
        })
        .await;
    let task = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(task).await,
        Outcome::Succeeded
    ));
    tokio::time::sleep(Duration::from_millis(300)).await;
    // One may have been under way when the plane became an older one.
    assert!(bench.plane.know().evaluation_calls <= 2);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn code_without_functions_is_not_asked_about() {
    let bench = Bench::start(|_| {}).await;
    let task = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(task).await,
        Outcome::Succeeded
    ));
    assert_eq!(bench.plane.know().evaluation_calls, 0);
    bench.stop().await.unwrap();
}
