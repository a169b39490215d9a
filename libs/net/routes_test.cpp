#include "libs/net/routes.hpp"

#include <gtest/gtest.h>

#include "libs/net/form.hpp"
#include "libs/net/internal/responder_target.hpp"

namespace vigia::net {
namespace {

class KeepingTarget final : public Responder::Target {
 public:
  explicit KeepingTarget(Response& response) : response_(response) {}
  void answer(Response response) override { response_ = std::move(response); }

 private:
  Response& response_;
};

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    routes_.add("GET", "/api/v1/labels", reply("labels"));
    routes_.add("POST", "/api/v1/labels", reply("labels by post"));
    routes_.add("GET", "/api/v1/label/{name}/values", reply("values"));
    routes_.add("GET", "/api/v1/service/{name*}/values", reply("of service"));
    routes_.add("GET", "/", reply("root"));
  }

  static RouteFunction reply(std::string text) {
    return [text](const Request&, const PathValues& values, Responder responder) {
      Response response;
      response.body = text;
      for (const auto& [name, value] : values) response.body += " " + name + "=" + value;
      responder.send(std::move(response));
    };
  }

  Response ask(std::string method, std::string path) {
    Response response;
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    routes_.handle(std::move(request), Responder(std::make_shared<KeepingTarget>(response)));
    return response;
  }

  Routes routes_;
};

TEST_F(RoutesTest, FindsByPathAndMethod) {
  EXPECT_EQ(ask("GET", "/api/v1/labels").body, "labels");
  EXPECT_EQ(ask("HEAD", "/api/v1/labels").body, "labels");
  EXPECT_EQ(ask("POST", "/api/v1/labels").body, "labels by post");
  EXPECT_EQ(ask("GET", "/").body, "root");
}

TEST_F(RoutesTest, TellsWhatIsServed) {
  const auto all = routes_.list();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[1], std::pair(std::string("POST"), std::string("/api/v1/labels")));
  EXPECT_EQ(all[3], std::pair(std::string("GET"), std::string("/api/v1/service/{name*}/values")));
}

TEST_F(RoutesTest, DecodesPlaceholders) {
  EXPECT_EQ(ask("GET", "/api/v1/label/job/values").body, "values name=job");
  EXPECT_EQ(ask("GET", "/api/v1/label/a%20b+c/values").body, "values name=a b+c");
}

TEST_F(RoutesTest, OtherSpellingsMatchNothing) {
  for (const auto* path :
       {"", "api/v1/labels", "//api/v1/labels", "/api//v1/labels", "/api/v1/labels/",
        "/api/v1/../v1/labels", "/api%2fv1/labels", "/api/v1/label//values", "/%61pi/v1/labels",
        "/api/v1/label/../values", "/api/v1/label/%2e%2e/values", "/api/v1/label/a%2fb/values",
        "/api/v1/label/%/values", "/api/v1/label/%00/values", "/api/v1/labels;x",
        "/API/v1/labels"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(RoutesTest, ASlashStandsInAValueWhereTheRouteSaysSo) {
  EXPECT_EQ(ask("GET", "/api/v1/service/a%2Fb%2fc/values").body, "of service name=a/b/c");
  EXPECT_EQ(ask("GET", "/api/v1/service/job/values").body, "of service name=job");
  for (const auto* path : {"/api/v1/service/a/b/values", "/api/v1/service//values",
                           "/api/v1/service/%2e%2e/values", "/api/v1/service/a%2fb%00/values",
                           "/api/v1/service/a%2fb%2fvalues", "/api/v1/service%2fa/values"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(RoutesTest, AWrongMethodNamesTheRightOnes) {
  const Response response = ask("DELETE", "/api/v1/labels");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("allow"), "GET, HEAD, POST");
}

TEST(RoutesWithAForm, ItIsToldTheStatusThatGoesOut) {
  Routes routes([](const Error& error, int status) {
    Response response;
    response.status = status;
    response.body = std::string(to_string(error.code)) + " " + std::to_string(status);
    return response;
  });
  routes.add("GET", "/here", [](const Request&, const PathValues&, const Responder&) {});
  const auto ask = [&routes](std::string method, std::string path) {
    Response response;
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    routes.handle(std::move(request), Responder(std::make_shared<KeepingTarget>(response)));
    return response.body;
  };
  EXPECT_EQ(ask("GET", "/nowhere"), "not_found 404");
  EXPECT_EQ(ask("DELETE", "/here"), "invalid 405");
  EXPECT_EQ(routes.refuse({}, {ErrorCode::kTooLarge, "too much"}).body, "too_large 413");
}

TEST(Responder, DroppedWithoutAnAnswerSends500) {
  Response response;
  {
    const Responder responder(std::make_shared<KeepingTarget>(response));
  }
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.grpc_code, GrpcCode::kInternal);
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

TEST(ParseForm, DecodesInOrder) {
  EXPECT_EQ(
      parse_form("query=up%7Ba%3D%22b%22%7D&time=1+2&query=x&flag&&e="),
      (Parameters{
          {"query", "up{a=\"b\"}"}, {"time", "1 2"}, {"query", "x"}, {"flag", ""}, {"e", ""}}));
  EXPECT_EQ(parse_form(""), Parameters{});
}

TEST(ParseForm, RefusesBrokenEscapes) {
  for (const auto* text : {"a=%", "a=%4", "a=%zz", "%=1", "a=%%20"}) {
    EXPECT_FALSE(parse_form(text).has_value()) << text;
  }
}

TEST(EncodeForm, IsTheOpposite) {
  const Parameters parameters{{"match[]", "{job=~\".+\"}"}, {"é", "a+b c&d"}};
  EXPECT_EQ(parse_form(encode_form(parameters)), parameters);
  EXPECT_EQ(percent_encode("a/b c~"), "a%2Fb%20c~");
}

}  // namespace
}  // namespace vigia::net
