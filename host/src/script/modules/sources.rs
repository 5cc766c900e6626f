//! `artifacts::` and `words::`: what recipes bring to their nodes.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use rhai::plugin::*;

/// Large things that many nodes need, fetched and verified once.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod artifacts {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::options;
    use crate::script::thrown::{Result, raise};
    use crate::toolkit::artifacts::{Artifact, Source};
    use rhai::Map;

    /// Jars by coordinate with all they depend on, fetched on this computer with Maven. They lie in `lib/`.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `name` | string | |
    /// | `jars` | array of `GROUP:ARTIFACT:VERSION` | |
    /// | `unpack` | array of `#{ jar, only }`: a folder of a jar, unpacked to `web/` | `[]` |
    ///
    /// # Example
    /// ```rhai
    /// try { artifacts::maven(#{ name: "x", jars: ["not a coordinate"] }) } catch (e) { print(e.hint) }
    /// ```
    ///
    /// # Errors
    /// `local` without Maven, or with its last lines when it fails.
    #[rhai_fn(return_raw, volatile)]
    pub fn maven(call: NativeCallContext, options: Map) -> Result<Artifact> {
        let source = Source::Jars(options::read(&call, options)?);
        at(&call, |at| toolkit(&call)?.prepare_artifact(at, &source).map_err(|e| raise(e, &call)))
    }

    /// An archive or folder of this computer.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `name` | string | |
    /// | `path` | string | |
    ///
    /// # Example
    /// ```rhai
    /// let a = artifacts::local(#{ name: "text", path: words::bundled().folder });
    /// ```
    ///
    /// # Errors
    /// `local` if it cannot be read.
    #[rhai_fn(return_raw, volatile)]
    pub fn local(call: NativeCallContext, options: Map) -> Result<Artifact> {
        let source = Source::Local(options::read(&call, options)?);
        at(&call, |at| toolkit(&call)?.prepare_artifact(at, &source).map_err(|e| raise(e, &call)))
    }

    /// An archive on the web, whose SHA-512 must match. The first node downloads it; in the sandbox this computer does.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `name` | string | |
    /// | `url` | string | |
    /// | `sha512` | string | |
    /// | `sha512_url` | string: where the digest is published | |
    ///
    /// Addresses are https; http only on this computer.
    ///
    /// # Example
    /// ```rhai
    /// try { artifacts::fetch(#{ name: "x", url: "https://example.com/x.tar.gz" }) } catch (e) { print(e.hint) }
    /// ```
    ///
    /// # Errors
    /// `usage` without a digest, `invalid` if it does not match, `not_found` if the server has no such file, `unavailable` if it
    /// cannot be fetched after some tries.
    #[rhai_fn(return_raw, volatile)]
    pub fn fetch(call: NativeCallContext, options: Map) -> Result<Artifact> {
        let source = Source::Web(options::read(&call, options)?);
        at(&call, |at| toolkit(&call)?.prepare_artifact(at, &source).map_err(|e| raise(e, &call)))
    }
}

/// Texts and the words in them.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod words {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::NodeHandle;
    use crate::script::thrown::{Result, raise};
    use crate::script::value::to_dynamic;
    use crate::toolkit::At;
    use crate::toolkit::texts::Text;
    use rhai::Map;

    /// The text that comes with linodetool.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().words);
    /// ```
    ///
    /// # Errors
    /// `local` if the cache cannot be written.
    #[rhai_fn(return_raw, volatile)]
    pub fn bundled(call: NativeCallContext) -> Result<Text> {
        at(&call, |at| toolkit(&call)?.open_text(at, None).map_err(|e| raise(e, &call)))
    }

    /// A file of this computer, or all files below a folder as one text, with its words counted.
    ///
    /// # Example
    /// ```rhai
    /// print(words::open(words::bundled().path).bytes);
    /// ```
    ///
    /// # Errors
    /// `local` if it cannot be read.
    #[rhai_fn(return_raw, volatile)]
    pub fn open(call: NativeCallContext, path: &str) -> Result<Text> {
        at(&call, |at| toolkit(&call)?.open_text(at, Some(path)).map_err(|e| raise(e, &call)))
    }

    /// Reads a file of `word TAB count` lines on a node, and gives `#{ words, distinct, digest, top }`.
    ///
    /// # Example
    /// ```rhai
    /// n.file("/root/counts", #{ content: "two\t2\none\t1\n" });
    /// print(words::counts(n, "/root/counts").words);
    /// ```
    ///
    /// # Errors
    /// `command` if it is not there, or is no such file.
    #[rhai_fn(return_raw, volatile)]
    pub fn counts(call: NativeCallContext, node: NodeHandle, path: &str) -> Result<Map> {
        counts_as(call, node, path, None)
    }

    /// The same; in a rehearsal, where nothing is counted, with the counts of a text.
    ///
    /// # Example
    /// ```rhai
    /// n.file("/root/counts", #{ content: "two\t2\none\t1\n" });
    /// print(words::counts(n, "/root/counts", words::bundled()).words);
    /// ```
    ///
    /// # Errors
    /// As of `counts` without a text.
    #[rhai_fn(name = "counts", return_raw, volatile)]
    pub fn counts_of(call: NativeCallContext, node: NodeHandle, path: &str, text: Text) -> Result<Map> {
        counts_as(call, node, path, Some(&text))
    }

    fn counts_as(call: NativeCallContext, node: NodeHandle, path: &str, text: Option<&Text>) -> Result<Map> {
        let rehearse = text.map(|text| &text.counts);
        let read = |at: At<'_>| toolkit(&call)?.read_counts(at, &node.0, path, rehearse).map_err(|e| raise(e, &call));
        let counts = at(&call, read)?;
        let json = serde_json::to_value(counts).unwrap_or_default();
        Ok(to_dynamic(&json).try_cast().unwrap_or_default())
    }

    /// Path of the text as one file on this computer.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().path);
    /// ```
    #[rhai_fn(global, get = "path", pure)]
    pub fn path(text: &mut Text) -> String {
        text.path.display().to_string()
    }

    /// The folder that holds it.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().folder);
    /// ```
    #[rhai_fn(global, get = "folder", pure)]
    pub fn folder(text: &mut Text) -> String {
        text.path.parent().map(|folder| folder.display().to_string()).unwrap_or_default()
    }

    /// Names the text: the first digits of its SHA-256.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().digest);
    /// ```
    #[rhai_fn(global, get = "digest", pure)]
    pub fn digest(text: &mut Text) -> String {
        text.digest.clone()
    }

    /// Its size.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().bytes);
    /// ```
    #[rhai_fn(global, get = "bytes", pure)]
    pub fn bytes(text: &mut Text) -> i64 {
        i64::try_from(text.bytes).unwrap_or(i64::MAX)
    }

    /// How many words it has.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().words);
    /// ```
    #[rhai_fn(global, get = "words", pure)]
    pub fn count_of(text: &mut Text) -> i64 {
        i64::try_from(text.counts.words).unwrap_or(i64::MAX)
    }

    /// How many different words it has.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().distinct);
    /// ```
    #[rhai_fn(global, get = "distinct", pure)]
    pub fn distinct(text: &mut Text) -> i64 {
        i64::try_from(text.counts.distinct).unwrap_or(i64::MAX)
    }

    /// SHA-256 of its sorted counts, to compare with those of `words::counts`.
    ///
    /// # Example
    /// ```rhai
    /// print(words::bundled().counts_digest);
    /// ```
    #[rhai_fn(global, get = "counts_digest", pure)]
    pub fn counts_digest(text: &mut Text) -> String {
        text.counts.digest.clone()
    }
}
