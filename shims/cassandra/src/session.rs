//! A session: the driver with a runtime of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{OpenSsl010Config, Session as Driver};
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::bound::BoundStatement;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement as Unprepared;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::failure::{Code, Failure};

/// How long `close` lets what runs come to its end.
const CLOSE_SECONDS: u64 = 5;

pub struct Wanted<'a> {
    pub contact_points: Vec<&'a str>,
    pub datacenter: &'a str,
    pub user: &'a str,
    pub password: &'a str,
    pub tls: Option<Certificates<'a>>,
    pub threads: usize,
    pub connect_timeout: Duration,
}

pub struct Certificates<'a> {
    pub ca_file: &'a str,
    pub cert_file: &'a str,
    pub key_file: &'a str,
}

pub struct StatementWanted<'a> {
    pub cql: &'a str,
    pub consistency: u32,
    pub is_idempotent: bool,
    pub page_rows: i32,
    pub speculative_after: Option<Duration>,
}

/// Opaque to C.
pub struct Session {
    runtime: Runtime,
    driver: Arc<Driver>,
    profile: ExecutionProfile,
}

/// Opaque to C.
pub struct Statement {
    pub prepared: PreparedStatement,
}

fn consistency(number: u32) -> Result<Consistency, Failure> {
    match number {
        0 => Ok(Consistency::One),
        1 => Ok(Consistency::Quorum),
        2 => Ok(Consistency::LocalQuorum),
        3 => Ok(Consistency::All),
        _ => Err(Failure::invalid("no such consistency")),
    }
}

fn tls(files: &Certificates) -> Result<OpenSsl010Config, Failure> {
    let named = |file: &str, error: &dyn std::fmt::Display| Failure::invalid(format!("{file}: {error}"));
    let mut builder = SslConnector::builder(SslMethod::tls()).map_err(Failure::invalid)?;
    if !files.ca_file.is_empty() {
        builder.set_ca_file(files.ca_file).map_err(|error| named(files.ca_file, &error))?;
    }
    if !files.cert_file.is_empty() {
        builder.set_certificate_chain_file(files.cert_file).map_err(|error| named(files.cert_file, &error))?;
        let key = builder.set_private_key_file(files.key_file, SslFiletype::PEM);
        key.map_err(|error| named(files.key_file, &error))?;
    }
    Ok(OpenSsl010Config::new(builder))
}

/// Waits for `work` at most so long.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::deadline(limit)))
}

impl Session {
    pub fn connect(wanted: &Wanted) -> Result<Session, Failure> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(wanted.threads).thread_name("cassandra").enable_all();
        let runtime = builder.build().map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
        let profile = profile(wanted.datacenter);
        match runtime.block_on(within(wanted.connect_timeout, driver(wanted, &profile))) {
            Ok(driver) => Ok(Session { runtime, driver: Arc::new(driver), profile }),
            Err(failure) => {
                // Nobody waits for a look-up of names that hangs.
                runtime.shutdown_background();
                Err(failure)
            }
        }
    }

    pub fn prepare(&self, wanted: &StatementWanted, limit: Duration) -> Result<Statement, Failure> {
        let level = consistency(wanted.consistency)?;
        let preparing = async { self.driver.prepare(wanted.cql).await.map_err(|error| Failure::from(&error)) };
        let mut prepared = self.runtime.block_on(within(limit, preparing))?;
        prepared.set_consistency(level);
        prepared.set_serial_consistency(Some(SerialConsistency::Serial));
        prepared.set_is_idempotent(wanted.is_idempotent);
        prepared.set_page_size(wanted.page_rows);
        // Else the server sends the columns' names and types with each page.
        prepared.set_use_cached_result_metadata(true);
        if let Some(after) = wanted.speculative_after.filter(|_| wanted.is_idempotent) {
            let policy = SimpleSpeculativeExecutionPolicy { max_retry_count: 1, retry_interval: after };
            let profile = self.profile.to_builder().speculative_execution_policy(Some(Arc::new(policy))).build();
            prepared.set_execution_profile_handle(Some(profile.into_handle()));
        }
        Ok(Statement { prepared })
    }

    pub fn run(&self, cql: &str, level: u32, limit: Duration) -> Result<Answer, Failure> {
        let mut statement = Unprepared::new(cql);
        statement.set_consistency(consistency(level)?);
        let running = async {
            let result = self.driver.query_unpaged(statement, ()).await;
            Answer::of(result.map_err(|error| Failure::from(&error))?, None)
        };
        self.runtime.block_on(within(limit, running))
    }

    /// Begins one page of a statement; `finish` is called with its answer on a thread of the runtime.
    pub fn execute(
        &self,
        bound: BoundStatement,
        from: PagingState,
        limit: Duration,
        finish: impl FnOnce(Answer) + Send + 'static,
    ) {
        let driver = Arc::clone(&self.driver);
        self.runtime.spawn(async move {
            let running = async {
                let page = driver.execute_bound_single_page(&bound, from).await;
                let (result, next) = page.map_err(|error| Failure::from(&error))?;
                let next = match next {
                    PagingStateResponse::HasMorePages { state } => state.as_bytes_slice().cloned(),
                    PagingStateResponse::NoMorePages => None,
                };
                Answer::of(result, next)
            };
            finish(within(limit, running).await.unwrap_or_else(Answer::failed));
        });
    }

    pub fn close(self) {
        drop(self.driver);
        self.runtime.shutdown_timeout(Duration::from_secs(CLOSE_SECONDS));
    }
}

async fn driver(wanted: &Wanted<'_>, profile: &ExecutionProfile) -> Result<Driver, Failure> {
    let mut builder = SessionBuilder::new()
        .known_nodes(&wanted.contact_points)
        .connection_timeout(wanted.connect_timeout)
        .default_execution_profile_handle(profile.clone().into_handle());
    if !wanted.user.is_empty() {
        builder = builder.user(wanted.user, wanted.password);
    }
    if let Some(files) = &wanted.tls {
        builder = builder.tls_context(Some(tls(files)?));
    }
    builder.build().await.map_err(|error| Failure::from(&error))
}

/// Token-aware, in one datacenter where one is named. Deadlines are ours, one a request: the driver has none beside.
fn profile(datacenter: &str) -> ExecutionProfile {
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if !datacenter.is_empty() {
        policy = policy.prefer_datacenter(datacenter.to_owned()).permit_dc_failover(false);
    }
    ExecutionProfile::builder().request_timeout(None).load_balancing_policy(policy.build()).build()
}
