use arco_core::AssetKey;
use arco_wire::api::Job;
use insta::assert_snapshot;
use serde_json::json;

use super::render;
use crate::command::jobs::list::tests::job;
use crate::render::Paint;

#[test]
fn job_shows_what_its_runs_will_be() {
    let job = Job {
        shown: job(),
        description: Some("All that sales looks at.".into()),
        assets: ["orders", "report", "sales"]
            .map(|key| AssetKey::parse(key).unwrap())
            .into(),
        partitions_def: None,
        run_tags: [("size".to_owned(), "big".to_owned())].into(),
        config: Some(json!({"ops": {"report": {"config": {"limit": 3}}}})),
        retry: Some(json!({"max_retries": 2})),
        owners: vec!["team:sales".into()],
        metadata: Default::default(),
    };
    assert_snapshot!(render(&job, Paint::new(false)));
}
