"""Audio files: read in blocks, written whole or not at all.

libsndfile (through `soundfile`) knows the formats. This folder adds what a separator needs around it: errors
that name the file and what is wrong with it, files that appear only when they are complete, formats and tags
that follow the input.
"""
