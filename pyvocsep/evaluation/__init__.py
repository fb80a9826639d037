"""Evaluation on MIR-1K and MUSDB18 layouts (``pip install pyvocsep[eval]``): ``python -m
pyvocsep.evaluation``.
"""
