"""Copies of tables outside the home folder: Delta Lake, PostgreSQL, files.

What is published has a fingerprint of its rows, types and descriptions (``source``); a target is asked which ones it
has and gets only the others, in a way that its readers see as one step. The state of a target is in the target;
``record`` has which targets there are, so that an erasure reaches them. The caller holds the write lock of the home.
"""

import os

# Before deltalake is imported: its log goes to standard error, and has no other switch; what matters, it raises.
os.environ.setdefault("RUST_LOG", "error")  # noqa: TID251 - see above
