"""`python -m analysis` is the command `outcomes`."""

import sys

from analysis.cli import main

sys.exit(main())
