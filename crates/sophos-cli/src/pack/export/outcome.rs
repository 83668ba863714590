//! The end of an export: the summary, and the exit code.

use sophos_api::ErrorKind;
use sophos_export::{ExportReport, FailureKind, StreamOutcome};

use crate::{
    exit::{Exit, Failure},
    pack::values::{counted, in_words},
};

/// The summary of a run.
pub(super) fn summary(report: &ExportReport, location: &str) -> String {
    let mut parts = vec![
        format!("{} of {}", counted(report.rows, "row"), counted(report.tenants, "tenant")),
        counted(report.objects, "object"),
        counted(report.api_requests, "request"),
    ];
    if report.throttled > 0 {
        parts.push(format!("{} throttled", report.throttled));
    }
    if report.unfinished > 0 {
        parts.push(format!("{} unfinished", counted(report.unfinished, "stream")));
    }
    if report.failed > 0 {
        parts.push(format!("{} failed", counted(report.failed, "stream")));
    }
    format!("exported to {location}: {}", parts.join(", "))
}

/// The warnings of a run: gaps, quarantined records, tenants that were left out.
pub(super) fn warnings(report: &ExportReport) -> Vec<String> {
    let mut warnings = report.skipped_tenants.clone();
    for stream in &report.streams {
        let name = format!("{} of {}", stream.dataset, stream.tenant);
        if !stream.gaps.is_empty() {
            let length = in_words(stream.gap_seconds());
            warnings.push(format!(
                "{name}: the feed had dropped {length} before this run; export daily or more often"
            ));
        }
        if stream.quarantined > 0 {
            let records = counted(stream.quarantined, "record");
            warnings.push(format!("{name}: {records} that are not JSON went to _quarantine/"));
        }
        if let Some(error) = &stream.error {
            warnings.push(format!("{name}: {error}"));
        }
    }
    warnings
}

/// The result of a run: a failure if a stream failed or a tenant was skipped.
///
/// # Errors
/// The failure of all streams with the code of the first, or of some with code 3.
pub(super) fn result(report: &ExportReport) -> Result<(), Failure> {
    let total = report.streams.len() as u64;
    let is_failed = |outcome| outcome == StreamOutcome::Failed;
    let first = report.streams.iter().find(|stream| is_failed(stream.outcome));
    match first {
        Some(stream) if report.failed == total => {
            let exit = stream.error_kind.map_or(Exit::Failure, exit_code);
            let message =
                if total == 1 { "the stream failed".into() } else { format!("all {total} streams failed") };
            Err(Failure::new(exit, message)
                .hint("correct the cause above and run the command again; it continues"))
        }
        Some(_) => {
            let message = format!("{} of {total} streams failed", report.failed);
            Err(Failure::new(Exit::Partial, message)
                .hint("run the command again; it continues the failed streams"))
        }
        None if !report.skipped_tenants.is_empty() => {
            let message = format!("skipped {}", counted(report.skipped_tenants.len() as u64, "tenant"));
            Err(Failure::new(Exit::Partial, message))
        }
        None => Ok(()),
    }
}

/// The exit code of a stream's failure.
fn exit_code(kind: FailureKind) -> Exit {
    match kind {
        FailureKind::Service(kind) => match kind {
            ErrorKind::NoCredential | ErrorKind::CredentialRejected | ErrorKind::Unauthorized => {
                Exit::Authentication
            }
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::Forbidden | ErrorKind::WrongCredentialType => Exit::Forbidden,
            ErrorKind::Throttled => Exit::RateLimit,
            _ => Exit::Failure,
        },
        _ => Exit::Failure,
    }
}

#[cfg(test)]
mod tests {
    use sophos_export::{Dataset, StreamReport};

    use super::*;

    fn report(streams: &[(StreamOutcome, Option<ErrorKind>)]) -> ExportReport {
        let mut report = ExportReport::default();
        for (outcome, kind) in streams {
            let mut stream = StreamReport::new("ab", Dataset::Events, *outcome);
            stream.error_kind = kind.map(FailureKind::Service);
            report.add(stream);
        }
        report
    }

    #[test]
    fn exit_code_follows_the_failed_streams() {
        use StreamOutcome::{Committed, Failed, UpToDate};
        let exit = |streams: &[_]| result(&report(streams)).err().map(|failure| failure.exit);
        assert_eq!(exit(&[(Committed, None), (UpToDate, None)]), None);
        assert_eq!(exit(&[]), None);
        assert_eq!(exit(&[(Committed, None), (Failed, Some(ErrorKind::Forbidden))]), Some(Exit::Partial));
        for (kind, code) in [
            (ErrorKind::CredentialRejected, Exit::Authentication),
            (ErrorKind::Forbidden, Exit::Forbidden),
            (ErrorKind::NotFound, Exit::NotFound),
            (ErrorKind::Throttled, Exit::RateLimit),
            (ErrorKind::Unavailable, Exit::Failure),
        ] {
            assert_eq!(exit(&[(Failed, Some(kind))]), Some(code), "{kind:?}");
        }
        let mut skipped = report(&[(Committed, None)]);
        skipped.skipped_tenants.push("a tenant".into());
        assert_eq!(result(&skipped).err().map(|failure| failure.exit), Some(Exit::Partial));
    }
}
