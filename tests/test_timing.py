import pytest

from course_utils import timing


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (35e-6, "35 µs"),
        (4.1e-3, "4.1 ms"),
        (0.1, "0.1 s"),
        (12.34, "12.3 s"),
        (99.96, "1 min 40 s"),
        (125, "2 min 05 s"),
    ],
)
def test_readable(seconds, text):
    assert timing.readable(seconds) == text


def test_clocks_nest_and_each_toc_has_its_tic(clock, capsys):
    timing.tic()
    clock[0] += 2
    timing.tic()
    clock[0] += 3
    assert timing.toc() == 3
    assert timing.toc() == 5
    assert capsys.readouterr().out == "elapsed: 3.0 s\nelapsed: 5.0 s\n"
    with pytest.raises(RuntimeError, match="call tic"):
        timing.toc()


def test_toc_shows_its_seconds_once_in_its_own_cell(clock, capsys):
    timing.tic()
    seconds = timing.toc()
    seconds._ipython_display_()  # the end of the cell with toc()
    assert capsys.readouterr().out == "elapsed: 0 µs\n"
    seconds._ipython_display_()  # a later cell that asks for them
    assert capsys.readouterr().out == "0 µs\n"


def test_timer_times_a_block_that_raises(clock):
    def block(timer):
        with timer:
            clock[0] += 4
            raise KeyError

    timer = timing.Timer()
    with pytest.raises(KeyError):
        block(timer)
    assert timer.seconds == 4
