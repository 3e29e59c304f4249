// Parallel loops over OpenMP. One engine thread calls these; loops inside loops run in line.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace malssi {

// Threads that the next parallel loop uses.
inline int thread_count() { return omp_get_max_threads(); }
inline void set_thread_count(int count) { omp_set_num_threads(std::max(1, count)); }
// This thread's number inside a loop, 0 .. thread_count() - 1.
inline int thread_index() { return omp_get_thread_num(); }

// Calls body(begin, end) on contiguous, disjoint pieces of 0..n, one for each thread; the split
// depends on n, grain and the number of threads alone, so results that follow the split are
// reproducible. Runs in line when n <= grain. body must not throw.
template <class Body>
void parallel_for(int64_t n, int64_t grain, Body&& body) {
  const int64_t pieces =
      std::min<int64_t>(thread_count(), (n + grain - 1) / std::max<int64_t>(grain, 1));
  if (pieces <= 1 || omp_in_parallel()) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(pieces))
  {
    const int64_t piece = omp_get_thread_num();
    body(n * piece / pieces, n * (piece + 1) / pieces);
  }
}

// Calls body(i) for each i of 0..n, handed out one at a time: for few, uneven pieces of work. body
// must not throw.
template <class Body>
void parallel_each(int64_t n, Body&& body) {
  if (n <= 1 || thread_count() == 1 || omp_in_parallel()) {
    for (int64_t i = 0; i < n; ++i) body(i);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < n; ++i) body(i);
}

}  // namespace malssi
