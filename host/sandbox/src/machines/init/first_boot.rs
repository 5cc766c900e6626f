//! The first boot: what cloud-init does with user data, then the StackScript.
//!
//! Owns: carrying it out, the logs and results where their readers look. Does not read cloud-config itself.
//! Keys, users and files are in place before SSH answers; commands and scripts run after, as on a real Linode.

use super::children::Children;
use super::cloud_config::{CloudConfig, NewUser, UserData, WriteFile};
use super::identity::{INSTANCE, is_first_boot, set_name};
use super::user::User;
use super::{host_key, user};
use crate::machines::MachineSpec;
use crate::machines::fail::{Because, Result, fail};
use crate::machines::layer::make_dir;
use crate::machines::rootfs::replace;
use crate::machines::sys::Identity;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const LOG: &str = "/var/log/cloud-init-output.log";
const RESULT: &str = "/run/cloud-init/result.json";
const STACKSCRIPT: &str = "/root/StackScript";
/// Exists from the moment scripts are started: a power cut does not run them twice.
const SCRIPTS_RAN: &str = "scripts-ran";
/// What went wrong before SSH answered, for the result.
const ERRORS: &str = "errors";

/// Users, keys, files. An error here is one of cloud-init and not of the boot, unless nobody could log in.
pub(crate) fn before_ssh(spec: &MachineSpec) -> Result<()> {
    if !is_first_boot() {
        return Ok(());
    }
    let mut errors = Vec::new();
    authorize("root", &spec.authorized_keys)?;
    make_dir(Path::new(INSTANCE), 0o755)?;
    match spec.user_data.as_deref().map(UserData::read) {
        Some(UserData::Config(c)) => configure(&c, spec, &mut errors),
        Some(UserData::Unknown(why)) => errors.push(why),
        Some(UserData::Script(_)) | None => {}
    }
    fs::write(Path::new(INSTANCE).join(ERRORS), errors.join("\n"))
        .because(|| format!("cannot write {INSTANCE}/{ERRORS}"))?;
    // Last: a machine that is cut off before does it all again, and all of it may be done twice.
    fs::write(Path::new(INSTANCE).join("instance-id"), format!("{}\n", spec.id))
        .because(|| format!("cannot write {INSTANCE}/instance-id"))
}

fn configure(c: &CloudConfig, spec: &MachineSpec, errors: &mut Vec<String>) {
    let mut note = |r: Result<()>| errors.extend(r.err().map(|e| e.0));
    if let Some(name) = c.fqdn.as_ref().or(c.hostname.as_ref()) {
        note(set_name(name, spec));
    }
    if let Some(key) = &c.ssh_keys.ed25519_private {
        note(give_host_key(key, c.ssh_keys.ed25519_public.as_deref()));
    }
    note(authorize("root", &c.ssh_authorized_keys));
    let (users, unread) = c.new_users();
    for u in &users {
        note(add_user(u));
    }
    for f in &c.write_files {
        note(write_file(f));
    }
    errors.extend(unread);
}

fn give_host_key(private: &str, public: Option<&str>) -> Result<()> {
    fs::create_dir_all("/etc/ssh").because(|| "cannot make /etc/ssh")?;
    replace(host_key::FILE, &format!("{}\n", private.trim_end()), 0o600)?;
    if host_key::load().is_err() {
        let _ = fs::remove_file(host_key::FILE); // a machine with a key of its own can be looked into
        return fail("ssh_keys.ed25519_private is not a private key in OpenSSH's format");
    }
    match public {
        Some(p) => replace(&format!("{}.pub", host_key::FILE), &format!("{}\n", p.trim_end()), 0o644),
        None => Ok(()),
    }
}

/// Adds keys to an account's `authorized_keys`, each once.
fn authorize(name: &str, keys: &[String]) -> Result<()> {
    let user = User::find(name).because(|| format!("there is no user {name}"))?;
    let dir = Path::new(&user.home).join(".ssh");
    let file = dir.join("authorized_keys");
    let mut text = fs::read_to_string(&file).unwrap_or_default();
    for k in keys.iter().map(|k| k.trim()).filter(|k| !k.is_empty()) {
        if !text.lines().any(|l| l == k) {
            text += &format!("{k}\n");
        }
    }
    make_dir(&dir, 0o700)?;
    replace(&file.to_string_lossy(), &text, 0o600)?;
    for p in [&dir, &file] {
        // In a namespace of one user everybody is root.
        let _ = chown(p, Some(user.uid), Some(user.gid));
    }
    Ok(())
}

fn add_user(u: &NewUser) -> Result<()> {
    if User::find(&u.name).is_none() {
        for g in &u.groups {
            run(Command::new("groupadd").args(["-f", g]))?;
        }
        let mut cmd = Command::new("useradd");
        cmd.args(if u.system { &["--system", "-m"][..] } else { &["-m"][..] });
        cmd.args(["-s", u.shell.as_deref().unwrap_or("/bin/bash")]);
        if let Some(h) = &u.homedir {
            cmd.args(["-d", h]);
        }
        if !u.groups.is_empty() {
            cmd.args(["-G", &u.groups.join(",")]);
        }
        run(cmd.arg(&u.name))?;
    }
    if u.ssh_authorized_keys.is_empty() { Ok(()) } else { authorize(&u.name, &u.ssh_authorized_keys) }
}

/// Only before init reaps: it waits for its child itself.
fn run(cmd: &mut Command) -> Result<()> {
    let what = cmd.get_program().to_string_lossy().into_owned();
    let out = cmd.env("PATH", user::PATH).stdin(Stdio::null()).output().because(|| format!("cannot run {what}"))?;
    if out.status.success() { Ok(()) } else { fail(format!("{what}: {}", String::from_utf8_lossy(&out.stderr).trim())) }
}

fn write_file(f: &WriteFile) -> Result<()> {
    let (bytes, mode) = (f.bytes().because(|| "write_files")?, f.mode().because(|| "write_files")?);
    let path = Path::new(&f.path);
    if !path.is_absolute() {
        return fail(format!("write_files: the path {:?} is not absolute", f.path));
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).because(|| format!("cannot make {}", dir.display()))?;
    }
    let mut o = OpenOptions::new();
    let mut file = o
        .create(true)
        .append(f.append)
        .write(true)
        .truncate(!f.append)
        .open(path)
        .because(|| format!("cannot write {}", f.path))?;
    // First the mode: the content may be a secret.
    file.set_permissions(fs::Permissions::from_mode(mode)).because(|| format!("cannot set the mode of {}", f.path))?;
    file.write_all(&bytes).because(|| format!("cannot write {}", f.path))?;
    if let Some(owner) = &f.owner {
        let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
        let u = User::find(user).because(|| format!("{}: there is no user {user}", f.path))?;
        let gid = if group.is_empty() {
            u.gid
        } else {
            User::group(group).because(|| format!("{}: there is no group {group}", f.path))?
        };
        chown(path, Some(u.uid), Some(gid)).because(|| format!("cannot change the owner of {}", f.path))?;
    }
    Ok(())
}

/// Commands and scripts, then the result that `cloud-init status --wait` waits for.
pub(crate) fn after_ssh(spec: &MachineSpec, children: Arc<Children>) -> impl Future<Output = ()> + use<> {
    let spec = spec.clone();
    async move {
        let mut errors: Vec<String> = fs::read_to_string(Path::new(INSTANCE).join(ERRORS))
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect();
        let ran = Path::new(INSTANCE).join(SCRIPTS_RAN);
        let first = !ran.exists();
        if first {
            errors.extend(fs::write(&ran, "").err().map(|e| format!("cannot write {}: {e}", ran.display())));
            match spec.user_data.as_deref().map(UserData::read) {
                Some(UserData::Config(c)) => {
                    if let Some(text) = c.script() {
                        errors.extend(
                            script(&children, &format!("{INSTANCE}/runcmd"), text.as_bytes(), LOG, &[])
                                .await
                                .err()
                                .map(|e| e.0),
                        );
                    }
                }
                Some(UserData::Script(text)) => errors.extend(
                    script(&children, &format!("{INSTANCE}/part-001"), &text, LOG, &[]).await.err().map(|e| e.0),
                ),
                Some(UserData::Unknown(_)) | None => {}
            }
        }
        let result = serde_json::json!({ "v1": { "datasource": "DataSourceAkamai", "errors": errors } });
        // All of it or nothing: who waits for it reads it as soon as it is there.
        let new = format!("{RESULT}.new");
        let _ = fs::create_dir_all("/run/cloud-init")
            .and_then(|()| fs::write(&new, result.to_string()))
            .and_then(|()| fs::rename(&new, RESULT));
        if let Some(s) = spec.stackscript.filter(|_| first) {
            let mut env: Vec<(String, String)> =
                s.data.into_iter().filter(|(k, _)| !k.is_empty() && !k.contains(['=', '\0'])).collect();
            env.push(("LINODE_ID".to_owned(), spec.id.to_string()));
            env.push(("LINODE_LISHUSERNAME".to_owned(), format!("linode{}", spec.id)));
            env.push(("LINODE_RAM".to_owned(), spec.memory_mb.to_string()));
            if let Err(e) =
                script(&children, STACKSCRIPT, s.script.as_bytes(), &format!("{STACKSCRIPT}.log"), &env).await
            {
                let _ = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(format!("{STACKSCRIPT}.log"))
                    .and_then(|mut f| writeln!(f, "{e}"));
            }
        }
    }
}

/// Runs a script as root, its output appended to a log.
async fn script(children: &Children, path: &str, text: &[u8], log: &str, env: &[(String, String)]) -> Result<()> {
    let mut f = File::create(path).because(|| format!("cannot write {path}"))?;
    f.set_permissions(fs::Permissions::from_mode(0o700)).because(|| format!("cannot set the mode of {path}"))?;
    f.write_all(text).because(|| format!("cannot write {path}"))?;
    drop(f); // a file that is open for writing cannot be executed
    let out = OpenOptions::new().append(true).create(true).open(log).because(|| format!("cannot write {log}"))?;
    let _ = out.set_permissions(fs::Permissions::from_mode(0o640));
    let err = out.try_clone().because(|| "cannot copy a descriptor")?;
    let mut cmd = Command::new(path);
    let folder = if path.starts_with("/root/") { "/root" } else { "/" };
    cmd.env_clear()
        .env("PATH", user::PATH)
        .env("HOME", "/root")
        .env("USER", "root")
        .env("LOGNAME", "root")
        .env("SHELL", "/bin/bash");
    cmd.envs(env.iter().map(|(k, v)| (k, v.replace('\0', "")))).stdin(Stdio::null()).stdout(out).stderr(err);
    Identity { folder: folder.to_owned(), ..Default::default() }.apply(&mut cmd);
    let (_, ended) = children.spawn(&mut cmd).because(|| format!("cannot run {path}"))?;
    match ended.await {
        Ok(e) if e.success() => Ok(()),
        Ok(e) => fail(format!("{path} ended with code {}", e.code())),
        Err(_) => fail(format!("{path} was lost")),
    }
}
