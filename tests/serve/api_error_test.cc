#include "serve/api_error.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace malssi {
namespace {

TEST(ApiError, HasOpenAisShape) {
  const HttpReply reply =
      error_reply(ApiError(400, "max_tokens is -1, expected 1 or more", "max_tokens"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(
      reply.body,
      R"({"error":{"message":"max_tokens is -1, expected 1 or more","type":"invalid_request_error",)"
      R"("param":"max_tokens","code":null}})");
}

TEST(ApiError, SaysWhenToComeBack) {
  const HttpReply reply = error_reply(ApiError(429, "too many requests wait", {}, "queue_full"));
  ASSERT_EQ(reply.headers.size(), 1);
  EXPECT_EQ(reply.headers[0].first, "retry-after");
}

TEST(ApiError, HidesWhatIsNotMeantForClients) {
  const std::runtime_error secret("/home/someone/key");
  const HttpReply reply = error_reply(static_cast<const std::exception&>(secret));
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("/home"), std::string::npos);
}

TEST(ApiError, TellsUsersErrors) {
  const Error error("the prompt is empty");
  EXPECT_EQ(error_reply(static_cast<const std::exception&>(error)).status, 400);
}

}  // namespace
}  // namespace malssi
