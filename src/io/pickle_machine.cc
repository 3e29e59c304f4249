#include "io/pickle_machine.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace malssi {
namespace {

constexpr size_t kMostObjects = size_t{1} << 20;

// Operations by the codes that pickletools lists.
enum Code : uint8_t {
  kMark = '(',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersistentId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDictionary = '}',
  kEmptyTuple = ')',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong1 = 0x8a,
  kShortUnicode = 0x8c,
  kLongUnicode = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

constexpr std::string_view kOrdered = "OrderedDict", kRebuild = "_rebuild_tensor_v2";

bool is_allowed(std::string_view module, std::string_view name) {
  if (module == "collections") return name == kOrdered;
  if (module == "torch._utils") return name == kRebuild;
  constexpr std::array<std::string_view, 10> kStorages = {
      "FloatStorage", "HalfStorage",  "BFloat16Storage", "DoubleStorage", "LongStorage",
      "IntStorage",   "ShortStorage", "CharStorage",     "ByteStorage",   "BoolStorage"};
  return module == "torch" && std::ranges::find(kStorages, name) != kStorages.end();
}

// For a message, whatever bytes the file has.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, 80));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown;
}

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> pickle, std::string_view where)
    : rest_(reinterpret_cast<const char*>(pickle.data()), pickle.size()), where_(where) {}

void PickleMachine::fail(std::string_view what) const {
  throw Error(concat(where_, ": a damaged pickle: ", what));
}

std::string_view PickleMachine::take(uint64_t count) {
  if (count > rest_.size()) fail("it is cut short");
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::string_view PickleMachine::take_line() {
  const size_t end = rest_.find('\n');
  if (end == rest_.npos) fail("it is cut short");
  const std::string_view line = take(end);
  take(1);
  return line;
}

template <class T>
T PickleMachine::take_number() {
  T value;
  std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
  return value;
}

Pickled& PickleMachine::make(Kind kind) {
  if (objects_.size() >= kMostObjects) fail("it has too many objects");
  objects_.push_back({.kind = kind});
  stack_.push_back(&objects_.back());
  return objects_.back();
}

void PickleMachine::push(Kind kind, int64_t number) { make(kind).number = number; }

Pickled& PickleMachine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("it takes what it never put");
  Pickled* const top = stack_.back();
  stack_.pop_back();
  return *top;
}

std::vector<const Pickled*> PickleMachine::pop_marked() {
  if (marks_.empty()) fail("it has no mark where it wants one");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<const Pickled*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

const Pickled& PickleMachine::run() {
  while (true) {
    const auto operation = take_number<uint8_t>();
    if (operation == kStop) return pop();
    const bool is_known = run_number(operation) || run_text(operation) || run_memo(operation) ||
                          run_container(operation) || run_tensor(operation);
    REQUIRE(is_known, where_, ": its pickle has the operation ", static_cast<int>(operation),
            ", which no dictionary of tensors needs: save the model's state_dict alone, or convert "
            "it to safetensors");
  }
}

bool PickleMachine::run_number(uint8_t operation) {
  switch (operation) {
    case kNone:
      return push(Kind::none, 0), true;
    case kTrue:
    case kFalse:
      return push(Kind::flag, operation == kTrue ? 1 : 0), true;
    case kBinInt:
      return push(Kind::number, take_number<int32_t>()), true;
    case kBinInt1:
      return push(Kind::number, take_number<uint8_t>()), true;
    case kBinInt2:
      return push(Kind::number, take_number<uint16_t>()), true;
    case kLong1:
      return push_long(), true;
    case kBinFloat:
      take(8);  // nothing here needs it
      return push(Kind::real, 0), true;
    case kProtocol:
      if (take_number<uint8_t>() > 5) fail("its protocol is none of 2 to 5");
      return true;
    case kFrame:
      take(8);
      return true;
    default:
      return false;
  }
}

// Little-endian two's complement of so many bytes.
void PickleMachine::push_long() {
  const std::string_view bytes = take(take_number<uint8_t>());
  if (bytes.size() > sizeof(int64_t)) fail("it has a number beyond 64 bits");
  const bool is_below_zero = !bytes.empty() && (static_cast<uint8_t>(bytes.back()) & 0x80) != 0;
  int64_t value = is_below_zero ? -1 : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  push(Kind::number, value);
}

bool PickleMachine::run_text(uint8_t operation) {
  switch (operation) {
    case kBinUnicode:
      return push_text(take_number<uint32_t>()), true;
    case kShortUnicode:
      return push_text(take_number<uint8_t>()), true;
    case kLongUnicode:
      return push_text(take_number<uint64_t>()), true;
    default:
      return false;
  }
}

void PickleMachine::push_text(uint64_t size) { make(Kind::text).text = take(size); }

bool PickleMachine::run_memo(uint8_t operation) {
  const auto recall = [&](uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) fail("it recalls what it never noted");
    stack_.push_back(found->second);
    return true;
  };
  switch (operation) {
    case kBinPut:
      return remember(take_number<uint8_t>()), true;
    case kLongBinPut:
      return remember(take_number<uint32_t>()), true;
    case kMemoize:
      return remember(memo_.size()), true;
    case kBinGet:
      return recall(take_number<uint8_t>());
    case kLongBinGet:
      return recall(take_number<uint32_t>());
    default:
      return false;
  }
}

void PickleMachine::remember(uint64_t number) {
  Pickled& top = pop();
  stack_.push_back(&top);
  memo_[number] = &top;
}

bool PickleMachine::run_container(uint8_t operation) {
  switch (operation) {
    case kMark:
      return marks_.push_back(stack_.size()), true;
    case kEmptyDictionary:
      return make(Kind::dictionary), true;
    case kEmptyList:
      return make(Kind::list), true;
    case kEmptyTuple:
      return push_tuple(0), true;
    case kTuple1:
    case kTuple2:
    case kTuple3:
      return push_tuple(static_cast<size_t>(operation - kTuple1 + 1)), true;
    case kTuple: {
      const auto items = pop_marked();
      make(Kind::tuple).items = items;
      return true;
    }
    case kAppend:
      return add_to(Kind::list, {&pop()}), true;
    case kAppends:
      return add_to(Kind::list, pop_marked()), true;
    case kSetItem: {
      const Pickled &value = pop(), &key = pop();
      return add_to(Kind::dictionary, {&key, &value}), true;
    }
    case kSetItems:
      return add_to(Kind::dictionary, pop_marked()), true;
    default:
      return false;
  }
}

void PickleMachine::push_tuple(size_t count) {
  std::vector<const Pickled*> items(count);
  for (size_t i = count; i > 0; --i) items[i - 1] = &pop();
  make(Kind::tuple).items = std::move(items);
}

void PickleMachine::add_to(Kind kind, const std::vector<const Pickled*>& items) {
  Pickled& container = pop();
  if (container.kind != kind || (kind == Kind::dictionary && items.size() % 2 != 0))
    fail("it adds items to what holds none");
  container.items.insert(container.items.end(), items.begin(), items.end());
  stack_.push_back(&container);
}

bool PickleMachine::run_tensor(uint8_t operation) {
  switch (operation) {
    case kGlobal: {
      const std::string_view module = take_line(), name = take_line();
      return push_callable(module, name), true;
    }
    case kStackGlobal: {
      const Pickled &name = pop(), &module = pop();
      if (name.kind != Kind::text || module.kind != Kind::text) fail("a callable without a name");
      return push_callable(module.text, name.text), true;
    }
    case kReduce:
      return call(), true;
    case kBuild:  // what an OrderedDict has beside its items: versions of modules
      if (pop().kind != Kind::dictionary || stack_.empty() ||
          stack_.back()->kind != Kind::dictionary)
        fail("it changes an object that is no dictionary");
      return true;
    case kBinPersistentId: {
      const Pickled& id = pop();
      const bool is_storage = id.kind == Kind::tuple && id.items.size() == 5 &&
                              id.items[0]->kind == Kind::text && id.items[0]->text == "storage" &&
                              id.items[1]->kind == Kind::callable &&
                              id.items[2]->kind == Kind::text && id.items[4]->kind == Kind::number;
      if (!is_storage) fail("it refers to something that is no storage of numbers");
      make(Kind::storage).items = id.items;
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::push_callable(std::string_view module, std::string_view name) {
  REQUIRE(is_allowed(module, name), where_, ": its pickle wants ", printable(module), ".",
          printable(name),
          ", which is no part of tensors; nothing in a pickle is run: save the model's state_dict "
          "alone, or convert it to safetensors");
  make(Kind::callable).text = name;
}

void PickleMachine::call() {
  const Pickled &arguments = pop(), &callable = pop();
  if (callable.kind != Kind::callable || arguments.kind != Kind::tuple)
    fail("it calls what is no callable");
  if (callable.text == kOrdered && arguments.items.empty()) {
    make(Kind::dictionary);
    return;
  }
  if (callable.text != kRebuild || arguments.items.size() < 4)
    fail("it rebuilds something from other parts than a tensor has");
  make(Kind::tensor).items = arguments.items;
}

}  // namespace malssi
