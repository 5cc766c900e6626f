//! A line in a file.

use super::plan::{Plan, State, absolute, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// A line that a file has, or has not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// Absolute path on the node.
    pub path: String,
    /// The line, without its end.
    pub line: String,
    /// An extended regular expression: the last line that matches is replaced; with `absent`, all that match go.
    pub pattern: Option<String>,
    /// The line must not be there.
    pub absent: bool,
    /// Makes the file if there is none.
    pub create: bool,
}

impl State for Line {
    fn title(&self) -> String {
        format!("line in {}", self.path)
    }

    fn wish(&self) -> Wish {
        let key = self.pattern.as_deref().unwrap_or(&self.line);
        let line = if self.absent { String::new() } else { self.line.clone() };
        wish("line", &self.path, [(key, Some(line))])
    }

    fn plan(&self) -> Result<Plan> {
        let path = absolute("path", &self.path)?;
        if self.line.contains('\n') {
            return Err(NodeError::usage("line", "`line` must be one line"));
        }
        let pattern = self.pattern.as_deref().unwrap_or_default();
        if self.line.is_empty() && (!self.absent || pattern.is_empty()) {
            return Err(NodeError::usage("line", "`line` is missing"));
        }
        let (state, create) = (if self.absent { "absent" } else { "present" }, if self.create { "create" } else { "" });
        Ok(Plan::new(self.title(), include_str!("sh/line.sh"), &[path, &self.line, pattern, state, create]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn after(before: &str, line: &str, pattern: Option<&str>, absent: bool) -> (String, String) {
        let here = Here::new();
        std::fs::write(here.path("f"), before).unwrap();
        let pattern = pattern.map(str::to_owned);
        let wanted = Line { path: here.path("f"), line: line.into(), pattern, absent, create: false };
        let said = here.apply(&wanted);
        assert_eq!(here.apply(&wanted), "same: ", "a second time changes nothing");
        assert_eq!(here.files(), ["f"]);
        (said, read(&here.path("f")))
    }

    #[test]
    fn a_line_is_added_once() {
        assert_eq!(
            after("a\n", r"b \n $x 'y'", None, false),
            ("changed: line present".into(), "a\nb \\n $x 'y'\n".into())
        );
        assert_eq!(after("a\nb\n", "b", None, false), ("same: ".into(), "a\nb\n".into()));
    }

    #[test]
    fn the_last_match_is_replaced() {
        let (_, text) = after("#Port 22\nx\nPort 23\ny\n", "Port 24", Some("^#?Port "), false);
        assert_eq!(text, "#Port 22\nx\nPort 24\ny\n");
        let (_, text) = after("x\n", "Port 24", Some("^#?Port "), false);
        assert_eq!(text, "x\nPort 24\n");
    }

    #[test]
    fn lines_are_removed() {
        assert_eq!(after("a\nb\na\n", "a", None, true).1, "b\n");
        assert_eq!(after("a1\nb\na2\n", "", Some("^a[0-9]"), true).1, "b\n");
    }

    #[test]
    fn a_file_is_made_only_if_asked_for() {
        let here = Here::new();
        let mut wanted = Line { path: here.path("f"), line: "x".into(), ..Line::default() };
        assert_eq!(here.apply(&wanted), "failed: there is no such file (make it first, or say create: true)");
        wanted.create = true;
        assert_eq!(here.apply(&wanted), "changed: line present");
        assert_eq!(read(&here.path("f")), "x\n");
    }
}
