//! One command and ten commands on 64 hosts over SSH, ours beside the tools that are installed here.

fn main() {}
