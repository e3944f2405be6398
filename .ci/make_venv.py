"""Make a virtual environment; on a Debian machine whose Python came without venv, install that first."""

import shutil
import subprocess
import sys
import venv


def make(folder: str) -> bool:
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def main() -> None:
    folder = sys.argv[1]
    if make(folder):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", package]):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        if make(folder):
            return
    sys.exit(f"make: cannot make a virtual environment in {folder}; install {package}")


if __name__ == "__main__":
    main()
