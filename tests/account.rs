//! The binary as it meets a real account: https, certificates, tokens and what they allow, plugins of others.
//!
//! A proxy of the test's own stands for the internet: whatever host is asked for, it answers with a certificate of the
//! test's and leads to an emulator in this process. Without `openssl`, which makes the certificates, the tests are ignored
//! with the reason, or fail if LINODETOOL_REQUIRE_ALL is set.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "account/outside.rs"]
mod outside;
#[path = "support/mod.rs"]
mod support;
#[path = "support/web.rs"]
mod web;

use libtest_mimic::Failed;
use linodetool_sandbox::faults::Spec;
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::server::{Handle, ServeOptions, spawn};
use outside::{Authority, Outside};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use support::{Home, is};

const TESTS: &[support::Test] = &[
    ("https_is_for_who_has_the_right_certificate", https_is_for_who_has_the_right_certificate),
    ("a_wrong_token_is_told_and_nothing_is_made", a_wrong_token_is_told_and_nothing_is_made),
    ("a_token_that_may_not_is_told_and_nothing_is_made", a_token_that_may_not_is_told_and_nothing_is_made),
    ("a_foreign_plugin_gets_no_token", a_foreign_plugin_gets_no_token),
    ("a_run_does_not_go_on_in_another_account", a_run_does_not_go_on_in_another_account),
    ("a_run_is_asked_about_with_its_rehearsal", a_run_is_asked_about_with_its_rehearsal),
];

const WITH_MACHINES: &[support::Test] = &[("hadoop_comes_from_apache", hadoop_comes_from_apache)];

fn main() -> ExitCode {
    support::trials::main(|| {
        let mut trials = support::trials_of(TESTS, support::no_program(&["openssl"]).as_deref());
        trials.extend(support::trials_of(WITH_MACHINES, support::no_machines(&["openssl"]).as_deref()));
        trials
    })
}

/// An account, the way to it, and who vouches for it.
struct Account {
    cloud: Handle,
    authority: Authority,
    outside: Outside,
}

impl Account {
    fn new(home: &Home) -> Self {
        let authority = Authority::new(home.path(), "authority");
        let cloud = spawn(ServeOptions::default(), Arc::new(Simulated::new())).unwrap();
        let certificate = authority.certificate("api.linode.com,api.misbehaving.example");
        let outside = Outside::open(&certificate, outside::address(&cloud.url));
        Self { cloud, authority, outside }
    }

    /// The binary on its way to this account, with a token of the user's.
    fn command(&self, home: &Home, token: &str, arguments: &[&str]) -> Command {
        let mut command = home.command(arguments);
        command
            .env("https_proxy", &self.outside.proxy)
            .env("SSL_CERT_FILE", &self.authority.file)
            .env("LINODE_TOKEN", token);
        command
    }

    fn made(&self) -> Vec<String> {
        self.cloud.sandbox().ledger().into_iter().map(|entry| format!("{} {}", entry.kind, entry.label)).collect()
    }
}

/// Exit code, kind, message and hint of a command that failed.
fn told(output: &Output) -> Result<Value, Failed> {
    let document: Value = serde_json::from_slice(&output.stdout)?;
    let error = &document["error"];
    // How the run goes on names the run, which is another each time.
    let hint = error["hint"].as_str().map(|hint| hint.split("; once the cause is mended").next());
    Ok(json!([output.status.code(), error["kind"], error["message"], hint]))
}

fn https_is_for_who_has_the_right_certificate(home: &Home) -> Result<(), Failed> {
    let account = Account::new(home);
    let token = account.cloud.token.clone();
    let regions = ["--json", "regions"];
    let output = account.command(home, &token, &regions).output()?;
    is("it answers", output.status.code(), 0)?;
    is("regions", serde_json::from_slice::<Value>(&output.stdout)?.as_array().is_some_and(|all| all.len() > 3), true)?;
    is("asked for", account.outside.asked(), json!(["CONNECT api.linode.com:443 HTTP/1.1"]))?;
    // That the searches below can find something at all.
    is("the token went", account.outside.sent().contains(&format!("Bearer {token}")), true)?;

    // Nobody vouches for it.
    let stranger = Authority::new(home.path(), "stranger");
    let mut command = account.command(home, &token, &regions);
    let refused = command.env("SSL_CERT_FILE", &stranger.file).output()?;
    distrusted(&refused)?;
    // It is somebody else.
    let other =
        Outside::open(&account.authority.certificate("api.linode.com.example"), outside::address(&account.cloud.url));
    let refused = account.command(home, &token, &regions).env("https_proxy", &other.proxy).output()?;
    distrusted(&refused)?;
    is("nothing was said to it", other.sent(), "")
}

fn distrusted(output: &Output) -> Result<(), Failed> {
    let told = told(output)?;
    is("exit code", told[0].clone(), 7)?;
    let [message, hint] = [2, 3].map(|place| told[place].as_str().unwrap_or_default());
    is(message, message.contains("invalid peer certificate"), true)?;
    is(hint, hint.starts_with("nothing was sent to it"), true)
}

const CREATE: [&str; 9] =
    ["--json", "--yes", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", "web-1"];

const WRONG: &str = "the token is wrong, expired or revoked: make one at https://cloud.linode.com/profile/tokens; \
    `linodetool doctor` says where the present one comes from";

fn a_wrong_token_is_told_and_nothing_is_made(home: &Home) -> Result<(), Failed> {
    let account = Account::new(home);
    let output = account.command(home, "wrong-token", &CREATE).output()?;
    is("told", told(&output)?, json!([5, "auth", "Invalid Token", WRONG]))?;
    is("made", account.made(), json!([]))?;
    is("nodes", home.json(&["node", "list"])?, json!([]))?;
    let runs = home.ok(&["runs", "list"])?;
    is(&runs, runs.lines().nth(1).is_some_and(|run| run.contains("failed") && run.contains("Invalid Token")), true)
}

const LACKING: &str = "the token needs the scope linodes:read_write and has linodes:read_only images:read_only \
    events:read_only: Your OAuth token is not authorized to use this endpoint.";

const MAY_NOT: &str = "the token may not do this: make one with the access that is missing (a cluster needs read and write \
    for Linodes, Firewalls, IPs and StackScripts, and read for Account and Events), or ask the account's owner";

fn a_token_that_may_not_is_told_and_nothing_is_made(home: &Home) -> Result<(), Failed> {
    let account = Account::new(home);
    let token = account.cloud.sandbox().add_token("linodes:read_only images:read_only events:read_only")?;
    is("it may look", account.command(home, &token, &["regions"]).output()?.status.code(), 0)?;
    let output = account.command(home, &token, &CREATE).output()?;
    is("told", told(&output)?, json!([5, "auth", LACKING, MAY_NOT]))?;
    is("made", account.made(), json!([]))?;
    is("nodes", home.json(&["node", "list"])?, json!([]))
}

/// What the user keeps for Linode, in each of the places where it is looked for, is Linode's alone.
fn a_foreign_plugin_gets_no_token(home: &Home) -> Result<(), Failed> {
    install(home)?;
    let account = Account::new(home);
    let set = |name: &str, value: &str| -> Result<(), Failed> {
        let (reader, mut writer) = std::io::pipe()?;
        let mut child = home.command(&["secret", "set", name]).stdin(reader).spawn()?;
        std::io::Write::write_all(&mut writer, value.as_bytes())?;
        drop(writer);
        is("set", child.wait()?.code(), 0)
    };
    set("token", "token-of-the-store")?;
    fs::create_dir_all(home.path().join(".config"))?;
    let cli = home.path().join(".config/linode-cli");
    fs::write(&cli, "[DEFAULT]\ndefault-user = me\n[me]\ntoken = token-of-the-cli\n")?;
    fs::set_permissions(&cli, PermissionsExt::from_mode(0o600))?;

    let arguments = ["--json", "--provider", "misbehaving", "--token-cmd", "echo token-of-a-command", "regions"];
    let output = account.command(home, "token-of-the-environment", &arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    is(&said, output.status.code(), 0)?;
    let sent = account.outside.sent();
    is("asked for", account.outside.asked(), json!(["CONNECT api.misbehaving.example:443 HTTP/1.1"]))?;
    is(&sent, sent.starts_with("GET /v1/regions HTTP/1.1\r\n"), true)?;
    is(&sent, sent.to_lowercase().contains("authorization") || sent.contains("token"), false)?;
    // The bundled one, in the same surroundings, gets the first of them.
    let arguments = ["--token-cmd", "echo token-of-a-command", "regions"];
    is("refused", account.command(home, "token-of-the-environment", &arguments).output()?.status.code(), 5)?;
    is("sent", account.outside.sent().contains("Bearer token-of-a-command\r\n"), true)
}

/// The plugin of the tests, as a user would have installed it.
fn install(home: &Home) -> Result<(), Failed> {
    let name = format!("{}misbehaving{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let built = std::env::current_exe()?.with_file_name(&name);
    let mut folder = home.path().to_owned();
    for below in [".local", "share", "linodetool", "plugins"] {
        folder.push(below);
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o755))?;
    }
    let file = folder.join(&name);
    fs::copy(built, &file)?;
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644))?;
    let record = folder.join("plugins.json");
    fs::write(&record, json!({ "misbehaving": { "path": name, "sha256": sha256(&file)? } }).to_string())?;
    fs::set_permissions(&record, PermissionsExt::from_mode(0o600))?;
    Ok(())
}

fn sha256(file: &Path) -> Result<String, Failed> {
    let said = Command::new("openssl").args(["dgst", "-sha256", "-r"]).arg(file).output()?.stdout;
    Ok(String::from_utf8(said)?.split(' ').next().unwrap_or_default().to_owned())
}

const DISTRIBUTION: &str = r#"
import "lib/hadoop" as hadoop;
let p = params(#{ hadoop_dist: param("apache:9.9.9", "distribution"), workers: 1, replication: 0 });
let prepared = hadoop::prepare(p);
let n = nodes::create(#{ name: "one", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });
n.artifact(prepared.artifact, "/opt/hadoop");
output("release", n.run("cat /opt/hadoop/RELEASE").stdout);
"#;

fn hadoop_comes_from_apache(home: &Home) -> Result<(), Failed> {
    fs::write(home.path().join("dist.rhai"), DISTRIBUTION)?;
    let pack = "mkdir hadoop-9.9.9 && echo 9.9.9 > hadoop-9.9.9/RELEASE && tar -czf hadoop.tar.gz hadoop-9.9.9 && \
        openssl dgst -sha512 -r hadoop.tar.gz | cut -d ' ' -f 1";
    let packed = Command::new("sh").args(["-c", pack]).current_dir(home.path()).output()?;
    let sha512 = String::from_utf8(packed.stdout)?.trim().to_owned();
    let archive = fs::read(home.path().join("hadoop.tar.gz"))?;
    let published = format!("SHA512 (hadoop-9.9.9.tar.gz) = {sha512}\n").into_bytes();
    let whole = |body: &[u8]| web::answer(body, body.len());
    let (url, asked) = web::serve(vec![whole(&archive), whole(&published), whole(&archive)]);
    let authority = Authority::new(home.path(), "authority");
    let outside = Outside::open(&authority.certificate("archive.apache.org"), outside::address(&url));
    let run = |arguments: &[&str], authority: &Authority| {
        let mut command = home.command(&[&["--json", "--sandbox", "run", "dist.rhai"], arguments].concat());
        command.env("https_proxy", &outside.proxy).env("SSL_CERT_FILE", &authority.file).output()
    };

    let distrusted = told(&run(&[], &Authority::new(home.path(), "stranger"))?)?;
    let message = distrusted[2].as_str().unwrap_or_default();
    is(message, message.contains("invalid peer certificate"), true)?;
    let other = format!("hadoop_dist=apache:9.9.9@{}", "0".repeat(128));
    let refused = told(&run(&["--set", &other], &authority)?)?;
    let message = refused[2].as_str().unwrap_or_default();
    is(message, message.contains("is not what was asked for: SHA-512 "), true)?;
    is("nodes", home.json(&["--sandbox", "node", "list"])?, json!([]))?;

    let output = run(&[], &authority)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    is(&said, output.status.code(), 0)?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    is("release", report["outputs"]["release"].clone(), "9.9.9\n")?;
    let path = "/dist/hadoop/common/hadoop-9.9.9/hadoop-9.9.9.tar.gz";
    let all = asked.join().map_err(|_| "the server failed")?;
    is("asked for", all, json!([path, format!("{path}.sha512"), path]))?;
    is("hosts", outside.asked().iter().all(|line| line == "CONNECT archive.apache.org:443 HTTP/1.1"), true)
}

fn a_run_is_asked_about_with_its_rehearsal(home: &Home) -> Result<(), Failed> {
    let account = Account::new(home);
    let token = account.cloud.token.clone();
    let recipe =
        r#"nodes::create(#{ name: "web-1", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });"#;
    fs::write(home.path().join("web.rhai"), recipe)?;
    let output = account.command(home, &token, &["run", "web.rhai"]).output()?;
    is("not confirmed", output.status.code(), 15)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let asked =
        ["On linode-v4, as far as it can be known:", "web-1", "$0.0075 an hour, $5.00 a month", "Time: about 1 min"];
    for part in asked {
        is(&format!("{part} in {said}"), said.contains(part), true)?;
    }
    // More than was said, whatever is agreed to.
    let output = account.command(home, &token, &["run", "web.rhai", "--yes", "--max-cost", "0.005"]).output()?;
    let refused = String::from_utf8_lossy(&output.stderr).into_owned();
    is(&refused, refused.contains("this would cost $0.0075 an hour, and the limit is $0.005"), true)?;
    is("refused", output.status.code(), 15)?;
    is("made", account.made(), json!([]))?;
    // What the account has shown is known from now on, without it.
    let rehearsal = home.json(&["run", "web.rhai", "--rehearse"])?;
    let known = rehearsal["catalogue"].as_str().unwrap_or_default();
    is(known, known.starts_with("as the account showed them on 20"), true)
}

const WEB: &str = r#"
wait(1);
nodes::create(#{ name: "web-1", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });
"#;

fn a_run_does_not_go_on_in_another_account(home: &Home) -> Result<(), Failed> {
    fs::write(home.path().join("web.rhai"), WEB)?;
    let account = Account::new(home);
    let token = account.cloud.token.clone();
    account.cloud.sandbox().faults().replace(Spec::parse("account-limit=0").ok(), Some(1));
    let output = account.command(home, &token, &["--json", "--yes", "run", "web.rhai"]).output()?;
    let begun = told(&output)?;
    is("it failed after it had asked whose the token is", begun[1].clone(), "limit")?;
    let run = home.json(&["runs", "list"])?[0]["id"].as_str().unwrap_or_default().to_owned();
    drop(account);

    let other = Account::new(home);
    let token = other.cloud.token.clone();
    let output = other.command(home, &token, &["--json", "--yes", "runs", "resume", &run]).output()?;
    let refused = told(&output)?;
    let hint = "nothing was changed; give a token of that account (`linodetool doctor` says where the present one comes \
        from), or begin a new run in this one";
    is("told", json!([refused[0], refused[1], refused[3]]), json!([4, "conflict", hint]))?;
    let message = refused[2].as_str().unwrap_or_default();
    let says = message.starts_with(&format!("run {run} worked in account 00000000-"))
        && message.contains(", but the token now in use belongs to account 00000000-");
    is(message, says, true)?;
    let output = other.command(home, &token, &["--json", "--yes", "runs", "undo", &run]).output()?;
    is("nor is it undone there", told(&output)?[2].clone(), message)?;
    is("made", other.made(), json!([]))?;
    let listed = home.json(&["runs", "list"])?;
    is("the run is as it was", json!([listed[0]["id"], listed[0]["status"]]), json!([run, "failed"]))
}
