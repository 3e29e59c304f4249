// The heap behind malloc() and new: mimalloc's where it is linked, which is everywhere but under sanitizers and fuzzers, that
// bring their own. oneDNN takes and gives back megabytes with every product; the C library's heap keeps holes among them.
#pragma once

namespace malssi {

// Gives what is free in it back to the system.
void trim_heap();

}  // namespace malssi
