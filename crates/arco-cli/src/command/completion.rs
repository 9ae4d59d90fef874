//! `arco completion`: what a shell needs to complete this command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Arguments;
use crate::failure::{Attempt, Exit, Outcome};

#[cfg(test)]
mod tests;

/// Print a script with which a shell completes `arco`
#[derive(Debug, Args)]
#[command(
    after_help = "bash:        arco completion bash > ~/.local/share/bash-completion/completions/arco\n\
                  zsh:         arco completion zsh > \"${fpath[1]}/_arco\"\n\
                  fish:        arco completion fish > ~/.config/fish/completions/arco.fish\n\
                  powershell:  arco completion powershell >> $PROFILE"
)]
pub(crate) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(options: &Options) -> Outcome {
    // Into memory first: a reader that goes away in the middle is an error to tell, not a panic.
    std::io::Write::write_all(&mut std::io::stdout(), &script(options.shell))
        .attempt(|| "could not write the script")?;
    Ok(Exit::Success)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "arco", &mut script);
    script
}
