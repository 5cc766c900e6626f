//! State that cannot be read is not taken for none, and a rehearsal that meets it writes nothing.

use super::{Stage, paths};
use expect_test::expect;
use linodetool::core::{Failure, Secret, SystemClock};
use linodetool::secrets::SecretStore;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const RECIPE: &str = r#"
let c = clusters::ensure(#{ name: "w", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "web", type: "g6-nanode-1" }] });
c.nodes[0].file("/etc/motd", #{ content: "hello" });
c.nodes[0].file("/root/key", #{ content_secret: "key" });
"#;

struct Case {
    stage: Stage,
    recipe: PathBuf,
    state: PathBuf,
}

impl Case {
    fn new() -> Self {
        let stage = Stage::new();
        let (recipe, state) = (stage.dir.path().join("web.rhai"), paths(stage.dir.path()).state);
        fs::write(&recipe, RECIPE).unwrap();
        Self { stage, recipe, state }
    }

    /// The error, or what is not known.
    fn told(&self) -> String {
        let outcome = self.stage.try_to_rehearse(self.recipe.to_str().unwrap(), &[]);
        let told = match outcome {
            Ok(outcome) => outcome.rehearsal.unknown.join("\n"),
            Err(Failure { message, hint, .. }) => format!("{message}\nhint: {}", hint.unwrap_or_default()),
        };
        told.replace(self.stage.dir.path().to_str().unwrap(), "DIR") + "\n"
    }
}

#[test]
fn what_is_no_state_directory_is_told() {
    let case = Case::new();
    fs::create_dir_all(case.state.parent().unwrap()).unwrap();
    fs::write(&case.state, "a file").unwrap();
    let file = case.told();
    fs::remove_file(&case.state).unwrap();
    fs::create_dir_all(case.state.join("linodetool.db")).unwrap();
    let folder = case.told();
    fs::remove_dir(case.state.join("linodetool.db")).unwrap();
    fs::write(case.state.join("linodetool.db"), "no database").unwrap();
    expect![[r#"
        the state directory cannot be used: DIR/state is not a folder
        hint: move DIR/state away or name another state directory
        the state directory cannot be used: cannot look at DIR/state/linodetool.db: it is no file
        hint: check the owner, the mode and the free space of DIR/state/linodetool.db
        the database DIR/state/linodetool.db is damaged: file is not a database
        hint: nodes go on as they are, and their keys are not in it; copy it as it is before anything else. To rescue what can be read: `sqlite3 DIR/state/linodetool.db .recover | sqlite3 rescued.db`, then put rescued.db in the place of DIR/state/linodetool.db and remove DIR/state/linodetool.db-wal and DIR/state/linodetool.db-shm. Or move all three away to begin with an empty inventory, to which nodes that exist are strangers
    "#]].assert_eq(&[file, folder, case.told()].concat());
}

#[test]
fn a_part_that_cannot_be_read_is_not_known() {
    let case = Case::new();
    let secrets = SecretStore::open(&case.state, "default/default", Arc::new(SystemClock)).unwrap();
    secrets.set("key", &Secret::new("hidden".into())).unwrap();
    case.stage.run(case.recipe.to_str().unwrap(), &[]);
    let whole = case.told();
    let connection = rusqlite::Connection::open(case.state.join("linodetool.db")).unwrap();
    connection.execute_batch("drop table entry").unwrap();
    drop(connection);
    for file in fs::read_dir(case.state.join("secrets")).unwrap().map(|file| file.unwrap().path()) {
        if file.is_file() {
            fs::write(file, "no secrets").unwrap();
        }
    }
    expect![[r#"
        what was changed on nodes by hand, and whether they still are as the inventory has them
        Linodes and limits of the account that the inventory does not have
        how large downloads are: each is taken for 150 MB

        secret `key`: DIR/state/secrets/identity is no age identity: invalid Bech32 encoding; something was used in its place
        what runs have done on nodes so far, since their journal cannot be read: the database DIR/state/linodetool.db cannot be read: no such table: entry
        what was changed on nodes by hand, and whether they still are as the inventory has them
        Linodes and limits of the account that the inventory does not have
        how large downloads are: each is taken for 150 MB
    "#]].assert_eq(&format!("{whole}\n{}", case.told()));
}
