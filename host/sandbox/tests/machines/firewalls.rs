//! Cloud Firewalls in force.

use super::Case;
use super::support::{Machine, Place, client};
use linodetool_sandbox::dial::dial;
use linodetool_sandbox::machines::{FirewallRules, Machines, Rule};

pub(crate) const CASES: &[Case] = &[
    ("firewall::blocks_and_allows", blocks_and_allows),
    ("firewall::outbound_and_replies", outbound),
    ("firewall::a_bad_rule_changes_nothing", bad_rule),
];

fn rule(accept: bool, protocol: &str, ports: &str, net: &str) -> Rule {
    Rule { accept, protocol: protocol.to_owned(), ports: ports.to_owned(), ipv4: vec![net.to_owned()] }
}

fn guard(m: &Machine<'_>) -> FirewallRules {
    FirewallRules { machines: vec![m.spec.id], inbound_accept: true, outbound_accept: true, ..Default::default() }
}

/// A TCP port of `to`, tried from `from`: whether it answers within a second. A refusal is an answer, silence is not.
fn answers(from: &Machine<'_>, to: &str, port: u16) -> bool {
    let out = from.out(&format!("timeout 1 bash -c 'exec 3<>/dev/tcp/{to}/{port}' 2>&1; echo $?"));
    !out.ends_with("124\n")
}

fn blocks_and_allows() {
    let p = Place::new();
    let (guarded, friend, stranger) = (p.machine(), p.machine(), p.machine());
    let anywhere = "0.0.0.0/0";
    let mut f = guard(&guarded);
    f.inbound_accept = false;
    f.inbound = vec![
        rule(false, "TCP", "22", &format!("{}/32", stranger.private())),
        rule(true, "TCP", "22, 9000-9010", anywhere),
        rule(true, "TCP", "", &format!("{}/32", friend.private())),
        rule(true, "ICMP", "", &format!("{}/32", friend.private())),
    ];
    p.room.set_firewalls(&[f.clone()]).expect("in force");
    // The first rule that fits decides; what fits none is dropped.
    let private = guarded.private().to_string();
    assert!(answers(&friend, &private, 22) && answers(&friend, &private, 8080));
    assert!(!answers(&stranger, &private, 22) && !answers(&stranger, &private, 8080));
    assert!(answers(&stranger, &private, 9005), "a refusal, by the machine itself");
    assert!(!answers(&friend, &guarded.public().to_string(), 8080), "its public address is another source");
    // Dials count as coming from the internet.
    for ip in [guarded.public(), guarded.private()] {
        assert_eq!(client(&p.dir(), ip, "root", &p.key.file, "echo in").expect("22 is open to all").out, "in\n");
        assert!(dial(&p.dir(), (ip, 9001).into()).expect_err("nobody listens").to_string().contains("refused"));
    }
    // Unguarded machines are as before; guarded ones reach out.
    assert!(
        answers(&friend, &stranger.private().to_string(), 22) && answers(&guarded, &stranger.private().to_string(), 22)
    );
    // A machine that boots later is guarded from its first packet.
    p.room.power_off(guarded.spec.id).expect("off");
    p.room.boot(&guarded.spec).expect("boots");
    assert!(!answers(&stranger, &private, 22));
    // And all is well once there are none.
    p.room.set_firewalls(&[]).expect("none");
    assert!(answers(&stranger, &private, 22));
}

fn outbound() {
    let p = Place::new();
    let (guarded, other) = (p.machine(), p.machine());
    let net = format!("{}/32", other.private());
    let mut f = guard(&guarded);
    (f.inbound_accept, f.outbound_accept) = (false, false);
    f.inbound = vec![rule(true, "TCP", "22", "0.0.0.0/0")];
    f.outbound = vec![rule(true, "TCP", "22", &net), rule(true, "UDP", "5353", &net)];
    p.room.set_firewalls(&[f]).expect("in force");
    let to = other.private().to_string();
    assert!(answers(&guarded, &to, 22));
    assert!(!answers(&guarded, &to, 80));
    assert!(!answers(&guarded, &other.public().to_string(), 22));
    // UDP: the answer to what was let out comes in, what nobody asked for does not.
    let echo = "python3 -c 'import socket; s=socket.socket(2,2); s.bind((\"\",5353)); d,a=s.recvfrom(99); s.sendto(d.upper(),a); s.sendto(d,(a[0],4000))'";
    if super::support::which("python3").is_some() {
        other.out(&format!("nohup {echo} >/dev/null 2>&1 </dev/null &"));
        other.wait("grep -q ':14E9 ' /proc/net/udp");
        let ask = format!(
            "python3 -c 'import socket; s=socket.socket(2,2); s.settimeout(3); s.bind((\"\",0)); u=socket.socket(2,2); u.bind((\"\",4000)); u.settimeout(0.5); s.sendto(b\"hi\",(\"{to}\",5353)); print(s.recv(9)); u.recv(9)' 2>&1 | grep -v -e Traceback -e File"
        );
        let seen = guarded.run(&ask).out;
        assert!(seen.contains("HI") && seen.contains("timed out"), "{seen}");
    }
}

fn bad_rule() {
    let p = Place::new();
    let (guarded, other) = (p.machine(), p.machine());
    let mut f = guard(&guarded);
    f.inbound = vec![rule(false, "TCP", "80", "0.0.0.0/0")];
    p.room.set_firewalls(&[f.clone()]).expect("in force");
    f.inbound = vec![rule(true, "TCP", "80", "0.0.0.0/0"), rule(true, "TCP", "80,,x", "0.0.0.0/0")];
    assert!(p.room.set_firewalls(&[f]).is_err());
    assert!(!answers(&other, &guarded.private().to_string(), 80), "the old one is in force");
}
