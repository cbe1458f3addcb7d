"""`python -m analysis` is the command `outcomes`."""

from analysis.cli import main

main()
