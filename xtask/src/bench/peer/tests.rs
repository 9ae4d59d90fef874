use super::SCRIPTS;
use crate::bench::WORKLOADS;
use crate::repo;

#[test]
fn every_script_is_there_and_belongs_to_a_workload() {
    for script in SCRIPTS {
        assert!(
            repo::path("bench/dagster").join(script.file).is_file(),
            "{}",
            script.file
        );
        assert!(
            WORKLOADS
                .iter()
                .any(|workload| workload.name == script.bench),
            "{}",
            script.bench
        );
        for figure in script.figures {
            assert!(
                figure.id.starts_with(&format!("{}/", script.bench)),
                "{}",
                figure.id
            );
        }
    }
}
