"""Checks of template.yaml as SAM expands it; .ci/check_template.py runs them."""
