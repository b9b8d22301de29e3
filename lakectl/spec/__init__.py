"""What a lake is made of: sources, columns, lookups, derived columns, checks. Pure Python, parsed once, never changed.

The command line, both functions and the job work with the same :class:`~lakectl.spec.model.LakeSpec`.
"""
