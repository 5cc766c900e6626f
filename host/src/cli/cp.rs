//! `linodetool cp`: one file to or from a node.

use super::error::CliError;
use super::request::Request;
use super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::nodes::{FileOptions, Nodes, Target};
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};
use crate::toolkit::At;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Copy a file to a node or from it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool cp site.conf web-1:/etc/nginx/conf.d/site.conf
  linodetool cp web-1:/var/log/syslog .")]
pub(crate) struct CpArgs {
    /// From: a file here, or NODE:PATH
    #[arg(value_name = "SRC")]
    pub(crate) source: String,
    /// To: a file or folder here, or NODE:PATH
    #[arg(value_name = "DST")]
    pub(crate) destination: String,
}

/// One end of a copy.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Here(PathBuf),
    Node { node: String, path: String },
}

/// `web-1:/etc/hosts` is on a node; what has a slash before its first colon, or no colon, is here.
pub(crate) fn end(text: &str) -> Result<End, Failure> {
    match text.split_once(':') {
        Some((node, path)) if !node.is_empty() && !node.contains('/') => {
            if !path.starts_with('/') {
                return Err(Failure::usage(format!("`{text}`: a path on a node must be absolute"))
                    .hint(format!("write {node}:/root/{path}")));
            }
            Ok(End::Node { node: node.to_owned(), path: path.to_owned() })
        }
        _ => Ok(End::Here(PathBuf::from(text))),
    }
}

impl CpArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let (node, path, here, direction) = match (end(&self.source)?, end(&self.destination)?) {
            (End::Here(here), End::Node { node, path }) => (node, path, here, Direction::Up),
            (End::Node { node, path }, End::Here(here)) => (node, path, here, Direction::Down),
            (End::Here(_), End::Here(_)) => {
                return Err(Failure::usage("both ends are on this computer")
                    .hint("one of them is written NODE:/PATH")
                    .into());
            }
            (End::Node { node, path }, End::Node { .. }) => {
                return Err(Failure::usage("both ends are on nodes")
                    .hint(format!("copy it here first: linodetool cp {node}:{path} ."))
                    .into());
            }
        };
        session.toolkit.target(&session.node(&node)?)?;
        let here = session.outer.work.join(here);
        if direction == Direction::Up {
            readable(&here, &node)?;
        }
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A folder as the destination means a file of the same name in it.
        let (path, here) = match direction {
            Direction::Up if path.ends_with('/') => (format!("{path}{}", name(&here)), here),
            Direction::Down if here.is_dir() => (path.clone(), here.join(name(Path::new(&path)))),
            _ => (path, here),
        };
        let title = format!("cp {} {}", self.source, self.destination);
        Request::Copy(Copy { node, path, here, direction }).run(session, &title)
    }
}

/// One file, and where it goes; kept with its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Copy {
    node: String,
    path: String,
    here: PathBuf,
    direction: Direction,
}

impl Copy {
    /// What came of it, as a document and as text.
    pub(crate) fn perform(&self, session: &Session<'_>, at: At<'_>) -> Result<(Value, String), Failure> {
        let Self { node, path, here, direction } = self;
        let target = session.toolkit.target(&session.node(node)?)?;
        let connections = session.toolkit.connections().clone();
        let changed = at.step(&CopyFile { copy: self, target: &target, connections: &connections })?;
        let document = json!({ "node": node, "path": path, "here": here, "changed": changed });
        let (from, to) = (format!("{node}:{path}"), here.display().to_string());
        let (from, to) = if *direction == Direction::Up { (to, from) } else { (from, to) };
        Ok((document, if changed { format!("{from} -> {to}") } else { format!("{to} is equal already") }))
    }
}

/// What cannot be copied is told before there is a run.
fn readable(here: &Path, node: &str) -> Result<(), Failure> {
    let cannot = |why: String| Failure::new(FailureKind::Local, format!("{}: {why}", here.display()));
    let file = std::fs::File::open(here).map_err(|e| cannot(e.to_string()).hint("give a file that you can read"))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let (parent, name) = (here.parent().unwrap_or(here), here.file_name().unwrap_or_default());
            Err(cannot("is a folder, and cp copies a file".into()).hint(format!(
                "tar -C {} -c {} | linodetool node ssh {node} -- tar -xC /root",
                parent.display(),
                name.display()
            )))
        }
        _ => Ok(()),
    }
}

#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Up,
    Down,
}

/// Whether the files differed.
#[derive(Serialize)]
struct CopyFile<'a> {
    #[serde(flatten)]
    copy: &'a Copy,
    #[serde(skip)]
    target: &'a Target,
    #[serde(skip)]
    connections: &'a Nodes,
}

impl Effect for CopyFile<'_> {
    const OP: &'static str = "nodes.copy";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        let Copy { path, here, direction, .. } = self.copy;
        let changed = match direction {
            Direction::Up => self.connections.upload(self.target, here, path, &FileOptions::default()).await?.changed,
            Direction::Down => self.connections.download(self.target, path, here).await?,
        };
        Ok(Done::with(changed, Vec::new()))
    }

    // It looks first, so that doing it twice does no harm.
    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<bool>>, Failure> {
        performs_again().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_copied_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let text = |name: &str| {
            let failure = readable(&dir.path().join(name), "web-1").unwrap_err();
            let text = format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default());
            text.replace(&*dir.path().to_string_lossy(), "DIR")
        };
        std::fs::create_dir(dir.path().join("notes")).unwrap();
        expect_test::expect![[r#"
            DIR/notes: is a folder, and cp copies a file; tar -C DIR -c notes | linodetool node ssh web-1 -- tar -xC /root
            DIR/nothing: No such file or directory (os error 2); give a file that you can read"#]]
        .assert_eq(&[text("notes"), text("nothing")].join("\n"));
    }

    #[test]
    fn an_end_is_here_or_on_a_node() {
        assert_eq!(end("./a:b").unwrap(), End::Here("./a:b".into()));
        assert_eq!(end("a").unwrap(), End::Here("a".into()));
        assert_eq!(end("web-1:/a:b").unwrap(), End::Node { node: "web-1".into(), path: "/a:b".into() });
        let failure = end("web-1:notes").unwrap_err();
        assert_eq!(failure.message, "`web-1:notes`: a path on a node must be absolute");
        assert_eq!(failure.hint.as_deref(), Some("write web-1:/root/notes"));
    }
}
