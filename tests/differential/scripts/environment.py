import os

ours = ("TRAINDECK_", "PYTHONPATH", "PYTEST_CURRENT_TEST", "CUDA_")
for name, value in sorted(os.environ.items()):
    if not name.startswith(ours):
        print(name, "=", value)
