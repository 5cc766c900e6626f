//! Logging in and running things: with our client's library, and with OpenSSH's where it is installed.

use super::Case;
use super::support::{Key, Ran, client, exec, login, place, which, with_input};
use std::io::{Read, Write};
use std::process::Stdio;

pub(crate) const CASES: &[Case] = &[
    ("ssh::output_errors_and_exit_codes", output_errors_and_exit_codes),
    ("ssh::a_wrong_key_is_refused", wrong_key),
    ("ssh::a_key_with_options_is_refused", key_with_options),
    ("ssh::many_commands_on_one_connection", many_on_one),
    ("ssh::a_replaced_host_key_is_used_for_the_next_connection", replaced_host_key),
    ("ssh::a_background_job_does_not_hold_the_session", background),
    ("openssh::bytes_go_both_ways", bytes_both_ways),
    ("openssh::a_terminal", terminal),
    ("openssh::sftp_and_scp", sftp),
    ("openssh::forwarding", forwarding),
    ("openssh::passing_the_connection_itself", fdpass),
];

fn output_errors_and_exit_codes() {
    let m = place().machine();
    let ran = |c: &str| m.run(c);
    let expected = |code, out: &str, err: &str| Ran { code, out: out.to_owned(), err: err.to_owned() };
    assert_eq!(ran("echo o; echo e >&2; exit 7"), expected(Some(7), "o\n", "e\n"));
    assert_eq!(ran("nosuchcommand 2>/dev/null").code, Some(127));
    assert_eq!(ran("kill -9 $$").code, None, "a signal is not an exit code");
    assert_eq!(
        ran("echo $USER $HOME $SHELL $PWD; test -t 0 || echo no terminal").out,
        "root /root /bin/bash /root\nno terminal\n"
    );
    assert!(ran("echo $SSH_CONNECTION").out.starts_with("203.0.113.1 "));
    assert_eq!(ran("echo JAVA_HOME=/opt/j >> /etc/environment").code, Some(0));
    assert_eq!(ran("echo $JAVA_HOME").out, "/opt/j\n");
}

fn wrong_key() {
    let m = place().machine();
    let other = Key::make(place().folder.path());
    assert_eq!(client(&place().dir(), m.public(), "root", &other.file, "true"), Err("permission denied".to_owned()));
    assert_eq!(
        client(&place().dir(), m.public(), "nobody", &place().key.file, "true"),
        Err("permission denied".to_owned())
    );
}

fn key_with_options() {
    let m = place().machine();
    m.out("sed -i 's/^/command=\"date\" /' /root/.ssh/authorized_keys");
    assert_eq!(
        client(&place().dir(), m.public(), "root", &place().key.file, "true"),
        Err("permission denied".to_owned())
    );
}

fn many_on_one() {
    let m = place().machine();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    rt.block_on(async {
        let h = login(&place().dir(), m.public(), "root", &place().key.file).await.expect("in");
        let commands: Vec<String> = (0..20).map(|i| format!("echo {i}; exit {i}")).collect();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for pair in commands.chunks(2) {
            let (x, y) = tokio::join!(exec(&h, &pair[0]), exec(&h, &pair[1]));
            a.push(x.expect("ran"));
            b.push(y.expect("ran"));
        }
        for (i, r) in a.iter().zip(&b).flat_map(|(a, b)| [a, b]).enumerate() {
            assert_eq!((r.code, r.out.as_str()), (Some(i as u32), format!("{i}\n").as_str()));
        }
    });
}

fn replaced_host_key() {
    let m = place().machine();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let seen = || {
        let mut c = m.ssh("ssh");
        c.args(["-v", "-o", "LogLevel=DEBUG1", "root@m", "true"]);
        let text = String::from_utf8_lossy(&c.output().expect("ssh").stderr).into_owned();
        text.lines()
            .find(|l| l.contains("Server host key:"))
            .map(|l| l.rsplit(' ').next().unwrap_or_default().to_owned())
            .expect("a key")
    };
    if which("ssh").is_none() || which("ssh-keygen").is_none() {
        return;
    }
    let before = seen();
    let _open = rt.block_on(login(&place().dir(), m.public(), "root", &place().key.file)).expect("in");
    let new = m.out("rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key | cut -d' ' -f2");
    assert_ne!(before, new.trim());
    assert_eq!(seen(), new.trim());
    let refused = m.ssh("ssh").args(["root@m", "true"]).output().expect("ssh");
    assert!(!refused.status.success(), "it is not the key that is known");
}

fn background() {
    let m = place().machine();
    assert_eq!(m.out("sleep 60 >/dev/null 2>&1 </dev/null & echo bg"), "bg\n");
}

fn bytes_both_ways() {
    let m = place().machine();
    let big = vec![b'x'; 64 << 20];
    let out = with_input(m.ssh("ssh").args(["root@m", "cat"]), &big);
    assert!(out.status.success() && out.stdout == big, "64 MB to cat and back: {} bytes", out.stdout.len());
    let out = with_input(m.ssh("ssh").args(["root@m", "wc -l"]), b"1\n2\n3\n");
    assert_eq!(out.stdout, b"3\n");
    // Who does not read its input must not hang the connection.
    let out = with_input(m.ssh("ssh").args(["root@m", "echo done"]), &big[..20 << 20]);
    assert_eq!(out.stdout, b"done\n");
    let out = with_input(m.ssh("ssh").arg("root@m"), b"echo $0 $HOME; exit 3\n");
    assert_eq!((out.status.code(), &out.stdout[..]), (Some(3), &b"-bash /root\n"[..]));
}

fn terminal() {
    let m = place().machine();
    let out =
        m.ssh("ssh").args(["-tt", "root@m", "tty; echo $TERM; exit 5"]).env("TERM", "xterm").output().expect("ssh");
    assert_eq!(
        (out.status.code(), String::from_utf8_lossy(&out.stdout).as_ref()),
        (Some(5), "/dev/pts/0\r\nxterm\r\n")
    );
    // A job in the background that holds the terminal does not hold the session.
    let out = m.ssh("ssh").args(["-tt", "root@m", "set -m; nohup sleep 61 & echo bg"]).output().expect("ssh");
    assert!(String::from_utf8_lossy(&out.stdout).contains("bg"), "{out:?}");
    // Size and its changes, with the library.
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    rt.block_on(async {
        let h = login(&place().dir(), m.public(), "root", &place().key.file).await.expect("in");
        let mut c = h.channel_open_session().await.expect("a channel");
        c.request_pty(true, "xterm", 99, 33, 0, 0, &[]).await.expect("a terminal");
        c.exec(true, "stty size; read x; stty size; read y; stty size").await.expect("a command");
        let (mut text, mut step) = (String::new(), 0);
        while let Some(msg) = c.wait().await {
            if let russh::ChannelMsg::Data { data } = msg {
                text.push_str(&String::from_utf8_lossy(&data));
            }
            if step == 0 && text.contains("33 99") {
                step = 1;
                c.window_change(120, 40, 0, 0).await.expect("resized");
                c.data(&b"\n"[..]).await.expect("typed");
            }
            if step == 1 && text.contains("40 120") {
                step = 2;
                c.data(&b"\n"[..]).await.expect("typed");
            }
        }
        assert_eq!(text.matches("40 120").count(), 2, "{text}");
    });
}

fn sftp() {
    let m = place().machine();
    let dir = tempfile::tempdir().expect("a folder");
    let big: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(dir.path().join("big"), &big).expect("written");
    let batch = "put big /root/big\nget /root/big back\nmkdir /root/d\nrename /root/big /root/d/b\nchmod 600 /root/d/b\nln -s d/b /root/l\nls -l /root\n";
    let out = with_input(m.ssh("sftp").args(["-q", "-b", "-", "root@m"]).current_dir(dir.path()), batch.as_bytes());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(std::fs::read(dir.path().join("back")).expect("fetched") == big);
    assert_eq!(m.out("stat -c %a /root/d/b; readlink /root/l"), "600\nd/b\n");
    let tree = dir.path().join("t/u");
    std::fs::create_dir_all(&tree).expect("made");
    std::fs::write(tree.join("f"), "deep").expect("written");
    let out = m.ssh("scp").args(["-q", "-r"]).arg(dir.path().join("t")).arg("root@m:/root/t").output().expect("scp");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(m.out("cat /root/t/u/f"), "deep");
}

fn forwarding() {
    let (m, other) = (place().machine(), place().machine());
    // -W: standard input and output to another machine's port, seen from the first.
    let to = format!("{}:22", other.private());
    let mut c =
        m.ssh("ssh").args(["-W", &to, "root@m"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("ssh");
    let mut hello = [0; 8];
    c.stdout.as_mut().expect("a pipe").read_exact(&mut hello).expect("its greeting");
    assert_eq!(&hello, b"SSH-2.0-");
    drop(c.stdin.take());
    let _ = c.kill();
    let _ = c.wait();
    let refused = m.ssh("ssh").args(["-W", &format!("{}:5", other.private()), "root@m"]).output().expect("ssh");
    assert!(!refused.status.success());
}

fn fdpass() {
    let m = place().machine();
    let mut child = m
        .ssh_by("ssh", "--fd")
        .args(["-o", "ProxyUseFdpass=yes"])
        .args(["root@m", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ssh");
    child.stdin.take().expect("a pipe").write_all(b"through\n").expect("written");
    assert_eq!(child.wait_with_output().expect("ended").stdout, b"through\n");
}
