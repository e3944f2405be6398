"""INFO's lines that only a server has."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli.engine.host import Lines

if TYPE_CHECKING:
    from streamcli.server.server import Server

_RUN_ID = uuid.uuid4().hex + uuid.uuid4().hex[:8]
_UNITS = ((1024**3, "G"), (1024**2, "M"), (1024, "K"))


def _server(server: Server) -> Lines:
    up = int(time.monotonic() - server.began)
    system = os.uname() if hasattr(os, "uname") else None
    return [
        ("os", f"{system.sysname} {system.release} {system.machine}" if system else sys.platform),
        ("arch_bits", 64 if sys.maxsize > 2**32 else 32),
        ("multiplexing_api", "asyncio"),
        ("process_id", os.getpid()),
        ("run_id", _RUN_ID),
        ("tcp_port", server.host.port),
        ("uptime_in_seconds", up),
        ("uptime_in_days", up // 86400),
        ("executable", sys.executable),
        ("config_file", ""),
    ]


def _clients(server: Server) -> Lines:
    clients = list(server.clients.values())
    waiting = [client for client in clients if client.wait is not None]
    sessions = [client.session for client in clients if client.session is not None]
    groups = {
        (client.session.db, name)
        for client in waiting
        if client.wait is not None and client.wait.group is not None and client.session is not None
        for name in client.wait.keys
    }
    timed = sum(client.wait is not None and client.wait.deadline_ms is not None for client in waiting)
    return [
        ("connected_clients", len(clients)),
        ("cluster_connections", 0),
        ("maxclients", server.limits.clients),
        ("client_recent_max_input_buffer", max((client.unrun for client in clients), default=0)),
        ("client_recent_max_output_buffer", max((client.unsent for client in clients), default=0)),
        ("blocked_clients", len(waiting)),
        ("tracking_clients", 0),
        ("pubsub_clients", 0),
        ("watching_clients", sum(session.watching > 0 for session in sessions)),
        ("clients_in_timeout_table", timed),
        ("total_watched_keys", len({key for session in sessions for key in session.watched})),
        ("total_blocking_keys", len(server.blocked)),
        ("total_blocking_keys_on_nokey", len(groups)),
    ]


def _memory(server: Server) -> Lines:
    used, peak = _resident(), _peak()
    peak = max(used, peak)
    return [
        ("used_memory", used),
        ("used_memory_human", _human(used)),
        ("used_memory_rss", used),
        ("used_memory_rss_human", _human(used)),
        ("used_memory_peak", peak),
        ("used_memory_peak_human", _human(peak)),
        ("used_memory_peak_perc", f"{100 * used / peak if peak else 0:.2f}%"),
        ("total_system_memory", _installed()),
        ("total_system_memory_human", _human(_installed())),
        ("maxmemory", 0),
        ("maxmemory_human", "0B"),
        ("maxmemory_policy", "noeviction"),
        ("mem_fragmentation_ratio", "1.00"),
        ("mem_clients_normal", sum(client.memory for client in server.clients.values())),
        ("mem_allocator", "python"),
    ]


def _persistence(server: Server) -> Lines:
    store = server.engine.store
    started = int(time.time() - (time.monotonic() - server.began))
    return [
        ("async_loading", 0),
        ("rdb_changes_since_last_save", 0 if store.shared else server.changes),
        ("rdb_bgsave_in_progress", 0),
        ("rdb_last_save_time", int(time.time()) if store.shared else started),
        ("rdb_last_bgsave_status", "ok"),
        ("aof_enabled", int(store.shared)),
        ("aof_rewrite_in_progress", 0),
        ("aof_last_write_status", "ok"),
        ("changes", server.changes),
        ("durability", ("full" if store.durable else "normal") if store.shared else "none"),
    ]


def _stats(server: Server) -> Lines:
    counts = server.statistics
    counts.tick(time.time_ns() // 1_000_000)
    commands, bytes_in, bytes_out = counts.rates
    return [
        ("total_connections_received", counts.connections),
        ("total_commands_processed", counts.commands),
        ("instantaneous_ops_per_sec", commands),
        ("total_net_input_bytes", counts.bytes_in),
        ("total_net_output_bytes", counts.bytes_out),
        ("instantaneous_input_kbps", f"{bytes_in / 1024:.2f}"),
        ("instantaneous_output_kbps", f"{bytes_out / 1024:.2f}"),
        ("rejected_connections", counts.rejected_connections),
        ("sync_full", 0),
        ("sync_partial_ok", 0),
        ("sync_partial_err", 0),
        ("expired_keys", server.engine.store.expired),
        ("evicted_keys", 0),
        ("evicted_clients", 0),
        ("keyspace_hits", counts.hits),
        ("keyspace_misses", counts.misses),
        ("pubsub_channels", 0),
        ("pubsub_patterns", 0),
        ("latest_fork_usec", 0),
        ("total_forks", 0),
        ("total_error_replies", counts.error_replies),
        ("total_reads_processed", counts.reads),
        ("total_writes_processed", counts.writes),
        ("client_query_buffer_limit_disconnections", counts.too_long_queries),
        ("client_output_buffer_limit_disconnections", counts.too_long_outputs),
    ]


def _cpu(server: Server) -> Lines:
    times = os.times()
    return [
        ("used_cpu_sys", f"{times.system:.6f}"),
        ("used_cpu_user", f"{times.user:.6f}"),
        ("used_cpu_sys_children", f"{times.children_system:.6f}"),
        ("used_cpu_user_children", f"{times.children_user:.6f}"),
    ]


def _commands(server: Server) -> Lines:
    lines: Lines = []
    for name, use in server.statistics.uses.items():
        each = use.nanoseconds / 1000 / use.calls if use.calls else 0
        shown = (
            f"calls={use.calls},usec={use.nanoseconds // 1000},usec_per_call={each:.2f},"
            f"rejected_calls={use.rejected},failed_calls={use.failed}"
        )
        lines.append((f"cmdstat_{name.lower().replace(' ', '|')}", shown))
    return lines


def _errors(server: Server) -> Lines:
    return [(f"errorstat_{code}", f"count={count}") for code, count in sorted(server.statistics.errors.items())]


SECTIONS: dict[str, Callable[[Server], Lines]] = {
    "Server": _server,
    "Clients": _clients,
    "Memory": _memory,
    "Persistence": _persistence,
    "Stats": _stats,
    "CPU": _cpu,
    "Commandstats": _commands,
    "Errorstats": _errors,
}


def _resident() -> int:
    """Bytes of memory that the process has now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak()


def _peak() -> int:
    """Bytes of memory that the process has had at most."""
    try:
        import resource
    except ImportError:  # no Unix
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _installed() -> int:
    """Bytes of memory that the machine has; 0 where that is not known."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0


def _human(size: int) -> str:
    for unit, letter in _UNITS:
        if size >= unit:
            return f"{size / unit:.2f}{letter}"
    return f"{size}B"
