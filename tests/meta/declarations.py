# SPDX-License-Identifier: BSL-1.0
"""Reads the declarations of a header, each with its doc comment: classes, functions, their members.

Not a compiler: it reads what is written in the house style. Bodies of functions are passed over."""
from dataclasses import dataclass, field

from cpp_tokens import matching, matching_angle, tokenize

CLASS_KEYS = ("class", "struct", "union")


@dataclass
class Declaration:
    kind: str  # class, enum, enumerator, function, alias, concept, variable
    name: str
    line: int
    doc: list  # lines of the comment without ///, [] if none
    scope: tuple  # names of the enclosing namespaces and classes
    public: bool
    type: str = ""  # of a function: what stands before its name, blanks between the tokens
    detached: bool = True  # a blank line stands before it or its comment
    members: list = field(default_factory=list)


class Reader:
    def __init__(self, text):
        self.lines = text.split("\n")
        everything = tokenize(text)
        self.tokens = [t for t in everything if t.kind not in ("comment", "directive")]
        self.comments = {}  # last line -> (first line, text lines)
        self.collect_comments(everything)
        self.found = []

    def collect_comments(self, everything):
        block, previous = [], None
        for token in everything:
            own_line = token.kind == "comment" and self.lines[token.line - 1].lstrip().startswith("///")
            if own_line and not token.text.startswith("///<"):
                if previous is not None and token.line != previous + 1:
                    block = []
                block = block + [(token.line, token.text.removeprefix("///").removeprefix(" "))]
                previous = token.line
                self.comments[token.line] = block

    def doc_before(self, line):
        block = self.comments.get(line - 1, [])
        # A longer block with the same lines is the one that ends here.
        first = block[0][0] if block else line
        detached = first < 2 or self.lines[first - 2].strip() == ""
        return [text for _, text in block], detached

    def read(self):
        self.walk(0, len(self.tokens), (), True, self.found, None)
        return self.found

    def skip_prefix(self, i):
        """Passes template<...>, requires clauses, attributes and alignas."""
        tokens = self.tokens
        while i < len(tokens):
            text = tokens[i].text
            if text == "template":
                if i + 1 < len(tokens) and tokens[i + 1].text == "<":
                    i = (matching_angle(tokens, i + 1) or i + 1) + 1
                else:
                    return i  # an explicit instantiation
            elif text == "requires":
                i = self.skip_constraint(i + 1)
            elif text == "[" and tokens[i + 1].text == "[":
                i = matching(tokens, i) + 1
            elif text in ("alignas", "__attribute__"):
                i = matching(tokens, i + 1) + 1
            elif text == "__extension__":
                i += 1
            else:
                return i
        return i

    def skip_constraint(self, i):
        tokens = self.tokens
        while True:
            while tokens[i].text == "!":
                i += 1
            if tokens[i].text == "(":
                i = matching(tokens, i) + 1
            elif tokens[i].text == "requires":
                i += 1
                if tokens[i].text == "(":
                    i = matching(tokens, i) + 1
                i = matching(tokens, i) + 1
            else:
                while tokens[i].kind == "name" or tokens[i].text == "::":
                    i += 1
                    if tokens[i].text == "<":
                        i = (matching_angle(tokens, i) or i) + 1
                    if tokens[i].text != "::":
                        break
            if tokens[i].text not in ("&&", "||"):
                return i
            i += 1

    def walk(self, i, end, scope, public, out, class_key):
        tokens = self.tokens
        while i < end:
            text = tokens[i].text
            if text == ";" or text == "}":
                i += 1
                continue
            if class_key and text in ("public", "private", "protected") and tokens[i + 1].text == ":":
                public = text == "public"
                i += 2
                continue
            first = i
            i = self.skip_prefix(i)
            if i >= end:
                return
            text = tokens[i].text
            if text == "inline" and tokens[i + 1].text == "namespace":
                i, text = i + 1, "namespace"
            if text == "namespace":
                i = self.namespace(i, scope, out)
            elif text == "extern" and tokens[i + 1].kind == "string" and tokens[i + 2].text == "{":
                close = matching(tokens, i + 2)
                self.walk(i + 3, close, scope, public, out, None)
                i = close + 1
            elif text in CLASS_KEYS or text == "enum":
                i = self.class_or_enum(first, i, scope, public, out)
            elif text in ("using", "typedef", "static_assert", "friend", "concept"):
                i = self.simple(first, i, scope, public, out)
            else:
                i = self.function_or_variable(first, i, scope, public, out)

    def namespace(self, i, scope, out):
        tokens = self.tokens
        names = []
        i += 1
        while tokens[i].text not in ("{", ";", "="):
            if tokens[i].kind == "name" and tokens[i].text != "inline":
                names.append(tokens[i].text)
            i += 1
        if tokens[i].text != "{":
            return self.to_semicolon(i)
        close = matching(tokens, i)
        self.walk(i + 1, close, scope + tuple(names or ["(anonymous)"]), True, out, None)
        return close + 1

    def to_semicolon(self, i):
        tokens = self.tokens
        while i < len(tokens) and tokens[i].text != ";":
            i = matching(tokens, i) + 1 if tokens[i].text in "([{" else i + 1
        return i + 1

    def add(self, kind, name, first, scope, public, out, type_=""):
        line = self.tokens[first].line
        doc, detached = self.doc_before(line)
        made = Declaration(kind, name, line, doc, scope, public, type_, detached)
        out.append(made)
        return made

    def class_or_enum(self, first, i, scope, public, out):
        tokens = self.tokens
        key = tokens[i].text
        i += 1
        if key == "enum" and tokens[i].text in CLASS_KEYS:
            i += 1
        i = self.skip_prefix(i)
        name, start = "", i
        while tokens[i].text not in ("{", ";", ":", "(", "="):
            if tokens[i].kind == "name" and tokens[i].text != "final":
                # The definition of a nested class, outside of its class, keeps the qualified name.
                name = name + tokens[i].text if name.endswith("::") else tokens[i].text
            if tokens[i].text == "::":
                name += "::"
            if tokens[i].text == "<":  # a specialisation
                i = matching_angle(tokens, i) or i
                name += "<>"
            i += 1
        if tokens[i].text in ("(", "="):  # a function or variable with an elaborated type
            return self.function_or_variable(first, start, scope, public, out)
        if tokens[i].text == ";":
            return i + 1
        while tokens[i].text != "{":  # bases
            if tokens[i].text == ";":
                return i + 1
            i = (matching_angle(tokens, i) or i) + 1 if tokens[i].text == "<" else i + 1
        close = matching(tokens, i)
        made = self.add("enum" if key == "enum" else "class", name, first, scope, public, out)
        if key == "enum":
            self.enumerators(i + 1, close, scope + (name,), made.members)
        else:
            self.walk(i + 1, close, scope + (name,), key != "class", made.members, key)
        return self.to_semicolon(close)

    def enumerators(self, i, end, scope, out):
        tokens = self.tokens
        while i < end:
            first = i
            self.add("enumerator", tokens[i].text, first, scope, True, out)
            while i < end and tokens[i].text != ",":
                i = matching(tokens, i) + 1 if tokens[i].text in "([{" else i + 1
            i += 1

    def simple(self, first, i, scope, public, out):
        tokens = self.tokens
        text = tokens[i].text
        if text == "using" and tokens[i + 2].text == "=":
            self.add("alias", tokens[i + 1].text, first, scope, public, out)
        elif text == "concept":
            self.add("concept", tokens[i + 1].text, first, scope, public, out)
        elif text == "friend":
            j = i
            while tokens[j].text not in (";", "{"):
                j = matching(tokens, j) + 1 if tokens[j].text in "([" else j + 1
            return matching(tokens, j) + 1 if tokens[j].text == "{" else j + 1
        return self.to_semicolon(i)

    def function_or_variable(self, first, i, scope, public, out):
        tokens = self.tokens
        start, name, type_ = i, None, ""
        while i < len(tokens):
            text = tokens[i].text
            if text == "operator":
                name, type_ = "operator", self.words(start, i)
                i += 1
                if tokens[i].text == "(":
                    i += 2
                while tokens[i].text != "(":
                    i += 1
                return self.end_of_function(matching(tokens, i) + 1, first, scope, public, out, name,
                                            type_)
            if text == "<":
                close = matching_angle(tokens, i)
                i = (close if close else i) + 1
                continue
            if text == "[" and tokens[i + 1].text == "[":
                i = matching(tokens, i) + 1
                continue
            if text == "(":
                before = tokens[i - 1]
                if before.text in ("explicit", "noexcept", "decltype", "alignas"):
                    i = matching(tokens, i) + 1
                    continue
                # `T(name)(...)`: a name in parentheses, safe from macros.
                if i + 3 < len(tokens) and tokens[i + 2].text == ")" and tokens[i + 3].text == "(":
                    name, type_ = tokens[i + 1].text, self.words(start, i)
                    i += 3
                else:
                    name, type_ = before.text, self.words(start, i - 1)
                return self.end_of_function(matching(tokens, i) + 1, first, scope, public, out, name,
                                            type_)
            if text in ("=", "{", ";"):
                if i > start:
                    self.add("variable", tokens[i - 1].text, first, scope, public, out)
                return self.to_semicolon(i)
            i += 1
        return i

    def words(self, start, end):
        return " ".join(t.text for t in self.tokens[start:end])

    def end_of_function(self, i, first, scope, public, out, name, type_):
        tokens = self.tokens
        initialisers = False
        trailing = None
        while i < len(tokens):
            text = tokens[i].text
            if text == "->" and trailing is None:
                trailing = i + 1
            elif text == ":" and not initialisers:
                initialisers = True
            elif text in ("(", "["):
                i = matching(tokens, i)
            elif text == "requires" and trailing is None:
                i = self.skip_constraint(i + 1)
                continue
            elif text == "{":
                before = tokens[i - 1]
                if not (initialisers and (before.kind == "name" or before.text == ">")):
                    break
                i = matching(tokens, i)
            elif text == ";":
                break
            i += 1
        if trailing is not None:
            type_ += " -> " + self.words(trailing, i)
        is_guide = type_.startswith("->") or type_ == " -> " or type_.lstrip().startswith("-> ")
        if not is_guide:
            self.add("function", name, first, scope, public, out, type_.strip())
        if i < len(tokens) and tokens[i].text == "{":
            return matching(tokens, i) + 1
        return i + 1


def read(text):
    return Reader(text).read()
