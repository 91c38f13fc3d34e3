import os, subprocess, sys

sys.stdout.flush()
subprocess.run([sys.executable, "-c", "import sys; print(sys.argv, sys.path[0] == '', repr(sys.stdin.read()))"], check=True)
print(subprocess.run([sys.executable, "-c", "import sys; sys.exit(4)"]).returncode)
print(subprocess.run("yes | head -1", shell=True, capture_output=True, text=True))
os.system("echo from a shell")
print(os.popen("cat").read() == "")
child = os.fork()
if child == 0:
    print("child", flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent")
