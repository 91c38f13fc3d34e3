import decimal, locale, os, random, tempfile, time, contextvars, string

print(locale.getlocale(), locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), locale.localeconv()["decimal_point"])
print(decimal.getcontext(), decimal.Decimal(1) / 3, contextvars.copy_context().items())
first = random.random()
print(0 <= first < 1, time.localtime(0).tm_hour, os.path.isdir(tempfile.gettempdir()), string.whitespace)
random.seed(7)
print(random.random())
