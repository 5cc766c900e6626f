//! The plugin's side of the C border: the only unsafe code a Rust plugin contains.
//!
//! Every function catches panics; nothing but bytes goes through. An instance stays on the thread that opened it.
#![allow(unsafe_code)]

use crate::abi::{ABI, LtIn, LtOut, LtPlugin};
use crate::error::{ProviderError, Result};
use crate::executor::Executor;
use crate::manifest::Manifest;
use crate::message::{Out, read_in};
use crate::panics::guarded;
use crate::provider::Provider;
use serde::Serialize;
use std::ffi::c_void;
use std::thread::{self, ThreadId};

/// A provider that can present itself and be opened.
pub trait Plugin: Provider + Sized {
    fn manifest() -> Manifest;
    /// `config` is the JSON object of the keys the manifest names.
    fn open(config: &str) -> Result<Self>;
}

/// Makes a `cdylib` a plugin: `export_provider!(LinodeV4);`
#[macro_export]
macro_rules! export_provider {
    ($provider:ty) => {
        const _: () = {
            #[allow(unsafe_code)]
            // SAFETY: the name belongs to this contract; a plugin exports it once.
            #[unsafe(no_mangle)]
            extern "C" fn linodetool_plugin() -> *const $crate::abi::LtPlugin {
                static TABLE: $crate::abi::LtPlugin = $crate::export::table::<$provider>();
                &TABLE
            }
        };
    };
}

pub const fn table<P: Plugin>() -> LtPlugin {
    LtPlugin {
        abi: ABI,
        size: size_of::<LtPlugin>() as u32,
        describe: Some(describe::<P>),
        open: Some(open::<P>),
        step: Some(step::<P>),
        close: Some(close::<P>),
        release: Some(release),
    }
}

struct Opened<P> {
    executor: Executor<P>,
    home: ThreadId,
}

unsafe extern "C" fn describe<P: Plugin>() -> LtOut {
    match guarded(P::manifest) {
        Ok(manifest) => hand_out(&manifest),
        Err(error) => hand_out(&Refusal { error }),
    }
}

unsafe extern "C" fn open<P: Plugin>(config: LtIn, instance: *mut *mut c_void, error: *mut LtOut) -> i32 {
    // SAFETY: the host lends `config` until we return.
    let config = unsafe { bytes(config) };
    let opened = guarded(|| {
        let config = std::str::from_utf8(config).map_err(|e| ProviderError::plugin(e.to_string()))?;
        P::open(config)
    });
    match opened.and_then(|inner| inner) {
        Ok(provider) => {
            let opened = Opened { executor: Executor::new(provider), home: thread::current().id() };
            // SAFETY: the host gives a place for the pointer; `close` takes it back.
            unsafe { *instance = Box::into_raw(Box::new(opened)).cast() };
            0
        }
        Err(reason) => {
            // SAFETY: the host gives a place for the error and releases it.
            unsafe { *error = hand_out(&reason) };
            1
        }
    }
}

unsafe extern "C" fn step<P: Plugin>(instance: *mut c_void, messages: LtIn) -> LtOut {
    // SAFETY: `instance` came from `open`, is not closed, and no other call on it runs.
    let opened = unsafe { &mut *instance.cast::<Opened<P>>() };
    // SAFETY: the host lends `messages` until we return.
    let messages = unsafe { bytes(messages) };
    if opened.home != thread::current().id() {
        return fatal("an instance must be stepped on the thread that opened it".into());
    }
    match guarded(|| read_in(messages).map(|messages| opened.executor.step(messages))) {
        Ok(Ok(answers)) => hand_out(&answers),
        Ok(Err(unreadable)) => fatal(format!("unreadable messages: {unreadable}")),
        Err(panic) => fatal(panic.message),
    }
}

unsafe extern "C" fn close<P: Plugin>(instance: *mut c_void) {
    // SAFETY: `instance` came from `open` and is closed once.
    let opened = unsafe { Box::from_raw(instance.cast::<Opened<P>>()) };
    let _ = guarded(|| drop(opened));
}

unsafe extern "C" fn release(out: LtOut) {
    if !out.ptr.is_null() {
        // SAFETY: `hand_out` made it, the host changed nothing and gives it back once.
        drop(unsafe { Vec::from_raw_parts(out.ptr, out.len, out.cap) });
    }
}

#[derive(Serialize)]
struct Refusal {
    error: ProviderError,
}

fn fatal(message: String) -> LtOut {
    hand_out(&[Out::Fatal { message }])
}

/// # Safety
/// `input` must be valid for its length, or empty.
unsafe fn bytes<'a>(input: LtIn) -> &'a [u8] {
    if input.len == 0 {
        return &[]; // the pointer of an empty slice may be null
    }
    // SAFETY: by the caller.
    unsafe { std::slice::from_raw_parts(input.ptr, input.len) }
}

fn hand_out(value: &impl Serialize) -> LtOut {
    let Ok(mut bytes) = serde_json::to_vec(value) else {
        return LtOut::NONE;
    };
    let out = LtOut { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity() };
    std::mem::forget(bytes);
    out
}
