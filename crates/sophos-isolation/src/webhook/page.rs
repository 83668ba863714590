//! The pages on which a person approves.

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

pub(super) fn render_message(text: &str) -> String {
    render("Isolation", &format!("<p>{}</p>", escape(text)))
}

/// What is asked, and the form that answers.
pub(super) fn render_approval_form(decision: &Decision) -> String {
    if decision.state() != DecisionState::PendingApproval {
        return render_message(&format!(
            "This decision does not wait for an answer: it is {}.",
            decision.state()
        ));
    }
    let mut facts = vec![("Decision", decision.id().to_string())];
    if let Some(target) = decision.target() {
        facts.push(("Endpoint", target.hostname.clone().unwrap_or_else(|| target.endpoint.clone())));
        facts.push(("Endpoint id", target.endpoint.clone()));
        facts.push(("Tenant", target.tenant.clone()));
    }
    if let Some(received) = decision.received() {
        facts.push(("Asked by", received.source.clone()));
        facts.push(("Because", received.signal.title.clone()));
        if let Some(severity) = received.signal.severity {
            facts.push(("Severity", severity.to_string()));
        }
    }
    if let Some(Transition::PendingApproval { reason: why, expires_at: until, .. }) =
        decision.entries().last().map(|entry| &entry.transition)
    {
        facts.push(("Needs approval", why.clone()));
        facts.push(("Waits until", format_rfc3339(until.saturating_mul(1_000))));
    }
    let list: String =
        facts.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value))).collect();
    let form = "<form method=\"post\"><button name=\"answer\" value=\"approve\">Isolate it</button>\
                <button name=\"answer\" value=\"decline\">Do not</button></form>";
    render("Isolate this endpoint?", &format!("<dl>{list}</dl>{form}"))
}

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
