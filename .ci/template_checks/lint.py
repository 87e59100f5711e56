"""cfn-lint on the expansion, which finds what it overlooks in the template as written."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

# Rules that are wrong here, and why.
IGNORED = {
    "W1028": "SAM repeats a function's condition inside its routes, where it can't be false any more",
}


def expanded_template_passes_cfn_lint(template):
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="expanded-") as file:
        json.dump(template.expanded, file, indent=1)
        file.flush()
        linter = Path(sys.executable).with_name("cfn-lint")
        command = [linter, "--regions", "eu-central-1", "--ignore-checks", *IGNORED, "--template", file.name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        yield (result.stdout + result.stderr).strip()


CHECKS = [expanded_template_passes_cfn_lint]
