#include "base/nearest.h"

#include <gtest/gtest.h>

namespace malssi {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("layers", "layer"), 1);
  EXPECT_EQ(edit_distance("layers", "lavers"), 1);
  EXPECT_EQ(edit_distance("layers", "laeyrs"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3);
}

TEST(Nearest, FindsTheMistypedWord) {
  const std::vector<std::string> known = {"optim.schedule", "optim.lr", "model.layers"};
  EXPECT_EQ(nearest("optim.shedule", known), "optim.schedule");
  EXPECT_EQ(nearest("modle.layer", known), "model.layers");
  EXPECT_EQ(nearest("optim.lr", known), "optim.lr");
}

TEST(Nearest, IgnoresCaseAndTheKindOfDash) {
  EXPECT_EQ(nearest("Batch-Size", {"batch_size"}), "batch_size");
}

TEST(Nearest, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest("zebra", {"optim.lr", "model.layers"}), "");
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest("word", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), {"x"}), "");
}

TEST(Nearest, PrefersTheFirstOfEquallyNearWords) {
  EXPECT_EQ(nearest("bat", {"cat", "hat"}), "cat");
}

TEST(DidYouMean, ReadsAsTheEndOfAMessage) {
  EXPECT_EQ("unknown command 'pretrian'" + did_you_mean("pretrian", {"pretrain", "tune"}),
            "unknown command 'pretrian'; did you mean 'pretrain'?");
  EXPECT_EQ(did_you_mean("zebra", {"pretrain"}), "");
}

}  // namespace
}  // namespace malssi
