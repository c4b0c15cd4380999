"""A crash inside the process: everything that was not committed is gone."""


class Crashed(BaseException):
    """The process is gone."""


class Crasher:
    """Crashes at the n-th passing of any boundary."""

    def __init__(self) -> None:
        self.left = -1

    def __call__(self, point: str) -> None:
        if self.left == 0:
            self.left = -1
            raise Crashed(point)
        self.left -= 1
