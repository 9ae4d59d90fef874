//! Control planes and hosts that are killed, stopped and started again.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Dev, Project, arco, eventually, lives};

fn began(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.folder().join("began")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn start_slow(dev: &Dev, project: &Project) -> String {
    let run = dev
        .arco(&["run", "slow", "--detach", "--json"])
        .good()
        .json();
    eventually("the body began", || {
        (!began(project).is_empty()).then_some(())
    });
    run["id"].as_str().unwrap().to_owned()
}

fn let_it_go(project: &Project) {
    std::fs::write(project.folder().join("go"), "").unwrap();
}

fn status(dev: &Dev, run: &str) -> String {
    let shown = dev.arco(&["runs", "show", run, "--json"]).good().json();
    shown["status"].as_str().unwrap().to_owned()
}

#[test]
fn host_survives_a_killed_control_plane_and_nothing_runs_twice() {
    let project = Project::usual();
    let mut first = Dev::loaded(&project);
    let run = start_slow(&first, &project);
    let host = first.host().unwrap();
    let port = first.port();
    first.kill();
    assert!(lives(host), "the host outlives its control plane");

    let second = Dev::start_with(&project, &["--port", &port]);
    second.wait_for("loaded");
    assert_eq!(
        second.host(),
        Some(host),
        "the surviving host is adopted, no second one started"
    );
    let_it_go(&project);
    eventually("the run ends", || {
        (status(&second, &run) == "success").then_some(())
    });
    assert_eq!(began(&project).len(), 1, "the body ran once");

    let mut second = second;
    assert_eq!(second.stop(), 0, "{}", second.log());
    assert!(!lives(host), "an adopted host is stopped with the rest");
    arco(&["log", "verify", "--dir", &project.state().to_string_lossy()]).good();
}

#[test]
fn killed_host_is_started_again() {
    let project = Project::usual();
    let dev = Dev::start_with(&project, &["--port", "0", "--host-lease-ttl", "2"]);
    dev.wait_for("loaded");
    let host = dev.host().unwrap();
    kill(Pid::from_raw(i32::try_from(host).unwrap()), Signal::SIGKILL).unwrap();
    eventually("another host holds the lock", || {
        dev.host().filter(|now| *now != host)
    });
    dev.arco(&["run", "numbers"]).good();
}

#[test]
fn orphaned_host_ends_when_no_control_plane_comes() {
    let project = Project::usual();
    let mut dev = Dev::loaded(&project);
    let host = dev.host().unwrap();
    dev.kill();
    eventually("the orphan ends", || (!lives(host)).then_some(()));
}

#[test]
fn host_of_another_target_is_replaced() {
    let project = Project::usual();
    let mut first = Dev::loaded(&project);
    let host = first.host().unwrap();
    first.kill();
    // Another port: the survivor calls an address where nobody is.
    let second = Dev::start(&project);
    eventually("another host holds the lock", || {
        second.host().filter(|now| *now != host)
    });
    assert!(!lives(host));
    second.arco(&["run", "numbers"]).good();
}

#[test]
fn graceful_stop_ends_tasks_and_the_run_goes_on_at_the_next_start() {
    let project = Project::usual();
    let mut first = Dev::loaded(&project);
    let run = start_slow(&first, &project);
    assert_eq!(first.stop(), 0, "{}", first.log());
    let said = "stopping; 1 run goes on at the next start";
    assert!(first.log().contains(said), "{}", first.log());
    assert_eq!(first.host(), None);

    let_it_go(&project);
    let second = Dev::loaded(&project);
    eventually("the run ends", || {
        (status(&second, &run) == "success").then_some(())
    });
}

#[test]
fn second_ctrl_c_ends_everything_at_once() {
    // This task does not end when it is asked to, so the first signal alone would take the grace.
    let project = Project::new(&format!(
        "{}\nimport signal\n\n@dg.asset\ndef deaf():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    \
         open(os.environ['TEST_FOLDER'] + '/began', 'w').write(f'{{os.getpid()}}\\n')\n    time.sleep(600)\n\n\
         defs = dg.Definitions(assets=[deaf])\n",
        "import os\nimport time\nimport arco_flow as dg",
    ));
    let mut dev = Dev::start_with(&project, &["--port", "0"]);
    dev.wait_for("loaded");
    dev.arco(&["run", "deaf", "--detach"]).good();
    let body: u32 = eventually("the body began", || began(&project).first()?.parse().ok());
    let host = dev.host().unwrap();
    assert_eq!(dev.stop_hard(), 130, "{}", dev.log());
    eventually("host and body are gone", || {
        (!lives(host) && !lives(body)).then_some(())
    });
}

#[test]
fn cancelled_run_stops_its_task() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let run = start_slow(&dev, &project);
    let body: u32 = began(&project)[0].parse().unwrap();
    let asked = dev.arco(&["cancel", &run]).good();
    assert!(asked.stdout.contains("is being stopped"), "{asked}");
    eventually("the run ends", || {
        (status(&dev, &run) == "canceled").then_some(())
    });
    assert!(!lives(body) || began(&project).len() == 1);
    let again = dev.arco(&["cancel", &run]).good();
    assert!(again.stdout.contains("is over: canceled"), "{again}");
}

#[test]
fn watching_stops_with_ctrl_c_and_the_run_goes_on() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let mut command = dev.command();
    command
        .args(["run", "slow"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    eventually("the body began", || {
        (!began(&project).is_empty()).then_some(())
    });
    kill(pid, Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("hint: arco cancel run_"), "{stderr}");
    let_it_go(&project);
    eventually("the run ends", || {
        (status(&dev, "latest") == "success").then_some(())
    });
}
