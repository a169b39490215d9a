// Who shares the keyspace, as it lists them.
#pragma once

#include <vector>

#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/sharing_number.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread, once prepared.
class InstanceList {
 public:
  /// The session must outlive it.
  explicit InstanceList(vigia::cassandra::Session& session) : session_(session) {}
  Result<void> prepare(Preparation& preparation);

  /// The numbers of all who may have something open: those that live, and those that are gone and
  /// of which not all is taken over yet. Errors as requests'.
  Result<std::vector<SharingNumber>> read();

 private:
  vigia::cassandra::Session& session_;
  Statement read_;
};

}  // namespace vigia::storage::store::cassandra
