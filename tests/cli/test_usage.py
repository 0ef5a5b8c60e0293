"""What an answer used and cost: under it, by -u, and summed by `streamchat usage`, by the real program."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamchat.chat import Reply
from streamchat.events import Stop, Text, Usage
from streamchat.prices import Cost, cost
from streamchat.views.footer import figures, joined, summary
from tests.cli.person import conversations, seen
from tests.program import run
from tests.wire.answers import chat_answer
from tests.wire.chat import chat_chunk
from tests.wire.scenario import stream
from tests.wire.server import Server

KEY = {"OPENAI_API_KEY": "sk-test-1"}


def priced(server: Server, *args: str, **how: Any) -> Any:
    server.play(stream(chat_answer(["Hello."], usage=(1000, 200))))
    return run("ask", "-m", "openai/gpt-5", "--base-url", server.v1, "Hi", *args, env=KEY, **how)


# under an answer


def test_usage_goes_to_stderr_with_an_estimated_cost(server: Server) -> None:
    """1000 tokens in, 4 of them cached, at $1.25 and $0.125 a million, 200 out at $10."""
    result = priced(server, "-u")

    assert result.out == "Hello.\n"
    assert result.err.startswith("streamchat: 1,000 in · 4 cached · 200 out · ")
    assert result.err.endswith(" · ~$0.0032\n") and "first token" in result.err


def test_the_footer_has_the_same_figures(server: Server) -> None:
    line = seen(priced(server, terminal=(140, 24)), 140)[-1]

    assert line.startswith("openai · gpt-5 · 1,000 in · 4 cached · 200 out · ") and line.endswith("~$0.0032")


def test_a_narrow_footer_leaves_out_what_matters_least(server: Server) -> None:
    lines = seen(priced(server, terminal=(36, 24)), 36)

    assert lines[-1].startswith("openai · gpt-5 · ") and lines[-1].endswith("~$0.0032")
    assert lines[-2] == "", "it is one line"


def test_usage_on_a_terminal_is_the_footer_with_all_of_its_figures(server: Server) -> None:
    screen = priced(server, "-u", terminal=(36, 24)).screen.decode()  # where its rows end depends on the speed

    assert screen.count("openai · gpt-5 · 1,000 in · 4 cached · 200 out · ") == screen.count("200 out") == 1
    assert "first token" in screen


def test_the_providers_own_figure_is_no_estimate(server: Server) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.25}
    server.play(stream(chat_answer(["Hi"], usage=None, done=False), [chat_chunk(usage=usage), b"data: [DONE]\n\n"]))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "-u", "Hi")

    assert result.err.endswith(" · $0.25\n")


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("vllm", "gpt-5", Usage(10, 10)),
        ("openai", "no-such-model", Usage(10, 10)),
        ("openai", "gpt-5", Usage(10)),
        ("openai", "gpt-5", Usage(10, 1, cached_tokens=99)),
    ],
)
def test_what_is_not_known_costs_nothing_that_is_said(provider: str, model: str, usage: Usage) -> None:
    assert cost(provider, model, usage) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Cost(0.00001, estimated=True), "~<$0.0001"),
        (Cost(0.0032), "$0.0032"),
        (Cost(1234.5), "$1,234.50"),
        (Cost(0.0), "$0.0000"),
        (Cost(1.0) + Cost(0.5, estimated=True), "~$1.50"),
    ],
)
def test_money(value: Cost, words: str) -> None:
    assert str(value) == words


def test_phrases_go_in_the_order_of_what_matters() -> None:
    reply = Reply(provider="openai", model="gpt-5")
    for event in (Text("x"), Usage(1000, 200, cached_tokens=4, reasoning_tokens=50), Stop("length")):
        reply.add(event)
    reply.first_token, reply.elapsed = 0.5, 2.5
    found = summary(reply, title="openai · gpt-5", note="a note")

    whole = (
        "openai · gpt-5 · 1,000 in · 4 cached · 200 out · 50 reasoning · 100 tokens/s · first token 0.50 s · 2.50 s"
        " · ~$0.0032 · length · a note"
    )
    assert joined(found) == joined(found, len(whole)) == whole
    assert joined(found, len(whole) - 1) == whole.replace(" · first token 0.50 s", "")
    assert joined(found, 1) == "openai · gpt-5 · length · a note"


def test_tokens_that_nobody_counted_are_estimated() -> None:
    reply = Reply()
    reply.add(Text("x" * 399))

    assert figures(reply)[0] == "~100 out"


# summed


def kept(model: str, days_ago: float, *usage: int) -> None:
    """An answer in the store."""
    provider, _, name = model.partition("/")
    time = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    figures = dict(zip(("input_tokens", "output_tokens"), usage, strict=False))
    lines: list[dict[str, Any]] = [
        {"type": "conversation", "version": 1, "id": "", "created": time},
        {"type": "message", "id": "q", "role": "user", "content": "Hi", "time": time},
        {"type": "reply", "id": "a", "parent": "q", "provider": provider, "model": name, "time": time},
        {"type": "end", "stop_reason": "stop", "usage": {"type": "usage", **figures}},
    ]
    folder = conversations() / "2026" / "01"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"kept{len(list(folder.iterdir())):04}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_the_store_is_summed_by_model() -> None:
    kept("openai/gpt-5", 1, 1_000_000, 100_000)
    kept("openai/gpt-5", 2, 1_000_000, 100_000)
    kept("ollama/qwen", 1, 500, 70)
    kept("ollama/qwen", 1)
    result = run("usage")

    assert [line.split() for line in result.out.splitlines()] == [
        ["answers", "in", "out", "cost"],
        ["openai/gpt-5", "2", "2,000,000", "200,000", "~$4.50"],
        ["ollama/qwen", "2", "500", "70"],
        ["total", "4", "2,000,500", "200,070", "~$4.50"],
    ]
    assert "1 answer without figures" in result.err and "1 answer of models without a known price" in result.err


def test_since_and_by_day_list_the_days_between_too() -> None:
    for days in (40, 3, 1):
        kept("vllm/m", days, 10, days)
    document = json.loads(run("usage", "--since", "30d", "--by", "day", "--json").out)

    assert [row["output_tokens"] for row in document["rows"]] == [3, 0, 1]
    first = datetime.now() - timedelta(days=3)
    assert document["rows"][0]["name"] == first.date().isoformat()
    assert document["total"] | {"name": ""} == {
        "name": "",
        "answers": 2,
        "uncounted": 0,
        "input_tokens": 20,
        "cached_tokens": 0,
        "output_tokens": 4,
        "reasoning_tokens": 0,
        "unpriced": 2,
        "cost": None,
        "estimated": False,
    }


def test_a_terminal_has_bars_as_wide_as_it_is() -> None:
    kept("vllm/big", 1, 10, 400)
    kept("vllm/half", 1, 10, 200)
    for width in (100, 60):
        lines = seen(run("usage", terminal=(width, 24)), width)
        bars = [line.count("█") for line in lines]
        assert bars[0] == bars[3] == 0 and bars[1] == pytest.approx(2 * bars[2], abs=1)
        assert width - 2 <= len(lines[1]) < width or bars[1] == 60

    narrow = seen(run("usage", terminal=(24, 24)), 24)
    assert [line.split() for line in narrow[:2]] == [["out", "cost"], ["vllm/big", "400"]]


def test_bars_have_colours_unless_nobody_wants_them() -> None:
    kept("vllm/m", 1, 10, 400)

    assert b"\x1b[36m" in run("usage", terminal=(80, 24)).screen
    assert b"\x1b" not in run("usage", terminal=(80, 24), env={"NO_COLOR": "1"}).screen
    accessible = run("usage", terminal=(80, 24), env={"ACCESSIBLE": "1"}).screen.decode()
    assert "█" not in accessible and "400" in accessible


def test_an_empty_store_says_so() -> None:
    result = run("usage")

    assert (result.out, result.err, result.status) == ("", "streamchat: no answer is kept\n", 0)
    assert run("usage", "--since", "soon").status == 2
