"""A Ray of our own: loopback alone, a private token, nothing of the current folder."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys

import pytest

LISTENS = """
import json
from pathlib import Path
import psutil
from autoprune.sweep.ray.cluster import connected
from autoprune.sweep.workers import Workers
from autoprune.sweep.ray.node import Needs

with connected(Workers(count=1, threads=1, cpus=1), Needs.here([], Path(__file__))):
    import ray
    path = ray.get(ray.remote(lambda: __import__("sys").path).remote())
    found, names = set(), []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        names.append(" ".join(process.cmdline()))
        found |= {c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"}
    print(json.dumps([sorted(found), names, path]))
"""


def is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


@pytest.mark.full
@pytest.mark.ray
def test_nothing_listens_beyond_loopback(tmp_path):
    (tmp_path / "listens.py").write_text(LISTENS, encoding="utf-8")
    here, home = tmp_path / "current", tmp_path / "home"
    here.mkdir(), home.mkdir()
    done = subprocess.run(
        [sys.executable, tmp_path / "listens.py"],
        cwd=here,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    addresses, names, path = json.loads(done.stdout.splitlines()[-1])
    assert str(here) not in path
    token = home / ".ray" / "auth_token"
    assert [oct(place.stat().st_mode & 0o777) for place in (token.parent, token)] == [
        "0o700",
        "0o600",
    ]
    assert any("raylet" in name for name in names)
    assert addresses, "Ray is known to listen"
    assert not [a for a in addresses if not is_loopback(a)]
    pages = [name for name in names if "dashboard.py" in name and "--disable-frontend" not in name]
    assert not pages
