"""How the same stream can come: cut into other packets, and written in other ways that the format allows."""

import json
import random
from collections.abc import Callable, Iterable, Iterator

from tests.wire.payload import Packets

Respell = Callable[[Iterable[bytes]], Packets]


# Cuts


def at_once(packets: Iterable[bytes]) -> Packets:
    """Everything in one packet."""
    return [b"".join(packets)]


def each_byte(packets: Iterable[bytes]) -> Packets:
    """Every byte alone."""
    return [bytes((byte,)) for byte in b"".join(packets)]


def in_the_middle(packets: Iterable[bytes]) -> Packets:
    """Each event cut into two halves, the second of which comes with the first of the next."""
    halves = [half for each in packets for half in (each[: len(each) // 2], each[len(each) // 2 :])]
    return [halves[0], *(a + b for a, b in zip(halves[1:-1:2], halves[2::2], strict=True)), halves[-1]]


def at_random(seed: int, packets: Iterable[bytes]) -> Packets:
    """Cut where a seeded generator says."""
    whole = b"".join(packets)
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(len(whole)), k=min(len(whole), 40)))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True) if a < b]


# Spellings


def crlf(packets: Iterable[bytes]) -> Packets:
    return [each.replace(b"\n", b"\r\n") for each in packets]


def cr(packets: Iterable[bytes]) -> Packets:
    return [each.replace(b"\n", b"\r") for each in packets]


def crlf_cut(packets: Iterable[bytes]) -> Packets:
    """CR LF with a packet's end between the two."""
    pieces = b"".join(crlf(packets)).split(b"\n")
    return [pieces[0], *(b"\n" + piece for piece in pieces[1:])]


def bom(packets: Iterable[bytes]) -> Packets:
    first, *rest = packets
    return [b"\xef\xbb\xbf" + first, *rest]


def no_space(packets: Iterable[bytes]) -> Packets:
    return [each.replace(b"data: ", b"data:").replace(b"event: ", b"event:") for each in packets]


def comments(packets: Iterable[bytes]) -> Packets:
    """Keep-alives as OpenRouter sends them, between events and inside of them."""
    return [b": OPENROUTER PROCESSING\n\n:\n" + each for each in packets]


def ids_and_retry(packets: Iterable[bytes]) -> Packets:
    """An `id:` with each event, events of `retry:` alone, blank lines."""
    return list(_ids_and_retry(packets))


def _ids_and_retry(packets: Iterable[bytes]) -> Iterator[bytes]:
    yield b"retry: 3000\n\n"
    for number, each in enumerate(packets):
        yield b"id: %d\n" % number + each
        yield b"id: %d\n\n\n" % number


def many_data_lines(packets: Iterable[bytes]) -> Packets:
    """JSON over several `data:` lines."""
    return [_many_data_lines(each) for each in packets]


def _many_data_lines(packet: bytes) -> bytes:
    head, mark, body = packet.partition(b"data: ")
    if not body.startswith(b"{"):
        return packet
    spread = json.dumps(json.loads(body), indent=0, ensure_ascii=True).encode()
    return head + b"".join(mark + line + b"\n" for line in spread.split(b"\n")) + b"\n"


SPLITS: dict[str, Respell] = {
    "as it is": list,
    "at once": at_once,
    "each byte": each_byte,
    "in the middle": in_the_middle,
    "at random 1": lambda packets: at_random(1, packets),
    "at random 2": lambda packets: at_random(2, packets),
}
SPELLINGS: dict[str, Respell] = {
    "CR LF": crlf,
    "CR": cr,
    "CR LF cut": crlf_cut,
    "BOM": bom,
    "no space": no_space,
    "comments": comments,
    "ids and retry": ids_and_retry,
    "many data lines": many_data_lines,
}
