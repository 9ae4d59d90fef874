//! Every environment variable the command line reads, with the version it appeared in.
//!
//! One list, so that none is read in passing: the guide is generated from it, and what is not here
//! has no effect. Flags win over variables.

/// An environment variable.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the guide is made from it, by a test")
)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvVar {
    /// Its name.
    pub(crate) name: &'static str,
    /// The version of Arco that first read it.
    pub(crate) since: &'static str,
    /// What it does.
    pub(crate) purpose: &'static str,
}

/// Address of the control plane.
pub(crate) const SERVER: &str = "ARCO_SERVER";
/// Bearer token. There is no flag for it: arguments can be read by everybody on the machine.
pub(crate) const TOKEN: &str = "ARCO_TOKEN";
/// What tokens of attempts are made with.
pub(crate) const SECRET: &str = "ARCO_SECRET";
/// What senders of messages sign with.
pub(crate) const SENSOR_SECRETS: &str = "ARCO_SENSOR_SECRETS";
/// Workspace.
pub(crate) const WORKSPACE: &str = "ARCO_WORKSPACE";
/// Filter of the log on stderr.
pub(crate) const LOG: &str = "ARCO_LOG";
/// No colour when set to anything.
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// Kind of terminal.
pub(crate) const TERM: &str = "TERM";
/// Active Python environment.
pub(crate) const VIRTUAL_ENV: &str = "VIRTUAL_ENV";

/// All of them, in order of name.
pub(crate) const ALL: [EnvVar; 9] = [
    EnvVar {
        name: LOG,
        since: "0.1.0",
        purpose: "what servers and hosts log on stderr, such as `info` or `arco_engine=debug`; wins over `-v`",
    },
    EnvVar {
        name: SECRET,
        since: "0.1.0",
        purpose: "`arco serve`: the text that tokens of attempts are made with; the same on all replicas of a store",
    },
    EnvVar {
        name: SENSOR_SECRETS,
        since: "0.1.0",
        purpose: "`arco serve` and `arco dev`: what senders sign messages for sensors with, as JSON; `--sensor-secrets` wins",
    },
    EnvVar {
        name: SERVER,
        since: "0.1.0",
        purpose: "address of the control plane, as `--server`",
    },
    EnvVar {
        name: TOKEN,
        since: "0.1.0",
        purpose: "token that is sent to the control plane; `--token-file` wins. Never handed to user code",
    },
    EnvVar {
        name: WORKSPACE,
        since: "0.1.0",
        purpose: "workspace, as `--workspace`",
    },
    EnvVar {
        name: NO_COLOR,
        since: "0.1.0",
        purpose: "no colour when set to anything",
    },
    EnvVar {
        name: TERM,
        since: "0.1.0",
        purpose: "no colour and no progress bar when `dumb`",
    },
    EnvVar {
        name: VIRTUAL_ENV,
        since: "0.1.0",
        purpose: "Python environment that runs user code, when `--python` is not given",
    },
];

/// The value of a variable; an empty one counts as absent.
pub(crate) fn read(name: &str) -> Option<String> {
    debug_assert!(
        ALL.iter().any(|known| known.name == name),
        "{name} is not listed"
    );
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
