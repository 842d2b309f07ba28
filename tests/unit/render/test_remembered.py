"""What is remembered stays within its bound."""

from sealcluster.render.remembered import Remembered


def test_the_least_recently_used_goes_first() -> None:
    made: list[str] = []
    memory: Remembered[str] = Remembered(100)

    def get(key: str) -> str:
        return memory.get(key, lambda: made.append(key) or key.upper(), lambda _: 25)

    assert [get(key) for key in "abcdaea"] == list("ABCDAEA")
    assert made == list("abcde")
    assert [get(key) for key in "dcb"] == list("DCB")
    assert made == list("abcdeb")


def test_what_is_too_large_is_made_each_time() -> None:
    made: list[int] = []
    memory: Remembered[int] = Remembered(100)
    for _ in range(2):
        assert memory.get("k", lambda: made.append(1) or 7, lambda _: 51) == 7
    assert len(made) == 2
