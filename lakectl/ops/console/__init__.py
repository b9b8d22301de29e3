"""What ``lakectl console`` shows, read from the lake as plain values. :mod:`lakectl.console` makes pages of it."""
