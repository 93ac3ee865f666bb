"""The sessions of `random_sessions` as Hypothesis strategies, for odder cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from markupsafe import Markup

from random_sessions import ODD_KEYS, as_read

TEXT = st.text(st.characters(), max_size=30).map(as_read)
KEYS = st.one_of(TEXT, st.sampled_from(ODD_KEYS))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(10**60), 10**60), st.floats(), TEXT)
MOMENTS = st.datetimes(datetime(100, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC))
TAGGED = st.one_of(
    PLAIN, st.binary(max_size=30), TEXT.map(Markup), st.uuids(), MOMENTS.map(lambda moment: moment.replace(microsecond=0))
)


def sessions(tags: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of non-empty sessions; without `tags`, limited to plain JSON."""
    values = st.recursive(TAGGED if tags else PLAIN, lambda inner: _containers(inner, tags), max_leaves=12)
    return st.dictionaries(KEYS, values, min_size=1, max_size=6)


def _containers(inner: st.SearchStrategy[Any], tags: bool) -> st.SearchStrategy[Any]:
    containers = st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4))
    return st.one_of(containers, st.lists(inner, max_size=4).map(tuple)) if tags else containers
