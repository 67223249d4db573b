"""``python -m cluster`` is the command ``wayside``."""

from cluster.cli import main

main()
