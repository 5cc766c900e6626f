//! A web server of a test's own that says what it is told to, answer by answer.
//!
//! Does not know what is asked.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A server on this computer that gives these answers and is gone; its address, and what it was asked for.
pub(crate) fn serve(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let answer = |answer: Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let first = lines.next().unwrap();
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            stream.write_all(&answer).unwrap();
            first.split(' ').nth(1).unwrap().to_owned()
        };
        answers.into_iter().map(answer).collect()
    });
    (url, asked)
}

/// With so much of the body; then the server hangs up.
pub(crate) fn answer(body: &[u8], bytes: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), &body[..bytes]].concat()
}
