"""The one error of the template interpreter."""


class TemplateError(ValueError):
    """A template that cannot be rendered: where (`name`, `line`) and why, never what the data held.

    `problem` quotes at most words of the template itself: the data are environment values and may be secret.
    """

    def __init__(self, name: str, line: int, problem: str) -> None:
        super().__init__(f"rendering {name}:{line}: {problem}")
        self.name = name
        self.line = line
        self.problem = problem
