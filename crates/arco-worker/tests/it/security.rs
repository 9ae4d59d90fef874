use crate::host_process::HostProcess;
use crate::plane::{Plane, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_in_the_environment_of_a_task() {
    // As a shell or a container would have set them for the host.
    let environment = [
        ("ARCO_TOKEN", "an Arco secret"),
        ("ARCO_WORKSPACE_SECRET", "an Arco secret"),
        ("DEPLOY_KEY", TOKEN),
        ("STORE_KEY", "an Arco secret"),
        ("HARMLESS", "stays"),
    ];
    let plane = Plane::start(15_000, 200).await;
    let folder = tempfile::tempdir().unwrap();
    let _host = HostProcess::start(&plane, folder.path(), &environment);
    for isolation in ["reuse", "fork", "spawn"] {
        let attempt = plane.submit("environment", |lease| {
            lease.isolation = serde_json::from_value(isolation.into()).unwrap();
        });
        let text = plane.log(attempt, "stdout", "HARMLESS=stays").await;
        for secret in [TOKEN, "an Arco secret", "attempt-token"] {
            assert!(!text.contains(secret), "{isolation}: {text}");
        }
    }
}
