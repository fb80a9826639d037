// Compiled once per instruction set: the loops of this folder, collected into that set's table.
#include "kernels/kernels.h"

#include "kernels/add_norm.h"
#include "kernels/fft.h"
#include "kernels/gru.h"
#include "kernels/linear.h"
#include "kernels/peak.h"
#include "kernels/spatial.h"
#include "kernels/spectrum.h"

#define PYVOCSEP_TEXT_OF(x) #x
#define PYVOCSEP_TEXT(x) PYVOCSEP_TEXT_OF(x)

namespace pyvocsep::PYVOCSEP_ISA {

extern const Kernels kTable;
const Kernels kTable = {
    .name = PYVOCSEP_TEXT(PYVOCSEP_ISA),
    .precision = kPrecision,
    .lanes = kLanes,
    .linear = linear,
    .gru_gates = gru_gates,
    .gru_step = gru_step,
    .gru_cell = gru_cell,
    .add_norm = add_norm,
    .fft_pass = fft_pass,
    .fft_pack = fft_pack,
    .fft_real_split = fft_real_split,
    .fft_real_merge = fft_real_merge,
    .fft_unpack_add = fft_unpack_add,
    .magnitudes_mono = magnitudes_mono,
    .magnitudes_mean = magnitudes_mean,
    .magnitudes_stereo = magnitudes_stereo,
    .energy = energy,
    .ratio_mask = ratio_mask,
    .apply_mask = apply_mask,
    .apply_masks = apply_masks,
    .spatial_moments = spatial_moments,
    .spatial_filter = spatial_filter,
    .peak = peak,
};

}  // namespace pyvocsep::PYVOCSEP_ISA
