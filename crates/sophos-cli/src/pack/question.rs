//! The question before a change.

use std::io::{IsTerminal, Write};

use crate::{
    context::Context,
    exit::{Exit, Failure},
};

/// Whether the caller confirmed a change. With `--dry-run` it is shown and not made.
///
/// # Errors
/// When the caller declines, or there is no terminal to ask and no `--yes`.
pub(super) fn confirm(context: &Context, change: &str) -> Result<bool, Failure> {
    if context.globals.dry_run {
        context.note(&format!("would {change}"));
        return Ok(false);
    }
    if context.globals.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !context.stderr_is_terminal {
        let message = format!("confirmation required: this would {change}");
        return Err(Failure::usage(message).hint("add --yes to make the change, or --dry-run to see it only"));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "This will {change}. Continue? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::other(format!("reading the answer failed: {error}")))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        _ => Err(Failure::new(Exit::Interrupted, "nothing was changed")),
    }
}
