//! Starting the interpreter and waiting for its end.

use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Event, Output, ZygoteId};
use crate::death::signal_name;
use crate::environment;
use crate::host::Wake;
use crate::settings::Settings;

/// Children may hold the pipe open a little longer than the zygote lives.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Starts a zygote and returns its process id.
///
/// A thread of its own spawns the process and waits for it, for two reasons. The kernel delivers the
/// parent death signal when the *thread* that forked ends, and threads of a runtime's blocking pool
/// end when they are idle. And a thread in `wait` cannot miss the end.
///
/// The socket goes in as standard input: that is the one way to hand over a descriptor without
/// unsafe code and without a moment in which other programs could inherit it.
pub(super) async fn start(
    id: ZygoteId,
    settings: &Settings,
    socket: OwnedFd,
    writer: PipeWriter,
    output: Output,
    wakes: mpsc::Sender<Wake>,
) -> io::Result<i32> {
    let mut command = Command::new(&settings.python);
    command
        .args([
            "-m",
            "arco_flow._worker.zygote",
            "--target",
            &settings.target,
        ])
        .args(["--location", &settings.location])
        .current_dir(&settings.working_dir)
        .env_clear()
        .envs(environment::for_python(settings, std::env::vars_os()))
        .env("ARCO_ZYGOTE_FD", OsString::from("0"))
        .stdin(Stdio::from(socket))
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        // Ctrl-C in a terminal goes to the foreground group: that is the host, not Python.
        .process_group(0);
    let (told, started) = oneshot::channel();
    std::thread::Builder::new()
        .name("arco-zygote".into())
        .spawn(move || {
            let spawned = command.spawn();
            // Our copies of its descriptors, without which its end would not show on them.
            drop(command);
            let mut process = match spawned {
                Ok(process) => process,
                Err(error) => {
                    let _ = told.send(Err(error));
                    return;
                }
            };
            let _ = told.send(Ok(process.id().cast_signed()));
            let end = process
                .wait()
                .map_or_else(|error| error.to_string(), describe);
            // What it wrote last is the best hint there is, if it ended early.
            output.wait_for_end(LAST_WORDS);
            let _ = wakes.blocking_send(Wake::Zygote(id, Event::Gone(end)));
        })?;
    started.await.map_err(io::Error::other)?
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was killed by {}", signal_name(signal)),
        (None, None) => "ended".into(),
    }
}
