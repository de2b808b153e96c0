# SPDX-License-Identifier: BSL-1.0
"""The traps of g++ 12.2 in coroutines that can be seen without a compiler: G1, G2, G4 and G8.

G1  `if`, `while`, `do`, `switch` or `for` with co_await in its condition, in a function that declares
    nothing at all (measured: any declaration, also in an inner block, and any lambda repairs it;
    coroutine lambdas are not hit): the coroutine never completes.
G2  `?:` that makes a temporary of a class with a destructor, in a full expression with co_await or
    co_yield: one destruction too many. By syntax: an arm that is a call, a construction or a
    co_await, unless it is plainly a number, a pointer or a literal; the other arm alike.
G4  a lambda written inside such a full expression that captures by value what needs a destructor.
G8  a GNU statement expression with co_await inside, or a macro made of one that is given a co_await.

Full expressions, not lines, are looked at; lambdas inside are functions of their own. A line with
"lint-ok: G2 reason" in a comment is passed over for that rule. lint_ast.py knows the types and
finds G2 and G4 exactly, and G3, G5, G6 and G7."""
import re
from dataclasses import dataclass, field

from common import Finding, relative, sources
from cpp_tokens import matching, matching_angle, tokenize

AWAITS = {"co_await", "co_yield"}
COROUTINE = AWAITS | {"co_return"}
CONDITIONS = {"if", "while", "switch", "for"}
TRIVIAL_TYPES = {
    "bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "size_t",
    "ptrdiff_t", "byte", "nullptr_t", "string_view", "span", "duration", "time_point", "wall_time",
    "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
    "nanoseconds", "microseconds", "milliseconds", "seconds", "minutes", "hours", "off_t", "ssize_t",
}
# Calls whose value needs no destructor whatever the arguments are.
TRIVIAL_CALLS = TRIVIAL_TYPES | {"size", "min", "max", "static_cast", "reinterpret_cast", "data", "c_str",
                                 "get", "count", "ssize", "value_or", "load", "empty", "index", "abs"}
# Reference results: the arm is no temporary.
REFERENCE_CALLS = {"move", "forward", "as_const", "front", "back", "at", "ref", "cref"}
DECLARING_WORDS = {"auto", "const", "constexpr", "constinit", "static", "thread_local", "using", "typedef",
                   "struct", "class", "union", "enum", "volatile", "extern", "register", "typename",
                   "mutable"}


@dataclass
class Function:
    """A body and what is known of it while its statements are read."""
    is_lambda: bool
    line: int
    coroutine: bool = False
    declares: bool = False
    conditions: list = field(default_factory=list)  # lines of conditions with co_await
    trivial: set = field(default_factory=set)  # names declared with a trivial type
    declared: set = field(default_factory=set)


class Linter:
    def __init__(self, text, macros=()):
        self.all = tokenize(text)
        self.tokens = [t for t in self.all if t.kind not in ("comment", "directive")]
        self.waived = {}
        for token in self.all:
            if token.kind == "comment":
                for rule in re.findall(r"lint-ok: (G\d)\s+\S", token.text):
                    self.waived.setdefault(rule, set()).add(token.line)
        self.macros = set(macros) | statement_macros(self.all)
        self.found = []

    def report(self, rule, line, text):
        lines = self.waived.get(rule, ())
        if line not in lines and line - 1 not in lines and (line, rule, text) not in self.found:
            self.found.append((line, rule, text))

    def run(self):
        self.outside(0, len(self.tokens))
        return sorted(self.found)

    # --- outside of functions ------------------------------------------------------------------

    def outside(self, i, end):
        """Namespaces and classes are entered; what stands after a parameter list is a body."""
        tokens = self.tokens
        start = i  # of the declaration
        while i < end:
            text = tokens[i].text
            if text in ("(", "["):
                i = matching(tokens, i) + 1
            elif text == "{":
                close = matching(tokens, i)
                head = tokens[start:i]
                if is_scope(head):
                    self.outside(i + 1, close)
                    start = close + 1
                elif is_function_head(head):
                    if in_initialisers(head):
                        i = close + 1  # member{...} of a constructor
                        continue
                    self.function(i, close, head, False)
                    # A function-try-block's handlers are part of it.
                    close = self.handlers(close)
                    start = close + 1
                else:
                    self.lambdas_in(i + 1, close)
                i = close + 1
            elif text in (";", "}") or text == ":" and tokens[i - 1].text in ("public", "private",
                                                                              "protected"):
                self.lambdas_in(start, i)
                i += 1
                start = i
            else:
                i += 1

    def handlers(self, close):
        tokens = self.tokens
        while close + 1 < len(tokens) and tokens[close + 1].text == "catch":
            block = matching(tokens, close + 2) + 1
            close = matching(tokens, block)
        return close

    def lambdas_in(self, start, end):
        i = start
        while i < end:
            body = self.lambda_at(i)
            if body:
                self.function(body[2], body[3], self.tokens[i:body[2]], True)
                i = body[3] + 1
            else:
                i += 1

    # --- functions -----------------------------------------------------------------------------

    def function(self, opening, closing, head, is_lambda):
        made = Function(is_lambda, self.tokens[opening].line)
        self.parameters(made, head)
        if not is_lambda and any(t.text == "try" for t in head[-3:]):
            pass  # a function-try-block: read like any other body
        self.block(made, opening + 1, closing)
        if made.coroutine and not made.is_lambda and not made.declares:
            for line in made.conditions:
                self.report("G1", line, "co_await in a condition of a function that declares nothing: "
                                        "g++ 12.2 never completes it; name the value first")
        return made

    def parameters(self, made, head):
        """Names and types of the parameters, as far as they are trivial."""
        for i, token in enumerate(head):
            if token.text == "(" and not in_brackets(head, i):
                self.parameter_list(made, head[i + 1:matching(head, i)])

    def parameter_list(self, made, tokens):
        for part in split_at(tokens, ","):
            self.declared_names(made, part)

    def declared_names(self, made, tokens):
        """Notes `type name` at the start of a statement or in a parameter, and whether it is one."""
        end = next((i for i, t in enumerate(tokens) if t.text in ("=", "{", "(", ";", ":")
                    and i > 0), len(tokens))
        head = [t for t in tokens[:end] if t.text not in ("const", "constexpr", "static", "&&")]
        names = [t for t in head if t.kind == "name"]
        if len(names) < 2 or head[-1].kind != "name":
            return
        name = head[-1].text
        kind = head[:-1]
        pointer = any(t.text == "*" for t in kind)
        words = [t.text for t in kind if t.kind == "name"]
        made.declared.add(name)
        trivial = pointer or (words and words[-1] in TRIVIAL_TYPES)
        if kind[-1].text == ">":  # std::span<...>, duration<...>
            first = next((i for i, t in enumerate(kind) if t.text == "<"), 0)
            trivial = pointer or kind[first - 1].text in TRIVIAL_TYPES
        if words == ["auto"] and end < len(tokens):
            # auto n = 1;
            value = tokens[end + 1:end + 2]
            trivial = bool(value) and value[0].kind in ("number", "character") or (
                bool(value) and value[0].text in ("true", "false", "nullptr", "static_cast", "&"))
        (made.trivial.add if trivial else made.trivial.discard)(name)

    def block(self, made, i, end):
        while i < end:
            i = self.statement(made, i, end)

    def statement(self, made, i, end):
        tokens = self.tokens
        token = tokens[i]
        text = token.text
        if text == ";":
            return i + 1
        if text == "{":
            close = matching(tokens, i)
            self.block(made, i + 1, close)
            return close + 1
        if text == "}":
            return i + 1
        if text in ("else", "do", "try"):
            if text == "do":
                return self.do_while(made, i, end)
            return self.statement(made, i + 1, end)
        if text == "catch":
            close = matching(tokens, i + 1)
            if close > i + 3:  # catch (type) declares nothing; catch (type name) does
                made.declares = made.declares or tokens[close - 1].kind == "name" and close > i + 3
            return self.statement(made, close + 1, end)
        if text in CONDITIONS:
            return self.condition(made, i, end)
        if text in ("case", "default"):
            while tokens[i].text != ":" or tokens[i + 1].text == ":":
                i += 1
            return i + 1
        if token.kind == "name" and i + 1 < end and tokens[i + 1].text == ":" and text not in (
                "public", "private", "protected"):
            return i + 2  # a label
        return self.simple(made, i, end)

    def do_while(self, made, i, end):
        after = self.statement(made, i + 1, end)
        tokens = self.tokens
        if after + 1 < end and tokens[after].text == "while":
            close = matching(tokens, after + 1)
            if self.expression(made, after + 2, close):
                made.conditions.append(tokens[after].line)
            return close + 2
        return after

    def condition(self, made, i, end):
        tokens = self.tokens
        keyword, line = tokens[i].text, tokens[i].line
        i += 1
        constant = tokens[i].text in ("constexpr", "consteval") or tokens[i].text == "!"
        while tokens[i].text != "(":
            if tokens[i].text == "{":  # if consteval {
                return self.statement(made, i, end)
            i += 1
        close = matching(tokens, i)
        parts = split_range(tokens, i + 1, close, ";")
        for number, (first, last) in enumerate(parts):
            declares = self.is_declaration(first, last) or (
                keyword == "for" and len(parts) == 1)  # for (auto x : range)
            if declares:
                made.declares = True
                self.declared_names(made, tokens[first:last])
            awaits = self.expression(made, first, last)
            tested = number == (1 if keyword == "for" and len(parts) == 3 else len(parts) - 1)
            if awaits and tested and not declares and not constant:
                made.conditions.append(line)
        return self.statement(made, close + 1, end) if close + 1 < end else close + 1

    def simple(self, made, i, end):
        """An expression or a declaration, up to its semicolon; SUBCASE("...") { } too."""
        tokens = self.tokens
        j = i
        while j < end:
            text = tokens[j].text
            if text == ";":
                break
            if text == "{" and is_local_type(tokens[i:j]):
                close = matching(tokens, j)
                made.declares = True
                self.outside(j + 1, close)
                j = close + 1
                continue
            if text == "{" and tokens[j - 1].text == ")" and is_macro_block(tokens[i:j]):
                self.expression(made, i, j)
                return self.statement(made, j, end)
            body = self.lambda_at(j)
            if body:
                j = body[3] + 1
            elif text in ("(", "[", "{"):
                j = matching(tokens, j) + 1
            else:
                j += 1
        if self.is_declaration(i, j):
            made.declares = True
            self.declared_names(made, tokens[i:j])
        self.expression(made, i, j)
        return j + 1

    def is_declaration(self, first, last):
        """Whether these tokens declare a name: `type name = ...`, `auto [a, b] = ...`, `using x = ...`."""
        tokens = self.tokens
        i = first
        while i < last and tokens[i].text == "[" and tokens[i + 1].text == "[":
            i = matching(tokens, i) + 1
        if i >= last or tokens[i].kind != "name":
            return tokens[i].text == "::" and self.is_declaration(i + 1, last) if i < last else False
        text = tokens[i].text
        if text in DECLARING_WORDS:
            return True
        if text in COROUTINE | {"return", "throw", "delete", "new", "goto", "break", "continue",
                                "sizeof", "static_assert", "this", "operator", "not"}:
            return False
        # A type: names, ::, <...>; then *, & and a name, then one of = { ( ; , [ :
        seen_type = False
        while i < last:
            token = tokens[i]
            if token.kind == "name" and token.text in DECLARING_WORDS | {"unsigned", "signed", "long"}:
                seen_type = True
                i += 1
            elif token.kind == "name":
                if seen_type:
                    following = tokens[i + 1].text if i + 1 < last else ";"
                    return following in ("=", "{", "(", ";", ",", "[", ":")
                i += 1
                while i < last and tokens[i].text == "::":
                    i += 2
                if i < last and tokens[i].text == "<":
                    close = matching_angle(tokens, i)
                    if close is None or close >= last:
                        return False
                    i = close + 1
                    while i < last and tokens[i].text == "::":
                        i += 2
                seen_type = True
            elif token.text in ("*", "&", "&&") and seen_type:
                i += 1
            elif token.text == "::" and not seen_type:
                i += 1
            else:
                return False
        return False

    # --- expressions ---------------------------------------------------------------------------

    def lambda_at(self, i):
        """(capture open, capture close, body open, body close) if a lambda begins at token i."""
        tokens = self.tokens
        if tokens[i].text != "[" or i + 1 >= len(tokens):
            return None
        if i > 0:
            before = tokens[i - 1]
            subscript = (before.text in (")", "]") or before.kind in ("string", "number")
                         or before.kind == "name" and before.text not in (
                             COROUTINE | {"return", "case", "throw", "else", "do"}))
            if subscript or tokens[i + 1].text == "[" or before.text == "[":
                return None
        captures = matching(tokens, i)
        j = captures + 1
        if j < len(tokens) and tokens[j].text == "<":
            j = (matching_angle(tokens, j) or j) + 1
        while j < len(tokens):
            text = tokens[j].text
            if text == "{":
                return i, captures, j, matching(tokens, j)
            if text in ("(", "["):
                j = matching(tokens, j) + 1
            elif text == "<":
                j = (matching_angle(tokens, j) or j) + 1
            elif tokens[j].kind == "name" or text in ("->", "::", "*", "&", "&&", ">", "!", "||"):
                j += 1
            else:
                return None
        return None

    def expression(self, made, first, last):
        """Reads one full expression; its lambdas are read as functions. True if it awaits."""
        tokens = self.tokens
        own, lambdas = [], []  # indexes of tokens that are not in a lambda's body; the lambdas
        i = first
        while i < last:
            body = self.lambda_at(i)
            if body:
                lambdas.append(body)
                own += range(i, body[2])
                i = body[3] + 1
            else:
                own.append(i)
                i += 1
        if lambdas:
            made.declares = True  # the closure's type is a name of the block
        for _, captures, opening, closing in lambdas:
            self.function(opening, closing, tokens[captures + 1:opening], True)
        awaits = any(tokens[i].text in AWAITS for i in own)
        if awaits or any(tokens[i].text == "co_return" for i in own):
            made.coroutine = True
        if awaits:
            self.statement_expressions(own)
            self.ternaries(made, own)
            for opening, captures, _, _ in lambdas:
                self.captures(made, opening, captures)
        return awaits

    def statement_expressions(self, own):
        tokens, outside_lambdas = self.tokens, set(own)
        for i in own:
            after = tokens[i + 1].text if i + 1 < len(tokens) else ""
            close = matching(tokens, i) if tokens[i].text == "(" else 0
            if after == "{" and close and matching(tokens, i + 1) == close - 1:
                inside = [tokens[t] for t in range(i + 2, close - 1) if t in outside_lambdas]
                statements = any(t.text == ";" for t in inside)
                if statements and any(t.text in AWAITS for t in inside):
                    self.report("G8", tokens[i].line, "co_await in a statement expression")
            if tokens[i].text in self.macros and after == "(":
                close = matching(tokens, i + 1)
                if any(t.text in AWAITS for t in tokens[i + 1:close]):
                    self.report("G8", tokens[i].line,
                                f"co_await in an argument of {tokens[i].text}, a statement expression")

    def ternaries(self, made, own):
        tokens = self.tokens
        inside = set(own)
        for i in own:
            if tokens[i].text != "?":
                continue
            colon = self.colon_of(i)
            if colon is None:
                continue
            end = self.end_of_arm(colon + 1)
            arms = [[t for t in range(i + 1, colon) if t in inside],
                    [t for t in range(colon + 1, end) if t in inside]]
            if any(self.makes_temporary(made, [tokens[t] for t in arm]) for arm in arms) and \
                    not any(self.is_plain(made, [tokens[t] for t in arm]) for arm in arms):
                self.report("G2", tokens[i].line, "?: that makes a temporary beside a co_await: "
                                                  "choose first, in a statement of its own")

    def colon_of(self, i):
        tokens, depth = self.tokens, 0
        i += 1
        while i < len(tokens):
            text = tokens[i].text
            if text in ("(", "[", "{"):
                i = matching(tokens, i)
            elif text == "?":
                depth += 1
            elif text == ":":
                if depth == 0:
                    return i
                depth -= 1
            elif text in (";", ")", "]", "}"):
                return None
            i += 1
        return None

    def end_of_arm(self, i):
        tokens = self.tokens
        while i < len(tokens) and tokens[i].text not in (";", ",", ")", "]", "}"):
            i = matching(tokens, i) + 1 if tokens[i].text in ("(", "[", "{") else i + 1
        return i

    def makes_temporary(self, made, arm):
        """Whether an arm of ?: could be a temporary of a class: it calls, constructs or awaits."""
        if not arm:
            return False
        if any(t.text in AWAITS for t in arm):
            return True
        for k, token in enumerate(arm[:-1]):
            if token.kind == "name" and arm[k + 1].text in ("(", "{"):
                return True
            if token.text == ">" and arm[k + 1].text in ("(", "{"):
                return True
        return False

    def is_plain(self, made, arm, references=True):
        """Whether an arm is surely of a type without a destructor, or no temporary."""
        if not arm:
            return True
        # The last call, at the outer level, gives the type; so does arithmetic with a number.
        if arm[0].text in ("*", "&", "!", "-", "~") or arm[0].kind in ("number", "character", "string"):
            return True
        if len(arm) == 1:
            word = arm[0].text
            return word in ("true", "false", "nullptr") or word in made.trivial
        calls = [arm[k - 1].text for k in range(1, len(arm))
                 if arm[k].text in ("(", "{") and not in_brackets(arm, k)]
        angles = [k for k, t in enumerate(arm) if t.text == "<" and not in_brackets(arm, k)]
        if angles and angles[0] and arm[angles[0] - 1].text in TRIVIAL_CALLS:
            return True
        return bool(calls) and calls[-1] in TRIVIAL_CALLS | (REFERENCE_CALLS if references else set())

    def captures(self, made, opening, closing):
        tokens = self.tokens
        for part in split_range(tokens, opening + 1, closing, ","):
            words = tokens[part[0]:part[1]]
            if not words:
                continue
            first = words[0].text
            if first == "&" or first == "this" and len(words) == 1:
                continue
            if first == "=" and len(words) == 1:
                bad = "[=]"
            elif first == "*":
                bad = "[*this]"
            elif len(words) > 1 and words[1].text in ("=", "{", "("):
                value = words[2:]
                if value and value[0].kind in ("number", "character", "string") and len(value) <= 2:
                    continue
                if value and value[0].text in ("&", "true", "false", "nullptr"):
                    continue
                if self.is_plain(made, value, references=False):
                    continue
                bad = f"[{first} = ...]"
            elif first in made.trivial:
                continue
            else:
                bad = f"[{first}]"
            self.report("G4", words[0].line, f"a lambda that captures {bad} inside an expression with "
                                             "co_await: name the lambda first")


def statement_macros(tokens):
    """Names of macros whose replacement begins with `({`."""
    found = set()
    for token in tokens:
        if token.kind == "directive":
            macro = re.match(r"[ \t]*#[ \t]*define[ \t]+(\w+)(?:\([^)]*\))?(?:\\\n|\s)*"
                             r"(?:__extension__\s*)?\(\s*\{", token.text)
            if macro:
                found.add(macro[1])
    return found


def in_brackets(tokens, index):
    depth = 0
    for token in tokens[:index]:
        if token.kind == "operator":
            depth += token.text in ("(", "[", "{")
            depth -= token.text in (")", "]", "}")
    return depth > 0


def split_range(tokens, first, last, separator):
    """[(first, last)] of the parts between separators outside of brackets."""
    parts, start, i = [], first, first
    while i < last:
        if tokens[i].text in ("(", "[", "{"):
            i = matching(tokens, i)
        elif tokens[i].text == separator:
            parts.append((start, i))
            start = i + 1
        i += 1
    parts.append((start, last))
    return parts


def split_at(tokens, separator):
    return [tokens[a:b] for a, b in split_range(tokens, 0, len(tokens), separator)]


def without_template(head):
    """The head of a declaration without template<...> and attributes."""
    out, i = [], 0
    while i < len(head):
        if head[i].text == "template" and i + 1 < len(head) and head[i + 1].text == "<":
            i = (matching_angle(head, i + 1) or i + 1) + 1
        elif head[i].text == "[" and i + 1 < len(head) and head[i + 1].text == "[":
            i = matching(head, i) + 1
        else:
            out.append(head[i])
            i += 1
    return out


def is_scope(head):
    """namespace x {, class x : y {, extern "C" {"""
    words = without_template(head)
    texts = [t.text for t in words]
    if not texts:
        return False
    if "namespace" in texts[:2] or texts[0] == "extern" and len(texts) == 2:
        return True
    return is_local_type(words)


def is_local_type(tokens):
    words = without_template(tokens)
    depth = 0
    for i, token in enumerate(words):
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        elif depth == 0 and token.text in ("class", "struct", "union", "enum"):
            rest = words[i + 1:]
            # `struct x* f() {` and `struct x v = {` are no definitions of a type.
            return not any(t.text in ("=",) for t in rest) and not is_function_head(rest)
        elif depth == 0 and token.text not in ("typedef", "static", "const", "constexpr", "inline",
                                               "requires", "&&", "||", "::", "<", ">", ",", "!") \
                and token.kind != "name":
            return False
    return False


def is_function_head(head):
    """Whether a `{` after these tokens opens a body: there is a parameter list, and no `=`."""
    words = without_template(head)
    depth, has_parameters = 0, False
    for i, token in enumerate(words):
        if token.text == "(":
            if depth == 0 and i and (words[i - 1].kind == "name" or words[i - 1].text in (">", ")")
                                     or is_operator_name(words, i)):
                has_parameters = True
            depth += 1
        elif token.text == "[":
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        elif token.text == "=" and depth == 0 and not is_operator_name(words, i + 1):
            return False
    return has_parameters


def is_operator_name(words, i):
    return any(t.text == "operator" for t in words[max(0, i - 4):i])


def in_initialisers(head):
    """Whether a `{` after these tokens initialises a member: `: a_{1}, b_` and then `{`."""
    if not head or head[-1].kind != "name" and head[-1].text != ">":
        return False
    if head[-1].text in ("const", "noexcept", "override", "final", "try", "mutable", "volatile"):
        return False
    depth, after_parameters = 0, False
    for token in head:
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
            after_parameters = depth == 0 or after_parameters
        elif token.text == "->" and depth == 0:
            return False  # a trailing return type
        elif token.text == ":" and depth == 0 and after_parameters:
            return True
    return False


def is_macro_block(tokens):
    """SUBCASE("...") {: one name and one parameter list."""
    return (len(tokens) > 2 and tokens[0].kind == "name" and tokens[1].text == "("
            and matching(tokens, 1) == len(tokens) - 1 and tokens[0].text not in COROUTINE)


FENCE = re.compile(r"^[ \t]*```[ \t]*(?:cpp|c\+\+)[^\n]*\n(.*?)^[ \t]*```", re.M | re.S)


def check_text(text, macros=()):
    return Linter(text, macros).run()


def code_files(root):
    yield from sources(root, "include", "tests", "examples", "benchmarks")


def check(root):
    """All C++ of a tree (or one file), and the blocks of its pages."""
    if root.is_file():
        for line, rule, text in check_text(root.read_text()):
            yield Finding(root.name, line, rule, text)
        return
    files = list(code_files(root))
    macros = set()
    for path in files:
        text = path.read_text()
        if "define" in text:
            macros |= statement_macros(tokenize(text))
    for path in files:
        for line, rule, text in check_text(path.read_text(), macros):
            yield Finding(relative(root, path), line, rule, text)
    pages = [*(root.glob("*.md")), *((root / "docs").rglob("*.md"))]
    for path in pages:
        page = path.read_text()
        for block in FENCE.finditer(page):
            above = page.count("\n", 0, block.start(1))
            for line, rule, text in check_text(block[1], macros):
                yield Finding(relative(root, path), above + line, rule, text)
