#include "services/router/api/loki/field_scan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::router::api::loki {
namespace {

class FieldScanTest : public ::testing::Test {
 protected:
  void scan(const std::string& query, const std::vector<std::string>& lines,
            std::size_t fields_max = 1'000) {
    const auto expr = logql::parse_logs(R"({service_name="shop"} )" + query).value();
    auto made = FieldScan::make(std::get<logql::LogSelector>(expr->node), fields_max);
    ASSERT_TRUE(made.has_value());
    const std::vector<Label> metadata{{"host_arch", "arm"}};
    for (const std::string& line : lines) passed_ += made->add({0, line, &stream_, metadata});
    fields_.clear();
    for (const auto& [name, field] : made->fields()) {
      fields_.push_back(fmt::format("{} {} {} {}", name, to_string(field.type), field.values.size(),
                                    fmt::join(field.parsers, "+")));
    }
  }

  const Labels stream_ = Labels::from({{"service_name", "shop"}});
  std::vector<std::string> fields_;
  int passed_ = 0;
};

using ::testing::ElementsAre;

TEST_F(FieldScanTest, FindsWhatIsInTexts) {
  scan("", {R"({"code":500,"took":"1.5s","user":{"id":7}})", R"({"code":404,"took":"2ms"})",
            "size=10KB ok=true ratio=0.5 ratio=1", "no field"});
  EXPECT_THAT(fields_, ElementsAre("code int 2 json", "host_arch string 1 ", "ok boolean 1 logfmt",
                                   "ratio int 1 logfmt", "size bytes 1 logfmt",
                                   "took duration 2 json", "user_id int 1 json"));
  EXPECT_EQ(passed_, 4);
}

TEST_F(FieldScanTest, TheQuerysOwnStagesReadTheLine) {
  scan("|= `way` | regexp `way=(?P<way>[^ ]+)`", {"way=/a x=1", "way=/b x=2", "other"});
  EXPECT_THAT(fields_, ElementsAre("host_arch string 1 ", "way string 2 regexp"));
  EXPECT_EQ(passed_, 2);
}

TEST_F(FieldScanTest, ValuesOfSeveralTypesAreTexts) {
  scan("", {"a=1 b=1 c=1s", "a=1.5 b=x c=2m"});
  EXPECT_THAT(fields_, ElementsAre("a float 2 logfmt", "b string 2 logfmt", "c duration 2 logfmt",
                                   "host_arch string 1 "));
}

TEST_F(FieldScanTest, HoldsSoMuchAtTheMost) {
  std::vector<std::string> lines;
  for (int i = 0; i < 2'000; ++i) lines.push_back(fmt::format("a={} b{}=1", i, i));
  scan("", lines, 10);
  EXPECT_EQ(fields_.size(), 10U);
  EXPECT_EQ(fields_.front(), "a int 1000 logfmt");
}

}  // namespace
}  // namespace vigia::router::api::loki
