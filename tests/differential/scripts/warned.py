import warnings


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)


old()
old()
for _ in range(2):
    warnings.warn("twice from one place")
warnings.warn("pending", PendingDeprecationWarning)
print("a" is "a", flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old()
print([str(one.message) for one in caught])
warnings.simplefilter("error")
old()
