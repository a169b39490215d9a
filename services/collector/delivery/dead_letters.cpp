#include "services/collector/delivery/dead_letters.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"

namespace vigia::collector::delivery {
DeadLetters::DeadLetters(std::string data_directory, std::string_view exporter)
    : directory_(std::move(data_directory) + "/dead-letters") {
  std::string name(exporter);
  std::replace(name.begin(), name.end(), '/', '~');
  path_ = directory_ + "/" + name + ".jsonl";
}

Result<void> DeadLetters::write(const DeadLetter& letter) {
  namespace files = std::filesystem;
  std::error_code code;
  files::create_directories(directory_, code);
  if (!code && files::exists(path_, code) && files::file_size(path_, code) >= kFileBytesMax)
    // One file before it is kept: they are for a person, and two bounds of bytes are bound enough.
    files::rename(path_, path_ + ".1", code);
  std::ofstream file(path_, std::ios::app);
  file << fmt::format(R"({{"time_ms":{},"customer_id":{},"signal":{},)"
                      R"("why":{},"content":{},"message":"{}"}})",
                      letter.time_ms, json_text(letter.customer.text()),
                      json_text(to_string(letter.signal)), json_text(letter.why),
                      json_text(letter.content), to_hex(letter.message.substr(0, kMessageBytesMax)))
       << '\n';
  file.flush();
  files::permissions(path_, files::perms::owner_read | files::perms::owner_write, code);
  if (!file) return fail(ErrorCode::kUnavailable, "dead letters cannot be written to " + path_);
  return {};
}

}  // namespace vigia::collector::delivery
