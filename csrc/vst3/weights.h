// The plugin's models, from the files beside it.
#pragma once

#include <memory>

#include "core/model.h"

namespace pyvocsep::vst3 {

// kModelNames[index], shared by all that use it at the time. Throws what Model throws. From any thread.
std::shared_ptr<const Model> load_model(int index);

}  // namespace pyvocsep::vst3
