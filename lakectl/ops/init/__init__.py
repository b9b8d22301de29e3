"""``lakectl init`` and ``lakectl source add``: a project's files, and sources inferred from data files."""
