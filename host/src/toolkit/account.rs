//! account: whose the token is, noted with a run, so that it does not go on in another's account.

use linodetool_plugin::{ErrorKind, NoArguments};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::{Failure, FailureKind, RunId};
use crate::runs::{Run, Stored};
use crate::toolkit::Toolkit;

/// Fact of a run: the provider's id of the account it works in.
const ACCOUNT: &str = "account";

impl Toolkit {
    /// Finds out in the background whose account the run works in. What is not found out is not compared later.
    pub fn note_account(&self, run: &Arc<Run>) {
        // The sandbox has one account, and ends with it.
        if self.settings().sandbox || run.fact(ACCOUNT).is_some() {
            return;
        }
        let (toolkit, run) = (self.clone(), Arc::downgrade(run));
        self.handle().spawn(async move {
            let account = toolkit.account().await.ok().flatten();
            if let (Some(account), Some(run)) = (account, run.upgrade()) {
                // Without it, one comparison less.
                let _ = run.note_fact(ACCOUNT, account.into());
            }
        });
    }

    /// Refuses to go on with a run in another account than it worked in: what it made is not there.
    ///
    /// # Errors
    /// `Conflict` if it is another one; what the provider says if it does not answer.
    pub async fn check_account(&self, stored: &Stored) -> Result<(), Failure> {
        let Some(noted) = stored.facts.get(ACCOUNT).and_then(|account| account.as_str()) else { return Ok(()) };
        match self.account().await? {
            Some(present) if present != noted => Err(other_account(stored.summary.id.as_str(), noted, &present)),
            _ => Ok(()),
        }
    }

    /// Refuses to compare another account than that in which all that is on record was made: there it looks gone. Known are
    /// accounts of runs that noted theirs.
    ///
    /// # Errors
    /// `Conflict` if it is another one; what the provider says if it does not answer.
    pub(crate) async fn check_account_of_records(&self) -> Result<(), Failure> {
        let (inventory, context, provider) = (self.inventory(), self.context(), &self.settings().provider);
        let nodes = inventory.nodes(context)?.into_iter().filter(|row| row.provider == *provider);
        let resources = inventory.resources(context, None)?.into_iter().filter(|row| row.provider == *provider);
        let makers: BTreeSet<_> =
            nodes.map(|row| row.created_by_run).chain(resources.map(|row| row.created_by_run)).collect();
        let mut present = None;
        for maker in makers {
            let Some(stored) = RunId::parse(&maker).and_then(|run| self.runs().stored(&run).ok()) else { continue };
            let Some(noted) = stored.facts.get(ACCOUNT).and_then(|account| account.as_str()) else { continue };
            if present.is_none() {
                let Some(account) = self.account().await? else { return Ok(()) };
                present = Some(account);
            }
            if let Some(present) = present.as_deref().filter(|present| *present != noted) {
                return Err(other_account(&maker, noted, present));
            }
        }
        Ok(())
    }

    /// The provider's id of the account; `None` if the provider or the token's rights do not tell.
    async fn account(&self) -> Result<Option<String>, Failure> {
        let client = &self.provider().await?.client;
        if !client.supports("account.get") {
            return Ok(None);
        }
        match client.get_account(&NoArguments {}).await {
            Ok(account) => Ok(Some(account.id).filter(|id| !id.is_empty())),
            Err(error) if error.kind == ErrorKind::Forbidden => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn other_account(run: &str, noted: &str, present: &str) -> Failure {
    let message = format!("run {run} worked in account {noted}, but the token now in use belongs to account {present}");
    Failure::new(FailureKind::Conflict, message).hint(
        "nothing was changed; give a token of that account (`linodetool doctor` says where the present one comes from), \
         or begin a new run in this one",
    )
}
