//! The programs of a real system that a machine's init answers: `systemctl`, `journalctl`, `cloud-init`, `poweroff` ...
//!
//! Owns: their command lines. Does not know how init does it; it is asked over its socket.
#![allow(clippy::print_stdout, clippy::print_stderr)] // these are programs of their own, for people and scripts in a machine

use super::units::{Ask, SOCKET, Told, log_file};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The main function of all of them, by the name they were called under.
pub(crate) fn main(name: &str, args: &[String]) -> i32 {
    match name {
        "journalctl" => journal(args),
        "cloud-init" => cloud_init(args),
        "systemctl" => ask(&Ask::Control(args.to_vec())),
        "reboot" => ask(&Ask::Reboot),
        "shutdown" => shutdown(args),
        _ => ask(&Ask::Off),
    }
}

fn ask(what: &Ask) -> i32 {
    let talk = || -> std::io::Result<Told> {
        let mut s = UnixStream::connect(SOCKET)?;
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        s.write_all(&line)?;
        let mut answer = String::new();
        s.read_to_string(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    match talk() {
        Ok(t) => {
            // A closed pipe is the reader's wish.
            let _ = std::io::stdout().write_all(t.out.as_bytes());
            let _ = std::io::stderr().write_all(t.err.as_bytes());
            t.code
        }
        Err(e) => {
            eprintln!("the machine's init does not answer: {e}");
            1
        }
    }
}

/// Any time but now is refused: nothing here keeps appointments.
fn shutdown(args: &[String]) -> i32 {
    if args.iter().any(|a| a == "-c") {
        return 0;
    }
    if let Some(when) = args.iter().find(|a| !a.starts_with('-')).filter(|w| !matches!(w.as_str(), "now" | "+0")) {
        eprintln!("shutdown: {when}: in the sandbox only \"now\" works");
        return 1;
    }
    ask(if args.iter().any(|a| a == "-r" || a == "--reboot") { &Ask::Reboot } else { &Ask::Off })
}

/// `journalctl -u UNIT [-n N]`; the journal is a file per unit.
fn journal(args: &[String]) -> i32 {
    let (mut units, mut lines) = (Vec::new(), None);
    let mut it = args.iter().map(String::as_str);
    while let Some(a) = it.next() {
        let (name, given) = a.split_once('=').map_or((a, None), |(n, v)| (n, Some(v)));
        match name {
            "-u" | "--unit" => units.extend(given.or_else(|| it.next())),
            "-n" | "--lines" => lines = given.or_else(|| it.next()).map(|n| n.parse().unwrap_or(10)),
            "-o" | "--output" | "-p" | "--since" | "--until" | "-S" | "-U" => drop(given.or_else(|| it.next())),
            _ if a.starts_with("-u") => units.push(&a[2..]),
            _ if a.starts_with("-n") => lines = a[2..].parse().ok(),
            _ => {}
        }
    }
    if units.is_empty() {
        eprintln!("journalctl: in the sandbox name a unit with -u");
        return 1;
    }
    for u in units {
        let text = fs::read(log_file(u.strip_suffix(".service").unwrap_or(u))).unwrap_or_default();
        let mut shown = &text[..];
        if let Some(n) = lines {
            let ends: Vec<usize> = text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
            let total = ends.len() + usize::from(text.last().is_some_and(|b| *b != b'\n'));
            let skip: usize = total.saturating_sub(n);
            shown = if skip == 0 { &text } else { &text[ends[skip - 1]..] };
        }
        if std::io::stdout().write_all(shown).is_err() {
            return 1;
        }
    }
    0
}

/// `cloud-init status [--wait] [--long]`, and `clean` and such, which do nothing here.
fn cloud_init(args: &[String]) -> i32 {
    if args.first().map(String::as_str) != Some("status") {
        return 0;
    }
    let result = Path::new("/run/cloud-init/result.json");
    let wait = args.iter().any(|a| a == "--wait" || a == "-w");
    while !result.exists() {
        if !wait {
            println!("status: running");
            return 0;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let errors = fs::read_to_string(result).ok().and_then(|t| serde_json::from_str::<serde_json::Value>(&t).ok());
    let errors: Vec<String> =
        errors.and_then(|v| serde_json::from_value(v["v1"]["errors"].clone()).ok()).unwrap_or_default();
    println!("status: {}", if errors.is_empty() { "done" } else { "error" });
    if args.iter().any(|a| a == "--long" || a == "-l") {
        println!("errors:{}", errors.iter().map(|e| format!("\n- {e}")).collect::<String>());
    }
    i32::from(!errors.is_empty())
}
