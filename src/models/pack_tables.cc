#include "models/pack_tables.h"

#include "base/error.h"

namespace malssi {

void pack_tables(Model& model, DType format) {
  model.visit([&](const Parameter& p) {
    const bool is_table =
        p.kind == ParameterKind::embedding && p.value->dim(0) == model.config().vocab;
    if (!is_table || is_block_format(p.value->dtype())) return;
    try {
      *p.value = p.value->packed(format);
    } catch (const Error& error) {
      throw Error(concat("weights: \"", p.parts.front().name, "\": ", error.what()));
    }
    if (p.product != nullptr) *p.product = *p.value;
  });
}

}  // namespace malssi
