"""Training: the only part of pyvocsep that imports PyTorch (``pip install pyvocsep[train]``).

``python -m pyvocsep.training RECIPE --data DIR --run DIR`` trains, resumes and exports one set of weights.
"""
