"""`python -m autoprune` is the command `autoprune`."""

from autoprune.cli.main import main

main()
