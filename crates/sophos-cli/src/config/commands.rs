//! `sophos config init`, `show`, `test` and `use`.

use std::io::IsTerminal;

use clap::{Arg, ArgMatches, Command};
use dialoguer::{Input, Password, theme::SimpleTheme};
use secrecy::SecretString;
use serde::Serialize;

use crate::{
    config::{
        SecretLocation, config_path,
        edit::{self, ProfileValues},
        file::DEFAULT_PROFILE,
        keyring, load, load_file,
        secret_source::read_stdin,
        test_command,
    },
    confirm::not_asked,
    context::Context,
    exit::Failure,
};

/// The command.
pub(crate) fn command() -> Command {
    Command::new("config")
        .about("Profiles, credentials, and a test of both")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("init")
                .about("Creates a profile and stores its client secret")
                .long_about(
                    "Creates a profile and stores its client secret. Without --secret the secret goes to the \
                     keyring of the system: it is read from a hidden prompt, or from standard input if that is \
                     not a terminal. The secret is never an argument.",
                )
                .arg(Arg::new("client-id").long("client-id").value_name("ID").help("The client id of the credential"))
                .arg(
                    Arg::new("secret")
                        .long("secret")
                        .value_name("LOCATION")
                        .default_value("keyring")
                        .value_parser(|text: &str| text.parse::<SecretLocation>())
                        .help("Where the secret is: keyring, env, stdin, file:PATH or aws:NAME"),
                )
                .arg(Arg::new("region").long("region").value_name("REGION").help("The expected data region, such as us or eu01"))
                .arg(Arg::new("default-tenant").long("default-tenant").value_name("NAME|ID").help("The default tenant"))
                .after_help(
                    "Examples:\n  sophos config init\n  pass show sophos | sophos config init --profile acme --client-id ID\n  \
                     sophos config init --profile pack --secret aws:sophos/credentials/first",
                ),
        )
        .subcommand(
            Command::new("show")
                .about("Shows the profiles, without secrets")
                .after_help("Examples:\n  sophos config show\n  sophos config show -o json"),
        )
        .subcommand(
            Command::new("test")
                .about("Tests the credential, and shows its type, its tenants and its limits")
                .after_help("Examples:\n  sophos config test\n  sophos config test --profile acme -o json"),
        )
        .subcommand(
            Command::new("use")
                .about("Makes a profile the current one")
                .arg(Arg::new("name").value_name("PROFILE").required(true).help("The name of the profile"))
                .after_help("Example:\n  sophos config use acme"),
        )
}

/// Runs the command.
///
/// # Errors
/// When the configuration or the credential is invalid.
pub(crate) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("init", matches)) => init(matches, context),
        Some(("show", _)) => show(context),
        Some(("test", _)) => test_command::run(context).await,
        Some(("use", matches)) => {
            use_profile(matches.get_one::<String>("name").map(String::as_str).unwrap_or_default(), context)
        }
        _ => Err(Failure::usage("missing command: see `sophos config --help`")),
    }
}

fn init(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let name = context.globals.profile.clone().unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
    let location = matches.get_one::<SecretLocation>("secret").cloned().unwrap_or(SecretLocation::Keyring);
    let is_terminal = std::io::stdin().is_terminal();
    let holds_id = matches!(location, SecretLocation::SecretsManager(_) | SecretLocation::File(_));
    let client_id = match text("client-id") {
        Some(id) => Some(id.trim().to_owned()),
        None if holds_id => None,
        None if is_terminal => Some(ask("Client id")?),
        None => return Err(Failure::usage("missing --client-id: there is no terminal to ask at")),
    };
    let client_id = client_id.filter(|id| !id.is_empty());
    if !holds_id && client_id.is_none() {
        return Err(Failure::usage("the client id is empty: copy it from API Credentials Management"));
    }
    if location == SecretLocation::Config {
        return Err(Failure::usage(
            "a secret in the configuration file is for older files: expected keyring, env, stdin, file:PATH or aws:NAME",
        ));
    }
    if let (SecretLocation::Keyring, Some(id)) = (&location, &client_id) {
        let secret = if is_terminal {
            let typed = Password::with_theme(&SimpleTheme).with_prompt("Client secret (hidden)").interact();
            SecretString::from(typed.map_err(not_asked)?)
        } else {
            read_stdin()?
        };
        keyring::set(id, &secret)?;
    }
    let path = config_path(&context.globals)?;
    let values = ProfileValues {
        client_id,
        secret: location.to_string(),
        region: text("region"),
        tenant: text("default-tenant"),
    };
    edit::write_profile(&path, &name, &values)?;
    context.note(&format!("Wrote the profile {name} to {}; its secret is in: {location}", path.display()));
    context.note("Next: sophos config test");
    Ok(())
}

fn ask(prompt: &str) -> Result<String, Failure> {
    let typed: Result<String, _> = Input::with_theme(&SimpleTheme).with_prompt(prompt).interact_text();
    typed.map(|text| text.trim().to_owned()).map_err(not_asked)
}

#[derive(Serialize)]
struct ShownProfile {
    profile: String,
    current: bool,
    client_id: Option<String>,
    secret: String,
    region: Option<String>,
    tenant: Option<String>,
}

fn show(context: &Context) -> Result<(), Failure> {
    let (file, path) = load_file(&context.globals)?;
    let current = load(&context.globals)?;
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    if !names.contains(&current.name) {
        names.push(current.name.clone());
    }
    let mut records = context.records(&["profile", "current", "client_id", "secret", "region", "tenant"]);
    for name in names {
        let profile = if name == current.name {
            current.clone()
        } else {
            let mut globals = context.globals.clone();
            globals.profile = Some(name.clone());
            load(&globals)?
        };
        records.write(&ShownProfile {
            current: profile.name == current.name,
            profile: profile.name,
            client_id: profile.client_id,
            secret: profile.secret.to_string(),
            region: profile.region,
            tenant: profile.tenant,
        })?;
    }
    records.finish()?;
    match path {
        Some(path) => context.note(&format!("Configuration: {}", path.display())),
        None => context.note(&format!(
            "There is no configuration file yet: {}",
            config_path(&context.globals)?.display()
        )),
    }
    Ok(())
}

fn use_profile(name: &str, context: &Context) -> Result<(), Failure> {
    let (file, _) = load_file(&context.globals)?;
    let names = file.names();
    if name != DEFAULT_PROFILE && !names.contains(&name) {
        let expected = if names.is_empty() {
            "the configuration has none".to_owned()
        } else {
            format!("expected {}", names.join(" or "))
        };
        return Err(Failure::usage(format!("unknown profile \"{name}\": {expected}"))
            .hint(format!("run `sophos config init --profile {name}`")));
    }
    edit::use_profile(&config_path(&context.globals)?, name)?;
    context.note(&format!("The current profile is {name}"));
    Ok(())
}
