"""What separates: one protocol, an engine for each kind of model, and the registry that chooses.

`core` runs models in the C++ core, `patches` runs spectrogram patches in onnxruntime.
"""
