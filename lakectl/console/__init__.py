"""The web application of ``lakectl console``: pages on 127.0.0.1 for one person, made of what :mod:`lakectl.ops` reads.

A request passes :mod:`lakectl.console.guard` first. What is read of the lake goes through
:class:`lakectl.console.opened.OpenedLake`, which says in the page what can't be read and opens the lake again when its
credentials or its endpoint have changed.
"""
