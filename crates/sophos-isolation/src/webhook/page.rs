//! The approval pages.

use crate::{
    approval::ApprovalAnswer,
    decision::{Decision, DecisionState, Transition},
    outcome::format_rfc3339,
};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}\
                     dt{font-weight:600}dd{margin:0 0 .75rem}\
                     button{font:inherit;padding:.5rem 1.25rem;margin-right:.75rem}";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn render(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    )
}

/// Renders a page with a sentence.
pub(super) fn render_message(text: &str) -> String {
    render("Isolation", &format!("<p>{}</p>", escape(text)))
}

/// Renders a decision with the form to approve or decline it.
pub(super) fn render_approval_form(decision: &Decision) -> String {
    if decision.state() != DecisionState::PendingApproval {
        return render_message(&format!(
            "This decision does not await approval. Its state is {}.",
            decision.state()
        ));
    }
    let mut rows = vec![("Decision", decision.id().to_string())];
    if let Some(target) = decision.target() {
        rows.push(("Endpoint", target.hostname.clone().unwrap_or_else(|| target.endpoint.clone())));
        rows.push(("Endpoint id", target.endpoint.clone()));
        rows.push(("Tenant", target.tenant.clone()));
    }
    if let Some(received) = decision.received() {
        rows.push(("Source", received.source.clone()));
        rows.push(("Alert", received.signal.title.clone()));
        if let Some(severity) = received.signal.severity {
            rows.push(("Severity", severity.to_string()));
        }
    }
    if let Some(Transition::PendingApproval { reason, expires_at, .. }) =
        decision.entries().last().map(|entry| &entry.transition)
    {
        rows.push(("Reason for approval", reason.clone()));
        rows.push(("Expires", format_rfc3339(expires_at.saturating_mul(1_000))));
    }
    let list: String =
        rows.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value))).collect();
    let form = "<form method=\"post\"><button name=\"answer\" value=\"approve\">Isolate</button>\
                <button name=\"answer\" value=\"decline\">Decline</button></form>";
    render("Isolate this endpoint?", &format!("<dl>{list}</dl>{form}"))
}

/// Renders the confirmation of an answer.
pub(super) fn render_answer(decision: &Decision, answer: ApprovalAnswer) -> String {
    render_message(&match answer {
        ApprovalAnswer::Approve => {
            format!("Approved. The endpoint is being isolated. Decision {}.", decision.id())
        }
        ApprovalAnswer::Decline => format!("Declined. Nothing is isolated. Decision {}.", decision.id()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_escape_text_from_the_sender() {
        let page = render_message("<script>alert('x' & \"y\")</script>");
        assert!(
            page.contains("&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;"),
            "{page}"
        );
    }
}
