//! A plugin that does wrong what can be done wrong; what, the path of the raw operation says, or the key `mode` of its configuration.
//!
//! Its table is written by hand around the good one, so that it can also break the border itself. What no Rust plugin can do,
//! a table that is NULL or too small, is in `wrong.c`.
#![allow(unsafe_code)]

use linodetool_plugin::abi::{LtIn, LtOut, LtPlugin};
use linodetool_plugin::export::{Plugin, table};
use linodetool_plugin::{
    Auth, ById, Cx, Instance, ListInstances, Manifest, NoArguments, Page, Provider, ProviderError, Raw, Region,
    Request, Result, join_all,
};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::ffi::c_void;
use std::time::Duration;

struct Bad {
    mode: String,
    base_url: String,
}

impl Plugin for Bad {
    fn manifest() -> Manifest {
        // The manifest cannot be configured; tests of this run in a process of their own.
        match std::env::var("MISBEHAVING_DESCRIBE").as_deref() {
            Ok("panic") => panic!("describe says no"),
            Ok("name") => Manifest { name: "../evil".into(), messages: "1.0".into(), ..Manifest::default() },
            _ => Manifest {
                name: "misbehaving".into(),
                version: "0.1.0".into(),
                messages: "1.9".into(),
                features: vec!["something of tomorrow".into()],
                operations: ["raw", "instances.get", "instances.list", "regions.list"].map(String::from).into(),
                base_urls: vec!["https://api.misbehaving.example/v1".into()],
                ..Manifest::default()
            },
        }
    }

    fn open(config: &str) -> Result<Self> {
        let config: Value = serde_json::from_str(config)?;
        let text = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
        match text("mode").as_str() {
            "panic in open" => panic!("open says no"),
            "error in open" => Err(ProviderError::plugin("open failed politely")),
            "block in open" => {
                std::thread::sleep(Duration::from_secs(3));
                Err(ProviderError::plugin("too late"))
            }
            _ => Ok(Self { mode: text("mode"), base_url: text("base_url") }),
        }
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        assert!(self.mode != "panic in close", "close says no");
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("dropping says no");
    }
}

impl Provider for Bad {
    async fn get_instance(&self, _: &Cx, args: ById) -> Result<Instance> {
        Ok(Instance { id: args.id, ..Instance::default() })
    }

    /// Asks for the user's token wherever its manifest leads.
    async fn list_regions(&self, cx: &Cx, _: NoArguments) -> Result<Page<Region>> {
        cx.http(Request::get(format!("{}/regions", self.base_url)).auth(Auth::Bearer)).await?;
        Ok(Page::whole(Vec::new()))
    }

    async fn list_instances(&self, _: &Cx, _: ListInstances) -> Result<Page<Instance>> {
        Err(ProviderError::plugin("no list today"))
    }

    async fn raw(&self, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
        match args.path.as_str() {
            "panic" => panic!("the call says no"),
            "panic later" => {
                cx.sleep_ms(20).await;
                panic!("the call says no, later")
            }
            "never" => std::future::pending::<()>().await,
            "never, then panic" => {
                let _on_cancel = PanicsWhenDropped;
                std::future::pending::<()>().await;
            }
            "block" => std::thread::sleep(Duration::from_millis(1500)),
            "sleep" => cx.sleep_ms(50).await,
            "spin" => {
                std::future::poll_fn::<(), _>(|context| {
                    context.waker().wake_by_ref();
                    std::task::Poll::Pending
                })
                .await;
            }
            "foreign URL" => drop(cx.http(Request::get("https://api.misbehaving.example.evil/v1")).await?),
            "greedy" => drop(join_all((0..100).map(|_| cx.sleep_ms(60_000))).await),
            "echo" => return Ok(args.body.unwrap_or_else(|| RawValue::NULL.to_owned())),
            "get" => {
                let answer = cx.http(Request::get(format!("{}/get", self.base_url)).auth(Auth::Bearer)).await?;
                return answer.json();
            }
            "post" => {
                let request = Request::post(format!("{}/post", self.base_url)).auth(Auth::Bearer);
                return cx.http(request.json(&args.body)?).await?.json();
            }
            other => return Err(ProviderError::unsupported(other)),
        }
        Ok(to_raw_value("ok")?)
    }
}

// SAFETY: the name belongs to this contract.
#[unsafe(no_mangle)]
extern "C" fn linodetool_plugin() -> *const LtPlugin {
    static TABLE: LtPlugin = LtPlugin { step: Some(bad_step), ..table::<Bad>() };
    &TABLE
}

/// Broken answers for the paths named so; the good step for all else.
unsafe extern "C" fn bad_step(instance: *mut c_void, messages: LtIn) -> LtOut {
    // SAFETY: lent by the host.
    let bytes = unsafe { std::slice::from_raw_parts(messages.ptr, messages.len) };
    let messages_in: Vec<Value> = serde_json::from_slice(bytes).unwrap_or_default();
    for message in &messages_in {
        if let Some(answer) = message["args"]["path"].as_str().and_then(|path| broken(path, &message["id"])) {
            return answer;
        }
    }
    // SAFETY: the good step, with what the host gave.
    unsafe { (table::<Bad>().step.expect("the table is full"))(instance, messages) }
}

fn broken(path: &str, id: &Value) -> Option<LtOut> {
    let done = json!({ "t": "done", "id": id, "value": 1 }).to_string();
    Some(hand_out(match path {
        "malformed" => br#"[{"t":"done",]"#.to_vec(),
        "truncated" => br#"[{"t":"done","id":1,"val"#.to_vec(),
        "not UTF-8" => b"[{\"t\":\"\xff\xfe\"}]".to_vec(),
        "not a list" => done.into_bytes(),
        "huge" => vec![b' '; 64 << 20],
        "nothing" => return Some(LtOut::NONE),
        "fatal" => br#"[{"t":"fatal","message":"I give up"}]"#.to_vec(),
        "strangers" => br#"[{"t":"done","id":999999,"value":1},{"t":"http","io":1,"call":999999,"method":"GET","url":"x"},{"t":"novelty","x":1}]"#.to_vec(),
        "twice" => format!("[{done},{done}]").into_bytes(),
        _ => return None,
    }))
}

/// The good side's `release` takes it back.
fn hand_out(mut bytes: Vec<u8>) -> LtOut {
    let out = LtOut { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity() };
    std::mem::forget(bytes);
    out
}
