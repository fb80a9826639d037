#include "pyvocsep/model.h"

#include <stdexcept>

#include "model/embedded.h"
#include "nn/band_gru.h"
#include "nn/gru.h"
#include "nn/model_impl.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

Model::Impl::Impl(ModelFile file, Precision precision) : file_(std::move(file)), kernels_(kernels(precision)) {
  if (file_.text("format") != PYVOCSEP_MODEL_FORMAT)
    file_.fail("metadata 'format' is '" + file_.shown("format") + "'; this version reads '" PYVOCSEP_MODEL_FORMAT "'");
  if (file_.text("stems") != "vocals,accompaniment")
    file_.fail("metadata 'stems' is '" + file_.shown("stems") + "', expected 'vocals,accompaniment'");
  sample_rate_ = file_.integer("sample_rate", PYVOCSEP_MIN_SAMPLE_RATE, PYVOCSEP_MAX_SAMPLE_RATE);
  n_fft_ = file_.integer("n_fft", PYVOCSEP_MIN_FRAME, PYVOCSEP_MAX_FRAME);
  hop_ = file_.integer("hop", PYVOCSEP_MIN_FRAME / 4, PYVOCSEP_MAX_FRAME / 2);
  if (n_fft_ != 2 * hop_ && n_fft_ != 4 * hop_)
    file_.fail("metadata 'hop' is " + std::to_string(hop_) + ": n_fft / hop must be 2 or 4");
  extension_bins_ = file_.integer("extension_bins", 1, bins());
  if (file_.metadata().count("spatial_seconds") > 0) spatial_seconds_ = file_.real("spatial_seconds", 0.1, 60.0);
  // Building a network once checks every tensor: a bad file fails here, not at the first stream.
  make_network({n_fft_, hop_}, PYVOCSEP_MAX_CHANNELS, 1);
}

std::unique_ptr<Network> Model::Impl::make_network(const Grid& grid, int channels, int max_frames) const {
  if (architecture() == "band-gru")
    return std::make_unique<BandGruNetwork>(kernels_, file_, grid, channels, max_frames);
  if (architecture() == "gru") return std::make_unique<GruNetwork>(kernels_, file_, grid, channels, max_frames);
  file_.fail("architecture '" + file_.shown("architecture") +
             "' does not run in the core; it has 'band-gru' and 'gru'");
}

Model::Model(const std::string& path, Precision precision)
    : impl_(std::make_shared<const Impl>(ModelFile(path), precision)) {}

Model Model::from_bytes(std::string_view bytes, const std::string& name, Precision precision) {
  return Model(std::make_shared<const Impl>(ModelFile(bytes, name), precision));
}

Model Model::embedded(Precision precision) {
  const std::string_view bytes = embedded_model();
  if (bytes.empty())
    throw std::invalid_argument(
        "no model is embedded in this library: give the path of a model file, or build the library with the CMake "
        "option PYVOCSEP_EMBED_WEIGHTS=ON");
  return from_bytes(bytes, "the embedded model", precision);
}

const std::map<std::string, std::string>& Model::metadata() const { return impl_->file().metadata(); }
const std::string& Model::architecture() const { return impl_->architecture(); }
int Model::sample_rate() const { return impl_->sample_rate(); }
int Model::n_fft() const { return impl_->n_fft(); }
int Model::hop() const { return impl_->hop(); }

}  // namespace pyvocsep
