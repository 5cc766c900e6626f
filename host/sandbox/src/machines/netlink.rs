//! Just enough rtnetlink: links, addresses, routes. Blocking, one socket.
//!
//! Owns: the messages. Does not know the plan of addresses. (`ip` costs 2 ms a call and may be missing.)
#![allow(unsafe_code)]

use super::fail::{Because, Result, fail};
use super::sys;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IF_OPER_UP: u8 = 6;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_PID: u16 = 19;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;

/// The kernel's worker that sees a carrier runs at most once a second; this is for a computer under load.
const CARRIER: Duration = Duration::from_secs(10);

pub(crate) type Mac = [u8; 6];

/// A socket in one network namespace.
pub(crate) struct Netlink {
    fd: OwnedFd,
    seq: u32,
}

/// A message under construction.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: i32) -> Self {
        let mut v = vec![0; 16];
        v[4..6].copy_from_slice(&kind.to_ne_bytes());
        v[6..8].copy_from_slice(&((flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16).to_ne_bytes());
        Self(v)
    }

    fn link(&mut self, index: u32, up: bool) -> &mut Self {
        let up = if up { libc::IFF_UP as u32 } else { 0 };
        self.0.extend([0u8; 4]);
        self.0.extend(index.to_ne_bytes());
        self.0.extend(up.to_ne_bytes());
        self.0.extend(up.to_ne_bytes());
        self
    }

    fn attribute(&mut self, kind: u16, data: &[u8]) -> &mut Self {
        self.0.extend((data.len() as u16 + 4).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn name(&mut self, kind: u16, s: &str) -> &mut Self {
        self.attribute(kind, &[s.as_bytes(), &[0]].concat())
    }

    fn nest(&mut self, kind: u16, f: impl FnOnce(&mut Self)) -> &mut Self {
        let at = self.0.len();
        self.0.extend([0, 0]);
        self.0.extend(kind.to_ne_bytes());
        f(self);
        let len = (self.0.len() - at) as u16;
        self.0[at..at + 2].copy_from_slice(&len.to_ne_bytes());
        self
    }
}

impl Netlink {
    /// A socket in the calling thread's network namespace; it stays there for good.
    pub(crate) fn open() -> Result<Self> {
        // SAFETY: no memory involved.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
        if fd < 0 {
            return Err(io::Error::last_os_error()).because(|| "cannot open a netlink socket");
        }
        // SAFETY: made just now and nobody else's.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, seq: 0 })
    }

    /// With a given hardware address: else a bridge takes the lowest of its ports', which changes as machines come and
    /// go, and connections made before hang for many seconds.
    pub(crate) fn add_bridge(&mut self, name: &str, mac: Mac) -> Result<()> {
        let mut m = Message::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        m.link(0, true).name(IFLA_IFNAME, name).attribute(IFLA_ADDRESS, &mac).nest(IFLA_LINKINFO, |m| {
            m.name(IFLA_INFO_KIND, "bridge");
        });
        self.ask(&mut m).because(|| format!("cannot add the bridge {name}"))
    }

    /// `name` here, up and in `bridge`; its peer is `peer`, born inside the namespace of `pid`. The peer's hardware
    /// address is given: with a random one a machine that boots again is unreachable until its neighbours forget the old.
    pub(crate) fn add_pair(&mut self, name: &str, bridge: u32, peer: &str, pid: i32, mac: Mac) -> Result<()> {
        let mut m = Message::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        m.link(0, true).name(IFLA_IFNAME, name).attribute(IFLA_MASTER, &bridge.to_ne_bytes()).nest(
            IFLA_LINKINFO,
            |m| {
                m.name(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, |m| {
                    m.nest(VETH_INFO_PEER, |m| {
                        m.link(0, false).name(IFLA_IFNAME, peer).attribute(IFLA_ADDRESS, &mac);
                        m.attribute(IFLA_NET_NS_PID, &pid.to_ne_bytes());
                    });
                });
            },
        );
        self.ask(&mut m).because(|| format!("cannot add the network interface {name}"))
    }

    pub(crate) fn up(&mut self, index: u32) -> Result<()> {
        self.ask(Message::new(libc::RTM_NEWLINK, 0).link(index, true))
            .because(|| format!("cannot bring up interface {index}"))
    }

    /// Waits until the link carries packets. "Up" is not enough: the carrier of a veth is seen by a kernel worker a
    /// moment later; until then packets are dropped, and a lost first ARP request costs a second.
    pub(crate) fn wait_until_running(&mut self, name: &str) -> Result<()> {
        let index = index(name)?;
        let until = Instant::now() + CARRIER;
        while self.state(index)? != IF_OPER_UP {
            if Instant::now() > until {
                return fail(format!("the network interface {name} does not come up within {} s", CARRIER.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.up(index) // no change, but it waits for the worker's lock
    }

    pub(crate) fn delete(&mut self, name: &str) -> io::Result<()> {
        self.ask(Message::new(libc::RTM_DELLINK, 0).link(0, false).name(IFLA_IFNAME, name))
    }

    pub(crate) fn add_address(&mut self, index: u32, ip: Ipv4Addr, prefix: u8) -> Result<()> {
        let mut m = Message::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        m.0.extend([libc::AF_INET as u8, prefix, 0, 0]);
        m.0.extend(index.to_ne_bytes());
        m.attribute(libc::IFA_LOCAL, &ip.octets()).attribute(libc::IFA_ADDRESS, &ip.octets());
        self.ask(&mut m).because(|| format!("cannot add the address {ip}"))
    }

    /// A route to neighbours on the link.
    pub(crate) fn add_route(&mut self, index: u32, to: Ipv4Addr, prefix: u8) -> Result<()> {
        let mut m = Message::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        m.0.extend([
            libc::AF_INET as u8,
            prefix,
            0,
            0,
            libc::RT_TABLE_MAIN,
            libc::RTPROT_BOOT,
            libc::RT_SCOPE_LINK,
            libc::RTN_UNICAST,
        ]);
        m.0.extend([0; 4]);
        m.attribute(libc::RTA_DST, &to.octets()).attribute(libc::RTA_OIF, &index.to_ne_bytes());
        self.ask(&mut m).because(|| format!("cannot add a route to {to}/{prefix}"))
    }

    /// Tells everybody on the link, ourselves included, that `ip` is at `mac` now. An address may have belonged to another
    /// machine a moment ago, and who still has the old one in mind would talk to nobody for half a minute.
    pub(crate) fn announce(&mut self, frames: &OwnedFd, index: u32, ip: Ipv4Addr, mac: Mac) -> Result<()> {
        let mut m = Message::new(libc::RTM_DELNEIGH, 0);
        m.0.extend([libc::AF_INET as u8, 0, 0, 0]);
        m.0.extend(index.to_ne_bytes());
        m.0.extend([0; 4]);
        m.attribute(libc::NDA_DST, &ip.octets());
        let _ = self.ask(&mut m); // not in our own mind: nothing to forget
        sys::broadcast_arp(frames, index, &arp(ip, mac)).because(|| format!("cannot announce the address {ip}"))
    }

    /// The operational state. Not IFF_RUNNING: that is also set while the state is still unknown.
    fn state(&mut self, index: u32) -> Result<u8> {
        let mut b = [0u8; 16 << 10];
        let n = self
            .exchange(Message::new(libc::RTM_GETLINK, 0).link(index, false), &mut b)
            .because(|| "cannot read the state of an interface")?;
        let mut at = 32; // header and ifinfomsg
        while at + 4 <= n {
            let len = usize::from(u16::from_ne_bytes([b[at], b[at + 1]]));
            if u16::from_ne_bytes([b[at + 2], b[at + 3]]) == IFLA_OPERSTATE && at + 4 < n {
                let state = b[at + 4];
                self.receive(&mut [0; 4096]).because(|| "cannot read from netlink")?; // the acknowledgement
                return Ok(state);
            }
            at += len.max(4).next_multiple_of(4);
        }
        fail("the kernel does not tell the state of a network interface")
    }

    fn ask(&mut self, m: &mut Message) -> io::Result<()> {
        let mut b = [0u8; 4096];
        self.exchange(m, &mut b)?;
        match i32::from_ne_bytes([b[16], b[17], b[18], b[19]]) {
            0 => Ok(()),
            e => Err(io::Error::from_raw_os_error(-e)),
        }
    }

    fn exchange(&mut self, m: &mut Message, b: &mut [u8]) -> io::Result<usize> {
        self.seq += 1;
        let len = m.0.len() as u32;
        m.0[0..4].copy_from_slice(&len.to_ne_bytes());
        m.0[8..12].copy_from_slice(&self.seq.to_ne_bytes());
        // SAFETY: pointer and length of one slice.
        if unsafe { libc::send(self.fd.as_raw_fd(), m.0.as_ptr().cast(), m.0.len(), 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        self.receive(b)
    }

    fn receive(&mut self, b: &mut [u8]) -> io::Result<usize> {
        // SAFETY: pointer and length of one slice.
        match unsafe { libc::recv(self.fd.as_raw_fd(), b.as_mut_ptr().cast(), b.len(), 0) } {
            n if n >= 20 => Ok(n as usize),
            n if n >= 0 => Err(io::Error::from(io::ErrorKind::InvalidData)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// A gratuitous ARP request as an Ethernet frame: sender and target are the same.
fn arp(ip: Ipv4Addr, mac: Mac) -> Vec<u8> {
    let mut f = vec![0xff; 6];
    // From an address of no machine: bridges learn where a sender is.
    f.extend([2, 0xff, 0, 0, 0, 1]);
    f.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    f.extend(mac);
    f.extend(ip.octets());
    f.extend([0; 6]);
    f.extend(ip.octets());
    f
}

/// The number of an interface in this thread's network namespace.
pub(crate) fn index(name: &str) -> Result<u32> {
    sys::interface_index(name).because(|| format!("there is no network interface {name}"))
}
