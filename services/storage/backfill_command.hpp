// `vigia-storage backfill`: what a Prometheus still has into the store that runs.
#pragma once

#include "libs/base/result.hpp"
#include "libs/service/command.hpp"

namespace vigia::storage {

inline constexpr service::CommandOption kBackfillOptions[] = {
    service::kConfigOption,
    {"--prometheus", "URL", "Whom to read from, as http://127.0.0.1:9090", true},
    {"--from", "TIME", "From this time on, as 2026-11-25T00:00:00Z or Unix seconds", true},
    {"--to", "TIME", "Up to this time, which is included", true},
    {"--customer", "ID",
     "Series of this customer_id alone; without it all, also those without one"},
    {"--storage", "URL", "The running storage; without it the `listen` of the configuration"},
    {"--state", "FILE", "How far it is: after a kill the same call goes on from there"},
    {"--ca", "FILE", "By which certificates of https URLs are checked; else the system's"},
};
inline constexpr std::string_view kBackfillDetails =
    R"(The service runs meanwhile: samples go to it by remote write, as a Prometheus sends them, and are
acknowledged once they are on disk. They are read by remote read, a day at a time and less where an
answer would be larger than 64 MiB: up to 300 MiB are held. Native histograms come as they are.

Nothing is twice: a sample that is there already is stored once, and of another value at a time the
one that was there stays (it counts as refused). So running it again is always right; --state spares
the time. What is older than the store's late_max or retention is refused by it.

A Prometheus or store that refuses for now is waited for, ten minutes at most.

Exit code: 0, all that was read is in the store; 1, some of it was refused (the first words are
shown); 2, it could not be done, and the same call goes on.)";

/// As service::ProgramCommand.
Result<int> backfill(const service::CommandWords& words);

}  // namespace vigia::storage
