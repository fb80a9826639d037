// The plugins' models, read from model files beside the plugin.
#pragma once

#include "pyvocsep/model.h"

namespace pyvocsep::plugins {

// Folders of model files, relative to the folder of the plugin's library.
struct WeightFolders {
  const char* bundle;   // in the bundle itself
  const char* package;  // in the Python package that the bundle is part of: such a bundle has none of its own
};

// The model kModelNames[index]. It is read once and kept, since hosts create a plugin several times before they use it.
// Throws what Model throws; may be called from any thread.
const Model& load_model(int index, const WeightFolders& folders);

}  // namespace pyvocsep::plugins
