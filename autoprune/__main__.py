"""`python -m autoprune` is the command `autoprune`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # Python has put the current folder there, whose modules are no libraries
from autoprune.cli.main import main

main()
