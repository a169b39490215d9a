#include "services/storage/store/rocksdb/kv/ordered_tables.hpp"

#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> failed(const std::string& what) {
  return fail(ErrorCode::kCorrupt, "cold store: tables cannot be put in order: " + what);
}

// The folder with links to the tables, for as long as it is needed.
class Scratch {
 public:
  explicit Scratch(const std::string& path) : path_(path) { remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { remove(); }

  Result<void> link(const std::vector<std::string>& tables) const {
    std::error_code error;
    fs::create_directories(path_, error);
    unsigned number = 0;
    for (const std::string& table : tables) {
      // Links, since the repair moves and deletes files in its folder as it likes.
      if (!error) fs::create_hard_link(table, fmt::format("{}/{:06}.sst", path_, ++number), error);
    }
    return error ? Result<void>(failed(error.message())) : Result<void>();
  }

 private:
  void remove() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string path_;
};

Result<void> read_all(::rocksdb::DB& database, ::rocksdb::ColumnFamilyHandle& family,
                      const VisitRow& visit) {
  const std::unique_ptr<::rocksdb::Iterator> iterator(
      database.NewIterator(::rocksdb::ReadOptions(), &family));
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    const auto visited =
        visit(family.GetName(), iterator->key().ToStringView(), iterator->value().ToStringView());
    if (!visited) return visited;
  }
  return iterator->status().ok() ? Result<void>() : failed(iterator->status().ToString());
}

std::vector<::rocksdb::ColumnFamilyDescriptor> described(const std::vector<std::string>& names) {
  std::vector<::rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, ::rocksdb::ColumnFamilyOptions());
  }
  return families;
}

}  // namespace

// RocksDB's repair reads each table's keys with their sequence numbers, which nothing else in its
// interface tells.
Result<void> read_tables_in_order(const std::string& scratch,
                                  const std::vector<std::string>& tables, const VisitRow& visit) {
  const Scratch folder(scratch);
  if (auto linked = folder.link(tables); !linked) return linked;
  const ::rocksdb::DBOptions options;
  auto status = ::rocksdb::RepairDB(scratch, ::rocksdb::Options());
  std::vector<std::string> names;
  if (status.ok()) status = ::rocksdb::DB::ListColumnFamilies(options, scratch, &names);
  std::vector<::rocksdb::ColumnFamilyHandle*> handles;
  ::rocksdb::DB* raw = nullptr;
  if (status.ok()) {
    status = ::rocksdb::DB::OpenForReadOnly(options, scratch, described(names), &handles, &raw);
  }
  if (!status.ok()) return failed(status.ToString());
  const std::unique_ptr<::rocksdb::DB> database(raw);
  Result<void> read;
  for (auto* handle : handles) {
    if (read) read = read_all(*database, *handle, visit);
  }
  // Also after an error: the database must not go before its handles.
  for (auto* handle : handles) database->DestroyColumnFamilyHandle(handle);
  return read;
}

}  // namespace vigia::storage::store::rocksdb::kv
