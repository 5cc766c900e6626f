//! A real OpenSSH server of a test's own: on loopback, with its own keys, files and home.

use linodetool::core::{Events, Secret};
use linodetool::nodes::{Direct, KeyPair, Limits, Nodes, Target};
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The server, ended and removed when dropped.
pub(crate) struct Sshd {
    child: Child,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) client: KeyPair,
    pub(crate) host: KeyPair,
    dir: TempDir,
}

/// Where Linux distributions put it; it wants to be called by its full path.
pub(crate) fn program() -> Option<PathBuf> {
    ["/usr/sbin/sshd", "/usr/lib/ssh/sshd", "/usr/local/sbin/sshd"].map(PathBuf::from).into_iter().find(|p| p.exists())
}

impl Sshd {
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1")
    }

    pub(crate) fn start_on(listen: &str) -> Self {
        Self::start_with(listen, free_port(), KeyPair::generate("host"), KeyPair::generate("client"))
    }

    pub(crate) fn start_with(listen: &str, port: u16, host: KeyPair, client: KeyPair) -> Self {
        let dir = tempfile::Builder::new().prefix("lt-sshd-").tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write(&at("ssh_host_ed25519_key"), host.private_pem.reveal());
        write(&at("authorized_keys"), &format!("{}\n", client.public_line));
        fs::DirBuilder::new().mode(0o700).create(at("home")).unwrap();
        // OpenSSH wants its privilege separation folder; packages leave it to the service's start.
        let _ = fs::create_dir_all("/run/sshd");
        let config = format!(
            "ListenAddress {listen}:{port}\nHostKey {dir}/ssh_host_ed25519_key\nAuthorizedKeysFile {dir}/authorized_keys {dir}/home/.ssh/authorized_keys\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nMaxStartups 500:30:600\nPrintMotd no\nUseDNS no\n\
             SetEnv HOME={dir}/home\nSubsystem sftp internal-sftp\n",
            dir = dir.path().display()
        );
        write(&at("config"), &config);
        let log = fs::File::create(at("log")).unwrap();
        let child = Command::new(program().expect("sshd is installed"))
            .args(["-D", "-e", "-f"])
            .arg(at("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned();
        let mut server = Self { child, port, user, client, host, dir };
        server.wait_until_it_listens();
        server
    }

    fn wait_until_it_listens(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(ended.is_none() && began.elapsed() < Duration::from_secs(20), "sshd does not listen: {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A folder for the test's files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn target(&self) -> Target {
        self.target_at("127.0.0.1".parse().unwrap(), "node-1")
    }

    pub(crate) fn target_at(&self, ip: IpAddr, name: &str) -> Target {
        Target {
            name: name.into(),
            address: SocketAddr::new(ip, self.port),
            user: self.user.clone(),
            key: Secret::new(self.client.private_pem.reveal().clone()),
            host_keys: vec![self.host.public_line.clone()],
        }
    }

    /// A pool whose records on the node lie in this server's folder. Call it on a runtime.
    pub(crate) fn nodes(&self) -> Nodes {
        self.nodes_on(tokio::runtime::Handle::current())
    }

    pub(crate) fn nodes_on(&self, runtime: tokio::runtime::Handle) -> Nodes {
        let node_dir = self.dir.path().join("lib").display().to_string();
        let limits = Limits { node_dir, ..Limits::default() };
        Nodes::new(runtime, Arc::new(Direct::default()), limits, Events::none())
    }

    /// Ends the processes that serve open connections, as if the network were gone; the server itself stays.
    pub(crate) fn cut_connections(&self) -> usize {
        let mut cut = 0;
        for pid in descendants(self.child.id()) {
            // A command may have been moved to a session of its own; only sshd's own processes are meant.
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.starts_with("sshd") {
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
                cut += 1;
            }
        }
        cut
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut_connections();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn descendants(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|p| p.parse::<u32>().ok()));
    }
    found.remove(0);
    found
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
