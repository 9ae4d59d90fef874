//! History is kept for ever and costs no memory: rows leave the state, whatever their status (N-4, EX-127).

use super::*;
use serde_json::json;

/// Rows kept in memory, and packed at once at least.
const KEEP: usize = 100;

/// As the engine does it: what is over leaves for one object.
fn pack(world: &mut World) {
    let surplus = world.state.evaluations.len().saturating_sub(KEEP);
    if surplus <= KEEP / 10 {
        return;
    }
    let (rows, through) = world.state.oldest_evaluations(surplus);
    assert!(!rows.is_empty());
    let number = world.state.evaluation_history.len();
    let reference = json!({"kind": "evaluations", "name": format!("evaluations/{number:020}"), "size": 65_536,
        "index": 60_000, "rows": rows.len(), "first": "czowMDAwMDAwMDAx", "last": "czowMDAwMDAwMDAy"});
    let pack = Command::PackEvaluations { reference, through };
    world.run_command(&pack).expect("the leader asks for it");
}

#[test]
fn evaluations_of_every_status_leave_the_state_which_does_not_grow() {
    let mut world = world("a", &[sensor(&json!({}))]);
    let mut sizes = Vec::new();
    for n in 0..1_500_u32 {
        let question = ask(&world);
        let said = match n % 3 {
            0 => raised(None),
            _ => Said::Returned(Wanted {
                skip_reason: Some("nothing new".into()),
                cursor: Some(format!("{n:06}")),
                ..Wanted::default()
            }),
        };
        say(&mut world, &question, &said).expect("nothing came in between");
        pack(&mut world);
        assert!(world.state.evaluations.len() <= KEEP + KEEP / 10);
        if [499, 1_499].contains(&n) {
            let bytes = world.state.to_bytes().len();
            sizes.push((bytes, world.state.evaluation_history.len()));
        }
    }
    let [(early, few), (late, many)] = sizes[..] else {
        panic!("{sizes:?}")
    };
    // A thousand rows more are so many references more, and nothing else.
    assert!(
        many > few && late <= early + (many - few) * 300,
        "{sizes:?}"
    );
    assert_eq!(row(&world).number, 1_500);
    assert_kept(&world);
}
