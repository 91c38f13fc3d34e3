def again(depth):
    return again(depth + 1)


try:
    again(0)
except RecursionError as error:
    print(error, again(0) if "never" in str(error) else "told")
