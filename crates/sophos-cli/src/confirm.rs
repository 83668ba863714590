//! Questions before changes.

use std::io::{IsTerminal, Write};

use dialoguer::{Confirm, Input, theme::SimpleTheme};

use crate::{
    context::Context,
    exit::{Exit, Failure},
    verb::plural,
};

/// The most objects that a yes is enough for.
const MAX_OF_YES: usize = 10;

/// The most names that a question shows.
const MAX_NAMES: usize = 10;

/// A change before it is made.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The change in the imperative, such as `isolate`.
    pub(crate) action: String,
    /// The noun of the objects, such as `endpoint`.
    pub(crate) noun: String,
    /// The names of the objects.
    pub(crate) objects: Vec<String>,
}

impl Change {
    /// The sentence that says what will happen.
    pub(crate) fn sentence(&self) -> String {
        let mut names =
            self.objects.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.objects.len() > MAX_NAMES {
            names.push_str(&format!(" and {} more", self.objects.len() - MAX_NAMES));
        }
        match self.objects.len() {
            0 if self.noun.starts_with(['a', 'e', 'i', 'o']) => format!("{} an {}", self.action, self.noun),
            0 => format!("{} a {}", self.action, self.noun),
            1 => format!("{} the {} {names}", self.action, self.noun),
            count => format!("{} {count} {}: {names}", self.action, plural(&self.noun, count as u64)),
        }
    }
}

/// Says what a change does, and asks for consent. `--yes` is consent.
///
/// # Errors
/// Without consent, and without a terminal to ask at.
pub(crate) fn confirm(context: &Context, change: &Change) -> Result<(), Failure> {
    let sentence = change.sentence();
    if context.globals.yes {
        context.note(&capitalized(&sentence));
        return Ok(());
    }
    if !context.stderr_is_terminal || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("not confirmed: {sentence}"))
            .hint("there is no terminal to ask at: add --yes, or --dry-run to see the request"));
    }
    let count = change.objects.len();
    let agreed = if count > MAX_OF_YES {
        let _ = writeln!(std::io::stderr(), "This will {sentence}.");
        let typed: String = Input::with_theme(&SimpleTheme)
            .with_prompt(format!("Type the number of {} to continue", plural(&change.noun, count as u64)))
            .allow_empty(true)
            .interact_text()
            .map_err(not_asked)?;
        typed.trim() == count.to_string()
    } else {
        Confirm::with_theme(&SimpleTheme)
            .with_prompt(format!("{}?", capitalized(&sentence)))
            .default(false)
            .interact()
            .map_err(not_asked)?
    };
    if agreed { Ok(()) } else { Err(Failure::other("cancelled: nothing was changed")) }
}

/// The failure of a question; Ctrl-C at it interrupts the command.
pub(crate) fn not_asked(error: dialoguer::Error) -> Failure {
    // The question hides the cursor.
    let _ = console::Term::stderr().show_cursor();
    let dialoguer::Error::IO(error) = error;
    if error.kind() == std::io::ErrorKind::Interrupted {
        return Failure::new(Exit::Interrupted, "interrupted: nothing was changed");
    }
    Failure::other(format!("asking failed: {error}"))
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
