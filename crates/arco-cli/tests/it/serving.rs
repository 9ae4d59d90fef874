//! `serve` and `worker` apart, as in production: replicas, tokens, a host of its own.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Process, Project, command, eventually, python, python_path, run};

const PEOPLE: &str = "a-token-for-people-0123456789";
const HOST: &str = "a-token-for-the-host-0123456789";

/// A store, tokens, and a port for each replica.
struct Deployment {
    project: Project,
}

impl Deployment {
    fn new() -> Self {
        let project = Project::usual();
        let tokens = json!({"tokens": [
            {"name": "ana", "role": "client", "token": PEOPLE},
            {"name": "host", "role": "worker:flights", "token": HOST},
        ]});
        let write =
            |name: &str, text: &str| std::fs::write(project.folder().join(name), text).unwrap();
        write("tokens.json", &tokens.to_string());
        write("people", PEOPLE);
        write("host", HOST);
        Self { project }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.project.folder().join(name)
    }

    /// A replica, and its address once it is ready.
    fn serve(&self) -> (Process, String) {
        let mut child = command()
            .args([
                "--json",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--leader-ttl",
                "3",
                "--store",
            ])
            .arg(self.file("store"))
            .arg("--tokens")
            .arg(self.file("tokens.json"))
            .arg("--secret-file")
            .arg(self.file("secret"))
            .stdout(Stdio::piped())
            .stderr(self.log("serve.log"))
            .spawn()
            .unwrap();
        let url = ready(&mut child);
        (Process::new(child), url)
    }

    fn worker(&self, url: &str) -> Process {
        let child = command()
            .arg("worker")
            .arg(self.project.target())
            .args([
                "--server",
                url,
                "--location",
                "flights",
                "--grace",
                "1",
                "--token-file",
            ])
            .arg(self.file("host"))
            .arg("--storage")
            .arg(self.file("storage"))
            .arg("--python")
            .arg(python())
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", self.project.folder())
            .current_dir(self.project.folder())
            .stderr(self.log("worker.log"))
            .spawn()
            .unwrap();
        Process::new(child)
    }

    /// A host that has its token from the environment.
    fn worker_by_variable(&self, url: &str) -> Process {
        let child = command()
            .arg("worker")
            .arg(self.project.target())
            .args(["--server", url, "--location", "flights"])
            .arg("--storage")
            .arg(self.file("storage"))
            .arg("--python")
            .arg(python())
            .env("ARCO_TOKEN", HOST)
            .env("CI_COPY", format!("Bearer {HOST}"))
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", self.project.folder())
            .current_dir(self.project.folder())
            .stderr(self.log("worker.log"))
            .spawn()
            .unwrap();
        Process::new(child)
    }

    fn log(&self, name: &str) -> std::fs::File {
        std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.file(name))
            .unwrap()
    }

    fn arco(&self, url: &str, arguments: &[&str]) -> crate::support::Answer {
        let people = self.file("people");
        run(command()
            .args(arguments)
            .args(["--server", url, "--token-file"])
            .arg(people))
    }

    fn wait_loaded(&self, url: &str) {
        eventually("the host is attached", || {
            let shown = self.arco(url, &["assets", "--json"]);
            (shown.code == 0
                && shown.json()["items"]
                    .as_array()
                    .is_some_and(|rows| !rows.is_empty()))
            .then_some(())
        });
    }
}

pub(crate) fn ready(child: &mut Child) -> String {
    use std::io::BufRead as _;
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let notice: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(notice["event"], "ready");
    notice["url"].as_str().unwrap().to_owned()
}

#[test]
fn host_with_a_token_serves_and_people_need_theirs() {
    let deployment = Deployment::new();
    let (mut server, url) = deployment.serve();
    let mut worker = deployment.worker(&url);
    deployment.wait_loaded(&url);
    deployment.arco(&url, &["run", "numbers"]).good();

    let nobody = run(command().args(["status", "--server", &url]));
    assert_eq!(nobody.code, 2, "{nobody}");
    assert!(
        nobody.stderr.contains("needs a token") && nobody.stderr.contains("ARCO_TOKEN"),
        "{nobody}"
    );
    let by_variable = run(command()
        .args(["status", "--server", &url])
        .env("ARCO_TOKEN", PEOPLE));
    assert_eq!(by_variable.code, 0, "{by_variable}");

    worker.signal(Signal::SIGTERM);
    assert!(worker.wait().success());
    server.signal(Signal::SIGTERM);
    assert!(server.wait().success());
}

#[test]
fn host_with_a_wrong_token_ends_and_says_so() {
    let deployment = Deployment::new();
    std::fs::write(deployment.file("host"), PEOPLE).unwrap();
    let (_server, url) = deployment.serve();
    let mut worker = deployment.worker(&url);
    assert_eq!(worker.wait().code(), Some(2));
    let log = std::fs::read_to_string(deployment.file("worker.log")).unwrap();
    assert!(log.contains("worker:flights"), "{log}");
}

#[test]
fn worker_whose_code_does_not_load_ends_with_the_traceback() {
    let deployment = Deployment::new();
    deployment.project.write("import no_such_module\n");
    let (_server, url) = deployment.serve();
    let mut worker = deployment.worker(&url);
    assert_eq!(worker.wait().code(), Some(2));
    let log = std::fs::read_to_string(deployment.file("worker.log")).unwrap();
    assert!(
        log.contains("No module named 'no_such_module'") && log.contains("hint: "),
        "{log}"
    );
}

#[test]
fn replicas_on_one_store_show_the_same_and_one_follows_the_other() {
    let deployment = Deployment::new();
    let (mut first, first_url) = deployment.serve();
    let (_second, second_url) = deployment.serve();
    let _worker = deployment.worker(&first_url);
    deployment.wait_loaded(&first_url);
    deployment
        .arco(&first_url, &["run", "numbers", "--run-key", "k"])
        .good();
    // What one has answered, the other will show.
    eventually("the second replica shows the run", || {
        let shown = deployment
            .arco(&second_url, &["runs", "--json"])
            .good()
            .json();
        (shown["items"][0]["status"] == "success").then_some(())
    });
    first.signal(Signal::SIGTERM);
    assert!(first.wait().success());
    eventually("the second replica leads", || {
        let status = deployment
            .arco(&second_url, &["status", "--json"])
            .good()
            .json();
        (status["leader"]["here"] == true).then_some(())
    });
}

#[test]
fn task_that_prints_its_environment_shows_no_credential() {
    let deployment = Deployment::new();
    let (_server, url) = deployment.serve();
    let _worker = deployment.worker_by_variable(&url);
    deployment.wait_loaded(&url);
    deployment.arco(&url, &["run", "environment"]).good();
    let logs = deployment
        .arco(
            &url,
            &["logs", "latest", "environment", "--stream", "stdout"],
        )
        .good();
    assert!(logs.stdout.contains("TEST_FOLDER="), "{logs}");
    for secret in [HOST, PEOPLE, "ARCO_TOKEN", "CI_COPY"] {
        assert!(!logs.stdout.contains(secret), "{secret}: {logs}");
    }
}
