//! What stands for the internet: certificates, and a proxy that leads every host's https to one server of the test's.
//!
//! Does not know what is asked there.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// Much more than any question of a client to a proxy.
const LONGEST_HEAD: usize = 8 * 1024;

/// Who signs certificates.
pub(crate) struct Authority {
    folder: PathBuf,
    name: &'static str,
    /// Its own certificate, for those who trust it.
    pub(crate) file: PathBuf,
}

pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path, name: &'static str) -> Self {
        let file = folder.join(format!("{name}.pem"));
        let authority = Self { folder: folder.to_owned(), name, file };
        authority.make(name, &["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]);
        authority
    }

    /// For these hosts, joined by commas.
    pub(crate) fn certificate(&self, hosts: &str) -> Certificate {
        let names: Vec<_> = hosts.split(',').map(|host| format!("DNS:{host}")).collect();
        let (ca, key) = (self.path(self.name, "pem"), self.path(self.name, "key"));
        let of = names[0].replace(':', "-");
        self.make(
            &of,
            &[
                "-CA",
                &ca.display().to_string(),
                "-CAkey",
                &key.display().to_string(),
                "-addext",
                &format!("subjectAltName={}", names.join(",")),
                "-addext",
                "basicConstraints=CA:FALSE",
            ],
        );
        Certificate { chain: self.path(&of, "pem"), key: self.path(&of, "key") }
    }

    fn path(&self, name: &str, end: &str) -> PathBuf {
        self.folder.join(format!("{name}.{end}"))
    }

    fn make(&self, name: &str, how: &[&str]) {
        // An own configuration: the computer's may add extensions.
        let config = self.path(name, "conf");
        std::fs::write(&config, "[req]\ndistinguished_name = dn\n[dn]\n").unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", &format!("/CN={name}"), "-config"])
            .arg(&config)
            .arg("-keyout")
            .arg(self.path(name, "key"))
            .arg("-out")
            .arg(self.path(name, "pem"))
            .args(how)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Of a base URL.
pub(crate) fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap()
}

/// What came through.
#[derive(Default)]
struct Seen {
    asked: Vec<String>,
    sent: Vec<u8>,
}

/// The proxy. Ends when dropped.
pub(crate) struct Outside {
    pub(crate) proxy: String,
    seen: Arc<Mutex<Seen>>,
    _runtime: Runtime,
}

impl Outside {
    /// Answers as who has this certificate, with what the server says.
    pub(crate) fn open(certificate: &Certificate, server: SocketAddr) -> Self {
        let chain = CertificateDer::pem_file_iter(&certificate.chain).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        runtime.spawn({
            let seen = seen.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // Who breaks off is told of it; that is what some tests are about.
                    tokio::spawn(tunnel(stream, acceptor.clone(), server, seen.clone()));
                }
            }
        });
        Self { proxy, seen, _runtime: runtime }
    }

    /// The first line of each question to the proxy.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().asked.clone()
    }

    /// All that was said within https.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().sent).into_owned()
    }
}

async fn tunnel(
    mut client: TcpStream,
    acceptor: TlsAcceptor,
    server: SocketAddr,
    seen: Arc<Mutex<Seen>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(client.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    seen.lock().unwrap().asked.push(line);
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let (mut from, mut to) = tokio::io::split(acceptor.accept(client).await?);
    let (mut answers, mut questions) = TcpStream::connect(server).await?.into_split();
    let there = async {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut bytes).await?;
            if count == 0 {
                return io::Result::Ok(());
            }
            seen.lock().unwrap().sent.extend_from_slice(&bytes[..count]);
            questions.write_all(&bytes[..count]).await?;
        }
    };
    tokio::select! {
        ended = there => ended,
        ended = tokio::io::copy(&mut answers, &mut to) => ended.map(drop),
    }
}
