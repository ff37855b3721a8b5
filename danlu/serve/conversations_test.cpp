#include "danlu/serve/conversations.h"

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace danlu::serve {
namespace {

using testing::ElementsAre;

TEST(Conversations, KeepsTheLastTurnsOfEachApart) {
  Conversations all({});
  const std::string a = all.begin("faq"), b = all.begin("faq");
  EXPECT_NE(a, b);
  EXPECT_EQ(a.size(), 32u);
  for (const char* turn : {"one", "two", "three", "four"}) all.add(a, turn, 3);
  EXPECT_THAT(*all.turns(a, "faq"), ElementsAre("two", "three", "four"));
  EXPECT_TRUE(all.turns(b, "faq")->empty());
  EXPECT_FALSE(all.turns(a, "other")) << "of another model";
  EXPECT_FALSE(all.turns("0", "faq"));
}

TEST(Conversations, ForgetsWhatIsSilentTooLong) {
  double now = 100;
  Conversations all({.most = 10, .idle_s = 60}, [&] { return now; });
  const std::string a = all.begin("faq"), b = all.begin("faq");
  now = 150;
  all.add(b, "still here", 3);
  now = 165;
  EXPECT_FALSE(all.turns(a, "faq"));
  EXPECT_TRUE(all.turns(b, "faq"));
  all.add(a, "too late", 3);
  EXPECT_FALSE(all.turns(a, "faq"));
  EXPECT_EQ(all.size(), 1);
  now = 300;
  EXPECT_EQ(all.size(), 0);
}

TEST(Conversations, HasRoomForSoManyAndForgetsTheMostSilent) {
  double now = 0;
  Conversations all({.most = 2, .idle_s = 1e9}, [&] { return now++; });
  const std::string a = all.begin("faq"), b = all.begin("faq");
  all.add(a, "again", 3);
  const std::string c = all.begin("faq");
  EXPECT_EQ(all.size(), 2);
  EXPECT_TRUE(all.turns(a, "faq"));
  EXPECT_FALSE(all.turns(b, "faq"));
  EXPECT_TRUE(all.turns(c, "faq"));
}

TEST(Conversations, ManyThreadsAtOnce) {
  Conversations all({.most = 50, .idle_s = 60});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = all.begin("faq");
        all.add(id, std::to_string(t), 3);
        const auto turns = all.turns(id, "faq");
        if (turns && (turns->size() != 1 || turns->front() != std::to_string(t))) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(all.size(), 50);
}

}  // namespace
}  // namespace danlu::serve
