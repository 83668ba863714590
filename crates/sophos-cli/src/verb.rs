//! Nouns and verbs as data: a verb is an operation, its options and its columns.
//!
//! A member of the operation's path is a positional argument by itself. The others are
//! [`Param`]s, and `-f name=value` sets any.

mod arguments;
mod assignments;
mod call;
mod change;
mod command;
mod fields;
mod items;
mod list;
mod run;
mod time;
mod wait;

#[cfg(test)]
pub(crate) use assignments::resolve;
pub(crate) use assignments::{add_assignments, path_value};
pub(crate) use call::{Op, Target, choose, next_page};
pub(crate) use change::{confirm_and_send, print_request, send_changes, show_request};
pub(crate) use command::noun_command;
#[cfg(test)]
pub(crate) use fields::camel_case;
pub(crate) use fields::{Fields, read_input};
pub(crate) use items::{DEFAULT_ITEMS, items_of};
pub(crate) use list::{list, tenant_targets, write_pages};
pub(crate) use run::{plural, run_noun, write_one};
pub(crate) use time::{TimeArg, TimeForm};

/// The operation of this path below `sophos_api::operations`.
macro_rules! op {
    ($($path:tt)+) => {
        $crate::verb::Op::of::<sophos_api::operations::$($path)+>()
    };
}
pub(crate) use op;

/// A noun and its verbs.
pub(crate) struct Noun {
    /// The name, such as `endpoints`.
    pub(crate) name: &'static str,
    /// The sentence of the help.
    pub(crate) about: &'static str,
    /// The name of one object, such as `endpoint`.
    pub(crate) object: &'static str,
    /// The default columns.
    pub(crate) columns: &'static [&'static str],
    /// The verbs.
    pub(crate) verbs: &'static [Verb],
}

/// A verb of a noun.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    /// The operation for each scope that has one: tenant, partner, organization.
    pub(crate) calls: &'static [Op],
    pub(crate) params: &'static [Param],
    /// The columns, if they are not the noun's; `*` for all members of the first record.
    pub(crate) columns: &'static [&'static str],
    pub(crate) examples: &'static [&'static str],
    /// Members of every request, as JSON.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    /// The largest page that the service permits.
    pub(crate) page_size: Option<u32>,
    /// The name of one object, if it is not the noun's.
    pub(crate) object: Option<&'static str>,
    /// The member of a page that holds the records.
    pub(crate) items: &'static str,
    /// Whether the path's last member names endpoints, by id or host name.
    pub(crate) endpoints: bool,
}

/// The behaviour of a verb.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Reads a listing.
    List,
    /// Reads one object.
    Get,
    /// Changes something, after a question. The text is the verb of the sentence.
    Change(&'static str),
    /// Starts a query, waits for it, and reads its results: the operations of its state and its
    /// results.
    Query(Op, Op),
}

/// The [`Param::field`] of a JSON object whose members are the fields.
pub(crate) const ALL_MEMBERS: &str = "*";

/// An option of a verb.
pub(crate) struct Param {
    /// The name of the option.
    pub(crate) name: &'static str,
    /// The member of the request: a path joined by slashes, or [`ALL_MEMBERS`]. The name in
    /// camel case if empty.
    pub(crate) field: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: ParamKind,
    pub(crate) required: bool,
}

/// The type of an option.
#[derive(Clone, Copy)]
pub(crate) enum ParamKind {
    Text,
    /// Texts separated by commas.
    List,
    /// One of these values.
    Choice(&'static [&'static str]),
    /// Several of these values.
    Choices(&'static [&'static str]),
    Number,
    /// Numbers separated by commas.
    Numbers,
    /// A time, a date, or a duration before now.
    Time(TimeForm),
    /// `true` or `false`.
    Bool,
    /// JSON, or `@FILE`.
    Json,
}

impl Verb {
    const fn new(name: &'static str, about: &'static str, kind: Kind, calls: &'static [Op]) -> Self {
        Self {
            name,
            about,
            kind,
            calls,
            params: &[],
            columns: &[],
            examples: &[],
            fixed: &[],
            page_size: None,
            object: None,
            items: DEFAULT_ITEMS,
            endpoints: false,
        }
    }

    /// A verb that reads a listing.
    pub(crate) const fn list(name: &'static str, about: &'static str, calls: &'static [Op]) -> Self {
        Self::new(name, about, Kind::List, calls)
    }

    /// A verb that reads one object.
    pub(crate) const fn get(name: &'static str, about: &'static str, calls: &'static [Op]) -> Self {
        Self::new(name, about, Kind::Get, calls)
    }

    /// A verb that changes something, with the verb of its question.
    pub(crate) const fn change(
        name: &'static str,
        about: &'static str,
        action: &'static str,
        calls: &'static [Op],
    ) -> Self {
        Self::new(name, about, Kind::Change(action), calls)
    }

    /// A verb that starts a query, waits for it, and reads its results.
    pub(crate) const fn query(
        name: &'static str,
        about: &'static str,
        start: &'static [Op],
        status: Op,
        results: Op,
    ) -> Self {
        Self::new(name, about, Kind::Query(status, results), start)
    }

    pub(crate) const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    pub(crate) const fn columns(mut self, columns: &'static [&'static str]) -> Self {
        self.columns = columns;
        self
    }

    pub(crate) const fn examples(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    pub(crate) const fn fixed(mut self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        self.fixed = fixed;
        self
    }

    pub(crate) const fn page_size(mut self, page_size: u32) -> Self {
        self.page_size = Some(page_size);
        self
    }

    pub(crate) const fn object(mut self, object: &'static str) -> Self {
        self.object = Some(object);
        self
    }

    pub(crate) const fn items(mut self, items: &'static str) -> Self {
        self.items = items;
        self
    }

    pub(crate) const fn endpoints(mut self) -> Self {
        self.endpoints = true;
        self
    }
}

impl Param {
    const fn new(name: &'static str, help: &'static str, kind: ParamKind) -> Self {
        Self { name, field: "", help, kind, required: false }
    }

    pub(crate) const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Text)
    }

    pub(crate) const fn list(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::List)
    }

    pub(crate) const fn choice(
        name: &'static str,
        help: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self::new(name, help, ParamKind::Choice(values))
    }

    pub(crate) const fn choices(
        name: &'static str,
        help: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self::new(name, help, ParamKind::Choices(values))
    }

    pub(crate) const fn number(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Number)
    }

    pub(crate) const fn numbers(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Numbers)
    }

    pub(crate) const fn time(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Time(TimeForm::Utc))
    }

    /// A time in the form that the operation takes.
    pub(crate) const fn time_as(name: &'static str, help: &'static str, form: TimeForm) -> Self {
        Self::new(name, help, ParamKind::Time(form))
    }

    pub(crate) const fn bool(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Bool)
    }

    pub(crate) const fn json(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, ParamKind::Json)
    }

    /// Sets the member of the request.
    pub(crate) const fn field(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}
