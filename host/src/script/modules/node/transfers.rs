//! Methods of nodes that move files: `upload`, `download`, `artifact`.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use super::{Answer, Asked, Doc, method, plain};
use crate::nodes::states::Upload;
use crate::script::options;
use rhai::plugin::*;

pub(super) fn module() -> Module {
    let mut module = exported_module!(methods);
    method(&mut module, &UPLOAD, upload);
    module
}

fn upload(asked: Asked<'_>) -> Answer {
    let upload: Upload = options::read(asked.call, asked.options)?;
    Ok(plain(&asked.toolkit.upload(asked.at, asked.node, &upload)?))
}

const UPLOAD: Doc = Doc {
    name: "upload",
    subject: "source",
    text: r#"
        Puts a file of this computer on the node, unless it is there.

        | option | type | default |
        |---|---|---|
        | `path` | string: where to, on the node | |
        | `mode`, `owner`, `group` | as of `file` | |

        # Example
        ```rhai
        let text = words::bundled();
        n.upload(text.path, #{ path: "/root/text" });
        ```

        # Errors
        `local` if it cannot be read here; `command` if it cannot be written there.
    "#,
};

/// Methods whose arguments have a shape of their own.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
mod methods {
    use super::{Upload, plain};
    use crate::nodes::states::Download;
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::NodeHandle;
    use crate::script::options;
    use crate::script::thrown::{Result, raise};
    use crate::toolkit::artifacts::Artifact;
    use crate::toolkit::texts::Text;
    use rhai::Map;

    /// Puts a text on the node as one file.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `mode`, `owner`, `group` | as of `file` | |
    ///
    /// # Example
    /// ```rhai
    /// n.upload(words::bundled(), "/root/text", #{ mode: "0600" });
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be written.
    #[rhai_fn(global, name = "upload", return_raw, volatile, pure)]
    pub fn upload_text(
        call: NativeCallContext,
        node: &mut NodeHandle,
        text: Text,
        path: &str,
        mut options: Map,
    ) -> Result<Dynamic> {
        options.insert("source".into(), text.path.display().to_string().into());
        options.insert("path".into(), path.into());
        let upload: Upload = options::read(&call, options)?;
        let applied = at(&call, |at| toolkit(&call)?.upload(at, &node.0, &upload).map_err(|e| raise(e, &call)))?;
        Ok(plain(&applied))
    }

    /// Fetches a file of the node to this computer.
    ///
    /// # Example
    /// ```rhai
    /// n.download("/etc/hostname", `${words::bundled().folder}/docs-hostname`);
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be read there; `local` if it cannot be written here.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn download(call: NativeCallContext, node: &mut NodeHandle, path: &str, dest: &str) -> Result<Dynamic> {
        let download = Download { path: path.into(), dest: dest.into() };
        let applied = at(&call, |at| toolkit(&call)?.download(at, &node.0, &download).map_err(|e| raise(e, &call)))?;
        Ok(plain(&applied))
    }

    /// Names the bytes of an artifact: another one for other bytes.
    ///
    /// # Example
    /// ```rhai
    /// let a = artifacts::local(#{ name: "text", path: words::bundled().folder });
    /// print(a.digest);
    /// ```
    #[rhai_fn(global, get = "digest", pure)]
    pub fn digest(artifact: &mut Artifact) -> String {
        artifact.digest().to_owned()
    }

    /// Unpacks an artifact on the node unless it is there. The first node gets it from its source, others from nodes.
    ///
    /// # Example
    /// ```rhai
    /// let a = artifacts::local(#{ name: "text", path: words::bundled().folder });
    /// n.artifact(a, "/opt/text");
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be unpacked, `local` if the source has changed, `conflict` if something else is at that place.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn artifact(call: NativeCallContext, node: &mut NodeHandle, artifact: Artifact, dest: &str) -> Result<bool> {
        at(&call, |at| toolkit(&call)?.install_artifact(at, &node.0, &artifact, dest).map_err(|e| raise(e, &call)))
    }
}
