"""Walks the nodes of a parsed template and prints them."""

from collections.abc import Mapping

from sealcluster.render.gotemplate_budget import Budget
from sealcluster.render.gotemplate_errors import TemplateError
from sealcluster.render.gotemplate_funcs import FUNCTIONS, Signature
from sealcluster.render.gotemplate_nodes import (
    Action,
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
from sealcluster.render.gotemplate_values import NO_VALUE, Value, ValueProblem, display, kind, truth


class _Absent:
    """Marks that no value comes from the previous command of a pipeline; nil is a value."""


_ABSENT = _Absent()


class Evaluator:
    """Renders one template once."""

    def __init__(self, name: str, data: Mapping[str, Value], budget: Budget) -> None:
        self._name = name
        self._budget = budget
        self._line = 1
        self._out: list[str] = []
        self._values: dict[str, list[Value]] = {"$": [data]}
        self._scope: list[str] = []
        self._data = data

    def render(self, nodes: tuple[Node, ...]) -> str:
        """Return what the nodes print."""
        try:
            self._walk(nodes, self._data)
        except ValueProblem as problem:
            raise TemplateError(self._name, self._line, str(problem)) from None
        except UnicodeError:
            raise TemplateError(self._name, self._line, "text that is not Unicode") from None
        return "".join(self._out)

    def _walk(self, nodes: tuple[Node, ...], dot: Value) -> str:
        """Print the nodes; return "break" or "continue" when one of them said so."""
        for node in nodes:
            self._budget.step()
            jump = ""
            if isinstance(node, Text):
                self._print(node.text)
            elif isinstance(node, Action):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.declares:
                    self._print(NO_VALUE if value is None else display(value))
            elif isinstance(node, Choice):
                jump = self._choice(node, dot)
            elif isinstance(node, Range):
                self._range(node, dot)
            elif isinstance(node, Jump):
                return node.kind
            if jump:
                return jump
        return ""

    def _print(self, text: str) -> None:
        self._budget.emit(len(text))
        self._out.append(text)

    def _leave(self, mark: int) -> None:
        while len(self._scope) > mark:
            self._values[self._scope.pop()].pop()

    def _declare(self, name: str, value: Value) -> None:
        self._values.setdefault(name, []).append(value)
        self._scope.append(name)

    def _choice(self, node: Choice, dot: Value) -> str:
        mark = len(self._scope)
        body, inner = node.otherwise, dot
        for branch in node.branches:
            value = self._pipe(branch.pipe, dot)
            if truth(value):
                body, inner = branch.body, value if branch.kind == "with" else dot
                break
        jump = self._walk(body, inner)
        self._leave(mark)
        return jump

    def _range(self, node: Range, dot: Value) -> None:
        outer = len(self._scope)
        values = self._pipe(node.pipe, dot)  # Go, too, shows the whole list to the else part
        items = self._items(values)
        for index, item in items:
            mark = len(self._scope)
            self._budget.step()
            self._bind(node.pipe, index, item)
            jump = self._walk(node.body, item)
            self._leave(mark)
            if jump == "break":
                break
        if not items:
            self._walk(node.otherwise, dot)
        self._leave(outer)

    def _bind(self, pipe: Pipe, index: Value, item: Value) -> None:
        pairs = zip(pipe.declares, (index, item) if len(pipe.declares) > 1 else (item,), strict=True)
        for name, value in pairs if pipe.declares else ():
            self._set(name, value, pipe.assigns)

    def _set(self, name: str, value: Value, assigns: bool) -> None:
        if assigns:
            self._variable(name)[-1] = value
        else:
            self._declare(name, value)

    def _variable(self, name: str) -> list[Value]:
        values = self._values.get(name)
        if not values:  # declared by an argument that `and` or `or` never came to
            raise ValueProblem(f"undefined variable {name[:40]!a}")
        return values

    def _items(self, values: Value) -> list[tuple[Value, Value]]:
        if isinstance(values, list | tuple):
            self._budget.spend(len(values))
            return list(enumerate(values))
        if isinstance(values, Mapping):
            self._budget.spend(len(values))
            return sorted(values.items(), key=lambda item: str(item[0]))
        if values is None:
            return []
        raise ValueProblem(f"range can't iterate over a {kind(values)}")

    def _pipe(self, pipe: Pipe, dot: Value) -> Value:
        self._line = pipe.line
        value: Value = _ABSENT
        for command in pipe.commands:
            value = self._command(command, dot, value)
        for name in pipe.declares:
            self._set(name, value, pipe.assigns)
        self._line = pipe.line
        return value

    def _command(self, command: tuple[Operand, ...], dot: Value, piped: Value) -> Value:
        self._budget.step()
        head = command[0]
        if isinstance(head, Function):
            return self._call(head.name, command[1:], dot, piped)
        if len(command) > 1 or piped is not _ABSENT:
            raise ValueProblem("can't give an argument to something that is no function")
        if isinstance(head, Nil):
            raise ValueProblem("nil is not a command")
        return self._operand(head, dot)

    def _operand(self, operand: Operand, dot: Value) -> Value:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Field):
            return self._path(dot, operand.path)
        if isinstance(operand, Variable):
            return self._path(self._variable(operand.name)[-1], operand.path)
        if isinstance(operand, Chain):
            line = self._line
            value = self._pipe(operand.pipe, dot)
            self._line = line
            return self._path(value, operand.path)
        if isinstance(operand, Function):
            return self._call(operand.name, (), dot, _ABSENT)
        return None

    def _path(self, value: Value, path: tuple[str, ...]) -> Value:
        for name in path:
            self._budget.step()
            if value is None:
                return None
            if not isinstance(value, Mapping):
                raise ValueProblem(f"can't evaluate field {name[:40]!a} in a {kind(value)}")
            value = value.get(name)
        kind(value)
        return value

    def _call(self, name: str, operands: tuple[Operand, ...], dot: Value, piped: Value) -> Value:
        signature = FUNCTIONS[name]
        count = len(operands) + (piped is not _ABSENT)
        if count < len(signature.takes) or (count > len(signature.takes) and not signature.rest):
            raise ValueProblem(f"wrong number of arguments for {name}: got {count}, wants {len(signature.takes)}")
        if name in ("and", "or"):
            return self._decide(name == "or", operands, dot, piped)
        values = [self._operand(operand, dot) for operand in operands]
        values += [] if piped is _ABSENT else [piped]
        for position, value in enumerate(values):
            self._check(name, signature, position, value)
        try:
            result = signature.call(self._budget, *values)
        except ValueProblem as problem:
            raise ValueProblem(f"calling {name}: {problem}") from None
        if isinstance(result, str):
            self._budget.spend(len(result))
        return result

    def _decide(self, until: bool, operands: tuple[Operand, ...], dot: Value, piped: Value) -> Value:
        value: Value = None
        for operand in operands:
            value = self._operand(operand, dot)
            if truth(value) is until:
                return value
        return value if piped is _ABSENT else piped

    def _check(self, name: str, signature: Signature, position: int, value: Value) -> None:
        wanted = signature.takes[position] if position < len(signature.takes) else signature.rest
        actual = kind(value)
        if isinstance(value, str):
            self._budget.spend(len(value))
        if wanted not in ("any", actual):
            hint = " (a missing key? use default)" if value is None else ""
            raise ValueProblem(f"argument {position + 1} of {name} must be a {wanted}, not {actual}{hint}")
