#include "services/storage/store/rocksdb/customer_removal.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/customer_rows.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/quarantine.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

namespace fs = std::filesystem;
using customers::CustomerNumber;
using instance::RemovalProgress;
using instance::RemovalProof;
using kv::Family;

constexpr const char* kNoteFile = "/vigia-deletion";
constexpr const char* kQuarantine = "/quarantine";
constexpr std::string_view kNoteHead = "vigia deletion 1\n";
constexpr std::uint64_t kRewriteMax = 4ULL << 30U;  // one piece of work of RocksDB's at most

// In the folder while a customer is taken out: by whose name and number to go on after a kill.
struct RemovalNote {
  CustomerId customer;
  CustomerNumber number;
};

std::optional<RemovalNote> read_note(const std::string& directory) {
  std::string text = kv::read_whole(directory + kNoteFile);
  if (!text.starts_with(kNoteHead) || !text.ends_with('\n')) return std::nullopt;
  const std::string_view line = std::string_view(text).substr(kNoteHead.size());
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  auto id = CustomerId::parse(line.substr(blank + 1, line.size() - blank - 2));
  CustomerNumber number;
  const auto read = std::from_chars(line.data(), line.data() + blank, number.value);
  if (!id || read.ec != std::errc() || read.ptr != line.data() + blank) return std::nullopt;
  return RemovalNote{*std::move(id), number};
}

Result<void> write_note(const std::string& directory, const RemovalNote& note) {
  const std::string text =
      fmt::format("{}{} {}\n", kNoteHead, note.number.value, note.customer.text());
  if (auto written = kv::write_durably(directory + kNoteFile, text, true); !written) return written;
  kv::sync_folder(directory);
  return {};
}

Result<std::optional<CustomerNumber>> number_of(kv::OrderedStore& store,
                                                const CustomerId& customer) {
  for (const Family family : {Family::kIndex, Family::kIdentity}) {
    auto row = store.get(family, index::index_key::customer(customer.text()));
    if (!row) return forward(row);
    if (!row->has_value()) continue;
    ByteReader reader(**row);
    const std::uint64_t number = reader.read_u64();
    if (!reader.ok() || number == 0 || number > UINT32_MAX) continue;
    return std::optional(CustomerNumber{static_cast<std::uint32_t>(number)});
  }
  return std::optional<CustomerNumber>();
}

// Whether somebody has the number by now: then nothing under it is the one's who had it.
Result<bool> is_given(kv::OrderedStore& store, CustomerNumber number) {
  const std::string prefix = index::index_key::customers();
  for (const Family family : {Family::kIndex, Family::kIdentity}) {
    const auto scan = store.scan(family, prefix, kv::after_prefix(prefix));
    while (scan->next()) {
      ByteReader reader(scan->value());
      if (reader.read_u64() == number.value && reader.ok()) return true;
    }
    if (auto read = scan->status(); !read) return forward(read);
  }
  return false;
}

// The number that is the customer's, and the one that was his when his removal began: he may have
// come back meanwhile, with another. None where that is somebody else's by now, as where an earlier
// program gave it again.
Result<std::vector<CustomerNumber>> numbers_to_forget(kv::OrderedStore& store,
                                                      const CustomerId& customer,
                                                      const std::optional<RemovalNote>& note) {
  const auto own = number_of(store, customer);
  if (!own) return forward(own);
  std::vector<CustomerNumber> numbers;
  if (own->has_value()) numbers.push_back(**own);
  if (!note.has_value()) {
    if (!numbers.empty()) return numbers;
    return fail(ErrorCode::kNotFound,
                fmt::format("this store has no customer {}", customer.text()));
  }
  const auto given = is_given(store, note->number);
  if (!given) return forward(given);
  if (!*given && note->number.value != 0) numbers.push_back(note->number);
  return numbers;
}

// Their rows would be written back later, the customer's among them, and nobody would look again.
Result<void> check_all_saved(const std::string& directory) {
  const std::uint64_t unsaved = kv::Quarantine(directory + kQuarantine).state().unsaved_files;
  if (unsaved == 0) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("rows of {} files in {}{} are still to be written back, and this "
                          "customer's may be among them: start vigia-storage until "
                          "vigia_storage_unsaved_files is 0, stop it, and run this again",
                          unsaved, directory, kQuarantine));
}

void forget_chunks_set_aside(const std::string& directory, CustomerNumber number) {
  const std::string prefix = fmt::format("c{}-", number.value);
  std::error_code error;
  std::vector<fs::path> gone;
  for (fs::directory_iterator at(directory + "/quarantine/chunks", error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().filename().string().starts_with(prefix)) gone.push_back(at->path());
  }
  for (const fs::path& path : gone) fs::remove(path, error);  // what stays the proof names
}

// Looks at all files of the folder, as they lie on disk.
class RemainsSearch {
 public:
  RemainsSearch(const std::string& directory, const std::vector<CustomerRows>& rows,
                const RemovalProgress& progress)
      : directory_(directory), rows_(rows), progress_(progress) {}

  Result<RemovalProof> run() {
    const kv::FolderLock lock(directory_);
    if (!lock.is_held()) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} cannot be locked ({})", directory_, lock.why_not()));
    }
    for (const std::string& name : names("")) look_at(name);
    // What was damaged is whole files of everybody's rows, and not read.
    for (const std::string& name : names(kQuarantine)) doubt("quarantine/" + name);
    for (const std::string& name : names("/wal")) {
      if (name.starts_with("segment-")) doubt("wal/" + name);
    }
    for (const CustomerRows& own : rows_) look_at_chunks_of(own.number);
    return std::move(proof_);
  }

 private:
  std::vector<std::string> names(const std::string& folder) const {
    std::set<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory_ + folder, error), end; !error && at != end;
         at.increment(error)) {
      std::error_code ignored;
      if (at->is_regular_file(ignored)) names.insert(at->path().filename().string());
    }
    return {names.begin(), names.end()};
  }

  void note(const std::string& file, std::string_view what) {
    proof_.left.push_back(fmt::format("{}: {}", file, what));
  }
  void doubt(const std::string& file) {
    note(file, "it may hold rows of every customer; look at it, delete it, and run this again");
  }

  void look_at_chunks_of(CustomerNumber number) {
    const std::string own = fmt::format("c{}-", number.value);
    for (const std::string& name : names("/quarantine/chunks")) {
      if (name.starts_with(own)) note("quarantine/chunks/" + name, "a chunk that was set aside");
    }
  }

  void look_at(const std::string& name) {
    const bool is_table = name.ends_with(kv::kTableEnding);
    const bool is_log = name.ends_with(".log") && kv::number_in(name) != 0;
    if (!is_table && !is_log) return;
    progress_("reading " + name);
    ++proof_.files;
    found_ = 0;
    const auto read = is_table ? read_table(name) : read_log(name);
    if (!read) note(name, read.error().message);
    if (found_ > 0) note(name, fmt::format("{} rows of this customer", found_));
  }

  void see(Family family, std::string_view key, std::string_view value) {
    const bool is_own = std::any_of(rows_.begin(), rows_.end(), [&](const CustomerRows& rows) {
      return is_of(rows, family, key, value);
    });
    if (is_own) {
      ++found_;
    } else {
      ++proof_.rows;
    }
  }

  Result<void> read_table(const std::string& name) {
    const auto contents =
        kv::read_table(directory_ + "/" + name,
                       [this](const std::string& family, std::string_view key,
                              std::string_view value) -> Result<void> {
                         const auto known = kv::family_named(family);
                         if (!known.has_value())
                           return fail(ErrorCode::kCorrupt, "a family that is not known");
                         see(*known, key, value);
                         return {};
                       });
    if (!contents) return forward(contents);
    if (contents->gaps.empty()) return {};
    return fail(ErrorCode::kCorrupt, "damaged blocks of it cannot be read");
  }

  Result<void> read_log(const std::string& name) {
    Result<void> whole;
    const auto state = kv::read_record_file(directory_ + "/" + name, [&](std::string_view record) {
      auto read = kv::read_write_batch(record, [this](const kv::LoggedWrite& write) {
        if (write.family < kv::kFamilies) {
          see(static_cast<Family>(write.family), write.key, write.value);
        }
        return Result<void>();
      });
      if (!read) whole = std::move(read);
    });
    if (!state) return forward(state);
    return whole;
  }

  const std::string& directory_;
  const std::vector<CustomerRows>& rows_;
  const RemovalProgress& progress_;
  RemovalProof proof_;
  std::uint64_t found_ = 0;  // in the file at hand
};

Result<CustomerRows> forget_under(kv::OrderedStore& store, const RemovalNote& wanted,
                                  const std::string& directory, const RemovalProgress& progress) {
  progress("looking for its series");
  auto rows = rows_of(store, wanted.customer, wanted.number);
  if (!rows) return rows;
  progress("forgetting its rows");
  if (auto forgotten = forget_rows(store, *rows); !forgotten) return forward(forgotten);
  forget_chunks_set_aside(directory, wanted.number);
  return rows;
}

// Never none: where no number is left to look for, the name is.
Result<std::vector<CustomerRows>> forget(kv::OrderedStore& store, const CustomerId& customer,
                                         const std::vector<CustomerNumber>& numbers,
                                         const std::string& directory,
                                         const RemovalProgress& progress) {
  std::vector<CustomerRows> all;
  for (const CustomerNumber number : numbers) {
    auto rows = forget_under(store, {customer, number}, directory, progress);
    if (!rows) return forward(rows);
    all.push_back(*std::move(rows));
  }
  if (!numbers.empty()) {
    const auto highest = *std::max_element(
        numbers.begin(), numbers.end(),
        [](CustomerNumber left, CustomerNumber right) { return left.value < right.value; });
    if (auto gone = forget_number(store, customer, highest); !gone) return forward(gone);
  } else {
    all.push_back({customer, {}, {}});
  }
  progress("writing anew what shared files with it");
  if (auto packed = store.compact(); !packed) return forward(packed);
  return all;
}

std::uint64_t disk_bytes(const kv::OrderedStore& store) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < kv::kFamilies; ++i) bytes += store.disk_bytes(static_cast<Family>(i));
  return bytes;
}

// The database is closed when it returns.
Result<std::vector<CustomerRows>> forget_in(const CustomerId& customer,
                                            const std::string& directory,
                                            const RemovalProgress& progress) {
  const auto note = read_note(directory);
  if (note.has_value() && note->customer != customer) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("the deletion of {} was begun in this store and is not done: end it "
                            "first",
                            note->customer.text()));
  }
  kv::RocksDbSettings settings;
  settings.directory = directory;
  auto store = kv::open_rocksdb(settings);
  if (!store) return forward(store);
  const auto numbers = numbers_to_forget(**store, customer, note);
  if (!numbers) return forward(numbers);
  auto room = kv::check_room(directory, std::min(disk_bytes(**store), kRewriteMax),
                             "to write files anew without the customer");
  if (!room) return forward(room);
  // Of two the earlier one: the other is found by the name until the rows of both are forgotten.
  const RemovalNote wanted{customer, numbers->empty() ? CustomerNumber{} : numbers->back()};
  if (auto written = write_note(directory, wanted); !written) return forward(written);
  return forget(**store, customer, *numbers, directory, progress);
}

// A new MANIFEST holds the files that there are, the old one all that there were, with keys of
// theirs: opening makes a new one.
Result<void> renew_manifest(const std::string& directory) {
  kv::RocksDbSettings settings;
  settings.directory = directory;
  auto store = kv::open_rocksdb(settings);
  return store ? Result<void>() : forward(store);
}

}  // namespace

Result<RemovalProof> remove_customer(const CustomerId& customer, const std::string& directory,
                                     const RemovalProgress& progress) {
  if (auto saved = check_all_saved(directory); !saved) return forward(saved);
  const auto rows = forget_in(customer, directory, progress);
  if (!rows) return forward(rows);
  if (auto renewed = renew_manifest(directory); !renewed) return forward(renewed);
  // All files were read: what was found damaged may have been moved there just now.
  if (auto saved = check_all_saved(directory); !saved) return forward(saved);
  auto proof = RemainsSearch(directory, *rows, progress).run();
  if (!proof) return proof;
  proof->is_number_gone = rows->front().number.value == 0;
  if (!proof->left.empty()) return proof;
  std::error_code error;
  fs::remove(directory + kNoteFile, error);
  kv::sync_folder(directory);
  return proof;
}

std::optional<CustomerId> unfinished_removal(const std::string& directory) {
  const auto note = read_note(directory);
  if (!note.has_value()) return std::nullopt;
  return note->customer;
}

}  // namespace vigia::storage::store::rocksdb
