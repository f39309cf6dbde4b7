"""What a tape says when it cannot be made: always where, what was found, and what would be right."""


class TapeError(ValueError):
    """A tape that cannot be read or made. The text names the file and line (or the argument), the value, the remedy."""

    def __init__(self, where: str, found: object, remedy: str) -> None:
        super().__init__(f"{where}: {found!r}: {remedy}")
        self.where = where
        self.found = found
        self.remedy = remedy


def at_line(path: object, line: int, field: str = "") -> str:
    """The place of a mistake in a file, as every reader of this package writes it."""
    return f"{path}, line {line}" + (f", {field}" if field else "")
