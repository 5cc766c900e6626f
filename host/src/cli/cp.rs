//! `linodetool cp`: one file to or from a node.

use crate::core::Failure;
use clap::Args;
use std::path::PathBuf;

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

#[cfg(test)]
mod tests {
    use super::*;

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
