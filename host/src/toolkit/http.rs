//! Asking a web page of a node, through SSH: the page need not be open to anybody else.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit};

/// How a page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageOptions {
    /// Host as the node sees it; by default `localhost`.
    pub host: Option<String>,
    /// What it answers in a rehearsal.
    pub rehearse: Option<Value>,
}

impl Toolkit {
    /// JSON of a page as the node sees it; `None` while nothing answers there.
    ///
    /// # Errors
    /// `Unavailable` if it answers with an error or with no JSON; `Ssh` if the node cannot be reached.
    pub fn http_get(
        &self,
        at: At<'_>,
        node: &Node,
        port: u16,
        path: &str,
        options: &PageOptions,
    ) -> Result<Option<Value>, StepError> {
        // Behind the port anything but a path would be another host to ask, of this computer: `127.0.0.1:8080@example.com`.
        if !path.starts_with('/') {
            let failure = Failure::usage(format!("the path of a page begins with /, and `{path}` does not"));
            return Err(StepError::Failed(failure.field("path").hint(format!("say `/{path}`"))));
        }
        let host = options.host.as_deref().unwrap_or("localhost");
        let rehearse = options.rehearse.as_ref();
        at.step(&Get { node: &node.name, host, port, path, rehearse, at_node: node, toolkit: self })
    }
}

#[derive(Serialize)]
struct Get<'a> {
    node: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
    #[serde(skip)]
    rehearse: Option<&'a Value>,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Get<'_> {
    const OP: &'static str = "node.http_get";
    const KIND: Kind = Kind::Read;
    type Out = Option<Value>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Option<Value>>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        let connections = self.toolkit.connections();
        if !connections.port_open(&target, self.host, self.port).await? {
            return Ok(None.into());
        }
        if connections.simulation().is_some() {
            let page = format!("http://{}:{}{}", self.host, self.port, self.path);
            let unknown = || {
                Failure::new(FailureKind::Unsupported, format!("what {page} answers cannot be known in a rehearsal"))
                    .hint("give http_get an answer for rehearsals: #{ rehearse: #{ ... } }")
                    .on(self.node)
            };
            return Ok(Some(self.rehearse.cloned().ok_or_else(unknown)?).into());
        }
        let forward = connections.forward(&target, 0, self.host, self.port).await?;
        let url = format!("http://{}{}", forward.local(), self.path);
        let refuse = |why: String| {
            let page = format!("http://{}:{}{}", self.host, self.port, self.path);
            Failure::new(FailureKind::Unavailable, format!("{page}: {why}")).on(self.node)
        };
        let request = self.toolkit.page_client()?.get(url).header("host", format!("{}:{}", self.host, self.port));
        let answer = match request.send().await {
            Ok(answer) => answer,
            // Listening and not yet answering: as good as not there.
            Err(_) => return Ok(None.into()),
        };
        let status = answer.status();
        let text = answer.text().await.map_err(|e| refuse(e.to_string()))?;
        if !status.is_success() {
            return Err(refuse(format!("answered {status}")));
        }
        let json = serde_json::from_str(&text).map_err(|e| refuse(format!("did not answer in JSON: {e}")))?;
        Ok(Some(json).into())
    }
}

/// For pages behind a forward: a local port that is another page's later, so no connection is kept.
pub(super) fn client() -> Result<reqwest::Client, Failure> {
    crate::provider::install_crypto();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([]) // never https: reading this computer's certificates takes tens of milliseconds
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(15))
        .build();
    client.map_err(|e| Failure::internal(format!("no HTTP client: {e}")))
}
