// For tests: the log on a disk of which single places cannot be read.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {

class DiskLogFaultsTest : public DiskLogTest {
 protected:
  /// Bodies that the log does not compress, over a page each, so that places in the file are known.
  Result<RecordHeader> write_large(char letter) {
    DiskRecord record{{.tag = {.owner = "cliente-a"}, .encoding = BodyEncoding::kGzip},
                      std::string(10'000, letter)};
    record.header.items = 7;
    record.header.received_ms = clock_.wall_ms();
    return log_->append_and_wait(std::move(record));
  }
  std::string path_of(const RecordHeader& header) const {
    return segment_path("/log", header.position.segment);
  }
  void spoil_body(const RecordHeader& header) {
    files_.spoil(path_of(header), header.next.offset - 5000, header.next.offset - 4000);
  }
  void spoil_head(const RecordHeader& header) {
    files_.spoil(path_of(header), header.position.offset, header.position.offset + 1);
  }
  /// First letters of what the cursor gives until it has nothing, or cannot read.
  std::string read_letters(std::string_view cursor = "cold") {
    std::string letters;
    for (;;) {
      auto record = log_->cursor(cursor).next(kNoWait);
      if (!record) {
        EXPECT_EQ(record.error().code, ErrorCode::kUnavailable);
        return letters + '!';
      }
      if (!record->has_value()) return letters;
      last_ = (*record)->header;
      letters += (*record)->body.at(0);
    }
  }
  /// As a reader does whose log cannot be read: again and again.
  std::string read_over_the_patience() {
    std::string letters;
    for (int i = 0; i < kUnreadableTriesMin; ++i) {
      letters += read_letters();
      clock_.advance(settings_.unreadable_patience);
    }
    return letters;
  }
};

}  // namespace vigia::disk_log
