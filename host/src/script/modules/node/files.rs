//! Methods of nodes that bring files into a state: `file`, `template`, `line`, `directory`, `archive`.

use super::{Answer, Asked, Doc, method, plain, state};
use crate::core::Failure;
use crate::nodes::render;
use crate::nodes::states::{Archive, Directory, File, Line};
use crate::script::options;
use crate::script::thrown::{misuse, throw};
use rhai::Module;
use serde_json::Value;

pub(super) fn module() -> Module {
    let mut module = Module::new();
    method(&mut module, &FILE, file);
    method(&mut module, &TEMPLATE, template);
    method(&mut module, &LINE, state::<Line>);
    method(&mut module, &DIRECTORY, state::<Directory>);
    method(&mut module, &ARCHIVE, state::<Archive>);
    module
}

/// `content_secret` in place of `content`: the name of a secret, which no journal may hold.
fn file(mut asked: Asked<'_>) -> Answer {
    let Some(secret) = asked.options.remove("content_secret") else {
        return state::<File>(asked);
    };
    let wrong = |text: &str| misuse(text.to_owned(), asked.call);
    let secret = secret.into_string().map_err(|_| wrong("`content_secret` is the name of a secret, a string"))?;
    let file: File = options::read(asked.call, asked.options)?;
    if file.content.is_some() || file.absent {
        return Err(wrong("a file with `content_secret` has no `content` and is not `absent`").into());
    }
    Ok(plain(&asked.toolkit.secret_file(asked.at, asked.node, &file, &secret)?))
}

/// Options of `template`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    path: String,
    template: String,
    #[serde(default)]
    vars: serde_json::Map<String, Value>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    group: Option<String>,
}

fn template(asked: Asked<'_>) -> Answer {
    let Template { path, template, vars, mode, owner, group } = options::read(asked.call, asked.options)?;
    let content = render(&template, &Value::Object(vars)).map_err(|error| throw(Failure::from(error), asked.call))?;
    let file = File { path, content: Some(content), mode, owner, group, absent: false };
    Ok(plain(&asked.toolkit.apply(asked.at, asked.node, &file)?))
}

const FILE: Doc = Doc {
    name: "file",
    subject: "path",
    text: r#"
        Makes a file have a content, mode and owner; replaced in one go if it differs.

        | option | type | default |
        |---|---|---|
        | `content` | string | the file only has to exist |
        | `content_secret` | string: name of a secret that is its content; then `mode` is `0600` | |
        | `mode` | string of octal digits | as it is, `0644` for a new one |
        | `owner`, `group` | string | as it is |
        | `absent` | bool: it must not exist | `false` |

        # Example
        ```rhai
        n.file("/etc/motd", #{ content: `I am ${n.name}\n` });
        ```

        # Errors
        `usage` for a path that is not absolute; `command` if it cannot be written.
    "#,
};

const TEMPLATE: Doc = Doc {
    name: "template",
    subject: "path",
    text: r#"
        Makes a file from a template, in which `{{name}}` stands for a value, and `\{{` for `{{` itself.

        | option | type | default |
        |---|---|---|
        | `template` | string | |
        | `vars` | map of strings, numbers, bools and maps of those (`{{a.b}}`); `()` is written as nothing | `#{}` |
        | `mode`, `owner`, `group` | as of `file` | |

        # Example
        ```rhai
        n.template("/etc/motd", #{ template: "I am {{name}}\n", vars: #{ name: n.name } });
        ```

        # Errors
        `usage` with the line for a name that is not in `vars`, and for an array or a map, which files write in ways of
        their own: `text::join` makes an array a text.
    "#,
};

const LINE: Doc = Doc {
    name: "line",
    subject: "path",
    text: r#"
        Makes a line be in a file, or not be in it.

        | option | type | default |
        |---|---|---|
        | `line` | string | |
        | `pattern` | string: a regular expression; the last line that matches is replaced | the line itself |
        | `absent` | bool: no such line, nor one that matches | `false` |
        | `create` | bool: make the file if there is none | `false` |

        # Example
        ```rhai
        n.line("/etc/environment", #{ line: "EDITOR=vi", pattern: "^EDITOR=" });
        ```

        # Errors
        `command` if the file cannot be written.
    "#,
};

const DIRECTORY: Doc = Doc {
    name: "directory",
    subject: "path",
    text: r#"
        Makes a directory, its parents too, with a mode and owner.

        | option | type | default |
        |---|---|---|
        | `mode` | string of octal digits | as it is |
        | `owner`, `group` | string | as it is |
        | `absent` | bool: it must not exist, nor anything in it | `false` |

        # Example
        ```rhai
        n.directory("/srv/data", #{ mode: "0750" });
        ```

        # Errors
        `usage` for a path that is not absolute; `command` if it cannot be made.
    "#,
};

const ARCHIVE: Doc = Doc {
    name: "archive",
    subject: "path",
    text: r#"
        Unpacks an archive that is on the node, unless the same one is unpacked there.

        | option | type | default |
        |---|---|---|
        | `dest` | string: folder, made if it is not there | |
        | `strip` | int: leading folders to leave out | `0` |
        | `creates` | string: a path that is there once it is unpacked | |
        | `owner` | string | root |
        | `sha256` | string: what its digest must be | any |

        # Example
        ```rhai
        n.run("tar -cf /tmp/docs.tar /etc/hostname");
        n.archive("/tmp/docs.tar", #{ dest: "/opt/docs" });
        ```

        # Errors
        `command` with what the unpacking program says.
    "#,
};
