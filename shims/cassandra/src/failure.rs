//! What can go wrong, in the few kinds that a caller has to tell apart (vigia_cassandra.h).

use std::error::Error;
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

impl From<&NewSessionError> for Failure {
    fn from(error: &NewSessionError) -> Failure {
        // Who we are is refused while a connection is set up, some errors further down.
        let mut code = match error {
            NewSessionError::EmptyKnownNodesList => Code::Invalid,
            _ => Code::Unavailable,
        };
        let mut inner: Option<&dyn Error> = Some(error);
        while let Some(one) = inner {
            if let Some(DbError::AuthenticationError) = one.downcast_ref::<DbError>() {
                code = Code::Unauthenticated;
            }
            inner = one.source();
        }
        Failure::new(code, error.to_string())
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
}
