"""Work in a second process beside this one, for reports so large that one processor takes too long."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_IT = 1000
"""Results. For fewer, starting a process takes longer than it saves."""

KILLED = "its second process was killed; free memory and try again"

T = TypeVar("T")


@contextmanager
def beside(work: Callable[[], Iterable[T]], results: int) -> Iterator[Iterator[T]]:
    """Do ``work`` for so many ``results`` while the block runs, which gets what the work yields and takes all of it.

    The work's process is a copy of this one (fork), so it sees all data and changes nothing here. What it yields is
    pickled; it goes on when the block has taken it, so little of it is there twice. For few results the work is done
    here, where the block asks for it. What the work raises is raised there too. Raises ChildProcessError if the process
    was killed.
    """
    if results < WORTH_IT:
        yield iter(work())
        return
    from multiprocessing import get_context  # takes 20 ms

    context = get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, reader, writer), daemon=True)
    process.start()
    writer.close()
    try:
        yield _received(reader)
    finally:
        reader.close()
        process.kill()  # it has ended, unless the block failed
        process.join()


def _send(work: Callable[[], Iterable[Any]], reader: Connection, writer: Connection) -> None:
    reader.close()  # so that sending to a process that is gone fails
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other process's, which ends this one
    with suppress(BrokenPipeError):
        raised = None
        try:
            for item in work():
                writer.send((True, item))
        except BrokenPipeError:
            raise
        except Exception as error:
            raised = error
        writer.send((False, raised))


def _received(reader: Connection) -> Iterator[Any]:
    while True:
        try:
            more, item = reader.recv()
        except EOFError:
            raise ChildProcessError(KILLED) from None
        if not more:
            break
        yield item
    if item is not None:
        raise item
