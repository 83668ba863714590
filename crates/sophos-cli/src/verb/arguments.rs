//! The arguments of a verb for clap.

use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser, value_parser};

use crate::verb::{
    Kind, Param, ParamKind, TimeArg, Verb,
    fields::{kebab_case, path_members},
};

/// Adds the arguments of a verb.
pub(crate) fn add(verb: &Verb, mut command: Command) -> Command {
    if let Some(call) = verb.calls.first() {
        let route = call.route();
        let members = path_members(route.path);
        let count = members.len();
        for (index, member) in members.into_iter().enumerate() {
            let is_last = index + 1 == count;
            command = command.arg(positional(verb, member, is_last));
        }
    }
    for param in verb.params {
        command = command.arg(option(param));
    }
    command = command.arg(
        Arg::new("raw-field")
            .short('f')
            .long("field")
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .help("Any other field of the request; NAME:=TEXT for a text that looks like JSON"),
    );
    if matches!(verb.kind, Kind::Change(_) | Kind::Query(..)) {
        command = command.arg(
            Arg::new("input")
                .long("input")
                .value_name("FILE")
                .help("The fields of the request as a JSON object; - for standard input"),
        );
    }
    command
}

fn positional(verb: &Verb, member: &'static str, is_last: bool) -> Arg {
    let name = kebab_case(member);
    let noun = name.trim_end_matches("-id").replace('-', " ");
    let arg = Arg::new(member).required(true);
    if verb.endpoints {
        let arg = arg.value_name("ENDPOINT").help("The endpoint, by id or host name");
        return if matches!(verb.kind, Kind::Change(_)) {
            arg.num_args(1..).help("The endpoints, by id or host name; - reads ids from standard input")
        } else {
            arg
        };
    }
    let arg = arg.value_name(name.to_uppercase().replace('-', "_")).help(if name.ends_with("-id") {
        format!("The id of the {noun}")
    } else {
        format!("The {noun}")
    });
    if is_last && matches!(verb.kind, Kind::Change(_)) { arg.num_args(1..) } else { arg }
}

fn option(param: &'static Param) -> Arg {
    let arg = Arg::new(param.name).long(param.name).help(param.help).required(param.required);
    match param.kind {
        ParamKind::Text => arg.value_name("TEXT"),
        ParamKind::List => arg.value_name("LIST").value_delimiter(',').action(ArgAction::Append),
        ParamKind::Choice(values) => arg.value_name("VALUE").value_parser(PossibleValuesParser::new(values)),
        ParamKind::Choices(values) => arg
            .value_name("LIST")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(PossibleValuesParser::new(values)),
        ParamKind::Number => arg.value_name("N").value_parser(value_parser!(i64)),
        ParamKind::Numbers => arg
            .value_name("LIST")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(value_parser!(i64)),
        ParamKind::Time(_) => {
            arg.value_name("TIME").allow_hyphen_values(true).value_parser(value_parser!(TimeArg))
        }
        ParamKind::Bool => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(value_parser!(bool)),
        ParamKind::Json => arg.value_name("JSON|@FILE"),
    }
}
