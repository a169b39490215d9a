// `vigia-storage copy`: what one cold store holds into another one, of whatever kind.
#pragma once

#include "libs/base/result.hpp"
#include "libs/service/command.hpp"

namespace vigia::storage {

inline constexpr service::CommandOption kCopyOptions[] = {
    {"--from", "FILE", "The configuration of the store that is read (YAML)", true},
    {"--to", "FILE", "The configuration of the store that is written", true},
    {"--customer", "ID", "This customer's data alone; else everybody's"},
    {"--state", "FILE", "How far it is, to go on after a kill; of this one copy, and once only"},
    {"--verify-only", "", "Copy nothing: compare both"},
    {"--yes", "", "Do it; without this it only says what would be copied"},
};
inline constexpr std::string_view kCopyDetails =
    R"(Each is a configuration of vigia-storage, of rocksdb or of cassandra; of both only the store and
the retention are used. A vigia-storage that runs on one of the folders must be stopped. Of a store
on Cassandra others may run meanwhile: as the source, what they have open and what they write
meanwhile may be missing (another copy, without that --state, brings it); as the destination,
nothing that they write is touched.

First both stores are settled, as a stop and a start would: what lies open in their write-ahead logs
goes into them, and nothing that a reader is answered changes. Then, customer by customer and day by
day: raw samples and native histograms with the versions of their rows, so that of two values at one
time the same one is answered, exemplars, spans, and log records in their order, and what metrics
are said to be. What the destination holds already is never replaced, but for metadata that the
source noted on a later day; what lies there already is not written again. Not copied, and counted:
what is older than the destination keeps of the customer (its `retention`, and the class that he has
there), exemplars and metadata where it keeps none, rows that are damaged (each is named). Roll-ups
go too: of days whose samples have gone, or do not go, the destination serves what it was given, of
all others it makes its own.

A kill at any moment costs nothing but time: the same command again, with the same --state, goes on
with the day at which it was; without --state all is looked at again, and nothing is there twice.
Days that are done are not looked at again with that --state, and once it is at its end nothing is
copied with it any more, whatever the source got since: for that take another --state, or none. The
comparison looks at everything each time.

At the end both stores are read, day by day, as their readers are answered, and compared: series,
samples, roll-ups of days that are not whole in samples, exemplars, metadata, traces, spans, log
records, and a checksum of all of them. Where the destination has more of a customer than the
source, that is a difference, too.

Exit code: 0, both are equal; 1, they are not, or something could not be read or was not taken (it
is named), or without --yes there is something to copy; 2, it could not be done.)";

/// As service::ProgramCommand.
Result<int> copy(const service::CommandWords& words);

}  // namespace vigia::storage
