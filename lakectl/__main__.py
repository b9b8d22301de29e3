"""``lakectl`` and ``python -m lakectl``."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script. A Ctrl-C while the program is still loading is answered here."""
    try:
        from lakectl.cli.main import run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; run the same command again to go on\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
