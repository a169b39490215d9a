// Stages and a line, both of strangers: what comes out keeps to the bounds. The input's first line
// has the stages, the rest is the line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "libs/base/check.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/pipeline/pipeline.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace logql = vigia::logql;
  using vigia::ErrorCode;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto expr = logql::parse_logs("{app=\"shop\"} " + std::string(input.substr(0, end)));
  if (!expr || !std::holds_alternative<logql::LogSelector>((*expr)->node)) return 0;
  auto run = logql::pipeline::Pipeline::compile(std::get<logql::LogSelector>((*expr)->node));
  if (!run) {
    CHECK(run.error().code == ErrorCode::kInvalid || run.error().code == ErrorCode::kTooLarge);
    return 0;
  }
  static const vigia::Labels stream = vigia::Labels::from({{"app", "shop"}, {"level", "info"}});
  static const vigia::Label metadata[] = {{"trace_id", "abc"}, {"level", "meta"}};
  const std::string_view line = input.substr(end + 1);
  // Twice: nothing of a line may stay for the next.
  std::string first;
  for (int round = 0; round < 2; ++round) {
    std::string now = "refused";
    if (run->run({1'764'489'600'500'000'000, line, &stream, metadata})) {
      const vigia::Labels all = run->labels().all();
      CHECK(all.size() <= logql::kLineLabelsMax + 6);
      CHECK(run->text().size() <= std::max(line.size(), logql::kFormattedBytesMax));
      now = to_string(all) + std::string(run->text());
    }
    if (round == 0) first = now;
    CHECK(now == first);
  }
  return 0;
}
