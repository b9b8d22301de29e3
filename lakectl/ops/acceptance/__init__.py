"""``lakectl acceptance``: the whole story of a lake, in an account or on this machine, and what it showed.

:mod:`~lakectl.ops.acceptance.story` lists the steps, :mod:`~lakectl.ops.acceptance.running` carries them out and always
deletes the lake, :mod:`~lakectl.ops.acceptance.evidence` writes down what was seen, without account and names.
"""
