"""Splits a Go template into tokens: text outside of `{{ }}`, and the small language inside."""

import enum
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sealcluster.render.gotemplate_errors import TemplateError

_SPACE = " \t\r\n"
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"[+-]?\w+")
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
}
_NUMERIC_ESCAPE = re.compile(r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}")
_TERMINATORS = ".,|:)("
MAX_INT = 2**63 - 1


class Kind(enum.Enum):
    """What a token is."""

    TEXT = "text"
    OPEN = "{{"
    CLOSE = "}}"
    WORD = "word"
    FIELD = "field"
    DOT = "."
    VARIABLE = "variable"
    STRING = "string"
    NUMBER = "number"
    DECLARE = ":="
    ASSIGN = "="
    PIPE = "|"
    LEFT = "("
    RIGHT = ")"
    COMMA = ","
    END = "end of file"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `spaced` says that white space stands before it, which separates arguments."""

    kind: Kind
    text: str
    line: int
    spaced: bool = False
    number: int = 0


_SINGLE = {"|": Kind.PIPE, "(": Kind.LEFT, ")": Kind.RIGHT, ",": Kind.COMMA, "=": Kind.ASSIGN}


class Lexer:
    """Iterates over the tokens of one template."""

    def __init__(self, source: str, name: str) -> None:
        self._source = source
        self._name = name
        self._at = 0
        self._line = 1

    def tokens(self) -> Iterator[Token]:
        """Yield every token, the last one of kind END."""
        trim = False
        while True:
            start = self._source.find("{{", self._at)
            end = len(self._source) if start < 0 else start
            text = self._source[self._at : end]
            line = self._line
            self._line += text.count("\n")
            text = text.lstrip(_SPACE) if trim else text
            if start < 0:
                if text:
                    yield Token(Kind.TEXT, text, line)
                break
            self._at = start + 2
            if self._source[self._at : self._at + 1] == "-" and self._char(1) in _SPACE and self._char(1):
                text = text.rstrip(_SPACE)
                self._at += 1
            if text:
                yield Token(Kind.TEXT, text, line)
            if self._source.startswith("/*", self._comment_start()):
                trim = self._comment()
                continue
            yield Token(Kind.OPEN, "{{", self._line)
            trim = yield from self._action()
        yield Token(Kind.END, "", self._line)

    def _char(self, ahead: int = 0) -> str:
        return self._source[self._at + ahead : self._at + ahead + 1]

    def _fail(self, problem: str) -> TemplateError:
        return TemplateError(self._name, self._line, problem)

    def _comment_start(self) -> int:
        # A trim marker is one dash and one space: a comment may follow it, but not more space.
        return self._at + 1 if self._source[self._at - 1] == "-" else self._at

    def _comment(self) -> bool:
        start = self._comment_start()
        end = self._source.find("*/", start)
        if end < 0:
            raise self._fail("unclosed comment")
        self._line += self._source.count("\n", self._at, end)
        self._at = end + 2
        trim, length = self._closing()
        if not length:
            raise self._fail("a comment must end right before the closing braces")
        self._at += length
        return trim

    def _closing(self) -> tuple[bool, int]:
        """Whether the closing braces stand here, with or without trim marker, and their length."""
        if self._char() and self._char() in _SPACE and self._source.startswith("-}}", self._at + 1):
            return True, 4
        return (False, 2) if self._source.startswith("}}", self._at) else (False, 0)

    def _action(self) -> Generator[Token, None, bool]:
        spaced = False
        while True:
            trim, length = self._closing()
            if length:
                self._line += self._source.count("\n", self._at, self._at + length)
                self._at += length
                yield Token(Kind.CLOSE, "}}", self._line, spaced)
                return trim
            char = self._char()
            if not char:
                raise self._fail("unclosed action")
            if char in _SPACE:
                self._line += char == "\n"
                self._at += 1
                spaced = True
                continue
            yield self._token(char, spaced)
            spaced = False

    def _token(self, char: str, spaced: bool) -> Token:
        line = self._line
        if char == ":":
            if self._char(1) != "=":
                raise self._fail("expected :=")
            self._at += 2
            return Token(Kind.DECLARE, ":=", line, spaced)
        if char in _SINGLE:
            self._at += 1
            return Token(_SINGLE[char], char, line, spaced)
        if char == '"':
            return Token(Kind.STRING, self._quoted(), line, spaced)
        if char == "`":
            return Token(Kind.STRING, self._raw(), line, spaced)
        if char == "$":
            self._at += 1
            return Token(Kind.VARIABLE, "$" + self._name_after("variable"), line, spaced)
        if char == "." and not self._char(1).isdigit():
            self._at += 1
            word = self._name_after("field")
            return Token(Kind.FIELD if word else Kind.DOT, word or ".", line, spaced)
        if char.isdigit() or char in "+-.":
            return Token(Kind.NUMBER, char, line, spaced, self._number())
        if _WORD.match(char):
            return Token(Kind.WORD, self._name_after("word"), line, spaced)
        raise self._fail(f"unexpected {char!a} in action")

    def _name_after(self, what: str) -> str:
        match = _WORD.match(self._source, self._at)
        word = match.group() if match else ""
        self._at += len(word)
        self._check_terminated(what, word)
        return word

    def _check_terminated(self, what: str, word: str) -> None:
        char = self._char()
        if char and char not in _SPACE and char not in _TERMINATORS and not self._source.startswith("}}", self._at):
            raise self._fail(f"unexpected {char!a} after {what} {word[:40]!a}")

    def _quoted(self) -> str:
        out: list[str] = []
        self._at += 1
        while True:
            char = self._char()
            self._at += 1
            if char in ("", "\n"):
                raise self._fail("unterminated string")
            if char == '"':
                return "".join(out)
            out.append(self._escape() if char == "\\" else char)

    def _escape(self) -> str:
        char = self._char()
        if char in _ESCAPES and char:
            self._at += 1
            return _ESCAPES[char]
        match = _NUMERIC_ESCAPE.match(self._source, self._at)
        if match is None:
            raise self._fail(f"unsupported escape \\{char} in string")
        self._at = match.end()
        code = int(match.group()[1:], 16)
        if (char == "x" and code > 0x7F) or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            raise self._fail(f"unsupported escape \\{match.group()} in string")
        return chr(code)

    def _raw(self) -> str:
        end = self._source.find("`", self._at + 1)
        if end < 0:
            raise self._fail("unterminated raw string")
        text = self._source[self._at + 1 : end]
        self._line += text.count("\n")
        self._at = end + 1
        return text.replace("\r", "")

    def _number(self) -> int:
        match = _NUMBER.match(self._source, self._at)
        text = match.group() if match else self._char()
        self._at += len(text)
        self._check_terminated("number", text)
        digits = text.lstrip("+-")
        try:
            if len(digits) > 70 or self._char() == ".":
                raise ValueError(text)
            octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
            number = int(digits, 8) if octal else int(digits, 0)
        except ValueError:
            raise self._fail(f"unsupported number {text[:40]!a}: only whole numbers are understood") from None
        number = -number if text.startswith("-") else number
        if not -MAX_INT - 1 <= number <= MAX_INT:
            raise self._fail(f"number {text[:40]!a} overflows 64 bits")
        return number
