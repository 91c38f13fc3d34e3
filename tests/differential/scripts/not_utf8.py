print("never")
name = "é"
