//! Starting one command of a service as its unit file wants it.
//!
//! Owns: environment, user, folders, limits, output. Does not know states.

use super::super::fail::{Because, Result, fail};
use super::super::init::{Children, Ended, User};
use super::super::sys::{Identity, Limit};
use super::file::{UnitFile, expand, words};
use super::log_file;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};
use tokio::sync::oneshot;

/// A command of a unit that runs: its pid and how it will have ended.
pub(crate) type Running = (i32, oneshot::Receiver<Ended>);

/// `line` is one value of an `Exec…=` key. `-` before it is the caller's affair.
pub(crate) fn start(
    children: &Children,
    unit: &str,
    f: &UnitFile,
    line: &str,
    invocation: &str,
    main: Option<i32>,
) -> Result<Running> {
    let command = line.trim_start_matches(['-', '@', '+', '!', ':']);
    // These run as root, whatever the unit says.
    let full = line[..line.len() - command.len()].contains(['+', '!']);
    let user = if full { User::find("root").because(|| "there is no user root")? } else { user_of(f)? };
    let env = environment(f, &user, invocation, main)?;
    let argv = expand(&words(command), &env);
    let Some(program) = argv.first() else { return fail(format!("the command {line:?} is empty")) };
    let mut cmd = Command::new(program);
    cmd.args(&argv[1..]).env_clear().envs(env.iter().map(|(k, v)| (k, v)));
    identity(f, &user, full)?.apply(&mut cmd);
    cmd.stdin(Stdio::null()).stdout(output(f, "StandardOutput", unit)?);
    cmd.stderr(output(f, if f.get("StandardError").is_some() { "StandardError" } else { "StandardOutput" }, unit)?);
    let (child, ended) = children.spawn(&mut cmd).because(|| format!("cannot run {program}"))?;
    Ok((child.id() as i32, ended))
}

fn user_of(f: &UnitFile) -> Result<User> {
    let name = f.get("User").unwrap_or("root");
    User::find(name).because(|| format!("User= names {name}, who does not exist"))
}

/// `Group=`, else the user's own.
fn group_of(f: &UnitFile, user: &User) -> Result<u32> {
    f.get("Group")
        .map_or(Ok(user.gid), |g| User::group(g).because(|| format!("Group= names {g}, which does not exist")))
}

fn identity(f: &UnitFile, user: &User, full: bool) -> Result<Identity> {
    let folder = f.get("WorkingDirectory").unwrap_or("/").trim_start_matches('-');
    let folder = if folder == "~" { &user.home } else { folder };
    if f.get("WorkingDirectory").is_some_and(|w| !w.starts_with(['-', '~'])) && !std::path::Path::new(folder).is_dir() {
        return fail(format!("WorkingDirectory= names {folder}, which is not a folder"));
    }
    let mut id = user.identity(folder);
    if !full {
        id.gid = group_of(f, user)?;
        for g in f.all("SupplementaryGroups").flat_map(str::split_whitespace) {
            id.groups.push(User::group(g).because(|| format!("SupplementaryGroups= names {g}, which does not exist"))?);
        }
    }
    id.umask = f.get("UMask").and_then(|m| u32::from_str_radix(m, 8).ok()).or(Some(0o022));
    id.limits = f.keys().filter_map(limit).collect();
    Ok(id)
}

/// `LimitNOFILE=65536`, `LimitCORE=infinity`, `LimitNPROC=100:200` (the hard one counts).
fn limit((key, value): (&str, &str)) -> Option<Limit> {
    let resource = match key.strip_prefix("Limit")? {
        "NOFILE" => libc::RLIMIT_NOFILE,
        "NPROC" => libc::RLIMIT_NPROC,
        "CORE" => libc::RLIMIT_CORE,
        "MEMLOCK" => libc::RLIMIT_MEMLOCK,
        "STACK" => libc::RLIMIT_STACK,
        "AS" => libc::RLIMIT_AS,
        "FSIZE" => libc::RLIMIT_FSIZE,
        "DATA" => libc::RLIMIT_DATA,
        _ => return None,
    };
    let value = value.rsplit(':').next()?;
    let at = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let factor = match value[at..].trim() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "infinity" => return Some(Limit { resource, value: None }),
        _ => return None,
    };
    Some(Limit { resource, value: value[..at].parse::<u64>().ok()?.checked_mul(factor) })
}

/// systemd's own variables, the unit's, then its files', which win.
fn environment(f: &UnitFile, user: &User, invocation: &str, main: Option<i32>) -> Result<Vec<(String, String)>> {
    let own = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let mut env =
        vec![own("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), own("LANG", "C.UTF-8")];
    env.push(own("INVOCATION_ID", invocation));
    if f.get("User").is_some() {
        env.extend([
            own("USER", &user.name),
            own("LOGNAME", &user.name),
            own("HOME", &user.home),
            own("SHELL", &user.shell),
        ]);
    }
    if let Some(pid) = main {
        env.push(own("MAINPID", &pid.to_string()));
    }
    for line in f.all("Environment") {
        env.extend(words(line).iter().filter_map(|w| w.split_once('=')).map(|(k, v)| own(k, v)));
    }
    for path in f.all("EnvironmentFile") {
        match fs::read_to_string(path.trim_start_matches('-')) {
            Ok(text) => env.extend(assignments(&text)),
            Err(_) if path.starts_with('-') => {}
            Err(e) => return fail(format!("EnvironmentFile= names {path}: {e}")),
        }
    }
    Ok(env)
}

fn assignments(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';']));
    let unquote = |v: &str| {
        let inner = ['"', '\''].iter().find_map(|q| v.strip_prefix(*q)?.strip_suffix(*q));
        inner.unwrap_or(v).to_owned()
    };
    lines
        .filter_map(|l| l.split_once('='))
        .map(|(k, v)| (k.trim_start_matches("export ").trim().to_owned(), unquote(v.trim())))
        .collect()
}

/// `RuntimeDirectory=`, `StateDirectory=`, `LogsDirectory=`: made once for all commands, for the service's user and group.
pub(crate) fn folders(f: &UnitFile) -> Result<()> {
    let user = user_of(f)?;
    let gid = group_of(f, &user)?;
    for (key, base) in [
        ("RuntimeDirectory", "/run"),
        ("StateDirectory", "/var/lib"),
        ("LogsDirectory", "/var/log"),
        ("CacheDirectory", "/var/cache"),
    ] {
        for name in f.all(key).flat_map(str::split_whitespace) {
            let path = format!("{base}/{name}");
            let mode = f.get(&format!("{key}Mode")).and_then(|m| u32::from_str_radix(m, 8).ok()).unwrap_or(0o755);
            fs::create_dir_all(&path).because(|| format!("cannot make {path}"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                .because(|| format!("cannot set the mode of {path}"))?;
            chown(&path, Some(user.uid), Some(gid)).because(|| format!("cannot change the owner of {path}"))?;
        }
    }
    Ok(())
}

/// The journal is a file per unit here.
fn output(f: &UnitFile, key: &str, unit: &str) -> Result<Stdio> {
    let open = |path: &str, append: bool| -> Result<Stdio> {
        let mut o = OpenOptions::new();
        let file: std::io::Result<File> = o.create(true).append(append).write(true).truncate(!append).open(path);
        file.map(Stdio::from).because(|| format!("cannot write {path}"))
    };
    match f.get(key).unwrap_or("journal").split_once(':') {
        Some(("append", path)) => open(path, true),
        Some(("file" | "truncate", path)) => open(path, false),
        _ if f.get(key) == Some("null") => Ok(Stdio::null()),
        _ => open(&log_file(unit), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(limit(("LimitNOFILE", "65536")), Some(Limit { resource: libc::RLIMIT_NOFILE, value: Some(65536) }));
        assert_eq!(limit(("LimitNOFILE", "1024:4K")), Some(Limit { resource: libc::RLIMIT_NOFILE, value: Some(4096) }));
        assert_eq!(limit(("LimitCORE", "infinity")), Some(Limit { resource: libc::RLIMIT_CORE, value: None }));
        assert_eq!(limit(("LimitRUNTIME", "1")), None);
    }

    #[test]
    fn environment_files() {
        let seen = assignments("# no\nA=1\nexport B=\"two words\"\nC='x'\nnothing\n");
        assert_eq!(seen, [("A", "1"), ("B", "two words"), ("C", "x")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
