//! Local ports that lead to a node's ports.

use super::{Sshd, sshd, with_sshd};
use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn add(trials: &mut Vec<Trial>) {
    with_sshd(trials, "forward::bytes_go_both_ways_and_ends_are_told", async |sshd: Sshd| {
        let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = service.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = service.accept().await {
                let mut request = Vec::new();
                stream.read_to_end(&mut request).await.unwrap();
                request.reverse();
                stream.write_all(&request).await.unwrap();
            }
        });
        let forward = sshd.nodes().forward(&sshd.target(), 0, "127.0.0.1", port).await.unwrap();
        assert!(forward.local().ip().is_loopback());
        for _ in 0..3 {
            let mut stream = TcpStream::connect(forward.local()).await.unwrap();
            let request: Vec<u8> = (0..1_000_000_u32).map(|i| i.to_le_bytes()[1]).collect();
            stream.write_all(&request).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.iter().rev().eq(&request));
        }
        let local = forward.local();
        drop(forward);
        tokio::task::yield_now().await;
        let mut refused = false;
        for _ in 0..200 {
            refused = TcpStream::connect(local).await.is_err();
            if refused {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(refused);
    });

    with_sshd(trials, "forward::an_open_port_is_told_from_a_closed_one", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        assert!(nodes.port_open(&target, "127.0.0.1", sshd.port).await.unwrap());
        assert!(!nodes.port_open(&target, "127.0.0.1", sshd::free_port()).await.unwrap());
    });
}
