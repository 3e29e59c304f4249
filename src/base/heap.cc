#include "base/heap.h"

#ifdef MALSSI_MIMALLOC
#include <mimalloc.h>
#else
#include <malloc.h>
#endif

namespace malssi {

void trim_heap() {
#ifdef MALSSI_MIMALLOC
  mi_collect(true);
#else
  malloc_trim(0);
#endif
}

}  // namespace malssi
