#include "libs/service/config.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/service/config_references.hpp"

namespace vigia::service {
namespace {

using namespace std::chrono_literals;

ConfigFile parse(std::string_view text) {
  auto file = ConfigFile::parse(text, "c.yaml");
  EXPECT_TRUE(file.has_value()) << file.error().message;
  return *file;
}

std::string error_of(const ConfigFile& file) {
  const auto result = file.finish();
  return result ? "" : result.error().message;
}

TEST(Config, ReadsEveryKindOfValue) {
  const ConfigFile file = parse(R"(
text: hello
quoted: "a: b"
count: -12
share: 0.25
on: true
wait: 1h30m
size: 512MiB
plain: 1000
list: [a, b]
)");
  const ConfigNode root = file.root();
  EXPECT_EQ(root.child("text").text(), "hello");
  EXPECT_EQ(root.child("quoted").required_text(), "a: b");
  EXPECT_EQ(root.child("count").integer(0, -100, 100), -12);
  EXPECT_EQ(root.child("share").number(0, 0, 1), 0.25);
  EXPECT_TRUE(root.child("on").boolean(false));
  EXPECT_EQ(root.child("wait").duration(0s), 90min);
  EXPECT_EQ(root.child("size").bytes(0), 512U << 20U);
  EXPECT_EQ(root.child("plain").bytes(0), 1000U);
  EXPECT_EQ(root.child("list").text_list(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.keys().size(), 9U);
  EXPECT_EQ(error_of(file), "");
}

TEST(Config, WhatIsAbsentGivesTheFallback) {
  const ConfigFile file = parse("a:\n  b:\n");
  const ConfigNode missing = file.root().child("a").child("b").child("c").child("d");
  EXPECT_FALSE(missing.is_present());
  EXPECT_TRUE(file.root().child("a").child("b").is_present());
  EXPECT_EQ(missing.text("f"), "f");
  EXPECT_EQ(missing.integer(7, 0, 9), 7);
  EXPECT_EQ(missing.duration(5s), 5s);
  EXPECT_TRUE(missing.items().empty());
  EXPECT_EQ(missing.path(), "a.b.c.d");
  EXPECT_EQ(error_of(file), "");
}

TEST(Config, AnEmptyFileIsAnEmptyMap) {
  for (const auto* text : {"", "# only a comment\n", "---\n"}) EXPECT_EQ(error_of(parse(text)), "");
}

TEST(Config, AnUnknownKeyIsNamedWithItsLine) {
  const ConfigFile file = parse("a: 1\nb:\n  known: 1\n  typo: 2\n");
  EXPECT_EQ(file.root().child("a").integer(0, 0, 9), 1);
  EXPECT_EQ(file.root().child("b").child("known").integer(0, 0, 9), 1);
  EXPECT_EQ(error_of(file), "c.yaml:4: b.typo: the key is not known");
}

TEST(Config, AcceptAllTakesASubtree) {
  const ConfigFile file = parse("a:\n  b: {c: 1}\n");
  file.root().child("a").accept_all();
  EXPECT_EQ(error_of(file), "");
}

TEST(Config, UnknownKeysInListsAreFound) {
  const ConfigFile file = parse("list:\n  - name: x\n    nane: y\n");
  for (const auto& item : file.root().child("list").items()) item.child("name").text();
  EXPECT_EQ(error_of(file), "c.yaml:3: list[0].nane: the key is not known");
}

// "extensions: vigia_auth is needed", at line 1, was said to who had written "extentions".
TEST(Config, ATypoIsToldBeforeWhatIsMissingForIt) {
  for (const auto* typo : {"recievers", "receiver", "reciever", "receivrs"}) {
    const ConfigFile file = parse("use: [otlp]\n" + std::string(typo) + ": {otlp: {}}\n");
    const ConfigNode receivers = file.root().child("receivers");
    receivers.note_error("is needed");
    file.root().child("use").items().front().note_error("is not described under receivers");
    EXPECT_EQ(error_of(file),
              "c.yaml:2: " + std::string(typo) + ": the key is not known; is \"receivers\" meant?");
  }
}

TEST(Config, AKeyThatIsNearToNoneIsToldAsItIs) {
  const ConfigFile file = parse("a: 1\nfoo: {}\n");
  EXPECT_EQ(file.root().child("a").integer(0, 0, 9), 1);
  (void)file.root().child("receivers");
  EXPECT_EQ(error_of(file), "c.yaml:2: foo: the key is not known");
}

TEST(Config, AKeyThatIsThereAlreadyIsNotMeant) {
  const ConfigFile file = parse("listen: x\nlisten2: y\n");
  (void)file.root().child("listen").text();
  EXPECT_EQ(error_of(file), "c.yaml:2: listen2: the key is not known");
}

TEST(Config, ADoubledKeyIsAnError) {
  const ConfigFile file = parse("a:\n  x: 1\n  y: 2\n  x: 3\n");
  file.root().child("a").accept_all();
  EXPECT_EQ(error_of(file), "c.yaml:4: a.x: the key is given twice");
}

TEST(Config, MergeKeysGiveWhatAMapHasNot) {
  const ConfigFile file = parse(R"(
base: &base {x: 1, y: {deep: 1}}
other: &other {y: other, z: 3}
a:
  y: own
  <<: *base
b:
  <<: [*base, *other]
  w: 4
c: {<<: {x: 9}}
"<<": a key
)");
  const ConfigNode root = file.root();
  EXPECT_EQ(root.child("a").keys(), (std::vector<std::string>{"y", "x"}));
  EXPECT_EQ(root.child("a").child("y").text(), "own");
  EXPECT_EQ(root.child("b").keys(), (std::vector<std::string>{"w", "x", "y", "z"}));
  EXPECT_EQ(root.child("b").child("y").child("deep").integer(0, 0, 9), 1);
  EXPECT_EQ(root.child("c").child("x").integer(0, 0, 9), 9);
  EXPECT_EQ(root.child("<<").text(), "a key");
}

TEST(Config, AMergedKeyHasItsOwnLine) {
  const ConfigFile file = parse("a: &b\n  x: 1\nc:\n  <<: *b\n");
  file.root().child("a").child("x").integer(0, 0, 9);
  file.root().child("c").keys();
  EXPECT_EQ(error_of(file), "c.yaml:2: c.x: the key is not known");
}

TEST(Config, WhatIsNoMapIsNotMerged) {
  for (const auto* merged : {"1", "[1]", "[[]]", "", "[{x: 1}, text]"}) {
    const ConfigFile file = parse("a:\n  <<: " + std::string(merged) + "\n");
    file.root().accept_all();
    EXPECT_EQ(error_of(file), "c.yaml:2: a: << merges a map, or a list of maps") << merged;
  }
}

TEST(Config, MergesCannotGoOnForEver) {
  std::string wide = "a0: &a0 {x: 1, y: 2}\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    wide += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {<<: [" + before + ", " +
            before + ", " + before + "]}\n";
  }
  for (const std::string& text : {std::string("a: &a {<<: *a}\n"), wide}) {
    const auto file = ConfigFile::parse(text, "c.yaml");
    if (!file) continue;  // yaml-cpp may refuse it first
    file->root().accept_all();
    EXPECT_NE(error_of(*file).find("too many values"), std::string::npos) << text;
  }
}

/// Files of a folder of the test's own, laid over each other.
class ConfigFiles : public testing::Test {
 protected:
  Result<ConfigFile> load(const std::vector<std::string>& texts) {
    std::vector<std::string> paths;
    for (const std::string& text : texts) {
      paths.push_back(folder_.path() + "/" + (std::to_string(paths.size()) + ".yaml"));
      std::ofstream(paths.back()) << text;
    }
    return ConfigFile::load_all(paths);
  }
  std::string name(int file) const {
    return folder_.path() + "/" + (std::to_string(file) + ".yaml");
  }

  TemporaryFolder folder_;
};

TEST_F(ConfigFiles, ALaterKeyCounts) {
  const auto file = load({"a: {x: 1, y: [1, 2], z: {k: 1}}\nb: 1\n", "",
                          "a: {x: 2, y: [3], z: {l: 2}, w: 7}\n", "a: {w:}\nc: 3\n"});
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const ConfigNode a = file->root().child("a");
  EXPECT_EQ(a.child("x").integer(0, 0, 9), 2);
  EXPECT_EQ(a.child("y").text_list(), std::vector<std::string>{"3"});
  EXPECT_EQ(a.child("z").child("k").integer(0, 0, 9), 1);
  EXPECT_EQ(a.child("z").child("l").integer(0, 0, 9), 2);
  EXPECT_EQ(a.child("w").text("null counts too"), "null counts too");
  EXPECT_EQ(file->root().child("b").integer(0, 0, 9), 1);
  EXPECT_EQ(file->root().child("c").integer(0, 0, 9), 3);
  EXPECT_EQ(error_of(*file), "");
}

TEST_F(ConfigFiles, AnErrorNamesItsFile) {
  const auto unknown = load({"a: {x: 1}\n", "\n\na: {typo: 1}\n"});
  unknown->root().child("a").child("x").text();
  EXPECT_EQ(error_of(*unknown), name(1) + ":3: a.typo: the key is not known");
  const auto value = load({"a:\n  x: 1\n", "a:\n\n  x: no number\n"});
  value->root().child("a").child("x").integer(0, 0, 9);
  EXPECT_EQ(error_of(*value), name(1) + ":3: a.x: \"no number\" is not a whole number from 0 to 9");
  EXPECT_EQ(load({"a: 1\n", "b: [\n"}).error().message.find(name(1) + ":2: "), 0U);
  const auto list = load({"a: 1\n", "- b\n"});
  EXPECT_EQ(error_of(*list), name(1) + ":1: must be a map of keys");
}

TEST(Config, TheFirstErrorInFileOrderIsTheOneShown) {
  const ConfigFile file = parse("a: x\nb: y\n");
  file.root().child("b").integer(0, 0, 9);
  file.root().child("a").boolean(false);
  EXPECT_EQ(error_of(file), "c.yaml:1: a: \"x\" is neither true nor false");
}

TEST(Config, EachBadValueIsNamed) {
  const auto error = [](std::string_view text, auto read) {
    const ConfigFile file = parse(text);
    read(file.root().child("k"));
    return error_of(file);
  };
  EXPECT_EQ(error("k: 10", [](auto node) { node.integer(1, 1, 9); }),
            "c.yaml:1: k: \"10\" is not a whole number from 1 to 9");
  EXPECT_EQ(error("k: 1x", [](auto node) { node.integer(1, 1, 9); }),
            "c.yaml:1: k: \"1x\" is not a whole number from 1 to 9");
  EXPECT_EQ(error("k: nan", [](auto node) { node.number(1, 1, 9); }),
            "c.yaml:1: k: \"nan\" is not a number from 1 to 9");
  EXPECT_EQ(error("k: 5", [](auto node) { node.duration(1s); }),
            "c.yaml:1: k: \"5\" is not a length of time such as 15s, 10m or 400d");
  EXPECT_EQ(error("k: 5 MiB", [](auto node) { node.bytes(1); }),
            "c.yaml:1: k: \"5 MiB\" is not a size such as 64KiB or 512MiB");
  EXPECT_EQ(error("k: 99999999999TiB", [](auto node) { node.bytes(1); }),
            "c.yaml:1: k: \"99999999999TiB\" is not a size such as 64KiB or 512MiB");
  EXPECT_EQ(error("k: [1]", [](auto node) { node.text(); }), "c.yaml:1: k: must be a single value");
  EXPECT_EQ(error("k: 1", [](auto node) { node.text_list(); }), "c.yaml:1: k: must be a list");
  EXPECT_EQ(error("k: 1", [](auto node) { node.child("x").text(); }), "c.yaml:1: k: must be a map");
  EXPECT_EQ(error("k:", [](auto node) { node.required_text(); }), "c.yaml:1: k: is required");
  EXPECT_EQ(error("j: 1", [](auto node) { node.required_text(); }), "c.yaml:1: k: is required");
  EXPECT_EQ(error("\nk: 1", [](auto node) { node.note_error("no"); }), "c.yaml:2: k: no");
}

TEST(Config, ReplacesFromTheEnvironment) {
  setenv("VIGIA_CONFIG_TEST", "s3cret}", 1);
  unsetenv("VIGIA_CONFIG_UNSET");
  const ConfigFile file =
      parse("a: x-${env:VIGIA_CONFIG_TEST}-y\nb: $$1 $x\nc: ${env:VIGIA_CONFIG_UNSET:-z}\n");
  EXPECT_EQ(file.root().child("a").text(), "x-s3cret}-y");
  EXPECT_EQ(file.root().child("b").text(), "$1 $x");
  EXPECT_EQ(file.root().child("c").text(), "z");
  EXPECT_EQ(error_of(file), "");
  const ConfigFile unset = parse("a:\n  - ${env:VIGIA_CONFIG_UNSET}\n");
  unset.root().accept_all();
  EXPECT_EQ(error_of(unset), "c.yaml:2: a[0]: environment variable VIGIA_CONFIG_UNSET is not set");
}

TEST(Config, TheSourceMayBeLeftOut) {
  setenv("VIGIA_CONFIG_TEST", "value", 1);
  unsetenv("VIGIA_CONFIG_UNSET");
  const ConfigFile file = parse(
      "a: http://${VIGIA_CONFIG_TEST}:${VIGIA_CONFIG_UNSET:-80}\nb: ${VIGIA_CONFIG_UNSET:-}\n"
      "c: $${VIGIA_CONFIG_TEST}\n");
  EXPECT_EQ(file.root().child("a").text(), "http://value:80");
  EXPECT_EQ(file.root().child("b").text("fallback"), "");
  EXPECT_EQ(file.root().child("c").text(), "${VIGIA_CONFIG_TEST}");
  EXPECT_EQ(error_of(file), "");
}

TEST(Config, OtherSourcesAreNamed) {
  const auto error = [](const std::string& text) {
    const ConfigFile file = parse("a:\n  b: " + text + "\n");
    file.root().accept_all();
    return error_of(file);
  };
  for (const std::string source :
       {"file:/etc/token", "yaml:a::b: 1", "http://x/y", "https://x/y"}) {
    EXPECT_EQ(error("'${" + source + "}'"),
              "c.yaml:2: a.b: \"${" + source + "}\": " + source.substr(0, source.find(':')) +
                  ": is not supported; write the value here, or ${env:NAME} for that of an "
                  "environment variable");
  }
  EXPECT_EQ(error("${1}"), "c.yaml:2: a.b: \"1\" is not the name of an environment variable");
  EXPECT_EQ(error("'${vault:x}'"),
            "c.yaml:2: a.b: \"vault:x\" is not the name of an environment variable");
}

TEST(Config, OnlyFilesAreNamedOnTheCommandLine) {
  EXPECT_EQ(*config_path("/etc/vigia.yaml"), "/etc/vigia.yaml");
  EXPECT_EQ(*config_path("file:/etc/vigia.yaml"), "/etc/vigia.yaml");
  EXPECT_EQ(*config_path("yaml"), "yaml");
  for (const auto* named : {"env:CONFIG", "yaml:exporters::debug: {}", "https://x/y.yaml"}) {
    const auto path = config_path(named);
    ASSERT_FALSE(path.has_value()) << named;
    EXPECT_NE(path.error().message.find("only files are read"), std::string::npos);
  }
}

TEST(Config, WhatStandsInQuotesIsToldApart) {
  const ConfigFile file = *ConfigFile::parse("a: '12'\nb: 12\nc: \"x\"\nd: |\n  12\n", "c.yaml");
  for (const char* key : {"a", "c", "d"}) EXPECT_TRUE(file.root().child(key).is_quoted()) << key;
  for (const char* key : {"b", "none"}) EXPECT_FALSE(file.root().child(key).is_quoted()) << key;
}

// D25: a password is a text, whatever a reader of YAML could take it for.
TEST(Config, TextsStayAsTheyAreWritten) {
  setenv("VIGIA_CONFIG_HOME", "/home/x", 1);
  const std::vector<std::pair<std::string, std::string>> values = {
      {"0123", "0123"},
      {"1e10", "1e10"},
      {"0x1F", "0x1F"},
      {"0o17", "0o17"},
      {"1_000", "1_000"},
      {"true", "true"},
      {"yes", "yes"},
      {"12:30:45", "12:30:45"},
      {"2026-01-01", "2026-01-01"},
      {".5", ".5"},
      {"+1", "+1"},
      {"p@s$w0rd", "p@s$w0rd"},
      {"a$$b", "a$b"},
      {"a#b", "a#b"},
      {"a:b", "a:b"},
      {"'null'", "null"},
      {"'0123'", "0123"},
      {"'it''s'", "it's"},
      {"\"a\\tb\"", "a\tb"},
      {"'!x'", "!x"},
      {"'*x'", "*x"},
      {"'&x'", "&x"},
      {"'%x'", "%x"},
      {"'@x'", "@x"},
      {"'`x'", "`x"},
      {"'{x'", "{x"},
      {"'[x'", "[x"},
      {"'- x'", "- x"},
      {"'x: y'", "x: y"},
      {"'x #y'", "x #y"},
      {"${env:VIGIA_CONFIG_HOME}", "/home/x"}};
  for (const auto& [written, read] : values) {
    const ConfigFile file = parse("k: " + written + "\n");
    EXPECT_EQ(file.root().child("k").text(), read) << written;
    EXPECT_EQ(error_of(file), "") << written;
  }
}

TEST(Config, BrokenYamlNamesTheLine) {
  const auto file = ConfigFile::parse("a: 1\nb: [\n", "c.yaml");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(file.error().message.starts_with("c.yaml:3: ")) << file.error().message;
  EXPECT_FALSE(ConfigFile::parse("a: 1\n---\nb: 1\n", "c.yaml").has_value());
  EXPECT_FALSE(ConfigFile::parse(",", "c.yaml").has_value());  // endless for yaml-cpp's LoadAll
  EXPECT_EQ(error_of(parse("- a\n")), "c.yaml:1: must be a map of keys");
}

TEST(Config, AliasesCannotMakeAHugeTree) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += "*a" + std::to_string(i - 1) + (j < 9 ? "," : "]\n");
  }
  const ConfigFile file = parse(text);
  file.root().accept_all();
  EXPECT_NE(error_of(file).find("too many values"), std::string::npos);
}

TEST(Config, AnAliasOfItselfIsAnError) {
  for (const std::string text : {"&a [*a, *a]", "k: &a {left: *a, right: *a}"}) {
    const auto file = ConfigFile::parse(text, "c.yaml");
    if (!file) continue;  // yaml-cpp may refuse it first
    file->root().accept_all();
    EXPECT_NE(error_of(*file), "") << text;
  }
}

TEST(Config, AFileThatIsNotThereIsNamed) {
  const auto file = ConfigFile::load("/nonexistent/x.yaml");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(file.error().message, "/nonexistent/x.yaml: cannot be opened");
}

}  // namespace
}  // namespace vigia::service
