//! The binary as a user meets it: an empty folder, an environment without anything, one command.
//!
//! Only wiring is tested here; what commands say is tested where it is made.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use expect_test::{Expect, expect};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_linodetool");

/// An empty home to run in.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(Path::new(PROGRAM), line).output().unwrap()
    }

    /// Exit code, stdout, stderr, with this home's path left out.
    fn check(&self, line: &str, expected: &Expect) {
        let output = self.run(line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*self.path().to_string_lossy(), "HOME");
        let all = format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        );
        expected.assert_eq(&all);
    }
}

#[test]
fn operations_of_the_api_are_told_and_checked_without_a_token() {
    let home = Home::new();
    home.check(
        "api --search kubeconfig",
        &expect![[r#"
        exit 0
        --- stdout
        OPERATION                      METHOD  PATH                                  NOTE
        delete-lke-cluster-kubeconfig  DELETE  /lke/clusters/{clusterId}/kubeconfig  destroys
        get-lke-cluster-kubeconfig     GET     /lke/clusters/{clusterId}/kubeconfig
        --- stderr
    "#]],
    );
    home.check(
        "api put-disk --help",
        &expect![[r#"
        exit 0
        --- stdout
        put-disk: PUT /linode/instances/{linodeId}/disks/{diskId}
        Needs of the token: linodes:read_write

        PARAMETER  IN    TYPE            NEEDED  ALLOWED
        linodeId   path  a whole number  yes
        diskId     path  a whole number  yes
        label      body  text                    1 to 48
        --- stderr
    "#]],
    );
    home.check(
        "api put-disk --set linodeId=1",
        &expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: put-disk needs `diskId` (a whole number)
        hint: linodetool api put-disk --help shows all that it takes
    "#]],
    );
    home.check(
        "api put-disc",
        &expect![[r#"
        exit 3
        --- stdout
        --- stderr
        error: the provider has no operation `put-disc`
        hint: did you mean put-disk, put-ip, put-domain?
    "#]],
    );
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none(), "nothing is written");
    home.check("api put-disk --set linodeId=1 --set diskId=2 --set label=x", &expect![[r#"
        exit 5
        --- stdout
        --- stderr
        error: there is no Linode API token
        hint: make one at https://cloud.linode.com/profile/tokens, then do one of: `export LINODE_TOKEN=...`; `linodetool secret set token`; `--token-cmd 'pass show linode'`; `linode-cli configure`. No account is needed with --sandbox
    "#]]);
}

#[test]
fn version_and_help_go_to_stdout() {
    let home = Home::new();
    home.check(
        "--version",
        &expect![[r#"
        exit 0
        --- stdout
        linodetool 0.1.0
        --- stderr
    "#]],
    );
    let help = home.run("node create --help");
    assert!(help.status.success() && help.stderr.is_empty());
    assert!(String::from_utf8(help.stdout).unwrap().starts_with("Create a node, and wait"));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "help makes no files");
}

#[test]
fn without_a_command_help_is_shown_as_an_error() {
    let output = Home::new().run("");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && !output.stderr.is_empty());
}

#[test]
fn wrong_usage_is_told_on_stderr_or_as_one_document() {
    let home = Home::new();
    home.check(
        "nodes list",
        &expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: unrecognized subcommand 'nodes'

          tip: a similar subcommand exists: 'node'

        Usage: linodetool [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    home.check("nodes list --json", &expect![[r#"
        exit 2
        --- stdout
        {"error":{"exit":2,"hint":"a similar subcommand exists: 'node'","kind":"usage","message":"unrecognized subcommand 'nodes'"}}
        --- stderr
    "#]]);
    home.check(
        "node ssh",
        &expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: the following required arguments were not provided:
          <NODE>

        Usage: linodetool node ssh <NODE> [ARGUMENT]...

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn a_process_without_home_says_so() {
    let output = Home::new().command(Path::new(PROGRAM), "node list").env_remove("HOME").output().unwrap();
    assert_eq!(output.status.code(), Some(13));
    expect![[r#"
        error: the variable HOME is not set to an absolute path
        hint: set HOME; linodetool keeps its settings and caches below it
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn completions_are_scripts() {
    let home = Home::new();
    for (shell, word) in [("bash", "_linodetool()"), ("zsh", "#compdef linodetool"), ("fish", "complete -c linodetool")]
    {
        let output = home.run(&format!("completions {shell}"));
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(String::from_utf8(output.stdout).unwrap().contains(word), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_message() {
    let home = Home::new();
    // The pipe has no reader from the start.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        home.command(Path::new(PROGRAM), "completions bash").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(output.stderr.is_empty());
}

#[test]
fn doctor_runs_in_an_empty_home_and_makes_nothing() {
    let home = Home::new();
    let output = home.run("doctor --json");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = document["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    expect![[r#"["state directory", "disk", "plugin", "plugin", "token", "sandbox", "ssh", "java", "mvn", "nft"]"#]]
        .assert_eq(&format!("{names:?}"));
    let lacking: Vec<_> = document["checks"].as_array().unwrap().iter().filter(|c| c["status"] != "ok").collect();
    assert!(lacking.iter().all(|check| check["remedy"].is_string()), "{lacking:?}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_provider_that_is_not_there_is_told_before_a_token_is_asked_for() {
    let home = Home::new();
    home.check(
        "--provider linode-v40 regions",
        &expect![[r#"
        exit 3
        --- stdout
        --- stderr
        error: there is no provider `linode-v40`; found are: linode-v3, linode-v4
        hint: did you mean `linode-v4`?
    "#]],
    );
    // Alone in a folder, the program has no plugin.
    let alone = home.path().join("linodetool");
    std::fs::copy(PROGRAM, &alone).unwrap();
    let output = home.command(&alone, "regions").output().unwrap();
    assert_eq!(output.status.code(), Some(11));
    expect![[r#"
        error: there is no provider `linode-v4`; found are: none
        hint: bundled plugins lie beside linodetool: unpack the whole tarball, or `cargo build --release`; `linodetool doctor` looks again
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

/// A `mvn` that holds the pipe `alive` open, as its child does, for as long as it lives.
const MVN: &str = "#!/bin/sh
exec 4>\"$HOME/alive\"
echo up >&4
sleep 60
echo it lives on >&4
";

fn ends_maven(how: impl FnOnce(&mut Child)) {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    std::fs::write(at("jars.rhai"), r#"artifacts::maven(#{ name: "x", jars: ["a:b:1"] });"#).unwrap();
    std::fs::create_dir(at("bin")).unwrap();
    std::fs::write(at("bin/mvn"), MVN).unwrap();
    let made = Command::new("sh").args(["-c", "chmod 755 bin/mvn && mkfifo alive"]).current_dir(home.path()).status();
    assert!(made.unwrap().success());
    let path = format!("{}:/usr/bin:/bin", at("bin").display());
    let mut run = home.command(Path::new(PROGRAM), "--quiet run jars.rhai");
    let mut child = run.env("PATH", path).stderr(Stdio::null()).spawn().unwrap();
    let mut alive = BufReader::new(std::fs::File::open(at("alive")).unwrap());
    let mut line = String::new();
    alive.read_line(&mut line).unwrap();
    how(&mut child);
    child.wait().unwrap();
    // Ends when nobody holds the pipe any more.
    alive.read_to_string(&mut line).unwrap();
    assert_eq!(line, "up\n");
}

#[test]
fn maven_ends_when_linodetool_is_killed() {
    ends_maven(|child| child.kill().unwrap());
}

#[test]
fn maven_ends_when_linodetool_is_interrupted() {
    ends_maven(|child| {
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    });
}

#[test]
fn without_maven_the_remedy_is_told() {
    let home = Home::new();
    std::fs::write(home.path().join("jars.rhai"), r#"artifacts::maven(#{ name: "x", jars: ["a:b:1"] });"#).unwrap();
    let output = home.command(Path::new(PROGRAM), "--json run jars.rhai").env("PATH", home.path()).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = ["kind", "message", "hint"].map(|key| document["error"][key].as_str().unwrap_or_default());
    expect![[r#"
        local
        cannot run Maven (`mvn`), which fetches jars by coordinate
        install Maven (Debian, Ubuntu: apt install maven), or give a tarball: --set hadoop_dist=/path/to/hadoop.tar.gz
    "#]]
    .assert_eq(&format!("{}\n", said.join("\n")));
}

#[test]
fn a_release_tarball_runs_where_it_is_unpacked() {
    let home = Home::new();
    let built = Path::new(PROGRAM).parent().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/release");
    let packed = Command::new(script).arg("--from").arg(built).arg("--out").arg(home.path()).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let tarball = String::from_utf8(packed.stdout).unwrap();
    let unpacked = Command::new("tar").arg("-xzf").arg(tarball.trim()).current_dir(home.path()).status().unwrap();
    assert!(unpacked.success());
    let folder =
        home.path().join(Path::new(tarball.trim()).file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz"));
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    let output = home.command(&folder.join("linodetool"), "--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("linodetool {}\n", env!("CARGO_PKG_VERSION")));
    let output = home.command(&folder.join("linodetool"), "doctor --json").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["healthy"], true, "{document:#}");
}

#[test]
fn a_rehearsal_needs_and_leaves_nothing() {
    let home = Home::new();
    let output = home.run("run hadoop --set workers=3 --rehearse --json");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = told["create"].as_array().unwrap().iter().filter(|made| made["kind"] == "linode").count();
    let cost = &told["cost"]["hourly_after"];
    assert_eq!((output.status.code(), nodes, cost.as_f64()), (Some(0), 4, Some(0.144)));
    let text = String::from_utf8(home.run("--sandbox run hadoop --rehearse").stdout).unwrap();
    assert!(text.contains("hadoop-worker-1 ... hadoop-worker-2  2  g6-standard-2  us-east  $0.0720"), "{text}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "something was left");
}

#[test]
fn a_rehearsal_refuses_and_fails_as_a_run_does() {
    let home = Home::new();
    let refused = home.run("run hadoop --rehearse --json --max-cost 0.1");
    let mut told: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    let rehearsal = told["error"].as_object_mut().unwrap().remove("rehearsal").unwrap();
    expect![[r#"
        {"error":{"exit":15,"field":"max_cost","hint":"ask for fewer or smaller nodes, or raise --max-cost","kind":"declined","message":"this would cost $0.108 an hour, and the limit is $0.1"}}
        {"hourly_after":0.108,"hourly_before":0.0,"hourly_max":0.1,"hourly_peak":0.108,"monthly_after":72.0,"monthly_before":0.0}"#]].assert_eq(&format!("{told}\n{}", rehearsal["cost"]));
    let other = home.run("run hadoop --rehearse --provider linode-v3 --json");
    let told: serde_json::Value = serde_json::from_slice(&other.stdout).unwrap();
    assert_eq!((other.status.code(), &told["create"][0]["name"]), (Some(0), &serde_json::json!("hadoop-master-1")));
    let recipe = "clusters::ensure(#{ name: \"c\", region: \"us-east\", image: \"linode/debian12\",\n  \
                  roles: [#{ role: \"web\", type: \"g6-nanode-1\" }] });\nfail(\"no\", \"say yes\");\n";
    std::fs::write(home.path().join("bad.rhai"), recipe).unwrap();
    let output = home.run("run bad.rhai --rehearse --json");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &told["error"];
    assert_eq!((output.status.code(), &error["message"]), (Some(10), &serde_json::json!("no")), "{told}");
    assert_eq!(error["rehearsal"]["create"][0]["name"], "c-web-1");
    let output = home.run("run bad.rhai --rehearse --max-cost 0.001");
    let text = String::from_utf8(output.stderr).unwrap();
    let cost: Vec<_> = text.lines().skip_while(|line| !line.starts_with("Cost")).take(3).collect();
    expect![[r#"
        Cost of its clusters: $0.0075 an hour, $5.00 a month; now $0.00 an hour: $0.0075 more
          limit: $0.0010 an hour: exceeded, with $0.0075 an hour
          prices: bundled with linodetool"#]]
    .assert_eq(&cost.join("\n"));
}
