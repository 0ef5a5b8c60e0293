"""The pace: 90 frames a second at most, a fifth of the time at most, and nobody waits for what is past."""

from hypothesis import given
from hypothesis import strategies as st

from streamchat.views.pace import FASTEST, Pace

seconds = st.floats(0, 0.5)


@given(st.lists(st.tuples(seconds, seconds), max_size=30))
def test_the_next_frame_is_never_put_off_for_longer_than_this_one_was_dear(frames: list[tuple[float, float]]) -> None:
    pace = Pace()
    now = 0.0
    for idle, spent in frames:
        now += idle
        due = pace.after(now, now + spent)
        assert due <= now + max(FASTEST, 5 * spent) + 1e-9
        now += spent  # whoever is behind does not wait


def test_so_many_in_a_second_although_each_begins_a_little_late() -> None:
    pace, now, count = Pace(), 0.0, 0
    while now < 1:
        now = pace.after(now, now + 0.001) + 0.0005
        count += 1

    assert abs(count - 1 / FASTEST) <= 1.01


def test_frames_that_are_dear_come_less_often() -> None:
    pace, now, count = Pace(), 0.0, 0
    while now < 10:
        now = pace.after(now, now + 0.05)
        count += 1

    assert count <= 50


def test_one_that_is_dear_for_once_puts_nothing_off() -> None:
    pace = Pace()
    for number in range(10):
        pace.after(float(number), number + 0.001)

    assert pace.after(10.0, 11.0) <= 12.3
    assert pace.after(11.0, 11.001) <= 11.0 + FASTEST + 0.005
