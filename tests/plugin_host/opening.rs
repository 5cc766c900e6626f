//! Listing and opening plugins.

use crate::files::{built, copy, folder, misbehaving, set_mode, wrong};
use crate::{assert_alive, cut, open, opening, plugins, say};
use expect_test::expect;
use linodetool::core::Failure;
use linodetool::plugin_host::{Limits, Opening, Place, PluginError, Plugins, Protection};
use linodetool::provider::{Calls, Origin};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

fn installed(folder: &Path, name: &str, file: &Path, sha256: &str) {
    let record = folder.join("plugins.json");
    std::fs::write(&record, json!({ name: { "path": file, "sha256": sha256 } }).to_string()).unwrap();
    set_mode(&record, 0o600);
}

/// By way of the refusal, which names it.
async fn sha256_of(plugins: &Plugins, file: &Path) -> String {
    let wrong = Protection::Installed { sha256: "00".into() };
    let Err(PluginError::Load(error)) = plugins.open_file(file, &wrong, opening("")).await else {
        panic!("it is refused");
    };
    error.to_string().split("SHA-256 ").nth(1).unwrap()[..64].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_plugin_is_listed_and_opened_by_its_name() {
    let folder = folder();
    let (file, plugins) = (copy(folder.path()), plugins(folder.path()));
    let sha256 = sha256_of(&plugins, &file).await;
    installed(folder.path(), "misbehaving", &file, &sha256);
    let list = plugins.list().unwrap();
    let line = list.iter().find(|info| info.name == "misbehaving").unwrap();
    assert_eq!((line.sha256.as_deref(), line.manifest.as_ref().unwrap().version.as_str()), (Some(&*sha256), "0.1.0"));
    let provider = plugins.open("misbehaving", opening("")).await.unwrap();
    let args = linodetool_plugin::ById::new("7");
    assert_eq!(provider.client.get_instance(&args).await.unwrap().id, "7");
    assert!(provider.client.supports("instances.get") && !provider.client.supports("types.list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_is_wrong_with_a_plugin() {
    let folder = folder();
    let (file, plugins) = (copy(folder.path()), plugins(folder.path()));
    let sha256 = sha256_of(&plugins, &file).await;
    installed(folder.path(), "acme", &file, &sha256);
    let list = plugins.list().unwrap();
    let said = list.iter().find(|info| info.name == "acme").unwrap().manifest.clone().unwrap_err();
    expect![
        "DIR/plugin.so says it is the provider `misbehaving`, but it stands for `acme`; install it under its own name"
    ]
    .assert_eq(&said.replace(&folder.path().canonicalize().unwrap().display().to_string(), "DIR"));
    let refused = plugins.open("acme", opening("")).await.err().unwrap().to_string();
    assert_eq!(refused, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_nobodys_gets_the_nearest() {
    let folder = folder();
    installed(folder.path(), "acme-cloud", Path::new("/acme.so"), "00");
    let failure = Failure::from(plugins(folder.path()).open("acme-clout", opening("")).await.err().unwrap());
    assert!(failure.message.starts_with("there is no provider `acme-clout`; found are: "), "{failure}");
    assert_eq!(failure.hint.as_deref(), Some("did you mean `acme-cloud`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_plugin_cannot_be_shadowed() {
    let folder = folder();
    let bundled = built("linodetool_linode_v4");
    installed(folder.path(), "linode-v4", &copy(folder.path()), "00");
    let list = plugins(folder.path()).list().unwrap();
    let found = plugins(folder.path()).find("linode-v4").unwrap();
    assert_eq!((found.place, &found.path), (Place::Bundled, &bundled));
    let paths: Vec<_> = list.iter().filter(|info| info.name == "linode-v4").map(|info| &info.path).collect();
    assert_eq!(paths, [&bundled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_does_not_open_says_why() {
    let mut said = Vec::new();
    for mode in ["error in open", "panic in open", "block in open"] {
        let limits = Limits { step: Duration::from_millis(500), ..Limits::default() };
        let refused = open(&misbehaving(), Opening { limits, ..opening(mode) }).await.err().unwrap();
        said.push(cut(&refused.to_string()));
    }
    let folder = folder();
    for case in ["silent_open", "open_without_instance"] {
        let file = wrong(case, folder.path());
        let refused =
            plugins(folder.path()).open_file(&file, &Protection::New, opening("")).await.err().unwrap().to_string();
        said.push(refused);
    }
    expect![[r#"
        plugin misbehaving cannot be opened: open failed politely
        plugin misbehaving cannot be opened: the plugin panicked: open says no at tests/misbehaving/src/
        plugin misbehaving cannot be opened: the plugin's open did not return within 500ms
        plugin wrong cannot be opened: open failed with code 7 and no reason
        plugin wrong cannot be opened: open gave neither an instance nor an error"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_close_ends_the_thread_and_nothing_else() {
    let closing = open(&misbehaving(), opening("panic in close")).await.unwrap();
    assert_alive(&closing).await;
    assert!(closing.close(Duration::from_secs(10)).await);
    assert_alive(&*crate::bad().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_in_clear_is_refused() {
    let origin = Origin { base_url: "http://api.example/v1".parse().ok(), credential: None };
    let refused = open(&misbehaving(), Opening { origin, ..opening("") }).await.err().unwrap().to_string();
    expect!["http://api.example/v1 is neither https nor on this computer; a token must not travel in clear: use https"]
        .assert_eq(&refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_of_the_same_crates_live_side_by_side() {
    let (a, b) = (crate::bad().await, crate::bad().await);
    assert!(say(&a, "panic").await.is_err());
    assert_eq!(b.opened(), 1);
    assert_alive(&b).await;
    assert_eq!(a.manifest().name, b.manifest().name);
}
