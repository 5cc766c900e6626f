//! What a machine is: its names, addresses, files; what it does not see.

use super::Case;
use super::support::place;
use expect_test::expect;
use linodetool_sandbox::dial::dial;
use linodetool_sandbox::machines::Machines;

pub(crate) const CASES: &[Case] = &[
    ("boot::is_who_it_is", is_who_it_is),
    ("boot::machines_reach_each_other_and_nothing_else", machines_reach_each_other),
    ("boot::secrets_of_this_computer_are_hidden", secrets_are_hidden),
    ("boot::this_computer_is_not_changed", host_is_not_changed),
    ("boot::dangerous_rights_are_gone", rights_are_gone),
    ("boot::twice_is_an_error", twice),
    ("boot::packages_can_be_installed", packages),
];

fn is_who_it_is() {
    let m = place().machine();
    let text = m.out("hostname; ip -o -4 addr show eth0 | awk '{print $4}'; id -un; cat /proc/1/comm; cat /etc/resolv.conf; ls /root /home /tmp /var/tmp; stat -c %a /root /tmp");
    let text = text
        .replace(&m.spec.hostname, "NAME")
        .replace(&m.public().to_string(), "PUBLIC")
        .replace(&m.private().to_string(), "PRIVATE");
    expect![[r#"
        NAME
        PUBLIC/15
        PRIVATE/17
        root
        systemd
        # A sandbox machine reaches nothing outside of the sandbox.
        /home:

        /root:

        /tmp:

        /var/tmp:
        700
        1777
    "#]]
    .assert_eq(&text);
    let hosts = m.out("cat /etc/hosts").replace(&m.spec.hostname, "NAME").replace(&m.private().to_string(), "PRIVATE");
    expect![[r#"
        127.0.0.1 localhost
        ::1 localhost ip6-localhost ip6-loopback
        PRIVATE NAME
    "#]]
    .assert_eq(&hosts);
}

fn machines_reach_each_other() {
    let (a, b) = (place().machine(), place().machine());
    // bash's own /dev/tcp: no program is needed. The other's SSH server says who it is.
    for ip in [b.public(), b.private()] {
        let hello = a.out(&format!("exec 3<>/dev/tcp/{ip}/22; read -r line <&3; echo $line"));
        assert!(hello.starts_with("SSH-2.0-"), "{hello}");
    }
    let out = a.run("(exec 3<>/dev/tcp/192.0.2.1/80) 2>&1 | grep -o 'Network is unreachable'; ip route");
    assert!(out.out.starts_with("Network is unreachable\n"), "{}", out.out);
    assert!(!out.out.contains("default"), "{}", out.out);
    assert!(dial(&place().dir(), (b.private(), 22).into()).is_ok());
    let e = dial(&place().dir(), (b.private(), 4).into()).expect_err("nobody listens");
    assert_eq!(e.to_string(), format!("cannot connect to {}:4: Connection refused (os error 111)", b.private()));
}

fn secrets_are_hidden() {
    let m = place().machine();
    let seen = m.out(
        "cut -d: -f2 /etc/shadow | sort -u; ls /etc/ssh /etc/ssl/private /var/lib/docker 2>/dev/null; ls /work /mnt /srv /media; \
         find /etc /var -xdev -type f ! -perm -o+r -size +0 2>/dev/null | sort",
    );
    expect![[r#"
        *
        /etc/ssh:
        ssh_host_ed25519_key
        ssh_host_ed25519_key.pub

        /etc/ssl/private:
        /media:

        /mnt:

        /srv:
        /etc/gshadow
        /etc/shadow
        /etc/ssh/ssh_host_ed25519_key
        /etc/sudoers
    "#]]
    .assert_eq(&seen.replace("ls: cannot access '/work': No such file or directory\n", ""));
}

fn host_is_not_changed() {
    let before = (mounts(), interfaces());
    let m = place().machine();
    m.out("echo x > /etc/linodetool-test; echo y > /usr/local/linodetool-test; hostname other; rm -f /etc/passwd");
    assert!(
        !std::path::Path::new("/etc/linodetool-test").exists()
            && !std::path::Path::new("/usr/local/linodetool-test").exists()
    );
    assert!(std::path::Path::new("/etc/passwd").exists());
    assert_eq!(before, (mounts(), interfaces()));
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").expect("mounts")
}

fn interfaces() -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir("/sys/class/net")
        .expect("interfaces")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    all.sort();
    all
}

fn rights_are_gone() {
    let m = place().machine();
    let seen = m.out("mknod /root/x b 254 0 2>&1; date -s 2000-01-01 2>&1 | head -1");
    assert!(seen.contains("mknod: /root/x: Operation not permitted"), "{seen}");
    assert!(seen.contains("date: cannot set date: Operation not permitted"), "{seen}");
    // What is one for the whole kernel a machine sees and may set, for itself alone.
    let host = |f: &str| std::fs::read_to_string(f).expect("a value");
    let before = (host("/proc/sys/vm/swappiness"), host("/proc/sys/kernel/pid_max"));
    assert_eq!(m.out("sysctl -qw vm.swappiness=3 net.ipv4.tcp_keepalive_time=77; sysctl -n vm.swappiness net.ipv4.tcp_keepalive_time"), "3\n77\n");
    assert_eq!(m.run("echo 100 > /proc/sys/kernel/pid_max").code, Some(1));
    assert_eq!(
        m.out("for f in sysrq-trigger kcore; do test -s /proc/$f && head -c1 /proc/$f; done; echo none"),
        "none\n"
    );
    assert_eq!(before, (host("/proc/sys/vm/swappiness"), host("/proc/sys/kernel/pid_max")));
}

fn twice() {
    let m = place().machine();
    let e = place().room.boot(&m.spec).expect_err("it runs");
    assert_eq!(e.0, format!("machine {} runs already", m.spec.id));
    assert_eq!(m.out("echo still there"), "still there\n");
}

fn packages() {
    if super::support::which("dpkg-deb").is_none() || super::support::which("apt-get").is_none() {
        return;
    }
    let m = place().machine();
    let service = "[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=multi-user.target\\n";
    m.out(&format!(
        "mkdir -p p/DEBIAN p/usr/share/pk p/lib/systemd/system; echo hi > p/usr/share/pk/x; printf '{service}' > p/lib/systemd/system/pk.service
         printf 'Package: pk\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n' > p/DEBIAN/control
         printf '#!/bin/sh\\nset -e\\nadduser --system --quiet --group pk\\nsystemctl daemon-reload\\nsystemctl enable --now pk\\n' > p/DEBIAN/postinst
         chmod 755 p/DEBIAN/postinst; dpkg-deb -b p /root/pk.deb"
    ));
    let seen = m.run("dpkg -i /root/pk.deb >/tmp/log 2>&1; echo $?; systemctl is-active pk; id -un pk; apt-get install -y --reinstall /root/pk.deb >/tmp/log 2>&1; echo $?; cat /usr/share/pk/x; dpkg -r pk >/dev/null 2>&1; ls /usr/share/pk 2>&1 | wc -l");
    assert_eq!(seen.out, "0\nactive\npk\n0\nhi\n1\n", "{}", m.out("cat /tmp/log"));
}
