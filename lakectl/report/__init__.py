"""The HTML page of a report: values of :mod:`lakectl.ops.report` in, one self-contained file out."""
