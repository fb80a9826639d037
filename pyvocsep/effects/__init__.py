"""Separation as an effect: with the signature of pedalboard's plugins, in chains, and as a VST3 plugin."""
