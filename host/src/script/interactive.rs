//! Lines of an interactive session: variables, functions and imports live on from line to line.
//!
//! Does not read keys or print: that is the REPL's.

use super::diagnostic::ScriptError;
use super::evaluate::Script;
use super::explain::tokens;
use rhai::{Dynamic, Engine, LexError, ParseErrorType, Position, Scope};

/// A session over one engine and one run.
pub struct Interactive {
    script: Script,
    scope: Scope<'static>,
    lines: usize,
}

impl Interactive {
    pub fn new(script: Script) -> Self {
        Self { script, scope: Scope::new(), lines: 0 }
    }

    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Names of the session's variables, for completion.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self.scope.iter().map(|(name, ..)| name.to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Evaluates a line, or several that belong together. After an error the session is as it was before,
    /// except for what steps have done.
    ///
    /// # Errors
    /// Whatever ended the line. Its positions count in `line N`, N from 1.
    pub fn line(&mut self, text: &str) -> Result<Dynamic, ScriptError> {
        self.lines += 1;
        let name = format!("line {}", self.lines);
        let kept = self.scope.len();
        let result = self.script.line(&mut self.scope, &name, text);
        if result.is_err() {
            self.scope.rewind(kept);
            return result;
        }
        for (path, alias) in imports(text) {
            self.script.keep_import(&path, &alias, &name)?;
        }
        result
    }

    /// Whether more lines may make this text whole.
    pub fn is_incomplete(text: &str) -> bool {
        super::engine::fix_hashing(); // before anything is hashed
        // Parsed alone, without strict variables: an undefined name would be reported before the missing end.
        if is_comment_open(text) {
            return true;
        }
        let Err(error) = Engine::new_raw().compile(text) else { return false };
        let at_end = is_end(text, error.position());
        match error.err_type() {
            ParseErrorType::UnexpectedEOF | ParseErrorType::BadInput(LexError::UnterminatedString) => true,
            ParseErrorType::MissingToken(token, _) => token != ";" && at_end,
            ParseErrorType::ExprExpected(_)
            | ParseErrorType::VariableExpected
            | ParseErrorType::PropertyExpected
            | ParseErrorType::MissingSymbol(_)
            | ParseErrorType::FnMissingName
            | ParseErrorType::FnMissingParams(_)
            | ParseErrorType::FnMissingBody(_) => at_end,
            _ => false,
        }
    }
}

/// `import "path" as alias` with a literal path.
fn imports(text: &str) -> Vec<(String, String)> {
    let tokens = tokens(text);
    let statements = tokens.windows(4).filter(|four| four[0].1 == "import" && four[1].1 == "\"" && four[2].1 == "as");
    statements
        .filter_map(|four| {
            let literal = text.get(four[1].0 + 1..four[2].0)?.trim_end();
            Some((literal.get(..literal.len().checked_sub(1)?)?.to_owned(), four[3].1.to_owned()))
        })
        .collect()
}

fn is_comment_open(text: &str) -> bool {
    // Rhai reads an open comment to the end without a word.
    match (text.rfind("/*"), text.rfind("*/")) {
        (Some(open), close) if close.is_none_or(|close| close < open) => {
            let line = text[..open].rsplit('\n').next().unwrap_or_default();
            !line.contains("//") && line.matches(['"', '`']).count().is_multiple_of(2)
        }
        _ => false,
    }
}

/// Is this position behind the last character?
fn is_end(text: &str, at: Position) -> bool {
    let text = text.trim_end();
    let last = text.lines().last().unwrap_or_default().chars().count();
    at.is_none() || (at.line().unwrap_or(1), at.position().unwrap_or(0)) >= (text.lines().count(), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_or_not() {
        for text in [
            "let x =",
            "let x = [1,",
            "if true {",
            "fn f(a) {",
            "fn f(",
            "fn",
            "foo(1, ",
            "let s = \"abc",
            "let s = `abc",
            "#{ a: 1",
            "#{ a:",
            "1 +",
            "lanes([1], |n| {",
            "/* abc",
            "switch 1 {",
            "for i in",
            "while true",
            "try {",
            "x.",
            "import \"a\" as",
            "a::",
            "{ let y = 1;",
            "(1",
            "x[1",
        ] {
            assert!(Interactive::is_incomplete(text), "{text}");
        }
        for text in [
            "let x = 1;",
            "let x = )",
            "1 2",
            "let 5 = 3",
            "unknown",
            "return",
            "const X",
            "// /* x",
            "\"/*\"",
            "/* a */ 1",
            "",
        ] {
            assert!(!Interactive::is_incomplete(text), "{text}");
        }
    }

    #[test]
    fn imports_are_seen() {
        assert_eq!(
            imports("import \"lib/a\" as a; import  \"b\"  as b;"),
            [("lib/a".to_owned(), "a".to_owned()), ("b".to_owned(), "b".to_owned())]
        );
        assert!(imports("import x as y; \"import\"").is_empty());
    }
}
