"""`python -m pyvocsep` is the `pyvocsep` command."""

import sys

from pyvocsep.cli import main

sys.exit(main())
