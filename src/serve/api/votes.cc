#include "serve/api/votes.h"

#include "base/error.h"
#include "serve/api/call.h"
#include "serve/api/fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr size_t kLongestVote = 256 << 10;

}  // namespace

HttpReply Votes::add(const HttpRequest& request) {
  if (file_.empty())
    throw ApiError(404, "this server keeps no votes (malssi serve --votes FILE)", {},
                   "votes_not_kept");
  if (request.body.size() > kLongestVote)
    throw ApiError(413, concat("a vote has at most ", kLongestVote, " bytes"));
  Json body = read_body(request);
  const Fields vote(body);
  vote.need_text("a");
  vote.need_text("b");
  vote.need("vote");
  vote.choice("vote", {"a", "b", "tie", "neither"});
  body["time"] = now_seconds();
  const std::lock_guard lock(mutex_);
  AppendFile(file_, {.drop_partial_line = true}).write(dump_json(body) + "\n");
  return state();
}

HttpReply Votes::state() const { return json_reply(Json{{"kept", !file_.empty()}}); }

}  // namespace malssi
