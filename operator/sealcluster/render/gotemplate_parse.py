"""Parses the tokens of a Go template; names that do not exist are errors here, before anything is rendered."""

from collections.abc import Collection, Iterator

from sealcluster.render.gotemplate_budget import WORDS
from sealcluster.render.gotemplate_errors import TemplateError
from sealcluster.render.gotemplate_lex import Kind, Lexer, Token
from sealcluster.render.gotemplate_nodes import (
    Action,
    Branch,
    Chain,
    Choice,
    Constant,
    Field,
    Function,
    Jump,
    Nil,
    Node,
    Operand,
    Pipe,
    Range,
    Text,
    Variable,
)

MAX_DEPTH = 48  # blocks and parentheses together; each costs Python a few frames
_UNSUPPORTED = ("define", "template", "block")
_NOT_EXECUTABLE = (Constant, Nil)
_PIPE_END = (Kind.CLOSE, Kind.RIGHT)


class Parser:
    """Parses one template."""

    def __init__(self, source: str, name: str, functions: Collection[str]) -> None:
        self.words = source.count("{{")
        """How many were read so far; comments are none, so every action counts as one, too."""
        self._name = name
        self._functions = functions
        self._tokens: Iterator[Token] = Lexer(source, name).tokens()
        self._next = next(self._tokens)
        self._depth = 0
        self._loops = 0
        self._scope: list[str] = ["$"]
        self._known: dict[str, int] = {"$": 1}

    def parse(self) -> tuple[Node, ...]:
        """Return the nodes of the whole template."""
        body, end = self._body()
        if end.kind is not Kind.END:
            raise self._fail(f"unexpected {{{{{end.text}}}}}", end.line)
        return body

    def _fail(self, problem: str, line: int | None = None) -> TemplateError:
        return TemplateError(self._name, self._next.line if line is None else line, problem)

    def _advance(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._next = next(self._tokens)
            self.words += 1
            if self.words > WORDS:
                raise self._fail(f"more than {WORDS} words")
        return token

    def _is(self, kind: Kind) -> bool:
        return self._next.kind is kind

    def _enter(self, line: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fail(f"nested deeper than {MAX_DEPTH} levels", line)

    def _declare(self, name: str) -> None:
        self._scope.append(name)
        self._known[name] = self._known.get(name, 0) + 1

    def _leave(self, mark: int) -> None:
        while len(self._scope) > mark:
            self._known[self._scope.pop()] -= 1

    def _body(self) -> tuple[tuple[Node, ...], Token]:
        """Parse up to `else`, `end` or the end of the file, and return that token."""
        nodes: list[Node] = []
        while True:
            token = self._advance()
            if token.kind is Kind.END:
                return tuple(nodes), token
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.text))
                continue
            word = self._next
            if word.kind is not Kind.WORD:
                nodes.append(Action(self._pipe("command", Kind.CLOSE)))
            elif word.text in ("else", "end"):
                return tuple(nodes), self._advance()
            else:
                nodes.append(self._statement(word))

    def _statement(self, word: Token) -> Node:
        if word.text in ("if", "with"):
            return self._choice(self._advance().text, word.line)
        if word.text == "range":
            return self._range(self._advance().line)
        if word.text in ("break", "continue"):
            if not self._loops:
                raise self._fail(f"{word.text} outside of range")
            self._advance()
            self._close(word.text)
            return Jump(word.text, word.line)
        if word.text in _UNSUPPORTED:
            raise self._fail(f"{word.text!a} is not supported in cluster images")
        return Action(self._pipe("command", Kind.CLOSE))

    def _close(self, what: str) -> None:
        if self._next.kind is not Kind.CLOSE:
            raise self._fail(f"unexpected {self._next.text[:40]!a} after {what}")
        self._advance()

    def _expect_end(self, end: Token, opened: str, line: int) -> None:
        if end.kind is Kind.END:
            raise self._fail(f"{{{{{opened}}}}} is never closed with {{{{end}}}}", line)
        if end.text != "end":
            raise self._fail(f"unexpected {{{{{end.text}}}}}", end.line)
        self._close("end")

    def _choice(self, kind: str, line: int) -> Choice:
        mark = len(self._scope)
        opened = kind
        branches: list[Branch] = []
        self._enter(line)
        while True:
            pipe = self._pipe(kind, Kind.CLOSE)
            inner = len(self._scope)
            body, end = self._body()
            self._leave(inner)
            branches.append(Branch(kind, pipe, body))
            if end.kind is Kind.END or end.text == "end":
                otherwise: tuple[Node, ...] = ()
                break
            if self._next.kind is Kind.WORD and self._next.text == opened:
                kind = self._advance().text
                continue
            self._close("else")
            otherwise, end = self._body()
            break
        self._expect_end(end, opened, line)
        self._leave(mark)
        self._depth -= 1
        return Choice(tuple(branches), otherwise)

    def _range(self, line: int) -> Range:
        mark = len(self._scope)
        self._enter(line)
        pipe = self._pipe("range", Kind.CLOSE)
        inner = len(self._scope)
        self._loops += 1
        body, end = self._body()
        self._loops -= 1
        self._leave(inner)
        otherwise: tuple[Node, ...] = ()
        if end.kind is not Kind.END and end.text == "else":
            self._close("else")
            otherwise, end = self._body()
        self._expect_end(end, "range", line)
        self._leave(mark)
        self._depth -= 1
        return Range(pipe, body, otherwise)

    def _pipe(self, context: str, until: Kind) -> Pipe:
        line = self._next.line
        declares, assigns, first = self._declarations(context)
        commands = self._commands(context, until, first)
        # A variable can be used from the pipeline's end on, not in its own definition.
        for name in declares:
            if assigns:
                self._check_known(name, line)
            else:
                self._declare(name)
        return Pipe(line, declares, assigns, commands)

    def _declarations(self, context: str) -> tuple[tuple[str, ...], bool, Token | None]:
        """Return the variables set, whether they exist already, and an operand that was read too far."""
        names: tuple[str, ...] = ()
        while self._is(Kind.VARIABLE):
            variable = self._advance()
            if self._next.kind in (Kind.DECLARE, Kind.ASSIGN):
                return (*names, variable.text), self._advance().kind is Kind.ASSIGN, None
            if self._is(Kind.COMMA) and context == "range" and not names:
                self._advance()
                names = (variable.text,)
                continue
            if not names:
                return (), False, variable
            break
        if names:
            raise self._fail("range can only initialize variables")
        return (), False, None

    def _check_known(self, name: str, line: int) -> None:
        if not self._known.get(name):
            raise self._fail(f"undefined variable {name[:40]!a}", line)

    def _commands(self, context: str, until: Kind, first: Token | None) -> tuple[tuple[Operand, ...], ...]:
        commands: list[tuple[Operand, ...]] = []
        while True:
            command = self._command(first)
            first = None
            if not command:
                problem = f"missing value for {context}" if not commands else "empty command in pipeline"
                raise self._fail(problem)
            head = command[0]
            if commands and (isinstance(head, _NOT_EXECUTABLE) or head == Field(())):
                raise self._fail(f"non executable command in pipeline stage {len(commands) + 1}")
            commands.append(command)
            if self._next.kind is Kind.PIPE:
                self._advance()
                continue
            if self._next.kind is not until:
                raise self._fail(f"unexpected {self._next.text[:40]!a} in {context}")
            self._advance()
            return tuple(commands)

    def _command(self, first: Token | None) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while True:
            token = first
            first = None
            if token is None:
                if self._next.kind is Kind.PIPE or self._next.kind in _PIPE_END:
                    return tuple(operands)
                if operands and not self._next.spaced:
                    raise self._fail(f"unexpected {self._next.text[:40]!a} in operand")
                token = self._advance()
            operands.append(self._operand(token))

    def _operand(self, token: Token) -> Operand:
        if token.kind is Kind.FIELD:
            return Field((token.text, *self._path()))
        if token.kind is Kind.VARIABLE:
            self._check_known(token.text, token.line)
            return Variable(token.text, self._path())
        if token.kind is Kind.LEFT:
            self._enter(token.line)
            pipe = self._pipe("parenthesized pipeline", Kind.RIGHT)
            self._depth -= 1
            return Chain(pipe, self._path())
        if token.kind is Kind.WORD and token.text not in ("true", "false", "nil"):
            if token.text not in self._functions:
                raise self._fail(f"function {token.text[:40]!a} is not supported", token.line)
            return Function(token.text)
        operand = self._literal(token)
        if self._next.kind is Kind.FIELD and not self._next.spaced:
            raise self._fail("unexpected . after a literal", token.line)
        return operand

    def _literal(self, token: Token) -> Operand:
        if token.kind is Kind.DOT:
            return Field(())
        if token.kind is Kind.STRING:
            return Constant(token.text)
        if token.kind is Kind.NUMBER:
            return Constant(token.number)
        if token.kind is Kind.WORD:
            return Nil() if token.text == "nil" else Constant(token.text == "true")
        raise self._fail(f"unexpected {token.text[:40]!a}", token.line)

    def _path(self) -> tuple[str, ...]:
        path: list[str] = []
        while self._next.kind is Kind.FIELD and not self._next.spaced:
            path.append(self._advance().text)
        return tuple(path)
