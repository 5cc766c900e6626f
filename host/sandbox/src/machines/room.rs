//! The machine room: pid 1 of a pid namespace, owner of the bridge, parent of every machine.
//!
//! Owns: which machines run, their network ports, the firewalls in force. Does not know the API nor what runs inside a
//! machine. One thread per request, one per machine that waits for its end.

use super::fail::{Because, Result, fail};
use super::nursery::Nursery;
use super::protocol::{self, EXIT_POWER_OFF, EXIT_REBOOT, InitConfig, Mode, Request, RoomConfig};
use super::{HowEnded, MachineExit, MachineSpec, firewall, layer, netlink, own_root, program, rootfs, sys};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How long services may take to stop before their machine is switched off.
const FAREWELL: Duration = Duration::from_secs(20);
/// How long a dial may take; a machine that is off does not answer at all.
const DIAL: Duration = Duration::from_secs(10);
/// A machine whose port has gone has ended; this long its process may take to be seen as dead.
const DYING: Duration = Duration::from_secs(2);
/// Requests recurse nowhere; a thousand machines have a thousand such threads.
const STACK: usize = 256 << 10;

struct Room {
    dir: PathBuf,
    mode: Mode,
    base: PathBuf,
    nursery: Nursery,
    bridge: u32,
    /// For what a machine's arrival is announced with.
    frames: OwnedFd,
    machines: Mutex<HashMap<u64, Machine>>,
    changed: Condvar,
    /// The end has come: nothing boots any more, and what a machine leaves in the kernel goes with the room.
    closing: AtomicBool,
    watchers: Mutex<Vec<UnixStream>>,
}

struct Machine {
    pid: i32,
    /// SSH answers: init understands a request to shut down.
    up: bool,
    /// We ended it ourselves: nothing to tell.
    ending: bool,
    /// It has ended; only its port on the bridge is still there.
    dead: bool,
}

/// The room's main function; its argument is a [`RoomConfig`].
pub(crate) fn main(argument: &str) -> i32 {
    let Ok(config) = serde_json::from_str::<RoomConfig>(argument) else { return 2 };
    let Ok(mut ready) = sys::adopt_descriptor(config.ready) else { return 2 };
    let lock = sys::adopt_descriptor(config.lock);
    match lock.because(|| "the folder's lock is not open").and_then(|l| Ok((l, open(&config)?))) {
        Ok((_lock, (room, listener))) => {
            let _ = ready.write_all(b"K");
            drop(ready);
            for s in listener.incoming().flatten() {
                let r = room.clone();
                // A thread that cannot start leaves its client with a closed connection.
                let _ = std::thread::Builder::new().stack_size(STACK).spawn(move || r.answer(&s));
            }
            0
        }
        Err(e) => {
            let _ = ready.write_all(format!("E{e}").as_bytes());
            1
        }
    }
}

fn open(config: &RoomConfig) -> Result<(Arc<Room>, std::os::unix::net::UnixListener)> {
    let dir = config.dir.clone();
    let null = File::open("/dev/null").because(|| "cannot open /dev/null")?;
    let log = sys::adopt_descriptor(config.log).because(|| "the room's log is not open")?;
    for (from, to) in [(&null, 0), (&log, 1), (&log, 2)] {
        sys::redirect(from.as_fd(), to).because(|| "cannot redirect a standard stream")?;
    }
    // First of all: the room is one thread, and its copies shall know as little as possible.
    let nursery = Nursery::open().because(|| "cannot start what machines are born from")?;
    sys::mount("none", "/", "none", libc::MS_REC | libc::MS_PRIVATE, "")
        .because(|| "cannot keep our mounts to ourselves")?;
    if config.shown.is_empty() {
        // The room's own /proc names its pids.
        own_root::proc(Path::new("/proc"))?;
    } else {
        own_root::enter(&config.shown)?;
    }
    if let Some(exe) = &config.exe {
        sys::bind_flat(exe, dir.join("bin"))
            .because(|| format!("cannot show our program to the machines: {} allows no programs", dir.display()))?;
    }
    if config.base != Path::new("/") {
        program::keep_libraries(&dir)?;
    }
    let bridge = network()?;
    layer::make(&dir, config.mode, &config.base)?;
    if config.mode == Mode::Mapped {
        rootfs::try_overlay(config)?;
    }
    let listener = protocol::listen(&dir)?;
    let room = Room {
        dir,
        mode: config.mode,
        base: config.base.clone(),
        nursery,
        bridge,
        frames: sys::frame_socket().because(|| "cannot open a socket for ARP")?,
        machines: Mutex::default(),
        changed: Condvar::new(),
        closing: AtomicBool::new(false),
        watchers: Mutex::default(),
    };
    Ok((Arc::new(room), listener))
}

/// The bridge, with the address that dials come from. Nothing leads out of the room.
fn network() -> Result<u32> {
    let _ = fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); // absent where the kernel has no IPv6
    let mut nl = netlink::Netlink::open()?;
    nl.up(netlink::index("lo")?)?;
    nl.add_bridge("br0", [2, 0xff, 0, 0, 0, 1])?;
    let bridge = netlink::index("br0")?;
    // A bridge whose last machine goes loses its carrier and gets it back up to a second late: a pair of our own keeps it.
    nl.add_pair("keep0", bridge, "keep1", 1, [2, 0xff, 0, 0, 0, 2])?;
    nl.up(netlink::index("keep1")?)?;
    nl.wait_until_running("br0")?;
    nl.add_address(bridge, protocol::ROOM_ADDRESS, 32)?;
    for (net, prefix) in [protocol::PUBLIC, protocol::PRIVATE] {
        nl.add_route(bridge, net, prefix)?;
    }
    Ok(bridge)
}

impl Room {
    fn answer(self: &Arc<Self>, s: &UnixStream) {
        let mut w = s;
        if let Err(e) = self.serve(s).and_then(|text| w.write_all(text.as_bytes()).because(|| "cannot answer")) {
            let _ = w.write_all(format!("E{e}\n").as_bytes());
        }
    }

    fn serve(self: &Arc<Self>, s: &UnixStream) -> Result<String> {
        let mut line = String::new();
        BufReader::with_capacity(4096, s).read_line(&mut line).because(|| "cannot read the request")?;
        match serde_json::from_str(&line).because(|| "not a request")? {
            Request::Boot(spec) => return Ok(format!("K{}\n", self.boot(&spec)?)),
            Request::PowerOff(id) => self.power_off(id)?,
            Request::Delete(id) => self.delete(id)?,
            Request::DeleteAll => self.delete_all()?,
            Request::Firewalls(rules) => firewall::apply(&rules)?,
            Request::Dial(to) => {
                let t = connect(to)?;
                sys::send(s.as_fd(), b'K', t.as_fd()).because(|| "cannot pass the connection")?;
                return Ok(String::new());
            }
            Request::Watch => {
                let mut all = lock(&self.watchers);
                let _ = (&*s).write_all(b"K\n");
                all.push(s.try_clone().because(|| "cannot keep a connection")?);
                return Ok(String::new());
            }
        }
        Ok("K\n".to_owned())
    }

    /// A disk with little room, by a fault of the sandbox's: a file system of its own that outlives the machine.
    fn small_disk(&self, id: u64, bytes: u64) -> Result<()> {
        let disk = protocol::disk(&self.dir, id);
        if is_small(&disk) {
            return Ok(());
        }
        fs::create_dir_all(&disk).because(|| format!("cannot make {}", disk.display()))?;
        sys::mount("disk", &disk, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, &format!("mode=700,size={bytes}"))
            .because(|| format!("cannot mount {}", disk.display()))
    }

    /// Answers how long each phase took, in milliseconds.
    fn boot(self: &Arc<Self>, spec: &MachineSpec) -> Result<String> {
        let (started, id) = (Instant::now(), spec.id);
        let port = protocol::port(id)?;
        let (go_read, go_write) = sys::pipe().because(|| "cannot make a pipe")?;
        let (ready_read, ready_write) = sys::pipe().because(|| "cannot make a pipe")?;
        let config = InitConfig { id, dir: self.dir.clone(), mode: self.mode, base: self.base.clone() };
        let mut machines = lock(&self.machines);
        let until = started + FAREWELL;
        while machines.get(&id).is_some_and(|m| m.dead) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return fail(format!("machine {id} does not boot: its network port is still being removed"));
            }
            machines = self.changed.wait_timeout(machines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if self.closing.load(Ordering::Acquire) {
            return fail(format!("machine {id} does not boot: the sandbox is being stopped"));
        }
        if machines.contains_key(&id) {
            return fail(format!("machine {id} runs already"));
        }
        if let Some(bytes) = spec.faults.disk {
            self.small_disk(id, bytes)?;
        }
        let pid = self
            .nursery
            .bear(&config, go_read.as_fd(), ready_write.as_fd())
            .because(|| format!("cannot start machine {id}"))?;
        machines.insert(id, Machine { pid, up: false, ending: false, dead: false });
        drop(machines);
        drop((go_read, ready_write));
        let (room, life) = (self.clone(), spec.life);
        let (came_up, word) = mpsc::channel();
        let waiter = std::thread::Builder::new().stack_size(STACK).spawn(move || room.wait((id, life), pid, &word));
        let up = waiter
            .because(|| "cannot start a thread")
            .and_then(|_| self.bring_up(spec, pid, (go_write, ready_read), &came_up));
        drop(came_up); // there will be no other word
        let up = up.and_then(|phases| self.connect_up(spec, pid, &port).map(|()| phases));
        match up {
            Ok(phases) => Ok(format!("{phases} total {:.1}", started.elapsed().as_secs_f64() * 1e3)),
            Err(e) => {
                let _ = self.end(id, false);
                Err(e)
            }
        }
    }

    /// Until init says that SSH answers, which `came_up` hears; without a word it never did.
    fn bring_up(
        &self,
        spec: &MachineSpec,
        pid: i32,
        (go, ready): (OwnedFd, OwnedFd),
        came_up: &mpsc::Sender<()>,
    ) -> Result<String> {
        let started = Instant::now();
        let port = protocol::port(spec.id)?;
        let link = netlink::Netlink::open()?.add_pair(&port, self.bridge, "eth0", pid, mac(spec.id));
        let linked = started.elapsed();
        let message = serde_json::to_vec(spec).because(|| "cannot write the machine's description")?;
        if link.is_ok() {
            // Broken where init has died: then its reason follows.
            let _ = File::from(go).write_all(&message);
        } else {
            drop(go); // init finds no description and ends, unless it has ended before and that is why there is no link
        }
        let mut answer = String::new();
        File::from(ready).read_to_string(&mut answer).because(|| "cannot hear from the machine")?;
        let phases = match (answer.split_at_checked(1), link) {
            (Some(("K", phases)), Ok(())) => phases,
            (Some(("E", why)), Ok(())) => return fail(format!("machine {} did not boot: {why}", spec.id)),
            (Some(("E", why)), Err(e)) => {
                return fail(format!("machine {} did not boot: {e}; its init says: {why}", spec.id));
            }
            (_, Err(e)) => return Err(e),
            _ => {
                return fail(format!(
                    "machine {} did not boot: its init died; see {}/room.log",
                    spec.id,
                    self.dir.display()
                ));
            }
        };
        if let Some(m) = lock(&self.machines).get_mut(&spec.id) {
            m.up = true;
        }
        let _ = came_up.send(()); // the machine's waiter lives until it has heard
        Ok(format!("link {:.1} {phases}", linked.as_secs_f64() * 1e3))
    }

    /// Until its neighbours can reach it. A machine that is up may end at any time: that is told, and the boot has gone
    /// well nevertheless.
    fn connect_up(&self, spec: &MachineSpec, pid: i32, port: &str) -> Result<()> {
        let connect = || {
            let mut nl = netlink::Netlink::open()?;
            nl.wait_until_running(port)?;
            [spec.public_ip, spec.private_ip]
                .into_iter()
                .flatten()
                .try_for_each(|ip| nl.announce(&self.frames, self.bridge, ip, mac(spec.id)))
        };
        connect().or_else(|e| if self.ends_within(spec.id, pid, DYING) { Ok(()) } else { Err(e) })
    }

    /// Whether a machine has ended, or does so soon.
    fn ends_within(&self, id: u64, pid: i32, patience: Duration) -> bool {
        let runs = |machines: &mut HashMap<u64, Machine>| machines.get(&id).is_some_and(|m| m.pid == pid && !m.dead);
        let waited = self.changed.wait_timeout_while(lock(&self.machines), patience, runs);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits for the end of a machine and tells who watches, if it ever came up: a boot that failed has its own answer.
    fn wait(&self, (id, life): (u64, u64), pid: i32, came_up: &mpsc::Receiver<()>) {
        sys::see_end_of(pid);
        // It may have ended before its boot has read that it came up.
        let up = came_up.recv().is_ok();
        let mut machines = lock(&self.machines);
        let status = sys::wait_for(pid); // with the lock: nobody signals a pid that is another's by now
        let told = machines.get_mut(&id).is_some_and(|m| {
            m.dead = true;
            up && !m.ending
        });
        drop(machines);
        self.changed.notify_all();
        if told {
            let how = match status {
                Ok(s) if libc::WIFEXITED(s) && libc::WEXITSTATUS(s) == EXIT_POWER_OFF => HowEnded::PoweredOff,
                Ok(s) if libc::WIFEXITED(s) && libc::WEXITSTATUS(s) == EXIT_REBOOT => HowEnded::Rebooted,
                _ => HowEnded::Died,
            };
            let line = serde_json::to_string(&MachineExit { id, life, how }).unwrap_or_default() + "\n";
            lock(&self.watchers).retain_mut(|w| w.write_all(line.as_bytes()).is_ok());
        }
        // Its network namespace goes away later, in a kernel worker; free the port's name now. That takes the kernel some
        // 20 ms, one after another, for which only the next boot of the same machine has to wait.
        if !self.closing.load(Ordering::Acquire)
            && let (Ok(mut nl), Ok(port)) = (netlink::Netlink::open(), protocol::port(id))
        {
            let _ = nl.delete(&port);
        }
        lock(&self.machines).remove(&id);
        self.changed.notify_all();
    }

    fn power_off(&self, id: u64) -> Result<()> {
        self.end(id, true)
    }

    /// Ends a machine, if it runs, and waits until it is gone.
    fn end(&self, id: u64, orderly: bool) -> Result<()> {
        let mut machines = lock(&self.machines);
        let Some(m) = machines.get_mut(&id).filter(|m| !m.dead) else { return Ok(()) };
        m.ending = true;
        // Not yet waited for, since it is in the map: the pid is still its own.
        let (pid, polite) = (m.pid, orderly && m.up);
        sys::kill(pid, if polite { libc::SIGTERM } else { libc::SIGKILL })
            .because(|| format!("cannot end machine {id}"))?;
        let mut until = Instant::now() + FAREWELL;
        let mut killed = !polite;
        while machines.get(&id).is_some_and(|m| m.pid == pid && !m.dead) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if killed {
                    return fail(format!("machine {id} does not die; a process of it hangs in the kernel"));
                }
                let _ = sys::kill(pid, libc::SIGKILL);
                (until, killed) = (Instant::now() + FAREWELL, true);
                continue;
            }
            machines = self.changed.wait_timeout(machines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// All of them and their disks. Each by itself would wait for the kernel to unlink its port from the bridge, one after
    /// another.
    fn delete_all(&self) -> Result<()> {
        let mut machines = lock(&self.machines);
        self.closing.store(true, Ordering::Release);
        for (id, m) in machines.iter_mut().filter(|(_, m)| !m.dead) {
            m.ending = true;
            sys::kill(m.pid, libc::SIGKILL).because(|| format!("cannot end machine {id}"))?;
        }
        let until = Instant::now() + FAREWELL;
        while machines.values().any(|m| !m.dead) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return fail(format!("{} machines do not die; processes of them hang in the kernel", machines.len()));
            }
            machines = self.changed.wait_timeout(machines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(machines);
        let disks = self.dir.join("disks");
        for disk in fs::read_dir(&disks).into_iter().flatten().flatten() {
            unmount_small(&disk.path())?;
        }
        layer::remove(&disks)
    }

    /// The disk goes from inside the room: it may hold files of ids that only exist here.
    fn delete(&self, id: u64) -> Result<()> {
        self.end(id, false)?;
        let disk = protocol::disk(&self.dir, id);
        unmount_small(&disk)?;
        layer::remove(&disk)
    }
}

/// Whether a folder is a file system of its own: a disk with little room.
fn is_small(disk: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|m| m.dev()).ok();
    disk.parent().is_some_and(|above| device(disk).is_some() && device(disk) != device(above))
}

fn unmount_small(disk: &Path) -> Result<()> {
    if is_small(disk) {
        return sys::unmount(disk).because(|| format!("cannot unmount {}", disk.display()));
    }
    Ok(())
}

/// Made from the id, so that a machine that boots again is the same to its neighbours.
fn mac(id: u64) -> netlink::Mac {
    let [.., a, b, c, d] = id.to_be_bytes();
    [2, 0, a, b, c, d]
}

fn connect(to: SocketAddr) -> Result<TcpStream> {
    let t = TcpStream::connect_timeout(&to, DIAL).because(|| format!("cannot connect to {to}"))?;
    t.set_nodelay(true).because(|| "cannot set TCP_NODELAY")?;
    Ok(t)
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
