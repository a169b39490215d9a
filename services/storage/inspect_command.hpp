// `vigia-storage inspect`: what lies in the folder of a store that is closed.
#pragma once

#include "libs/base/result.hpp"
#include "libs/service/command.hpp"

namespace vigia::storage {

inline constexpr service::CommandOption kInspectOptions[] = {
    {"FOLDER", "", "The store's folder (store.rocksdb.directory), or a copy; or in its place:"},
    {"--config", "FILE", "The configuration of the store, which may be one on Cassandra (YAML)"},
    {"--customer", "ID", "Of this customer alone"},
    {"--raw", "", "Raw samples, one line of JSON each, those of the write-ahead log too"},
    {"--from", "TIME", "With --raw: from this time on, as 2026-11-25T00:00:00Z or Unix seconds"},
    {"--to", "TIME", "With --raw: up to this time, which is included"},
    {"--series", "{...}",
     "With --raw: series whose labels match, as {__name__=\"up\",job=~\"n.*\"}"},
};
inline constexpr std::string_view kInspectDetails =
    R"(Changes nothing. The store must be stopped: a folder that a process holds is refused.

Without --raw: the store's identity and format; by customer and kind of data how many rows there
are, of how many bytes (before the database packs them) and of which days; what the write-ahead log
holds.

With --raw every sample of every row is written out, and every one of the log, without the code that
answers queries: a sample that lies in several places has several lines ("place": chunks, log, or
quarantine for what the store never took and answers lack until a start can give it to it again).
What is answered is, of one time, the line with the lowest "version", and the log's where chunks
have none. Spans and log records are counted only.

Of a store on Cassandra (--config) the tables of its keyspace are read, and the log in this
instance's folder; other instances may run. By customer and table it says how many rows there are.
With --raw also what all instances have open, from its copies in the cluster ("place": copies): a
sample that is in a closed chunk may have such a line for some hours. A customer whom the folder's
log does not know has a number that is made for the occasion.

Exit code: 0; 1 where something could not be read, or lies in files that were set aside as damaged
(it is named, and `vigia-storage verify` says what it costs); 2 where it could not be done.)";

/// As service::ProgramCommand: 0, or 1 where something cannot be read. Changes nothing.
Result<int> inspect(const service::CommandWords& words);

}  // namespace vigia::storage
