//! An `arco dev` of a test.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::process::PATIENCE;
use super::project::{python, python_path};
use super::{Answer, Process, Project, command, eventually, run};

/// A running `arco dev`. When it is dropped nothing of it is left, neither it nor its host.
#[derive(Debug)]
pub(crate) struct Dev {
    process: Process,
    events: Receiver<Value>,
    state: PathBuf,
    log: PathBuf,
    pub(crate) url: String,
}

impl Dev {
    /// Starts it on any free port and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(project: &Project) -> Self {
        Self::start_with(project, &["--port", "0"])
    }

    /// As [`Self::start`], and waits until user code is loaded.
    #[track_caller]
    pub(crate) fn loaded(project: &Project) -> Self {
        let dev = Self::start(project);
        dev.wait_for("loaded");
        dev
    }

    #[track_caller]
    pub(crate) fn start_with(project: &Project, arguments: &[&str]) -> Self {
        let target = project.target().display().to_string();
        Self::start_without_target(project, &[arguments, &[&target]].concat())
    }

    /// With these arguments alone.
    #[track_caller]
    pub(crate) fn start_without_target(project: &Project, arguments: &[&str]) -> Self {
        let log = project.folder().join("dev.log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = command()
            .args(["--json", "dev", "--grace", "1", "--python"])
            .arg(python())
            .arg("--dir")
            .arg(project.state())
            .args(arguments)
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", project.folder())
            .current_dir(project.folder())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let mut dev = Self {
            process: Process::new(child),
            events,
            state: project.state(),
            log,
            url: String::new(),
        };
        let ready = dev.wait_for("ready");
        dev.url = ready["url"].as_str().unwrap().to_owned();
        dev
    }

    /// The next notice of this kind.
    #[track_caller]
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        self.wait_while(event, PATIENCE, || {})
    }

    /// Saves the project's code, again and again like an impatient person, until it was noticed.
    #[track_caller]
    pub(crate) fn save(&self, project: &Project, definitions: &str, event: &str) -> Value {
        self.wait_while(event, Duration::from_secs(2), || project.write(definitions))
    }

    #[track_caller]
    fn wait_while(&self, event: &str, pause: Duration, mut meanwhile: impl FnMut()) -> Value {
        for _ in 0..=PATIENCE.as_secs() / pause.as_secs() {
            meanwhile();
            while let Ok(notice) = self.events.recv_timeout(pause) {
                if notice["event"] == event {
                    return notice;
                }
            }
        }
        panic!("no `{event}`:\n{}", self.log())
    }

    /// Calls the binary against this server.
    #[track_caller]
    pub(crate) fn arco(&self, arguments: &[&str]) -> Answer {
        run(self.command().args(arguments))
    }

    pub(crate) fn command(&self) -> std::process::Command {
        let mut command = command();
        command.env("ARCO_SERVER", &self.url);
        command
    }

    /// What it said on stderr.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn port(&self) -> String {
        self.url.rsplit(':').next().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The process that holds the lock of its host's folder.
    pub(crate) fn host(&self) -> Option<u32> {
        host_in(&self.state)
    }

    /// Sends it a signal, and its host none.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Kills it and leaves its host alone.
    pub(crate) fn kill(&mut self) {
        self.process.signal(Signal::SIGKILL);
        self.process.wait();
    }

    /// Asks it to end until it has, as an impatient person does; its exit code.
    pub(crate) fn stop_hard(&mut self) -> i32 {
        let status = eventually("it ends", || {
            self.process.signal(Signal::SIGINT);
            self.process.ended()
        });
        status.code().unwrap_or(-1)
    }

    /// Asks it to end, as Ctrl-C does; its exit code.
    pub(crate) fn stop(&mut self) -> i32 {
        self.process.signal(Signal::SIGINT);
        self.process.wait().code().unwrap_or(-1)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if self.process.ended().is_none() {
            self.process.signal(Signal::SIGKILL);
            self.process.wait();
        }
        // Its host may have survived it.
        eventually("its hosts are gone", || match self.host() {
            None => Some(()),
            Some(pid) => {
                let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
                None
            }
        });
    }
}

fn host_in(state: &std::path::Path) -> Option<u32> {
    let folders = std::fs::read_dir(state.join("hosts")).ok()?;
    folders.filter_map(Result::ok).find_map(|folder| {
        match arco_log::FolderLock::acquire(&folder.path()) {
            Err(arco_log::LockError::Held { pid, .. }) => pid,
            _ => None,
        }
    })
}
