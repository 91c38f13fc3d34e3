print("before", flush=True)
breakpoint()
print("after")
