// Parallel loops on threads of our own, which wait for nobody: a piece that no other thread has begun is done by the one that
// asked, so that a thread the system gives no processor (other programs run, too) does not hold the loop up. One loop runs at a
// time; a loop inside another, or beside one that another thread began, runs in line.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace malssi {

// Threads that this thread's next parallel loops use; at first MALSSI_THREADS of the environment, or as many as
// the process may use processors.
int thread_count();
// Of this thread.
void set_thread_count(int count);
// Of threads that have not said otherwise.
void set_default_thread_count(int count);

// The number of the piece that this thread works on, 0 .. thread_count() - 1; 0 outside of loops.
int thread_index();
bool in_parallel();

// Calls piece(body, i) for i of 0 .. pieces - 1, each once, in any order and on any thread, and returns when all have returned.
// At most 65,535 pieces, which must not throw.
void run_pieces(int64_t pieces, void (*piece)(void* body, int64_t i), void* body);

// Calls body(begin, end) on contiguous, disjoint pieces of 0..n, at most thread_count(); the split depends on n, grain and
// thread_count() alone, so results that follow the split are reproducible. Runs in line when n <= grain. body must not throw.
template <class Body>
void parallel_for(int64_t n, int64_t grain, Body&& body) {
  const int64_t most = (n + grain - 1) / std::max<int64_t>(grain, 1);
  const int64_t pieces = most <= 1 || in_parallel() ? 1 : std::min<int64_t>(thread_count(), most);
  if (pieces <= 1) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
  auto piece = [&](int64_t i) { body(n * i / pieces, n * (i + 1) / pieces); };
  run_pieces(
      pieces, [](void* call, int64_t i) { (*static_cast<decltype(piece)*>(call))(i); }, &piece);
}

// Calls body(i) for each i of 0..n, handed out one at a time: for few, uneven pieces of work. body must not throw.
template <class Body>
void parallel_each(int64_t n, Body&& body) {
  std::atomic<int64_t> next = 0;
  parallel_for(std::min<int64_t>(n, thread_count()), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < n; i = next++) body(i);
  });
}

}  // namespace malssi
