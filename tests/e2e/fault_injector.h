// Fails or kills chosen write, pwrite, fsync, fdatasync, rename and renameat2 calls of a process. fault_injector.cc interposes
// them: linked into a test it is armed by fault_arm(); as a shared library in LD_PRELOAD by the environment:
//   MALSSI_FAULT        enospc, eio, eintr, short (a write takes half of the bytes) or kill (SIGKILL; a write first takes half)
//   MALSSI_FAULT_AT     which call, from 1
//   MALSSI_FAULT_STICKY 1: the calls after it fail as well, like a disk that stays full
//   MALSSI_FAULT_CALLS  some of write,fsync,rename; default: all
//   MALSSI_FAULT_PATH   only calls on paths that contain this text
//   MALSSI_FAULT_COUNT  a file for the number of calls counted, written at exit
#pragma once

#include <cstdint>

enum FaultKind { kFaultNone, kFaultNoSpace, kFaultIo, kFaultInterrupt, kFaultShort, kFaultKill };
enum FaultCalls { kFaultWrites = 1, kFaultSyncs = 2, kFaultRenames = 4, kFaultAllCalls = 7 };

struct FaultPlan {
  FaultKind kind = kFaultNone;
  int64_t at = 0;
  bool sticky = false;
  int calls = kFaultAllCalls;
  const char* path = "";
};

// Starts counting from 0 with this plan; `path` must live on.
extern "C" void fault_arm(const FaultPlan* plan);
// Stops and returns the number of calls counted.
extern "C" int64_t fault_disarm();
