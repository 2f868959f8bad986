"""The numbers of the page that people look at: one module a page, SQL over the warehouse for exactly one selection.

Every function takes a ``Reader`` and returns rows or dataclasses; how they look is ``pipelines.page``. A rate is a sum
over a sum with its n, a percentile is taken again over all values of the selection.
"""
