//! The desk before a small server that says what it was sent.

use super::*;
use crate::core::Clock;
use crate::core::{Event, Secret};
use crate::provider::time::testing::JumpingTime;
use crate::provider::{BoxFuture, GovernorSettings, HttpClients, ProxySettings, RealTime};
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use expect_test::expect;
use linodetool_plugin::RateClass;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Says what it was sent; `/v4/STATUS/N` answers so for the first N times; `/v4/drop` hangs up.
async fn server() -> Url {
    let asked = Arc::new(AtomicU32::new(0));
    let app = Router::new().fallback(move |request: Request| answer(request, asked.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/v4").parse().unwrap()
}

async fn answer(request: Request, asked: Arc<AtomicU32>) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    let parameters: Vec<_> = path.split('/').skip(2).collect();
    if let [status, times] = parameters[..]
        && let Ok(status) = status.parse::<u16>()
    {
        if asked.fetch_add(1, Ordering::SeqCst) < times.parse().unwrap() {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            return (status, [("retry-after", "0"), ("location", "/v4/elsewhere")], "no").into_response();
        }
        return "yes at last".into_response();
    }
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let echo = json!({
        "request": format!("{} {}", parts.method, parts.uri),
        "authorization": header("authorization"), "x-key": header("x-key"),
        "content-type": header("content-type"), "body": String::from_utf8_lossy(&body),
    });
    ([("x-echo", header("authorization").unwrap_or_default())], axum::Json(echo)).into_response()
}

struct Seen(Mutex<Vec<String>>);

impl Recorder for Seen {
    fn record(&self, exchange: &Exchange<'_>) {
        let Exchange { method, try_number, answer, .. } = exchange;
        let answer = match answer {
            Ok((status, ..)) => status.to_string(),
            Err(why) => (*why).to_owned(),
        };
        let body = serde_json::to_string(exchange.request).unwrap();
        self.0.lock().unwrap().push(format!("{try_number}. {method} {body} -> {answer}"));
    }
}

struct Desk {
    desk: HttpDesk,
    base: Url,
    notes: Arc<Mutex<Vec<String>>>,
    seen: Arc<Seen>,
}

async fn desk() -> Desk {
    desk_with(server().await, |_| ())
}

fn desk_with(base: Url, change: impl FnOnce(&mut HttpParts)) -> Desk {
    let (notes, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Seen(Mutex::default())));
    let events = Events::new({
        let notes = notes.clone();
        move |event| {
            if let Event::Note { text } = event {
                notes.lock().unwrap().push(text);
            }
        }
    });
    let retry = RetryPolicy { base: Duration::ZERO, tries: 3, ..RetryPolicy::default() };
    let mut parts = HttpParts {
        transport: Arc::new(HttpClients::new(ProxySettings::default()).unwrap()),
        plugin: "test".into(),
        allowed: vec![base.clone()],
        credential: Some(Credential { origin: base.clone(), token: Secret::new("t0ken/with+signs".into()) }),
        governor: Governor::unlimited(Arc::new(RealTime)),
        retry,
        time: Arc::new(RealTime),
        events,
        recorder: Some(seen.clone()),
    };
    change(&mut parts);
    Desk { desk: HttpDesk::new(parts), base, notes, seen }
}

impl Desk {
    /// The answer as the plugin would read it, without the server's port.
    async fn ask(&self, request: HttpOut) -> String {
        self.ask_with(request, &Secrets::none()).await
    }

    async fn ask_with(&self, request: HttpOut, secrets: &Secrets) -> String {
        let said = match self.desk.perform(request, secrets).await {
            In::Http { status, body, .. } => format!("{status} {}", serde_json::to_string(&body).unwrap()),
            In::HttpFailed { kind, message, .. } => format!("{kind}: {message}"),
            _ => "something else".into(),
        };
        self.clean(&said)
    }

    fn clean(&self, text: &str) -> String {
        text.replace(&format!(":{}", self.base.port().unwrap()), "")
    }

    fn request(&self, method: &str, path: &str, auth: Option<Auth>, body: Body) -> HttpOut {
        HttpOut {
            io: 1,
            call: 1,
            state: None,
            method: method.into(),
            url: format!("{}{path}", self.base),
            auth,
            headers: Headers::new(),
            body,
            class: String::new(),
            safe_to_repeat: method == "GET",
        }
    }
}

fn json_body(text: &str) -> Body {
    Body { json: serde_json::value::RawValue::from_string(text.into()).ok(), ..Body::default() }
}

fn form(fields: &[(&str, &str)]) -> Body {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Body { form: Some(fields), ..Body::default() }
}

#[tokio::test]
async fn the_token_goes_to_its_place_and_is_not_seen_again() {
    let desk = desk().await;
    let mut said = Vec::new();
    for auth in [
        None,
        Some(Auth::Bearer),
        Some(Auth::Basic),
        Some(Auth::Header("X-Key".into())),
        Some(Auth::Query("api_key".into())),
        Some(Auth::Form("api_key".into())),
        Some(Auth::Unknown),
    ] {
        said.push(desk.ask(desk.request("POST", "/x?a=1", auth, Body::default())).await);
    }
    expect![[r#"
        200 {"json":{"authorization":null,"body":"","content-type":null,"request":"POST /v4/x?a=1","x-key":null}}
        200 {"json":{"authorization":"Bearer ***","body":"","content-type":null,"request":"POST /v4/x?a=1","x-key":null}}
        200 {"json":{"authorization":"Basic On***M=","body":"","content-type":null,"request":"POST /v4/x?a=1","x-key":null}}
        200 {"json":{"authorization":null,"body":"","content-type":null,"request":"POST /v4/x?a=1","x-key":"***"}}
        200 {"json":{"authorization":null,"body":"","content-type":null,"request":"POST /v4/x?a=1&api_key=***","x-key":null}}
        200 {"json":{"authorization":null,"body":"api_key=***","content-type":"application/x-www-form-urlencoded","request":"POST /v4/x?a=1","x-key":null}}
        refused: it wants its credential at a place that this version does not know; update linodetool"#]]
    .assert_eq(&said.join("\n"));
    let In::Http { headers, .. } =
        desk.desk.perform(desk.request("GET", "/x", Some(Auth::Bearer), Body::default()), &Secrets::none()).await
    else {
        panic!("it answers");
    };
    assert_eq!(headers["x-echo"], "Bearer ***");
}

#[tokio::test]
async fn secrets_are_filled_in_and_redacted_wherever_they_come_back() {
    let desk = desk().await;
    let secrets: Secrets = [("pw", "hunter 22&"), ("ud", "#cloud-config\nkey: very-secret-line-of-this\n")]
        .map(|(id, value)| (id.to_owned(), Secret::new(value.to_owned())))
        .into_iter()
        .collect();
    let bodies = [
        json_body(r#"{"root_pass":{"secret":"pw"},"metadata":{"user_data":{"secret":"ud","as":"base64"}}}"#),
        form(&[("rootPass", r#"{"secret":"pw"}"#), ("label", "a b")]),
        json_body(r#"{"root_pass":{"secret":"unknown"}}"#),
    ];
    let mut said = Vec::new();
    for body in bodies {
        said.push(desk.ask_with(desk.request("POST", "/x", None, body), &secrets).await);
    }
    expect![[r#"
        200 {"json":{"authorization":null,"body":"{\"metadata\":{\"user_data\":\"***\"},\"root_pass\":\"***\"}","content-type":"application/json","request":"POST /v4/x","x-key":null}}
        200 {"json":{"authorization":null,"body":"label=a+b&rootPass=***","content-type":"application/x-www-form-urlencoded","request":"POST /v4/x","x-key":null}}
        refused: the request names secret `unknown`, which did not come with its call; pass it beside the arguments"#]]
    .assert_eq(&said.join("\n"));
    // What is recorded never held them.
    expect![[r#"
        1. POST {"json":{"root_pass":{"secret":"pw"},"metadata":{"user_data":{"secret":"ud","as":"base64"}}}} -> 200
        1. POST {"form":{"label":"a b","rootPass":"{\"secret\":\"pw\"}"}} -> 200"#]]
    .assert_eq(&desk.seen.0.lock().unwrap().join("\n"));
}

#[tokio::test]
async fn what_a_plugin_may_not_ask_is_refused() {
    let desk = desk().await;
    let mut said = Vec::new();
    for url in ["http://127.0.0.1/v4", "https://evil.example/v4", "file:///etc/passwd", "nonsense"] {
        said.push(desk.ask(HttpOut { url: url.into(), ..desk.request("GET", "", None, Body::default()) }).await);
    }
    let mut request = desk.request("GET", "/x", None, Body::default());
    request.headers.insert("Host".into(), "evil.example".into());
    said.push(desk.ask(request).await);
    let mut request = desk.request("GET", "/x", None, Body::default());
    request.headers.insert("x-a".into(), "b\r\nauthorization: c".into());
    said.push(desk.ask(request).await);
    said.push(desk.ask(desk.request("GET", "/302/9", None, Body::default())).await);
    said.push(desk.ask(desk.request("POST", "/x", Some(Auth::Form("k".into())), json_body("{}"))).await);
    expect![[r#"
        refused: plugin test may not reach http://127.0.0.1/v4: it is opened for http://127.0.0.1/v4
        refused: plugin test may not reach https://evil.example/v4: it is opened for http://127.0.0.1/v4
        refused: plugin test may not reach file:///etc/passwd: it is opened for http://127.0.0.1/v4
        refused: nonsense: relative URL without a base
        refused: plugin test may not set the header `Host`
        refused: the header `x-a` holds characters that no header may carry
        302 {"text":"no"}
        refused: a credential in a form needs a request with a form"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn passing_troubles_are_tried_again_where_that_is_safe_and_told() {
    let desk = desk().await;
    let read = desk.ask(desk.request("GET", "/503/2", None, Body::default())).await;
    expect![[r#"200 {"text":"yes at last"}"#]].assert_eq(&read);
    let notes: Vec<_> = desk.notes.lock().unwrap().iter().map(|note| desk.clean(note)).collect();
    expect![[r#"
        GET /v4/503/2: the provider is unavailable (503); try 2 in 0.1 s
        GET /v4/503/2: the provider is unavailable (503); try 3 in 0.1 s"#]]
    .assert_eq(&notes.join("\n"));

    let desk = self::desk().await;
    let write = desk.ask(desk.request("POST", "/503/1", None, Body::default())).await;
    let limited = self::desk().await;
    let limited = limited.ask(limited.request("POST", "/429/1", None, Body::default())).await;
    let for_ever = self::desk().await;
    let for_ever = for_ever.ask(for_ever.request("GET", "/429/99", None, Body::default())).await;
    expect![[r#"
        503 {"text":"no"}
        200 {"text":"yes at last"}
        429 {"text":"no"}"#]]
    .assert_eq(&[write, limited, for_ever].join("\n"));
}

#[tokio::test]
async fn nobody_there_is_said_without_the_url() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base: Url = format!("http://{}/v4", nobody.local_addr().unwrap()).parse().unwrap();
    drop(nobody);
    let desk = desk_with(base, |_| ());
    let said = desk.ask(desk.request("POST", "/x", Some(Auth::Query("api_key".into())), Body::default())).await;
    assert!(said.starts_with("network: error sending request") && !said.contains("t0ken"), "{said}");
    assert_eq!(desk.notes.lock().unwrap().len(), 2, "nothing was sent, so it is tried again");
}

#[tokio::test]
async fn a_proxy_that_is_none_is_said() {
    let base: Url = "https://api.example/v4".parse().unwrap();
    let proxy = ProxySettings { https: Some("http://[nonsense".into()), except: None };
    let desk = desk_with(base, |parts| parts.transport = Arc::new(HttpClients::new(proxy).unwrap()));
    let In::HttpFailed { kind, message, .. } =
        desk.desk.perform(desk.request("GET", "/x", None, Body::default()), &Secrets::none()).await
    else {
        panic!("it fails");
    };
    expect!["network: https cannot be used on this computer: builder error: builder error: invalid IPv6 address"]
        .assert_eq(&format!("{kind}: {message}"));
}

#[tokio::test]
async fn requests_are_counted_by_their_class() {
    let classes = [RateClass { name: "create".into(), calls: 2, per_seconds: 3600 }];
    let settings = GovernorSettings { folder: None, events: Events::none(), time: Arc::new(RealTime), on_holdup: None };
    let governor = Governor::new(settings, "t", &classes);
    let desk = desk_with(server().await, |parts| parts.governor = governor);
    let create = || HttpOut { class: "create".into(), ..desk.request("POST", "/x", None, Body::default()) };
    for _ in 0..2 {
        assert!(desk.ask(create()).await.starts_with("200"));
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), desk.ask(create())).await.is_err());
    assert!(desk.ask(desk.request("GET", "/x", None, Body::default())).await.starts_with("200"));
}

/// Answers in turn, without a network; notes when it was asked.
struct Scripted {
    time: JumpingTime,
    answers: Mutex<Vec<Result<Answer, NoAnswer>>>,
    log: Mutex<Vec<String>>,
}

impl Transport for Scripted {
    fn send(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        let (seconds, path) = ((self.time.now_ms() - 1_000_000) / 1000, request.url().path().to_owned());
        self.log.lock().unwrap().push(format!("{seconds} s {} {path}", request.method()));
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Err(NoAnswer::Lost("no more".into())));
        Box::pin(std::future::ready(answer))
    }
}

fn answered(status: u16, headers: &[(&str, &str)]) -> Result<Answer, NoAnswer> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Answer { status, headers, bytes: b"{}".to_vec() })
}

/// Runs requests of class `create`, two of which may start in 15 s, before scripted answers, in jumping time.
fn scripted(method: &str, count: usize, mut answers: Vec<Result<Answer, NoAnswer>>) -> String {
    let time = JumpingTime::default();
    answers.reverse();
    let transport = Arc::new(Scripted { time: time.clone(), answers: Mutex::new(answers), log: Mutex::default() });
    let said = time.clone().run(async {
        let desk = desk_with("https://api.example:8443/v4".parse().unwrap(), |parts| {
            let time: Arc<dyn Time> = Arc::new(time.clone());
            let classes = [RateClass { name: "create".into(), calls: 2, per_seconds: 15 }];
            let settings =
                GovernorSettings { folder: None, events: Events::none(), time: time.clone(), on_holdup: None };
            parts.governor = Governor::new(settings, "t", &classes);
            parts.time = time;
            parts.transport = transport.clone();
        });
        let mut said = Vec::new();
        for _ in 0..count {
            let request = HttpOut { class: "create".into(), ..desk.request(method, "/x", None, Body::default()) };
            said.push(desk.ask(request).await);
        }
        said
    });
    let log = transport.log.lock().unwrap().join("\n");
    format!("{log}\n{}", said.join("\n"))
}

#[test]
fn the_providers_word_is_kept() {
    expect![[r#"
        0 s POST /v4/x
        40 s POST /v4/x
        40 s POST /v4/x
        55 s POST /v4/x
        200 {"json":{}}
        200 {"json":{}}
        200 {"json":{}}"#]]
    .assert_eq(&scripted(
        "POST",
        3,
        vec![answered(429, &[("retry-after", "40")]), answered(200, &[]), answered(200, &[]), answered(200, &[])],
    ));
}

#[test]
fn a_lost_answer_of_a_write_is_not_asked_for_again() {
    let lost = || Err(NoAnswer::Lost("connection reset".into()));
    let late = || Err(NoAnswer::TimedOut("operation timed out".into()));
    let said = [
        scripted("POST", 1, vec![lost()]),
        scripted("POST", 1, vec![late()]),
        scripted("GET", 1, vec![lost(), late(), answered(200, &[])]),
        scripted("GET", 1, vec![Err(NoAnswer::Distrusted("invalid peer certificate".into()))]),
    ];
    expect![[r#"
        0 s POST /v4/x
        network: connection reset
        0 s POST /v4/x
        timeout: operation timed out
        0 s GET /v4/x
        0 s GET /v4/x
        15 s GET /v4/x
        200 {"json":{}}
        0 s GET /v4/x
        network: invalid peer certificate"#]]
    .assert_eq(&said.join("\n"));
}
