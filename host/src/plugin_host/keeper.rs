//! Keeps a healthy instance of a plugin at hand: one that is tainted is drained, one that is lost is replaced.

use crate::plugin_host::ffi::PluginFile;
use crate::plugin_host::instance::{Answer, Instance, Surroundings};
use crate::provider::{BoxFuture, Calls, Secrets};
use linodetool_plugin::{Manifest, ProviderError};
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Threads that hang in a plugin are never got back.
const MOST_LEFT_BEHIND: usize = 8;

/// Tainted instances that still have calls.
const MOST_DRAINING: usize = 32;

/// An open plugin, whatever its instances go through.
pub struct Keeper {
    file: PluginFile,
    config: String,
    around: Surroundings,
    instances: Mutex<Instances>,
    /// Held while an instance is opened, so that many callers open one.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Instances {
    current: Option<Arc<Instance>>,
    draining: Vec<Weak<Instance>>,
    left_behind: usize,
    opened: u64,
}

impl Keeper {
    /// Opens the first instance: a configuration that the plugin refuses is known at once.
    pub(crate) async fn open(file: PluginFile, config: String, around: Surroundings) -> Result<Self, ProviderError> {
        let instances = Mutex::default();
        let keeper = Self { file, config, around, instances, opening: tokio::sync::Mutex::new(()) };
        keeper.healthy().await?;
        Ok(keeper)
    }

    /// How many instances were opened so far.
    pub fn opened(&self) -> u64 {
        self.instances().opened
    }

    /// Steps of the instance that is in use now.
    pub fn steps(&self) -> u64 {
        self.instances().current.as_ref().map_or(0, |instance| instance.steps())
    }

    /// Lets the instance go and waits until it is closed, for at most that long. `false`: it was not.
    pub async fn close(self, longest: Duration) -> bool {
        let Some(instance) = self.instances().current.take() else {
            return true;
        };
        let mut ended = instance.ended();
        drop(instance);
        // Nothing is ever sent: what arrives is the end of the thread.
        tokio::time::timeout(longest, ended.changed()).await.is_ok()
    }

    async fn healthy(&self) -> Result<Arc<Instance>, ProviderError> {
        if let Some(instance) = self.current() {
            return Ok(instance);
        }
        let _one = self.opening.lock().await;
        if let Some(instance) = self.current() {
            return Ok(instance);
        }
        self.retire()?;
        let began = Instant::now();
        let opened = Instance::open(self.file.clone(), self.config.clone(), self.around.clone()).await;
        let mut instances = self.instances();
        if opened.is_err() && began.elapsed() >= self.around.limits.step {
            instances.left_behind += 1;
        }
        let instance = Arc::new(opened?);
        instances.opened += 1;
        instances.current = Some(instance.clone());
        Ok(instance)
    }

    fn current(&self) -> Option<Arc<Instance>> {
        self.instances().current.clone().filter(|instance| !instance.is_used_up())
    }

    /// Puts the used up instance aside; its calls go on.
    fn retire(&self) -> Result<(), ProviderError> {
        let mut instances = self.instances();
        if let Some(old) = instances.current.take() {
            if old.is_left_behind() {
                instances.left_behind += 1;
            }
            instances.draining.push(Arc::downgrade(&old));
        }
        instances.draining.retain(|instance| instance.strong_count() > 0);
        let name = &self.file.manifest.name;
        if instances.left_behind >= MOST_LEFT_BEHIND {
            let message = format!(
                "plugin {name} has blocked {MOST_LEFT_BEHIND} times and is not opened again; restart linodetool"
            );
            return Err(ProviderError::plugin(message));
        }
        if instances.draining.len() >= MOST_DRAINING {
            let message =
                format!("plugin {name} has failed in {MOST_DRAINING} instances that still have calls; wait for them");
            return Err(ProviderError::plugin(message));
        }
        Ok(())
    }

    fn instances(&self) -> MutexGuard<'_, Instances> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls for Keeper {
    fn call(&self, operation: &str, args: Box<RawValue>, secrets: Secrets) -> BoxFuture<'_, Answer> {
        let operation = operation.to_owned();
        Box::pin(async move { self.healthy().await?.call(operation, args, secrets).await })
    }

    fn manifest(&self) -> &Manifest {
        &self.file.manifest
    }
}
