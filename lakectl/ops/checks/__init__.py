"""What ``lakectl validate`` checks: one small function for each check, listed in :mod:`lakectl.ops.checks.validate`."""
