use std::process::{Command, Stdio};

use super::{resident_bytes, text, used_bytes};

#[test]
fn sizes_are_said_as_people_say_them() {
    let rows = [
        (512, "512 bytes"),
        (1 << 20, "1 MiB"),
        ((1 << 30) + (1 << 29), "1.5 GiB"),
        (300 << 20, "300 MiB"),
    ];
    for (bytes, expected) in rows {
        assert_eq!(text(bytes), expected);
    }
}

#[test]
fn what_a_process_started_counts_with_it() {
    // A shell that starts another: two processes, each with memory of its own.
    let mut shell = Command::new("sh")
        .args(["-c", "sh -c 'echo there; read line; exit 0'; exit 0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut output = std::io::BufReader::new(shell.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut said).unwrap();
    let pid = i32::try_from(shell.id()).unwrap();
    let (alone, all) = (resident_bytes(pid).unwrap(), used_bytes(pid));
    drop(shell.stdin.take());
    shell.wait().unwrap();
    assert!(alone > 0 && all > alone, "{alone} of {all}");
    assert_eq!(used_bytes(pid), 0, "what is gone uses nothing");
}
