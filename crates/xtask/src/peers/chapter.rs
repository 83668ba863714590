//! The chapter with the results, which is also the list of the expected ones.

use std::fmt::Write as _;

use super::results::{ClientResults, Outcome};

const INTRODUCTION: &str = "# Other clients

The simulator has to satisfy clients that others wrote for Sophos Central. `cargo xtask peers` runs \
these packages from PyPI unchanged against it, and calls each of their public functions. Connections to \
`id.sophos.com` and `api*.central.sophos.com` are redirected to the simulator, over TLS with these names. \
Each check compares what the client returns or prints with what the simulator holds.

`cargo xtask peers --update` writes this page. The command fails if a result is another one than here, or \
if a function differs without a reason. Waits of a client move the simulator's clock. The checks are in \
`tests/peers`.
";

/// The page.
pub(super) fn render(clients: &[ClientResults]) -> String {
    let mut page = format!("{INTRODUCTION}\n{}", summary(clients));
    for client in clients {
        let _ = write!(page, "\n## {}\n\n| function | result |\n|---|---|\n", client.client);
        for function in &client.functions {
            let outcome = function.outcome.as_str();
            // The command prints the others, which have ids and ports that differ in each run.
            let is_stable = function.outcome != Outcome::Unexplained;
            let reason = if is_stable { function.reason.replace('|', "\\|") } else { String::new() };
            let separator = if reason.is_empty() { "" } else { ": " };
            let _ = writeln!(page, "| `{}` | {outcome}{separator}{reason} |", function.name);
        }
    }
    page
}

/// The table with the numbers of each client.
pub(super) fn summary(clients: &[ClientResults]) -> String {
    let mut table = String::from("| client | version | functions | ok | differ | not applicable |\n");
    table.push_str("|---|---|---|---|---|---|\n");
    for client in clients {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} |",
            client.client,
            client.version,
            client.functions.len(),
            client.count(Outcome::Ok),
            client.count(Outcome::Differs) + client.count(Outcome::Unexplained),
            client.count(Outcome::NotApplicable),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_lists_each_function_with_its_reason() {
        let output = "{\"client\":\"one\",\"version\":\"1.0\"}\n\
            {\"client\":\"one\",\"function\":\"b\",\"result\":\"differs\",\"reason\":\"a | b\"}\n\
            {\"client\":\"one\",\"function\":\"a\",\"result\":\"ok\",\"reason\":\"\"}\n\
            {\"client\":\"one\",\"function\":\"c\",\"result\":\"unexplained\",\"reason\":\"port 1\"}\n";
        let page = render(&[ClientResults::parse("one.py", output).expect("results")]);
        assert!(page.contains("| one | 1.0 | 3 | 1 | 2 | 0 |\n"), "{page}");
        assert!(
            page.ends_with("| `a` | ok |\n| `b` | differs: a \\| b |\n| `c` | unexplained |\n"),
            "{page}"
        );
    }
}
