//! A session: the driver with a runtime of its own.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{OpenSsl010Config, Session as Driver};
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::{DefaultPolicy, LoadBalancingPolicy};
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::bound::BoundStatement;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement as Unprepared;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::failure::{Code, Failure};
use crate::second::{Counts, EachOnce, SecondRequests, either};

/// A node that hangs is found out, and asked nothing more, after both together: its requests are lost with their
/// connections and sent to others. Shorter than a long pause of a node's garbage collector would cost connections.
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBE_ANSWER: Duration = Duration::from_secs(10);

/// Nodes that hang are each given the time of a connection at a start, and one may be asked twice.
const CONNECTIONS_A_START: u32 = 3;

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
    pub second_requests_max: usize,
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
    balancing: Arc<dyn LoadBalancingPolicy>,
    second_requests: Arc<SecondRequests>,
}

/// Opaque to C.
pub struct Statement {
    pub prepared: PreparedStatement,
    pub second_after: Option<Duration>,
}

/// One page of a statement, on behalf of an owner (the hash of his name).
pub struct PageWanted {
    pub bound: BoundStatement,
    pub from: PagingState,
    pub second_after: Option<Duration>,
    pub owner: u64,
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
        let balancing = balancing(wanted.datacenter);
        let limit = wanted.connect_timeout * CONNECTIONS_A_START;
        match runtime.block_on(within(limit, driver(wanted, Arc::clone(&balancing)))) {
            Ok(driver) => Ok(Session {
                runtime,
                driver: Arc::new(driver),
                balancing,
                second_requests: SecondRequests::new(wanted.second_requests_max),
            }),
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
        let second_after = wanted.speculative_after.filter(|_| wanted.is_idempotent);
        Ok(Statement { prepared, second_after })
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
    pub fn execute(&self, wanted: PageWanted, limit: Duration, finish: impl FnOnce(Answer) + Send + 'static) {
        let driver = Arc::clone(&self.driver);
        let balancing = Arc::clone(&self.balancing);
        let seconds = Arc::clone(&self.second_requests);
        self.runtime.spawn(async move {
            let running = async {
                match wanted.second_after {
                    Some(after) => page_of_either(&driver, wanted, after, balancing, &seconds).await,
                    None => page(&driver, &wanted.bound, wanted.from).await,
                }
            };
            finish(within(limit, running).await.unwrap_or_else(Answer::failed));
        });
    }

    pub fn second_requests(&self) -> Counts {
        self.second_requests.counts()
    }

    pub fn close(self) {
        drop(self.driver);
        self.runtime.shutdown_timeout(Duration::from_secs(CLOSE_SECONDS));
    }
}

async fn page(driver: &Driver, bound: &BoundStatement, from: PagingState) -> Result<Answer, Failure> {
    let page = driver.execute_bound_single_page(bound, from).await;
    let (result, next) = page.map_err(|error| Failure::from(&error))?;
    let next = match next {
        PagingStateResponse::HasMorePages { state } => state.as_bytes_slice().cloned(),
        PagingStateResponse::NoMorePages => None,
    };
    Answer::of(result, next)
}

/// The same, asked of a second node where there is no answer for so long and a place is free. The driver has such a
/// thing of its own, but decides how often when a request begins, and so bounds nothing in a cluster that is slow.
async fn page_of_either(
    driver: &Driver,
    wanted: PageWanted,
    after: Duration,
    balancing: Arc<dyn LoadBalancingPolicy>,
    seconds: &Arc<SecondRequests>,
) -> Result<Answer, Failure> {
    let PageWanted { mut bound, from, owner, .. } = wanted;
    bound.set_load_balancing_policy(Some(EachOnce::new(balancing)));
    let mut first = pin!(page(driver, &bound, from.clone()));
    if let Ok(answer) = timeout(after, first.as_mut()).await {
        return answer;
    }
    if driver.get_cluster_state().get_nodes_info().len() < 2 {
        return first.await;
    }
    let Some(place) = SecondRequests::enter(seconds, owner) else {
        return first.await;
    };
    let (answer, is_second) = either(first, page(driver, &bound, from)).await;
    if is_second {
        place.note_answered_first();
    }
    answer
}

async fn driver(wanted: &Wanted<'_>, balancing: Arc<dyn LoadBalancingPolicy>) -> Result<Driver, Failure> {
    // Deadlines are ours, one a request: the driver has none beside.
    let profile = ExecutionProfile::builder().request_timeout(None).load_balancing_policy(balancing).build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&wanted.contact_points)
        .connection_timeout(wanted.connect_timeout)
        .keepalive_interval(PROBE_EVERY)
        .keepalive_timeout(PROBE_ANSWER)
        .default_execution_profile_handle(profile.into_handle());
    if !wanted.user.is_empty() {
        builder = builder.user(wanted.user, wanted.password);
    }
    if let Some(files) = &wanted.tls {
        builder = builder.tls_context(Some(tls(files)?));
    }
    builder.build().await.map_err(|error| Failure::of_connecting(&error, wanted.tls.is_none()))
}

/// Token-aware, in one datacenter where one is named.
fn balancing(datacenter: &str) -> Arc<dyn LoadBalancingPolicy> {
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if !datacenter.is_empty() {
        policy = policy.prefer_datacenter(datacenter.to_owned()).permit_dc_failover(false);
    }
    policy.build()
}
