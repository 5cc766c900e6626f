//! Artifacts: something large that many nodes need, fetched and verified once and then copied from node to node.
//!
//! In the sandbox, whose machines reach nothing outside, this computer fetches; on a real cloud the first node does.

mod assumed;
mod holders;

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;

use linodetool_sandbox::act::File;

use crate::core::events::Ending;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::nodes::states::absolute;
use crate::nodes::{FileOptions, NodeError, Target, sh_quote};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::fetch::{checked_sha512, checked_url, download, published_sha512};
use crate::toolkit::packing::{Jars, Packed, describe, jars, local_path};
use crate::toolkit::stages::staged;
use crate::toolkit::{At, Repeatable, Toolkit};
pub(crate) use assumed::Assumed;
use holders::Holder;
pub(crate) use holders::Holders;

/// Where archives lie on a node.
const ON_NODE: &str = "/var/lib/linodetool/artifacts";

/// A file on the web, with its digest or where that is published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub name: String,
    pub url: String,
    /// 128 hexadecimal digits.
    #[serde(default)]
    pub sha512: Option<String>,
    /// A file that holds them, as published beside the archive.
    #[serde(default)]
    pub sha512_url: Option<String>,
}

/// A digest, or where it is published.
enum Digested {
    As(String),
    At(reqwest::Url),
}

impl Web {
    fn check(&self) -> Result<(reqwest::Url, Digested), Failure> {
        let url = checked_url(&self.url, "url")?;
        let digest = match (&self.sha512, &self.sha512_url) {
            (Some(digest), _) => Digested::As(checked_sha512(digest)?),
            (None, Some(url)) => Digested::At(checked_url(url, "sha512_url")?),
            (None, None) => {
                return Err(Failure::usage(format!("{url} is not downloaded without a digest"))
                    .field("sha512")
                    .hint("give sha512, or sha512_url where it is published"));
            }
        };
        Ok((url, digest))
    }
}

/// An archive or folder of this computer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    pub name: String,
    pub path: String,
}

/// What an artifact is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    Jars(Jars),
    Local(Local),
    Web(Web),
}

/// An artifact whose bytes are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    pub name: String,
    pub from: From,
}

/// Where its bytes come from, and their digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    Here(Packed),
    Web { url: String, sha512: String },
}

impl Artifact {
    /// Names its bytes.
    pub(crate) fn digest(&self) -> &str {
        match &self.from {
            From::Here(packed) => &packed.sha256,
            From::Web { sha512, .. } => sha512,
        }
    }

    fn path_on_node(&self) -> String {
        format!("{ON_NODE}/{}", &self.digest()[..32])
    }
}

impl Toolkit {
    /// Fetches and verifies what is needed to know the artifact's bytes.
    ///
    /// # Errors
    /// `Local` if this computer lacks a program or a file, `Invalid` if a digest does not match.
    pub fn prepare_artifact(&self, at: At<'_>, source: &Source) -> Result<Artifact, StepError> {
        at.step(&Prepare { source, toolkit: self })
    }

    /// Unpacks the artifact on a node unless it is there; `true` if it was not.
    ///
    /// # Errors
    /// `Conflict` if something else is at the destination: a folder that is not an artifact's is never replaced.
    pub fn install_artifact(
        &self,
        at: At<'_>,
        node: &Node,
        artifact: &Artifact,
        dest: &str,
    ) -> Result<bool, StepError> {
        let digest = artifact.digest();
        let dest = destination(dest).map_err(StepError::Failed)?;
        let changed = at.step(&Install { node: &node.name, digest, dest, artifact, at_node: node, toolkit: self })?;
        self.count(changed);
        Ok(changed)
    }
}

#[derive(Serialize)]
struct Prepare<'a> {
    source: &'a Source,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Prepare<'_> {
    const OP: &'static str = "artifacts.prepare";
    const KIND: Kind = Kind::Write;
    type Out = Artifact;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Artifact>, Failure> {
        if self.toolkit.connections().simulation().is_some() {
            return Ok(self.toolkit.assumed_artifact(self.source)?.into());
        }
        let cache = self.toolkit.cache().to_owned();
        let (name, from) = match self.source.clone() {
            Source::Jars(wanted) => {
                let (name, cancel, events) = (wanted.name.clone(), cx.cancel.clone(), cx.events.clone());
                let note = format!("{name}: fetching {} jars and what they need", wanted.jars.len());
                (
                    name,
                    From::Here(
                        self.toolkit.blocking(move || jars(&wanted, &cache, &cancel, || events.note(note))).await??,
                    ),
                )
            }
            Source::Local(local) => {
                let path = self.toolkit.here(&local.path);
                (local.name, From::Here(self.toolkit.blocking(move || local_path(&path, &cache)).await??))
            }
            Source::Web(web) => {
                let (url, digest) = web.check()?;
                let sha512 = match digest {
                    Digested::As(sha512) => sha512,
                    Digested::At(url) => published_sha512(&url, &*cx.time).await?,
                };
                if self.toolkit.settings().sandbox {
                    cx.events.note(format!("{}: downloading {url}", web.name));
                    (web.name, From::Here(download(&url, &sha512, &cache.join("artifacts"), &*cx.time).await?))
                } else {
                    (web.name, From::Web { url: url.into(), sha512 })
                }
            }
        };
        Ok(Artifact { name, from }.into())
    }
}

#[derive(Serialize)]
struct Install<'a> {
    node: &'a str,
    digest: &'a str,
    dest: &'a str,
    #[serde(skip)]
    artifact: &'a Artifact,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Install<'_> {
    const OP: &'static str = "artifacts.install";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, cx: &StepCx) -> Result<Done<bool>, Failure> {
        let title = format!("artifact {}", self.artifact.name);
        let install = async {
            let changed = self.install().await? || cx.in_doubt;
            Ok((changed, Ending::of(changed)))
        };
        Ok(staged(self.toolkit, self.node, &title, install).await?.into())
    }
}

/// Where an artifact comes to lie: a folder that it has for itself.
fn destination(dest: &str) -> Result<&str, Failure> {
    let folder = absolute("dest", dest)?.trim_end_matches('/');
    if folder.is_empty() {
        return Err(Failure::usage("an artifact cannot take the place of /")
            .field("dest")
            .hint("give it a folder of its own, such as /opt/text"));
    }
    Ok(folder)
}

/// Ends with 0 if the artifact is there, with 1 if it may be put there, and with 3 if something else is.
const CHECK: &str = r#"mark=$dest/.linodetool-artifact
if [ -e "$mark" ]; then test "$(cat "$mark")" = "$wanted"; exit; fi
if [ ! -e "$dest" ] && [ ! -L "$dest" ]; then exit 1; fi
if [ -d "$dest" ] && there=$(ls -A "$dest") && [ -z "$there" ]; then exit 1; fi
exit 3"#;

/// Unpacks beside the destination and puts it in place in one go. An archive with one folder at its top is that folder.
const UNPACK: &str = r#"rm -rf "$dest".lt-new* "$dest".lt-old*; new=$dest.lt-new.$$; old=$dest.lt-old.$$; mkdir -p "$new"; tar -xf "$archive" -C "$new" --no-same-owner
set -- "$new"/*; if [ $# = 1 ] && [ -d "$1" ]; then inner=$1; else inner=$new; fi
chmod 755 "$inner"; printf '%s\n' @MARK@ > "$inner/.linodetool-artifact"
if [ -e "$dest" ]; then mv "$dest" "$old"; fi; mkdir -p "$(dirname "$dest")"; mv "$inner" "$dest"; rm -rf "$new" "$old""#;

/// The file that says which artifact lies in a folder.
pub(crate) fn mark_in(dest: &str) -> String {
    format!("{dest}/.linodetool-artifact")
}

impl Install<'_> {
    /// `false` if it is there already.
    async fn install(&self) -> Result<bool, Failure> {
        let (toolkit, artifact) = (self.toolkit, self.artifact);
        let target = toolkit.target(self.at_node)?;
        let connections = toolkit.connections();
        if let Some(simulation) = connections.simulation() {
            let mark = mark_in(self.dest);
            let wanted = Some(artifact.digest().to_owned());
            if simulation.file(&target, &mark).await?.is_some_and(|found| found.digest == wanted) {
                return Ok(false);
            }
            self.place_archive(&target).await?;
            simulation.put(&target, &mark, File { digest: wanted, ..File::default() }).await?;
            return Ok(true);
        }
        let mark = sh_quote(artifact.digest());
        let dest = sh_quote(self.dest);
        let check = format!("dest={dest}; wanted={mark}\n{CHECK}");
        match connections.exec_again(&target, &check).await?.exit_code {
            Some(0) => return Ok(false),
            Some(3) => return Err(self.occupied()),
            _ => {}
        }
        self.place_archive(&target).await?;
        let unpack =
            format!("set -eu; archive={archive}; dest={dest}\n{UNPACK}", archive = sh_quote(&artifact.path_on_node()),);
        let unpack = unpack.replace("@MARK@", &mark);
        let output = connections.exec_again(&target, &unpack).await?;
        if !output.success() {
            return Err(NodeError::command(self.node, &format!("unpack {}", artifact.name), &output).into());
        }
        Ok(true)
    }

    fn occupied(&self) -> Failure {
        let (name, dest) = (&self.artifact.name, self.dest);
        let message =
            format!("{dest} is there already and is no artifact: {name} would take its place, and all in it be lost");
        let hint = format!("choose a folder of its own, such as {dest}/{name}, or remove what is at {dest} first");
        Failure::new(FailureKind::Conflict, message).on(self.node).field("dest").hint(hint)
    }

    /// The first node gets the archive from its source, every other from a node that has it.
    async fn place_archive(&self, target: &Target) -> Result<(), Failure> {
        let queue = self.toolkit.holders().of(self.artifact.digest());
        let turn = queue.turn().await;
        let path = self.artifact.path_on_node();
        if let Some(holder) = &turn.from {
            let copied =
                self.toolkit.connections().copy_between(&holder.target, holder.via, &path, target, &path).await;
            match copied {
                Ok(_) => {
                    turn.done(self.holder(target));
                    return Ok(());
                }
                // A holder that went away is no reason to fail: the source is still there.
                Err(error) => self
                    .toolkit
                    .events()
                    .note(format!("{}: not copied from {}, fetching it again: {error}", self.node, holder.target.name)),
            }
        }
        self.fetch_from_source(target, &path).await?;
        turn.done(self.holder(target));
        Ok(())
    }

    fn holder(&self, target: &Target) -> Holder {
        let private = self.at_node.private_ip.as_deref().and_then(|address| address.parse().ok());
        Holder { target: target.clone(), via: private.map_or(target.address, |ip| SocketAddr::new(ip, 22)) }
    }

    async fn fetch_from_source(&self, target: &Target, path: &str) -> Result<(), Failure> {
        let connections = self.toolkit.connections();
        if let (Some(simulation), From::Here(packed)) = (connections.simulation(), &self.artifact.from) {
            let file = File { digest: Some(packed.sha256.clone()), size: packed.bytes, content: None };
            let put = connections.persistently(target, || simulation.put(target, path, file.clone()));
            return Ok(put.await.map(drop)?);
        }
        let folder = format!("mkdir -p -m 755 {}", sh_quote(ON_NODE));
        connections.exec_again(target, &folder).await?;
        match &self.artifact.from {
            From::Here(packed) => {
                // The digest was taken when the artifact was prepared; a file that has changed since is not sent.
                let local = packed.path.clone();
                let now = self.toolkit.blocking(move || describe(&local)).await??;
                if now.sha256 != packed.sha256 {
                    return Err(changed_since(&packed.path));
                }
                let options = FileOptions { mode: Some("0644".into()), ..FileOptions::default() };
                let known = (now.sha256.as_str(), now.bytes);
                let send = || connections.upload_known(target, &packed.path, known, path, &options);
                connections.persistently(target, send).await?;
            }
            From::Web { url, sha512 } => {
                // Of http there is only what lies on the node itself.
                let protocol = url.split(':').next().unwrap_or_default();
                let (url, path) = (sh_quote(url), sh_quote(path));
                let fetch =
                    format!("set -eu; url={url}; path={path}; protocol={protocol}; sha512={sha512}\n{DOWNLOAD}");
                let output = connections.exec_again(target, &fetch).await?;
                if !output.success() {
                    let failed = NodeError::Operation {
                        node: self.node.to_owned(),
                        operation: format!("artifact {}", self.artifact.name),
                        message: "the node could not fetch it".into(),
                        hint: Some("check its address and digest, and what the node reaches".into()),
                        output: output.last_lines(),
                    };
                    return Err(failed.into());
                }
            }
        }
        Ok(())
    }
}

/// On the node itself. Of one that nobody hears of any more, and that may go on, only the file is taken away. Tried again, unless the server says no: 22 of curl, which tries again by itself where that may help, 8 of wget.
const DOWNLOAD: &str = r#"rm -f "$path".part*; part=$path.part.$$
get() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL --proto "=$protocol" --max-redirs 5 --connect-timeout 20 --speed-limit 1 --speed-time 60 --retry 3 -o "$part" "$url"
    else wget -q -T 60 -O "$part" "$url"; fi
}
tries=1
until get; do
    code=$?
    if [ $tries = 4 ] || [ $code = 22 ] || [ $code = 8 ]; then echo "cannot download $url" >&2; exit $code; fi
    sleep $((tries * 2)); tries=$((tries + 1))
done
found=$(sha512sum "$part" | cut -d ' ' -f 1)
if [ "$found" != "$sha512" ]; then
    rm -f "$part"; echo "$url is not what was asked for: SHA-512 $found instead of $sha512" >&2; exit 1
fi
mv "$part" "$path""#;

fn changed_since(path: &Path) -> Failure {
    Failure::new(FailureKind::Local, format!("{} has changed since the run began", path.display()))
        .hint("begin a new run")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn only_a_folder_that_is_free_or_an_artifacts_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["same", "other", "empty", "full"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for (file, text) in
            [("same/.linodetool-artifact", "abc\n"), ("other/.linodetool-artifact", "x"), ("full/a", ""), ("file", "")]
        {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        std::os::unix::fs::symlink("/nowhere/at/all", dir.path().join("dangling")).unwrap();
        let code = |name: &str| {
            let script =
                format!("dest={}; wanted=abc\n{CHECK}", sh_quote(&dir.path().join(name).display().to_string()));
            Command::new("sh").args(["-c", &script]).status().unwrap().code().unwrap()
        };
        let names = ["same", "other", "empty", "missing", "full", "file", "dangling"];
        assert_eq!(
            names.map(|name| (name, code(name))),
            [("same", 0), ("other", 1), ("empty", 1), ("missing", 1), ("full", 3), ("file", 3), ("dangling", 3),]
        );
    }

    #[test]
    fn a_destination_is_absolute_and_not_the_root() {
        assert_eq!(destination("/opt/text//").unwrap(), "/opt/text");
        let said = ["opt", "//"].map(|dest| destination(dest).unwrap_err().message);
        assert_eq!(
            said,
            ["`dest` must be an absolute path on the node, not `opt`", "an artifact cannot take the place of /",]
        );
    }
}
