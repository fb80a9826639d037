// A model file, read and checked: what a Separator or a StemMixer is made from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pyvocsep/precision.h"

namespace pyvocsep {

// Cheap to copy: copies share the weights. Immutable, so that any thread may use it at any time.
class Model {
 public:
  // Reads a .safetensors model file; its path is in UTF-8 on Windows. Throws std::system_error if the file cannot be
  // read, and std::invalid_argument, which names what is wrong, if it is not a sound model or if this machine lacks the
  // precision.
  explicit Model(const std::string& path, Precision precision = Precision::kFloat32);

  // The same from the file's bytes, which are not needed any more afterwards. `name` stands for the path in messages.
  static Model from_bytes(std::string_view bytes, const std::string& name, Precision precision = Precision::kFloat32);

  // The default model, if the library was built with PYVOCSEP_EMBED_WEIGHTS; throws std::invalid_argument otherwise.
  static Model embedded(Precision precision = Precision::kFloat32);

  // Everything that the file says about the model, such as "architecture", "sample_rate" or "license".
  const std::map<std::string, std::string>& metadata() const;
  const std::string& architecture() const;
  // Sample rate in Hz, frame and hop in samples of the audio that the model was trained on. Streams of other rates run
  // on a frame scaled to their rate.
  int sample_rate() const;
  int n_fft() const;
  int hop() const;

  class Impl;  // of the library
  const Impl& impl() const { return *impl_; }

 private:
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

}  // namespace pyvocsep
