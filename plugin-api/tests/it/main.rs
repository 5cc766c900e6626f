//! The contract as both sides see it: messages, arguments, the executor, the C headers.

mod arguments;
mod border;
mod executor;
mod json_helper;
mod messages;
mod model;
mod operations;
mod testing;
