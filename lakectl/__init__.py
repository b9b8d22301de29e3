"""lakectl: from nothing to a working, queryable, trustworthy lakehouse."""

__version__ = "0.1.0"
