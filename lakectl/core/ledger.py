"""The run log as a ledger: every landing exactly once, and where it stands on its way into silver.

Used by the log function, the starter function and the Glue job, so that it does not matter which of
them hears of a landing first.

Its items: :mod:`lakectl.core.ledger_items`.

``load_status``: PENDING -> CLAIMED -> LOADED | FAILED; PENDING -> DUPLICATE | SUPERSEDED; LOADED -> REVERTED.
FAILED, REVERTED, SUPERSEDED and DUPLICATE -> PENDING when they are to be tried again. IGNORED, with a reason, for
what no run loads; PENDING once its event comes again and the lake has such a source. ``status`` stays LANDED: the file
did land.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lakectl.core.landing import Landing
from lakectl.core.ledger_items import (
    Entry,
    entry_of,
    guard_item,
    guard_of,
    now,
    partition,
    run_item,
    run_sk,
    unless_known,
)
from lakectl.core.ledger_table import Action, Condition, Item, LedgerTable, status_in
from lakectl.core.ledger_versions import (
    CLAIMED,
    DELETED,
    DUPLICATE,
    FAILED,
    IGNORED,
    LOADED,
    PENDING,
    REVERTED,
    STANDING,
    SUPERSEDED,
    Move,
    Version,
    is_later,
    oldest_first,
    settle,
)

__all__ = ["CLAIMED", "DELETED", "DUPLICATE", "FAILED", "IGNORED", "LOADED", "PENDING", "REVERTED", "SUPERSEDED"]
__all__ += ["STANDING", "Entry", "Landing", "Ledger", "run_item"]

_ROUNDS = 5  # how often others may move the versions of a key between our look and our write


class Ledger:
    """Reads and moves landings. Safe to share between threads; every write is conditional."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = LedgerTable(table, client)

    @property
    def table(self) -> LedgerTable:
        """The run log that it is in."""
        return self._table

    # ---- what landed

    def record(self, landing: Landing, *, look_first: bool = False) -> Entry:
        """Write the landing unless it is known, settle it against other versions of its key, return it.

        Deliver the same landing as often as you like: one run item. ``look_first`` is cheaper for who mostly hears of
        a landing after somebody else. Raises ClientError when DynamoDB does not accept the write after retries.
        """
        guards = self._guards(landing) if look_first else []
        is_known = any(each["sk"] == landing.version_id != "null" for each in guards)
        is_new = not is_known and self._write(landing)
        if not is_known:
            guards = self._guards(landing)
        if is_new and len(guards) == 1:
            return replace(entry_of(run_item(landing)), is_new=True)
        known = next(each for each in guards if each["sk"] == landing.version_id)
        if not is_new and known["etag"] == landing.etag:
            self._learn(landing, known)
        if len(guards) > 1:
            self._settle(guards)
        # Without versions the guard may tell of later bytes than those of an event that came late.
        sk = known["run_sk"] if known["etag"] == landing.etag else run_sk(landing)
        run = self._table.get(known["run_pk"], sk)
        if run["load_status"] == IGNORED and landing.loadable:
            run = self._take_up(landing, run, guards)
        return replace(entry_of(run), is_new=is_new)

    def _take_up(self, landing: Landing, run: Item, guards: Sequence[Item]) -> Item:
        """What no run loaded when it landed is loaded by now: the lake's sources have changed."""
        fields = {"ingest_date": landing.ingest_date, "batch": landing.batch, "reason": ""}
        self._table.transact(self._to_pending(run, fields))
        if len(guards) > 1:
            self._settle(guards)
        return self._table.get(run["pk"], run["sk"])

    def _write(self, landing: Landing) -> bool:
        """Write the landing's items; False when they are there."""
        table, run = self._table, run_item(landing)
        actions = [table.put(guard_item(landing), *unless_known(landing)), table.put(run, "attribute_not_exists(pk)")]
        if landing.loadable:
            actions.append(table.put({**run, "pk": partition("PENDING", landing.source)}))
        return table.transact(actions, conditions=2)

    def find(self, landings: Iterable[Landing]) -> dict[Landing, Entry]:
        """The entries of those landings that are in the ledger; nothing is written."""
        guards = {guard_of(each): each for each in landings}
        found = self._table.get_many(guards)
        known = {
            (guard["run_pk"], guard["run_sk"]): guards[key]
            for key, guard in found.items()
            if guard["etag"] == guards[key].etag
        }
        return {known[key]: entry_of(run) for key, run in self._table.get_many(known).items()}

    def entry(self, source: str, sk: str) -> Entry | None:
        """The entry of a run item; None if there is none."""
        run = self._table.get_many([(partition("SRC", source), sk)])
        return next((entry_of(item) for item in run.values()), None)

    def _guards(self, landing: Landing) -> list[Item]:
        return list(self._table.query(guard_of(landing)[0]))

    def _learn(self, landing: Landing, known: Item) -> None:
        """What a known landing's event adds: S3's order, and in a bucket without versions that it is put again."""
        seen = known.get("sequencer", "")
        if not landing.sequencer or landing.sequencer == seen:
            return
        guard = self._table.update(
            known["pk"], known["sk"], {"sequencer": landing.sequencer}, ("sequencer = :seen", {":seen": seen})
        )
        if not seen:
            self._table.transact([guard])
            known["sequencer"] = landing.sequencer
        elif landing.version_id == "null" and is_later(landing.sequencer, seen):
            run = self._table.get(known["run_pk"], known["run_sk"])
            again = run["load_status"] in (FAILED, REVERTED, SUPERSEDED)
            self._table.transact([guard, *(self._to_pending(run) if again else ())], conditions=2)

    def _settle(self, guards: Sequence[Item]) -> None:
        """Move the versions of a key as ``ledger_versions.settle`` says, and note on the pending one how many they are.

        Raises RuntimeError when others keep moving them.
        """
        for _ in range(_ROUNDS):
            runs = self._table.get_many((guard["run_pk"], guard["run_sk"]) for guard in guards)
            versions = [
                Version.of(guard, runs[guard["run_pk"], guard["run_sk"]])
                for guard in guards
                if (guard["run_pk"], guard["run_sk"]) in runs
            ]
            moves = settle(versions)
            if all(self._move(move, runs[move.version.pk, move.version.sk]) for move in moves):
                gone = {move.version.sk for move in moves if move.to != PENDING}
                for (pk, sk), run in runs.items():
                    if run["load_status"] == PENDING and sk not in gone and run.get("versions") != len(guards):
                        self._note_versions(pk, sk, run["source"], len(guards))
                return
        raise RuntimeError(f"the versions of {guards[0]['pk']} were moved by others {_ROUNDS} times in a row")

    def _move(self, move: Move, run: Item) -> bool:
        table, version = self._table, move.version
        if move.to == PENDING:
            return table.transact(self._to_pending(run))
        source = run["source"]
        by = move.original.sk if move.original else ""
        if move.to == DUPLICATE and move.original:
            fields, was = {"load_status": DUPLICATE, "duplicate_of": by}, status_in(PENDING)
            stands = [table.check(move.original.pk, move.original.sk, status_in(*STANDING))]
        else:
            fields, was = {"load_status": SUPERSEDED, "superseded_by": by}, status_in(PENDING, FAILED)
            stands = []
        actions = [
            table.update(version.pk, version.sk, fields, was),
            *stands,
            table.delete(partition("PENDING", source), version.sk),
            table.delete(partition("FAILED", source), version.sk),
        ]
        return table.transact(actions, conditions=1 + len(stands))

    def _note_versions(self, pk: str, sk: str, source: str, count: int) -> None:
        fields = {"versions": count}
        self._table.transact(
            [
                self._table.update(pk, sk, fields, status_in(PENDING)),
                self._table.update(partition("PENDING", source), sk, fields),
            ]
        )

    # ---- what waits

    def pending(self, source: str, *, newest: int = 0) -> Iterator[Entry]:
        """Landings of ``source`` not yet in silver, oldest first, also those that a run has claimed.

        With ``newest`` at most so many, the newest first: that costs the same however many wait.
        """
        found = self._table.query(partition("PENDING", source), newest_first=bool(newest), most=newest)
        return map(entry_of, found)

    def refused(self, source: str) -> Iterator[Entry]:
        """Landings of ``source`` that a run refused and nobody has asked to be tried again."""
        return map(entry_of, self._table.query(partition("FAILED", source)))

    def history(self, source: str) -> Iterator[Entry]:
        """Every landing of ``source`` ever, oldest first: costs the history, not the news."""
        return map(entry_of, self._table.query(partition("SRC", source)))

    def known_versions(self, landing: Landing) -> int:
        """How many versions of the landing's key the ledger knows."""
        return len(self._guards(landing))

    def number_of(self, landing: Landing) -> int:
        """Which version of its key the landing is, from 1 in the order in which they were written; while that can't be
        known, how many versions the ledger knows."""
        guards = self._guards(landing)
        if len(guards) < 2:
            return len(guards)
        runs = self._table.get_many((guard["run_pk"], guard["run_sk"]) for guard in guards)
        known = ((guard, runs.get((guard["run_pk"], guard["run_sk"]))) for guard in guards)
        versions = [Version.of(guard, run) for guard, run in known if run]
        ordered = [version.id for version in oldest_first(versions) or ()]
        return ordered.index(landing.version_id) + 1 if landing.version_id in ordered else len(guards)

    # ---- how a landing moves

    def claim(self, entry: Entry, run_id: str) -> bool:
        """Take a pending landing, or one whose owner (``entry.claimed_by``) has ended. False = lost it."""
        return bool(self.claim_all([entry], run_id))

    def claim_all(self, entries: Sequence[Entry], run_id: str) -> list[Entry]:
        """Those of ``entries`` that are now the run's: pending ones, and those whose owner has ended."""
        changes = []
        for entry in entries:
            fields = {
                "load_status": CLAIMED,
                "claimed_by": run_id,
                "claimed_at": now(),
                "attempts": entry.attempts + 1,
            }
            changes.append(self._both(entry, fields, _free(entry, run_id)))
        claimed = self._table.transact_each(changes)
        return [entry for entry, mine in zip(entries, claimed, strict=True) if mine]

    def loaded(self, entry: Entry, run_id: str, *, snapshot_id: str, rows: int, also: Iterable[Item] = ()) -> bool:
        """The claimed landing is in silver; ``snapshot_id`` is ``""`` when it changed nothing.

        ``also``: items to put in the same transaction.
        """
        return self.loaded_all([(entry, rows)], run_id, snapshot_id=snapshot_id, also=also) == [True]

    def loaded_all(
        self, loaded: Sequence[tuple[Entry, int]], run_id: str, *, snapshot_id: str, also: Iterable[Item] = ()
    ) -> list[bool]:
        """As ``loaded``, for many: each with its number of rows. ``also`` is put together with the last of them."""
        fields = {"load_status": LOADED, "loaded_at": now(), "snapshot_id": snapshot_id}
        changes = [self._finished(entry, run_id, {**fields, "rows": rows}) for entry, rows in loaded]
        return self._finish(changes, also)

    def failed(self, entry: Entry, run_id: str, reason: str, also: Iterable[Item] = ()) -> bool:
        """The claimed landing is refused: out of later drains until ``requeue``. ``also``: as for ``loaded``."""
        return self.failed_all([(entry, reason)], run_id, also=also) == [True]

    def failed_all(self, refused: Sequence[tuple[Entry, str]], run_id: str, *, also: Iterable[Item] = ()) -> list[bool]:
        """As ``failed``, for many: each with its reason. ``also`` is put together with the last of them."""
        runs = self._table.get_many((entry.pk, entry.sk) for entry, _ in refused)
        changes = []
        for entry, reason in refused:
            fields = {"load_status": FAILED, "failed_at": now(), "reason": reason[:2000]}
            pointer = {**runs[entry.pk, entry.sk], **fields, "pk": partition("FAILED", entry.landing.source)}
            changes.append([*self._finished(entry, run_id, fields), self._table.put(pointer)])
        return self._finish(changes, also)

    def _finish(self, changes: list[list[Action]], also: Iterable[Item]) -> list[bool]:
        if changes:
            changes[-1] += map(self._table.put, also)
        return self._table.transact_each(changes)

    def reverted(self, entry: Entry, reason: str) -> bool:
        """A rollback took the loaded landing out of silver; it stays out until ``requeue``."""
        fields = {"load_status": REVERTED, "reverted_at": now(), "reason": reason[:2000]}
        return self._table.transact([self._table.update(entry.pk, entry.sk, fields, status_in(LOADED))])

    def superseded(self, entry: Entry, run_id: str, by: str) -> Entry | None:
        """The claimed landing's bytes are no longer the object's; ``by`` says what replaced them.

        Returns what waits in its place: its duplicate, say, if that is the newest version.
        """
        fields = {"load_status": SUPERSEDED, "superseded_by": by}
        self._table.transact(self._finished(entry, run_id, fields))
        guards = self._guards(entry.landing)
        if len(guards) < 2:
            return None
        self._settle(guards)
        runs = self._table.get_many((guard["run_pk"], guard["run_sk"]) for guard in guards)
        return next((entry_of(run) for run in runs.values() if run["load_status"] == PENDING), None)

    def _finished(self, entry: Entry, run_id: str, fields: Item) -> list[Action]:
        return [
            self._table.update(entry.pk, entry.sk, fields, _held_by(run_id)),
            self._table.delete(entry.pointer, entry.sk),
        ]

    def release(self, entry: Entry, run_id: str) -> bool:
        """Give a claimed landing back unloaded, for a run that could not finish."""
        fields = {"load_status": PENDING, "claimed_by": ""}
        return self._table.transact(self._both(entry, fields, _held_by(run_id)))

    def requeue(self, entry: Entry) -> bool:
        """Make a refused, reverted, superseded or duplicate landing pending again, with a clean slate."""
        run = self._table.get(entry.pk, entry.sk)
        if run["load_status"] not in (FAILED, REVERTED, SUPERSEDED, DUPLICATE):
            return False
        return self._table.transact(self._to_pending(run))

    def _both(self, entry: Entry, fields: Item, condition: Condition) -> list[Action]:
        """Run item and pointer."""
        return [
            self._table.update(entry.pk, entry.sk, fields, condition),
            self._table.update(entry.pointer, entry.sk, fields),
        ]

    def put(self, item: Item) -> None:
        """Write an item that is no landing (a run's result), whatever is there."""
        self._table.transact([self._table.put(item)])

    def _to_pending(self, run: Item, also: Item | None = None) -> list[Action]:
        """``run`` as it was read; the first action fails if it has moved since. ``also``: further fields to set."""
        fields = {"load_status": PENDING, "claimed_by": "", "attempts": 0, "versions": 0}
        fields |= {"duplicate_of": "", "superseded_by": "", **(also or {})}
        source = run["source"]
        return [
            self._table.update(run["pk"], run["sk"], fields, status_in(run["load_status"])),
            self._table.delete(partition("FAILED", source), run["sk"]),
            self._table.put({**run, **fields, "pk": partition("PENDING", source)}),
        ]


def _free(entry: Entry, run_id: str) -> Condition:
    text = "load_status = :pending OR (load_status = :claimed AND claimed_by IN (:owner, :run))"
    return text, {":pending": PENDING, ":claimed": CLAIMED, ":owner": entry.claimed_by, ":run": run_id}


def _held_by(run_id: str) -> Condition:
    return "load_status = :claimed AND claimed_by = :run", {":claimed": CLAIMED, ":run": run_id}
