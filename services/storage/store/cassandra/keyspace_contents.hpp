// What lies in a keyspace, looked at from outside.
#pragma once

#include <memory>

#include "services/storage/instance/folder_contents.hpp"
#include "services/storage/store/cassandra/settings.hpp"

namespace vigia::storage::store::cassandra {

/// Changes nothing; other instances may run. Customers have the numbers by which the folder's log
/// knows them, others some that no folder gives. kUnavailable where a process holds the folder or
/// the cluster does not answer, kNotFound where there is no such keyspace.
Result<std::unique_ptr<instance::FolderContents>> open_contents(const CassandraSettings& settings);

}  // namespace vigia::storage::store::cassandra
