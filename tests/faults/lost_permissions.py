"""Lambda as it was seen to be (hashicorp/terraform-provider-aws#789): of AddPermission calls that change one
function's policy at the same time it acknowledges all and keeps one."""

from __future__ import annotations

import json
import re
import threading
import time

from recording_proxy import Answer, Call, Proxy

ADD_PERMISSION = re.compile(r"POST /2015-03-31/functions/([^/]+)/policy")
CHANGE_TAKES_S = 0.2


class LosingPermissions:
    """What ``proxy`` does from now on to AddPermission. ``lost`` are the statement ids that were not kept.

    The first ``always`` calls are lost whether another one is under way or not.
    """

    def __init__(self, proxy: Proxy, always: int = 0) -> None:
        self.lost: list[str] = []
        self._always = always
        self._changing: set[str] = set()
        self._lock = threading.Lock()
        proxy.before, proxy.after = self._before, self._after

    def _before(self, call: Call) -> Answer | None:
        found = ADD_PERMISSION.fullmatch(call.operation)
        if found is None:
            return None
        asked = json.loads(call.body)
        with self._lock:
            if self._always > 0 or found[1] in self._changing:
                self._always -= 1
                self.lost.append(asked["StatementId"])
                statement = json.dumps({"Sid": asked["StatementId"], "Effect": "Allow"})
                return Answer(201, json.dumps({"Statement": statement}).encode(), {"Content-Type": "application/json"})
            self._changing.add(found[1])
        time.sleep(CHANGE_TAKES_S)
        return None

    def _after(self, call: Call) -> bool:
        found = ADD_PERMISSION.fullmatch(call.operation)
        if found is not None:
            with self._lock:
                self._changing.discard(found[1])
        return False
