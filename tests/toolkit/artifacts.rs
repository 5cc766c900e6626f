//! Archives from the web onto machines: what is asked for, what is refused, and who gets it from whom.

use crate::support::{User, World, cluster};
use crate::web::{answer, serve};
use linodetool::core::{Failure, FailureKind};
use linodetool::inventory::Node;
use linodetool::toolkit::artifacts::{Artifact, From, Source, Web};
use linodetool::toolkit::commands::RunOptions;
use sha2::{Digest, Sha512};
use std::process::Command;

fn install(user: &User, node: &Node, artifact: &Artifact) -> Result<bool, Failure> {
    user.run(|at| user.app.toolkit.install_artifact(at, node, artifact, "/opt/tool"))
}

fn said(user: &User, node: &Node, command: &str) -> String {
    user.run(|at| user.app.toolkit.run_on(at, node, command, &RunOptions::default())).unwrap().stdout
}

pub(crate) fn an_archive_from_the_web_reaches_every_node(world: &World) {
    let folder = world.dir.path();
    std::fs::create_dir_all(folder.join("tool-1.0/bin")).unwrap();
    std::fs::write(folder.join("tool-1.0/bin/tool"), "#!/bin/sh\necho it works\n").unwrap();
    let pack = "chmod 755 tool-1.0/bin/tool && tar -czf x.tar.gz tool-1.0";
    assert!(Command::new("sh").args(["-c", pack]).current_dir(folder).status().unwrap().success());
    let archive = std::fs::read(folder.join("x.tar.gz")).unwrap();
    // As Apache publishes it.
    let digest = format!("SHA512 (x.tar.gz) = {:x}\n", Sha512::digest(&archive));
    let moved = "HTTP/1.1 302 Found\r\nLocation: /mirror/x.tar.gz\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, asked) = serve(vec![
        answer(digest.as_bytes(), digest.len()),
        answer(&archive, archive.len() / 2),
        moved.into(),
        answer(&archive, archive.len()),
    ]);

    let user = world.user();
    let nodes = user.ensure(&cluster(2)).unwrap().nodes;
    let web = |url: &str| Web {
        name: "tool".into(),
        url: format!("{url}/x.tar.gz"),
        sha512_url: Some(format!("{url}/x.tar.gz.sha512")),
        ..Web::default()
    };
    let prepare = |web: Web| user.run(|at| user.app.toolkit.prepare_artifact(at, &Source::Web(web)));
    let artifact = prepare(web(&url)).unwrap();
    assert_eq!(asked.join().unwrap(), ["/x.tar.gz.sha512", "/x.tar.gz", "/x.tar.gz", "/mirror/x.tar.gz"]);

    assert!(install(&user, &nodes[0], &artifact).unwrap());
    assert!(!install(&user, &nodes[0], &artifact).unwrap());
    // The server is gone, and what this computer had of it: the second node can have it from the first alone.
    let From::Here(packed) = &artifact.from else { panic!("{artifact:?}") };
    std::fs::remove_file(&packed.path).unwrap();
    assert!(install(&user, &nodes[1], &artifact).unwrap());
    assert_eq!(said(&user, &nodes[1], "/opt/tool/bin/tool"), "it works\n");

    let failure = prepare(web("http://example.com")).unwrap_err();
    assert_eq!(failure.message, "http://example.com/x.tar.gz is not downloaded: it is not https");
}

/// Serves an archive on the node's own loopback: whole, cut in the middle, whole; and is gone.
const SERVER: &str = r#"cd /root; mkdir tool; echo it works > tool/words; tar -czf x.tar.gz tool
perl -MIO::Socket::INET -e '
    $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 8099, ReuseAddr => 1) or die $@;
    open $file, "<", "x.tar.gz"; { local $/; $body = <$file> } $length = length $body;
    fork and exit; close STDOUT; close STDERR; $/ = "\r\n\r\n"; $SIG{ALRM} = sub { exit }; alarm 60;
    for $bytes ($length, $length / 2, $length) {
        $client = $listener->accept; $head = <$client>;
        print $client "HTTP/1.0 200 OK\r\nContent-Length: $length\r\n\r\n", substr $body, 0, $bytes;
        close $client;
    }' </dev/null || exit
sha512sum x.tar.gz | cut -d ' ' -f 1"#;

/// As on a real account, whose nodes reach the internet.
pub(crate) fn the_first_node_fetches_where_nodes_reach_the_web(world: &World) {
    let user = world.user();
    let nodes = user.ensure(&cluster(2)).unwrap().nodes;
    let sha512 = said(&user, &nodes[0], SERVER).trim().to_owned();
    let artifact = |sha512: String| Artifact {
        name: "tool".into(),
        from: From::Web { url: "http://127.0.0.1:8099/x.tar.gz".into(), sha512 },
    };
    let wrong = "0".repeat(128);
    let failure = install(&user, &nodes[0], &artifact(wrong.clone())).unwrap_err();
    assert_eq!((failure.kind, &*failure.message), (FailureKind::Command, "artifact tool: the node could not fetch it"));
    let why = format!("http://127.0.0.1:8099/x.tar.gz is not what was asked for: SHA-512 {sha512} instead of {wrong}");
    assert_eq!(failure.output.as_deref(), Some(&*why));
    assert_eq!(said(&user, &nodes[0], "ls /opt/tool /var/lib/linodetool/artifacts 2>&1 || true").lines().count(), 2);

    assert!(install(&user, &nodes[0], &artifact(sha512.clone())).unwrap());
    // Its own loopback has no server.
    assert!(install(&user, &nodes[1], &artifact(sha512)).unwrap());
    assert_eq!(said(&user, &nodes[1], "cat /opt/tool/words"), "it works\n");
}
