//! What the tests of machines share: a room, machines in it, ways to talk to them.

use linodetool_sandbox::dial::{dial, proxy};
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::machines::{MachineSpec, Machines};
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

/// Without println!, which the project keeps for its command line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let dirs = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    dirs.iter().map(|d| Path::new(d).join(program)).find(|p| p.exists())
}

/// What a test needs beyond namespaces and does not find here.
pub(crate) fn missing(test: &str) -> Option<String> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    let needs: &[&str] = match test.split("::").next() {
        Some("firewall") => &["nft"],
        Some("openssh") => &["ssh", "ssh-keygen"],
        Some("users") if test.contains("file_system") => &["unshare"],
        Some("rootless") if test.contains("range") => &["unshare", "setpriv", "newuidmap"],
        Some("rootless") => &["unshare", "setpriv"],
        _ => &[],
    };
    if let Some(p) = needs.iter().find(|p| which(p).is_none()) {
        return Some(format!("the program {p} is missing"));
    }
    if test.starts_with("users") {
        return Namespaces::support().ok()?.refused.or((!root).then(|| "it needs root".to_owned()));
    }
    (test.starts_with("rootless") && !root).then(|| "it needs root to become somebody else".to_owned())
}

/// A folder with a room in it. The tests share one, as opening takes a while; those that kill rooms have their own.
pub(crate) struct Place {
    pub(crate) room: Namespaces,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) key: Key,
    /// Its machines' own key, so that clients know them before they first boot.
    host: Key,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(&Options::default())
    }

    pub(crate) fn with(options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Namespaces::open(&folder.path().join("m"), options).unwrap_or_else(|e| panic!("{e}"));
        let (key, host) = (Key::make(folder.path()), Key::make(folder.path()));
        std::fs::write(folder.path().join("known_hosts"), format!("m {}\n", host.public)).expect("written");
        Self { room, folder, key, host }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("m")
    }

    /// A machine that differs from all others.
    pub(crate) fn spec(&self) -> MachineSpec {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.spec_of(id)
    }

    pub(crate) fn spec_of(&self, id: u64) -> MachineSpec {
        let n = u8::try_from(id % 200).expect("small") + 10;
        MachineSpec {
            id,
            hostname: format!("node-{id}"),
            public_ip: Some(Ipv4Addr::new(198, 18, 0, n)),
            private_ip: Some(Ipv4Addr::new(192, 168, 128, n)),
            authorized_keys: vec![self.key.public.clone()],
            user_data: Some(self.host.as_user_data()),
            memory_mb: 2048,
            ..Default::default()
        }
    }

    pub(crate) fn boot(&self, spec: MachineSpec) -> Machine<'_> {
        self.room.boot(&spec).unwrap_or_else(|e| panic!("{e}\n{}", self.log()));
        Machine { place: self, spec }
    }

    pub(crate) fn machine(&self) -> Machine<'_> {
        self.boot(self.spec())
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir().join("room.log")).unwrap_or_default()
    }
}

static SHARED: LazyLock<Mutex<Option<&'static Place>>> = LazyLock::new(Mutex::default);

/// The room most tests use.
pub(crate) fn place() -> &'static Place {
    SHARED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .get_or_insert_with(|| Box::leak(Box::new(Place::new())))
}

/// Statics are not dropped: the folder goes here; the room goes with the process.
pub(crate) fn shut_down() {
    if let Some(p) = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        let disks: Vec<u64> = std::fs::read_dir(p.dir().join("disks"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.parse().ok())
            .collect();
        for id in disks {
            let _ = p.room.delete(id);
        }
        let _ = std::fs::remove_dir_all(p.folder.path());
    }
}

/// A client's key, in a file as ssh wants it and in memory.
pub(crate) struct Key {
    pub(crate) file: PathBuf,
    pub(crate) public: String,
}

impl Key {
    pub(crate) fn make(dir: &Path) -> Self {
        use russh::keys::{PrivateKey, ssh_key};
        let mut seed = [0; 32];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").expect("random"), &mut seed)
            .expect("random");
        let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&seed));
        let file = dir.join(format!("id-{:02x}{:02x}", seed[0], seed[1]));
        std::fs::write(&file, key.to_openssh(ssh_key::LineEnding::LF).expect("a key")).expect("written");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mode");
        Self { file, public: key.public_key().to_openssh().expect("a key") }
    }

    /// Makes it a machine's host key.
    fn as_user_data(&self) -> Vec<u8> {
        let private = std::fs::read_to_string(&self.file).expect("a key");
        let indented = private.lines().fold(String::new(), |text, line| text + "    " + line + "\n");
        let public = &self.public;
        format!("#cloud-config\nssh_keys:\n  ed25519_private: |\n{indented}  ed25519_public: {public}\n").into_bytes()
    }
}

/// A booted machine; deleted when dropped.
pub(crate) struct Machine<'a> {
    pub(crate) place: &'a Place,
    pub(crate) spec: MachineSpec,
}

/// What a command did.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) code: Option<u32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Machine<'_> {
    pub(crate) fn public(&self) -> Ipv4Addr {
        self.spec.public_ip.expect("a public address")
    }

    pub(crate) fn private(&self) -> Ipv4Addr {
        self.spec.private_ip.expect("a private address")
    }

    /// Runs a command as root through our own client.
    pub(crate) fn run(&self, command: &str) -> Ran {
        self.run_as("root", command)
    }

    pub(crate) fn run_as(&self, user: &str, command: &str) -> Ran {
        let ran = client(&self.place.dir(), self.public(), user, &self.place.key.file, command);
        ran.unwrap_or_else(|e| panic!("{command}: {e}\n{}", self.place.log()))
    }

    /// Standard output of a command that must succeed.
    #[track_caller]
    pub(crate) fn out(&self, command: &str) -> String {
        let ran = self.run(command);
        assert_eq!(ran.code, Some(0), "{command}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// Waits, up to ten seconds, for a command to succeed.
    #[track_caller]
    pub(crate) fn wait(&self, command: &str) {
        let ran = self.run(&format!("for i in $(seq 200); do if {command}; then exit 0; fi; sleep 0.05; done; exit 1"));
        assert_eq!(ran.code, Some(0), "never: {command}\n{}{}", ran.out, ran.err);
    }

    /// OpenSSH's client with this machine as `m`, whose key it knows.
    pub(crate) fn ssh(&self, program: &str) -> Command {
        self.ssh_by(program, "")
    }

    /// With an option for who dials.
    pub(crate) fn ssh_by(&self, program: &str, how: &str) -> Command {
        let mut c = Command::new(which(program).expect("OpenSSH"));
        let me = std::env::current_exe().expect("our own path");
        let (dir, known) = (self.place.dir(), self.place.folder.path().join("known_hosts"));
        let proxy = format!("ProxyCommand={} helper-dial {} {} %p {how}", me.display(), dir.display(), self.public());
        let known = format!("UserKnownHostsFile={}", known.display());
        for o in ["StrictHostKeyChecking=yes", &known, "LogLevel=ERROR", "BatchMode=yes", "IdentitiesOnly=yes", &proxy]
        {
            c.args(["-o", o]);
        }
        c.args(["-F", "none", "-i"]).arg(&self.place.key.file).stdin(Stdio::null());
        c
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        let _ = self.place.room.delete(self.spec.id);
    }
}

/// Runs a command with a whole standard input.
pub(crate) fn with_input(c: &mut Command, input: &[u8]) -> Output {
    let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|s| {
        s.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("it ends")
    })
}

pub(crate) struct AnyHost;

impl russh::client::Handler for AnyHost {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// One login and one command with russh.
pub(crate) fn client(dir: &Path, ip: Ipv4Addr, user: &str, key: &Path, command: &str) -> Result<Ran, String> {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    rt.block_on(async {
        let h = login(dir, ip, user, key).await?;
        exec(&h, command).await
    })
}

pub(crate) async fn login(
    dir: &Path,
    ip: Ipv4Addr,
    user: &str,
    key: &Path,
) -> Result<russh::client::Handle<AnyHost>, String> {
    let s = dial(dir, (ip, 22).into()).map_err(|e| format!("dial {ip}: {e}"))?;
    s.set_nonblocking(true).map_err(|e| e.to_string())?;
    let s = tokio::net::TcpStream::from_std(s).map_err(|e| e.to_string())?;
    let config = std::sync::Arc::new(russh::client::Config { nodelay: true, ..Default::default() });
    let mut h = russh::client::connect_stream(config, s, AnyHost).await.map_err(|e| format!("handshake: {e}"))?;
    let key = russh::keys::load_secret_key(key, None).map_err(|e| e.to_string())?;
    let key = russh::keys::PrivateKeyWithHashAlg::new(std::sync::Arc::new(key), None);
    match h.authenticate_publickey(user, key).await {
        Ok(a) if a.success() => Ok(h),
        Ok(_) => Err("permission denied".to_owned()),
        Err(e) => Err(format!("login: {e}")),
    }
}

pub(crate) async fn exec(h: &russh::client::Handle<AnyHost>, command: &str) -> Result<Ran, String> {
    let mut c = h.channel_open_session().await.map_err(|e| format!("channel: {e}"))?;
    c.exec(true, command).await.map_err(|e| format!("exec: {e}"))?;
    let _ = c.eof().await;
    let (mut out, mut err, mut code) = (Vec::new(), Vec::new(), None);
    while let Some(m) = c.wait().await {
        match m {
            russh::ChannelMsg::Data { data } => out.extend_from_slice(&data),
            russh::ChannelMsg::ExtendedData { data, .. } => err.extend_from_slice(&data),
            russh::ChannelMsg::ExitStatus { exit_status } => code = Some(exit_status),
            _ => {}
        }
    }
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    Ok(Ran { code, out: text(out), err: text(err) })
}

/// Other lives of this binary: ssh's ProxyCommand, a process to be killed, somebody without rights.
pub(crate) fn run_helper() -> Option<u8> {
    let argv: Vec<String> = std::env::args().collect();
    let failed = |e: String| {
        say(&e);
        1
    };
    match argv.get(1..)?.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["helper-dial", dir, ip, port, ref rest @ ..] => {
            let to = format!("{ip}:{port}").parse().ok()?;
            Some(proxy(Path::new(dir), to, rest == ["--fd"]).err().map_or(0, |e| failed(e.to_string())))
        }
        // Opens a room, boots machines, says so, waits to be killed.
        ["helper-serve", dir, count] => {
            let key = Key::make(Path::new(dir).parent()?);
            let room = match Namespaces::open(Path::new(dir), &Options::default()) {
                Ok(r) => r,
                Err(e) => return Some(failed(e.0)),
            };
            for id in 1..=count.parse::<u8>().ok()? {
                let ip = Ipv4Addr::new(198, 18, 9, id);
                let spec = MachineSpec {
                    id: id.into(),
                    hostname: format!("k{id}"),
                    public_ip: Some(ip),
                    authorized_keys: vec![key.public.clone()],
                    ..Default::default()
                };
                if let Err(e) = room.boot(&spec) {
                    return Some(failed(e.0));
                }
            }
            let _ = writeln!(std::io::stdout(), "ready {}", room.room());
            let _ = std::io::stdout().flush();
            let _ = std::io::stdin().read_line(&mut String::new()); // until killed, or the test's end
            Some(0)
        }
        // Opens a room, boots a machine, says how it runs.
        ["helper-about", dir] => {
            let opened = Namespaces::open(Path::new(dir), &Options::default());
            let booted = opened.and_then(|room| {
                room.boot(&MachineSpec { id: 1, hostname: "one".to_owned(), ..Default::default() })?;
                room.delete(1).map(|()| room.about())
            });
            let _ = writeln!(std::io::stdout(), "{}", booted.unwrap_or_else(|e| e.0));
            Some(0)
        }
        ["helper-replaced", dir] => Some(super::life::inside_replaced(Path::new(dir)).err().map_or(0, failed)),
        ["helper-rootless", dir, mode] => Some(match super::rootless::inside(Path::new(dir), mode == "single") {
            Ok(()) => 0,
            Err(e) => failed(e),
        }),
        _ => None,
    }
}
