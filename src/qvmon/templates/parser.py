"""Tokens to a tree: the grammar of Go's text/template."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from qvmon.templates.errors import Source
from qvmon.templates.lexer import Kind, Token, tokens
from qvmon.templates.numbers import character_value, number_value, string_value
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

MAX_NESTING = 100


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template text: its own body, and the templates it defines by name."""

    source: Source
    body: Body
    defined: Mapping[str, Body]


def parse(source: Source, functions: Collection[str], variables: Collection[str] = ()) -> Parsed:
    """Return the tree of a template.

    Args:
        source: Name and text.
        functions: Names that may be called.
        variables: Names (``$`` included) that are set before the template begins.

    Raises:
        TemplateError: With the line and column of what is wrong.
    """
    return _Parser(source, functions, variables).parsed()


class _Parser:
    def __init__(
        self, source: Source, functions: Collection[str], variables: Collection[str]
    ) -> None:
        self._source = source
        self._functions = functions
        self._variables = ["$", *variables]
        self._tokens = list(tokens(source))
        self._next = 0
        self._nesting = 0
        self._loops = 0
        self._defined: dict[str, Body] = {}

    def parsed(self) -> Parsed:
        body, stop = self._body(frozenset(), top=True)
        if stop.kind is not Kind.END:
            self._unexpected(stop, "input")
        return Parsed(self._source, body, self._defined)

    # --- tokens ----------------------------------------------------------------------------------

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _skip_space(self) -> Token:
        while self._peek().kind is Kind.SPACE:
            self._take()
        return self._peek()

    def _take_word(self) -> Token:
        self._skip_space()
        return self._take()

    def _fail(self, token: Token, message: str) -> NoReturn:
        raise self._source.parse_error(token.at, message)

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        shown = "EOF" if token.kind is Kind.END else f'"{token.text}"'
        if token.kind is Kind.KEYWORD:
            shown = f"{{{{{token.text}}}}}"
        self._fail(token, f"unexpected {shown} in {context}")

    def _expect(self, kind: Kind, context: str, text: str | None = None) -> Token:
        token = self._take_word()
        if token.kind is not kind or (text is not None and token.text != text):
            self._unexpected(token, context)
        return token

    # --- bodies ----------------------------------------------------------------------------------

    def _body(self, stops: frozenset[str], *, top: bool = False) -> tuple[Body, Token]:
        """Return the nodes up to a keyword among ``stops``, which is taken, or the text's end."""
        nodes: list[Node] = []
        while (token := self._take()).kind is not Kind.END:
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.at, token.text))
                continue
            word = self._skip_space()
            if word.kind is Kind.KEYWORD and word.text in stops:
                return tuple(nodes), self._take()
            nodes.append(self._action(word, top))
        if stops:
            self._fail(token, "unexpected EOF")
        return tuple(nodes), token

    def _action(self, word: Token, top: bool) -> Node:
        if word.kind is not Kind.KEYWORD or word.text == "nil":
            return Action(word.at, self._pipeline("command", Kind.CLOSE))
        readers: dict[str, Callable[[Token], Node]] = {
            "if": self._if,
            "with": self._with,
            "range": self._range,
            "break": self._leave,
            "continue": self._leave,
            "template": self._template,
            "block": self._block,
        }
        if word.text == "define" and top:
            return self._define(self._take())
        if word.text not in readers:
            self._unexpected(word, "command" if word.text != "define" else "template clause")
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail(word, f"nested deeper than {MAX_NESTING}")
        node = readers[word.text](self._take())
        self._nesting -= 1
        return node

    def _if(self, word: Token) -> Node:
        return self._branch(word, "if", rebinds=False)

    def _with(self, word: Token) -> Node:
        return self._branch(word, "with", rebinds=True)

    def _branch(self, word: Token, name: str, *, rebinds: bool) -> Node:
        scope = len(self._variables)
        pipe = self._pipeline(name, Kind.CLOSE)
        then, stop = self._body(frozenset({"else", "end"}))
        otherwise: Body = ()
        if stop.text == "else":
            after = self._skip_space()
            if after.kind is Kind.KEYWORD and after.text == name:
                otherwise = (self._branch(self._take(), name, rebinds=rebinds),)
                del self._variables[scope:]
                return If(word.at, pipe, then, otherwise, rebinds)
            self._expect(Kind.CLOSE, "else")
            otherwise, _ = self._body(frozenset({"end"}))
        self._expect(Kind.CLOSE, "end")
        del self._variables[scope:]
        return If(word.at, pipe, then, otherwise, rebinds)

    def _range(self, word: Token) -> Node:
        scope = len(self._variables)
        pipe = self._pipeline("range", Kind.CLOSE)
        self._loops += 1
        each, stop = self._body(frozenset({"else", "end"}))
        self._loops -= 1
        otherwise: Body = ()
        if stop.text == "else":
            self._expect(Kind.CLOSE, "else")
            otherwise, _ = self._body(frozenset({"end"}))
        self._expect(Kind.CLOSE, "end")
        del self._variables[scope:]
        return Range(word.at, pipe, each, otherwise)

    def _leave(self, word: Token) -> Node:
        if not self._loops:
            self._fail(word, f"{{{{{word.text}}}}} outside {{{{range}}}}")
        self._expect(Kind.CLOSE, f"{{{{{word.text}}}}}")
        return Leave(word.at, word.text == "continue")

    def _template(self, word: Token) -> Node:
        name = string_value(self._expect(Kind.STRING, "template clause").text)
        pipe = None
        if self._skip_space().kind is Kind.CLOSE:
            self._take()
        else:
            pipe = self._pipeline("template clause", Kind.CLOSE)
        return Invoke(word.at, name, pipe)

    def _block(self, word: Token) -> Node:
        name = string_value(self._expect(Kind.STRING, "block clause").text)
        pipe = self._pipeline("block clause", Kind.CLOSE)
        self._defined.setdefault(name, self._definition())
        return Invoke(word.at, name, pipe)

    def _define(self, word: Token) -> Node:
        name = string_value(self._expect(Kind.STRING, "define clause").text)
        self._expect(Kind.CLOSE, "define clause")
        if self._defined.get(name):
            self._fail(word, f'multiple definition of template "{name}"')
        self._defined[name] = self._definition()
        return Text(word.at, "")

    def _definition(self) -> Body:
        outside, self._variables = self._variables, ["$"]
        loops, self._loops = self._loops, 0
        body, _ = self._body(frozenset({"end"}))
        self._expect(Kind.CLOSE, "end")
        self._variables, self._loops = outside, loops
        return body

    # --- pipelines -------------------------------------------------------------------------------

    def _pipeline(self, context: str, end: Kind) -> Pipe:
        """Return a pipeline and take its end: ``}}``, or the parenthesis."""
        start = self._skip_space()
        declared, assigns = self._declarations(context)
        commands = [self._command(context)]
        while self._peek().text == "|" and self._peek().kind is Kind.SYMBOL:
            self._take()
            if not self._ends_pipeline(self._skip_space(), end):  # Go lets it end with a bar
                commands.append(self._command(context))
        stop = self._take()
        if not self._ends_pipeline(stop, end):
            self._unexpected(stop, context)
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.words[0], Constant | Dot):
                message = f"non executable command in pipeline stage {stage}"
                raise self._source.parse_error(command.at, message)
        if not assigns:
            self._variables.extend(declared)
        return Pipe(start.at, declared, assigns, tuple(commands))

    @staticmethod
    def _ends_pipeline(token: Token, end: Kind) -> bool:
        return token.kind is end and (end is Kind.CLOSE or token.text == ")")

    def _declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        began = self._next
        names: list[str] = []
        while self._skip_space().kind is Kind.VARIABLE:
            names.append(self._take().text)
            sign = self._skip_space()
            if sign.kind is Kind.SYMBOL and sign.text in (":=", "="):
                self._take()
                return self._declared(names, sign, context)
            if sign.text != "," or context != "range" or len(names) > 1:
                break
            self._take()
        self._next = began
        return (), False

    def _declared(
        self, names: list[str], sign: Token, context: str
    ) -> tuple[tuple[str, ...], bool]:
        if len(names) > 1 and context != "range":
            self._fail(sign, f"too many declarations in {context}")
        for name in names:
            if sign.text == "=" and name not in self._variables:
                self._fail(sign, f'undefined variable "{name}"')
        return tuple(names), sign.text == "="

    def _command(self, context: str) -> Command:
        first = self._skip_space()
        words: list[Operand] = []
        while not self._ends_command(self._skip_space()):
            words.append(self._operand())
            after = self._peek()
            if after.kind is not Kind.SPACE and not self._ends_command(after):
                self._unexpected(after, "operand")
        if not words:
            if self._peek().kind in (Kind.CLOSE, Kind.SYMBOL):
                self._fail(first, f"missing value for {context}")
            self._unexpected(self._peek(), context)
        return Command(first.at, self._shown(first), tuple(words))

    def _shown(self, first: Token) -> str:
        return self._source.text[first.at : self._peek().at].strip()

    @staticmethod
    def _ends_command(token: Token) -> bool:
        ends = token.kind is Kind.SYMBOL and token.text in "|)"
        return ends or token.kind in (Kind.CLOSE, Kind.END)

    def _operand(self) -> Operand:
        token = self._take()
        term = self._term(token)
        names: list[str] = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._take().text[1:])
        if not names:
            return term
        if isinstance(term, Field):
            return Field(term.at, (*term.names, *names))
        if isinstance(term, Variable):
            return Variable(term.at, term.name, (*term.names, *names))
        if not isinstance(term, Pipe):
            self._fail(self._tokens[self._next - 1], f"unexpected . after term {token.text!r}")
        return Chain(token.at, term, tuple(names))

    def _term(self, token: Token) -> Operand:  # noqa: PLR0911, RET503 - one line a kind of term
        match token.kind:
            case Kind.IDENTIFIER:
                return self._identifier(token)
            case Kind.DOT:
                return Dot(token.at)
            case Kind.FIELD:
                return Field(token.at, (token.text[1:],))
            case Kind.VARIABLE:
                if token.text not in self._variables:
                    self._fail(token, f'undefined variable "{token.text}"')
                return Variable(token.at, token.text, ())
            case Kind.STRING | Kind.NUMBER | Kind.CHARACTER:
                return self._constant(token)
            case Kind.SYMBOL if token.text == "(":
                return self._parenthesised(token)
            case Kind.KEYWORD if token.text == "nil":
                return Constant(token.at, "nil", None)
            case _:
                self._unexpected(token, "operand")

    def _parenthesised(self, token: Token) -> Pipe:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail(token, f"nested deeper than {MAX_NESTING}")
        pipe = self._pipeline("parenthesized pipeline", Kind.SYMBOL)
        self._nesting -= 1
        return pipe

    def _identifier(self, token: Token) -> Operand:
        if token.text in ("true", "false"):
            return Constant(token.at, token.text, token.text == "true")
        if token.text not in self._functions:
            self._fail(token, f'function "{token.text}" not defined')
        return Identifier(token.at, token.text)

    def _constant(self, token: Token) -> Constant:
        read = {
            Kind.STRING: string_value,
            Kind.NUMBER: number_value,
            Kind.CHARACTER: character_value,
        }[token.kind]
        try:
            return Constant(token.at, token.text, read(token.text))
        except ValueError as error:
            self._fail(token, str(error))
