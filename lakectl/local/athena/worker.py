"""A query worker: ``python -m lakectl.local.athena.worker ENDPOINT_URL FOLDER``, a child of the endpoint.

Queries run outside the endpoint's process, so that one that takes too much memory or can't be interrupted ends alone.
Standard input brings tasks and cancellations, standard output takes outcomes (``tasks``). The worker ends with its
standard input: it does not outlive the endpoint.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from pathlib import Path

from lakectl.local.athena.tasks import Task


def main() -> None:
    endpoint_url, folder = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not write between the outcomes
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    todo: queue.Queue[Task] = queue.Queue()
    cancelled = threading.Event()
    threading.Thread(target=_listen, args=(todo, cancelled), daemon=True).start()

    from lakectl.local.athena.engine import Engine

    engine = Engine(endpoint_url, Path(folder))
    engine.warm()
    while True:
        outcome = engine.run(todo.get(), cancelled)
        answers.write(outcome.to_json() + "\n")
        answers.flush()


def _listen(todo: queue.Queue[Task], cancelled: threading.Event) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if message == "cancel":
            cancelled.set()
        else:
            cancelled.clear()  # of the query before
            todo.put(Task.from_json(message))
    os._exit(0)  # the endpoint has ended, or does not need this worker


if __name__ == "__main__":
    main()
