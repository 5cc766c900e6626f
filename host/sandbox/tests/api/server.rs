//! The sandbox as a server: HTTP, its folder, its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use expect_test::expect;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::machines::{HowEnded, MachineExit, Machines};
use linodetool_sandbox::wire::{Request, TIME};
use linodetool_sandbox::world::Timing;
use linodetool_sandbox::{ServeOptions, client, spawn};
use serde_json::Value;

use crate::support::Pretended;

fn options(dir: &Path) -> ServeOptions {
    ServeOptions { state: Some(dir.to_owned()), limits: LimitMode::Off, ..ServeOptions::default() }
}

fn call(url: &str, token: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let address = url.trim_start_matches("http://").trim_end_matches("/v4");
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /v4{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// Asks until it is so; what never is so fails the test.
fn until(mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came to be");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_linode_lives_and_dies_over_http() {
    let dir = tempfile::tempdir().unwrap();
    let machines = Pretended::new();
    let handle = spawn(options(dir.path()), machines.clone() as Arc<dyn Machines>).unwrap();
    let ask = |method: &str, path: &str, body: &str| call(&handle.url, &handle.token, method, path, body);
    let (status, made) = ask(
        "POST",
        "/linode/instances",
        r#"{"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","root_pass":"Str0ng-enough"}"#,
    );
    assert_eq!((status, made["status"].as_str()), (200, Some("provisioning")));
    let id = made["id"].as_u64().unwrap();
    let path = format!("/linode/instances/{id}");
    let is = |wanted: &str| ask("GET", &path, "").1["status"] == wanted;
    until(|| is("running"));
    // An operation may meet the end of the boot: then it is to be tried again.
    until(|| ask("POST", &format!("{path}/shutdown"), "").0 == 200);
    until(|| is("offline"));
    assert_eq!(ask("POST", &format!("{path}/boot"), "{}").0, 200);
    until(|| is("running"));
    machines.exit.send(MachineExit { id, life: machines.life(0), how: HowEnded::PoweredOff }).unwrap();
    until(|| is("offline"));
    assert_eq!(ask("DELETE", &path, ""), (200, serde_json::json!({})));
    assert_eq!(ask("GET", &path, "").0, 404);
    assert_eq!(ask("GET", "/profile/grants", "").0, 204);
    until(|| machines.told().contains("delete"));
    handle.stop().unwrap();
}

#[test]
fn the_folder_tells_who_runs_and_is_clean_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("sandbox");
    assert_eq!(client::status(&state), None);
    let machines = Pretended::new();
    let handle = spawn(options(&state), machines.clone() as Arc<dyn Machines>).unwrap();
    let running = client::status(&state).expect("it runs");
    assert_eq!((running.v4.as_str(), running.pid), (handle.url.as_str(), std::process::id()));
    let mode = |name: &str| state.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        [mode("."), mode("token"), mode("sandbox.json"), mode("ledger.jsonl"), mode("lock")],
        [0o700, 0o600, 0o600, 0o600, 0o600]
    );
    assert_eq!(std::fs::read_to_string(&running.token_file).unwrap(), handle.token);
    assert_eq!(client::details(&running).unwrap()["linodes"]["total"], 0);
    // Its token goes to nobody else, and no other file to it.
    let told = std::fs::read_to_string(state.join("sandbox.json")).unwrap();
    let lie = |text: String| std::fs::write(state.join("sandbox.json"), text).unwrap();
    lie(told.replace("/token\"", "/ledger.jsonl\""));
    assert_eq!(client::status(&state).unwrap().token_file, state.join("token"));
    lie(told.replace("127.0.0.1", "192.0.2.7"));
    assert_eq!(client::status(&state), None);
    let refused = client::stop(&state).unwrap_err().to_string();
    let refused = refused.replace(&running.v4.replace("127.0.0.1", "192.0.2.7"), "URL");
    expect!["the sandbox's address URL is not on this computer, and its token goes nowhere else: its sandbox.json is damaged; stop process PID by hand"].assert_eq(&refused.replace(&running.pid.to_string(), "PID"));
    lie(told);
    let refused = spawn(options(&state), Pretended::new() as Arc<dyn Machines>).err().expect("one is enough");
    let text = refused.to_string().replace(&state.display().to_string(), "DIR");
    expect!["a sandbox already runs in DIR (process PID): stop it with `linodetool sandbox stop`, or choose another folder with --state"].assert_eq(&text.replace(&std::process::id().to_string(), "PID"));

    let create = r#"{"region":"us-east","type":"g6-nanode-1","label":"left"}"#;
    assert_eq!(call(&handle.url, &handle.token, "POST", "/linode/instances", create).0, 200);
    let url = handle.url.clone();
    assert!(client::stop(&state).unwrap());
    assert!(!client::stop(&state).unwrap(), "none runs any more");
    assert_eq!(client::status(&state), None);
    assert_eq!(machines.told(), "power_off 1001\ndelete 1001");
    assert!(!state.join("sandbox.json").exists() && !state.join("token").exists());
    assert!(TcpStream::connect(url.trim_start_matches("http://").trim_end_matches("/v4")).is_err());
    drop(handle);

    let again = spawn(options(&state), Pretended::new() as Arc<dyn Machines>).unwrap();
    let made = call(&again.url, &again.token, "POST", "/linode/instances", create).1;
    assert_eq!(made["id"], 1002, "no id is used twice");
    let told: Vec<_> = again.sandbox().ledger().iter().map(|entry| format!("{:?} {}", entry.what, entry.id)).collect();
    assert_eq!(told, ["Created 1001", "Died 1001", "Created 1002"]);
}

/// A boot takes half a minute of the clients' time, and no time of theirs passes by itself.
#[test]
fn a_server_in_virtual_time_has_the_time_of_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let options = ServeOptions { virtual_time: true, timing: Timing::real(), ..options(dir.path()) };
    let handle = spawn(options, Arc::new(Simulated::new())).unwrap();
    assert!(client::status(dir.path()).unwrap().virtual_time);
    let began = client::details(&client::status(dir.path()).unwrap()).unwrap()["now_ms"].as_u64().unwrap();
    let ask = |method: &str, path: &str, body: &str, later: u64| {
        let headers = [("authorization", format!("Bearer {}", handle.token)), (TIME, (began + later).to_string())];
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        };
        handle.sandbox().handle(&request).body.unwrap()
    };
    let wanted = r#"{"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","root_pass":"Str0ng-enough"}"#;
    let id = ask("POST", "/v4/linode/instances", wanted, 0)["id"].as_u64().unwrap();
    let path = format!("/v4/linode/instances/{id}");
    let status = |later| ask("GET", &path, "", later)["status"].as_str().unwrap().to_owned();
    assert_eq!(status(1_000), "provisioning");
    // What happens happens when somebody looks.
    assert_eq!(
        (status(70_000), status(71_000), status(120_000)),
        ("booting".into(), "booting".into(), "running".into())
    );
    assert_eq!(status(2_000), "running", "it never goes back");
}

#[test]
fn what_cannot_be_served_is_said() {
    let refuse =
        |options: ServeOptions| spawn(options, Pretended::new() as Arc<dyn Machines>).err().unwrap().to_string();
    let listen = |text: &str| ServeOptions { listen: text.parse().unwrap(), ..ServeOptions::default() };
    expect!["the sandbox listens on this computer only, and 0.0.0.0:0 is no loopback address: use 127.0.0.1:PORT, and a tunnel to reach it from elsewhere"].assert_eq(&refuse(listen("0.0.0.0:0")));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    expect!["cannot listen on 127.0.0.1:PORT: Address already in use (os error 98); another program may use this port: choose another with --listen, or port 0 for any"].assert_eq(&refuse(listen(&format!("127.0.0.1:{port}"))).replace(&port, "PORT"));
    expect!["--time-scale must be above 0 and at most 1000000, not 0"]
        .assert_eq(&refuse(ServeOptions { time_scale: 0.0, ..ServeOptions::default() }));
    assert!(refuse(ServeOptions { time_scale: f64::NAN, ..ServeOptions::default() }).contains("NaN"));
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    expect!["the sandbox's folder DIR can be changed by other users: `chmod go-w DIR`, or choose another with --state"]
        .assert_eq(&refuse(options(dir.path())).replace(&dir.path().display().to_string(), "DIR"));
}

#[test]
fn an_answer_has_its_headers() {
    let handle = spawn(ServeOptions::default(), Pretended::new() as Arc<dyn Machines>).unwrap();
    let address = handle.url.trim_start_matches("http://").trim_end_matches("/v4");
    let mut stream = TcpStream::connect(address).unwrap();
    let (token, filter) = (&handle.token, r#"{"label":"nöne"}"#);
    write!(
        stream,
        "GET /v4beta/linode/instances?page_size=25 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         X-Filter: {filter}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let steady = |line: &&str| !line.starts_with("x-ratelimit-reset") && !line.starts_with("date");
    let told: Vec<&str> = answer.split("\r\n").filter(steady).collect();
    expect![[r#"
        HTTP/1.1 200 OK
        content-type: application/json
        x-ratelimit-limit: 200
        x-ratelimit-remaining: 199
        retry-after: 60
        x-accepted-oauth-scopes: linodes:read_only
        x-oauth-scopes: *
        content-length: 42
        connection: close

        {"data":[],"page":1,"pages":1,"results":0}"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_is_sent() {
    let handle = spawn(ServeOptions::default(), Pretended::new() as Arc<dyn Machines>).unwrap();
    let mut stream = TcpStream::connect(handle.url.trim_start_matches("http://").trim_end_matches("/v4")).unwrap();
    write!(
        stream,
        "POST /v4/linode/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer.lines().next(), Some("HTTP/1.1 413 Payload Too Large"));
}

/// For trying real clients by hand: `cargo test -p linodetool-sandbox --test api by_hand -- --ignored --nocapture`
/// with SANDBOX_STATE set; ends with SIGINT or `POST /sandbox/stop`.
#[test]
#[ignore = "serves until it is stopped"]
fn by_hand() {
    let state = std::env::var_os("SANDBOX_STATE").expect("SANDBOX_STATE");
    let options = ServeOptions { state: Some(state.into()), ..ServeOptions::default() };
    linodetool_sandbox::serve(options, Pretended::new() as Arc<dyn Machines>, |_| {}).unwrap();
}
