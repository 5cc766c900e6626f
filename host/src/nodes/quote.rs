//! Text for a POSIX shell.

use std::collections::BTreeMap;

/// One word for `sh`, whatever the text holds. A NUL cannot be given to a command and is left out.
pub fn sh_quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// `sh -c` of a script with its arguments, which works whatever the user's login shell is.
pub(super) fn sh_command(script: &str, arguments: &[&str]) -> String {
    let mut command = format!("exec sh -c {} lt", sh_quote(script));
    for argument in arguments {
        command.push(' ');
        command.push_str(&sh_quote(argument));
    }
    command
}

/// Whether a shell takes it as a variable's name.
pub(super) fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One line of `export`s; the line `nl` that it refers to holds a line feed.
pub(super) fn exports(env: &BTreeMap<String, String>) -> String {
    if env.is_empty() {
        return String::new();
    }
    let mut line = String::from("export");
    for (name, value) in env {
        let parts: Vec<_> = value.split('\n').map(sh_quote).collect();
        line.push_str(&format!(" {name}={}", parts.join("\"$nl\"")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn through_sh(script: &str) -> String {
        let output = Command::new("sh").args(["-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn quoted_text_comes_out_of_a_shell_as_it_went_in() {
        for text in
            ["", "plain", "a b", "it's", "$HOME `id` \"x\" \\ ! * ? ~ # ; & |", "two\nlines\n", "-n", "ünï", "''"]
        {
            assert_eq!(through_sh(&format!("printf '%s.' {}", sh_quote(text))), format!("{text}."));
        }
        assert_eq!(sh_quote("a-b_c/d.e:f=g@h%i+j,k"), "a-b_c/d.e:f=g@h%i+j,k");
        assert_eq!(sh_quote("a\0b"), "'ab'");
    }

    #[test]
    fn exports_are_one_line_even_if_a_value_has_more() {
        let env = [("A", "it's\ntwo\n"), ("B", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let line = exports(&env);
        assert_eq!(line.lines().count(), 1);
        assert_eq!(through_sh(&format!("nl='\n'; {line}; printf '%s|%s.' \"$A\" \"$B\"")), "it's\ntwo\n|.");
    }

    #[test]
    fn variables_are_named_as_shells_want() {
        assert!(is_variable("JAVA_HOME") && is_variable("_x1"));
        assert!(!is_variable("") && !is_variable("1a") && !is_variable("a-b") && !is_variable("a b"));
    }
}
