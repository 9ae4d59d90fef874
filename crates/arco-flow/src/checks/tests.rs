use super::read;
use crate::planner::{self, PartitionsAsked, PlanRequest};
use crate::testing::World;

const DEFINITIONS: &str = "a; b <- a; d daily; bare; check a.ok <- a; check a.big blocking <- a; check b.ok <- b; \
                           check d.ok daily <- d";

/// The tasks of a run of these assets and checks, or why not.
fn planned(assets: &str, checks: Option<&str>, partition: Option<&str>) -> String {
    let world = World::new(DEFINITIONS);
    let catalog = &world.state.catalog;
    let checks = checks.map(|texts| {
        let texts: Vec<String> = texts.split_whitespace().map(Into::into).collect();
        read(catalog, &texts)
    });
    let checks = match checks.transpose() {
        Ok(checks) => checks,
        Err(error) => return error.to_string(),
    };
    let request = PlanRequest {
        assets: assets
            .split_whitespace()
            .map(|key| arco_core::AssetKey::parse(key).unwrap())
            .collect(),
        checks: checks.map(|checks| checks.into_iter().collect()),
        partitions: partition.map_or(PartitionsAsked::None, |key| {
            PartitionsAsked::Keys(vec![key.to_owned()])
        }),
    };
    match planner::plan(catalog, &request, world.now) {
        Err(error) => error.to_string(),
        Ok(planned) => {
            let tasks = planned.plan.tasks.iter().map(|task| {
                let needs: Vec<String> = task.needs.iter().map(u32::to_string).collect();
                format!("{}({})", task.step, needs.join(","))
            });
            tasks.collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn checks_are_judged_alone_with_their_assets_or_not_at_all() {
    let rows: &[(&str, Option<&str>, Option<&str>, &str)] = &[
        ("", Some("a:ok"), None, "a__ok()"),
        ("", Some("a"), None, "a__big() a__ok()"),
        ("", Some("a:ok b:ok"), None, "a__ok() b__ok()"),
        ("a b", None, None, "a() a__ok(0) a__big(0) b(0,2) b__ok(3)"),
        ("a b", Some("a:ok"), None, "a() b(0) a__ok(0)"),
        ("a", Some(""), None, "a()"),
        ("b", Some("a:big"), None, "a__big() b(0)"),
        ("", Some("d:ok"), Some("2026-01-02"), "d__ok()"),
    ];
    for (assets, checks, partition, expected) in rows {
        let found = planned(assets, *checks, *partition);
        let sorted = |text: &str| {
            let mut words: Vec<String> = text.split(' ').map(Into::into).collect();
            words.sort();
            words
        };
        assert_eq!(
            sorted(&found),
            sorted(expected),
            "{assets} with {checks:?}: {found}"
        );
    }
}

#[test]
fn checks_that_cannot_be_judged_say_why() {
    let rows: &[(&str, Option<&str>, Option<&str>, &str)] = &[
        (
            "",
            Some("a:okk"),
            None,
            "check `okk` of asset `a` is not defined; did you mean `ok`?",
        ),
        (
            "",
            Some("zz:ok"),
            None,
            "`zz` is no asset whose checks could be judged; checks are named `ASSET:CHECK`, and `arco assets` \
             lists the assets",
        ),
        ("", Some("bare"), None, "asset `bare` has no checks"),
        (
            "",
            Some("d:ok"),
            None,
            "asset `d` is partitioned, and no partition was given; give a key such as `2026-01-01`, a \
             range `FIRST...LAST`, or all partitions",
        ),
        (
            "",
            Some("a:ok"),
            Some("2026-01-02"),
            "none of the selected assets is partitioned, and partition `2026-01-02` was given; leave the \
             partition out",
        ),
    ];
    for (assets, checks, partition, expected) in rows {
        assert_eq!(planned(assets, *checks, *partition), *expected);
    }
}
