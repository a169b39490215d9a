//! One answer: how it ended, and its rows as pointers into the frame that came from the server.

use std::sync::Arc;

use scylla::deserialize::row::ColumnIterator;
use scylla::response::query_result::{QueryResult, QueryRowsResult};

use crate::failure::{Code, Failure};
use crate::types::Cell;

/// Opaque to C. Cells point into `frame`, whose bytes do not move when this does.
pub struct Answer {
    code: Code,
    message: String,
    rows: usize,
    columns: usize,
    cells: Vec<Cell>,
    paging_state: Option<Arc<[u8]>>,
    _frame: Option<QueryRowsResult>,
}

// SAFETY: the pointers in `cells` are into `frame`, which is not changed and may be read and dropped by any thread.
unsafe impl Send for Answer {}

impl Answer {
    pub fn done() -> Answer {
        Answer {
            code: Code::Ok,
            message: String::new(),
            rows: 0,
            columns: 0,
            cells: Vec::new(),
            paging_state: None,
            _frame: None,
        }
    }

    pub fn failed(failure: Failure) -> Answer {
        Answer { code: failure.code, message: failure.message, ..Answer::done() }
    }

    /// Rows, where the statement gives any.
    pub fn of(result: QueryResult, paging_state: Option<Arc<[u8]>>) -> Result<Answer, Failure> {
        if !result.is_rows() {
            return Ok(Answer::done());
        }
        let corrupt = |error: &dyn std::fmt::Display| Failure::new(Code::Corrupt, error.to_string());
        let frame = result.into_rows_result().map_err(|error| corrupt(&error))?;
        let columns = frame.column_specs().len();
        let mut cells = Vec::with_capacity(columns * frame.rows_num());
        for row in frame.rows::<ColumnIterator>().map_err(|error| corrupt(&error))? {
            for column in row.map_err(|error| corrupt(&error))? {
                let column = column.map_err(|error| corrupt(&error))?;
                cells.push(column.slice.map_or(Cell::NONE, |slice| Cell::of(slice.as_slice())));
            }
        }
        Ok(Answer { rows: frame.rows_num(), columns, cells, paging_state, _frame: Some(frame), ..Answer::done() })
    }

    pub fn code(&self) -> Code {
        self.code
    }
    pub fn message(&self) -> &str {
        &self.message
    }
    pub fn rows(&self) -> usize {
        self.rows
    }
    pub fn columns(&self) -> usize {
        self.columns
    }
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
    pub fn paging_state(&self) -> Cell {
        self.paging_state.as_deref().map_or(Cell::NONE, Cell::of)
    }
}
