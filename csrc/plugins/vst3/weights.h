// The plugin's models, from the files beside it.
#pragma once

#include "pyvocsep/model.h"

namespace pyvocsep::vst3 {

// kModelNames[index]; once read it stays, since hosts make a plugin several times before they use it. Throws what Model
// throws. From any thread.
const Model& load_model(int index);

}  // namespace pyvocsep::vst3
