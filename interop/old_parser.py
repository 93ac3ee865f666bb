"""Worker in the environment of the old Werkzeug: parses a JSON list of `Cookie` headers."""

from __future__ import annotations

import json
import sys

from werkzeug.sansio.http import parse_cookie

headers = json.load(sys.stdin)
json.dump([list(parse_cookie(header).items(multi=True)) for header in headers], sys.stdout)
