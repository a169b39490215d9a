// What the commands beside the service show while they work, and how they wait for a store.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/instance/store_instance.hpp"

namespace vigia::storage {

/// One line that the next one replaces. Of a terminal alone: what is piped elsewhere has the
/// findings.
void show_progress(const std::string& what);
/// Takes the line away, before something is printed that stays.
void end_progress();

/// A kill, or damage, may leave files whose rows an open store writes back by itself, mostly at
/// once. False where some are still missing after `longest`.
bool wait_until_saved(const instance::StoreInstance& store, Duration longest);
/// Likewise, and until the index has all of its rows.
bool wait_until_whole(const instance::StoreInstance& store, Duration longest);

}  // namespace vigia::storage
