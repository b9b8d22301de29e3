"""Figures that the project promises, each measured by one module. Run: ``python -m benchmarks``."""
