"""A slice of the million requests of `bench/python/soak.py`, whose figures are in docs/assurance.md."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[3] / "bench" / "python"


def test_memory_does_not_grow_with_requests(tmp_path: Path, redis_url: str) -> None:
    sys.path.insert(0, str(BENCH))
    try:
        from soak import MIB, growth, soak
    finally:
        sys.path.remove(str(BENCH))
    samples = list(soak(20_000, redis_url, tmp_path))
    assert samples[-1].requests == 20_000
    # A leak of 200 bytes a request would be 3 MiB.
    assert growth(samples) < 3 * MIB, [f"{sample.resident / MIB:.1f} MiB" for sample in samples]
