//! Approval by the link in an outcome.

use std::io;

use serde_json::json;
use sophos_isolation::{ApprovalLinks, DecisionId};

use super::SmokeTest;

impl SmokeTest {
    /// Approves a waiting decision by its link: opens the page and submits its form.
    ///
    /// # Errors
    /// When the decision does not wait, or the webhook rejects the request.
    /// When the decision does not wait, or the webhook does not take the answer.
    pub async fn approve_by_link(&mut self, decision: &DecisionId) -> io::Result<()> {
        let shown = self.invoke_worker(&json!({ "show": decision })).await?;
        let last = shown["entries"].as_array().and_then(|entries| entries.last());
        let until = last.and_then(|last| last["expires_at"].as_u64());
        let until = until.ok_or_else(|| io::Error::other(format!("{decision} does not wait: {shown}")))?;
        let links =
            ApprovalLinks::new(self.stack.output("WebhookBaseUrl")?, self.approval_secret().await?.into());
        let link = self.account.function_endpoint(&self.stack, links.link(decision, until).expose()).await?;
        let http = self.account.http();
        let form = http
            .post(&link)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("answer=approve");
        for request in [http.get(&link), form] {
            let status = request.send().await.map_err(io::Error::other)?.status();
            if status != 200 {
                return Err(io::Error::other(format!(
                    "the response to the approval of {decision} is {status}"
                )));
            }
        }
        Ok(())
    }

    /// The value of the stack's secret for approval links.
    async fn approval_secret(&self) -> io::Result<String> {
        let secrets = self.account.moto().secrets();
        let listed = secrets.list_secrets().send().await.map_err(io::Error::other)?;
        let names = listed.secret_list().iter().filter_map(|secret| secret.name());
        let name = names.into_iter().find(|name| name.ends_with("isolation/approval"));
        let name = name.ok_or_else(|| io::Error::other("missing secret for approvals in the stack"))?;
        let value = secrets.get_secret_value().secret_id(name).send().await.map_err(io::Error::other)?;
        value.secret_string.ok_or_else(|| io::Error::other(format!("{name} has no string value")))
    }
}
