// `vigia-storage delete`: takes a customer out of a store that is closed, and proves it.
#pragma once

#include "libs/base/result.hpp"
#include "libs/service/command.hpp"

namespace vigia::storage {

inline constexpr service::CommandOption kDeleteOptions[] = {
    {"FOLDER", "", "The store's folder (store.rocksdb.directory); or in its place:"},
    {"--config", "FILE", "The configuration of the store, which may be one on Cassandra (YAML)"},
    {"--customer", "ID", "Whose data goes", true},
    {"--yes", "", "Do it; without this it only says what there is"},
};
inline constexpr std::string_view kDeleteDetails =
    R"(For ever: there is no way back but a copy of the folder. The store must be stopped.

With --yes: samples that lie open in the write-ahead log are put into the store, as a stop and a
start would, until the log is empty; then the customer's chunks, roll-ups, days due, spans, log
records, their resources and scopes, the index of all these, their second copies, chunks in
quarantine and the customer's number are forgotten; all files of the database are written anew, so
that no file that is left holds what was forgotten (this reads and writes the whole store, and needs
up to 4 GiB of room); and every file is read to see that nothing of the customer is in it. What is
other customers' is the same before and after.

A kill at any moment costs nothing but time: run it again. Damaged files of the store
(FOLDER/quarantine, wal/*.damaged) may hold anybody's rows and cannot be cut: they are named, and
are yours to delete.

On Cassandra (--config) every vigia-storage that shares the keyspace must be stopped: it is waited
for the `lease` to see that none lives. Then this instance's log is emptied as above; all tables are
walked through, and the customer's partitions deleted on every node that has a copy (ALL); then all
tables are read again, from every copy, to see that nothing of the customer is in them. Run it with
the configuration of each instance before one starts: what lies in the log of another one is put
into the cluster by that one's start. The nodes keep the bytes in their files until these are
packed; `nodetool garbagecollect` has them packed now. `series_claims` stays: hashes that say that
the id of a series is used, and not by whom.

Not here: what hot stores, other cold stores, copies and collectors' logs hold of the customer.

Exit code: 0, nothing of the customer is left; 1, something is or may be (each place is named), or
without --yes there is something to delete; 2, it could not be done.)";

/// As service::ProgramCommand.
Result<int> delete_customer(const service::CommandWords& words);

}  // namespace vigia::storage
