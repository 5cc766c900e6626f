//! The trait a plugin author implements, and the dispatcher from an operation's name to its method.

use crate::context::Cx;
use crate::error::{ErrorKind, ProviderError, Result};
use crate::for_each_operation;
use crate::model::*;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use std::rc::Rc;

macro_rules! plugin_side {
    ($( $(#[doc = $doc:literal])+ $name:literal $method:ident($args:ty) -> $answer:ty => $effect:ident $(($found:ident))?; )+) => {
        /// A cloud, as a plugin presents it. Operations left out answer `unsupported`.
        #[allow(async_fn_in_trait)] // on purpose not Send: an instance lives on one thread
        pub trait Provider: 'static {
            $( $(#[doc = $doc])+
            async fn $method(&self, _cx: &Cx, _args: $args) -> Result<$answer> {
                Err(ProviderError::unsupported($name))
            } )+
        }

        /// Arguments from JSON, the method, its answer to JSON.
        pub(crate) async fn dispatch<P: Provider>(
            provider: Rc<P>, cx: Cx, operation: String, args: Box<RawValue>,
        ) -> Result<Box<RawValue>> {
            match operation.as_str() {
                $( $name => {
                    let args: $args = read(&args)?;
                    // Boxed, so that a call's memory is its own operation's and not the largest one's.
                    let answer: $answer = Box::pin(provider.$method(&cx, args)).await?;
                    Ok(to_raw_value(&answer)?)
                } )+
                other => Err(ProviderError::unsupported(other)),
            }
        }
    };
}

for_each_operation!(plugin_side);

fn read<A: DeserializeOwned>(args: &RawValue) -> Result<A> {
    serde_json::from_str(args.get()).map_err(|e| ProviderError::new(ErrorKind::Invalid, format!("arguments: {e}")))
}
