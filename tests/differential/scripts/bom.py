import sys
print("bom and crlf")
raise ValueError("at line 3")
