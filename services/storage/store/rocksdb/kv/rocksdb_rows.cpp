#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/write_batch.h>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

std::string_view view(const ::rocksdb::Slice& text) { return {text.data(), text.size()}; }
::rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

tl::unexpected<Error> damaged(const ::rocksdb::Status& status) {
  return fail(ErrorCode::kCorrupt, status.ToString());
}

// `key` as a fraction to the base of 256, plus or minus `step` in its digit `at`. "" where that is
// no fraction any more.
std::string moved(std::string key, std::size_t at, int step) {
  key.resize(std::max(key.size(), at + 1), '\0');
  int carry = step;
  for (std::size_t i = at + 1; i > 0 && carry != 0; --i) {
    const int digit = static_cast<unsigned char>(key[i - 1]) + carry;
    key[i - 1] = static_cast<char>(digit & 0xff);
    carry = digit < 0 ? -1 : digit >> 8;
  }
  return carry == 0 ? key : std::string();
}

// Keys inside a gap, at all distances from both of its ends, each some half as far again as the one
// before: they meet every readable stretch that is not much shorter than the damage beside it.
std::vector<std::string> probes_of(const KeyGap& gap, const std::string& top) {
  constexpr std::size_t kDigits = 24;
  constexpr std::array kSteps = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192};
  const std::string& low = gap.after;
  const std::string& high = gap.before.empty() ? top : gap.before;
  const auto same = static_cast<std::size_t>(
      std::mismatch(low.begin(), low.end(), high.begin(), high.end()).first - low.begin());
  std::vector<std::string> probes;
  for (std::size_t at = same; at < same + kDigits; ++at) {
    for (const int step : kSteps) {
      probes.push_back(moved(low, at, step));
      probes.push_back(moved(high, at, -step));
    }
  }
  std::erase_if(probes, [&](const std::string& key) { return key <= low || key >= high; });
  return probes;
}

// Finds the readable stretches of one table between damaged blocks. The file's index is not to be
// had through RocksDB's interface, so it tries keys in between.
class TableWalk {
 public:
  TableWalk(::rocksdb::SstFileReader& reader, const VisitRow& visit, TableContents& contents)
      : reader_(reader), visit_(visit), contents_(contents) {}

  Result<void> run() {
    auto iterator = fresh();
    iterator->SeekToFirst();
    KeyGap gap;
    // An iterator also stops being valid at the table's end: only its status tells damage from
    // that.
    if (auto walked = forward_from(*iterator, {}, gap.after); !walked) return walked;
    if (iterator->status().ok()) return {};
    iterator = fresh();
    iterator->SeekToLast();
    if (iterator->Valid()) {
      if (auto walked = backward_from(*iterator, gap.before); !walked) return walked;
    }
    gaps_.push_back(std::move(gap));
    return search();
  }

 private:
  // A table with more damaged places than this is given up behind them.
  static constexpr std::size_t kGapsMax = 256;
  static constexpr std::size_t kTopBytes = 64;

  std::unique_ptr<::rocksdb::Iterator> fresh() const {
    return std::unique_ptr<::rocksdb::Iterator>(reader_.NewIterator(::rocksdb::ReadOptions()));
  }
  Result<void> take(const ::rocksdb::Iterator& iterator) {
    ++contents_.rows;
    return visit_(contents_.family, view(iterator.key()), view(iterator.value()));
  }
  // Takes rows until `end` or one that cannot be read; `edge` is the last one taken.
  Result<void> forward_from(::rocksdb::Iterator& iterator, const std::string& end,
                            std::string& edge) {
    for (; iterator.Valid(); iterator.Next()) {
      if (!end.empty() && view(iterator.key()) >= end) return {};
      edge = iterator.key().ToString();
      if (auto taken = take(iterator); !taken) return taken;
    }
    return {};
  }
  // Going back, RocksDB gives a row only once it has seen the one before: beside damage it misses
  // one, which the search finds.
  Result<void> backward_from(::rocksdb::Iterator& iterator, std::string& edge) {
    for (; iterator.Valid(); iterator.Prev()) {
      edge = iterator.key().ToString();
      if (auto taken = take(iterator); !taken) return taken;
    }
    return {};
  }

  Result<void> search() {
    for (std::size_t gap = 0; gap < gaps_.size() && gap < kGapsMax;) {
      const auto key = readable_key(gaps_[gap]);
      if (!key.has_value()) {
        ++gap;
        continue;
      }
      if (auto taken = take_stretch(gap, *key); !taken) return taken;
    }
    contents_.gaps = gaps_;
    return {};
  }

  std::optional<std::string> readable_key(const KeyGap& gap) const {
    const std::string top(kTopBytes, '\xff');
    for (const std::string& key : probes_of(gap, top)) {
      const auto iterator = fresh();  // one that met damage keeps its error
      iterator->Seek(slice(key));
      // A seek into a damaged block may also slide on to a row behind the gap, which is known
      // already.
      if (!iterator->status().ok() || !iterator->Valid()) continue;
      const std::string_view found = view(iterator->key());
      if (gap.before.empty() || found < gap.before) return std::string(found);
    }
    return std::nullopt;
  }

  // The readable rows around `key` divide a gap in two.
  Result<void> take_stretch(std::size_t gap, const std::string& key) {
    KeyGap behind{key, gaps_[gap].before};
    auto iterator = fresh();
    iterator->Seek(slice(key));
    if (auto walked = forward_from(*iterator, behind.before, behind.after); !walked) return walked;
    iterator = fresh();
    iterator->Seek(slice(key));
    std::string first = key;
    iterator->Prev();
    if (auto walked = backward_from(*iterator, first); !walked) return walked;
    // The part before the stretch stays in its place and is searched again; the part behind is
    // added at the end. Each stretch found shortens what is left, so the search ends.
    gaps_[gap].before = first;
    gaps_.push_back(std::move(behind));
    return {};
  }

  ::rocksdb::SstFileReader& reader_;
  const VisitRow& visit_;
  TableContents& contents_;
  std::vector<KeyGap> gaps_;
};

// Footer of format version 2 to 5: type of checksum (1), two handles as varints, zeros to here,
// version (4), magic number (8).
constexpr std::size_t kFooterBytes = 53;
constexpr std::size_t kVersionAt = 41;
constexpr std::uint32_t kVersionMin = 2;
constexpr std::uint32_t kVersionMax = 5;
constexpr std::uint8_t kChecksumTypeMax = 4;
constexpr std::uint64_t kMagic = 0x88e241b785f4cff7ULL;
constexpr std::uint64_t kBlockTrailerBytes = 5;

/// "" of a file that is too short. kUnavailable where the disk does not read it now: what it holds
/// is not known then.
Result<std::string> read_footer(const std::string& path, std::uint64_t& file_bytes) {
  std::error_code error;
  file_bytes = std::filesystem::file_size(path, error);
  if (!error && file_bytes < kFooterBytes) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kFooterBytes, '\0');
  if (!error) {
    file.seekg(static_cast<std::streamoff>(file_bytes - kFooterBytes));
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  if (error || !file) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: its footer cannot be read", path));
  }
  return bytes;
}

bool is_inside(ByteReader& reader, std::uint64_t file_bytes) {
  const std::uint64_t offset = reader.read_varint();
  const std::uint64_t size = reader.read_varint();
  return reader.ok() && offset < file_bytes && size < file_bytes &&
         offset + size + kBlockTrailerBytes + kFooterBytes <= file_bytes;
}

std::string_view footer_fault(std::string_view footer, std::uint64_t file_bytes) {
  if (footer.empty()) return "too short for a table";
  ByteReader tail(footer.substr(kVersionAt));
  const std::uint32_t version = tail.read_u32();
  if (tail.read_u64() != kMagic) return "bad magic number";
  if (version < kVersionMin || version > kVersionMax) return "unknown version of its footer";
  ByteReader head(footer.substr(0, kVersionAt));
  if (head.read_u8() > kChecksumTypeMax) return "unknown type of checksum";
  if (!is_inside(head, file_bytes) || !is_inside(head, file_bytes)) {
    return "its footer points out of the file";
  }
  return {};
}

bool write_footer(const std::string& path, std::string_view footer, std::uint64_t file_bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(file_bytes - kFooterBytes));
  file.write(footer.data(), static_cast<std::streamsize>(footer.size()));
  return static_cast<bool>(file.flush());
}

bool is_good_footer(const std::string& path, std::string_view footer, std::uint64_t file_bytes) {
  if (!footer_fault(footer, file_bytes).empty()) return false;
  // RocksDB opens only files, so a try is written into the file itself: mend_table_footer() puts
  // the original back when none fits. The file is the one in quarantine, which nothing else reads.
  if (!write_footer(path, footer, file_bytes)) return false;
  ::rocksdb::SstFileReader reader((::rocksdb::Options()));
  return reader.Open(path).ok() && reader.GetTableProperties() != nullptr &&
         reader.GetTableProperties()->num_entries > 0;
}

// The footer with its constants as this program's tables have them.
std::string with_constants(std::string footer) {
  std::string tail;
  append_u32(tail, kVersionMax);
  append_u64(tail, kMagic);
  footer[0] = static_cast<char>(kChecksumTypeMax);
  return footer.replace(kVersionAt, std::string::npos, tail);
}

}  // namespace

Result<TableContents> read_table(const std::string& path, const VisitRow& visit) {
  if (auto checked = check_table_footer(path); !checked) {
    return fail(ErrorCode::kCorrupt, checked.error().message);
  }
  ::rocksdb::SstFileReader reader((::rocksdb::Options()));
  if (const auto status = reader.Open(path); !status.ok()) return damaged(status);
  TableContents contents;
  if (const auto properties = reader.GetTableProperties(); properties != nullptr) {
    contents.family = properties->column_family_name;
    contents.entries = properties->num_entries - properties->num_deletions;
  }
  TableWalk walk(reader, visit, contents);
  if (auto walked = walk.run(); !walked) return forward(walked);
  return contents;
}

Result<void> check_table_checksums(const std::string& path) {
  ::rocksdb::SstFileReader reader((::rocksdb::Options()));
  auto status = reader.Open(path);
  if (status.ok()) status = reader.VerifyChecksum();
  if (status.ok()) return {};
  return fail(status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kUnavailable,
              status.ToString());
}

std::string table_family(const std::string& path) {
  if (!check_table_footer(path)) return {};
  ::rocksdb::SstFileReader reader((::rocksdb::Options()));
  if (!reader.Open(path).ok() || reader.GetTableProperties() == nullptr) return {};
  return reader.GetTableProperties()->column_family_name;
}

std::uint64_t table_row_bytes(const std::string& path) {
  std::error_code error;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, error);
  if (error || !check_table_footer(path)) return error ? 0 : file_bytes;
  ::rocksdb::SstFileReader reader((::rocksdb::Options()));
  if (!reader.Open(path).ok() || reader.GetTableProperties() == nullptr) return file_bytes;
  const auto properties = reader.GetTableProperties();
  return properties->raw_key_size + properties->raw_value_size;
}

Result<void> check_table_footer(const std::string& path) {
  std::uint64_t file_bytes = 0;
  const auto footer = read_footer(path, file_bytes);
  if (!footer) return forward(footer);
  const std::string_view fault = footer_fault(*footer, file_bytes);
  if (fault.empty()) return {};
  return fail(ErrorCode::kCorrupt, fmt::format("{}: {}", path, fault));
}

bool mend_table_footer(const std::string& path) {
  std::uint64_t file_bytes = 0;
  const std::string original = read_footer(path, file_bytes).value_or("");
  if (original.empty()) return false;
  const std::string base = with_constants(original);
  if (is_good_footer(path, base, file_bytes)) return true;
  // The footer has no checksum of its own, so a flipped bit is found by trying each: some 300
  // opens. Bit 8 is the first behind the checksum's type, which with_constants() has set.
  for (std::size_t bit = 8; bit < kVersionAt * 8; ++bit) {
    std::string tried = base;
    tried[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(tried[bit / 8]) ^ (1U << bit % 8));
    if (is_good_footer(path, tried, file_bytes)) return true;
  }
  write_footer(path, original, file_bytes);
  return false;
}

Result<void> read_write_batch(std::string_view record,
                              const std::function<Result<void>(const LoggedWrite&)>& visit) {
  class Handler final : public ::rocksdb::WriteBatch::Handler {
   public:
    explicit Handler(const std::function<Result<void>(const LoggedWrite&)>& visit)
        : visit_(visit) {}
    ::rocksdb::Status PutCF(std::uint32_t family, const ::rocksdb::Slice& key,
                            const ::rocksdb::Slice& value) override {
      return take({LoggedWrite::Kind::kPut, family, view(key), view(value)});
    }
    ::rocksdb::Status DeleteCF(std::uint32_t family, const ::rocksdb::Slice& key) override {
      return take({LoggedWrite::Kind::kDelete, family, view(key), {}});
    }
    ::rocksdb::Status DeleteRangeCF(std::uint32_t family, const ::rocksdb::Slice& begin,
                                    const ::rocksdb::Slice& end) override {
      return take({LoggedWrite::Kind::kDeleteRange, family, view(begin), view(end)});
    }
    const Result<void>& result() const { return result_; }

   private:
    ::rocksdb::Status take(const LoggedWrite& write) {
      result_ = visit_(write);
      return result_ ? ::rocksdb::Status::OK() : ::rocksdb::Status::Aborted();
    }
    const std::function<Result<void>(const LoggedWrite&)>& visit_;
    Result<void> result_;
  };
  constexpr std::size_t kBatchHeaderBytes = 12;
  // WriteBatch's constructor takes any bytes and reads the header unchecked.
  if (record.size() < kBatchHeaderBytes) return fail(ErrorCode::kCorrupt, "no batch of writes");
  Handler handler(visit);
  const ::rocksdb::WriteBatch batch{std::string(record)};
  const auto status = batch.Iterate(&handler);
  if (!handler.result()) return handler.result();
  if (!status.ok()) return damaged(status);
  return {};
}

}  // namespace vigia::storage::store::rocksdb::kv
