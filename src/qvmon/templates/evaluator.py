"""Tree and values to text: how Go's text/template executes, inside bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qvmon.templates.errors import CallError, Source, TemplateError
from qvmon.templates.parser import Parsed
from qvmon.templates.syntax import (
    Action,
    Body,
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Identifier,
    If,
    Invoke,
    Leave,
    Node,
    Operand,
    Pipe,
    Range,
    Text,
    Variable,
)
from qvmon.templates.values import (
    Function,
    Map,
    Methods,
    Opaque,
    Slice,
    Struct,
    Value,
    text_of,
    truth,
    type_name,
)

MAX_DEPTH = 50
MAX_STEPS = 200_000
MAX_OUTPUT_CHARACTERS = 1 << 20

_KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "int": int, "bool": bool}


@dataclass(frozen=True, slots=True)
class _Nothing:
    """What an absent last argument, or a value that is not there, is."""


_NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class _Use:
    """Where a word stands: its command, the dot, and the value piped into the command."""

    command: Command
    dot: Value
    last: Value


class _Break(Exception):  # noqa: N818 - control flow of the template, not a failure
    pass


class _Continue(Exception):  # noqa: N818 - control flow of the template, not a failure
    pass


def execute(
    template: Parsed,
    dot: Value,
    functions: Mapping[str, Function],
    variables: Mapping[str, Value],
) -> str:
    """Return the text of a template.

    Args:
        template: The parsed template.
        dot: The value of ``.`` at its start.
        functions: Every function it may call, by name.
        variables: Values of the variables set before it begins, ``$`` included in the names.

    Raises:
        TemplateError: A function refused its arguments, a field is not there, or the template
            takes too long, nests too deep or writes too much.
        QueryNeeded: It needs the result of a query that was not supplied.
    """
    run = _Execution(template, functions)
    run.variables = [("$", dot), *variables.items()]
    run.body(template.body, dot)
    return "".join(run.out)


class _Execution:
    def __init__(self, template: Parsed, functions: Mapping[str, Function]) -> None:
        self.out: list[str] = []
        self.variables: list[tuple[str, Value]] = []
        self._template = template
        self._source: Source = template.source
        self._functions = functions
        self._written = 0
        self._steps = 0
        self._depth = 0

    # --- nodes -----------------------------------------------------------------------------------

    def body(self, body: Body, dot: Value) -> None:
        for node in body:
            self._node(node, dot)

    def _node(self, node: Node, dot: Value) -> None:
        self._step(node.at)
        match node:
            case Text(at, text):
                self._write(at, text)
            case Action(at, pipe):
                value = self._pipe(pipe, dot)
                if not pipe.variables:
                    self._write(at, "<no value>" if value is None else text_of(value))
            case If():
                self._if(node, dot)
            case Range():
                self._range(node, dot)
            case Leave(_, again):
                raise _Continue if again else _Break
            case Invoke():
                self._invoke(node, dot)

    def _if(self, node: If, dot: Value) -> None:
        scope = len(self.variables)
        value = self._pipe(node.pipe, dot)
        inner = value if node.rebinds else dot
        self.body(node.then, inner) if truth(value) else self.body(node.otherwise, dot)
        del self.variables[scope:]

    def _range(self, node: Range, dot: Value) -> None:
        scope = len(self.variables)
        pairs = self._pairs(node, self._pipe(node.pipe, dot, declares=False))
        names = node.pipe.variables
        for key, value in pairs:
            self._step(node.at)
            inner = len(self.variables)
            given = (value,) if len(names) == 1 else (key, value)
            for name, each in zip(names, given, strict=False):
                self._set(name, each, node.pipe.assigns)
            try:
                self.body(node.each, value)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self.variables[inner:]
        if not pairs:
            self.body(node.otherwise, dot)
        del self.variables[scope:]

    def _pairs(self, node: Range, value: Value) -> list[tuple[Value, Value]]:
        if isinstance(value, Map):
            return [(key, value.items[key]) for key in sorted(value.items)]
        if isinstance(value, Slice):
            return list(enumerate(value.items))
        if isinstance(value, int) and not isinstance(value, bool):
            return [(each, each) for each in range(min(value, MAX_STEPS + 1))]
        if value is None:
            return []
        raise self._error(node.at, f"range can't iterate over {text_of(value)}")

    def _invoke(self, node: Invoke, dot: Value) -> None:
        body = self._template.defined.get(node.name)
        if body is None:
            raise self._error(node.at, f'template "{node.name}" not defined')
        value = None if node.pipe is None else self._pipe(node.pipe, dot)
        if self._depth >= MAX_DEPTH:
            raise self._error(node.at, f"exceeded maximum template depth ({MAX_DEPTH})")
        outside, self.variables = self.variables, [("$", value)]
        self._depth += 1
        self.body(body, value)
        self._depth -= 1
        self.variables = outside

    # --- pipelines -------------------------------------------------------------------------------

    def _pipe(self, pipe: Pipe, dot: Value, *, declares: bool = True) -> Value:
        value: Value = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, value)
        if declares:
            for name in pipe.variables:
                self._set(name, value, pipe.assigns)
        return value

    def _set(self, name: str, value: Value, assigns: bool) -> None:
        if assigns:
            for at in range(len(self.variables) - 1, -1, -1):
                if self.variables[at][0] == name:
                    self.variables[at] = (name, value)
                    return
        self.variables.append((name, value))

    def _command(self, command: Command, dot: Value, last: Value) -> Value:
        self._step(command.at)
        first, use = command.words[0], _Use(command, dot, last)
        match first:
            case Identifier(at, name):
                return self._call_by_name(at, name, use)
            case Field(at, names):
                return self._fields(dot, names, at, use)
            case Variable(at, name, names) if names:
                return self._fields(self._variable(name), names, at, use)
            case Chain(at, of, names):
                return self._fields(self._pipe(of, dot), names, at, use)
        if command.words[1:] or last is not _NOTHING:
            shown = command.shown.split()[0] if command.shown else "."
            raise self._error(first.at, f"can't give argument to non-function {shown}", command)
        return self._operand(first, use)

    def _operand(self, word: Operand, use: _Use) -> Value:
        match word:
            case Dot():
                return use.dot
            case Constant(at, _, value):
                if value is None and len(use.command.words) == 1:
                    raise self._error(at, "nil is not a command", use.command)
                return value
            case Variable(_, name, ()):
                return self._variable(name)
            case Pipe():
                return self._pipe(word, use.dot)
            case _:
                command = Command(word.at, use.command.shown, (word,))
                return self._command(command, use.dot, _NOTHING)

    def _variable(self, name: str) -> Value:
        return next(value for known, value in reversed(self.variables) if known == name)

    # --- fields and calls ------------------------------------------------------------------------

    def _fields(self, value: Value, names: tuple[str, ...], at: int, use: _Use) -> Value:
        for name in names[:-1]:
            value = self._field(value, name, at, _Use(_bare(use.command), use.dot, _NOTHING))
        return self._field(value, names[-1], at, use)

    def _field(self, value: Value, name: str, at: int, use: _Use) -> Value:
        method, arguments = _methods(value).get(name), use.command.words[1:]
        if method is not None:
            given = [value, *(self._operand(word, use) for word in arguments)]
            bound = Function(method.call, ("any", *method.parameters), method.variadic)
            return self._call(at, name, bound, given, use)
        if arguments or use.last is not _NOTHING:
            message = f"{name} has arguments but cannot be invoked as function"
            raise self._error(at, message, use.command)
        if isinstance(value, Map):
            return value.items.get(name, value.zero)
        if isinstance(value, Struct) and name in value.fields:
            return value.fields[name]
        if value is not None:
            message = f"can't evaluate field {name} in type {type_name(value)}"
            raise self._error(at, message, use.command)
        if use.dot is not None:
            message = f"nil pointer evaluating interface {{}}.{name}"
            raise self._error(at, message, use.command)
        return None

    def _call_by_name(self, at: int, name: str, use: _Use) -> Value:
        words = use.command.words[1:]
        if name in ("and", "or"):
            return self._short_circuit(at, name, words, use)
        given = [self._operand(word, use) for word in words]
        return self._call(at, name, self._functions[name], given, use)

    def _short_circuit(self, at: int, name: str, words: tuple[Operand, ...], use: _Use) -> Value:
        if not words and use.last is _NOTHING:
            message = f"wrong number of args for {name}: want at least 1 got 0"
            raise self._error(at, message, use.command)
        value: Value = None
        for word in words:
            value = self._operand(word, use)
            if truth(value) is (name == "or"):
                return value
        return value if use.last is _NOTHING else use.last

    def _call(self, at: int, name: str, function: Function, given: list[Value], use: _Use) -> Value:
        if use.last is not _NOTHING:
            given = [*given, use.last]
        fixed = len(function.parameters)
        if len(given) < fixed or (len(given) > fixed and not function.variadic):
            want = f"at least {fixed}" if function.variadic else str(fixed)
            message = f"wrong number of args for {name}: want {want} got {len(given)}"
            raise self._error(at, message, use.command)
        kinds = (*function.parameters, *[function.variadic] * (len(given) - fixed))
        for kind, value in zip(kinds, given, strict=True):
            if not _fits(kind, value):
                message = f"wrong type for value; expected {kind}; got {type_name(value)}"
                raise self._error(at, message, use.command)
        try:
            return function.call(*given)
        except CallError as error:
            raise self._error(at, f"error calling {name}: {error}", use.command) from None

    # --- bounds and errors -----------------------------------------------------------------------

    def _step(self, at: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise self._error(at, f"more than {MAX_STEPS} steps")

    def _write(self, at: int, text: str) -> None:
        self._written += len(text)
        if self._written > MAX_OUTPUT_CHARACTERS:
            raise self._error(at, f"more than {MAX_OUTPUT_CHARACTERS} characters of output")
        self.out.append(text)

    def _error(self, at: int, message: str, command: Command | None = None) -> TemplateError:
        line, column = self._source.place(at)
        name = self._source.name
        shown = f" at <{command.shown}>" if command and command.shown else ""
        text = f'template: {name}:{line}:{column - 1}: executing "{name}"{shown}: {message}'
        return TemplateError(text, line, column)


def _bare(command: Command) -> Command:
    return Command(command.at, command.shown, command.words[:1])


def _methods(value: Value) -> Methods:
    return value.methods if isinstance(value, Struct | Map | Slice | Opaque) else {}


def _fits(kind: str, value: Value) -> bool:
    if kind == "any":
        return True
    python = _KINDS.get(kind)
    if python is None:
        return type_name(value) == kind
    return isinstance(value, python) and not (kind == "int" and isinstance(value, bool))
