//! The functions of vigia_cassandra.h. What they do stands in session.rs; here it is made safe for C to call: pointers
//! become references, a panic becomes an answer, and every callback comes once.
#![deny(unsafe_op_in_unsafe_fn)]

mod answer;
mod cells;
mod failure;
mod second;
mod session;
mod types;

use std::ffi::c_void;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use scylla::response::PagingState;

use answer::Answer;
use cells::BoundCells;
use failure::{Code, Failure};
use second::Counts;
use session::{Certificates, PageWanted, Session, Statement, StatementWanted, Wanted};
use types::{Callback, Cell, Request, Settings, StatementSpec, Text};

fn to_c<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// A panic of the driver is an answer like any other: it must not end the program.
fn contained<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(Code::Internal, "a fault of the Cassandra driver")))
}

/// # Safety
/// As of `Text::as_str`.
unsafe fn text<'a>(text: Text) -> Result<&'a str, Failure> {
    // SAFETY: as the caller promises.
    unsafe { text.as_str() }.ok_or_else(|| Failure::invalid("a text that is not UTF-8"))
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

/// # Safety
/// `settings` and the texts in it are as vigia_cassandra.h says.
unsafe fn wanted<'a>(settings: &'a Settings) -> Result<Wanted<'a>, Failure> {
    let points = match settings.contact_point_count {
        0 => &[],
        // SAFETY: as the caller promises.
        count => unsafe { std::slice::from_raw_parts(settings.contact_points, count) },
    };
    // SAFETY: as the caller promises, for each text.
    unsafe {
        Ok(Wanted {
            contact_points: points.iter().map(|point| text(*point)).collect::<Result<_, _>>()?,
            datacenter: text(settings.datacenter)?,
            user: text(settings.user)?,
            password: text(settings.password)?,
            tls: match settings.tls {
                0 => None,
                _ => Some(Certificates {
                    ca_file: text(settings.ca_file)?,
                    cert_file: text(settings.cert_file)?,
                    key_file: text(settings.key_file)?,
                }),
            },
            threads: settings.threads.max(1) as usize,
            connect_timeout: milliseconds(settings.connect_timeout_ms),
            second_requests_max: settings.second_requests_max as usize,
        })
    }
}

/// Puts what was made where C wants it; its answer.
///
/// # Safety
/// `place` may be written.
unsafe fn handed_over<T>(made: Result<T, Failure>, place: *mut *mut T) -> *mut Answer {
    let (pointer, answer) = match made {
        Ok(value) => (to_c(value), Answer::done()),
        Err(failure) => (std::ptr::null_mut(), Answer::failed(failure)),
    };
    // SAFETY: as the caller promises.
    unsafe { *place = pointer };
    to_c(answer)
}

/// # Safety
/// As vigia_cassandra.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_connect(settings: *const Settings, session: *mut *mut Session) -> *mut Answer {
    // SAFETY: as the caller promises.
    let made = contained(|| Session::connect(&unsafe { wanted(&*settings) }?));
    // SAFETY: as the caller promises.
    unsafe { handed_over(made, session) }
}

/// # Safety
/// `session` comes from `vigia_cassandra_connect` and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_close(session: *mut Session) {
    // SAFETY: as the caller promises.
    let session = unsafe { Box::from_raw(session) };
    let _ = contained(|| {
        session.close();
        Ok(())
    });
}

/// # Safety
/// As vigia_cassandra.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_prepare(
    session: *mut Session,
    spec: *const StatementSpec,
    deadline_ms: u32,
    statement: *mut *mut Statement,
) -> *mut Answer {
    let made = contained(|| {
        // SAFETY: as the caller promises.
        let (session, spec) = unsafe { (&*session, &*spec) };
        let wanted = StatementWanted {
            // SAFETY: as the caller promises.
            cql: unsafe { text(spec.cql) }?,
            consistency: spec.consistency,
            is_idempotent: spec.idempotent != 0,
            page_rows: i32::try_from(spec.page_rows.max(1)).map_err(Failure::invalid)?,
            speculative_after: (spec.speculative_after_ms > 0).then(|| milliseconds(spec.speculative_after_ms)),
        };
        session.prepare(&wanted, milliseconds(deadline_ms))
    });
    // SAFETY: as the caller promises.
    unsafe { handed_over(made, statement) }
}

/// # Safety
/// `statement` comes from `vigia_cassandra_prepare` and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_statement_free(statement: *mut Statement) {
    // SAFETY: as the caller promises.
    drop(unsafe { Box::from_raw(statement) });
}

/// # Safety
/// As vigia_cassandra.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_run(
    session: *mut Session,
    cql: Text,
    consistency: u32,
    deadline_ms: u32,
) -> *mut Answer {
    // SAFETY: as the caller promises.
    let run = contained(|| unsafe { (*session).run(text(cql)?, consistency, milliseconds(deadline_ms)) });
    to_c(run.unwrap_or_else(Answer::failed))
}

/// Calls back once: with an answer, or when it is dropped without one (the task panicked, or the runtime ended).
struct Caller {
    callback: Callback,
    context: *mut c_void,
    is_done: bool,
}

// SAFETY: C has promised that the callback may come on any thread, with this context.
unsafe impl Send for Caller {}

impl Caller {
    fn finish(mut self, answer: Answer) {
        self.call(answer);
    }

    fn call(&mut self, answer: Answer) {
        self.is_done = true;
        // SAFETY: the callback is called once, with the context that came with it.
        unsafe { (self.callback)(self.context, to_c(answer)) };
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // A fault would be met again: whoever is told "unavailable" tries for ever.
        let failure = if std::thread::panicking() {
            Failure::new(Code::Internal, "a fault of the Cassandra driver")
        } else {
            Failure::new(Code::Unavailable, "the session ended before the answer came")
        };
        self.call(Answer::failed(failure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn note(context: *mut c_void, answer: *mut Answer) {
        // SAFETY: `code_of` has given the place, and the answer is the callback's.
        unsafe {
            *context.cast::<u32>() = (*answer).code() as u32;
            drop(Box::from_raw(answer));
        }
    }

    fn code_of(end: impl FnOnce(Caller)) -> u32 {
        let mut code = u32::MAX;
        let caller = Caller { callback: note, context: (&raw mut code).cast(), is_done: false };
        let _ = catch_unwind(AssertUnwindSafe(|| end(caller)));
        code
    }

    #[test]
    fn every_end_is_an_answer_and_a_fault_is_told_as_one() {
        assert_eq!(code_of(|caller| caller.finish(Answer::done())), Code::Ok as u32);
        assert_eq!(code_of(drop), Code::Unavailable as u32);
        let faulty = code_of(|caller| {
            let _held = caller;
            panic!("a fault of the driver's");
        });
        assert_eq!(faulty, Code::Internal as u32);
    }
}

/// # Safety
/// As vigia_cassandra.h says of `_execute`.
unsafe fn page_wanted(statement: &Statement, request: &Request) -> Result<PageWanted, Failure> {
    let cells = match request.cell_count {
        0 => &[],
        // SAFETY: as the caller promises.
        count => unsafe { std::slice::from_raw_parts(request.cells, count) },
    };
    // SAFETY: as the caller promises.
    let from = unsafe { request.paging_state.bytes() }.filter(|state| !state.is_empty());
    let mut owner = DefaultHasher::new();
    // SAFETY: as the caller promises.
    unsafe { text(request.owner) }?.hash(&mut owner);
    Ok(PageWanted {
        // The cells' bytes are copied here and not later: C may forget them when this returns.
        bound: statement.prepared.clone().bind(&BoundCells(cells)).map_err(Failure::invalid)?,
        from: from.map_or_else(PagingState::start, PagingState::new_from_raw_bytes),
        second_after: statement.second_after,
        owner: owner.finish(),
    })
}

/// # Safety
/// As vigia_cassandra.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_execute(
    session: *mut Session,
    statement: *const Statement,
    request: *const Request,
    callback: Callback,
    context: *mut c_void,
) {
    let caller = Caller { callback, context, is_done: false };
    // SAFETY: as the caller promises.
    let (session, statement, request) = unsafe { (&*session, &*statement, &*request) };
    // SAFETY: as the caller promises.
    match contained(|| unsafe { page_wanted(statement, request) }) {
        Ok(wanted) => session.execute(wanted, milliseconds(request.deadline_ms), |answer| caller.finish(answer)),
        Err(failure) => caller.finish(Answer::failed(failure)),
    }
}

/// # Safety
/// As vigia_cassandra.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_second_requests(session: *const Session) -> Counts {
    // SAFETY: as the caller promises.
    unsafe { (*session).second_requests() }
}

/// # Safety
/// `answer` is one that has not been freed; so for all below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_code(answer: *const Answer) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { (*answer).code() as u32 }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_message(answer: *const Answer) -> Text {
    // SAFETY: as the caller promises.
    Text::of(unsafe { (*answer).message() })
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_rows(answer: *const Answer) -> usize {
    // SAFETY: as the caller promises.
    unsafe { (*answer).rows() }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_columns(answer: *const Answer) -> usize {
    // SAFETY: as the caller promises.
    unsafe { (*answer).columns() }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_cells(answer: *const Answer) -> *const Cell {
    // SAFETY: as the caller promises.
    unsafe { (*answer).cells().as_ptr() }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_paging_state(answer: *const Answer) -> Cell {
    // SAFETY: as the caller promises.
    unsafe { (*answer).paging_state() }
}

/// # Safety
/// See above; it is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigia_cassandra_answer_free(answer: *mut Answer) {
    // SAFETY: as the caller promises.
    drop(unsafe { Box::from_raw(answer) });
}
