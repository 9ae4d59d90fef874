use std::sync::Arc;

use arco_core::AssetKey;
use arco_core::definitions::{Catalog, Definitions};
use serde_json::json;

use super::{PartitionsAsked, PlanRequest, plan};
use crate::Rejection;
use crate::testing::{NOW, manifest, part};

fn catalog(definitions: &str) -> Catalog {
    let read = Definitions::read("loc", &manifest(definitions)).expect("definitions hold together");
    Catalog::default()
        .with(Arc::new(read))
        .expect("one location")
}

/// Plans `select` (assets, then `@` and partitions) and prints the tasks with what they need.
fn planned(definitions: &str, select: &str) -> String {
    let (assets, partitions) = select.split_once('@').unwrap_or((select, ""));
    let partitions = match partitions.trim() {
        "" => PartitionsAsked::None,
        "all" => PartitionsAsked::All,
        keys => PartitionsAsked::Keys(keys.split(',').map(|k| k.trim().to_owned()).collect()),
    };
    let request = PlanRequest {
        checks: None,
        assets: assets
            .split_whitespace()
            .filter_map(AssetKey::parse)
            .collect(),
        partitions,
    };
    let plan = match plan(&catalog(definitions), &request, NOW) {
        Ok(planned) => planned.plan,
        Err(rejection) => return format!("! {rejection}"),
    };
    let name = |n: usize| {
        let task = &plan.tasks[n];
        let keys: Vec<String> = task
            .partitions
            .iter()
            .map(|k| k.display()[8..].to_owned())
            .collect();
        let part = part(task);
        if keys.is_empty() {
            format!("{}{part}", task.step)
        } else {
            format!("{}{part}[{}]", task.step, keys.join(","))
        }
    };
    let rows = (0..plan.tasks.len()).map(|n| {
        let needs: Vec<String> = plan.tasks[n]
            .needs
            .iter()
            .map(|need| name(*need as usize))
            .collect();
        if needs.is_empty() {
            name(n)
        } else {
            format!("{}({})", name(n), needs.join(" "))
        }
    });
    rows.collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(definitions: &str, rows: &[(&str, &str)]) {
    for (given, then) in rows {
        assert_eq!(planned(definitions, given), *then, "selecting {given}");
    }
}

#[test]
fn a_plan_holds_what_was_selected_and_nothing_else() {
    check(
        "a; b <- a; c <- a",
        &[
            ("a", "a"),
            ("b", "b"),
            ("a b", "a; b(a)"),
            ("c b a", "a; b(a); c(a)"),
        ],
    );
}

#[test]
fn order_follows_reachability_through_what_is_not_selected() {
    check(
        "a; b <- a; c <- b; d <- c",
        &[("a c", "a; c(a)"), ("a d", "a; d(a)"), ("d b", "b; d(b)")],
    );
    check(
        "a daily; b daily <- yesterday(a); c daily <- b",
        &[(
            "a c @ 2026-01-05...2026-01-06",
            "a[05]; a[06]; c[05]; c[06](a[05])",
        )],
    );
}

#[test]
fn partitions_need_the_partitions_they_map_to() {
    check(
        "a daily; b daily <- a; w <- b; raw; d daily <- raw",
        &[
            ("a b @ 2026-01-05", "a[05]; b[05](a[05])"),
            (
                "a b @ 2026-01-05, 2026-01-07",
                "a[05]; a[07]; b[05](a[05]); b[07](a[07])",
            ),
            (
                "b w @ 2026-01-01...2026-01-02",
                "b[01]; b[02]; w(b[01] b[02])",
            ),
            ("raw d @ 2026-01-03", "raw; d[03](raw)"),
        ],
    );
}

#[test]
fn a_month_needs_its_selected_days() {
    let text = planned("d daily; m monthly <- d", "d m @ all");
    let days: Vec<String> = (1..=31).map(|n| format!("d[{n:02}]")).collect();
    assert_eq!(
        text,
        format!("{}; m[01]({})", days.join("; "), days.join(" "))
    );
}

#[test]
fn blocking_checks_stand_between_an_asset_and_what_reads_it() {
    check(
        "a; b <- a; check a.ok blocking <- a; check a.note <- a",
        &[
            ("a b", "a; a__ok(a); b(a a__ok); a__note(a)"),
            ("b", "b"),
            ("a", "a; a__ok(a); a__note(a)"),
        ],
    );
    check(
        "a daily; b daily <- a; check a.ok blocking daily <- a",
        &[(
            "a b @ 2026-01-01...2026-01-02",
            "a[01]; a[02]; a__ok[01](a[01]); b[01](a[01] a__ok[01]); a__ok[02](a[02]); b[02](a[02] a__ok[02])",
        )],
    );
}

#[test]
fn a_part_of_a_step_is_planned_when_the_step_can() {
    check(
        "u; a by=m subset <- u; b by=m <- a; c by=m; d <- b",
        &[
            ("a b c", "m"),
            ("b", "m{b}"),
            ("u c", "m{c}; u"),
            ("u b c d", "u; m{b,c}(u); d(m{b,c})"),
            ("a d", "m{a}; d(m{a})"),
        ],
    );
    check(
        "a by=m daily subset; b by=m daily; d daily <- yesterday(b)",
        &[(
            "b d @ 2026-01-05...2026-01-06",
            "m{b}[05]; m{b}[06]; d[05]; d[06](m{b}[05])",
        )],
    );
}

#[test]
fn a_step_that_leads_to_itself_is_carried_out_twice_or_refused() {
    check(
        "a by=m subset; c by=m <- x; e by=m <- c; x <- a; y <- e; z by=m <- y",
        &[
            ("a x c", "m{a}; x(m{a}); m{c}(x)"),
            ("a c", "m{a,c}"),
            (
                "a x c e y z",
                "m{a}; x(m{a}); m{c,e}(x); y(m{c,e}); m{z}(y)",
            ),
            ("a e y z", "m{a,e}; y(m{a,e}); m{z}(y)"),
            ("a z", "m{a,z}"),
        ],
    );
    check(
        "a by=m; c by=m <- x; x <- a",
        &[
            ("a c", "m"),
            (
                "a x c",
                "! steps wait for each other, because one of them makes several assets at once and reads what is made of one of them: `m`, `x`; declare it with can_subset=True, or make its assets by functions of their own",
            ),
            (
                "a x",
                "! step `m` makes all its assets at once, and only `a` of them are selected; select `c` too, or declare the step with can_subset=True",
            ),
        ],
    );
}

#[test]
fn bad_requests_say_what_and_the_mend() {
    check(
        "flights daily; plain; ext external; later daily <- yesterday(flights)",
        &[
            (
                "flihgts",
                "! asset `flihgts` is not defined; did you mean `flights`?",
            ),
            (
                "ext",
                "! asset `ext` is external: nothing here makes it, so it cannot be run; leave it out of the selection",
            ),
            (
                "flights",
                "! asset `flights` is partitioned, and no partition was given; give a key such as `2026-01-01`, a range `FIRST...LAST`, or all partitions",
            ),
            (
                "plain @ 2026-01-01",
                "! none of the selected assets is partitioned, and partition `2026-01-01` was given; leave the partition out",
            ),
            (
                "flights @ 2026-13-01",
                "! partition `2026-13-01` of `flights` is not a date; daily partitions look like `2026-01-01`",
            ),
            (
                "flights @ 2026-01-05...2026-01-01",
                "! range `2026-01-05...2026-01-01` of `flights` ends before it begins; write FIRST...LAST",
            ),
        ],
    );
}

/// The partitions of an asset that reads its own past are made one after the other, also in one run.
#[test]
fn the_past_of_an_asset_comes_first() {
    check(
        "a daily <- yesterday(a); c by=m daily <- yesterday(c); d by=m daily <- c",
        &[
            (
                "a @ 2026-01-05...2026-01-07",
                "a[05]; a[06](a[05]); a[07](a[06])",
            ),
            ("a @ 2026-01-05,2026-01-07", "a[05]; a[07]"),
            ("c d @ 2026-01-05...2026-01-06", "m[05]; m[06](m[05])"),
        ],
    );
}

/// P-41: a run that would read what can never exist is refused by name, before anything is written down.
#[test]
fn a_run_that_needs_what_cannot_exist_is_refused() {
    let mut definitions = manifest("a daily; b daily <- a");
    // A day from midnight on needs two days that begin at six.
    definitions["assets"][0]["partitions"]["hour_offset"] = json!(6);
    let read = Definitions::read("loc", &definitions).expect("definitions hold together");
    let catalog = Catalog::default()
        .with(Arc::new(read))
        .expect("one location");
    let ask = |key: &str| PlanRequest {
        checks: None,
        assets: ["a", "b"]
            .map(|key| AssetKey::parse(key).expect("a key"))
            .into(),
        partitions: PartitionsAsked::Keys(vec![key.to_owned()]),
    };
    plan(&catalog, &ask("2026-01-02"), NOW).expect("both exist");
    let refused = plan(&catalog, &ask("2026-01-01"), NOW).expect_err("refused");
    assert!(
        matches!(&refused, Rejection::NonexistentUpstream { key, .. } if key == "2025-12-31"),
        "{refused}"
    );
}
