use std::process::Command;

use clap::ValueEnum;
use clap_complete::Shell;

use super::script;

#[test]
fn every_shell_completes_commands_and_flags() {
    for shell in Shell::value_variants() {
        let script = String::from_utf8(script(*shell)).unwrap();
        for word in [
            "runs",
            "from-failure",
            "report-materialization",
            "partition",
        ] {
            assert!(script.contains(word), "{shell} does not know `{word}`");
        }
    }
}

/// bash is everywhere; it reads the script and completes with it.
#[test]
fn bash_completes_a_command_with_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arco.bash");
    std::fs::write(&file, script(Shell::Bash)).unwrap();
    let asked = format!(
        "source {} && COMP_WORDS=(arco part) COMP_CWORD=1 && _arco arco part arco && echo ${{COMPREPLY[@]}}",
        file.display()
    );
    let answer = Command::new("bash").args(["-c", &asked]).output().unwrap();
    let text = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(
        text.trim(),
        "partitions",
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
}
