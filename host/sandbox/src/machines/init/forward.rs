//! Forwarding: `ssh -L`, `-W` and `-J` through a machine.
//!
//! Owns: one direct-tcpip channel. Does not know who asked; that they may is settled.

use super::pump::Pump;
use russh::server::{ChannelOpenHandle, Msg};
use russh::{Channel, ChannelMsg, ChannelOpenFailure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) async fn run(channel: Channel<Msg>, host: String, port: u32, reply: ChannelOpenHandle) {
    let Ok(port) = u16::try_from(port) else { return reply.reject(ChannelOpenFailure::ConnectFailed).await };
    let Ok(t) = TcpStream::connect((host, port)).await else {
        return reply.reject(ChannelOpenFailure::ConnectFailed).await;
    };
    let _ = t.set_nodelay(true);
    reply.accept().await;
    let (read, write) = channel.split();
    let (mut from, mut to) = t.into_split();
    let up = async {
        let mut pump = Pump::new(read);
        while let Some(m) = pump.next().await {
            match m {
                ChannelMsg::Data { data } => {
                    if to.write_all(&data).await.is_err() {
                        break;
                    }
                    pump.used(data.len());
                }
                ChannelMsg::Eof | ChannelMsg::Close => break,
                _ => {}
            }
        }
        let _ = to.shutdown().await;
        // What still comes is read and dropped until the client closes.
        while let Some(m) = pump.next().await {
            if let ChannelMsg::Data { data } = m {
                pump.used(data.len());
            }
        }
    };
    let down = async {
        let _ = tokio::io::copy(&mut from, &mut write.make_writer()).await;
        let _ = write.eof().await;
        let _ = write.close().await;
    };
    tokio::join!(up, down);
}
