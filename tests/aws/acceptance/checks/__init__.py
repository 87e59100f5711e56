"""The checks, in the order in which they run: what costs a request first, what reads the logs of all of it last."""

from . import refusals, answers, inputs, limits, listing, rotation, hot_key, deployed  # noqa: F401, I001 - this is the order
