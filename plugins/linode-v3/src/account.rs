//! The account. API v3 tells its balance and transfer, but neither an id nor whose it is; `raw account.info` shows all.

use crate::LinodeV3;
use crate::action::Action;
use linodetool_plugin::{Account, Cx, NoArguments, Result};

pub(crate) async fn get(v3: &LinodeV3, cx: &Cx, _: NoArguments) -> Result<Account> {
    let row = v3.api.call(cx, Action::new("account.info")).await?.row();
    let managed = row.flag("managed").then(|| "Managed".to_owned());
    Ok(Account { capabilities: managed.into_iter().collect(), ..Account::default() })
}
