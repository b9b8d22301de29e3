"""``lakectl`` and ``python -m lakectl``."""

from __future__ import annotations

import gc
import sys

# A command is short, and nearly all that it makes (the models of AWS's services) lives until its end. With Python's
# own threshold of 700 objects a third of its time went into looking for garbage that is not there.
GARBAGE_THRESHOLDS = (100_000, 20, 20)


def main() -> None:
    """The console script. A Ctrl-C while the program is still loading is answered here."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        from lakectl.cli.main import run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; run the same command again to go on\n")
        sys.exit(130)
    finally:
        gc.freeze()  # nor does the interpreter's end look at it all


if __name__ == "__main__":
    main()
