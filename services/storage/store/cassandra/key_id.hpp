// By which key a row is encrypted: the column key_id of tables that hold what customers sent.
#pragma once

#include "libs/cassandra/row_reader.hpp"

namespace vigia::storage::store::cassandra {

/// Takes the next column, key_id. Whether the row is one that this program reads: by no key, null
/// as in all that there are, or 0. Who gets false takes the row for one that cannot be read.
inline bool take_no_key(vigia::cassandra::RowReader& row) {
  return row.take_null() || row.read_int() == 0;
}

}  // namespace vigia::storage::store::cassandra
