"""Go's template parser, long because it is one grammar; what we lack is refused by name."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from schemas.templates import blocks, numbers
from schemas.templates.blocks import Action, Block, Call, If, Leave, Range, Statement, Words
from schemas.templates.errors import BadTemplate
from schemas.templates.lexer import T, Token, tokens
from schemas.templates.literals import integer, unescaped
from schemas.templates.quoting import quoted
from schemas.templates.tree import (
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Literal,
    Nil,
    Operand,
    Pipeline,
    Variable,
)

_DEEPEST = 60
"""Blocks and parentheses inside one another; a template of people has three."""
_UNSUPPORTED = {"call": "there are no functions to call", "js": "no text here is JavaScript"}
_TERMS = frozenset(
    {T.BOOL, T.RUNE, T.DOT, T.FIELD, T.IDENTIFIER, T.NUMBER, T.NIL, T.RAW, T.STRING, T.VARIABLE}
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template's statements, and the templates that it defines."""

    block: Block
    definitions: Mapping[str, Block]


@dataclass(frozen=True, slots=True)
class _End:
    """`end` or `else`, which closes a block; `chained` is the `if` or `with` after `else`."""

    word: str
    chained: str = ""


def parse(text: str, functions: Container[str], variables: tuple[str, ...] = ("$",)) -> Parsed:
    """Reads a template that may use these functions and variables; raises BadTemplate."""
    parser = _Parser(text, functions, variables)
    block = parser.whole()
    return Parsed(block, parser.definitions)


class _Parser:
    def __init__(self, text: str, functions: Container[str], variables: tuple[str, ...]) -> None:
        self.text, self.tokens, self.at = text, tokens(text), 0
        self.functions, self.variables = functions, list(variables)
        self.definitions: dict[str, Block] = {}
        self.loops = self.depth = 0

    def wrong(self, reason: str) -> BadTemplate:
        """The error, at the token just read."""
        token = self.tokens[max(self.at - 1, 0)]
        return BadTemplate(token.line, reason, token.at - self.text.rfind("\n", 0, token.at))

    def unexpected(self, token: Token, context: str) -> BadTemplate:
        """The error about a token that does not belong here."""
        if token.kind is T.ERROR:
            return self.wrong(token.value)
        return self.wrong(f"unexpected {token} in {context}")

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens))
        if self.at == len(self.tokens):
            self.at -= 1  # EOF and errors stay
        return token

    def peek(self) -> Token:
        return self.tokens[self.at]

    def skip_space(self) -> Token:
        """The next token that is no space, not yet taken."""
        while self.peek().kind is T.SPACE:
            self.next()
        return self.peek()

    def next_word(self) -> Token:
        """The next token that is no space."""
        self.skip_space()
        return self.next()

    def expect(self, kind: T, context: str) -> Token:
        token = self.next_word()
        if token.kind is not kind:
            raise self.unexpected(token, context)
        return token

    def enter(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.wrong(f"nested more than {_DEEPEST} deep")

    def whole(self) -> Block:
        """The template up to its end."""
        found: list[Statement] = []
        while self.peek().kind is not T.EOF:
            statement = self.statement(top=True)
            if isinstance(statement, _End):
                raise self.wrong(f"unexpected {{{{{statement.word}}}}}")
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def block(self) -> tuple[Block, _End]:
        """Statements up to `end` or `else`."""
        found: list[Statement] = []
        while self.skip_space().kind is not T.EOF:
            statement = self.statement()
            if isinstance(statement, _End):
                return tuple(found), statement
            if statement is not None:
                found.append(statement)
        raise self.wrong("unexpected EOF")

    def statement(self, top: bool = False) -> Statement | _End | None:
        """Text or an action; nothing for a definition."""
        token = self.next_word()
        if token.kind is T.TEXT:
            return Words(token.value)
        if token.kind is not T.LEFT:
            raise self.unexpected(token, "input")
        following = self.skip_space()
        if following.kind is not T.KEYWORD:
            return Action(following.at, self.pipeline("command", T.RIGHT))
        self.next()
        if following.value == "define" and not top:
            raise self.unexpected(following, "command")
        return self.control(following)

    def control(self, word: Token) -> Statement | _End | None:
        """An action that begins with a keyword."""
        match word.value:
            case "if" | "with" | "range":
                return self.conditional(word)
            case "end":
                self.expect(T.RIGHT, "end")
                return _End("end")
            case "else":
                return self.otherwise()
            case "break" | "continue":
                return self.leave(word)
            case "define":
                self.define()
                return None
            case "template":
                return self.template(word)
        return self.inline(word)

    def otherwise(self) -> _End:
        following = self.skip_space()
        if following.kind is T.KEYWORD and following.value in {"if", "with"}:
            return _End("else", following.value)
        self.expect(T.RIGHT, "else")
        return _End("else")

    def conditional(self, word: Token) -> Statement:
        """`if`, `with` or `range`, with all its branches."""
        self.enter()
        mark = len(self.variables)
        pipeline = self.pipeline(word.value, T.RIGHT)
        self.loops += word.value == "range"
        then, end = self.block()
        self.loops -= word.value == "range"
        last: Block = ()
        if end.word == "else":
            if end.chained and end.chained == word.value:
                last = (self.conditional(self.next_word()),)
            else:
                last, end = self.block()
                if end.word != "end":
                    raise self.wrong(f"expected end; found {{{{{end.word}}}}}")
        del self.variables[mark:]
        self.depth -= 1
        if word.value == "range":
            return Range(word.at, pipeline, then, last)
        return If(word.at, pipeline, then, last, moves_dot=word.value == "with")

    def leave(self, word: Token) -> Statement:
        token = self.next_word()
        if token.kind is not T.RIGHT:
            raise self.unexpected(token, f"{{{{{word.value}}}}}")
        if not self.loops:
            raise self.wrong(f"{{{{{word.value}}}}} outside {{{{range}}}}")
        return Leave(blocks.Break if word.value == "break" else blocks.Continue)

    def name(self, context: str) -> str:
        """The name of a template."""
        token = self.next_word()
        if token.kind not in {T.STRING, T.RAW}:
            raise self.unexpected(token, context)
        return self.unquoted(token)

    def define(self) -> None:
        """A template within the template, with variables of its own."""
        context = "define clause"
        name = self.name(context)
        self.expect(T.RIGHT, context)
        self.body(name, context)

    def body(self, name: str, context: str) -> None:
        self.enter()
        outer, self.variables = self.variables, ["$"]
        loops, self.loops = self.loops, 0
        block, end = self.block()
        self.variables, self.loops = outer, loops
        self.depth -= 1
        if end.word != "end":
            raise self.wrong(f"unexpected {{{{{end.word}}}}} in {context}")
        if self.definitions.get(name) and block:
            raise self.wrong(f"template: multiple definition of template {quoted(name)}")
        self.definitions[name] = block

    def template(self, word: Token) -> Statement:
        context = "template clause"
        token = self.skip_space()
        name = self.name(context)
        pipeline = None
        if self.skip_space().kind is T.RIGHT:
            self.next()
        else:
            pipeline = self.pipeline(context, T.RIGHT)
        return Call(token.at, name, pipeline)

    def inline(self, word: Token) -> Statement:
        """`block`: a definition, and a call of it."""
        at, context = self.skip_space().at, "block clause"
        name = self.name(context)
        pipeline = self.pipeline(context, T.RIGHT)
        self.body(name, context)
        return Call(at, name, pipeline)

    def pipeline(self, context: str, end: T) -> Pipeline:
        """Declarations and commands up to the end."""
        self.enter()
        start = self.skip_space().at
        names, assigns = self.declared(context)
        commands: list[Command] = []
        while True:
            token = self.skip_space()
            if token.kind is end:
                self.next()
                break
            if token.kind not in _TERMS and token.kind is not T.OPEN:
                raise self.unexpected(self.next(), context)
            commands.append(self.command())
        self.checked(commands, context)
        self.depth -= 1
        return Pipeline(start, tuple(commands), tuple(names), assigns)

    def checked(self, commands: list[Command], context: str) -> None:
        if not commands:
            raise self.wrong(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], Literal | Nil | Dot):
                raise self.wrong(f"non executable command in pipeline stage {stage}")

    def declared(self, context: str) -> tuple[list[str], bool]:
        """The variables before `:=` or `=`."""
        names: list[str] = []
        while self.skip_space().kind is T.VARIABLE:
            mark = self.at
            variable = self.next()
            following = self.skip_space()
            if following.kind in {T.ASSIGN, T.DECLARE}:
                self.next()
                names.append(variable.value)
                self.variables.append(variable.value)
                return names, following.kind is T.ASSIGN
            if following.kind is not T.CHAR or following.value != ",":
                self.at = mark
                return names, False
            self.next()
            names.append(variable.value)
            self.variables.append(variable.value)
            if context != "range" or len(names) > 1:
                raise self.wrong(f"too many declarations in {context}")
            if self.skip_space().kind not in {T.VARIABLE, T.RIGHT, T.CLOSE}:
                raise self.wrong("range can only initialize variables")
        return names, False

    def command(self) -> Command:
        """Operands up to a pipe or the end of the pipeline."""
        start = self.skip_space().at
        operands: list[Operand] = []
        while True:
            self.skip_space()
            operand = self.operand()
            if operand is not None:
                operands.append(operand)
            token = self.peek()
            if token.kind is T.SPACE:
                self.next()
                continue
            if token.kind is T.PIPE:
                self.next()
            elif token.kind not in {T.RIGHT, T.CLOSE}:
                raise self.unexpected(self.next(), "operand")
            break
        if not operands:
            raise self.wrong("empty command")
        return Command(start, tuple(operands))

    def operand(self) -> Operand | None:
        """A term, and fields of it."""
        term = self.term()
        if term is None or self.peek().kind is not T.FIELD:
            return term
        start = self.peek().at
        names: list[str] = []
        while self.peek().kind is T.FIELD:
            names.append(self.next().value[1:])
        match term:
            case Field(_, before):
                return Field(start, (*before, *names))
            case Variable(_, name, before):
                return Variable(start, name, (*before, *names))
            case Literal() | Nil() | Dot():
                raise self.wrong(f"unexpected . after term {quoted(term.text)}")
        return Chain(start, term, tuple(names))

    def term(self) -> Operand | None:
        """One operand without fields; nothing where the next token is none."""
        token = self.skip_space()
        if token.kind is T.OPEN:
            self.next()
            return self.pipeline("parenthesized pipeline", T.CLOSE)
        if token.kind not in _TERMS:
            return None
        self.next()
        match token.kind:
            case T.IDENTIFIER:
                return self.function(token)
            case T.DOT:
                return Dot(token.at)
            case T.NIL:
                return Nil(token.at)
            case T.VARIABLE:
                if token.value not in self.variables:
                    raise self.wrong(f"undefined variable {quoted(token.value)}")
                return Variable(token.at, token.value)
            case T.FIELD:
                return Field(token.at, (token.value[1:],))
            case T.BOOL:
                return Literal(token.at, token.value, token.value == "true")
            case T.NUMBER | T.RUNE:
                return Literal(token.at, token.value, self.number(token))
        return Literal(token.at, token.value, self.unquoted(token))

    def function(self, token: Token) -> Identifier:
        name = token.value
        if name in _UNSUPPORTED:
            raise self.wrong(f"function {quoted(name)} is not supported: {_UNSUPPORTED[name]}")
        if name not in self.functions and name not in {"and", "or"}:
            raise self.wrong(f"function {quoted(name)} not defined")
        return Identifier(token.at, name)

    def number(self, token: Token) -> int | float:
        """A number as Go's constants are: an int unless it is written as a float."""
        written = token.value
        if token.kind is T.RUNE:
            inner = unescaped(written[1:-1])
            if inner is None or len(inner) != 1:
                raise self.wrong(f"malformed character constant: {written}")
            return ord(inner)
        if written.endswith("i"):
            raise self.wrong(f"complex number {written} is not supported")
        whole = integer(written)
        if whole is not None:
            if not -(2**63) <= whole < 2**63:
                raise self.wrong(f"integer overflow: {quoted(written)}")
            return whole
        try:
            return numbers.read(written)
        except ValueError as fault:
            raise self.wrong(f"illegal number syntax: {quoted(written)}") from fault

    def unquoted(self, token: Token) -> str:
        """A string's text."""
        if token.kind is T.RAW:
            return token.value[1:-1].replace("\r", "")
        inner = unescaped(token.value[1:-1])
        if inner is None:
            raise self.wrong("invalid syntax")
        return inner
