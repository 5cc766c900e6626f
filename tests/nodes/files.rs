//! Files, states, facts and copies over a real connection.

use super::{Sshd, with_sshd};
use libtest_mimic::Trial;
use linodetool::nodes::states::{File, Run, Upload, WaitPort};
use linodetool::nodes::{Copied, FileOptions, Inspected, Outcome, Place};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn at(sshd: &Sshd, name: &str) -> String {
    sshd.dir().join(name).display().to_string()
}

pub(crate) fn add(trials: &mut Vec<Trial>) {
    with_sshd(trials, "files::written_read_and_looked_at", async |sshd: Sshd| {
        let (nodes, target, path) = (sshd.nodes(), sshd.target(), at(&sshd, "it's a file"));
        assert_eq!(nodes.stat(&target, &path).await.unwrap(), None);
        assert_eq!(nodes.digest(&target, &path).await.unwrap(), None);
        let options = FileOptions { mode: Some("0640".into()), ..FileOptions::default() };
        assert!(nodes.write(&target, &path, b"one\0\n", &options).await.unwrap().changed);
        assert!(!nodes.write(&target, &path, b"one\0\n", &options).await.unwrap().changed);
        assert_eq!(nodes.read(&target, &path, 100).await.unwrap(), b"one\0\n");
        let stat = nodes.stat(&target, &path).await.unwrap().unwrap();
        assert_eq!(
            (stat.kind.as_str(), stat.size, stat.mode.as_str(), stat.owner),
            ("file", 5, "0640", sshd.user.clone())
        );
        let error = nodes.read(&target, &path, 2).await.unwrap_err().to_string();
        assert!(error.ends_with("it is larger than 2 bytes: download it"), "{error}");
        let error = nodes.read(&target, "/nowhere/file", 2).await.unwrap_err().to_string();
        assert!(
            error.to_lowercase().ends_with("no such file or directory") || error.ends_with("No such file"),
            "{error}"
        );
    });

    with_sshd(trials, "files::large_ones_go_up_and_down_once", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let (local, remote, back) = (sshd.dir().join("local"), at(&sshd, "remote"), sshd.dir().join("back"));
        let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(&local, &content).unwrap();
        let upload = Upload { source: at(&sshd, "local"), path: remote.clone(), ..Upload::default() };
        let applied = upload.apply(&nodes, &target, Path::new("/")).await.unwrap();
        assert_eq!((applied.changed, applied.detail.as_str()), (true, "created"));
        assert!(!upload.apply(&nodes, &target, Path::new("/")).await.unwrap().changed);
        let options = FileOptions { mode: Some("0755".into()), ..FileOptions::default() };
        let applied = nodes.upload(&target, &local, &remote, &options).await.unwrap();
        assert_eq!(applied.detail, "mode 644 to 0755");
        assert!(nodes.download(&target, &remote, &back).await.unwrap());
        assert!(!nodes.download(&target, &remote, &back).await.unwrap());
        assert!(fs::read(&back).unwrap() == content);
        assert_eq!(fs::metadata(&back).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!nodes.write(&target, &remote, &content, &FileOptions::default()).await.unwrap().changed);
        let error = nodes.download(&target, &at(&sshd, "none"), &back).await.unwrap_err().to_string();
        assert!(error.ends_with("there is no such file"), "{error}");
        let error = nodes.upload(&target, &sshd.dir().join("none"), &remote, &options).await.unwrap_err().to_string();
        assert!(error.contains("on this computer: No such file"), "{error}");
    });

    with_sshd(trials, "states::a_state_is_reached_with_and_without_a_record", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let file = |content: &str| File { path: at(&sshd, "motd"), content: Some(content.into()), ..File::default() };
        let applied = nodes.apply(&target, &file("one"), None, None).await.unwrap();
        assert_eq!((applied.changed, applied.detail.as_str()), (true, "created"));
        let place = Place::new("run1", "3", 1);
        let applied = nodes.apply(&target, &file("two"), Some(&place), None).await.unwrap();
        assert_eq!((applied.changed, applied.detail.as_str()), (true, "content"));
        // The record remembers what was done, whatever became of the file since.
        fs::write(at(&sshd, "motd"), "three").unwrap();
        assert_eq!(nodes.apply(&target, &file("two"), Some(&place), None).await.unwrap(), applied);
        assert_eq!(fs::read_to_string(at(&sshd, "motd")).unwrap(), "three");
        assert_eq!(nodes.inspect(&target, &place).await.unwrap(), Inspected::Exited(0));
        let nowhere = File { path: "/nowhere/x".into(), ..file("x") };
        let error = nodes.apply(&target, &nowhere, Some(&Place::new("run1", "4", 1)), None).await.unwrap_err();
        assert_eq!(error.to_string(), "file /nowhere/x: it cannot be written");
    });

    with_sshd(trials, "states::a_command_is_run_unless_its_work_is_done", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let file = at(&sshd, "made");
        let run = Run { command: format!("touch {file}; echo made"), creates: Some(file), ..Run::default() };
        let outcome = async |run: &Run, step| {
            nodes.run(&target, &Place::new("r", step, 1), &run.command().unwrap()).await.unwrap()
        };
        let Outcome::Ended(output) = outcome(&run, "1").await else { panic!("it was skipped") };
        assert_eq!((output.success(), output.stdout_text().as_str()), (true, "made\n"));
        assert_eq!(outcome(&run, "2").await, Outcome::Skipped("creates"));
        let fails = Run { command: "echo why >&2; exit 2".into(), ..Run::default() };
        let Outcome::Ended(output) = outcome(&fails, "3").await else { panic!("it was skipped") };
        assert_eq!((output.exit_code, output.stderr_text().as_str()), (Some(2), "why\n"));
    });

    with_sshd(trials, "states::a_port_is_waited_for", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let open = WaitPort { port: sshd.port, ..WaitPort::default() };
        open.apply(&nodes, &target).await.unwrap();
        let closed = WaitPort { port: super::sshd::free_port(), timeout: 0, ..WaitPort::default() };
        let error = closed.apply(&nodes, &target).await.unwrap_err().to_string();
        assert!(error.ends_with("took no connection within 0 s"), "{error}");
    });

    with_sshd(trials, "facts::a_machine_says_what_it_is", async |sshd: Sshd| {
        let facts = sshd.nodes().facts(&sshd.target()).await.unwrap();
        assert!(facts.cpus > 0 && facts.memory_mb > 0 && !facts.kernel.is_empty(), "{facts:?}");
    });

    with_sshd(trials, "artifact::from_node_to_node", async |source: Sshd| {
        let dest = Sshd::start();
        let (nodes, via) = (source.nodes(), source.target().address);
        let (from, to) = (at(&source, "it's \"a\" file"), at(&dest, "new/it's \"a\" file"));
        fs::write(&from, vec![7; 300_000]).unwrap();
        fs::create_dir(source.dir().join("home/.ssh")).unwrap();
        fs::write(source.dir().join("home/.ssh/authorized_keys"), "# kept, and its line has no end").unwrap();
        let copy = async || nodes.copy_between(&source.target(), via, &from, &dest.target(), &to).await.unwrap();
        assert_eq!(copy().await, Copied::Direct);
        assert_eq!(fs::read(&to).unwrap(), vec![7; 300_000]);
        assert_eq!(copy().await, Copied::Same);
        assert_eq!(
            fs::read_to_string(source.dir().join("home/.ssh/authorized_keys")).unwrap(),
            "# kept, and its line has no end\n"
        );
        // Another host key at the source's address: not direct, but it arrives.
        fs::remove_dir_all(dest.dir().join("new")).unwrap();
        let via = dest.target().address;
        let copied = nodes.copy_between(&source.target(), via, &from, &dest.target(), &to).await.unwrap();
        assert_eq!(copied, Copied::Relayed);
        assert_eq!(
            fs::read_to_string(source.dir().join("home/.ssh/authorized_keys")).unwrap(),
            "# kept, and its line has no end\n"
        );
    });
}
