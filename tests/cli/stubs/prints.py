"""prints.py ARGUMENTS: prints them as JSON, and the variable GREETING."""

import json
import os
import sys

print(json.dumps({"args": sys.argv[1:], "greeting": os.environ.get("GREETING")}))
