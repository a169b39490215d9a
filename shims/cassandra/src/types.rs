//! The types of vigia_cassandra.h, laid out as C has them.

use std::ffi::{c_char, c_void};

use crate::answer::Answer;

pub const NULL: i32 = -1;
pub const UNSET: i32 = -2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Cell {
    pub data: *const u8,
    pub size: i32,
}

#[repr(C)]
pub struct Settings {
    pub contact_points: *const Text,
    pub contact_point_count: usize,
    pub datacenter: Text,
    pub user: Text,
    pub password: Text,
    pub tls: u8,
    pub ca_file: Text,
    pub cert_file: Text,
    pub key_file: Text,
    pub threads: u32,
    pub connect_timeout_ms: u32,
    pub second_requests_max: u32,
}

#[repr(C)]
pub struct Request {
    pub cells: *const Cell,
    pub cell_count: usize,
    pub paging_state: Cell,
    pub owner: Text,
    pub deadline_ms: u32,
}

#[repr(C)]
pub struct StatementSpec {
    pub cql: Text,
    pub consistency: u32,
    pub idempotent: u8,
    pub page_rows: u32,
    pub speculative_after_ms: u32,
}

pub type Callback = unsafe extern "C" fn(context: *mut c_void, answer: *mut Answer);

impl Text {
    /// The text, or None where it is not UTF-8.
    ///
    /// # Safety
    /// `data` has `size` readable bytes, which stay as they are while the result lives.
    pub unsafe fn as_str<'a>(self) -> Option<&'a str> {
        if self.size == 0 {
            return Some("");
        }
        // SAFETY: as the caller promises.
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.size) };
        std::str::from_utf8(bytes).ok()
    }

    pub fn of(text: &str) -> Text {
        Text { data: text.as_ptr().cast(), size: text.len() }
    }
}

impl Cell {
    pub const NONE: Cell = Cell { data: std::ptr::null(), size: NULL };

    /// Nothing longer reaches this: a frame of the protocol has at most 256 MiB.
    pub fn of(bytes: &[u8]) -> Cell {
        Cell { data: bytes.as_ptr(), size: i32::try_from(bytes.len()).unwrap_or(i32::MAX) }
    }

    /// The bytes; None for null and unset.
    ///
    /// # Safety
    /// `data` has `size` readable bytes where `size` is above 0, which stay as they are while the result lives.
    pub unsafe fn bytes<'a>(self) -> Option<&'a [u8]> {
        match self.size {
            size if size < 0 => None,
            0 => Some(&[]),
            // SAFETY: as the caller promises; the size is positive here.
            size => Some(unsafe { std::slice::from_raw_parts(self.data, size as usize) }),
        }
    }
}
