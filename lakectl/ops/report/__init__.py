"""What ``lakectl report`` shows, read from the lake as plain values. :mod:`lakectl.report` makes a page of it."""
