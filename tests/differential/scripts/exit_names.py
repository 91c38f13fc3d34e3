# cases: exit(5) | quit() | sys.exit() | exec('raise\ SystemExit(6)')
import sys

eval(sys.argv[1].replace("\\", "")) if "exec" not in sys.argv[1] else exec("raise SystemExit(6)")
