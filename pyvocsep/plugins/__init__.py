"""The plugins for other programs: where their bundles are, and the command that installs them for a user.

`pyvocsep-plugins install`, or `python -m pyvocsep.plugins install`.
"""
