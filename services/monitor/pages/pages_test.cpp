#include "services/monitor/pages/pages.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/net/compression.hpp"

namespace vigia::monitor::pages {
namespace {

namespace fs = std::filesystem;

class Portal : public ::testing::Test {
 protected:
  Portal() {
    write("site/index.html", "<!doctype html><title>Vigía</title>");
    write("site/assets/app-1f.js", std::string(5000, 'x'));
    write("secret.txt", "secret");
    fs::create_symlink(folder_.file("secret.txt"), folder_.file("site/link.txt"));
  }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(folder_.file(name)).parent_path());
    std::ofstream(folder_.file(name)) << content;
  }
  net::Response get(const std::string& path, const net::Headers& headers = {},
                    const std::string& method = "GET") {
    const auto pages = Pages::load(folder_.file("site"));
    EXPECT_TRUE(pages.has_value());
    net::RequestHead head;
    head.method = method;
    head.path = path;
    head.headers = headers;
    return pages->answer(head);
  }
  const TemporaryFolder folder_;
};

TEST_F(Portal, FilesHaveTheirTypeAndHashedOnesAreKeptForEver) {
  const auto script = get("/assets/app-1f.js");
  EXPECT_EQ(script.status, 200);
  EXPECT_EQ(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  EXPECT_NE(script.headers.get("cache-control").find("immutable"), std::string_view::npos);
  EXPECT_EQ(get("/index.html").headers.get("cache-control"), "no-cache");
}

TEST_F(Portal, ThePathsOfTheApplicationGiveTheApplication) {
  for (const auto* path : {"/", "/tokens/cliente-a", "/nodes/cliente-a/web-01",
                           "/nodes/cliente-a/web.example.com", "/nodes/cliente-a/favicon.ico"}) {
    const auto page = get(path);
    EXPECT_NE(page.content().find("Vigía"), std::string::npos) << path;
    EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8") << path;
    EXPECT_EQ(page.headers.get("cache-control"), "no-cache") << path;
  }
  for (const auto* path : {"/missing.js", "/assets/missing", "/favicon.ico", "/.git/config.yaml",
                           "/tokens/cliente-a.js", "/nodes.js"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(Portal, NothingOutsideTheFolderIsServed) {
  for (const auto* path : {"/../secret.txt", "/link.txt", "/assets/../../secret.txt",
                           "/%2e%2e/secret.txt", "//secret.txt"}) {
    EXPECT_EQ(get(path).content().find("secret\n"), std::string::npos) << path;
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(Portal, AnUnchangedFileIsNotSentAgain) {
  const auto first = get("/");
  const auto again = get("/", {{"if-none-match", std::string(first.headers.get("etag"))}});
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.content().empty());
}

TEST_F(Portal, AnswersShareAFileInsteadOfCopyingIt) {
  const auto pages = Pages::load(folder_.file("site"));
  ASSERT_TRUE(pages.has_value());
  net::RequestHead head;
  head.method = "GET";
  head.path = "/assets/app-1f.js";
  for (const auto* encoding : {"identity", "gzip"}) {
    head.headers = {{"accept-encoding", encoding}};
    const auto first = pages->answer(head);
    ASSERT_NE(first.shared_body, nullptr) << encoding;
    EXPECT_EQ(first.shared_body, pages->answer(head).shared_body) << encoding;
  }
}

TEST_F(Portal, GzipIsForThoseWhoTakeIt) {
  const auto packed = get("/assets/app-1f.js", {{"accept-encoding", "br, gzip"}});
  EXPECT_EQ(packed.headers.get("content-encoding"), "gzip");
  EXPECT_EQ(net::decompress("gzip", packed.content(), 10'000), std::string(5000, 'x'));
  EXPECT_EQ(get("/assets/app-1f.js").headers.get("content-encoding"), "");
}

TEST_F(Portal, OnlyReadingIsAllowedAndAMissingPortalSaysSo) {
  EXPECT_EQ(get("/", {}, "POST").status, 405);
  const auto none = Pages::load(folder_.file("nothing"));
  ASSERT_TRUE(none.has_value());
  net::RequestHead head;
  head.method = "GET";
  head.path = "/";
  EXPECT_EQ(none->answer(head).status, 503);
}

}  // namespace
}  // namespace vigia::monitor::pages
