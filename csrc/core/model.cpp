#include "core/model.h"

#include "core/band_gru_model.h"
#include "core/gru_model.h"

namespace pyvocsep {

Model::Model(ModelFile file, Precision precision) : file_(std::move(file)), kernels_(kernels(precision)) {
  if (file_.text("format") != "pyvocsep-1")
    file_.fail("metadata 'format' is '" + file_.text("format") + "'; this version reads 'pyvocsep-1'");
  if (file_.text("stems") != "vocals,accompaniment")
    file_.fail("metadata 'stems' is '" + file_.text("stems") + "', expected 'vocals,accompaniment'");
  sample_rate_ = file_.integer("sample_rate", 8000, 192000);
  n_fft_ = file_.integer("n_fft", 64, 16384);
  hop_ = file_.integer("hop", 16, 8192);
  if (n_fft_ != 2 * hop_ && n_fft_ != 4 * hop_)
    file_.fail("metadata 'hop' is " + std::to_string(hop_) + ": n_fft / hop must be 2 or 4");
  extension_bins_ = file_.integer("extension_bins", 1, bins());
  // Building a network once checks every tensor: a bad file fails here, not at the first stream.
  estimator({n_fft_, hop_}, 2, 1);
}

std::unique_ptr<MaskEstimator> Model::estimator(const Grid& grid, int channels, int max_frames) const {
  if (architecture() == "band-gru") return std::make_unique<BandGruModel>(kernels_, file_, grid, channels, max_frames);
  if (architecture() == "gru") return std::make_unique<GruModel>(kernels_, file_, grid, channels, max_frames);
  file_.fail("architecture '" + architecture() + "' does not run in the core; it has 'band-gru' and 'gru'");
}

}  // namespace pyvocsep
