//! Cloud Firewalls as rules of `nft` on the room's bridge, outside of the machines they guard.
//!
//! Owns: the translation, one atomic change per call. Does not know which machines run: ports are matched by name.
//!
//! Replies pass without the kernel's connection tracking, which on a bridge is an option (nf_conntrack_bridge) that not
//! every kernel has: a TCP segment that does not open a connection passes, so do ICMP's answers and errors, and a UDP
//! packet whose reverse was let through within three minutes.

use super::fail::{Because, Result, fail};
use super::{FirewallRules, Rule, protocol};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

const TABLE: &str = "table bridge linodetool";

/// The whole ruleset for `nft -f -`; replaces what was there before.
pub(crate) fn ruleset(firewalls: &[FirewallRules]) -> Result<String> {
    // `flush` empties chains and keeps the set, so that open UDP conversations go on.
    let mut out = format!("{TABLE} {{}}\nflush {TABLE}\n{TABLE} {{\n");
    out.push_str("  set flows { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic,timeout; timeout 3m; size 65535; }\n");
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for (n, f) in firewalls.iter().enumerate() {
        chain(&mut out, &format!("in{n}"), &f.inbound, f.inbound_accept, "saddr")?;
        chain(&mut out, &format!("out{n}"), &f.outbound, f.outbound_accept, "daddr")?;
        for id in &f.machines {
            let port = protocol::port(*id)?;
            from.push(format!("\"{port}\" : jump out{n}"));
            to.push(format!("\"{port}\" : jump in{n}"));
        }
    }
    out.push_str("  chain judge {\n");
    if !from.is_empty() {
        out.push_str("    ether type ip6 drop\n    ether type != ip accept\n    ip frag-off & 0x1fff != 0 accept\n");
        out.push_str("    tcp flags & (syn | ack) != syn accept\n");
        out.push_str(
            "    icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept\n",
        );
        out.push_str("    ip daddr . udp dport . ip saddr . udp sport @flows accept\n");
        // Looked up, not tried one after another: there may be a thousand. A machine has one firewall at most.
        let _ = writeln!(out, "    iifname vmap {{ {} }}\n    oifname vmap {{ {} }}", from.join(", "), to.join(", "));
        out.push_str("    ip protocol udp update @flows { ip saddr . udp sport . ip daddr . udp dport }\n");
    }
    out.push_str("  }\n");
    for hook in ["input", "forward", "output"] {
        let _ = writeln!(out, "  chain {hook} {{ type filter hook {hook} priority 0; policy accept; jump judge; }}");
    }
    out.push_str("}\n");
    Ok(out)
}

/// A firewall's rules for one direction. `return` lets a packet on to the next firewall in its way.
fn chain(out: &mut String, name: &str, rules: &[Rule], accept: bool, address: &str) -> Result<()> {
    let verdict = |accept| if accept { "return" } else { "drop" };
    let _ = writeln!(out, "  chain {name} {{");
    for r in rules {
        let Some(nets) = networks(&r.ipv4)? else { continue };
        let nets = if nets.is_empty() { String::new() } else { format!("ip {address} {{ {nets} }} ") };
        let protocol = r.protocol.to_ascii_uppercase();
        let what = match protocol.as_str() {
            "TCP" | "UDP" => {
                let p = protocol.to_ascii_lowercase();
                let ports = ports(&r.ports)?;
                if ports.is_empty() { format!("ip protocol {p} ") } else { format!("{p} dport {{ {ports} }} ") }
            }
            "ICMP" => "ip protocol icmp ".to_owned(),
            "IPENCAP" => "ip protocol 4 ".to_owned(),
            "ALL" => String::new(),
            other => {
                return fail(format!(
                    "a firewall rule has the unknown protocol {other:?}; known are TCP, UDP, ICMP, IPENCAP and ALL"
                ));
            }
        };
        let _ = writeln!(out, "    {nets}{what}{}", verdict(r.accept));
    }
    let _ = writeln!(out, "    {}\n  }}", verdict(accept));
    Ok(())
}

/// Networks as address ranges without overlaps, which nft refuses; empty: everything. `None`: no network at all.
fn networks(cidrs: &[String]) -> Result<Option<String>> {
    let mut ranges = Vec::new();
    for c in cidrs {
        let (ip, bits) = c.split_once('/').unwrap_or((c, "32"));
        let parsed =
            ip.trim().parse::<std::net::Ipv4Addr>().ok().zip(bits.trim().parse::<u32>().ok().filter(|b| *b <= 32));
        let (ip, bits) =
            parsed.because(|| format!("a firewall rule has {c:?}, which is not an IPv4 network like 192.0.2.0/24"))?;
        let host = u32::MAX.checked_shr(bits).unwrap_or(0);
        let first = u32::from(ip) & !host;
        ranges.push((first, first | host));
    }
    let show = |n: u32| std::net::Ipv4Addr::from(n).to_string();
    let merged = merge(ranges);
    Ok(match merged[..] {
        [] => None,
        [(0, u32::MAX)] => Some(String::new()),
        _ => Some(list(&merged, show)),
    })
}

/// Ports and ranges as the API writes them, without overlaps; empty: all.
fn ports(text: &str) -> Result<String> {
    let mut ranges = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (a, b) = part.split_once('-').unwrap_or((part, part));
        let parsed = a.trim().parse::<u16>().ok().zip(b.trim().parse::<u16>().ok()).filter(|(a, b)| a <= b);
        let (a, b) =
            parsed.because(|| format!("a firewall rule has the ports {text:?}; they look like \"22, 8000-8010\""))?;
        ranges.push((u32::from(a), u32::from(b)));
    }
    Ok(list(&merge(ranges), |n| n.to_string()))
}

fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::new();
    for (a, b) in ranges {
        match out.last_mut() {
            Some(last) if a <= last.1.saturating_add(1) => last.1 = last.1.max(b),
            _ => out.push((a, b)),
        }
    }
    out
}

fn list(ranges: &[(u32, u32)], show: impl Fn(u32) -> String) -> String {
    let one = |(a, b): &(u32, u32)| if a == b { show(*a) } else { format!("{}-{}", show(*a), show(*b)) };
    ranges.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Whether `nft` can be run.
pub(crate) fn program() -> Option<&'static str> {
    ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"]
        .into_iter()
        .find(|p| std::path::Path::new(p).exists())
}

/// Puts a ruleset in force in this network namespace, all of it or nothing.
pub(crate) fn apply(rules: &str) -> Result<()> {
    let nft = program().because(
        || "this computer cannot enforce firewalls: the program nft is missing (Debian: apt-get install nftables)",
    )?;
    let mut child = Command::new(nft)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .because(|| format!("cannot run {nft}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(rules.as_bytes()); // nft that gives up early says why below
    }
    let out = child.wait_with_output().because(|| format!("cannot wait for {nft}"))?;
    if out.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&out.stderr);
    fail(format!("this computer cannot enforce firewalls: nft says: {}", why.lines().next().unwrap_or("nothing")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn rule(accept: bool, protocol: &str, ports: &str, ipv4: &[&str]) -> Rule {
        Rule {
            accept,
            protocol: protocol.into(),
            ports: ports.into(),
            ipv4: ipv4.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    #[test]
    fn one_firewall() {
        let f = FirewallRules {
            machines: vec![7, 8],
            inbound: vec![
                rule(true, "TCP", "22, 8000-8010,8005-9000", &["0.0.0.0/0"]),
                rule(true, "UDP", "", &["192.168.128.0/17", "192.168.200.0/24", "198.18.0.1/32"]),
                rule(false, "ICMP", "", &["0.0.0.0/0"]),
                rule(true, "TCP", "1", &[]),
            ],
            outbound: vec![],
            inbound_accept: false,
            outbound_accept: true,
        };
        expect![[r#"
            table bridge linodetool {}
            flush table bridge linodetool
            table bridge linodetool {
              set flows { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic,timeout; timeout 3m; size 65535; }
              chain in0 {
                tcp dport { 22, 8000-9000 } return
                ip saddr { 192.168.128.0-192.168.255.255, 198.18.0.1 } ip protocol udp return
                ip protocol icmp drop
                drop
              }
              chain out0 {
                return
              }
              chain judge {
                ether type ip6 drop
                ether type != ip accept
                ip frag-off & 0x1fff != 0 accept
                tcp flags & (syn | ack) != syn accept
                icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept
                ip daddr . udp dport . ip saddr . udp sport @flows accept
                iifname vmap { "m7" : jump out0, "m8" : jump out0 }
                oifname vmap { "m7" : jump in0, "m8" : jump in0 }
                ip protocol udp update @flows { ip saddr . udp sport . ip daddr . udp dport }
              }
              chain input { type filter hook input priority 0; policy accept; jump judge; }
              chain forward { type filter hook forward priority 0; policy accept; jump judge; }
              chain output { type filter hook output priority 0; policy accept; jump judge; }
            }
        "#]]
        .assert_eq(&ruleset(&[f]).expect("a ruleset"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let with = |r| ruleset(&[FirewallRules { inbound: vec![r], ..Default::default() }]).expect_err("refused").0;
        expect![[r#"a firewall rule has the ports "22-x"; they look like "22, 8000-8010""#]].assert_eq(&with(rule(
            true,
            "TCP",
            "22-x",
            &["0.0.0.0/0"],
        )));
        expect![[r#"a firewall rule has "10.0.0.0/33", which is not an IPv4 network like 192.0.2.0/24"#]]
            .assert_eq(&with(rule(true, "TCP", "22", &["10.0.0.0/33"])));
        expect![[r#"a firewall rule has the unknown protocol "SCTP"; known are TCP, UDP, ICMP, IPENCAP and ALL"#]]
            .assert_eq(&with(rule(true, "sctp", "", &["10.0.0.0/8"])));
    }
}
