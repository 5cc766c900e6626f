//! Files that somebody else may have written.

use crate::files::{copy, folder, misbehaving, set_mode};
use expect_test::expect;
use linodetool::plugin_host::{Installed, PluginFile, Protection};
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

fn judge(path: &Path, protection: &Protection) -> String {
    let said = PluginFile::load(path, protection).map_or_else(|error| error.to_string(), |file| file.manifest.name);
    let folder = path.parent().unwrap().canonicalize().unwrap();
    said.replace(&folder.display().to_string(), "DIR")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}

#[test]
fn a_foreign_plugin_is_written_by_nobody_else() {
    let folder = folder();
    let file = copy(folder.path());
    let mut said = vec![judge(&file, &Protection::New)];
    set_mode(&file, 0o664);
    said.push(judge(&file, &Protection::New));
    set_mode(&file, 0o646);
    said.push(judge(&file, &Protection::New));
    set_mode(&file, 0o644);
    set_mode(folder.path(), 0o775);
    said.push(judge(&file, &Protection::New));
    set_mode(folder.path(), 0o755);
    if is_root() {
        chown(&file, Some(65534), None).unwrap();
        said.push(judge(&file, &Protection::New));
        chown(&file, Some(0), None).unwrap();
    } else {
        said.push("DIR/plugin.so belongs to user 65534, not to you or root; a plugin runs as you: install your own copy of it".into());
    }
    expect![[r#"
        misbehaving
        DIR/plugin.so may be written by others (mode 664), and a plugin runs as you; run: chmod go-w DIR/plugin.so
        DIR/plugin.so may be written by others (mode 646), and a plugin runs as you; run: chmod go-w DIR/plugin.so
        DIR may be written by others (mode 775), and a plugin runs as you; run: chmod go-w DIR
        DIR/plugin.so belongs to user 65534, not to you or root; a plugin runs as you: install your own copy of it"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    let (bad, clean) = (folder(), folder());
    let file = copy(bad.path());
    let link = clean.path().join("link.so");
    symlink(&file, &link).unwrap();
    assert_eq!(judge(&link, &Protection::New), "misbehaving");
    set_mode(bad.path(), 0o777);
    let said = judge(&link, &Protection::New);
    assert!(said.contains("may be written by others (mode 777)"), "{said}");
}

#[test]
fn paths_are_absolute_and_files_are_files() {
    let folder = folder();
    let relative = PluginFile::load(Path::new("plugin.so"), &Protection::New).unwrap_err().to_string();
    let is_folder = judge(folder.path(), &Protection::New);
    let absent = judge(&folder.path().join("absent.so"), &Protection::New);
    expect!["plugin path plugin.so is not absolute; give the whole path"].assert_eq(&relative);
    assert!(is_folder.ends_with("is not a regular file"), "{is_folder}");
    expect!["cannot read plugin DIR/absent.so: No such file or directory (os error 2)"].assert_eq(&absent);
}

#[test]
fn an_installed_plugin_is_what_was_installed() {
    let folder = folder();
    let file = copy(folder.path());
    let said = judge(&file, &Protection::Installed { sha256: "00".into() });
    let found = said.split("SHA-256 ").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(found.len(), 64);
    expect!["DIR/plugin.so is not the file that was installed (SHA-256 FOUND, installed was 00); if you changed it, run: linodetool plugin install DIR/plugin.so"]
        .assert_eq(&said.replace(found, "FOUND"));
    assert_eq!(judge(&file, &Protection::Installed { sha256: found.to_owned() }), "misbehaving");
}

/// A build with umask 002 makes executable and plugin group-writable alike; that must run.
#[test]
fn a_bundled_plugin_is_as_well_protected_as_the_executable() {
    let folder = folder();
    let (file, exe) = (copy(folder.path()), folder.path().join("linodetool"));
    std::fs::write(&exe, "").unwrap();
    let like = Protection::LikeExecutable(exe.canonicalize().unwrap());
    let said = |exe_mode: u32, mode: u32, folder_mode: u32| {
        set_mode(&exe, exe_mode);
        set_mode(&file, mode);
        set_mode(folder.path(), folder_mode);
        judge(&file, &like)
    };
    let all =
        [said(0o755, 0o755, 0o755), said(0o775, 0o775, 0o775), said(0o755, 0o775, 0o755), said(0o775, 0o777, 0o775)];
    set_mode(folder.path(), 0o755);
    expect![[r#"
        misbehaving
        misbehaving
        DIR/plugin.so may be written by more people (mode 775) than DIR/linodetool (mode 755); give it the same mode
        DIR/plugin.so may be written by more people (mode 777) than DIR/linodetool (mode 775); give it the same mode"#]]
    .assert_eq(&all.join("\n"));
    if is_root() {
        set_mode(&file, 0o755);
        chown(&exe, Some(65534), None).unwrap();
        chown(&file, Some(65533), None).unwrap();
        let said = judge(&file, &like);
        expect!["DIR/plugin.so belongs to user 65533, not to user 65534 as DIR/linodetool does; a plugin runs as you: install your own copy of it"]
            .assert_eq(&said);
    }
}

#[test]
fn the_record_of_installed_plugins_is_private() {
    let folder = folder();
    let says =
        || Installed::read(folder.path()).unwrap_err().to_string().replace(&folder.path().display().to_string(), "DIR");
    assert!(Installed::read(folder.path()).unwrap().is_empty());
    let record = folder.path().join("plugins.json");
    std::fs::write(&record, r#"{"acme":{"path":"acme.so","sha256":"00"}}"#).unwrap();
    set_mode(&record, 0o644);
    let open = says();
    set_mode(&record, 0o600);
    assert_eq!(Installed::read(folder.path()).unwrap()["acme"].path, folder.path().join("acme.so"));
    std::fs::write(&record, "{").unwrap();
    expect![[r#"
        DIR/plugins.json may be read or written by others (mode 644); run: chmod 600 DIR/plugins.json
        DIR/plugins.json is not what linodetool wrote (EOF while parsing an object at line 1 column 1); remove it and install your plugins again"#]]
    .assert_eq(&format!("{open}\n{}", says()));
    assert!(misbehaving().exists());
}
