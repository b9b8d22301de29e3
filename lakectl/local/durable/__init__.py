"""What the local endpoint has acknowledged, on disk.

``database``: rows in SQLite, written in one transaction before the answer goes out. ``bodies``: the bytes of S3
objects, files that rows name. ``snapshots``: moto's backends as rows. ``outbox``: what is still to be delivered.

A process that is killed loses nothing: what it wrote is in the operating system's cache. There is no fsync for each
request, so a power cut may cost the last seconds; SQLite's log keeps what is left consistent.
"""
