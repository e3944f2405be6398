"""Words of a command that only a server knows, matched as its documentation tells them.

Such a description says less than the table does: not in which order options are
read, nor where one list of words ends and the next begins. So a word is given a
role where there is one for it, and nothing is ever wrong. Options that stand
beside each other may come in any order; a list goes on to the next keyword, or
leaves as many words as what follows it needs; `numkeys` and its like say how long it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from streamcli.grammar.spec import Arg, Argv, Loose, Option, Piece, Role

_COUNTS = "num"  # how the names of arguments begin that say how many words come: numkeys, numfields
_COUNT_DIGITS = 6  # of such a number that is worth reading
_NO_LIMIT = 10**_COUNT_DIGITS
_AGAIN_MAX = 60  # characters that a syntax line shows twice


class Keyword(Option):
    """A token of a server's command; how the words behind it are written, its node knows."""

    __slots__ = ("node",)

    def __init__(self, token: str, args: Iterable[Arg], since: str | None, note: str) -> None:
        super().__init__(token, *args, since=since, note=note)
        self.node: Node | None = None

    def words_pieces(self) -> Iterator[Piece]:
        body = list(_body(self.node)) if self.node is not None else []
        if body:
            yield " ", ()
            yield from body


class Node:
    """A keyword, a word, both, or several nodes: a row of them, or a choice.

    `many`: it may be repeated; `again`: with its keyword each time.
    """

    __slots__ = ("again", "choice", "inner", "keyword", "least", "many", "optional", "tokens", "word")

    def __init__(
        self,
        *,
        keyword: Keyword | None = None,
        word: Arg | None = None,
        inner: tuple[Node, ...] = (),
        choice: bool = False,
        optional: bool = False,
        many: bool = False,
        again: bool = False,
    ) -> None:
        self.keyword, self.word, self.inner, self.choice = keyword, word, inner, choice
        self.optional, self.many, self.again = optional, many, again
        sizes: list[int] = [node.least for node in inner] or [0]
        least = (keyword is not None) + (word is not None) + (min(sizes) if choice else sum(sizes))
        self.least: int = 0 if optional else least
        self.tokens = self._tokens()
        if keyword is not None:
            keyword.node = self

    def _tokens(self) -> frozenset[bytes]:
        """The tokens it may begin with; empty when it may begin with any word."""
        if self.keyword is not None:
            return frozenset((self.keyword.token.upper().encode(),))
        if self.word is not None or not self.inner:
            return frozenset()
        found: set[bytes] = set()
        for node in self.inner:
            if not node.tokens:
                return frozenset()
            found |= node.tokens
            if not self.choice and not node.optional:
                break
        return frozenset(found)

    def args(self) -> Iterator[Arg]:
        """Every argument in it."""
        if self.word is not None:
            yield self.word
        for node in self.inner:
            yield from node.args()


def part(nodes: tuple[Node, ...]) -> Loose:
    """The nodes as a part of a command."""

    def match(argv: Argv, at: int, draft: bool) -> tuple[list[Role | None], list[Arg | Option]]:
        matcher = _Matcher(argv, at, draft)
        matcher.row(nodes, frozenset(), 0)
        roles = matcher.roles[: max(0, len(argv) - at)]
        return roles + [None] * (len(argv) - at - len(roles)), matcher.expected

    return Loose(match, lambda: _beside(nodes))


# -- syntax lines ------------------------------------------------------------------------


def _beside(nodes: Sequence[Node]) -> Iterator[Piece]:
    for index, node in enumerate(nodes):
        if index:
            yield " ", ()
        yield from _written(node)


def _written(node: Node) -> Iterator[Piece]:
    """`name`, `[name]`, `name [name ...]`, `<A | B>`, `[TOKEN name [name ...]]`."""
    brackets = ("[", "]") if node.optional else ("<", ">") if node.choice and node.keyword is None else ("", "")
    if brackets[0]:
        yield brackets[0], ()
    once = list(_once(node))
    yield from _listed(once) if node.many and (node.again or node.keyword is None) else once
    if brackets[1]:
        yield brackets[1], ()


def _once(node: Node) -> Iterator[Piece]:
    body = list(_body(node))
    if node.keyword is not None:
        yield node.keyword.token, (node.keyword.role,)
        if body:
            yield " ", ()
    yield from body


def _body(node: Node) -> Iterator[Piece]:
    """What stands behind the keyword."""
    listed = node.many and node.keyword is not None and not node.again
    pieces = list(_choices(node) if node.choice else [*_word(node), *_beside(node.inner)])
    bracket = node.choice and node.keyword is not None
    pieces = [("<", ()), *pieces, (">", ())] if bracket else pieces
    yield from _listed(pieces) if listed and pieces else pieces


def _listed(pieces: list[Piece]) -> Iterator[Piece]:
    """`name [name ...]`; `a long one ...`."""
    yield from pieces
    if sum(len(text) for text, _ in pieces) > _AGAIN_MAX:
        yield " ...", ()
        return
    yield " [", ()
    yield from pieces
    yield " ...]", ()


def _word(node: Node) -> Iterator[Piece]:
    if node.word is not None:
        yield node.word.shown or node.word.name, (node.word.role,)


def _choices(node: Node) -> Iterator[Piece]:
    for index, one in enumerate(node.inner):
        if index:
            yield " | ", ()
        yield from _once(one) if one.optional and not one.many else _written(one)


# -- matching ----------------------------------------------------------------------------


class _Matcher:
    """One pass over the words, greedy: it never goes back."""

    def __init__(self, argv: Argv, at: int, draft: bool) -> None:
        self.argv, self.at, self.argc, self.draft = argv, at, len(argv), draft
        self.roles: list[Role | None] = []
        self.expected: list[Arg | Option] = []
        self.settled = False  # a word that must come next is known, or a word has no place: nothing follows
        self._count = _NO_LIMIT  # of the list that comes next

    def row(self, nodes: Sequence[Node], follow: frozenset[bytes], need: int) -> None:
        """Nodes beside each other; behind them come the tokens `follow`, and at least `need` words."""
        index = 0
        while index < len(nodes) and not self.settled:
            end = index
            while end < len(nodes) and nodes[end].tokens:
                end += 1
            if end > index:
                self._in_any_order(nodes[index:end], follow | _tokens_of(nodes[end:]), need + _least(nodes[end:]))
                index = end
            else:
                index += 1
                self._repeated(
                    nodes[index - 1], follow | _tokens_of(nodes[index:]), need + _least(nodes[index:]), _NO_LIMIT
                )

    def _in_any_order(self, nodes: Sequence[Node], follow: frozenset[bytes], need: int) -> None:
        """Nodes that begin with keywords."""
        left, due = list(nodes), [node for node in nodes if not node.optional]
        mine = frozenset[bytes]().union(*(node.tokens for node in nodes))
        while self.at < self.argc and not self.settled:
            word = self.argv[self.at].upper()
            node = next((node for node in left if word in node.tokens), None)
            if node is None:
                if word in follow or not due:
                    break
                if word in mine:
                    self._put(None)  # once more; what it would mean is not known
                    continue
                self.settled = True  # a keyword should be here
                break
            if not (node.many and (node.again or node.keyword is None)):
                left.remove(node)
            due = [one for one in due if one is not node]
            self._once(node, follow | mine, need)
        if self.at >= self.argc and not self.settled:
            for node in left:
                self._expect(node)
            self.settled = bool(due)

    def _repeated(self, node: Node, follow: frozenset[bytes], need: int, most: int) -> None:
        """A node that may begin with any word, as often as it may come."""
        count = 0
        if node.many:
            most, self._count = min(most, self._count), _NO_LIMIT
        while not self.settled and count < (most if node.many else 1):
            if self.at >= self.argc:
                self._expect(node)
                self.settled = most != _NO_LIMIT or (not count and not node.optional)
                return
            if node.optional or count:
                if most == _NO_LIMIT and self.argv[self.at].upper() in follow:
                    return
                least = max(1, sum(inner.least for inner in node.inner))
                if not self.draft and self.argc - self.at < need + least and most == _NO_LIMIT:
                    return
            before = self.at
            self._once(node, follow, need)
            if self.at == before:
                return
            count += 1

    def _once(self, node: Node, follow: frozenset[bytes], need: int) -> None:
        if node.keyword is not None:
            self._put(node.keyword.role)
            if node.many and not node.again and (node.word is not None or node.inner):
                body = Node(word=node.word, inner=node.inner, choice=node.choice, many=True)
                self._repeated(body, follow, need, _NO_LIMIT)
                return
        if node.word is not None:
            self._word(node.word)
        elif node.choice:
            self._choose(node, follow, need)
        elif node.inner:
            self.row(node.inner, follow, need)

    def _choose(self, node: Node, follow: frozenset[bytes], need: int) -> None:
        if self.at >= self.argc:
            for inner in node.inner:
                self._expect(inner)
            self.settled = True
            return
        word = self.argv[self.at].upper()
        free = (one for one in node.inner if not one.tokens)
        chosen = next((one for one in node.inner if word in one.tokens), None) or next(free, None)
        if chosen is None:
            self._put(None)
        elif chosen.tokens:
            self._in_any_order((chosen,), follow, need)
        else:
            self._repeated(chosen, follow, need, _NO_LIMIT)

    def _word(self, arg: Arg) -> None:
        if self.at >= self.argc:
            self.expected.append(arg)
            self.settled = True
            return
        if arg.name.startswith(_COUNTS):
            digits = self.argv[self.at]
            self._count = int(digits) if digits.isdigit() and len(digits) <= _COUNT_DIGITS else _NO_LIMIT
        self._put(arg.role)

    def _put(self, role: Role | None) -> None:
        self.roles.append(role)
        self.at += 1

    def _expect(self, node: Node) -> None:
        """What the node may begin with."""
        if node.keyword is not None:
            self.expected.append(node.keyword)
        elif node.word is not None:
            self.expected.append(node.word)
        else:
            for inner in node.inner:
                self._expect(inner)
                if not node.choice and not inner.optional:
                    return


def _tokens_of(nodes: Sequence[Node]) -> frozenset[bytes]:
    """The tokens that one of the nodes begins with, as far as the next word that must come."""
    found: frozenset[bytes] = frozenset()
    for node in nodes:
        found |= node.tokens
        if not node.optional and not node.tokens:
            break
    return found


def _least(nodes: Sequence[Node]) -> int:
    return sum(node.least for node in nodes)
