"""A backend that is a cluster: each command goes to the node that serves its keys.

Every node is a Remote of its own, so that what holds for one server holds here:
nothing is sent twice by itself, and Ctrl-C ends any wait. A node that answers
MOVED, ASK or TRYAGAIN has done nothing, so that the command is sent on.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final

from streamcli import errors
from streamcli.backend import LostError, Server, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote import splitting, whole
from streamcli.backend.remote.attended import Attended
from streamcli.backend.remote.gathering import PARTS_MOST, Gatherer
from streamcli.backend.remote.nodes import Nodes
from streamcli.backend.remote.one import Remote
from streamcli.backend.remote.replicas import NOT_YET, OF_THE_CONNECTION
from streamcli.backend.remote.slots import AGAIN_SECONDS, REDIRECTS_MOST, Place, key_slot, redirect
from streamcli.backend.remote.splitting import Reading
from streamcli.grammar.parse import Call, parse
from streamcli.reply import OK, QUEUED, Error, Reply

_OF_A_TRANSACTION: Final = frozenset((b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH"))
_CHANNELS: Final = (b"SSUBSCRIBE", b"SPUBLISH")  # their first word has a slot, like a key


class Cluster(Attended):
    """A cluster, by way of the node that was named. `address` says how; the seed is connected already."""

    def __init__(self, seed: Remote, address: Address, told: Reply = None) -> None:
        """`told` is what the seed has answered to CLUSTER SLOTS; without it the first command asks."""
        super().__init__()
        self._address = address
        self._nodes = Nodes(seed, address, self._attend_to, lambda: self._stopped)
        self._gatherer = Gatherer(self._nodes, self._route, self.tick, self._note)
        self._bound: Remote | None = None  # the node of the open transaction, or of the watched keys
        self._held: list[Sequence[bytes]] | None = None  # after MULTI, before its node is known
        self._answered: Remote = seed
        self._said: set[str] = set()
        self._nodes.stale = not self._nodes.slots.learn(told, self._nodes.seed_place)

    def _attend_to(self, node: Remote) -> None:
        self.attend(node)
        node.follows = True

    # -- what the prompt shows -------------------------------------------------------------

    @property
    def target(self) -> str:
        return f"cluster {self._address}"

    @property
    def db(self) -> int:
        return self._nodes.seed.db

    @property
    def user(self) -> str | None:
        return self._nodes.seed.user

    @property
    def queued(self) -> int | None:
        if self._held is not None:
            return len(self._held)
        return None if self._bound is None else self._bound.queued

    @property
    def server(self) -> Server | None:
        server = self._nodes.seed.server or Server("", "")
        return server._replace(mode="cluster")

    # -- commands ---------------------------------------------------------------------------

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        self._stopped, self._busy = False, True
        try:
            return self._one(argv, arriving=arriving)
        except LostError:
            self._nodes.stale = True
            raise
        finally:
            self._busy = False

    def _one(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if self._nodes.stale:
            self._nodes.learn()
        return self._run(parse(argv), arriving)

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        from streamcli.backend.remote.ahead import by_node

        self._stopped, self._busy = False, True
        try:
            if self._nodes.stale:
                self._nodes.learn()
            yield from by_node(argvs, self._node_of, self._one, _sent_elsewhere, window)
        except LostError:
            self._nodes.stale = True
            raise
        finally:
            self._busy = False

    def _node_of(self, argv: Sequence[bytes]) -> Remote | None:
        """The one node that a command is for; None when it has no keys, or several."""
        keys = splitting.keys_of(parse(argv))
        return self._node(key_slot(keys[0])) if keys and len(keys) == 1 else None

    def _run(self, call: Call, arriving: bool) -> Reply:
        argv = call.argv
        name = argv[0].upper()
        if self._bound is not None and not self._bound.state.binds:
            self._bound = None
        if self.queued is not None and whole.is_about_all(call):
            self._say_once(f"in a transaction {name.decode()} is about one node only")
        if name == b"RESET":
            return self._of_the_connection(argv)
        if self._held is not None:
            return self._hold(call)
        if self._bound is not None and (self._bound.queued is not None or name in _OF_A_TRANSACTION):
            return self._at_the_bound(self._bound, argv)
        if name == b"MULTI" and not call.problems:
            self._held = []  # sent when it is known where to
            return OK
        if name in OF_THE_CONNECTION:
            return self._of_the_connection(argv)
        together = self._apart(call)
        if together is not None:
            return together[0]
        reply = self._send(call, arriving)
        if name == b"WATCH" and self._answered.state.binds:
            self._bound = self._answered
        return reply

    def _at_the_bound(self, node: Remote, argv: Sequence[bytes]) -> Reply:
        reply = node.execute(argv)
        if argv[0].upper() == b"EXEC":
            self._nodes.follow(node)  # who we are may have been changed in the transaction
        return reply

    def _of_the_connection(self, argv: Sequence[bytes]) -> Reply:
        """What one connection is told, all others are told when they are used next.

        It is the one that watches, if there is one: the others can be made again.
        """
        if argv[0].upper() == b"RESET":
            self._held = None
            if self._bound is not None:
                self._bound.drop()  # with what was queued and watched
                self._bound.state.lost()
                self._bound = None
        node = self._bound or self._nodes.seed
        reply = node.execute(argv)
        if not isinstance(reply, Error):
            self._nodes.follow(node)
        return reply

    # -- one command on several nodes ------------------------------------------------------------

    def _apart(self, call: Call) -> tuple[Reply] | None:
        """The reply to what is taken apart; None when it is a command for one node."""
        if not self._nodes.slots.primaries:
            return None
        if whole.is_about_all(call):
            places = self._nodes.slots.primaries
            self._say_once(whole.HOW[call.argv[0].upper()].format(len(places)))
            return (whole.ask(call, places, self._at_primary),)
        reading = splitting.reading(call)
        if reading is not None:
            return self._read(call, reading)
        if call.argv[0].upper() in splitting.COUNTING and call.command is not None and not call.problems:
            parts = splitting.by_slot(call.argv[1:])
            if len(parts) > 1:
                self._say_once("keys of several slots: each slot's are sent to its node, and the numbers added up")
                return (self._count(call, list(parts.values())),)
        return None

    def _at_primary(self, place: Place, argv: Sequence[bytes]) -> Reply:
        return self._nodes.at(place).execute(argv)

    def _read(self, call: Call, reading: Reading) -> tuple[Reply] | None:
        whole_argv: list[bytes] | None = None
        if reading.waits_for_new:
            # Wherever the wait has to begin again, on another node, it is for what came after this moment.
            self._gatherer.resolve(reading, lambda key: self._send(parse((b"XINFO", b"STREAM", key)), False))
            whole_argv = reading.whole()
        number = len(reading.parts)
        if number == 1:
            return None if whole_argv is None else (self._send(parse(whole_argv), False),)
        if number > PARTS_MOST:
            return (Error(f"ERR the streams are in {number} slots; {PARTS_MOST} can be read at a time"),)
        self._say_once(f"the streams are in {number} slots: read node by node, and put together")
        return (self._gatherer.read(reading),)

    def _count(self, call: Call, parts: list[list[bytes]]) -> Reply:
        total = done = 0
        for keys in parts:
            before = f"{done} of its {len(call.argv) - 1} keys had been dealt with"
            try:
                reply = self._send(parse([call.argv[0], *keys]), False)
            except (LostError, UnreachableError) as error:
                if not done:
                    raise
                raise LostError(f"{error}; {before}") from None
            if not isinstance(reply, int):
                return Error(f"{reply.text} ({before})") if isinstance(reply, Error) and done else reply
            total += reply
            done += len(keys)
        return total

    # -- one command on one node --------------------------------------------------------------

    def _send(self, call: Call, arriving: bool) -> Reply:
        """The reply of the node that it belongs to, wherever that turns out to be."""
        argv: Sequence[bytes] = call.argv
        keys = self._keys(call)
        slot = key_slot(keys[0]) if keys else None
        reads = call.command is not None and not call.command.writes and "readonly" in call.command.flags
        node = self._node(slot, reads)
        pauses = list(AGAIN_SECONDS)
        began = time.monotonic()
        asking, failed = False, 0
        reply: Reply = None
        for _ in range(REDIRECTS_MOST):
            try:
                if asking:
                    node.execute((b"ASKING",))
                reply = node.execute(argv, arriving=arriving)
            except UnreachableError as error:
                failed += 1
                node = self._instead(node, slot, error, failed)
                asking = False
                continue
            self._answered = node
            there = redirect(reply, self._nodes.place(node))
            if there is not None:
                if not there.asks and self._nodes.slots.move(there.slot, there.place):
                    self._nodes.stale = True
                node, asking = self._nodes.at(there.place), there.asks
                argv = _with_time_left(call, began)
            elif isinstance(reply, Error) and reply.code == "TRYAGAIN" and pauses:
                self._pause(pauses.pop(0))
            elif isinstance(reply, Error) and reply.code in NOT_YET and node.state.address.replica:
                node = self._node(slot)
            else:
                break
        if isinstance(reply, Error) and reply.code in ("CLUSTERDOWN", "MASTERDOWN"):
            self._nodes.stale = True
        return reply

    def _keys(self, call: Call) -> list[bytes]:
        """By the table; of what it does not know, by a node's own word for it."""
        keys = splitting.keys_of(call)
        if keys is not None:
            return keys
        if call.argv[0].upper() in _CHANNELS:
            return list(call.argv[1:2])
        if len(call.argv) < 2 or not self._nodes.slots.primaries:
            return []
        reply = self._nodes.seed.browse((b"COMMAND", b"GETKEYS", *call.argv))
        return [key for key in reply if isinstance(key, bytes)] if isinstance(reply, list) else []

    def _route(self, slot: int, reads: bool) -> tuple[Place, bool]:
        """Where a slot is served, and whether by a replica."""
        owner = self._nodes.slots.owner(slot)
        if owner is None:
            return self._nodes.seed_place, False
        replicas = self._nodes.slots.replicas(owner) if reads and self._address.replica else ()
        if reads and self._address.replica and not replicas:
            self._say_once("there is no replica to read from; the primary is read")
        return (replicas[0], True) if replicas else (owner, False)

    def _node(self, slot: int | None, reads: bool = False) -> Remote:
        if slot is None or self._nodes.slots.owner(slot) is None:
            return self._nodes.seed
        return self._nodes.at(*self._route(slot, reads))

    def _instead(self, node: Remote, slot: int | None, error: UnreachableError, failed: int) -> Remote:
        """Who else can be asked, when nothing could be sent to this node. Raises UnreachableError."""
        place = self._nodes.place(node)
        if node.state.address.replica and slot is not None:
            self._say_once(f"the replica {place} cannot be reached; the primary is read")
            return self._node(slot)
        self._nodes.learn(without=place)
        if slot is None:  # any node will do
            others = [at for at in self._nodes.slots.primaries if at != place]
            if failed > len(others):
                raise error
            self._nodes.seed = self._nodes.at(others[failed - 1])
            return self._nodes.seed
        other = self._node(slot)
        if other is node or failed >= REDIRECTS_MOST // 2:
            raise UnreachableError(f"{error}; slot {slot} is there, as the cluster says") from None
        return other

    # -- transactions ------------------------------------------------------------------------------

    def _hold(self, call: Call) -> Reply:
        """A command after MULTI, before the transaction's node is known: the first that has a key says it."""
        assert self._held is not None
        name = call.argv[0].upper()
        if name == b"DISCARD" and not call.problems:
            self._held = None
            return OK
        if name == b"MULTI" and not call.problems:
            return errors.NESTED_MULTI
        keys = self._keys(call)
        plain = call.command is not None and call.rejected is None and call.command.queued
        if not keys and plain:
            self._held.append(call.argv)
            return QUEUED
        return self._bind(call, self._node(key_slot(keys[0])) if keys else self._nodes.seed)

    def _bind(self, call: Call, node: Remote) -> Reply:
        """Begin the transaction at this node, or where it sends us, and send what was held and this."""
        reply: Reply = None
        for _ in range(REDIRECTS_MOST):
            held = self._held or []
            reply = self._begin(node, held)
            if isinstance(reply, Error):
                return reply
            reply = node.execute(call.argv)
            there = redirect(reply, self._nodes.place(node))
            if there is None or there.asks or node.queued != len(held):
                break
            # Nothing but what has no keys is queued there: it can as well be queued elsewhere.
            node.execute((b"DISCARD",))
            self._bound, self._held = None, held
            if self._nodes.slots.move(there.slot, there.place):
                self._nodes.stale = True
            node = self._nodes.at(there.place)
        return reply

    def _begin(self, node: Remote, held: list[Sequence[bytes]]) -> Reply:
        """MULTI, and the commands that were held. Raises UnreachableError with everything still held."""
        try:
            reply = node.execute((b"MULTI",))
            if isinstance(reply, Error):
                return reply
            self._held, self._bound = None, node
            for argv in held:
                node.execute(argv)
        except LostError:
            self._held = None
            raise
        return OK

    # -- waiting and stopping ---------------------------------------------------------------------

    def _pause(self, seconds: float) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        time.sleep(seconds)

    def stop(self, *, writes: bool) -> None:
        super().stop(writes=writes)
        for node in self._nodes.all():  # one that is listened to, too
            node.stop(writes=writes)

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._note(line)

    # -- beside the session -----------------------------------------------------------------------

    def beside(self) -> Cluster:
        return Cluster(self._nodes.seed.beside(), self._address)

    def browse(self, argv: Sequence[bytes]) -> Reply:
        try:
            return self._browse(parse(argv))
        except Exception as error:
            return Error(f"ERR {type(error).__name__}")

    def _browse(self, call: Call) -> Reply:
        if self._nodes.stale:
            self._nodes.learn()
        places = self._nodes.slots.primaries
        if places and whole.is_about_all(call):
            return whole.ask(call, places, lambda place, words: self._nodes.at(place).browse(words))
        reading = splitting.reading(call)
        if reading is not None and len(reading.parts) > 1:
            replies = [self._browse_at(reading.argv(part), part.slot) for part in reading.parts]
            failed = [reply for reply in replies if isinstance(reply, Error)]
            protocol = self._nodes.seed.link.protocol
            return failed[0] if failed else reading.together(replies, protocol)
        keys = splitting.keys_of(call)
        return self._browse_at(call.argv, key_slot(keys[0]) if keys else None)

    def _browse_at(self, argv: Sequence[bytes], slot: int | None) -> Reply:
        node = self._node(slot, reads=True)
        reply = node.browse(argv)
        for _ in range(3):
            there = redirect(reply, self._nodes.place(node))
            if there is None:
                break
            if not there.asks:
                self._nodes.slots.move(there.slot, there.place)
            node = self._nodes.at(there.place)
            reply = node.browse(argv, before=(b"ASKING",)) if there.asks else node.browse(argv)
        return reply

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        """A sharded channel's node is its slot's; what MONITOR shows is one node's."""
        name = argv[0].upper()
        node = self._nodes.seed
        if name == b"SSUBSCRIBE" and len(argv) > 1:
            node = self._node(key_slot(argv[1]))
        if name == b"MONITOR":
            self._note(f"MONITOR shows what {self._nodes.place(node)} does, one node of the cluster")
        for reply in node.listen(argv):
            there = redirect(reply, self._nodes.place(node))
            if there is None:
                yield reply
                continue
            self._nodes.slots.move(there.slot, there.place)
            yield from self._nodes.at(there.place).listen(argv)
            return

    def close(self) -> None:
        self._gatherer.close()
        self._nodes.close()


def _with_time_left(call: Call, began: float) -> Sequence[bytes]:
    """The command, and if it blocks for the rest of its time: its slot has moved while it did."""
    reading = splitting.reading(call)
    if reading is None or not reading.block_ms or len(reading.parts) != 1:
        return call.argv
    left_ms = reading.block_ms - int((time.monotonic() - began) * 1000)
    return reading.argv(reading.parts[0], max(1, left_ms))


def _sent_elsewhere(reply: Reply) -> bool:
    """Did the node do nothing, because it is another's, or not its yet?"""
    return isinstance(reply, Error) and reply.code in ("MOVED", "ASK", "TRYAGAIN")
