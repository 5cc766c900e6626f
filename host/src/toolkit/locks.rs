//! One at a time: no two of the user's processes work on the shape of the same cluster at once.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

use crate::core::Failure;
use crate::core::ids::hex;
use crate::runs::StepError;
use crate::secrets::files::{self, FileError, FileLock};
use crate::toolkit::{At, Toolkit};

/// A cluster takes seconds to minutes to be made; nobody notices this much more.
const LOOK: Duration = Duration::from_millis(200);

impl Toolkit {
    /// Does the work while nobody else works on this cluster; waits for whoever does. What the work wrote is durable
    /// before the next one begins.
    ///
    /// # Errors
    /// What the work says; `State` if there can be no lock; `Cancelled` while waiting.
    pub(crate) fn alone<T>(
        &self,
        at: At<'_>,
        cluster: &str,
        work: impl FnOnce() -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        let lock = self.lock(at, cluster)?;
        let done = work();
        at.lane.run().barrier().map_err(StepError::Failed)?;
        drop(lock);
        done
    }

    /// The same for several clusters, which must be in order, so that no two wait for each other.
    pub(crate) fn alone_with_all<T>(
        &self,
        at: At<'_>,
        clusters: &[&str],
        work: &mut dyn FnMut() -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        match clusters {
            [] => work(),
            [first, others @ ..] => self.alone(at, first, || self.alone_with_all(at, others, work)),
        }
    }

    /// Held by a process while it makes nodes that are nameless for a moment: what shows in the account meanwhile is its own.
    /// Those who make them in this process hold it together.
    ///
    /// # Errors
    /// `State` if there can be no lock.
    pub(crate) async fn births(&self) -> Result<Arc<FileLock>, Failure> {
        let broken = |error: FileError| {
            let (message, hint) = (format!("the making of nodes cannot be locked: {error}"), error.hint());
            Failure::new(crate::core::FailureKind::State, message).hint(hint)
        };
        files::private_dir(self.locks()).map_err(broken)?;
        let path = self.locks().join(format!("births-{}", self.settings().provider));
        let mut tries = 0_u32;
        loop {
            {
                let mut held = self.birth_lock();
                if let Some(lock) = held.upgrade() {
                    return Ok(lock);
                }
                if let Some(lock) = FileLock::attempt(&path).map_err(broken)? {
                    let lock = Arc::new(lock);
                    *held = Arc::downgrade(&lock);
                    return Ok(lock);
                }
            }
            tries += 1;
            // The first time it may be our own, which is just being given back.
            if tries == 2 {
                self.events().note("another process makes nodes on this account; waiting for it".to_owned());
            }
            self.time().sleep(LOOK).await;
        }
    }

    /// Ends when the other one ends, its process dies, or this run is cancelled.
    fn lock(&self, at: At<'_>, cluster: &str) -> Result<FileLock, StepError> {
        let broken = |error: FileError| {
            let hint = error.hint();
            let message = format!("cluster {cluster} cannot be locked: {error}");
            StepError::Failed(Failure::new(crate::core::FailureKind::State, message).hint(hint))
        };
        // A name may have signs that no file name has.
        let digest = hex(&Sha256::digest(format!("{}/{cluster}", self.context())));
        let path = self.locks().join(format!("cluster-{}", &digest[..16]));
        files::private_dir(self.locks()).map_err(broken)?;
        let mut told = false;
        loop {
            if let Some(lock) = FileLock::attempt(&path).map_err(broken)? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut told, true) {
                self.events().note(format!("another run works on cluster {cluster}; waiting for it"));
            }
            if !at.lane.run().pause(LOOK) {
                return Err(StepError::Cancelled);
            }
        }
    }
}
