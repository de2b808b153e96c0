# SPDX-License-Identifier: BSL-1.0
"""A test of something that only has to compile: passes when the file given exists."""
import pathlib
import sys

if not pathlib.Path(sys.argv[1]).exists():
    sys.exit(f"{sys.argv[1]} was not built")
print("[cases] 1 passed, 0 failed, 0 skipped")
