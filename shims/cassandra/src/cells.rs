//! Cells that C has encoded, bound to a statement as they are.

use std::fmt;

use scylla::errors::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;

use crate::types::{Cell, UNSET};

pub struct BoundCells<'a>(pub &'a [Cell]);

#[derive(Debug)]
struct WrongCells(String);

impl fmt::Display for WrongCells {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
impl std::error::Error for WrongCells {}

impl SerializeRow for BoundCells<'_> {
    fn serialize(
        &self,
        context: &RowSerializationContext<'_>,
        writer: &mut RowWriter,
    ) -> Result<(), SerializationError> {
        if context.columns().len() != self.0.len() {
            let text = format!("{} cells for {} places of the statement", self.0.len(), context.columns().len());
            return Err(SerializationError::new(WrongCells(text)));
        }
        for cell in self.0 {
            let place = writer.make_cell_writer();
            // SAFETY: whoever made BoundCells has promised that the cells' bytes are there (vigia_cassandra_execute).
            match unsafe { cell.bytes() } {
                Some(bytes) => place.set_value(bytes).map_err(SerializationError::new)?,
                None if cell.size == UNSET => place.set_unset(),
                None => place.set_null(),
            };
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NULL;

    #[test]
    fn a_wrong_number_of_cells_is_an_error() {
        let mut bytes = Vec::new();
        let cells = [Cell { data: std::ptr::null(), size: NULL }];
        let bound = BoundCells(&cells).serialize(&RowSerializationContext::empty(), &mut RowWriter::new(&mut bytes));
        assert!(bound.unwrap_err().to_string().contains("1 cells for 0 places"));
    }
}
