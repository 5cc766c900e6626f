//! A file from one node to another, without this computer in the middle where that is possible.
//!
//! Nodes have no keys of each other. For one copy a key pair is made here; its public half may do one thing on the source,
//! print that one file, and only for ten minutes; its private half is on the destination while the copy runs. The
//! destination knows the source's host key. What arrives is kept only if its SHA-256 is the right one.

use super::quote::{sh_command, sh_quote};
use super::{ExecOptions, FileOptions, KeyPair, NodeError, Nodes, Result, Target};
use crate::core::random_hex;
use std::net::SocketAddr;
use std::time::Duration;

/// How a file came to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It was there already.
    Same,
    /// From node to node.
    Direct,
    /// Through this computer.
    Relayed,
}

/// Lets one key print one file; the lock is for copies from the same source at the same time. Arguments: public key, name of the key, file.
const ALLOW: &str = r#"
umask 077
mkdir -p ~/.ssh && cd ~/.ssh || exit 1
exec 9>>.linodetool-lock
! command -v flock >/dev/null || flock 9
until=$(date -d "@$(($(date +%s) + 600))" +%Y%m%d%H%M) || exit 1
# A last line without its end would become one with ours, and go with it.
[ ! -s authorized_keys ] || [ -z "$(tail -c 1 authorized_keys)" ] || echo >>authorized_keys || exit 1
printf 'restrict,expiry-time="%s",command="%s" %s %s\n' "$until" "$3" "$1" "$2" >>authorized_keys
"#;

/// Takes it back. Argument: name of the key.
const FORBID: &str = r#"
umask 077
cd ~/.ssh || exit 0
exec 9>>.linodetool-lock
! command -v flock >/dev/null || flock 9
cp -p authorized_keys ".$1" || exit 1
# 1: no other line is left. Anything else, as a full disk, leaves the file as it is.
grep -v " $1\$" authorized_keys >".$1" || [ $? -eq 1 ] || { rm -f ".$1"; exit 1; }
mv -f ".$1" authorized_keys
"#;

/// Fetches, with the private key on standard input. Arguments: path, digest, user, host, port, known hosts.
const FETCH: &str = r#"
umask 077
command -v ssh >/dev/null || { echo 'there is no ssh on the node' >&2; exit 1; }
dir=$(mktemp -d) || exit 1
new=${1%/*}/.lt-$$-${1##*/}
trap 'rm -rf "$dir" "$new"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$dir/key"
printf '%s\n' "$6" >"$dir/known"
mkdir -p "${1%/*}" || exit 1
ssh -F /dev/null -T -i "$dir/key" -p "$5" -l "$3" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
	-o UserKnownHostsFile="$dir/known" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 \
	-o ServerAliveInterval=15 -o ServerAliveCountMax=4 "$4" </dev/null >"$new" || exit 1
[ "$(sha256sum <"$new" | cut -c 1-64)" = "$2" ] || { echo 'what arrived is not the file' >&2; exit 1; }
chmod 644 "$new" && mv -f "$new" "$1"
"#;

impl Nodes {
    /// Copies the file `path` of `source` to `dest` on `target`. `via` is the source's address as the other node sees it,
    /// usually its private one. Where the nodes cannot do it by themselves it goes through this computer.
    pub async fn copy_between(
        &self,
        source: &Target,
        via: SocketAddr,
        path: &str,
        target: &Target,
        dest: &str,
    ) -> Result<Copied> {
        if let Some(simulation) = self.simulation() {
            return simulation.copy(source, path, target, dest).await;
        }
        let (from, to) = tokio::join!(self.digest(source, path), self.digest(target, dest));
        let Some(sum) = from? else {
            let (node, message) = (source.name.clone(), "there is no such file".into());
            return Err(NodeError::File { node, path: path.to_owned(), message });
        };
        if to?.as_deref() == Some(&*sum) {
            return Ok(Copied::Same);
        }
        match self.direct((source, via, path), (target, dest), &sum).await {
            Ok(()) => Ok(Copied::Direct),
            Err(error) => {
                tracing::info!(from = source.name, to = target.name, %error, "copied through this computer instead");
                self.relay(source, path, target, dest).await?;
                Ok(Copied::Relayed)
            }
        }
    }

    async fn direct(
        &self,
        (source, via, path): (&Target, SocketAddr, &str),
        (target, dest): (&Target, &str),
        sum: &str,
    ) -> Result<()> {
        let name = format!("linodetool-copy-{}", random_hex(8));
        let pair = KeyPair::generate(&name);
        let public = pair.public_line.trim_end_matches(&name).trim();
        // Within double quotes in authorized_keys only the quote itself needs care.
        let print = format!("exec cat {}", sh_quote(path)).replace('"', "\\\"");
        let options = ExecOptions { timeout: Some(Duration::from_secs(60)), ..ExecOptions::default() };
        self.exec_ok(source, &sh_command(ALLOW, &[public, &name, &print]), options.clone()).await?;
        let known: Vec<_> = source.host_keys.iter().map(|key| format!("[{}]:{} {key}", via.ip(), via.port())).collect();
        // OpenSSH writes port 22 without brackets.
        let known = known.join("\n").replace(&format!("[{}]:22 ", via.ip()), &format!("{} ", via.ip()));
        let (host, port) = (via.ip().to_string(), via.port().to_string());
        let fetch = sh_command(FETCH, &[dest, sum, &source.user, &host, &port, &known]);
        let stdin = Some(pair.private_pem.reveal().clone().into_bytes());
        let copied = self.exec_ok(target, &fetch, ExecOptions { stdin, ..ExecOptions::default() }).await;
        let forbidden = self.exec_ok(source, &sh_command(FORBID, &[&name]), options).await;
        copied.and(forbidden).map(drop)
    }

    async fn relay(&self, source: &Target, path: &str, target: &Target, dest: &str) -> Result<()> {
        let scratch = &self.0.limits.scratch;
        let local = |source| NodeError::Local { path: scratch.display().to_string(), source };
        let folder = tempfile::tempdir_in(scratch).map_err(local)?;
        let file = folder.path().join("file");
        self.download(source, path, &file).await?;
        let folder = sh_command("mkdir -p \"${1%/*}\"", &[dest]);
        self.exec_ok(target, &folder, ExecOptions::default()).await?;
        self.upload(target, &file, dest, &FileOptions::default()).await.map(drop)
    }
}
