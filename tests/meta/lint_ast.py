# SPDX-License-Identifier: BSL-1.0
"""The traps of g++ 12.2 that need types, found in clang's syntax tree by clang-query. Templates are
looked at as they are instantiated, so headers are checked through the programs that use them.

In one full expression with co_await or co_yield (a lambda inside is a function of its own):
G2  ?: gives a temporary of a class with a destructor
G3  an aggregate with such a member is initialised by a list, also as a default argument
G4  a lambda captures what has a destructor
G5  a braced list becomes a std::initializer_list
G6  an array of such a class is initialised
and anywhere
G7  the awaiter is a reference that a function gave: g++ copies it"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from common import Finding

CLANG_QUERY = "clang-query-19"
HERE = r"/(include/penstock|tests|examples|benchmarks)/"

# A class "has a destructor" when it, a base, or a member (three deep) has one that somebody wrote.
QUERY = r"""
set output diag
set bind-root false
let written cxxRecordDecl(has(cxxDestructorDecl(unless(isDefaulted()))))
let own cxxRecordDecl(anyOf(written, hasAnyBase(hasType(written))))
let class0 hasUnqualifiedDesugaredType(recordType(hasDeclaration(own)))
let class1 hasUnqualifiedDesugaredType(recordType(hasDeclaration(cxxRecordDecl(anyOf(own, has(fieldDecl(hasType(class0))))))))
let class2 hasUnqualifiedDesugaredType(recordType(hasDeclaration(cxxRecordDecl(anyOf(own, has(fieldDecl(hasType(class1))))))))
let destroyed hasUnqualifiedDesugaredType(recordType(hasDeclaration(cxxRecordDecl(anyOf(own, has(fieldDecl(hasType(class2))))))))
let here unless(hasAncestor(lambdaExpr(hasAncestor(expr(equalsBoundNode("full"))))))
let awaits hasDescendant(expr(anyOf(coawaitExpr(), coyieldExpr()), here))
let g2 forEachDescendant(expr(conditionalOperator(hasType(destroyed), hasDescendant(cxxBindTemporaryExpr())), here).bind("G2"))
let g3 forEachDescendant(expr(initListExpr(hasType(destroyed)), here).bind("G3"))
let g3paren forEachDescendant(expr(cxxBindTemporaryExpr(unless(has(expr(anyOf(cxxConstructExpr(), callExpr(), castExpr(), initListExpr(), lambdaExpr(), coawaitExpr(), coyieldExpr(), conditionalOperator(), stmtExpr(), binaryOperator()))))), here).bind("G3"))
let g3default forEachDescendant(expr(callExpr(hasAnyArgument(cxxDefaultArgExpr(hasType(destroyed))), callee(functionDecl(hasAnyParameter(parmVarDecl(hasInitializer(anyOf(initListExpr(), hasDescendant(initListExpr())))))))), here).bind("G3"))
let g4 forEachDescendant(expr(cxxBindTemporaryExpr(has(lambdaExpr())), here).bind("G4"))
let g5 forEachDescendant(expr(cxxStdInitializerListExpr(), here).bind("G5"))
let g6 forEachDescendant(expr(initListExpr(hasType(arrayType(hasElementType(destroyed))), unless(hasParent(materializeTemporaryExpr()))), here).bind("G6"))
match expr(isExpansionInFileMatching("HERE"), exprWithCleanups(), expr().bind("full"), awaits, eachOf(g2, g3, g3paren, g3default, g4, g5, g6))
match expr(isExpansionInFileMatching("HERE"), coawaitExpr(unless(has(materializeTemporaryExpr())), has(callExpr(callee(functionDecl(returns(referenceType()))))))).bind("G7")
match functionDecl(isExpansionInFileMatching("HERE"), hasName("operator co_await"), returns(referenceType())).bind("G7")
""".replace("HERE", HERE)

TEXTS = {
    "G2": "?: that makes a temporary beside a co_await: choose first",
    "G3": "a list initialises an aggregate with a destructor beside a co_await: name it first",
    "G4": "a lambda with such captures inside an expression with co_await: name it first",
    "G5": "a std::initializer_list beside a co_await: build the container first",
    "G6": "an array of a class with a destructor beside a co_await: use separate variables",
    "G7": "co_await of a reference that a function gives: g++ copies the awaiter",
}
HIT = re.compile(r'^(\S.*?):(\d+):\d+: note: "(G\d)" binds here', re.M)
ERROR = re.compile(r"^(\S.*?):(\d+):\d+: (?:fatal )?error: (.*)", re.M)
WAIVER = re.compile(r"lint-ok: (G\d)\s+\S")


def available():
    return shutil.which(CLANG_QUERY) is not None


def waived(path, line, rule):
    lines = path.read_text().splitlines()
    around = lines[max(0, line - 2):line]
    return any(found == rule for text in around for found in WAIVER.findall(text))


def check_file(path, root, arguments):
    """Findings of one translation unit; `arguments` go to clang-query after the file."""
    folder = pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
    query = folder / f"penstock-{os.getpid()}-{abs(hash(path))}.query"
    query.write_text(QUERY)
    try:
        # A trap may be an error for clang too; what matters is that the tree is complete enough.
        ran = subprocess.run([CLANG_QUERY, "-f", str(query), str(path), *arguments],
                             capture_output=True, text=True)
    finally:
        query.unlink()
    output = ran.stdout + ran.stderr
    found = set()
    for name, line, rule in HIT.findall(output):
        file = pathlib.Path(os.path.normpath(path.parent / name))
        place = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
        if not waived(file, int(line), rule):
            found.add(Finding(place, int(line), rule, TEXTS[rule]))
    for name, line, text in ERROR.findall(output):
        found.add(Finding(name, int(line), "parse", text))
    if "Matcher not found" in output or "Error parsing" in output:
        found.add(Finding(str(path), 0, "query", output[-400:]))
    if ran.returncode != 0 and not found:
        found.add(Finding(str(path), 0, "query", output[-400:]))
    return sorted(found)


def compiled_files(build):
    """Files of the project in a build folder's compilation database."""
    database = build / "compile_commands.json"
    found = set()
    for entry in json.loads(database.read_text()) if database.exists() else []:
        found.add(pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"]) / entry["file"])))
    return found
