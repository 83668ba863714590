//! `sophos export send`.

mod connection;
mod destination;
mod message;
mod position;
mod row_sender;
mod tls;

use std::{fs, path::PathBuf};

use indicatif::ProgressFinish;
use sophos_export::{Dataset, StopSignal, Store, StreamId};

use self::{
    connection::Connection,
    destination::Protocol,
    message::MessageFormat,
    position::PositionFile,
    row_sender::{RowSender, SentStream},
    tls::TlsFiles,
};
pub(super) use self::{
    destination::Destination,
    message::{Facility, RowFormat, parse_hostname},
};
use super::{SendArgs, export_failure, streams};
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::{
        client, store,
        values::{counted, since_epoch},
    },
};

/// The columns of the table.
const COLUMNS: [&str; 6] = ["tenant", "dataset", "commits", "rows", "too_long", "unreadable_count"];

/// The maximum payload of a datagram of IPv4.
const MAX_DATAGRAM_LEN: u64 = 65_507;

/// Runs the command.
pub(super) async fn run(args: &SendArgs, context: &Context) -> Result<(), Failure> {
    let export = store::open_existing(&args.from, "an export")?;
    let path = position_path(args)?;
    if context.globals.dry_run {
        return show_plan(args, context, &export, path).await;
    }
    let stop = StopSignal::new();
    let note = "confirming what was sent; Ctrl-C again ends at once";
    let _interrupts = client::on_interrupt(context, note, {
        let stop = stop.clone();
        move || stop.stop()
    });
    loop {
        let result = send_once(args, context, &export, path.clone(), &stop).await;
        if stop.is_stopped() {
            if let Err(failure) = result {
                context.warn(&failure.message);
            }
            return Err(Failure::reported(Exit::Interrupted));
        }
        // A repeated run continues after a failure, such as one of the network.
        let Some(every) = args.every else { return result };
        if let Err(failure) = result {
            context.warn(&failure.message);
        }
        if tokio::time::timeout(every, stop.stopped()).await.is_ok() {
            return Err(Failure::reported(Exit::Interrupted));
        }
    }
}

/// Sends the rows of the commits that exist now.
async fn send_once(
    args: &SendArgs,
    context: &Context,
    export: &Store,
    path: PathBuf,
    stop: &StopSignal,
) -> Result<(), Failure> {
    let mut sender = RowSender {
        context,
        export,
        format: MessageFormat::new(args.format, args.facility, args.hostname.as_deref()),
        connection: connection(args)?,
        positions: PositionFile::open(path)?,
        max_len: max_len(args),
        skip_unreadable: args.skip_unreadable,
        since_ms: since_ms(args),
        stop,
        unconfirmed: 0,
    };
    let streams = chosen_streams(args, context, export).await?;
    let progress = context.progress("sending", Some(streams.len() as u64));
    let progress = progress.with_finish(ProgressFinish::AndClear);
    let mut sent = Vec::new();
    for stream in &streams {
        progress.set_message(format!("{} of {}", stream.dataset, stream.tenant));
        sent.push(sender.send_stream(stream).await?);
        progress.inc(1);
    }
    sender.confirm().await?;
    progress.finish_and_clear();
    show(args, context, &sender, &sent)
}

/// Shows the result, which is a failure if a row was left out.
fn show(
    args: &SendArgs,
    context: &Context,
    sender: &RowSender<'_>,
    sent: &[SentStream],
) -> Result<(), Failure> {
    let mut records = context.records(&COLUMNS);
    for stream in sent {
        records.write(stream)?;
    }
    records.finish()?;
    for error in sent.iter().filter_map(|stream| stream.error.as_ref()) {
        context.warn(error);
    }
    let sum = |count: fn(&SentStream) -> u64| sent.iter().map(count).sum::<u64>();
    let (rows, path) = (counted(sum(|stream| stream.rows), "row"), sender.positions.path().display());
    context.note(&format!("sent {rows} to {}; the position is in {path}", args.to));
    let (streams, failed) = (sent.len() as u64, sum(|stream| stream.error.is_some().into()));
    let (unreadable, too_long) = (sum(|stream| stream.unreadable_count), sum(|stream| stream.too_long));
    let problems = [
        (failed, format!("{failed} of {} failed", counted(streams, "stream"))),
        (unreadable, format!("skipped {}", counted(unreadable, "unreadable object"))),
        (too_long, format!("skipped {} with a long message", counted(too_long, "row"))),
    ];
    let problems: Vec<_> =
        problems.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let exit = if failed == streams { Exit::Failure } else { Exit::Partial };
    Err(Failure::new(exit, problems.join(", ")).hint(
        "`sophos export verify` shows damaged objects; --skip-unreadable continues after them; \
         --max-message-size sets the longest message",
    ))
}

/// Shows the rows that a run would send, and sends nothing.
async fn show_plan(args: &SendArgs, context: &Context, export: &Store, path: PathBuf) -> Result<(), Failure> {
    let positions = PositionFile::open(path)?;
    let mut records = context.records(&["tenant", "dataset", "next_commit", "rows"]);
    let mut total = 0;
    for stream in chosen_streams(args, context, export).await? {
        let last = row_sender::last_commit(export, &stream).await.map_err(export_failure)?;
        let position = match positions.get(&stream) {
            Some(position) => position.clone(),
            None => row_sender::start(export, &stream, last, since_ms(args)).await.map_err(export_failure)?,
        };
        let mut rows = 0;
        for sequence in position.commit + 1..=last {
            rows += row_sender::load(export, &stream, sequence).await.map_err(export_failure)?.rows;
        }
        rows = rows.saturating_sub(position.rows);
        total += rows;
        records.write(&serde_json::json!({
            "tenant": stream.tenant,
            "dataset": stream.dataset,
            "next_commit": position.commit + 1,
            "rows": rows,
        }))?;
    }
    records.finish()?;
    context.note(&format!("would send {} to {}", counted(total, "row"), args.to));
    Ok(())
}

/// The streams of the chosen datasets.
async fn chosen_streams(
    args: &SendArgs,
    context: &Context,
    export: &Store,
) -> Result<Vec<StreamId>, Failure> {
    let mut streams = streams(export, context).await?;
    let default = Dataset::DEFAULT;
    let datasets: &[Dataset] = if args.dataset.is_empty() { &default } else { &args.dataset };
    streams.retain(|stream| datasets.contains(&stream.dataset));
    Ok(streams)
}

fn since_ms(args: &SendArgs) -> Option<i64> {
    args.since.map(|since| since_epoch().saturating_sub(since).as_millis() as i64)
}

fn max_len(args: &SendArgs) -> u64 {
    let default = match args.to.protocol {
        Protocol::Udp => MAX_DATAGRAM_LEN,
        Protocol::Tcp | Protocol::Tls => u64::MAX,
    };
    args.max_message_size.unwrap_or(default)
}

fn connection(args: &SendArgs) -> Result<Connection, Failure> {
    let identity = args.cert.clone().zip(args.key.clone());
    let files = TlsFiles { authorities: args.ca.clone(), identity };
    let connector = match args.to.protocol {
        Protocol::Tls => Some(tls::connector(&files)?),
        _ if files == TlsFiles::default() => None,
        _ => {
            let message = format!("invalid destination \"{}\": expected tls:// with --ca or --cert", args.to);
            return Err(Failure::usage(message));
        }
    };
    Ok(Connection::new(args.to.clone(), connector))
}

/// The file of `--state`, or one beside the folder for each destination.
fn position_path(args: &SendArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.state {
        return Ok(path.clone());
    }
    let folder = args.from.strip_prefix("file://").unwrap_or(&args.from);
    let folder = fs::canonicalize(folder).ok().filter(|_| !args.from.starts_with("s3://"));
    let beside = folder.as_deref().and_then(|folder| {
        let name = folder.file_name()?.to_str()?;
        Some(folder.with_file_name(format!("{name}.syslog-{}.json", args.to.file_name_part())))
    });
    beside.ok_or_else(|| {
        Failure::usage(format!("missing --state: no file can be beside {}", args.from))
            .hint("name a file, which keeps the position after the last sent row")
    })
}
