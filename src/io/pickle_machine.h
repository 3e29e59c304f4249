// The stack machine of pickles (Python's pickletools describes it), protocols 2 to 5, for the objects that pickle.h names.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace malssi {

// An object of a pickle. Texts lie in the pickle.
struct Pickled {
  enum class Kind {
    none,
    flag,
    number,
    real,
    text,
    tuple,
    list,
    dictionary,
    callable,
    storage,
    tensor
  };
  Kind kind = Kind::none;
  int64_t number = 0;          // of a flag, too
  std::string_view text = {};  // of a callable: its name after the module's
  // Of a dictionary keys and values in turn; of a storage what identifies it; of a tensor what it is rebuilt from.
  std::vector<const Pickled*> items = {};
};

// Runs a pickle. Objects live as long as this.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> pickle, std::string_view where);
  // The object that it describes. Throws Error, which begins with `where`.
  const Pickled& run();

 private:
  using Kind = Pickled::Kind;

  // Bytes of the pickle, which must be there.
  std::string_view take(uint64_t count);
  std::string_view take_line();
  template <class T>
  T take_number();

  bool run_number(uint8_t operation);  // false: none of these operations
  bool run_text(uint8_t operation);
  bool run_memo(uint8_t operation);
  bool run_container(uint8_t operation);
  bool run_tensor(uint8_t operation);

  Pickled& make(Kind kind);
  void push(Kind kind, int64_t number);
  void push_long();
  void push_text(uint64_t size);
  void push_tuple(size_t count);
  void push_callable(std::string_view module, std::string_view name);
  Pickled& pop();
  // What was pushed since the last mark, which goes.
  std::vector<const Pickled*> pop_marked();
  void add_to(Kind kind, const std::vector<const Pickled*>& items);
  void remember(uint64_t number);
  void call();
  [[noreturn]] void fail(std::string_view what) const;

  std::string_view rest_;
  std::string_view where_;
  std::deque<Pickled> objects_;
  std::vector<Pickled*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Pickled*> memo_;
};

}  // namespace malssi
