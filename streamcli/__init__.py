"""streamcli: Redis Streams at a prompt, in scripts, from Python, and in one file.

`connect` gives a redis-py client of a file or of a memory, `aconnect` its asyncio twin.
"""

TYPE_CHECKING = False  # as `typing` has it, which need not be imported for it
if TYPE_CHECKING:
    from streamcli.client import OpenError, aconnect, connect

__version__ = "0.1.0"
__all__ = ["OpenError", "__version__", "aconnect", "connect"]

if not TYPE_CHECKING:  # for a type checker there is what is imported above, and no more

    def __getattr__(name: str) -> object:
        """What is asked for here is imported then: redis-py takes longer to import than a command line to run."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from streamcli import client

        return getattr(client, name)

    def __dir__() -> list[str]:
        return __all__
