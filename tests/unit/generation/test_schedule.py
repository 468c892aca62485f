"""The course of a training: rates, and the end that a plateau brings."""

from __future__ import annotations

import pytest

from swapset.generation.schedule import Course


def test_the_rate_rises_stays_and_falls() -> None:
    course = Course(100)
    factors = [course.factor(step) for step in range(1, 101)]
    assert factors[0] < 1
    assert max(factors) == factors[30] == 1
    assert factors[-1] == pytest.approx(0.1)
    assert factors == sorted(factors[:60]) + sorted(factors[60:], reverse=True)


def looked(course: Course, losses: list[float]) -> Course:
    for k, loss in enumerate(losses, start=1):
        course.look(k * course.look_every, loss)
    return course


def test_without_improvement_the_rate_falls_and_the_end_comes() -> None:
    falling = [1 / k for k in range(1, 12)]
    course = looked(Course(1000, patience=3), falling + [falling[-1]] * 3)
    assert course.turned == 14 * 20
    assert course.end == round(14 * 20 / 0.6)
    assert course.factor(course.turned) == 1
    assert course.factor(course.end) == pytest.approx(0.1)


def test_what_improves_takes_all_its_steps() -> None:
    course = looked(Course(1000, patience=3), [0.98**k for k in range(50)])
    assert course.turned is None
    assert course.end == 1000


def test_small_gains_add_up() -> None:
    # Each look gains half of what counts as a gain: every third one is a gain.
    assert looked(Course(1000, patience=3), [0.995**k for k in range(50)]).turned is None


def test_a_slow_start_is_no_plateau() -> None:
    course = looked(Course(1000, patience=3), [1.0] * 9)
    assert course.turned is None
    assert looked(course, [1.0] * 1).turned is None
    assert looked(Course(1000, patience=3), [1.0] * 10).turned == 200


def test_while_the_rate_falls_nothing_ends_earlier() -> None:
    falling = [0.9**k for k in range(29)]
    assert looked(Course(1000, patience=3), falling + [1.0] * 21).turned is None


def test_patience_of_none_never_turns() -> None:
    assert looked(Course(1000), [1.0] * 50).turned is None
