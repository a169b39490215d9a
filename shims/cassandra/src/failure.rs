//! What can go wrong, in the few kinds that a caller has to tell apart (vigia_cassandra.h).

use std::time::Duration;

use scylla::errors::{DbError, ExecutionError, NewSessionError, PrepareError, RequestAttemptError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    Ok = 0,
    Invalid = 1,
    Unauthenticated = 2,
    Forbidden = 3,
    Exists = 4,
    Unavailable = 5,
    Deadline = 6,
    Corrupt = 7,
    Internal = 8,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    pub fn deadline(limit: Duration) -> Failure {
        Failure::new(Code::Deadline, format!("no answer within {} ms", limit.as_millis()))
    }

    pub fn invalid(error: impl std::fmt::Display) -> Failure {
        Failure::new(Code::Invalid, error.to_string())
    }
}

/// What the server itself said. Faults of a server pass, or another replica does not have them: they count as unavailable.
fn of_server(error: &DbError) -> Code {
    match error {
        DbError::SyntaxError | DbError::Invalid | DbError::ConfigError | DbError::FunctionFailure { .. } => {
            Code::Invalid
        }
        DbError::AlreadyExists { .. } => Code::Exists,
        DbError::AuthenticationError => Code::Unauthenticated,
        DbError::Unauthorized => Code::Forbidden,
        DbError::ReadTimeout { .. } | DbError::WriteTimeout { .. } => Code::Deadline,
        DbError::ProtocolError => Code::Internal,
        _ => Code::Unavailable,
    }
}

fn of_attempt(error: &RequestAttemptError) -> Code {
    match error {
        RequestAttemptError::DbError(error, _) => of_server(error),
        RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_) => Code::Invalid,
        RequestAttemptError::BodyExtensionsParseError(_)
        | RequestAttemptError::CqlResultParseError(_)
        | RequestAttemptError::CqlErrorParseError(_) => Code::Corrupt,
        RequestAttemptError::UnableToAllocStreamId | RequestAttemptError::BrokenConnectionError(_) => Code::Unavailable,
        _ => Code::Internal,
    }
}

fn of_preparing(error: &PrepareError) -> Code {
    match error {
        PrepareError::AllAttemptsFailed { first_attempt } => of_attempt(first_attempt),
        PrepareError::ConnectionPoolError(_) => Code::Unavailable,
        _ => Code::Internal,
    }
}

impl From<&ExecutionError> for Failure {
    fn from(error: &ExecutionError) -> Failure {
        let code = match error {
            ExecutionError::BadQuery(_) => Code::Invalid,
            ExecutionError::PrepareError(error) => of_preparing(error),
            ExecutionError::LastAttemptError(error) => of_attempt(error),
            ExecutionError::RequestTimeout(_) => Code::Deadline,
            _ => Code::Unavailable,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<&PrepareError> for Failure {
    fn from(error: &PrepareError) -> Failure {
        Failure::new(of_preparing(error), error.to_string())
    }
}

/// What passes though it looks like a refusal: a node that asks others who we are, and has no answer.
const UNKNOWN_FOR_NOW: &str = "Unable to perform authentication";

const LOG_IN: &str = "the cluster wants another user or password (user, password)";
const NODES_CERTIFICATE: &str =
    "the node's certificate is not signed by what tls.ca_file has, has run out, or does not name its IP address";
const OUR_CERTIFICATE: &str =
    "the node refuses us while TLS begins: it may want a certificate that it trusts (tls.cert_file, tls.key_file)";
const NODE_IS_PLAIN: &str = "the node takes plain text on this port: leave tls away, or name another port";
const NODE_MAY_WANT_TLS: &str = "a node that starts closes connections, and so does one that takes TLS alone (tls)";

/// Words of the driver, OpenSSL and Cassandra while a connection is set up, and what they mean. The driver's types hide
/// what OpenSSL and the node have said; it is pinned, and a test on a node has each of these refused.
const REFUSALS: [(&str, &str); 6] = [
    ("bad credentials", LOG_IN),
    ("Authentication is required", LOG_IN),
    ("certificate verify failed", NODES_CERTIFICATE),
    ("wrong version number", NODE_IS_PLAIN),
    ("packet length too long", NODE_IS_PLAIN),
    ("SSL alert number", OUR_CERTIFICATE),
];

impl Failure {
    /// Of connecting, of which the driver tells the last node's. Who refuses us would do so again.
    pub fn of_connecting(error: &NewSessionError, is_plain: bool) -> Failure {
        let text = error.to_string();
        match error {
            NewSessionError::EmptyKnownNodesList => Failure::new(Code::Invalid, text),
            _ => Failure::refused(text, is_plain),
        }
    }

    fn refused(text: String, is_plain: bool) -> Failure {
        let refusal = REFUSALS.iter().find(|(words, _)| text.contains(words) && !text.contains(UNKNOWN_FOR_NOW));
        match refusal {
            Some((_, meaning)) => Failure::new(Code::Unauthenticated, format!("{meaning}: {text}")),
            None if is_plain => Failure::new(Code::Unavailable, format!("{text}; {NODE_MAY_WANT_TLS}")),
            None => Failure::new(Code::Unavailable, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_told_apart() {
        let said =
            |error: DbError| Failure::from(&ExecutionError::from(RequestAttemptError::DbError(error, "x".into())));
        assert_eq!(said(DbError::SyntaxError).code, Code::Invalid);
        assert_eq!(said(DbError::Unauthorized).code, Code::Forbidden);
        assert_eq!(said(DbError::Overloaded).code, Code::Unavailable);
        assert_eq!(said(DbError::ServerError).code, Code::Unavailable);
        assert_eq!(said(DbError::ProtocolError).code, Code::Internal);
    }

    #[test]
    fn who_is_refused_is_told_what_to_look_at_and_who_is_not_waits() {
        let refused = Failure::refused("Authentication failed - bad credentials, Error message: …".into(), false);
        assert_eq!(refused.code, Code::Unauthenticated);
        assert!(refused.message.contains("(user, password)"));
        let alert = Failure::refused("tlsv13 alert certificate required: SSL alert number 116".into(), false);
        assert!(alert.code == Code::Unauthenticated && alert.message.contains("tls.cert_file"));
        let unknown = "Authentication failed - bad credentials, Error message: Unable to perform authentication: …";
        assert_eq!(Failure::refused(unknown.into(), false).code, Code::Unavailable);
        let closed = Failure::refused("Connection reset by peer".into(), true);
        assert!(closed.code == Code::Unavailable && closed.message.contains("(tls)"));
        assert_eq!(Failure::refused("Connection reset by peer".into(), false).message, "Connection reset by peer");
    }
}
