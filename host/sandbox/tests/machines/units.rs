//! systemd units as recipes use them.

use super::Case;
use super::support::{Machine, place};
use expect_test::expect;
use linodetool_sandbox::machines::Machines;

pub(crate) const CASES: &[Case] = &[
    ("units::a_simple_service", simple),
    ("units::restart_on_failure_and_give_up", restart),
    ("units::a_daemon_that_forks_away", forking),
    ("units::oneshot_and_order", oneshot),
    ("units::enabled_ones_start_at_boot", at_boot),
    ("units::user_limits_and_folders", user),
    ("units::what_systemctl_prints", prints),
    ("units::only_root_may", only_root),
    ("units::stop_is_patient_and_then_is_not", stop),
];

fn unit(m: &Machine<'_>, name: &str, text: &str) {
    m.out(&format!("cat > /etc/systemd/system/{name}.service <<'EOF'\n{text}\nEOF\nsystemctl daemon-reload"));
}

fn simple() {
    let m = place().machine();
    m.out("mkdir /opt/app; echo 'FROM_FILE=\"a file\"' > /opt/app/env");
    unit(
        &m,
        "web",
        "[Unit]\nDescription=The web\nAfter=network.target\n[Service]\nEnvironment=A=1 \"MSG=two words\"\nEnvironmentFile=/opt/app/env\nEnvironmentFile=-/nonexistent\n\
         WorkingDirectory=/opt/app\nExecStartPre=/bin/sh -c 'echo pre'\nExecStart=/bin/sh -c 'echo $MSG ${A} $FROM_FILE; pwd; exec sleep 1000'\n[Install]\nWantedBy=multi-user.target",
    );
    assert_eq!(m.run("systemctl is-active web").out, "inactive\n");
    m.out("systemctl enable --now web");
    m.wait("journalctl -u web | grep -q /opt/app");
    let seen = m.run("journalctl -u web --no-pager; systemctl is-active web; systemctl is-enabled web.service; pgrep -c -x sleep; systemctl show -p ActiveState,SubState,Result web; systemctl stop web; systemctl is-active web; echo $?; pgrep -c -x sleep; systemctl disable web; systemctl is-enabled web; journalctl -u web -n 1");
    expect![[r#"
        pre
        two words 1 a file
        /opt/app
        active
        enabled
        1
        ActiveState=active
        SubState=running
        Result=success
        inactive
        3
        0
        disabled
        /opt/app
    "#]]
    .assert_eq(&seen.out);
}

fn restart() {
    let m = place().machine();
    unit(&m, "r", "[Service]\nExecStart=/bin/sleep 1000\nRestart=on-failure\nRestartSec=20ms");
    m.out("systemctl start r");
    let pid = m.out("systemctl show -p MainPID --value r");
    m.out(&format!("kill -9 {pid}"));
    m.wait(&format!("p=$(systemctl show -p MainPID --value r); test $p != {} && test $p != 0", pid.trim()));
    assert_eq!(m.out("systemctl is-active r; systemctl show -p NRestarts --value r"), "active\n1\n");
    // Killed politely it has ended well.
    m.out("kill $(systemctl show -p MainPID --value r)");
    m.wait("test $(systemctl is-active r) = inactive");
    unit(&m, "f", "[Service]\nExecStart=/bin/sh -c 'echo try; exit 3'\nRestart=always\nRestartSec=10ms");
    m.out("systemctl start f || true");
    m.wait("systemctl is-failed f");
    let seen = m.out("journalctl -u f | wc -l; systemctl show -p Result,ExecMainStatus f; systemctl reset-failed f; systemctl is-active f || true");
    expect![[r#"
        5
        ExecMainStatus=3
        Result=start-limit-hit
        inactive
    "#]]
    .assert_eq(&seen);
}

fn forking() {
    let m = place().machine();
    m.out("printf '#!/bin/sh\\nsetsid sh -c \"setsid sleep 1000 & echo \\\\$! > /run/d.pid\" &\\nsleep 0.1\\n' > /root/d.sh; chmod +x /root/d.sh");
    unit(&m, "d", "[Service]\nType=forking\nPIDFile=/run/d.pid\nExecStart=/root/d.sh");
    m.out("systemctl start d");
    assert_eq!(
        m.out("systemctl is-active d; test $(systemctl show -p MainPID --value d) = $(cat /run/d.pid) && echo same"),
        "active\nsame\n"
    );
    // It has left its session twice, and is still found.
    assert_eq!(m.run("systemctl stop d; pgrep -c -x sleep").out, "0\n");
    m.out("systemctl start d; kill -9 $(cat /run/d.pid)");
    m.wait("test $(systemctl is-active d) = inactive");
}

fn oneshot() {
    let m = place().machine();
    unit(
        &m,
        "first",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'sleep 0.2; echo first >> /root/log'\nExecStop=/bin/sh -c 'echo stop >> /root/log'",
    );
    unit(
        &m,
        "second",
        "[Unit]\nRequires=first.service\nAfter=first.service\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo second >> /root/log'",
    );
    m.out("systemctl start second");
    assert_eq!(
        m.run("cat /root/log; systemctl is-active first second; systemctl restart first; cat /root/log").out,
        "first\nsecond\nactive\ninactive\nfirst\nsecond\nstop\nfirst\n"
    );
    unit(&m, "bad", "[Service]\nType=oneshot\nExecStart=/bin/false");
    let ran = m.run("systemctl start bad; echo $?; systemctl is-active bad; systemctl start nosuch; echo $?; systemctl status nosuch; echo $?");
    expect![[r#"
        1
        failed
        5
        4
        Job for bad.service failed: /bin/false ended with code 1. See "systemctl status bad.service" and "journalctl -u bad.service".
        Unit nosuch.service could not be found.
        Unit nosuch.service could not be found.
    "#]].assert_eq(&(ran.out + &ran.err));
}

fn at_boot() {
    let m = place().machine();
    unit(
        &m,
        "b",
        "[Unit]\nAfter=a.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo b >> /root/log'\n[Install]\nWantedBy=multi-user.target",
    );
    unit(
        &m,
        "a",
        "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sleep 0.2; echo a >> /root/log'\nRemainAfterExit=yes\nExecStop=/bin/sh -c 'echo bye >> /root/log'\n[Install]\nWantedBy=multi-user.target",
    );
    m.out("systemctl enable a b");
    place().room.power_off(m.spec.id).expect("off");
    place().room.boot(&m.spec).expect("boots again");
    m.wait("systemctl is-active -q b");
    assert_eq!(m.out("cat /root/log"), "a\nb\n");
    place().room.power_off(m.spec.id).expect("off");
    place().room.boot(&m.spec).expect("boots again");
    m.wait("systemctl is-active -q b");
    assert_eq!(m.out("cat /root/log"), "a\nb\nbye\na\nb\n", "services are stopped before the power goes");
}

fn user() {
    let m = place().machine();
    m.out("useradd -m hdfs; groupadd ops");
    unit(
        &m,
        "u",
        "[Service]\nType=oneshot\nUser=hdfs\nGroup=ops\nLimitNOFILE=12345\nUMask=027\nRuntimeDirectory=u\nExecStart=/bin/sh -c 'id -un; id -gn; ulimit -n; umask; echo $HOME; stat -c %%U:%%G /run/u; pwd'\n\
         StandardOutput=append:/tmp/u.out\nExecStartPre=-+/bin/sh -c 'id -un; id -gn; touch /run/u/here'\n\
         ExecStartPost=+/bin/sh -c 'stat -c %%U:%%G /run/u; id -un'",
    );
    m.out("systemctl start u");
    expect![[r#"
        root
        root
        hdfs
        ops
        12345
        0027
        /home/hdfs
        hdfs:ops
        /
        hdfs:ops
        root
    "#]]
    .assert_eq(&m.out("cat /tmp/u.out"));
}

fn prints() {
    let m = place().machine();
    unit(&m, "p", "[Unit]\nDescription=Printed\n[Service]\nExecStart=/bin/sh -c 'echo hello; exec sleep 1000'");
    m.out("systemctl start p");
    m.wait("journalctl -u p | grep -q hello");
    let seen = m.out("systemctl status p | sed 's/PID: [0-9]*/PID: N/'; systemctl list-units --type=service; systemctl cat p; systemctl is-active ssh; systemctl restart ssh; systemctl is-system-running; systemctl --version | head -1");
    expect![[r#"
        ● p.service - Printed
             Loaded: loaded (/etc/systemd/system/p.service; static)
             Active: active (running)
           Main PID: N (sleep)

        hello
        UNIT LOAD ACTIVE SUB DESCRIPTION
        p.service loaded active running Printed

        1 loaded units listed.
        # /etc/systemd/system/p.service
        [Unit]
        Description=Printed
        [Service]
        ExecStart=/bin/sh -c 'echo hello; exec sleep 1000'
        active
        running
        systemd 252 (linodetool sandbox)
    "#]]
    .assert_eq(&seen);
}

fn only_root() {
    let m = place().machine();
    unit(&m, "p", "[Service]\nExecStart=/bin/sleep 1000");
    m.out("systemctl start p; cp -r /root/.ssh /tmp/; chmod -R a+rX /tmp/.ssh; useradd -m joe");
    let ran = m.run("setpriv --reuid joe --regid joe --clear-groups systemctl stop p; echo $?; setpriv --reuid joe --regid joe --clear-groups systemctl is-active p; setpriv --reuid joe --regid joe --clear-groups poweroff; echo $?");
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("1\nactive\n1\n", "Access denied: only root may do that.\nAccess denied: only root may do that.\n")
    );
}

fn stop() {
    let m = place().machine();
    unit(
        &m,
        "s",
        "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.05; done'\nTimeoutStopSec=200ms",
    );
    m.out("systemctl start s");
    m.wait("journalctl -u s | grep -q up");
    assert_eq!(
        m.run("systemctl stop s; systemctl show -p ActiveState,Result s; pgrep -c -f 'sleep 0.05'").out,
        "ActiveState=failed\nResult=timeout\n0\n"
    );
    // Zero is no limit.
    unit(
        &m,
        "z",
        "[Service]\nTimeoutStartSec=0\nTimeoutStopSec=infinity\nExecStartPre=/bin/sleep 0.3\n\
         ExecStart=/bin/sh -c 'trap \"sleep 0.3; echo bye; exit 0\" TERM; echo up; while :; do sleep 0.05; done'",
    );
    m.out("systemctl start z");
    m.wait("journalctl -u z | grep -q up");
    assert_eq!(m.run("systemctl stop z; systemctl is-active z; journalctl -u z -n 1").out, "inactive\nbye\n");
}
