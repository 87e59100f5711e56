"""Checks what SAM makes of template.yaml: the promises that no linter knows of.

`sam validate` reads the template as written. The methods, roles and stages that reach AWS only exist after SAM has
expanded it, and a slip there (a method without the usage key, say) would open the API rather than break it.

With --mutations, it checks the checks instead: each has to fail on a template that breaks what it is there for. With
--expanded, it prints what SAM makes of the template.
"""

import json
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from template_checks import alarms, api, console, dashboard, data, functions, lint, mutations, stack
from template_checks.expansion import ROOT, Template

CHECKS = [
    *api.CHECKS,
    *functions.CHECKS,
    *data.CHECKS,
    *console.CHECKS,
    *alarms.CHECKS,
    *dashboard.CHECKS,
    *lint.CHECKS,
    *stack.CHECKS,
]


def main():
    text = (ROOT / "template.yaml").read_text()
    if sys.argv[1:] == ["--mutations"]:
        what = f"each check notices its slips: {len(mutations.SLIPS)}"
        return 1 if told(what, mutations.unnoticed(text, CHECKS)) else 0
    try:
        template = Template(text)
    except InvalidDocumentException as error:
        print("FAIL SAM can expand the template", *(cause.message for cause in error.causes), sep="\n     ")
        return 1
    if sys.argv[1:] == ["--expanded"]:
        print(json.dumps(template.expanded, indent=1))
        return 0
    failed = [check for check in CHECKS if told(check.__name__.replace("_", " "), check(template))]
    return 1 if failed else 0


def told(what, faults):
    """Prints what came of it; true if there were faults."""
    faults = list(faults)
    print("FAIL" if faults else "ok  ", what, flush=True)
    for fault in faults:
        print("    ", fault.replace("\n", "\n      "))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
