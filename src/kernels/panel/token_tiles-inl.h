// Some tokens at a time: included inside each instruction set's namespace.

// Calls tile(count, m) for all tokens m .. m + count - 1, kMost at a time; count is a constant.
template <int kMost, class Tile>
inline void token_tiles(int64_t tokens, Tile&& tile) {
  int64_t m = 0;
  for (; m + kMost <= tokens; m += kMost) tile(std::integral_constant<int, kMost>(), m);
  [&]<int... kCounts>(std::integer_sequence<int, kCounts...>) {
    (void)((tokens - m == kCounts + 1 ? (tile(std::integral_constant<int, kCounts + 1>(), m), true)
                                      : false) ||
           ...);
  }
  (std::make_integer_sequence<int, kMost - 1>());
}
