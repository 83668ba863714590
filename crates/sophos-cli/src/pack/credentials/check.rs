//! `sophos credentials check`.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use sophos_api::{Client, Hosts, Owner, RateLimit};
use sophos_secrets::{
    CredentialCheck, CredentialCheckError, Purpose, SecretError, SophosCredentialCheck, StoredCredential,
    staged::CandidateFilter,
};

use super::CheckArgs;
use crate::{
    config,
    connect::hosts,
    context::Context,
    exit::{Exit, Failure},
    pack::values::{counted, since_epoch},
    transport::CliTransport,
};

/// The longest time of one test.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The columns of the table.
const COLUMNS: [&str; 6] = ["name", "version", "result", "owner", "tested_for", "error"];

/// The test of one version of a credential, as it is shown.
#[derive(Debug, Serialize)]
struct TestRecord {
    name: String,
    /// `current`, or the label of a staged credential.
    version: String,
    client_id: Option<String>,
    result: TestResult,
    /// The owner according to Sophos Central, such as `partner 11f104c5-…`.
    owner: Option<String>,
    /// The purposes whose data it can read.
    tested_for: Vec<Purpose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum TestResult {
    Passed,
    Rejected,
    /// The test itself failed, such as for an unavailable service.
    Failed,
}

/// Tests of credentials with the hosts and the rate limit of the profile.
pub(super) struct Tester {
    transport: Arc<CliTransport>,
    hosts: Hosts,
    rate_limit: RateLimit,
}

impl Tester {
    /// # Errors
    /// When the configuration is invalid or TLS cannot be set up.
    pub(super) fn new(context: &Context) -> Result<Self, Failure> {
        let profile = config::load(&context.globals)?;
        let rate_limit = match &profile.rate_limit {
            Some(limit) => limit.parse()?,
            None => RateLimit::default(),
        };
        let transport = Arc::new(CliTransport::new(context.globals.debug)?);
        Ok(Self { transport, hosts: hosts(&profile)?, rate_limit })
    }

    /// Tests whether a credential can replace another, and serves these purposes.
    ///
    /// # Errors
    /// The cause, and whether it is transient.
    pub(super) async fn test(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), CredentialCheckError> {
        let (hosts, rate_limit) = (self.hosts.clone(), self.rate_limit.clone());
        let deadline = since_epoch() + TEST_TIMEOUT;
        let check = SophosCredentialCheck::new(Arc::clone(&self.transport), hosts, rate_limit, deadline);
        check.check(candidate, current, purposes).await
    }

    /// The owner of a credential according to Sophos Central.
    pub(super) async fn owner(&self, stored: &StoredCredential) -> Result<String, sophos_api::Error> {
        let client = Client::builder(Arc::clone(&self.transport), stored.credentials.clone());
        let client = client.hosts(self.hosts.clone()).rate_limit(self.rate_limit.clone()).build();
        let identity = client.with_deadline(since_epoch() + TEST_TIMEOUT).identity().await?;
        Ok(Owner::new(identity.id_type, identity.id).to_string())
    }
}

/// Runs the command.
pub(super) async fn run(args: &CheckArgs, context: &Context) -> Result<(), Failure> {
    let location = args.location.select(|name| std::env::var(name).ok())?;
    let mut inspected = location.inspect().await?;
    if let Some(missing) = args.names.iter().find(|name| inspected.iter().all(|found| found.name != **name)) {
        let names: Vec<_> = inspected.iter().map(|found| found.name.as_str()).collect();
        return Err(Failure::new(Exit::NotFound, format!("unknown credential \"{missing}\""))
            .hint(format!("the location has: {}", names.join(", "))));
    }
    inspected.retain(|found| args.names.is_empty() || args.names.contains(&found.name));
    let tester = Tester::new(context)?;
    let progress = context.progress("testing", Some(inspected.len() as u64));
    let mut tests = Vec::new();
    for found in &inspected {
        let current = found.credential.as_deref().ok();
        tests.push(test(&tester, &found.name, "current", &found.credential, current).await);
        let staged = found.metadata.as_ref().map(|metadata| metadata.staged.as_slice()).unwrap_or_default();
        for staged in staged {
            tests.push(test(&tester, &found.name, &staged.label, &staged.credential, current).await);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let mut records = context.records(&COLUMNS);
    for test in &tests {
        records.write(test)?;
    }
    records.finish()?;
    let (total, failed) =
        (tests.len(), tests.iter().filter(|test| test.result != TestResult::Passed).count());
    if failed == 0 {
        context.note(&format!("{} passed", counted(total as u64, "test")));
        return Ok(());
    }
    let all_rejected = tests.iter().all(|test| test.result == TestResult::Rejected);
    let exit = match failed == total {
        true if all_rejected => Exit::Authentication,
        true => Exit::Failure,
        false => Exit::Partial,
    };
    Err(Failure::new(exit, format!("{failed} of {} did not pass", counted(total as u64, "test")))
        .hint("the column error has the cause of each"))
}

/// Tests one version of a credential.
async fn test(
    tester: &Tester,
    name: &str,
    version: &str,
    credential: &Result<Arc<StoredCredential>, SecretError>,
    current: Option<&StoredCredential>,
) -> TestRecord {
    let mut record = TestRecord {
        name: name.to_owned(),
        version: version.to_owned(),
        client_id: None,
        result: TestResult::Rejected,
        owner: None,
        tested_for: Vec::new(),
        error: None,
    };
    let stored = match credential {
        Ok(stored) => stored,
        Err(error) => return TestRecord { error: Some(error.to_string()), ..record },
    };
    record.client_id = Some(stored.credentials.client_id().to_owned());
    record.owner = tester.owner(stored).await.ok();
    let filter = CandidateFilter { current, previous: None, now: Timestamp::now() };
    let purposes = filter.required_purposes(stored);
    // A current credential is compared with itself, so that no owner has to be known.
    match tester.test(stored, current.or(Some(stored)), &purposes).await {
        Ok(()) => TestRecord { result: TestResult::Passed, tested_for: purposes, ..record },
        Err(error) => {
            let is_transient = matches!(error, CredentialCheckError::Transient(_));
            let result = if is_transient { TestResult::Failed } else { TestResult::Rejected };
            TestRecord { result, error: Some(error.to_string()), ..record }
        }
    }
}
