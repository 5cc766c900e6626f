//! What a plugin call costs without HTTP: message in, message out, through the instance's thread. And what an idle plugin costs.
//!
//! `cargo bench -p linodetool --bench plugin_call`; the misbehaving plugin is built with it and echoes.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is there to print, and may stop at anything unexpected

use linodetool::plugin_host::{Dirs, Keeper, Opening, Plugins, Protection};
use linodetool::provider::{Calls, Origin, ProxySettings, Secrets};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};

const ROUNDS: usize = 2_000;

fn main() {
    let runtime = Runtime::new().unwrap();
    let keeper = Arc::new(runtime.block_on(open()));
    let args = to_raw_value(&json!({ "path": "echo", "body": "x".repeat(64) })).unwrap();
    let call = || runtime.block_on(keeper.call("raw", args.clone(), Secrets::none())).map(drop).unwrap();
    for _ in 0..ROUNDS {
        call();
    }
    report("back to back, one caller", &(0..ROUNDS).map(|_| timed(call)).collect::<Vec<_>>());
    let first = || {
        std::thread::sleep(Duration::from_millis(2)); // longer than the thread lingers
        timed(call)
    };
    report("the first after a pause", &(0..ROUNDS / 10).map(|_| first()).collect::<Vec<_>>());
    let began = Instant::now();
    runtime.block_on(many(&keeper, &args));
    println!("{:<32} {:>8.1} us a call", "1,000 at once", began.elapsed().as_secs_f64() * 1e6 / 1000.0);
    let (before, began) = (cpu_ticks(), Instant::now());
    std::thread::sleep(Duration::from_secs(3));
    let ticks = cpu_ticks() - before;
    println!("{:<32} {ticks:>8} ticks of 10 ms in {:.1} s", "idle", began.elapsed().as_secs_f64());
}

async fn open() -> Keeper {
    let exe = std::env::current_exe().unwrap();
    let plugins = Plugins::new(
        Dirs { exe: exe.clone(), user: Path::new("/nonexistent").to_owned() },
        Handle::current(),
        ProxySettings::default(),
    );
    let library = format!("{}misbehaving{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let origin = Origin { base_url: "http://127.0.0.1:9/".parse().ok(), credential: None };
    let protection = Protection::LikeExecutable(exe.clone());
    let opening = Opening { origin, ..Opening::default() };
    plugins.open_file(&exe.with_file_name(library), &protection, opening).await.unwrap()
}

async fn many(keeper: &Arc<Keeper>, args: &RawValue) {
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let (keeper, args) = (keeper.clone(), args.to_owned());
            tokio::spawn(async move { keeper.call("raw", args, Secrets::none()).await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e6
}

fn report(what: &str, times: &[f64]) {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!("{what:<32} {:>8.1} us median, {:.1} best, {:.1} of 9 in 10", at(0.5), at(0.0), at(0.9));
}

/// User and system time of this process.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
