// Files, folders and checkpoints while the Nth write, fsync or rename fails, for every N: a clear error, and what was there
// before is still there, or the new one is, whole.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/parallel.h"
#include "e2e/fault_injector.h"
#include "io/checkpoint.h"
#include "io/tiny_model.h"
#include "scratch.h"

namespace malssi {
namespace {

struct Fault {
  FaultKind kind;
  bool sticky;
};
constexpr Fault kFailures[] = {
    {kFaultNoSpace, false}, {kFaultNoSpace, true}, {kFaultIo, false}, {kFaultIo, true}};

// In memory where possible: there fsync costs nothing.
fs::path quick_folder() {
  return ::access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path();
}

class Faults : public testing::Test {
 protected:
  void SetUp() override { set_thread_count(1); }  // a forked child has no other threads

  // Runs the action with the Nth call failing; its error message, "" when it succeeded.
  std::string run(const Fault& fault, int64_t at, const std::function<void()>& action) {
    const FaultPlan plan = {
        .kind = fault.kind, .at = at, .sticky = fault.sticky, .path = scratch_.path().c_str()};
    fault_arm(&plan);
    const std::string message = error_of(action);
    fault_disarm();
    return message;
  }
  // Runs the action in a process of its own that is killed at the Nth call.
  void run_killed(int64_t at, const std::function<void()>& action) {
    const pid_t child = ::fork();
    if (child == 0) {
      const FaultPlan plan = {.kind = kFaultKill, .at = at, .path = scratch_.path().c_str()};
      fault_arm(&plan);
      action();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "call " << at << " was not reached";
  }
  int64_t count_calls(const std::function<void()>& action) {
    EXPECT_EQ(run({kFaultNone, false}, 0, action), "");
    return fault_disarm();
  }

  // before() sets the scene, action() is disturbed, after() checks what remains.
  void expect_safe(const std::function<void()>& before, const std::function<void()>& action,
                   const std::function<void()>& after) {
    before();
    const int64_t calls = count_calls(action);
    ASSERT_GT(calls, 2);
    for (int64_t at = 1; at <= calls; ++at) {
      SCOPED_TRACE(concat("call ", at, " of ", calls));
      for (const Fault& fault : kFailures) {
        before();
        const std::string message = run(fault, at, action);
        EXPECT_TRUE(message.empty() || is_one_line(message)) << message;
        EXPECT_TRUE(message.empty() || contains(message, "cannot ")) << message;
        told_ += !message.empty();
        after();
      }
      for (const FaultKind kind : {kFaultInterrupt, kFaultShort}) {
        before();
        EXPECT_EQ(run({kind, false}, at, action), "");
        after();
      }
      before();
      run_killed(at, action);
      after();
    }
  }

  ScratchFolder scratch_{quick_folder()};
  int64_t told_ = 0;  // how often a failure reached the user
};

TEST_F(Faults, LeaveAFileOldOrNew) {
  const fs::path path = scratch_ / "f";
  const std::string before(5'000, 'o'), after(700'000, 'n');
  expect_safe([&] { write_file(path, before); }, [&] { write_file(path, after); },
              [&] {
                const std::string content = read_file(path);
                EXPECT_TRUE(content == before || content == after) << content.size() << " bytes";
              });
  EXPECT_GT(told_, 0);
}

TEST_F(Faults, LeaveAFolderOldOrNew) {
  const fs::path path = scratch_ / "f";
  const auto fill = [&](const std::string& text) {
    AtomicFolder folder(path);
    write_file(folder.staging() / "a", text);
    fs::create_directory(folder.staging() / "sub");
    write_file(folder.staging() / "sub" / "b", text, Durability::later);
    folder.commit();
  };
  expect_safe([&] { fill("old"); }, [&] { fill("new"); },
              [&] {
                EXPECT_EQ(error_of([&] { verify_folder(path); }), "");
                EXPECT_EQ(read_file(path / "a"), read_file(path / "sub" / "b"));
              });
}

TEST_F(Faults, LeaveNoPartOfARecordInALog) {
  const fs::path path = scratch_ / "log";
  std::string expected;
  const int64_t calls = 6;
  for (int64_t at = 1; at <= calls; ++at) {
    for (const Fault& fault : kFailures) {
      fs::remove(path);
      AppendFile log(path);
      int64_t written = 0;
      run(fault, at, [&] {
        for (int i = 0; i < calls; ++i, ++written) log.write("0123456789\n");
      });
      EXPECT_EQ(read_file(path).size(), static_cast<size_t>(11 * written));
      EXPECT_EQ(written, at - 1);
    }
  }
}

class CheckpointFaults : public Faults {
 protected:
  void save(int64_t step) {
    const auto model = make_model(tiny_config(), DType::f32, static_cast<uint64_t>(step));
    const Tensor number = Tensor::full({100}, static_cast<float>(step));
    save_checkpoint(run_, step, *model, *tokenizer_,
                    {.json = {{"step", step}}, .tensors = {lazily("number", number)}});
  }
  // The step of the newest whole checkpoint, whose parts must all be of that step.
  int64_t loaded_step() {
    const auto folder = latest_checkpoint(run_);
    if (!folder) return -1;
    const TrainState state = load_train_state(*folder);
    const auto step = get<int64_t>(state.json, "step", "state");
    EXPECT_EQ(state.tensors.at(0).load().to_vector(),
              std::vector<float>(100, static_cast<float>(step)));
    const auto expected = make_model(tiny_config(), DType::f32, static_cast<uint64_t>(step));
    EXPECT_EQ(tiny_logits(*load_model(*folder, DType::f32).model), tiny_logits(*expected));
    return step;
  }

  const fs::path run_ = scratch_ / "run";
  const std::unique_ptr<Tokenizer> tokenizer_ = tiny_tokenizer();
};

TEST_F(CheckpointFaults, NeverLoseTheOneBefore) {
  expect_safe(
      [&] {
        fs::remove_all(run_);
        for (const int64_t step : {1, 2}) save(step);
      },
      [&] { save(3); },
      [&] {
        const int64_t step = loaded_step();
        EXPECT_TRUE(step == 2 || step == 3) << step;
        EXPECT_GE(checkpoint_steps(run_).size(), 2u);
        save(4);  // and the run can go on
        EXPECT_EQ(loaded_step(), 4);
      });
  EXPECT_GT(told_, 0);
}

TEST_F(CheckpointFaults, LeaveTheFirstOneWholeOrAbsent) {
  expect_safe([&] { fs::remove_all(run_); }, [&] { save(1); },
              [&] {
                const int64_t step = loaded_step();
                EXPECT_TRUE(step == -1 || step == 1) << step;
              });
}

TEST_F(CheckpointFaults, LeaveAReplacedOneOldOrNew) {
  expect_safe(
      [&] {
        fs::remove_all(run_);
        save(1);
      },
      [&] { save(1); }, [&] { EXPECT_EQ(loaded_step(), 1); });
}

}  // namespace
}  // namespace malssi
