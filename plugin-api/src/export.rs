//! The plugin's side of the C border: the only unsafe code a Rust plugin contains.
//!
//! Every function catches panics and checks its pointers for NULL; nothing but bytes goes through. An instance stays on the
//! thread that opened it. Does not know what the messages say.
#![allow(unsafe_code)]

use crate::abi::{ABI, LtIn, LtOut, LtPlugin};
use crate::error::{ErrorKind, ProviderError, Result};
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
    /// What it says of itself, without being opened.
    fn manifest() -> Manifest;

    /// A new instance.
    ///
    /// `config` is the JSON object of the keys the manifest names.
    ///
    /// # Errors
    /// The configuration is not what the manifest asks for.
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

/// The table that [`export_provider!`](crate::export_provider) exports.
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
    if instance.is_null() || error.is_null() {
        return 1; // there is no place for the reason either
    }
    // SAFETY: the host lends `config` until we return.
    let config = unsafe { bytes(config) };
    let opened = guarded(|| {
        let config = std::str::from_utf8(config)
            .map_err(|e| ProviderError::new(ErrorKind::Invalid, format!("the configuration is not UTF-8: {e}")))?;
        P::open(config)
    });
    match opened.and_then(|inner| inner) {
        Ok(provider) => {
            let opened = Opened { executor: Executor::new(provider), home: thread::current().id() };
            // SAFETY: not NULL, and the host gives a place for the pointer; `close` takes it back.
            unsafe { instance.write(Box::into_raw(Box::new(opened)).cast()) };
            0
        }
        Err(reason) => {
            // SAFETY: not NULL, and the host gives a place for the error, which it releases.
            unsafe { error.write(hand_out(&reason)) };
            1
        }
    }
}

unsafe extern "C" fn step<P: Plugin>(instance: *mut c_void, messages: LtIn) -> LtOut {
    let opened = instance.cast::<Opened<P>>();
    if opened.is_null() {
        return fatal("the host stepped an instance that it never opened".to_owned());
    }
    // SAFETY: `instance` came from `open` and is not closed; `home` never changes, so any thread may read it.
    if unsafe { (&raw const (*opened).home).read() } != thread::current().id() {
        return fatal("an instance must be stepped on the thread that opened it".to_owned());
    }
    // SAFETY: as above, and this is the one thread that uses it, so that no other call on it runs.
    let opened = unsafe { &mut *opened };
    // SAFETY: the host lends `messages` until we return.
    let messages = unsafe { bytes(messages) };
    match guarded(|| read_in(messages).map(|messages| opened.executor.step(messages))) {
        Ok(Ok(answers)) => hand_out(&answers),
        Ok(Err(unreadable)) => fatal(format!("unreadable messages: {unreadable}")),
        Err(panic) => fatal(panic.message),
    }
}

/// On another thread than the one that opened it, an instance is left as it is: what it holds need not be `Send`.
unsafe extern "C" fn close<P: Plugin>(instance: *mut c_void) {
    let opened = instance.cast::<Opened<P>>();
    // SAFETY: as in `step`; NULL is not read.
    if opened.is_null() || unsafe { (&raw const (*opened).home).read() } != thread::current().id() {
        return;
    }
    // SAFETY: `instance` came from `open` and is closed once.
    let opened = unsafe { Box::from_raw(opened) };
    let _ = guarded(|| drop(opened)); // nobody is left who could be told
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

/// What is lent; nothing for NULL.
///
/// # Safety
/// `input` must be valid for its length, or NULL.
unsafe fn bytes<'a>(input: LtIn) -> &'a [u8] {
    if input.ptr.is_null() || input.len == 0 {
        return &[];
    }
    // SAFETY: by the caller.
    unsafe { std::slice::from_raw_parts(input.ptr, input.len) }
}

fn hand_out(value: &impl Serialize) -> LtOut {
    let Ok(mut bytes) = serde_json::to_vec(value) else {
        return LtOut::NONE;
    };
    let out = LtOut { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity() };
    std::mem::forget(bytes); // `release` makes it a Vec again
    out
}

#[cfg(test)]
mod tests {
    //! The table as a host in C would use it: good calls, panics everywhere, and pointers that are not what they should be.

    use super::*;
    use crate::{Account, Cx, NoArguments};
    use expect_test::{Expect, expect};

    /// Opens as its configuration says, and panics when asked to.
    struct Moody {
        close: bool,
    }

    impl Plugin for Moody {
        fn manifest() -> Manifest {
            Manifest { name: "moody".to_owned(), ..Manifest::default() }
        }

        fn open(config: &str) -> Result<Self> {
            match config {
                "panic" => panic!("no mood to open"),
                "refuse" => Err(ProviderError::new(ErrorKind::Invalid, "not today")),
                other => Ok(Self { close: other == "panic in close" }),
            }
        }
    }

    impl Provider for Moody {
        async fn get_account(&self, _: &Cx, _: NoArguments) -> Result<Account> {
            Ok(Account { id: "7".to_owned(), ..Account::default() })
        }

        async fn get_profile(&self, _: &Cx, _: NoArguments) -> Result<crate::Profile> {
            panic!("no mood to answer")
        }
    }

    impl Drop for Moody {
        fn drop(&mut self) {
            assert!(!self.close, "no mood to close");
        }
    }

    /// Panics before it is even opened.
    struct Hopeless;

    impl Plugin for Hopeless {
        fn manifest() -> Manifest {
            panic!("no mood at all")
        }

        fn open(_: &str) -> Result<Self> {
            Ok(Self)
        }
    }

    impl Provider for Hopeless {}

    const MOODY: LtPlugin = table::<Moody>();

    fn lend(text: &str) -> LtIn {
        LtIn { ptr: text.as_ptr(), len: text.len() }
    }

    /// Reads an answer and gives it back; the line of a panic is not ours to fix in a test.
    fn take(out: LtOut) -> String {
        assert!(!out.ptr.is_null(), "no answer");
        // SAFETY: the plugin side has just handed it out.
        let text = String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(out.ptr, out.len) }).into_owned();
        // SAFETY: it is given back once, as it came.
        unsafe { release(out) };
        let at = text.find("src/export.rs:").map_or(text.len(), |place| place + "src/export.rs".len());
        let end = text[at..].find('"').map_or(text.len(), |length| at + length);
        format!("{}{}", &text[..at], &text[end..])
    }

    fn opened(config: &str) -> Result<*mut c_void, String> {
        let (mut instance, mut error) = (std::ptr::null_mut(), LtOut::NONE);
        let open = MOODY.open.expect("a full table");
        // SAFETY: all three live until it returns.
        let code = unsafe { open(lend(config), &raw mut instance, &raw mut error) };
        if code == 0 { Ok(instance) } else { Err(take(error)) }
    }

    fn stepped(instance: *mut c_void, messages: LtIn) -> String {
        let step = MOODY.step.expect("a full table");
        // SAFETY: `instance` is open or NULL, the messages are lent or NULL.
        take(unsafe { step(instance, messages) })
    }

    fn close(instance: *mut c_void) {
        let close = MOODY.close.expect("a full table");
        // SAFETY: `instance` is open or NULL, and not used again.
        unsafe { close(instance) };
    }

    #[test]
    fn the_table_tells_its_size_and_version() {
        assert_eq!((MOODY.abi, MOODY.size as usize), (ABI, size_of::<LtPlugin>()));
    }

    #[test]
    fn a_call_from_end_to_end() {
        let instance = opened("{}").expect("it opens");
        let messages = r#"[{"t":"call","id":1,"op":"account.get","args":{}}]"#;
        expect![[r#"[{"t":"done","id":1,"value":{"id":"7","email":"","company":"","capabilities":[]}}]"#]]
            .assert_eq(&stepped(instance, lend(messages)));
        close(instance);
    }

    #[test]
    fn a_panic_in_one_call_leaves_the_others_alone() {
        let instance = opened("{}").expect("it opens");
        let messages =
            r#"[{"t":"call","id":1,"op":"profile.get","args":{}},{"t":"call","id":2,"op":"account.get","args":{}}]"#;
        expect![[r#"[{"t":"failed","id":1,"error":{"kind":"plugin","message":"the plugin panicked: no mood to answer at plugin-api/src/export.rs"}},{"t":"done","id":2,"value":{"id":"7","email":"","company":"","capabilities":[]}}]"#]].assert_eq(&stepped(instance, lend(messages)));
        close(instance);
    }

    fn check_describe<P: Plugin>(expected: &Expect) {
        // SAFETY: it takes nothing.
        expected.assert_eq(&take(unsafe { describe::<P>() }));
    }

    #[test]
    fn describe_answers_the_manifest_or_why_not() {
        check_describe::<Moody>(&expect![[
            r#"{"name":"moody","version":"","description":"","messages":"","features":[],"operations":[],"capabilities":[],"config":[],"base_urls":[],"rate_classes":[]}"#
        ]]);
        check_describe::<Hopeless>(&expect![[
            r#"{"error":{"kind":"plugin","message":"the plugin panicked: no mood at all at plugin-api/src/export.rs"}}"#
        ]]);
    }

    #[test]
    fn open_tells_why_it_refuses_or_that_it_panicked() {
        expect![[r#"{"kind":"invalid","message":"not today"}"#]].assert_eq(&opened("refuse").expect_err("it refuses"));
        expect![[r#"{"kind":"plugin","message":"the plugin panicked: no mood to open at plugin-api/src/export.rs"}"#]]
            .assert_eq(&opened("panic").expect_err("it panics"));
    }

    #[test]
    fn open_without_places_for_its_answers_refuses() {
        let open = MOODY.open.expect("a full table");
        // SAFETY: NULL is checked.
        assert_eq!(unsafe { open(lend("{}"), std::ptr::null_mut(), std::ptr::null_mut()) }, 1);
    }

    #[test]
    fn a_panic_while_closing_goes_nowhere() {
        close(opened("panic in close").expect("it opens"));
    }

    #[test]
    fn what_is_no_array_of_messages_is_fatal() {
        let instance = opened("{}").expect("it opens");
        let nothing = LtIn { ptr: std::ptr::null(), len: 5 };
        let shown = [lend("{"), lend("[1]"), lend("[{\"t\":7}]"), lend(""), nothing]
            .map(|messages| stepped(instance, messages));
        expect![[r#"
            [{"t":"fatal","message":"unreadable messages: invalid type: map, expected a sequence at line 1 column 0"}]
            [{"t":"fatal","message":"unreadable messages: invalid type: integer `1`, expected struct Wire at line 1 column 2"}]
            [{"t":"fatal","message":"unreadable messages: invalid type: integer `7`, expected a string at line 1 column 7"}]
            [{"t":"fatal","message":"unreadable messages: EOF while parsing a value at line 1 column 0"}]
            [{"t":"fatal","message":"unreadable messages: EOF while parsing a value at line 1 column 0"}]"#]].assert_eq(&shown.join("\n"));
        close(instance);
    }

    #[test]
    fn an_instance_that_was_never_opened() {
        expect![[r#"[{"t":"fatal","message":"the host stepped an instance that it never opened"}]"#]]
            .assert_eq(&stepped(std::ptr::null_mut(), lend("[]")));
        close(std::ptr::null_mut());
    }

    /// A pointer that may go to another thread, as a careless host's would.
    struct Careless(*mut c_void);

    // SAFETY: the other side checks the thread before it touches anything.
    unsafe impl Send for Careless {}

    #[test]
    fn another_thread_is_refused() {
        let instance = opened("{}").expect("it opens");
        let careless = Careless(instance);
        let said = thread::spawn(move || {
            let careless = careless;
            close(careless.0); // does nothing
            stepped(careless.0, lend("[]"))
        });
        expect![[r#"[{"t":"fatal","message":"an instance must be stepped on the thread that opened it"}]"#]]
            .assert_eq(&said.join().expect("no panic"));
        assert_eq!(stepped(instance, lend("[]")), "[]");
        close(instance);
    }
}
