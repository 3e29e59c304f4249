#include "train/resume.h"

#include "base/error.h"
#include "base/lock.h"
#include "train/align/align.h"
#include "train/pretrain/pretrain.h"
#include "train/rl/grpo.h"
#include "train/rl/ppo.h"
#include "train/run/run_folder.h"
#include "train/tune/adapter_methods.h"
#include "train/tune/classify.h"
#include "train/tune/distill.h"
#include "train/tune/lora.h"
#include "train/tune/sft.h"

namespace malssi {

RunResult resume_run(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console) {
  const std::string kind = run_kind(run);
  const FolderLock lock(run);
  if (kind == "pretrain") return resume_pretrain(run, settings, console);
  if (kind == "sft") return resume_sft(run, settings, console);
  if (kind == "distill") return resume_distill(run, settings, console);
  if (kind == "lora") return resume_lora(run, settings, console);
  if (is_adapter_method(kind)) return resume_adapter_method(run, kind, settings, console);
  if (kind == "classify") return resume_classify(run, settings, console);
  if (is_align_method(kind)) return resume_align(run, kind, settings, console);
  if (kind == "grpo") return resume_grpo(run, settings, console);
  if (kind == "ppo") return resume_ppo(run, settings, console);
  throw Error(concat((run / "run.json").string(), ": unknown kind of run \"", kind,
                     "\": it was made by another version of this program"));
}

}  // namespace malssi
