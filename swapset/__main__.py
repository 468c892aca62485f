"""The `swapset` command as `python -m swapset`, for environments whose programs cannot start."""

import sys

from swapset.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
