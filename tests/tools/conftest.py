"""Places for tools to work at: an engine's file, a real server, and for some a cluster.

`there` (test): a `There`, once with a file and once with the newest Redis, emptied. `on_cluster` gives one of a
cluster: mark what takes it with `pytest.mark.xdist_group("cluster")`. `Desk(backend)` of `desk` is a Job in
this process; `program` (tests/conftest.py) runs the whole program. The fixtures of tests/remote are here, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.cluster import Cluster
from tests.remote.conftest import Servers, cluster, fake, proxied, sentinels, server, servers, standalone
from tests.tools.desk import There, on_engine, on_server
from tests.tools.desk import on_cluster as at_cluster

__all__ = ["cluster", "fake", "proxied", "sentinels", "server", "servers", "standalone"]


@pytest.fixture(params=("engine", "server"))
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[There]:
    """A file of the engine's, then a real server; without a key."""
    if request.param == "engine":
        made = on_engine(tmp_path / "there.db")
    else:
        found: Servers = request.getfixturevalue("servers")
        standalone = found.standalone()
        standalone.empty()
        made = on_server(standalone)
    yield made
    made.close()


@pytest.fixture
def on_cluster(cluster: Cluster) -> Iterator[There]:
    made = at_cluster(cluster)
    yield made
    made.close()
