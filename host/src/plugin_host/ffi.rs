//! Loading and calling through the C border. All unsafe code of the host's plugin side is here; bytes in, bytes out.
//!
//! Libraries are never unloaded: thread-local destructors and a plugin's own threads make that unsound.
#![allow(unsafe_code)]

use crate::plugin_host::trust::{Protection, Trusted, Untrusted};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use linodetool_plugin::abi::{ABI, Close, Describe, ENTRY, Entry, LtIn, LtOut, LtPlugin, Open, Release, Step};
use linodetool_plugin::{MESSAGES, Manifest, ProviderError};
use serde::Deserialize;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// More than this in one answer is a bug, not a message.
pub(crate) const MAX_ANSWER: usize = 32 << 20;

/// Why a plugin was not loaded: what was found, what is needed, what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error(
        "{path} is not a library that this computer can load ({reason}); install the plugin's build for this computer"
    )]
    NotALibrary { path: PathBuf, reason: String },
    #[error("{path} is not a linodetool plugin: it does not export `linodetool_plugin`")]
    NotAPlugin { path: PathBuf },
    #[error("{path} speaks plugin ABI {found}, this linodetool speaks ABI {ABI}; {}", advice(*.found > ABI))]
    Abi { path: PathBuf, found: u32 },
    #[error("{path} has a broken plugin table: {what}; its author must rebuild it with the header for ABI {ABI}")]
    Table { path: PathBuf, what: String },
    #[error("{path} speaks message version `{found}`, this linodetool speaks {MESSAGES}; {}", advice(newer(.found)))]
    Messages { path: PathBuf, found: String },
    #[error("{path} does not describe itself: {reason}; ask its author")]
    Describe { path: PathBuf, reason: String },
}

fn advice(newer: bool) -> &'static str {
    if newer {
        "update linodetool, or install an older build of the plugin"
    } else {
        "install a newer build of the plugin"
    }
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

fn newer(version: &str) -> bool {
    major(version) > major(MESSAGES)
}

/// The functions of a loaded library, all present. Plain code addresses of a library that stays: `Send` and `Copy`.
#[derive(Clone, Copy, Debug)]
struct Table {
    describe: Describe,
    open: Open,
    step: Step,
    close: Close,
    release: Release,
}

/// A loaded plugin.
#[derive(Clone, Debug)]
pub struct PluginFile {
    pub manifest: Manifest,
    pub path: PathBuf,
    table: Table,
}

impl PluginFile {
    /// Checks, loads and describes.
    pub fn load(path: &Path, protection: &Protection) -> Result<Self, LoadError> {
        let trusted = Trusted::open(path, protection)?;
        let name = trusted.path.clone();
        if let Some(reason) = trusted.cut_short() {
            return Err(LoadError::NotALibrary { path: name, reason });
        }
        // SAFETY: initialisers of the library run; the file was just found to be one that the user trusts.
        // All its symbols are bound now, so that a missing one is an error here and not a crash later.
        let library = unsafe { Library::open(Some(trusted.load_path()), RTLD_NOW | RTLD_LOCAL) };
        let library =
            library.map_err(|e| LoadError::NotALibrary { path: name.clone(), reason: reason(&e, &trusted) })?;
        // SAFETY: the contract gives this name this type.
        let entry = unsafe { library.get::<Entry>(ENTRY.as_bytes()) }.map(|entry| *entry);
        std::mem::forget(library);
        trusted.keep_open();
        let entry = entry.map_err(|_| LoadError::NotAPlugin { path: name.clone() })?;
        // SAFETY: by contract callable from any thread, at any time.
        let table = check_table(unsafe { entry() }, &name)?;
        let manifest = table.describe(&name)?;
        if major(&manifest.messages) != major(MESSAGES) {
            return Err(LoadError::Messages { path: name, found: manifest.messages });
        }
        Ok(Self { manifest, path: name, table })
    }

    /// Opens an instance; it can only be used on this thread.
    pub(crate) fn open(&self, config: &str) -> Result<RawInstance, ProviderError> {
        let mut pointer = std::ptr::null_mut();
        let mut error = LtOut::NONE;
        // SAFETY: both places outlive the call; `config` is lent.
        let code = unsafe { (self.table.open)(lend(config.as_bytes()), &mut pointer, &mut error) };
        let said = self.table.take(error);
        match (code, pointer.is_null()) {
            (0, false) => Ok(RawInstance { pointer, table: self.table, not_send: PhantomData }),
            (0, true) => Err(ProviderError::plugin("open gave neither an instance nor an error")),
            _ => Err(said
                .ok()
                .flatten()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .unwrap_or_else(|| ProviderError::plugin(format!("open failed with code {code} and no reason")))),
        }
    }
}

/// The loader's words, with the file's name in place of its descriptor.
fn reason(error: &libloading::Error, trusted: &Trusted) -> String {
    let chained = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    chained.replace(&*trusted.load_path().to_string_lossy(), "it")
}

fn check_table(table: *const LtPlugin, name: &Path) -> Result<Table, LoadError> {
    let broken = |what: String| LoadError::Table { path: name.to_owned(), what };
    if table.is_null() {
        return Err(broken("it is NULL".into()));
    }
    if !table.is_aligned() {
        return Err(broken("it is not aligned".into()));
    }
    // SAFETY: not null; every table starts with these two, whatever its ABI. Read alone: the rest may not be there.
    let (abi, size) = unsafe { ((&raw const (*table).abi).read(), (&raw const (*table).size).read()) };
    if abi != ABI {
        return Err(LoadError::Abi { path: name.to_owned(), found: abi });
    }
    let needed = size_of::<LtPlugin>();
    if (size as usize) < needed {
        return Err(broken(format!("it has {size} bytes where ABI {ABI} has {needed}")));
    }
    // SAFETY: the table says it is at least this large.
    let LtPlugin { describe, open, step, close, release, .. } = unsafe { table.read() };
    let missing = |function: &str| broken(format!("its function `{function}` is NULL"));
    Ok(Table {
        describe: describe.ok_or_else(|| missing("describe"))?,
        open: open.ok_or_else(|| missing("open"))?,
        step: step.ok_or_else(|| missing("step"))?,
        close: close.ok_or_else(|| missing("close"))?,
        release: release.ok_or_else(|| missing("release"))?,
    })
}

#[derive(Deserialize)]
struct Described {
    error: Option<ProviderError>,
    #[serde(flatten)]
    manifest: Manifest,
}

impl Table {
    fn describe(&self, name: &Path) -> Result<Manifest, LoadError> {
        let broken = |reason: String| LoadError::Describe { path: name.to_owned(), reason };
        // SAFETY: takes nothing; the answer is taken over below.
        let out = unsafe { (self.describe)() };
        let bytes = self.take(out).map_err(|TooLarge(len)| broken(format!("its manifest has {len} bytes")))?;
        let bytes = bytes.ok_or_else(|| broken("it gave no manifest".into()))?;
        let said: Described = serde_json::from_slice(&bytes).map_err(|why| broken(why.to_string()))?;
        if let Some(error) = said.error {
            return Err(broken(error.message));
        }
        let sane = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let provider = &said.manifest.name;
        if provider.is_empty() || provider.len() > 64 || !provider.chars().all(sane) {
            return Err(broken(format!("its name {provider:?} is not made of a-z, 0-9 and -")));
        }
        Ok(said.manifest)
    }

    /// A copy of the plugin's bytes, which go back at once.
    fn take(&self, out: LtOut) -> Result<Option<Vec<u8>>, TooLarge> {
        if out.ptr.is_null() {
            return Ok(None);
        }
        // SAFETY: the plugin answers for `len` readable bytes until we release them.
        let copy = (out.len <= MAX_ANSWER).then(|| unsafe { std::slice::from_raw_parts(out.ptr, out.len) }.to_vec());
        // SAFETY: given back whole and once.
        unsafe { (self.release)(out) };
        copy.map(Some).ok_or(TooLarge(out.len))
    }
}

/// An answer of so many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLarge(pub(crate) usize);

/// An open instance. Bound to its thread by `!Send`.
pub(crate) struct RawInstance {
    pointer: *mut c_void,
    table: Table,
    not_send: PhantomData<*mut ()>,
}

impl RawInstance {
    /// `None`: the plugin gave no answer.
    pub(crate) fn step(&mut self, messages: &[u8]) -> Result<Option<Vec<u8>>, TooLarge> {
        // SAFETY: open, on its thread, `&mut self` keeps calls apart; the messages are lent.
        let out = unsafe { (self.table.step)(self.pointer, lend(messages)) };
        self.table.take(out)
    }
}

impl Drop for RawInstance {
    fn drop(&mut self) {
        // SAFETY: closed once, on its thread.
        unsafe { (self.table.close)(self.pointer) };
    }
}

fn lend(bytes: &[u8]) -> LtIn {
    LtIn { ptr: bytes.as_ptr(), len: bytes.len() }
}
