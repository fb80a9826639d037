// The plugin's models, read from the model files of its bundle.
#pragma once

#include "pyvocsep/model.h"

namespace pyvocsep::vst3 {

// The model kModelNames[index]. It is read once and kept, since hosts create a plugin several times before they use it.
// Throws what Model throws; may be called from any thread.
const Model& load_model(int index);

}  // namespace pyvocsep::vst3
