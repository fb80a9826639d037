// The short-time Fourier transform of whole arrays, by the class that the separator streams with.
#pragma once

#include "python/arrays.h"

namespace pyvocsep {

// Both throw std::invalid_argument for arrays of other shapes and for frames and hops that StreamingStft refuses.

// audio (channels, samples) to spectra (channels, frames, frame / 2 + 1), unnormalised. Frame t starts at sample
// t * hop; samples after the last whole frame are left out.
Complexes analyse(const Floats& audio, int frame, int hop);

// spectra (channels, frames, frame / 2 + 1) to audio (channels, (frames - 1) * hop + frame); without frames, no
// samples. Where only some of the frames that could overlap are there, at both ends, the audio fades in and out.
Floats synthesise(const Complexes& spectra, int frame, int hop);

}  // namespace pyvocsep
