"""Checks what SAM makes of template.yaml, and http-api.yaml beside it: the promises that no linter knows of.

`sam validate` reads the template as written. The methods, roles and stages that reach AWS only exist after SAM has
expanded it, and a slip there (a method without the usage key, say) would open the API rather than break it.

With --mutations, it checks the checks instead: each has to fail on a template that breaks what it is there for. With
--expanded, it prints what SAM makes of the template.
"""

import json
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from template_checks import alarms, api, console, dashboard, data, functions, http_api, http_slips, lint, mutations, stack
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
        return 1 if sum(told(what, faults) for what, faults in unnoticed(text)) else 0
    try:
        template = Template(text)
    except InvalidDocumentException as error:
        print("FAIL SAM can expand the template", *(cause.message for cause in error.causes), sep="\n     ")
        return 1
    if sys.argv[1:] == ["--expanded"]:
        print(json.dumps(template.expanded, indent=1))
        return 0
    checks = [(check, template) for check in CHECKS]
    checks += [(check, http_api.read(template)) for check in http_api.CHECKS]
    failed = [check for check, subject in checks if told(check.__name__.replace("_", " "), check(subject))]
    return 1 if failed else 0


def unnoticed(text):
    """What is checked of the checks, and which of them fail it."""
    yield f"each check notices its slips: {len(mutations.SLIPS)}", mutations.unnoticed(text, CHECKS, mutations.SLIPS, Template)
    http, template, checks = http_api.read(None).text, Template(text), http_api.CHECKS
    slips = mutations.unnoticed(http, checks, http_slips.SLIPS, lambda slip: http_api.HttpApi(slip, template))
    yield f"so do those of http-api.yaml: {len(http_slips.SLIPS)}", slips
    by_name = {check.__name__: check for check in checks}
    slips = mutations.missed(text, by_name, http_slips.TEMPLATE_SLIPS, lambda slip: http_api.HttpApi(http, Template(slip)))
    yield f"and the slips of the one that the other has to follow: {len(http_slips.TEMPLATE_SLIPS)}", slips


def told(what, faults):
    """Prints what came of it; true if there were faults."""
    faults = list(faults)
    print("FAIL" if faults else "ok  ", what, flush=True)
    for fault in faults:
        print("    ", fault.replace("\n", "\n      "))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
