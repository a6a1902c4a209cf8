import pytest

from course_utils import choices

PROFILES = ("fast", "full")


def test_a_choice_is_returned():
    assert choices.one_of("profile", "full", PROFILES) == "full"
    assert choices.one_of("profile", "full", {"full": 1}) == "full"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("fats", "profile must be one of fast, full: got 'fats'; did you mean 'fast'?"),
        (" FULL", "profile must be one of fast, full: got ' FULL'; did you mean 'full'?"),
        ("slow", "profile must be one of fast, full: got 'slow'"),
        ("", "profile must be one of fast, full: got ''"),
        (None, "profile must be one of fast, full: got None"),
        (3, "profile must be one of fast, full: got 3"),
    ],
)
def test_an_unknown_one_is_answered_with_the_nearest(value, said):
    with pytest.raises(ValueError, match="profile") as caught:
        choices.one_of("profile", value, PROFILES)
    assert str(caught.value) == said


def test_names_with_capitals_come_back_as_they_are_written():
    assert (
        choices.did_you_mean("l2 Everywher", ["L2 everywhere"]) == "did you mean 'L2 everywhere'?"
    )


def test_nothing_near_gives_the_other_sentence():
    assert choices.did_you_mean("zebra", PROFILES, "there are two") == "there are two"
    assert choices.did_you_mean("zebra", []) == ""


def test_the_caller_may_name_the_exception():
    with pytest.raises(LookupError, match="got 'fats'"):
        choices.one_of("profile", "fats", PROFILES, error=LookupError)
