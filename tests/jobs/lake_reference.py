"""What silver and quarantine must hold after random landings (``random_lakes``): a reference in plain Python.

It parses texts by ``lakectl.core.values``, which tests of its own compare with Spark; all else it does by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from random_expressions import Sql
from random_lakes import NAMES, Landing, Row, RowVersion, Rules

from lakectl.core import values
from lakectl.core.values import check_of
from lakectl.spec.model import LakeSpec, SourceSpec


@dataclass
class Stored:
    """One row of a silver table. ``row_version``: of its landing."""

    own: dict[str, Any]
    row_version: RowVersion


@dataclass
class Reference:
    """What silver holds. A landing's place is its source, day and batch; the versions of one have numbers from 1."""

    spec: LakeSpec
    rules: Mapping[str, Rules]
    pending: dict[tuple[str, int, int], tuple[int, Landing]] = field(default_factory=dict)
    newest: dict[tuple[str, int, int], tuple[int, Landing]] = field(default_factory=dict)
    tables: dict[str, dict[Any, Stored]] = field(default_factory=lambda: {name: {} for name in NAMES})
    refused: set[tuple[str, int, int]] = field(default_factory=set)
    loaded: dict[str, dict[RowVersion, Landing]] = field(default_factory=lambda: {name: {} for name in NAMES})
    # Source -> a quarantined row, by its landing and its texts -> why, and how often it is there.
    aside: dict[str, dict[Any, tuple[str, int]]] = field(default_factory=lambda: {name: {} for name in NAMES})

    def land(self, landing: Landing) -> None:
        place = (landing.source, *landing.place)
        version, last = self.newest.get(place, (0, None))
        # The same bytes again are a duplicate, unless they were refused.
        if last is None or last.rows != landing.rows or place in self.refused:
            self.newest[place] = self.pending[place] = (version + 1, landing)
            self.refused.discard(place)

    def run(self, *, full: bool = False, retry: bool = False) -> None:
        """Load what is pending; with ``full`` also again what is loaded, as it is now; with ``retry`` also what has
        rows that were quarantined for a lookup."""
        for name in self.spec.loading_order:
            news = {
                (*place[1:], version): landing for place, (version, landing) in self.pending.items() if place[0] == name
            }
            again = self._full(name) if full else self._retried(name) if retry else {}
            accepted = []
            for row_version, landing in sorted({**again, **news}.items()):
                judged = self._judge(landing, row_version, again=row_version not in news)
                if judged is not None:
                    accepted.append((row_version, landing, *judged))
                    self.loaded[name][row_version] = landing
                elif row_version in news:
                    self.refused.add((name, *row_version[:2]))
                self.pending.pop((name, *row_version[:2]), None)
            self._load(self.spec.sources[name], accepted)
            if self.spec.sources[name].loading == "snapshot":
                accepted = [each for each in accepted if each[1].rows][-1:]
            for row_version, _, _, aside in accepted if retry else ():
                for known in [
                    known for known in self.aside[name] if known[0] == row_version and row_version not in news
                ]:
                    if known[1] not in aside:
                        del self.aside[name][known]

    def _full(self, name: str) -> dict[RowVersion, Landing]:
        places = [place for place in self.newest if place[0] == name and place not in {*self.refused, *self.pending}]
        return {(*place[1:], self.newest[place][0]): self.newest[place][1] for place in places}

    def _retried(self, name: str) -> dict[RowVersion, Landing]:
        row_versions = {row_version for (row_version, _), (why, _) in self.aside[name].items() if "lookups." in why}
        return {row_version: self.loaded[name][row_version] for row_version in row_versions}

    # ---- one landing

    def _judge(
        self, landing: Landing, row_version: RowVersion, *, again: bool
    ) -> tuple[list[dict[str, Any]], dict[Any, dict[str, Any]]] | None:
        """(rows to load, quarantined rows by their texts); None if the landing is refused. ``again``: it is loaded."""
        source = self.spec.sources[landing.source]
        if not landing.rows:
            ignored = source.loading == "snapshot" and source.policies["empty_snapshot"] == "ignore"
            return ([], {}) if ignored else None
        read = [(texts, *self._typed(dict(texts), source)) for texts in landing.rows]
        judged = [(texts, row, [check for check, policy in failed.items() if policy == "quarantine"])
                  for texts, row, failed in read]  # fmt: skip
        by_key: dict[Any, set[Any]] = {}
        for _, row, why in judged:
            if not why and self._key(row, source):
                by_key.setdefault(self._key(row, source), set()).add(tuple(row.items()))
        clashing = {key for key, rows in by_key.items() if len(rows) > 1}
        if any("fail" in failed.values() for _, _, failed in read):
            return None
        if clashing and source.policies["duplicate_keys"] == "fail":
            return None
        for _, row, why in judged:
            if not why and self._key(row, source) in clashing:
                why.append("duplicate_keys")
        for texts, row, why in judged:
            # What silver has is not judged again.
            has = again and self._has(source, texts, row, row_version)
            failed = {} if why or has else self._late(source, row)
            if "fail" in failed.values():
                return None
            why += [check for check, policy in failed.items() if policy == "quarantine"]
        self._set_aside(source, row_version, [(texts, ", ".join(sorted(why))) for texts, _, why in judged if why])
        return [row for _, row, why in judged if not why], {texts: row for texts, row, why in judged if why}

    def _set_aside(self, source: SourceSpec, row_version: RowVersion, rows: list[Any]) -> None:
        """Each text of a landing once, as the first run that sets it aside says."""
        for texts, count in Counter(texts for texts, _ in rows).items():
            self.aside[source.name].setdefault((row_version, texts), (dict(rows)[texts], count))

    def _late(self, source: SourceSpec, row: dict[str, Any]) -> dict[str, str]:
        """Lookups and checks that see other tables and that the row fails -> policy."""
        rules = self.rules[source.name]
        early = rules.early(frozenset(source.by_name))
        failed = {
            f"lookups.{lookup.name}": lookup.missing for lookup in source.lookups if self._looked_up(lookup, row)[1]
        }
        late = {name: check for name, check in rules.checks.items() if name not in early}
        return failed | _failing(late, self._whole(source.name, row))

    def _has(self, source: SourceSpec, texts: Any, row: dict[str, Any], row_version: RowVersion) -> bool:
        """Whether silver has the row, or a newer one of its key."""
        table = self.tables[source.name]
        if source.loading == "append":
            return (row_version, texts) not in self.aside[source.name] and any(
                stored.row_version == row_version for stored in table.values()
            )
        key = self._key(row, source)
        return key in table and table[key].row_version >= row_version

    def _typed(self, texts: Row, source: SourceSpec) -> tuple[dict[str, Any], dict[str, str]]:
        """(values, check that the row fails by itself -> policy)."""
        row: dict[str, Any] = {}
        failed: dict[str, str] = {}
        for column in source.columns:
            text = values.clean(texts[column.name], column, source.file.nulls)
            row[column.name] = None if text is None else values.value_of(text, column)
            if row[column.name] is None:
                if column.name in source.keys:
                    failed["null_keys"] = source.policies["null_keys"]
                elif text is not None:
                    failed[check_of(column.type)] = source.policies[check_of(column.type)]
                elif column.name in source.required:
                    failed["required"] = source.policies["required"]
        rules, own = self.rules[source.name], frozenset(source.by_name)
        known = dict(row)
        for name, sql in rules.derive.items():
            if sql.columns <= known.keys():
                known[name] = sql.of(known)
        return row, failed | _failing(rules.early(own), known)

    @staticmethod
    def _key(row: dict[str, Any], source: SourceSpec) -> Any:
        key = tuple(row[name] for name in source.keys)
        return key if key and None not in key else None

    # ---- one source

    def _load(self, source: SourceSpec, accepted: list[Any]) -> None:
        table = self.tables[source.name]
        if source.loading == "append":
            for row_version, landing, rows, _ in accepted:
                same = [key for key, stored in table.items() if stored.row_version[:2] == row_version[:2]]
                if any(table[key].row_version > row_version for key in same):
                    continue
                for key in same:
                    del table[key]
                table.update(
                    {(landing, row_version, number): Stored(row, row_version) for number, row in enumerate(rows)}
                )
            return
        if source.loading == "snapshot":
            truth = max((stored.row_version for stored in table.values()), default=(0, 0, 0))
            accepted = [each for each in accepted if each[1].rows][-1:]
            accepted = [each for each in accepted if each[0] >= truth]
        for row_version, _, rows, set_aside in accepted:
            aside = [self._key(row, source) for row in set_aside.values()]
            found = {self._key(row, source): Stored(row, row_version) for row in rows}
            if source.loading == "snapshot" and None not in aside:
                for key in [key for key in table if key not in found and key not in aside]:
                    del table[key]
            for key, stored in found.items():
                if key not in table or table[key].row_version <= row_version:
                    table[key] = stored

    # ---- reading

    def _looked_up(self, lookup: Any, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """(our name -> value, whether the row is missing)."""
        key = tuple(row[name] for name in lookup.on)
        stored = self.tables[lookup.source].get(key) if None not in key else None
        whole = self._whole(lookup.source, stored.own) if stored else {}
        return {ours: whole.get(theirs) for theirs, ours in lookup.take}, stored is None and None not in key

    def _whole(self, name: str, own: dict[str, Any]) -> dict[str, Any]:
        whole = dict(own)
        for lookup in self.spec.sources[name].lookups:
            whole |= self._looked_up(lookup, own)[0]
        for derived, sql in self.rules[name].derive.items():
            whole[derived] = sql.of(whole)
        return whole

    def silver(self, name: str) -> list[dict[str, Any]]:
        return [self._whole(name, stored.own) for stored in self.tables[name].values()]

    def rejected(self, name: str) -> Counter[tuple[int, int, str]]:
        """(day, batch, why) -> rows."""
        found: Counter[tuple[int, int, str]] = Counter()
        for (row_version, _), (why, count) in self.aside[name].items():
            found[*row_version[:2], why] += count
        return found


def _failing(checks: Mapping[str, tuple[Sql, str]], row: dict[str, Any]) -> dict[str, str]:
    """Check that the row fails -> policy. NULL passes."""
    return {name: policy for name, (sql, policy) in checks.items() if sql.of(row) is False}
