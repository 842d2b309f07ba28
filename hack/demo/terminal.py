"""As much of a terminal as is needed to see what a command showed: text, colours, lines that are drawn over. Never scrolls."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[^\[]|([\r\n\b\t])|([^\x1b\r\n\b\t]+)")


@dataclass
class Screen:
    """Rows of characters, each with the colours (SGR parameters) it was written in."""

    width: int
    rows: list[dict[int, tuple[str, str]]] = field(default_factory=lambda: [{}])
    row: int = 0
    column: int = 0
    _style: tuple[str, ...] = ()
    _left: str = ""

    def feed(self, text: str) -> None:
        """What a command wrote; a sequence that is cut at the end is kept for the next time."""
        text = self._left + text
        cut = re.search(r"\x1b(\[[?0-9;]*)?$", text)
        self._left = text[cut.start() :] if cut else ""
        for found in TOKEN.finditer(text[: cut.start()] if cut else text):
            parameters, command, control, plain = found.groups()
            if command:
                self._command(parameters, command)
            elif control:
                self._control(control)
            else:
                self._write(plain or "")

    def lines(self) -> list[str]:
        """The text with its colours, no row with blanks at its end, no empty rows at the end."""
        drawn = [self._drawn(row) for row in self.rows]
        while drawn and not drawn[-1]:
            drawn.pop()
        return drawn

    def _drawn(self, row: dict[int, tuple[str, str]]) -> str:
        text, style = "", ""
        last = max((at for at, (char, _) in row.items() if char != " "), default=-1)
        for at in range(last + 1):
            char, own = row.get(at, (" ", ""))
            if own != style:
                text += ("\x1b[0m" if style else "") + (f"\x1b[{own}m" if own else "")
                style = own
            text += char
        return text + ("\x1b[0m" if style else "")

    def _write(self, text: str) -> None:
        for char in text:
            if self.column >= self.width:
                self._control("\r")
                self._control("\n")
            self.rows[self.row][self.column] = (char, ";".join(self._style))
            self.column += 1

    def _control(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = (self.column // 8 + 1) * 8
        else:
            self.row += 1
            if self.row == len(self.rows):
                self.rows.append({})

    def _command(self, parameters: str, command: str) -> None:
        numbers = [int(p) for p in parameters.split(";") if p.isdigit()]
        count = numbers[0] if numbers else 0
        if command == "m":
            self._style = _sgr(self._style, parameters)
        elif command == "A":
            self.row = max(0, self.row - max(1, count))
        elif command == "K":
            row = self.rows[self.row]
            gone = {0: lambda at: at >= self.column, 1: lambda at: at <= self.column, 2: lambda _: True}[count]
            self.rows[self.row] = {at: cell for at, cell in row.items() if not gone(at)}
        elif command == "J" and count == 0:
            self._command("0", "K")
            self.rows[self.row + 1 :] = []
        elif command in "BCDGHJ":
            raise ValueError(f"drawing the screen: ESC[{parameters}{command} is not known here")


def _sgr(style: tuple[str, ...], parameters: str) -> tuple[str, ...]:
    """The parameters that are in force after these; a foreground colour replaces the one before."""
    words = (parameters or "0").split(";")
    while words:
        word = words.pop(0)
        if word in ("0", ""):
            style = ()
            continue
        if word in ("38", "48"):
            word = ";".join([word, *words[: 2 if words[0] == "5" else 4]])
            words = words[2 if words[0] == "5" else 4 :]
        kind = _kind(word)
        style = (*(s for s in style if _kind(s) != kind), *(() if word in ("22", "39", "49") else (word,)))
    return style


def _kind(word: str) -> str:
    first = int(word.partition(";")[0])
    return "weight" if first in (1, 2, 22) else "back" if 40 <= first <= 49 else "fore" if 30 <= first <= 39 or 90 <= first <= 97 else word
