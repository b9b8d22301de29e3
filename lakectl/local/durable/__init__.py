"""What the local endpoint has acknowledged, on disk.

``database``: rows in SQLite, written in one transaction before the answer goes out. ``bodies``: the bytes of S3
objects, files that rows name. ``forms``: how objects become rows that no upgrade makes unreadable. ``snapshots``:
moto's other backends as rows; ``messages``: those of its queues; ``reached``: which of them a request may have changed.
``outbox``: what is still to be delivered. ``syncer`` and ``undo``: what a power cut may cost. ``copies``: for saved
states.

A process that is killed loses nothing: what it wrote is in the operating system's cache. No request waits for a sync;
that is done in the background, and rows go back to the last one when a power cut has taken bytes that they name.
"""
