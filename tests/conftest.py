"""Property tests draw the same examples in every run; `--hypothesis-profile=searching` draws others."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile("repeatable")
